/* adjoint.c: adding cotangents to the adjoints of a sweep, and reading them. */
#include <string.h>

#include "sweep.h"

static void add_number(tg_cell *cell, const tg_value *number) {
    if (number->dtype == TG_F64) {
        cell->f64 += number->scalar.f64;
    } else {
        cell->f32 += number->scalar.f32;
    }
}

/* Makes the contribution fit the slot: shape by summing over broadcast dimensions, then type. */
static tg_status fit(tg_sweep *sweep, tg_output output, tg_value *value) {
    tg_workspace *workspace = &sweep->workspace;
    if (!tg_same_shape(output.ndim, output.shape, tg_value_ndim(value), tg_value_shape(value))) {
        tg_value summed = {.array = NULL, .dtype = value->dtype};
        tg_status status = TG_OK;
        if (output.ndim) status = tg_array_new(workspace->pool, value->dtype, output.ndim, output.shape, &summed.array);
        if (status == TG_OK && sweep->batch) {
            tg_value aligned = {.array = NULL, .dtype = value->dtype};
            status = tg_batch_align(summed.array, value->array->ndim, &aligned.array);
            if (status == TG_OK) status = tg_sum_to(sweep->loops, workspace, value, &aligned, true);
            tg_array_release(aligned.array);
        } else if (status == TG_OK) {
            status = tg_sum_to(sweep->loops, workspace, value, &summed, true);
        }
        tg_array_release(value->array);
        *value = summed;
        if (status != TG_OK) return status;
    }
    if (value->dtype != output.dtype) {
        tg_call call = {.op = TG_CAST, .dtype = output.dtype, .ndim = output.ndim};
        if (output.ndim) memcpy(call.shape, output.shape, (size_t)output.ndim * sizeof *call.shape);
        tg_value converted;
        tg_status status = tg_structural_apply(sweep->loops, workspace, &call, value, &converted);
        if (status != TG_OK) return status;
        tg_array_release(value->array);
        *value = converted;
    }
    return TG_OK;
}

/* *array += contribution, in place if nobody else sees the array. */
static tg_status accumulate(tg_sweep *sweep, tg_array **array, const tg_value *contribution) {
    tg_value operands[2] = {{.array = *array, .dtype = contribution->dtype}, *contribution};
    if (tg_array_is_unique(*array)) {
        return tg_sum_to(sweep->loops, &sweep->workspace, contribution, &operands[0], false);
    }
    tg_value sum;
    tg_status status =
        tg_elementwise(sweep->loops, sweep->workspace.pool, TG_OP_ADD, contribution->dtype, operands, &sum);
    if (status == TG_OK) {
        tg_array_release(*array);
        *array = sum.array;
    }
    return status;
}

static tg_status add_generic(tg_sweep *sweep, tg_cell *cell, tg_value *contribution) {
    tg_value sum = *contribution;
    if (cell->array) {
        tg_value old = {.array = cell->array, .dtype = cell->array->dtype};
        tg_status status = sweep->hooks.add(sweep->hooks.context, &old, contribution, &sum);
        tg_array_release(contribution->array);
        if (status != TG_OK) return status;
        tg_array_release(cell->array);
    }
    cell->array = NULL;
    tg_status status = tg_value_to_array(&sum, sweep->workspace.pool, &cell->array);
    tg_array_release(sum.array);
    return status;
}

tg_status tg_sweep_add(tg_sweep *sweep, uint32_t slot, tg_value *contribution) {
    tg_sweep_reach(sweep, slot);
    tg_index shape[TG_MAX_DIMS];
    tg_output output = tg_tape_output(sweep->tape, slot);
    tg_cell *cell = tg_sweep_cell(sweep, slot);
    if (!tg_batch_fits(output, sweep->batch)) {
        tg_array_release(contribution->array);
        return TG_TOO_LARGE;
    }
    output = tg_batch_output(output, sweep->batch, shape);
    if (!tg_dtype_is_native(output.dtype)) return add_generic(sweep, cell, contribution);
    tg_status status = fit(sweep, output, contribution);
    if (status == TG_OK && output.ndim == 0) {
        add_number(cell, contribution);
        return TG_OK;
    }
    if (status == TG_OK && !cell->array) {
        cell->array = contribution->array;
        return TG_OK;
    }
    if (status == TG_OK) status = accumulate(sweep, &cell->array, contribution);
    tg_array_release(contribution->array);
    return status;
}

/* One number seen as an array: the kernels recognise it, and no memory is filled. */
static tg_status repeated(tg_pool *pool, tg_output output, const tg_value *number, tg_array **out) {
    static const tg_index no_strides[TG_MAX_DIMS];
    tg_array *single;
    tg_status status = tg_value_to_array(number, pool, &single);
    if (status != TG_OK) return status;
    status = tg_array_view(single, output.dtype, output.ndim, output.shape, no_strides, single->data, out);
    tg_array_release(single);
    return status;
}

/* A short array filled with a number: cheaper than the view, and it can be overwritten. */
static tg_status filled(tg_pool *pool, tg_output output, const tg_value *number, tg_array **out) {
    tg_status status = tg_array_new(pool, output.dtype, output.ndim, output.shape, out);
    if (status != TG_OK) return status;
    if (output.dtype == TG_F64) {
        for (tg_index i = 0; i < (*out)->size; i++) ((double *)(void *)(*out)->data)[i] = number->scalar.f64;
    } else {
        for (tg_index i = 0; i < (*out)->size; i++) ((float *)(void *)(*out)->data)[i] = number->scalar.f32;
    }
    return TG_OK;
}

tg_status tg_sweep_add_ones(tg_sweep *sweep, uint32_t slot) {
    tg_output output = tg_tape_output(sweep->tape, slot);
    tg_value one = {.array = NULL, .dtype = output.dtype};
    if (output.dtype == TG_F64) {
        one.scalar.f64 = 1.0;
    } else {
        one.scalar.f32 = 1.0f;
    }
    if (output.ndim) {
        tg_pool *pool = sweep->workspace.pool;
        const bool is_short = output.ndim == 1 && output.shape[0] <= TG_BLOCK;
        tg_array *ones;
        tg_status status = (is_short ? filled : repeated)(pool, output, &one, &ones);
        if (status != TG_OK) return status;
        one.array = ones;
    }
    return tg_sweep_add(sweep, slot, &one);
}

bool tg_sweep_peek(const tg_sweep *sweep, uint32_t slot, tg_value *out) {
    tg_output output = tg_tape_output(sweep->tape, slot);
    const tg_cell *cell = tg_sweep_cell(sweep, slot);
    *out = (tg_value){.array = NULL, .dtype = output.dtype};
    if (tg_sweep_holds_number(sweep, output)) {
        out->scalar.f64 = cell->f64;
        return true;
    }
    if (!cell->array) return false;
    if (cell->array->ndim == 0) {
        memcpy(&out->scalar, cell->array->data, tg_itemsize(output.dtype));
    } else {
        out->array = cell->array;
    }
    return true;
}

bool tg_sweep_take(tg_sweep *sweep, uint32_t slot, tg_value *out) {
    if (!tg_sweep_peek(sweep, slot, out)) return false;
    if (out->array) tg_array_retain(out->array); /* a source asked for twice is taken twice */
    return true;
}
