/* ops.h: the one table of elementwise operations.
 *
 * The table is written in ops.def, one line an operation; generate.py turns it at build time into the enum of
 * opcodes (ops_enum.h) and into ops.c: this table with the text of every rule, and the float32 and float64 kernels of
 * every partial derivative. Calls to other names of the table inside a rule become calls of NumPy's inner loops on
 * blocks of TG_BLOCK elements; the arithmetic around them is fused into one C loop.
 */
#ifndef TG_OPS_H
#define TG_OPS_H

#include <string.h>

#include "core.h"
#include "ops_enum.h" /* generated: enum tg_op { TG_OP_ADD, ..., TG_ELEMENTWISE_OPS } */

/* NumPy's one-dimensional inner loop: args are the operands' and the output's first elements, dims[0] the count,
 * steps the strides in bytes. It needs no interpreter lock. */
typedef void (*tg_loop_function)(char **args, const tg_index *dims, const tg_index *steps, void *data);

typedef struct tg_loop {
    tg_loop_function function; /* NULL where NumPy has no such loop */
    void *data;
} tg_loop;

enum { TG_NATIVE_F32 = 0, TG_NATIVE_F64 = 1, TG_NATIVE_TYPES = 2 };

static inline int tg_native_index(int dtype) { return dtype == TG_F64 ? TG_NATIVE_F64 : TG_NATIVE_F32; }

/* The inner loops, filled once by the binding (or a test) before first use and constant from then on. */
typedef struct tg_loops {
    tg_loop elementwise[TG_ELEMENTWISE_OPS][TG_NATIVE_TYPES];
    tg_loop matmul[TG_NATIVE_TYPES]; /* (n?,k),(k,m?)->(n?,m?): dims {outer, n, k, m}, steps of 3 outer and 6 core */
} tg_loops;

#define TG_MAX_OPERANDS 3

/* What one kernel call works on: `count` <= TG_BLOCK contiguous elements of each value the rule mentions (others may
 * be NULL). `accumulate` false: adjoint = g * partial; true: adjoint += g * partial. Where g is exactly zero the
 * product is exactly zero whatever the partial is. `adjoint` may be the same memory as `g`. */
typedef struct tg_kernel_args {
    const tg_loops *loops;
    tg_index count;
    const void *g;                          /* cotangent of the output */
    const void *operand[TG_MAX_OPERANDS];   /* x, y, z */
    const void *out;
    void *adjoint;
    void *scratch;                          /* TG_SCRATCH_BLOCKS * TG_BLOCK elements, aligned */
    bool accumulate;
} tg_kernel_args;

typedef void (*tg_kernel)(const tg_kernel_args *args);

typedef struct tg_op_info {
    const char *name;                        /* NumPy's name */
    const char *summary;                     /* one line for the documentation */
    int operands;                            /* 1 to TG_MAX_OPERANDS */
    const char *forward;                     /* the rule text of an operation that is not a NumPy ufunc; else NULL */
    const char *partial[TG_MAX_OPERANDS];    /* rule text; NULL: piecewise constant, not differentiable */
    uint8_t needs[TG_MAX_OPERANDS];          /* what partial k mentions: bit i = operand i, bit 3 = out */
    const char *domain[TG_MAX_OPERANDS];     /* where tests sample the operand */
    const char *complex_rule;                /* how complex operands are differentiated: "holomorphic", ... */
    tg_kernel vjp[TG_MAX_OPERANDS][TG_NATIVE_TYPES];
    tg_loop_function own[TG_NATIVE_TYPES];   /* the loop of an operation with `forward`; data is the tg_loops */
} tg_op_info;

#define TG_NEEDS_OUT (1u << TG_MAX_OPERANDS)

extern const tg_op_info tg_op_table[TG_ELEMENTWISE_OPS];

/* The text of a partial derivative that is one everywhere: what is multiplied by it passes on as it is. */
#define TG_ONE "1.0"
static inline bool tg_op_passes_on(const tg_op_info *info, int k) {
    return info->partial[k] && strcmp(info->partial[k], TG_ONE) == 0;
}

/* The same partials on single numbers, for chains of 0-d values: cotangent contributions to the operands in
 * `wanted` (bit k). in[k], out: the values the rule mentions; contribution[k], out. */
void tg_scalar_vjp_f64(const tg_loops *loops, int op, unsigned wanted, double g, const double *in, double out,
                       double *contribution);
void tg_scalar_vjp_f32(const tg_loops *loops, int op, unsigned wanted, float g, const float *in, float out,
                       float *contribution);

#endif
