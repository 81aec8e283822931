/* structural.c: running structural operations on values. */
#include "structural.h"

#include <assert.h>
#include <string.h>

#include "copy.h"

#include "select.h"

/* Elements of a matrix that it costs nothing to copy before a product. */
#define SMALL_MATRIX 1024

/* Elements of the same order in another shape: a view if the source is contiguous, else a copy. */
static tg_status reshape(tg_pool *pool, const tg_call *call, tg_array *source, tg_array **out) {
    if (source->contiguous) {
        tg_index strides[TG_MAX_DIMS];
        tg_contiguous_strides(call->ndim, call->shape, tg_itemsize(source->dtype), strides);
        return tg_array_view(source, source->dtype, call->ndim, call->shape, strides, source->data, out);
    }
    tg_status status = tg_array_new(pool, source->dtype, call->ndim, call->shape, out);
    if (status == TG_OK) tg_array_pack(source, (*out)->data);
    return status;
}

static tg_status permute(const tg_call *call, tg_array *source, tg_array **out) {
    tg_index strides[TG_MAX_DIMS];
    for (int d = 0; d < call->ndim; d++) strides[d] = tg_array_strides(source)[call->params[d]];
    return tg_array_view(source, source->dtype, call->ndim, call->shape, strides, source->data, out);
}

/* The part of `whole` that SLICE's params describe: its first element, and the strides of the sliced axes in `strides`
 * (of the whole's rank). */
static char *sliced(const tg_array *whole, const tg_index *params, tg_index *strides) {
    char *data = whole->data;
    for (int d = 0; d < whole->ndim; d++) {
        tg_index own = tg_array_strides(whole)[d];
        if (params[3 * d + 2] > 0) data += params[3 * d] * own;
        strides[d] = params[3 * d + 1] * own;
    }
    return data;
}

tg_status tg_slice_view(const tg_call *call, tg_array *source, tg_array **out) {
    tg_index strides[TG_MAX_DIMS], kept[TG_MAX_DIMS];
    char *data = sliced(source, call->params, strides);
    /* An integer index drops an axis, None adds one; both have size one, so the others match in order. */
    int from = 0;
    for (int d = 0; d < call->ndim; d++) {
        kept[d] = 0;
        if (call->shape[d] == 1) continue;
        while (call->params[3 * from + 2] == 1) from++;
        kept[d] = strides[from++];
    }
    return tg_array_view(source, source->dtype, call->ndim, call->shape, kept, data, out);
}

static tg_status unslice(tg_pool *pool, const tg_call *call, tg_array *source, tg_array **out) {
    tg_array *packed;
    tg_status status = tg_array_contiguous(source, &packed);
    if (status != TG_OK) return status;
    status = tg_array_new(pool, source->dtype, call->ndim, call->shape, out);
    if (status == TG_OK) {
        size_t itemsize = tg_itemsize(source->dtype);
        memset((*out)->data, 0, (size_t)(*out)->size * itemsize);
        tg_index strides[TG_MAX_DIMS], counts[TG_MAX_DIMS];
        char *data = sliced(*out, call->params, strides);
        for (int d = 0; d < call->ndim; d++) counts[d] = call->params[3 * d + 2];
        if (packed->size) tg_unpack(packed->data, itemsize, call->ndim, counts, strides, data);
    }
    tg_array_release(packed);
    return status;
}

/* Reduced axes are missing from the small shape, or all kept with size one, or (broadcasting) the first ones missing
 * and the others kept. steps[d]: the small array's stride along axis d of the large one. */
static void aligned_strides(int ndim, uint64_t mask, const tg_array *small, tg_index *steps) {
    int reduced = __builtin_popcountll(mask);
    bool dropped = small->ndim == ndim - reduced;
    int from = 0;
    for (int d = 0; d < ndim; d++) {
        bool masked = mask >> d & 1;
        bool absent = dropped ? masked : d < ndim - small->ndim;
        steps[d] = masked ? 0 : tg_array_strides(small)[from];
        if (!absent) from++;
    }
}

static tg_status expand(const tg_call *call, tg_array *source, tg_array **out) {
    tg_index steps[TG_MAX_DIMS];
    aligned_strides(call->ndim, (uint64_t)call->params[0], source, steps);
    return tg_array_view(source, source->dtype, call->ndim, call->shape, steps, source->data, out);
}

/* The reduced axes of a contiguous array as (outer, reduced, inner) with one of outer, inner being 1; false where
 * they are not all leading or all trailing. */
static bool split_reduction(const tg_array *array, uint64_t mask, tg_index *outer, tg_index *reduced, tg_index *inner) {
    tg_index parts[3] = {1, 1, 1};
    int part = 0;
    for (int d = 0; d < array->ndim; d++) {
        bool masked = mask >> d & 1;
        if (masked && part == 0) part = 1;
        if (!masked && part == 1) part = 2;
        if (masked && part == 2) return false;
        parts[part] *= tg_array_shape(array)[d];
    }
    *outer = parts[0];
    *reduced = parts[1];
    *inner = parts[2];
    return *outer == 1 || *inner == 1;
}

bool tg_sum_agrees_with_numpy(const tg_array *array, uint64_t mask) {
    tg_index outer, reduced, inner;
    return array->contiguous && tg_dtype_is_native(array->dtype) &&
           split_reduction(array, mask, &outer, &reduced, &inner);
}

static void fill_negative_zero(tg_array *array) {
    /* The one number that changes nothing when added to, not even the sign of a zero. */
    if (array->dtype == TG_F64) {
        for (tg_index i = 0; i < array->size; i++) ((double *)(void *)array->data)[i] = -0.0;
    } else {
        for (tg_index i = 0; i < array->size; i++) ((float *)(void *)array->data)[i] = -0.0f;
    }
}

static tg_status sum(const tg_loops *loops, tg_workspace *workspace, const tg_call *call, tg_array *source,
                     tg_array **out) {
    tg_status status = tg_array_new(workspace->pool, source->dtype, call->ndim, call->shape, out);
    if (status != TG_OK) return status;
    tg_array *total = *out;
    uint64_t mask = (uint64_t)call->params[0];
    tg_index outer, reduced, inner, itemsize = (tg_index)tg_itemsize(source->dtype);
    if (source->size == 0) {
        memset(total->data, 0, (size_t)total->size * (size_t)itemsize);
    } else if (source->contiguous && split_reduction(source, mask, &outer, &reduced, &inner)) {
        const tg_loop add = loops->elementwise[TG_OP_ADD][tg_native_index(source->dtype)];
        fill_negative_zero(total);
        bool rows = inner == 1;
        tg_index calls = rows ? outer : reduced, run = rows ? reduced : inner;
        const tg_index step = rows ? 0 : itemsize;
        const tg_index steps[3] = {step, itemsize, step};
        for (tg_index i = 0; i < calls; i++) {
            char *target = total->data + (rows ? i * itemsize : 0);
            char *args[3] = {target, source->data + i * run * itemsize, target};
            add.function(args, &run, steps, add.data);
        }
    } else {
        /* Any other layout: the total, seen with the source's rank, is its un-broadcast. */
        tg_index steps[TG_MAX_DIMS], shape[TG_MAX_DIMS];
        aligned_strides(source->ndim, mask, total, steps);
        for (int d = 0; d < source->ndim; d++) shape[d] = mask >> d & 1 ? 1 : tg_array_shape(source)[d];
        tg_array *aligned;
        status = tg_array_view(total, total->dtype, source->ndim, shape, steps, total->data, &aligned);
        if (status == TG_OK) {
            tg_value from = {.array = source, .dtype = source->dtype};
            tg_value to = {.array = aligned, .dtype = source->dtype};
            status = tg_sum_to(loops, workspace, &from, &to, true);
            tg_array_release(aligned);
        }
        if (status != TG_OK) tg_array_release(total);
    }
    return status;
}

static tg_status cast(tg_pool *pool, const tg_call *call, tg_array *source, tg_array **out) {
    tg_array *packed;
    tg_status status = tg_array_contiguous(source, &packed);
    if (status != TG_OK) return status;
    status = tg_array_new(pool, call->dtype, call->ndim, call->shape, out);
    if (status == TG_OK) tg_convert(packed->data, source->dtype, (*out)->data, call->dtype, packed->size);
    tg_array_release(packed);
    return status;
}

tg_status tg_join(tg_array *whole, int axis, tg_index begin, const tg_value *part) {
    const size_t itemsize = tg_itemsize(whole->dtype);
    const tg_index *strides = tg_array_strides(whole);
    char *place = whole->data + begin * strides[axis];
    if (!part->array) {
        memcpy(place, &part->scalar, itemsize);
        return TG_OK;
    }
    if (part->array->size == 0) return TG_OK;
    tg_array *packed;
    tg_status status = tg_array_contiguous(part->array, &packed);
    if (status != TG_OK) return status;
    if (axis == 0 && whole->contiguous) {
        memcpy(place, packed->data, (size_t)packed->size * itemsize);
    } else {
        tg_index shape[TG_MAX_DIMS];
        memcpy(shape, tg_array_shape(whole), (size_t)whole->ndim * sizeof *shape);
        shape[axis] = packed->ndim < whole->ndim ? 1 : tg_array_shape(packed)[axis];
        tg_unpack(packed->data, itemsize, whole->ndim, shape, strides, place);
    }
    tg_array_release(packed);
    return TG_OK;
}

/* (outer, axis, inner) sizes around `axis` of a shape. */
static void around(int ndim, const tg_index *shape, tg_index axis, tg_index *outer, tg_index *inner) {
    *outer = *inner = 1;
    for (int d = 0; d < axis; d++) *outer *= shape[d];
    for (int d = (int)axis + 1; d < ndim; d++) *inner *= shape[d];
}

static tg_status take(tg_pool *pool, const tg_call *call, tg_array *source, const int64_t *indices, tg_index count,
                      tg_array **out) {
    tg_array *packed;
    tg_status status = tg_array_contiguous(source, &packed);
    if (status != TG_OK) return status;
    status = tg_array_new(pool, source->dtype, call->ndim, call->shape, out);
    if (status == TG_OK) {
        tg_index outer, inner, length = tg_array_shape(packed)[call->params[0]];
        around(packed->ndim, tg_array_shape(packed), call->params[0], &outer, &inner);
        size_t bytes = (size_t)inner * tg_itemsize(source->dtype);
        char *to = (*out)->data;
        for (tg_index o = 0; o < outer; o++) {
            const char *from = packed->data + (size_t)(o * length) * bytes;
            tg_copy_taken(bytes, indices, count, from, (tg_index)bytes, to);
            to += (size_t)count * bytes;
        }
    }
    tg_array_release(packed);
    return status;
}

static tg_status scatter_add(const tg_loops *loops, tg_pool *pool, const tg_call *call, tg_array *source,
                             const int64_t *indices, tg_index count, tg_array **out) {
    tg_array *packed;
    tg_status status = tg_array_contiguous(source, &packed);
    if (status != TG_OK) return status;
    status = tg_array_new(pool, source->dtype, call->ndim, call->shape, out);
    if (status == TG_OK) {
        const tg_index itemsize = (tg_index)tg_itemsize(source->dtype);
        const tg_loop add = loops->elementwise[TG_OP_ADD][tg_native_index(source->dtype)];
        const tg_index steps[3] = {itemsize, itemsize, itemsize};
        memset((*out)->data, 0, (size_t)((*out)->size * itemsize));
        tg_index outer, inner, length = call->shape[call->params[0]];
        around(call->ndim, call->shape, call->params[0], &outer, &inner);
        char *from = packed->data;
        for (tg_index o = 0; o < outer; o++) {
            char *row = (*out)->data + o * length * inner * itemsize;
            if (inner == 1 && source->dtype == TG_F64) { /* single numbers: adding is less work than the loop's call */
                const double *numbers = (const double *)(void *)from;
                for (tg_index i = 0; i < count; i++) ((double *)(void *)row)[indices[i]] += numbers[i];
                from += count * itemsize;
                continue;
            }
            for (tg_index i = 0; i < count; i++, from += inner * itemsize) {
                char *to = row + indices[i] * inner * itemsize;
                char *args[3] = {to, from, to};
                add.function(args, &inner, steps, add.data);
            }
        }
    }
    tg_array_release(packed);
    return status;
}

/* A transposed matrix that is small beside the other one, written out: for BLAS, tall products of such matrices are
 * several times quicker then. *packed, owned by the caller; NULL if it is not small. */
static tg_status pack_transposed(tg_array *matrix, tg_index other_size, tg_array **packed) {
    *packed = NULL;
    if (matrix->ndim != 2 || matrix->size > SMALL_MATRIX || other_size < 16 * matrix->size) return TG_OK;
    const tg_index *shape = tg_array_shape(matrix), *strides = tg_array_strides(matrix);
    const tg_index back[2] = {shape[1], shape[0]}, forth[2] = {strides[1], strides[0]};
    tg_array *view;
    tg_status status = tg_array_view(matrix, matrix->dtype, 2, back, forth, matrix->data, &view);
    if (status != TG_OK) return status;
    status = tg_array_contiguous(view, packed);
    tg_array_release(view);
    return status;
}

static tg_status matmul(const tg_loops *loops, tg_pool *pool, const tg_call *call, tg_array *a, tg_array *b,
                        tg_array **out) {
    tg_array *packed = NULL;
    tg_status status = TG_OK;
    if (call->params[0] & TG_MATMUL_FREE && call->params[0] & 2) status = pack_transposed(b, a->size, &packed);
    if (status == TG_OK) status = tg_array_new(pool, call->dtype, call->ndim, call->shape, out);
    if (status != TG_OK || (*out)->size == 0) {
        tg_array_release(packed);
        return status;
    }
    const tg_loop loop = loops->matmul[tg_native_index(call->dtype)];
    const tg_array *operand[3] = {a, packed ? packed : b, *out};
    const bool swapped[3] = {call->params[0] & 1, call->params[0] & 2 && !packed, false};
    tg_index core[3][2], steps[9];
    tg_iterator walk;
    tg_iterator_init(&walk, call->ndim - 2, call->shape);
    for (int i = 0; i < 3; i++) {
        int last = operand[i]->ndim - 1;
        const tg_index *shape = tg_array_shape(operand[i]), *strides = tg_array_strides(operand[i]);
        int rows = swapped[i] ? last : last - 1, columns = swapped[i] ? last - 1 : last;
        core[i][0] = shape[rows];
        core[i][1] = shape[columns];
        steps[3 + 2 * i] = strides[rows];
        steps[4 + 2 * i] = strides[columns];
        tg_iterator_add(&walk, operand[i]->data, last - 1, shape, strides);
    }
    tg_iterator_coalesce(&walk);
    const tg_index dims[4] = {tg_iterator_run(&walk), core[0][0], core[0][1], core[1][1]};
    for (int i = 0; i < 3; i++) steps[i] = tg_iterator_step(&walk, i);
    do {
        char *args[3] = {walk.data[0], walk.data[1], walk.data[2]};
        loop.function(args, dims, steps, loop.data);
    } while (tg_iterator_next(&walk));
    tg_array_release(packed);
    return TG_OK;
}

static tg_status apply_arrays(const tg_loops *loops, tg_workspace *workspace, const tg_call *call, tg_array *x,
                              tg_array *other, tg_array **out) {
    tg_pool *pool = workspace->pool;
    switch ((tg_structural_op)call->op) {
    case TG_RESHAPE: return reshape(pool, call, x, out);
    case TG_PERMUTE: return permute(call, x, out);
    case TG_SLICE: return tg_slice_view(call, x, out);
    case TG_UNSLICE: return unslice(pool, call, x, out);
    case TG_SUM: return sum(loops, workspace, call, x, out);
    case TG_EXPAND: return expand(call, x, out);
    case TG_CAST: return cast(pool, call, x, out);
    case TG_MASK: return tg_select_masked(pool, call, x, other, out);
    case TG_TAKE: return take(pool, call, x, (const int64_t *)(void *)other->data, other->size, out);
    case TG_SCATTER_ADD:
        return scatter_add(loops, pool, call, x, (const int64_t *)(void *)other->data, other->size, out);
    case TG_MATMUL: return matmul(loops, pool, call, x, other, out);
    default: assert(!"an operation without a native forward"); return TG_BAD_SHAPE;
    }
}

tg_status tg_structural_apply(const tg_loops *loops, tg_workspace *workspace, const tg_call *call,
                              const tg_value *operands, tg_value *out) {
    tg_array *x = NULL, *other = NULL, *result = NULL;
    bool binary = tg_structural_needs(call->op, 0) != 0;
    tg_status status = tg_value_to_array(&operands[0], workspace->pool, &x);
    if (status == TG_OK && binary) status = tg_value_to_array(&operands[1], workspace->pool, &other);
    if (status == TG_OK) status = apply_arrays(loops, workspace, call, x, other, &result);
    if (status == TG_OK) tg_value_from_array(result, out);
    tg_array_release(x);
    tg_array_release(other);
    return status;
}
