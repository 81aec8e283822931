/* iterate.c: broadcasting, merging of dimensions, and the odometer over the outer ones. */
#include "iterate.h"

#include <string.h>

void tg_iterator_init(tg_iterator *iterator, int ndim, const tg_index *shape) {
    iterator->ndim = ndim;
    iterator->participants = 0;
    if (ndim) memcpy(iterator->shape, shape, (size_t)ndim * sizeof *shape);
}

void tg_iterator_add(tg_iterator *iterator, char *data, int ndim, const tg_index *shape, const tg_index *strides) {
    int participant = iterator->participants++;
    int missing = iterator->ndim - ndim;
    tg_index *own = iterator->strides[participant];
    for (int d = 0; d < missing; d++) own[d] = 0;
    for (int d = 0; d < ndim; d++) own[missing + d] = shape[d] == 1 ? 0 : strides[d];
    iterator->data[participant] = data;
}

void tg_iterator_add_array(tg_iterator *iterator, const tg_array *array) {
    tg_iterator_add(iterator, array->data, array->ndim, tg_array_shape(array), tg_array_strides(array));
}

void tg_iterator_add_scalar(tg_iterator *iterator, void *data) { tg_iterator_add(iterator, data, 0, NULL, NULL); }

void tg_iterator_add_value(tg_iterator *iterator, const tg_value *value) {
    if (value->array) {
        tg_iterator_add_array(iterator, value->array);
    } else {
        tg_iterator_add_scalar(iterator, (void *)(uintptr_t)&value->scalar);
    }
}

static bool mergeable(const tg_iterator *iterator, int outer, int inner) {
    for (int p = 0; p < iterator->participants; p++) {
        if (iterator->strides[p][outer] != iterator->strides[p][inner] * iterator->shape[inner]) return false;
    }
    return true;
}

void tg_iterator_coalesce(tg_iterator *iterator) {
    int kept = 0;
    for (int d = 0; d < iterator->ndim; d++) {
        if (iterator->shape[d] == 1) continue;
        bool merge = kept && mergeable(iterator, kept - 1, d);
        int target = merge ? kept - 1 : kept++;
        iterator->shape[target] = merge ? iterator->shape[target] * iterator->shape[d] : iterator->shape[d];
        for (int p = 0; p < iterator->participants; p++) iterator->strides[p][target] = iterator->strides[p][d];
    }
    if (!kept) {
        iterator->shape[0] = 1;
        for (int p = 0; p < iterator->participants; p++) iterator->strides[p][0] = 0;
        kept = 1;
    }
    iterator->ndim = kept;
    memset(iterator->counter, 0, (size_t)kept * sizeof *iterator->counter);
}

bool tg_iterator_next(tg_iterator *iterator) {
    for (int d = iterator->ndim - 2; d >= 0; d--) {
        if (++iterator->counter[d] < iterator->shape[d]) {
            for (int p = 0; p < iterator->participants; p++) iterator->data[p] += iterator->strides[p][d];
            return true;
        }
        iterator->counter[d] = 0;
        for (int p = 0; p < iterator->participants; p++) {
            iterator->data[p] -= iterator->strides[p][d] * (iterator->shape[d] - 1);
        }
    }
    return false;
}

tg_status tg_broadcast_shapes(int count, const tg_value *operands, int *ndim, tg_index *shape) {
    int most = 0;
    for (int i = 0; i < count; i++) {
        int own = tg_value_ndim(&operands[i]);
        if (own > most) most = own;
    }
    for (int d = 0; d < most; d++) shape[d] = 1;
    for (int i = 0; i < count; i++) {
        const tg_index *own = tg_value_shape(&operands[i]);
        int missing = most - tg_value_ndim(&operands[i]);
        for (int d = missing; d < most; d++) {
            tg_index size = own[d - missing];
            if (size == 1 || size == shape[d]) continue;
            if (shape[d] != 1) return TG_BAD_SHAPE;
            shape[d] = size;
        }
    }
    *ndim = most;
    return TG_OK;
}
