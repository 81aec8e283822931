/* structural.h: operations that move, select, sum or contract elements, and the rule that transposes each of them.
 *
 * Every one is linear in each operand, so its derivative is its transpose, which is again an operation of this list:
 *
 *   operation     result                                      cotangent of operand k
 *   RESHAPE       the same elements in another shape          RESHAPE
 *   PERMUTE       axes in the order params[]                  PERMUTE by the inverse
 *   SLICE         x[start:...:step, ...]                      UNSLICE
 *   UNSLICE       zeros with x at [start:...:step, ...]       SLICE
 *   SUM           over the axes in the mask params[0]         EXPAND
 *   EXPAND        repeated along the axes in the mask         SUM
 *   CAST          in another native type                      CAST
 *   CONCATENATE   along axis params[0]; then the offsets.     SLICE
 *                 Operands may lack the axis: stacking
 *   SELECT        where(condition, x, y)                      MASK
 *   MASK          where(condition, x, 0), or inverted         MASK
 *   TAKE          x.take(indices, axis params[0])             SCATTER_ADD
 *   SCATTER_ADD   zeros; at(indices) += x                     TAKE
 *   MATMUL        a @ b, either one transposed (params[0])    MATMUL
 *
 * tg_structural_transpose says which operation with which parameters; the native sweep runs it with
 * tg_structural_apply, a recorded sweep through the binding. The rule stands here once.
 */
#ifndef TG_STRUCTURAL_H
#define TG_STRUCTURAL_H

#include "elementwise.h"
#include "tape.h"

typedef enum tg_structural_op {
    TG_RESHAPE,
    TG_PERMUTE,
    TG_SLICE,   /* params: for each axis of the whole: start, step, count */
    TG_UNSLICE, /* the same params; the shape is the whole's */
    TG_SUM,
    TG_EXPAND,
    TG_CAST,
    TG_CONCATENATE, /* params: axis, then for each operand where it begins, and the end */
    TG_SELECT,      /* operands condition (bool), x, y */
    TG_MASK,        /* operands x, condition; params: 1 to invert */
    TG_TAKE,        /* operands x, indices (int64, contiguous, within bounds); params: axis; if there is a second one, a
                     * source's gradient lists the rows taken (axis 0 only) */
    TG_SCATTER_ADD, /* operands x, indices; params: axis */
    TG_MATMUL,      /* operands of two or more dimensions; params: 1 a transposed | 2 b transposed | TG_MATMUL_FREE */
    TG_STRUCTURAL_OPS
} tg_structural_op;

/* In a matmul's params[0]: the result need not be what NumPy's has to the last bit, as in derivatives. */
enum { TG_MATMUL_FREE = 4 };

/* One use of a structural operation. */
typedef struct tg_call {
    int op;
    int dtype; /* of the result */
    int ndim;
    int params_count;
    const tg_index *params; /* borrowed */
    tg_index shape[TG_MAX_DIMS];
} tg_call;

/* A transposition: `call` on the cotangent, and on the node's saved value `saved_bit` if that is not -1. */
typedef struct tg_transposition {
    tg_call call;
    int saved_bit;
    bool cotangent_second;
    tg_index storage[3 * TG_MAX_DIMS]; /* where call.params may live */
} tg_transposition;

/* What the cotangent of operand k of a structural node is made of. */
void tg_structural_transpose(const tg_tape *tape, const tg_node *node, uint32_t k, tg_transposition *out);

/* What the tangent of operand k contributes to the tangent of a structural node's result: the operation itself on the
 * tangent, in the same form (the tangent in the cotangent's place). Not for CONCATENATE. */
void tg_structural_tangent(const tg_node *node, uint32_t k, tg_transposition *out);

/* Which operands' values the transposition of operand k needs (bits as in saved_mask). */
unsigned tg_structural_needs(int op, int k);

/* Runs a call natively: views where possible, native types where arithmetic is needed (SUM, SCATTER_ADD, MATMUL).
 * CONCATENATE and SELECT are not run this way (tg_join, tg_select) and only occur as nodes. *out: owned by the
 * caller. */
tg_status tg_structural_apply(const tg_loops *loops, tg_workspace *workspace, const tg_call *call,
                              const tg_value *operands, tg_value *out);

/* Copies `part` to its place in `whole`, from position `begin` of axis `axis` on; it has the whole's other sizes, and
 * may lack the axis. */
tg_status tg_join(tg_array *whole, int axis, tg_index begin, const tg_value *part);

/* A view of the part of `whole` that a SLICE call takes. *out: owned by the caller. */
tg_status tg_slice_view(const tg_call *call, tg_array *whole, tg_array **out);

/* True if a native SUM of this array adds in the same order as NumPy, so that results agree to the last bit. */
bool tg_sum_agrees_with_numpy(const tg_array *array, uint64_t mask);

#endif
