/* elementwise.h: running the operations of ops.def forward, and their partial derivatives back, over whole values. */
#ifndef TG_ELEMENTWISE_H
#define TG_ELEMENTWISE_H

#include "iterate.h"
#include "ops.h"

/* Memory for blocks that do not lie contiguous: taken from the pool on first use, kept for a whole sweep. */
typedef struct tg_workspace {
    tg_pool *pool;
    char *blocks; /* owned */
    size_t block_bytes;
} tg_workspace;

void tg_workspace_init(tg_workspace *workspace, tg_pool *pool);
void tg_workspace_clear(tg_workspace *workspace);

/* Takes the blocks: one of TG_BLOCK elements for each of TG_MAX_PARTICIPANTS values, and behind them those that are the
 * kernels' scratch. */
tg_status tg_workspace_take(tg_workspace *workspace);
static inline tg_status tg_workspace_ready(tg_workspace *workspace) {
    return workspace->blocks ? TG_OK : tg_workspace_take(workspace);
}
static inline char *tg_workspace_block(const tg_workspace *workspace, int index) {
    return workspace->blocks + (size_t)index * TG_BLOCK * sizeof(double);
}

/* Writes a number of a native type `count` times to a block. */
void tg_splat(const void *number, int dtype, tg_index count, char *block);

/* *target += sum of `count` contiguous elements of a native type, by NumPy's pairwise summation. */
void tg_add_run(const tg_loops *loops, int dtype, char *block, tg_index count, char *target);

/* out = op(operands), all of one native type, broadcast against each other. *out: owned by the caller (its array, if
 * it has one). TG_BAD_SHAPE if the shapes do not fit. */
tg_status tg_elementwise(const tg_loops *loops, tg_pool *pool, int op, int dtype, const tg_value *operands,
                         tg_value *out);

/* The same for any inner loop of `count` operands, up to TG_MAX_OPERANDS: one of an operation that is not in
 * the table. */
tg_status tg_elementwise_loop(tg_loop loop, int count, tg_pool *pool, int dtype, const tg_value *operands,
                              tg_value *out);

/* What a derivative needs to know of one use of an operation. */
typedef struct tg_use {
    int op;
    int dtype;
    int ndim;
    const tg_index *shape;                  /* of the output */
    tg_value saved[TG_MAX_OPERANDS + 1];    /* those that the rule mentions; borrowed */
    const tg_value *g;                      /* cotangent of the output: same shape, any strides; borrowed */
} tg_use;

/* adjoint (+)= sum_to(g * partial k, adjoint's shape). `adjoint` is contiguous and of the operand's shape, or a number;
 * it may share g's memory if it has its shape. fresh: the adjoint holds nothing yet and is overwritten. */
tg_status tg_elementwise_vjp(const tg_loops *loops, tg_workspace *workspace, const tg_use *use, int k,
                             tg_value *adjoint, bool fresh);

/* target (+)= sum_to(source, target's shape), same native type: the reduction behind un-broadcasting and sums. */
tg_status tg_sum_to(const tg_loops *loops, tg_workspace *workspace, const tg_value *source, tg_value *target,
                    bool fresh);

/* target += source, of the same shape and native type, whatever their layout. */
void tg_array_add(const tg_loops *loops, tg_array *target, const tg_array *source);

#endif
