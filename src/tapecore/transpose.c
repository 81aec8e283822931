/* transpose.c: for each structural operation, the operation that carries its cotangent back, or its tangent forward. */
#include <assert.h>
#include <string.h>

#include "structural.h"

/* The call's result has the shape and type of the operand it belongs to. */
static void result_like_operand(const tg_tape *tape, const tg_node *node, uint32_t k, tg_call *call) {
    tg_output operand = tg_tape_output(tape, node->in[k]);
    call->dtype = operand.dtype;
    call->ndim = operand.ndim;
    if (operand.ndim) memcpy(call->shape, operand.shape, (size_t)operand.ndim * sizeof *call->shape);
}

static void inverse_permutation(const tg_node *node, tg_index *inverse) {
    const tg_index *axes = tg_node_params(node);
    for (int d = 0; d < node->ndim; d++) inverse[axes[d]] = d;
}

/* Operand k of a concatenation is a slice of the cotangent. */
static void slice_of_operand(const tg_node *node, uint32_t k, tg_index *params) {
    const tg_index *own = tg_node_params(node);
    const tg_index *shape = tg_node_shape(node);
    for (int d = 0; d < node->ndim; d++) {
        params[3 * d] = d == own[0] ? own[1 + k] : 0;
        params[3 * d + 1] = 1;
        params[3 * d + 2] = d == own[0] ? own[2 + k] - own[1 + k] : shape[d];
    }
}

/* out = A @ B with A, B perhaps transposed:  dA = g @ B', or its transpose B @ g';  dB = A' @ g, or g' @ A. */
static void matmul_transposition(const tg_node *node, uint32_t k, tg_transposition *out) {
    bool a_transposed = tg_node_params(node)[0] & 1;
    bool b_transposed = tg_node_params(node)[0] & 2;
    bool own_transposed = k == 0 ? a_transposed : b_transposed;
    bool other_transposed = k == 0 ? b_transposed : a_transposed;
    out->saved_bit = k == 0 ? 1 : 0;
    out->cotangent_second = (k == 0) == own_transposed;
    bool other_flag = own_transposed ? other_transposed : !other_transposed;
    bool first = out->cotangent_second ? other_flag : own_transposed;
    bool second = out->cotangent_second ? own_transposed : other_flag;
    out->storage[0] = (first ? 1 : 0) | (second ? 2 : 0) | TG_MATMUL_FREE;
    /* The leading (stacked) dimensions are the cotangent's; the sweep sums over those that were broadcast. */
    tg_call *call = &out->call;
    int stacked = node->ndim - 2;
    tg_index rows = call->shape[call->ndim - 2], columns = call->shape[call->ndim - 1];
    if (stacked > 0) memcpy(call->shape, tg_node_shape(node), (size_t)stacked * sizeof *call->shape);
    call->shape[stacked] = rows;
    call->shape[stacked + 1] = columns;
    call->ndim = node->ndim;
}

void tg_structural_transpose(const tg_tape *tape, const tg_node *node, uint32_t k, tg_transposition *out) {
    static const uint8_t transposed[TG_STRUCTURAL_OPS] = {
        [TG_RESHAPE] = TG_RESHAPE, [TG_PERMUTE] = TG_PERMUTE,   [TG_SLICE] = TG_UNSLICE,
        [TG_UNSLICE] = TG_SLICE,   [TG_SUM] = TG_EXPAND,        [TG_EXPAND] = TG_SUM,
        [TG_CAST] = TG_CAST,       [TG_CONCATENATE] = TG_SLICE, [TG_SELECT] = TG_MASK,
        [TG_MASK] = TG_MASK,       [TG_TAKE] = TG_SCATTER_ADD,  [TG_SCATTER_ADD] = TG_TAKE,
        [TG_MATMUL] = TG_MATMUL,
    };
    tg_call *call = &out->call;
    out->saved_bit = -1;
    out->cotangent_second = false;
    call->op = transposed[node->op];
    result_like_operand(tape, node, k, call);
    call->params = tg_node_params(node);
    call->params_count = tg_node_params_count(node);
    switch ((tg_structural_op)node->op) {
    case TG_PERMUTE:
        inverse_permutation(node, out->storage);
        call->params = out->storage;
        break;
    case TG_CONCATENATE:
        slice_of_operand(node, k, out->storage);
        call->params = out->storage;
        call->params_count = 3 * node->ndim;
        break;
    case TG_SELECT: /* the mask has the result's shape; un-broadcasting follows in the sweep */
        out->saved_bit = 0;
        out->storage[0] = k == 2;
        call->params = out->storage;
        call->params_count = 1;
        call->ndim = node->ndim;
        if (node->ndim) memcpy(call->shape, tg_node_shape(node), (size_t)node->ndim * sizeof *call->shape);
        break;
    case TG_TAKE:
        call->params_count = 1;
        out->saved_bit = 1;
        break;
    case TG_MASK:
    case TG_SCATTER_ADD:
        out->saved_bit = 1;
        break;
    case TG_MATMUL:
        matmul_transposition(node, k, out);
        call->params = out->storage;
        break;
    default: /* the same parameters serve both directions */
        break;
    }
}

void tg_structural_tangent(const tg_node *node, uint32_t k, tg_transposition *out) {
    tg_call *call = &out->call;
    out->saved_bit = -1;
    out->cotangent_second = false;
    call->op = node->op;
    call->dtype = node->dtype;
    call->ndim = node->ndim;
    if (node->ndim) memcpy(call->shape, tg_node_shape(node), (size_t)node->ndim * sizeof *call->shape);
    call->params = tg_node_params(node);
    call->params_count = tg_node_params_count(node);
    switch ((tg_structural_op)node->op) {
    case TG_SELECT: /* where(condition, x, y) is where(condition, x, 0) + where(condition, 0, y) */
        call->op = TG_MASK;
        out->saved_bit = 0;
        out->storage[0] = k == 2;
        call->params = out->storage;
        call->params_count = 1;
        break;
    case TG_TAKE:
        call->params_count = 1;
        out->saved_bit = 1;
        break;
    case TG_MASK:
    case TG_SCATTER_ADD: out->saved_bit = 1; break;
    case TG_MATMUL:
        out->saved_bit = k == 0 ? 1 : 0;
        out->cotangent_second = k == 1;
        break;
    default: break;
    }
}

unsigned tg_structural_needs(int op, int k) {
    switch (op) {
    case TG_MATMUL: return k == 0 ? 2u : 1u;
    case TG_SELECT: return 1u;
    case TG_MASK:
    case TG_TAKE:
    case TG_SCATTER_ADD: return 2u;
    default: return 0u;
    }
}
