/* batch.c: elementwise partials and structural calls under a batch axis. */
#include "batch.h"

#include <string.h>

#include "scan.h"

tg_output tg_batch_output(tg_output output, tg_index batch, tg_index *shape) {
    if (!batch) return output;
    shape[0] = batch;
    if (output.ndim) memcpy(shape + 1, output.shape, (size_t)output.ndim * sizeof *shape);
    return (tg_output){output.dtype, output.ndim + 1, shape};
}

tg_status tg_batch_align(tg_array *array, int ndim, tg_array **out) {
    const int missing = ndim - array->ndim;
    if (missing <= 0) {
        tg_array_retain(array);
        *out = array;
        return TG_OK;
    }
    tg_index shape[TG_MAX_DIMS], strides[TG_MAX_DIMS];
    shape[0] = tg_array_shape(array)[0];
    strides[0] = tg_array_strides(array)[0];
    for (int d = 1; d <= missing; d++) {
        shape[d] = 1;
        strides[d] = 0;
    }
    for (int d = 1; d < array->ndim; d++) {
        shape[d + missing] = tg_array_shape(array)[d];
        strides[d + missing] = tg_array_strides(array)[d];
    }
    return tg_array_view(array, array->dtype, ndim, shape, strides, array->data, out);
}

bool tg_batch_is_computed(const tg_op_info *info, int k) {
    return info->needs[k] && strlen(info->partial[k]) > 1 && strcmp(info->partial[k], "out") != 0;
}

/* *out: partial k on its own, in the shape of the node's output; owned by the caller. */
static tg_status partial_value(const tg_loops *loops, tg_workspace *workspace, const tg_use *use, int k,
                               tg_value *out) {
    tg_value one = {.array = NULL, .dtype = use->dtype};
    if (use->dtype == TG_F64) {
        one.scalar.f64 = 1.0;
    } else {
        one.scalar.f32 = 1.0f;
    }
    tg_use alone = *use;
    alone.g = &one;
    *out = (tg_value){.array = NULL, .dtype = use->dtype};
    tg_status status = TG_OK;
    if (use->ndim) status = tg_array_new(workspace->pool, use->dtype, use->ndim, use->shape, &out->array);
    if (status != TG_OK) return status;
    status = tg_elementwise_vjp(loops, workspace, &alone, k, out, true);
    if (status != TG_OK) tg_array_release(out->array);
    return status;
}

/* tg_batch_carry for a batch: both sides get the rank of the batched output. */
static tg_status carry_aligned(const tg_loops *loops, tg_workspace *workspace, const tg_use *use, int k,
                               const tg_value *source, tg_value *target, bool fresh) {
    tg_array *from = NULL, *to = NULL;
    tg_status status = tg_batch_align(source->array, use->ndim, &from);
    if (status == TG_OK) status = tg_batch_align(target->array, use->ndim, &to);
    if (status == TG_OK) {
        const tg_value g = {.array = from, .dtype = use->dtype};
        tg_value adjoint = {.array = to, .dtype = use->dtype};
        tg_use aligned = *use;
        aligned.g = &g;
        status = tg_elementwise_vjp(loops, workspace, &aligned, k, &adjoint, fresh);
    }
    tg_array_release(from);
    tg_array_release(to);
    return status;
}

tg_status tg_batch_carry(const tg_loops *loops, tg_workspace *workspace, const tg_use *use, int k, tg_index batch,
                         const tg_value *source, tg_value *target, bool fresh) {
    tg_use stacked = *use;
    if (!batch) {
        stacked.g = source;
        return tg_elementwise_vjp(loops, workspace, &stacked, k, target, fresh);
    }
    tg_index shape[TG_MAX_DIMS];
    const tg_output output = tg_batch_output((tg_output){use->dtype, use->ndim, use->shape}, batch, shape);
    stacked.ndim = output.ndim;
    stacked.shape = output.shape;
    if (!tg_batch_is_computed(&tg_op_table[use->op], k)) {
        return carry_aligned(loops, workspace, &stacked, k, source, target, fresh);
    }
    tg_value partial;
    tg_status status = partial_value(loops, workspace, use, k, &partial);
    if (status != TG_OK) return status;
    tg_use product = {.op = TG_OP_MULTIPLY, .dtype = use->dtype, .ndim = output.ndim, .shape = output.shape};
    product.saved[1] = partial;
    status = carry_aligned(loops, workspace, &product, 0, source, target, fresh);
    tg_array_release(partial.array);
    return status;
}

static bool is_infinite(const tg_value *value) {
    const tg_array *array = value->array;
    const tg_index itemsize = (tg_index)tg_itemsize(value->dtype);
    if (!array) return tg_scan(value->dtype, &value->scalar, itemsize, 1) & TG_SOME_INFINITE;
    if (array->contiguous) return tg_scan(value->dtype, array->data, itemsize, array->size) & TG_SOME_INFINITE;
    if (array->size == 0) return false;
    tg_iterator walk;
    tg_iterator_init(&walk, array->ndim, tg_array_shape(array));
    tg_iterator_add_array(&walk, array);
    tg_iterator_coalesce(&walk);
    unsigned found = 0;
    do {
        found |= tg_scan(value->dtype, walk.data[0], tg_iterator_step(&walk, 0), tg_iterator_run(&walk));
    } while (!(found & TG_SOME_INFINITE) && tg_iterator_next(&walk));
    return found & TG_SOME_INFINITE;
}

/* *out: a bool array, or number, that says where a value is not zero; owned by the caller. */
static tg_status nonzero(tg_pool *pool, const tg_value *value, tg_value *out) {
    *out = (tg_value){.array = NULL, .dtype = TG_BOOL};
    if (value->array) {
        tg_status status = tg_array_new(pool, TG_BOOL, value->array->ndim, tg_array_shape(value->array), &out->array);
        if (status != TG_OK) return status;
    }
    const void *data = value->array ? (const void *)value->array->data : (const void *)&value->scalar;
    bool *test = out->array ? (bool *)(void *)out->array->data : &out->scalar.b;
    const tg_index size = tg_value_size(value);
    for (tg_index i = 0; i < size; i++) {
        test[i] = value->dtype == TG_F64 ? ((const double *)data)[i] != 0.0 : ((const float *)data)[i] != 0.0f;
    }
    return TG_OK;
}

tg_status tg_batch_tame(const tg_loops *loops, tg_workspace *workspace, const tg_use *use, int k, tg_index batch,
                        const tg_value *tangent, tg_value *out) {
    *out = *tangent;
    if (!is_infinite(tangent)) {
        if (out->array) tg_array_retain(out->array);
        return TG_OK;
    }
    tg_value partial, test;
    tg_status status = partial_value(loops, workspace, use, k, &partial);
    if (status != TG_OK) return status;
    status = nonzero(workspace->pool, &partial, &test);
    tg_array_release(partial.array);
    if (status != TG_OK) return status;
    const tg_index kept = 0;
    tg_call mask = {.op = TG_MASK, .dtype = use->dtype, .ndim = use->ndim, .params = &kept, .params_count = 1};
    if (use->ndim) memcpy(mask.shape, use->shape, (size_t)use->ndim * sizeof *mask.shape);
    const tg_value operands[2] = {*tangent, test};
    status = tg_batch_apply(loops, workspace, &mask, batch, 0, operands, out);
    tg_array_release(test.array);
    return status;
}

/* --- structural calls --------------------------------------------------------------------------------------------- */

/* The shape of a reduction of (batch, shape...) whose axes stay. */
static int kept_shape(const tg_array *whole, uint64_t mask, tg_index *shape) {
    for (int d = 0; d < whole->ndim; d++) shape[d] = d && mask >> (d - 1) & 1 ? 1 : tg_array_shape(whole)[d];
    return whole->ndim;
}

/* *array, in and out: in another shape; the reference is replaced. */
static tg_status reshaped(const tg_loops *loops, tg_workspace *workspace, int ndim, const tg_index *shape,
                          tg_array **array) {
    tg_call call = {.op = TG_RESHAPE, .dtype = (*array)->dtype, .ndim = ndim};
    memcpy(call.shape, shape, (size_t)ndim * sizeof *shape);
    const tg_value from = {.array = *array, .dtype = (*array)->dtype};
    tg_value to;
    tg_status status = tg_structural_apply(loops, workspace, &call, &from, &to);
    tg_array_release(*array);
    *array = status == TG_OK ? to.array : NULL;
    return status;
}

void tg_batch_call(tg_call *call, tg_index batch, tg_index *storage) {
    for (int d = call->ndim; d > 0; d--) call->shape[d] = call->shape[d - 1];
    call->shape[0] = batch;
    call->ndim++;
    const tg_index *params = call->params;
    const int count = call->params_count;
    call->params = storage;
    switch ((tg_structural_op)call->op) {
    case TG_PERMUTE:
        storage[0] = 0;
        for (int d = 0; d < count; d++) storage[d + 1] = params[d] + 1;
        call->params_count = count + 1;
        break;
    case TG_SLICE:
    case TG_UNSLICE:
        storage[0] = 0;
        storage[1] = 1;
        storage[2] = batch;
        memcpy(storage + 3, params, (size_t)count * sizeof *params);
        call->params_count = count + 3;
        break;
    case TG_SUM:
    case TG_EXPAND: storage[0] = (tg_index)((uint64_t)params[0] << 1); break;
    case TG_TAKE:
    case TG_SCATTER_ADD:
        storage[0] = params[0] + 1;
        call->params_count = 1;
        break;
    default: call->params = params; break;
    }
}

/* Stacked products with one matrix are a single product where the stack's rows can be laid under each other. */
static tg_status matmul(const tg_loops *loops, tg_workspace *workspace, const tg_call *call, tg_index batch,
                        int stacked, const tg_value *operands, tg_value *out) {
    const tg_array *x = operands[stacked].array, *other = operands[1 - stacked].array;
    const bool x_transposed = call->params[0] & (1 << stacked), other_transposed = call->params[0] & (2 >> stacked);
    tg_call product = *call;
    tg_index flags = call->params[0];
    tg_value given[2] = {operands[0], operands[1]};
    tg_array *rows = NULL;
    const tg_index n = call->shape[call->ndim - 2], m = call->shape[call->ndim - 1];
    const bool flat = call->ndim == 2 && other->ndim == 2 && x->ndim == 3;
    const bool one = (stacked ? m : n) == 1; /* each matrix of the stack is a single row or column */
    if (flat && (one || (!stacked && !x_transposed))) {
        const tg_index inner = tg_array_shape(x)[stacked != x_transposed ? 1 : 2];
        const tg_index shape[2] = {one ? batch : batch * n, inner};
        rows = operands[stacked].array;
        tg_array_retain(rows);
        tg_status status = reshaped(loops, workspace, 2, shape, &rows);
        if (status != TG_OK) return status;
        given[0] = (tg_value){.array = rows, .dtype = rows->dtype};
        given[1] = operands[1 - stacked];
        flags = (stacked ? !other_transposed : other_transposed) ? 2 : 0;
        product.shape[0] = shape[0];
        product.shape[1] = stacked ? n : m;
    } else {
        tg_index unused[1];
        tg_batch_call(&product, batch, unused);
        tg_status status = tg_batch_align(operands[stacked].array, product.ndim, &rows);
        if (status != TG_OK) return status;
        given[stacked].array = rows;
    }
    product.params = &flags;
    tg_status status = tg_structural_apply(loops, workspace, &product, given, out);
    tg_array_release(rows);
    if (status != TG_OK || product.ndim > 2) return status;
    const tg_index shape[3] = {batch, n, m};
    return reshaped(loops, workspace, 3, shape, &out->array);
}

static tg_status sum(const tg_loops *loops, tg_workspace *workspace, const tg_call *call, tg_index batch,
                     const tg_value *operands, tg_value *out) {
    tg_index shape[TG_MAX_DIMS];
    const tg_output result = tg_batch_output((tg_output){call->dtype, call->ndim, call->shape}, batch, shape);
    const tg_index mask = (tg_index)((uint64_t)call->params[0] << 1);
    tg_call kept = {.op = TG_SUM, .dtype = call->dtype, .params = &mask, .params_count = 1};
    kept.ndim = kept_shape(operands[0].array, (uint64_t)call->params[0], kept.shape);
    tg_status status = tg_structural_apply(loops, workspace, &kept, operands, out);
    if (status != TG_OK) return status;
    return reshaped(loops, workspace, result.ndim, result.shape, &out->array);
}

/* The operand's axes are missing, or its first ones are: all are put in with size one. */
static tg_status expand(const tg_loops *loops, tg_workspace *workspace, const tg_call *call, tg_index batch,
                        const tg_value *operands, tg_value *out) {
    tg_index shape[TG_MAX_DIMS], storage[1];
    tg_call stacked = *call;
    tg_batch_call(&stacked, batch, storage);
    for (int d = 0; d < stacked.ndim; d++) shape[d] = storage[0] >> d & 1 ? 1 : stacked.shape[d];
    tg_array *small = operands[0].array;
    tg_array_retain(small);
    tg_status status = reshaped(loops, workspace, stacked.ndim, shape, &small);
    if (status != TG_OK) return status;
    const tg_value from = {.array = small, .dtype = small->dtype};
    status = tg_structural_apply(loops, workspace, &stacked, &from, out);
    tg_array_release(small);
    return status;
}

tg_status tg_batch_apply(const tg_loops *loops, tg_workspace *workspace, const tg_call *call, tg_index batch,
                         int stacked, const tg_value *operands, tg_value *out) {
    if (!batch) return tg_structural_apply(loops, workspace, call, operands, out);
    switch ((tg_structural_op)call->op) {
    case TG_SUM: return sum(loops, workspace, call, batch, operands, out);
    case TG_EXPAND: return expand(loops, workspace, call, batch, operands, out);
    case TG_MATMUL: return matmul(loops, workspace, call, batch, stacked, operands, out);
    default: break;
    }
    tg_index storage[3 * TG_MAX_DIMS + 3];
    tg_call whole = *call;
    tg_batch_call(&whole, batch, storage);
    if (call->op != TG_MASK) return tg_structural_apply(loops, workspace, &whole, operands, out);
    tg_value aligned[2] = {operands[0], operands[1]};
    tg_status status = tg_batch_align(operands[0].array, whole.ndim, &aligned[0].array);
    if (status != TG_OK) return status;
    status = tg_structural_apply(loops, workspace, &whole, aligned, out);
    tg_array_release(aligned[0].array);
    return status;
}
