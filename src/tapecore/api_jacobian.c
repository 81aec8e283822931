/* api_jacobian.c: Jacobians, by rows through a sweep or by columns through a push, in chunks. */
#include <string.h>

#include "api.h"

/* Elements of a stacked cotangent that stay in the cache while the sweep passes. */
#define CHUNK_ELEMENTS ((tg_index)1 << 15)

static tg_index chunk_of(const tapegrad_tape *tape, const tapegrad_value *like, tg_index all) {
    const tg_index typical = tape->tape.nodes ? tape->tape.work / (tg_index)tape->tape.nodes : 0;
    tg_index size = tg_value_size(&like->value);
    if (size < typical) size = typical;
    const tg_index rows = CHUNK_ELEMENTS / (size ? size : 1);
    return rows < 1 ? 1 : rows < all ? rows : all;
}

/* The unit vectors number `start` to `start + count` of a value's shape and type, stacked along a new first axis. */
static tapegrad_value *units(const tapegrad_value *like, tg_index start, tg_index count) {
    const int ndim = tg_value_ndim(&like->value);
    const tg_index size = tg_value_size(&like->value);
    tg_index shape[TG_MAX_DIMS];
    void *data;
    shape[0] = count;
    if (ndim) memcpy(shape + 1, tg_value_shape(&like->value), (size_t)ndim * sizeof *shape);
    tapegrad_value *stack = tapegrad_empty(like->context, like->value.dtype, ndim + 1, shape, &data);
    if (!stack) return NULL;
    memset(data, 0, (size_t)(count * size) * tg_itemsize(like->value.dtype));
    for (tg_index i = 0; i < count; i++) {
        if (like->value.dtype == TG_F64) {
            ((double *)data)[i * size + start + i] = 1;
        } else {
            ((float *)data)[i * size + start + i] = 1;
        }
    }
    return stack;
}

/* A Jacobian of zeros, which chunks without a dependence leave as they are: the target's shape, then the source's. */
static tapegrad_value *new_jacobian(const tapegrad_value *target, const tapegrad_value *source) {
    const int rows = tg_value_ndim(&target->value), columns = tg_value_ndim(&source->value);
    tg_index shape[2 * TG_MAX_DIMS];
    void *elements;
    if (rows) memcpy(shape, tg_value_shape(&target->value), (size_t)rows * sizeof *shape);
    if (columns) memcpy(shape + rows, tg_value_shape(&source->value), (size_t)columns * sizeof *shape);
    tapegrad_value *whole = tapegrad_empty(target->context, source->value.dtype, rows + columns, shape, &elements);
    if (whole) memset(elements, 0, (size_t)tg_value_size(&whole->value) * tg_itemsize(whole->value.dtype));
    return whole;
}

/* Row blocks from `gradients`, which have the rows in front, to their place in the Jacobians. */
static tapegrad_status put_rows(const tapegrad_value *target, tg_index start, int count, tapegrad_value *const *sources,
                                tapegrad_value **gradients, tapegrad_value **jacobians) {
    for (int k = 0; k < count; k++) {
        if (!gradients[k]) continue;
        if (!jacobians[k]) jacobians[k] = new_jacobian(target, sources[k]);
        if (!jacobians[k]) return tapegrad_error_status();
        const size_t itemsize = tg_itemsize(jacobians[k]->value.dtype);
        const size_t bytes = (size_t)tg_value_size(&gradients[k]->value) * itemsize;
        char *data = tg_elements(jacobians[k]);
        tapegrad_read(gradients[k], data + (size_t)(start * tg_value_size(&sources[k]->value)) * itemsize, bytes);
    }
    return TAPEGRAD_OK;
}

static tapegrad_status by_rows(tapegrad_tape *tape, tapegrad_value *target, int count, tapegrad_value *const *sources,
                               tapegrad_value **gradients, tapegrad_value **jacobians) {
    const tg_index rows = tg_value_size(&target->value), chunk = chunk_of(tape, target, rows);
    tapegrad_status status = TAPEGRAD_OK;
    for (tg_index start = 0; start < rows && status == TAPEGRAD_OK; start += chunk) {
        const tg_index size = start + chunk < rows ? chunk : rows - start;
        tapegrad_value *seeds = units(target, start, size);
        if (!seeds) return tapegrad_error_status();
        status = tg_pull(tape, size, 1, &target, &seeds, count, sources, false, gradients);
        if (status == TAPEGRAD_OK) status = put_rows(target, start, count, sources, gradients, jacobians);
        for (int k = 0; k < count; k++) tapegrad_release(gradients[k]);
        tapegrad_release(seeds);
    }
    return status;
}

/* With respect to one source. */
static tapegrad_status by_columns(tapegrad_tape *tape, tapegrad_value *target, tapegrad_value *source,
                                  tapegrad_value **jacobian) {
    const tg_index rows = tg_value_size(&target->value), columns = tg_value_size(&source->value);
    const tg_index chunk = chunk_of(tape, source, columns);
    const size_t itemsize = tg_itemsize(target->value.dtype);
    for (tg_index start = 0; start < columns; start += chunk) {
        const tg_index size = start + chunk < columns ? chunk : columns - start;
        tapegrad_value *seeds = units(source, start, size), *found;
        if (!seeds) return tapegrad_error_status();
        tapegrad_status status = tg_push_forward(tape, size, 1, &source, &seeds, 1, &target, &found);
        tapegrad_release(seeds);
        if (status != TAPEGRAD_OK) return status;
        if (!found) continue;
        if (!*jacobian) *jacobian = new_jacobian(target, source);
        tg_array *packed = NULL;
        status = *jacobian ? TAPEGRAD_OK : tapegrad_error_status();
        if (status == TAPEGRAD_OK) {
            status = tg_fail_core(tg_array_contiguous(found->value.array, &packed), "tapegrad_jacobian");
        }
        if (status == TAPEGRAD_OK) {
            char *data = tg_elements(*jacobian);
            const tg_index shape[2] = {size, rows};
            const tg_index strides[2] = {(tg_index)itemsize, columns * (tg_index)itemsize};
            tg_unpack(packed->data, itemsize, 2, shape, strides, data + (size_t)start * itemsize);
        }
        tg_array_release(packed);
        tapegrad_release(found);
        if (status != TAPEGRAD_OK) return status;
    }
    return TAPEGRAD_OK;
}

/* Whether there are fewer columns than rows, and a push gives them in the right type. */
static bool prefers_columns(const tapegrad_value *target, int count, tapegrad_value *const *sources) {
    tg_index columns = 0;
    for (int k = 0; k < count; k++) {
        if (sources[k]->value.dtype != target->value.dtype) return false;
        columns += tg_value_size(&sources[k]->value);
    }
    return columns < tg_value_size(&target->value);
}

static tapegrad_status all_jacobians(tapegrad_tape *tape, tapegrad_value *target, int count,
                                     tapegrad_value *const *sources, tapegrad_value **jacobians) {
    tapegrad_status status = TAPEGRAD_NO_RULE;
    if (prefers_columns(target, count, sources)) {
        status = TAPEGRAD_OK;
        for (int k = 0; k < count && status == TAPEGRAD_OK; k++) {
            status = by_columns(tape, target, sources[k], &jacobians[k]);
        }
        if (status != TAPEGRAD_OK) tg_release_all(count, jacobians);
    }
    if (status != TAPEGRAD_NO_RULE) return status;
    /* More columns than rows, or an op that has no jvp. */
    size_t bytes;
    tg_pool *pool = tape->context->pool;
    tapegrad_value **gradients = tg_pool_take(pool, (size_t)count * sizeof *gradients, &bytes);
    if (!gradients) return tg_fail_core(TG_NO_MEMORY, "tapegrad_jacobian");
    status = by_rows(tape, target, count, sources, gradients, jacobians);
    tg_pool_give(pool, gradients, bytes);
    if (status != TAPEGRAD_OK) tg_release_all(count, jacobians);
    return status;
}

tapegrad_status tapegrad_jacobian(tapegrad_tape *tape, tapegrad_value *target, int sources_count,
                                  tapegrad_value *const *sources, tapegrad_value **jacobians) {
    for (int k = 0; k < sources_count; k++) jacobians[k] = NULL;
    if (!target || !tg_values_usable(sources_count, sources)) return tapegrad_error_status();
    if (!tg_dtype_is_native(target->value.dtype)) {
        return tg_fail(TAPEGRAD_BAD_DTYPE, "tapegrad_jacobian: the target is %s, not float32 or float64",
                       tg_dtype_name(target->value.dtype));
    }
    for (int k = 0; k < sources_count; k++) {
        if (tg_value_ndim(&target->value) + tg_value_ndim(&sources[k]->value) >= TG_MAX_DIMS) {
            return tg_fail_core(TG_TOO_LARGE, "tapegrad_jacobian");
        }
    }
    tapegrad_status status = tg_check_outer(tape, 0, NULL);
    if (status == TAPEGRAD_OK) status = tg_tape_open(tape);
    if (status != TAPEGRAD_OK) return status;
    status = all_jacobians(tape, target, sources_count, sources, jacobians);
    tg_tape_close(tape);
    return status;
}
