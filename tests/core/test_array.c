/* Arrays: construction, views, borrowing, lifetimes, copies between layouts, failing allocations, threads. */
#include "array.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static tg_pool *pool;

static tg_array *new_array(int dtype, int ndim, const tg_index *shape) {
    tg_array *array = NULL;
    CHECK_OK(tg_array_new(pool, dtype, ndim, shape, &array));
    return array;
}

static tg_array *new_view(tg_array *base, int ndim, const tg_index *shape, const tg_index *strides, char *data) {
    tg_array *view = NULL;
    CHECK_OK(tg_array_view(base, base->dtype, ndim, shape, strides, data, &view));
    return view;
}

static size_t live(void) { return tg_pool_statistics(pool).live; }

static void test_checked_size(void) {
    tg_index size = -1, huge = (tg_index)1 << (8 * sizeof(tg_index) - 3);
    CHECK(tg_checked_size(0, NULL, 8, &size) == TG_OK && size == 1);
    CHECK(tg_checked_size(3, (tg_index[]){2, 3, 4}, 8, &size) == TG_OK && size == 24);
    CHECK(tg_checked_size(2, (tg_index[]){huge, 3}, 1, &size) == TG_OK && size == 3 * huge);
    CHECK(tg_checked_size(2, (tg_index[]){huge, 4}, 1, &size) == TG_TOO_LARGE);
    CHECK(tg_checked_size(1, (tg_index[]){huge}, 4, &size) == TG_TOO_LARGE);
    CHECK(tg_checked_size(3, (tg_index[]){huge, huge, 0}, 8, &size) == TG_OK && size == 0);
}

static void test_new(void) {
    tg_array *array = new_array(TG_F64, 0, NULL);
    CHECK(array->ndim == 0 && array->size == 1 && array->contiguous && array->owned);
    memset(array->data, 0, 8);
    tg_array_release(array);

    tg_index shape[TG_MAX_DIMS + 1] = {2, 3, 4};
    array = new_array(TG_F32, 3, shape);
    CHECK(array->size == 24 && (uintptr_t)array->data % TG_ALIGNMENT == 0 && array->dtype == TG_F32);
    CHECK(tg_same_shape(3, tg_array_shape(array), 3, shape));
    CHECK(tg_same_shape(3, tg_array_strides(array), 3, (tg_index[]){48, 16, 4}));
    memset(array->data, 0, 96);
    tg_array_release(array);

    for (int i = 3; i <= TG_MAX_DIMS; i++) shape[i] = 1;
    array = new_array(TG_C128, TG_MAX_DIMS, shape);
    CHECK(array->ndim == TG_MAX_DIMS && array->size == 24 && (uintptr_t)array->data % TG_ALIGNMENT == 0);
    CHECK(tg_array_shape(array)[63] == 1 && tg_array_strides(array)[0] == 192 && tg_array_strides(array)[63] == 16);
    memset(array->data, 0, 24 * 16);
    tg_array_release(array);
    CHECK(tg_array_new(pool, TG_F64, TG_MAX_DIMS + 1, shape, &array) == TG_TOO_LARGE);

    array = new_array(TG_F64, 3, (tg_index[]){2, 0, 3});
    CHECK(array->size == 0 && array->contiguous && tg_array_strides(array)[0] == 24);
    tg_array_release(array);
    tg_index huge = (tg_index)1 << (8 * sizeof(tg_index) - 3);
    array = new_array(TG_F64, 3, (tg_index[]){huge, huge, 0});
    CHECK(array->size == 0);
    tg_array_release(array);
    CHECK(tg_array_new(pool, TG_F64, 2, (tg_index[]){huge, huge}, &array) == TG_TOO_LARGE);
    CHECK(tg_array_new(pool, TG_F64, 1, (tg_index[]){huge / 4}, &array) == TG_NO_MEMORY);
    CHECK(tg_array_new(pool, TG_BOOL, 1, (tg_index[]){INTPTR_MAX}, &array) == TG_NO_MEMORY);
    CHECK(live() == 0);
    tg_array_release(NULL);
}

static void test_views(void) {
    tg_array *base = new_array(TG_F64, 2, (tg_index[]){3, 4});
    CHECK(tg_array_is_unique(base));
    tg_array *transposed = new_view(base, 2, (tg_index[]){4, 3}, (tg_index[]){8, 32}, base->data);
    CHECK(!tg_array_is_unique(base) && !tg_array_is_unique(transposed) && !transposed->contiguous);
    tg_array *row = new_view(transposed, 1, (tg_index[]){4}, (tg_index[]){8}, base->data + 32);
    CHECK(row->contiguous && row->owner == base && row->size == 4);
    tg_array *deep = new_view(base, 6, (tg_index[]){1, 1, 3, 1, 4, 1}, (tg_index[]){0, 7, 32, 9, 8, 0}, base->data);
    CHECK(deep->contiguous); /* strides along dimensions of one element do not count */
    tg_array *spread = new_view(base, 2, (tg_index[]){5, 4}, (tg_index[]){0, 8}, base->data);
    CHECK(!spread->contiguous && spread->size == 20);
    tg_array *backwards = new_view(base, 1, (tg_index[]){4}, (tg_index[]){-8}, base->data + 24);
    CHECK(!backwards->contiguous);
    tg_array *nothing = new_view(base, 2, (tg_index[]){4, 0}, (tg_index[]){-8, 3}, base->data);
    CHECK(nothing->contiguous && nothing->size == 0);
    tg_index wide = (tg_index)1 << (8 * sizeof(tg_index) - 4);
    tg_array *refused = NULL;
    CHECK(tg_array_view(base, TG_F64, 2, (tg_index[]){wide, 4}, (tg_index[]){0, 0}, base->data, &refused) ==
          TG_TOO_LARGE);
    CHECK(refused == NULL);

    tg_array *views[] = {transposed, row, deep, spread, backwards, nothing};
    tg_array_release(base); /* the views keep it alive */
    memset(row->data, 1, 32);
    for (int i = 0; i < 5; i++) tg_array_release(views[i]);
    CHECK(atomic_load(&base->refs) == 1);
    tg_array_release(nothing);
    CHECK(live() == 0);
}

static void count_release(void *owner) { ++*(int *)owner; }

static void test_borrowing(void) {
    double memory[6] = {0, 1, 2, 3, 4, 5};
    int released = 0;
    tg_array *array = NULL;
    CHECK(tg_array_borrow(pool, TG_F64, TG_MAX_DIMS + 1, NULL, NULL, (char *)memory, count_release, &released,
                          &array) == TG_TOO_LARGE);
    CHECK(released == 0);
    CHECK_OK(tg_array_borrow(pool, TG_F64, 2, (tg_index[]){2, 3}, (tg_index[]){24, 8}, (char *)memory, count_release,
                             &released, &array));
    CHECK(array->contiguous && !array->owned && array->data == (char *)memory && !tg_array_is_unique(array));
    tg_array *column = new_view(array, 1, (tg_index[]){2}, (tg_index[]){24}, array->data + 8);
    tg_array *element = new_view(column, 0, NULL, NULL, column->data + 24);
    tg_array_retain(array);
    tg_array_release(array);
    tg_array_release(array);
    tg_array_release(column);
    CHECK(released == 0 && element->owner == array);
    double value;
    tg_array_pack(element, &value);
    CHECK(value == 4);
    tg_array_release(element);
    CHECK(released == 1 && live() == 0);
}

/* Random layouts against a copy by definition, element by element. */

typedef struct layout {
    int ndim;
    tg_index shape[5], strides[5];
    tg_index offset; /* from the beginning of the memory to the first element */
} layout;

static int below(int limit) { return rand() % limit; }

/* Sizes and steps in a random order of the dimensions, some reversed, some with gaps; optionally some of step zero. */
static layout random_layout(size_t itemsize, bool may_repeat) {
    layout made = {.ndim = below(6)};
    int order[5] = {0, 1, 2, 3, 4};
    tg_index step = (tg_index)itemsize;
    for (int i = 0; i < made.ndim; i++) {
        int other = i + below(made.ndim - i), dimension = order[other];
        order[other] = order[i];
        tg_index length = below(12) == 0 ? 40 : 1 + below(4);
        if (below(40) == 0) length = 0;
        if (below(4) == 0) step *= 2;
        made.shape[dimension] = length;
        made.strides[dimension] = step;
        if (may_repeat && below(5) == 0) {
            made.strides[dimension] = 0;
        } else if (length) {
            if (below(4) == 0) {
                made.strides[dimension] = -step;
                made.offset += (length - 1) * step;
            }
            step *= length;
        }
    }
    return made;
}

static tg_index bytes_spanned(const layout *of, size_t itemsize) {
    tg_index span = (tg_index)itemsize;
    for (int i = 0; i < of->ndim; i++) {
        tg_index step = of->strides[i] < 0 ? -of->strides[i] : of->strides[i];
        if (of->shape[i]) span += (of->shape[i] - 1) * step;
    }
    return span;
}

/* Offset of the element with this place in C order. */
static tg_index offset_of(const layout *of, tg_index place) {
    tg_index offset = of->offset;
    for (int i = of->ndim - 1; i >= 0; i--) {
        offset += place % of->shape[i] * of->strides[i];
        place /= of->shape[i];
    }
    return offset;
}

static void test_one_layout(int dtype) {
    size_t itemsize = tg_itemsize(dtype);
    layout from = random_layout(itemsize, true), to = random_layout(itemsize, false);
    tg_index bytes = bytes_spanned(&from, itemsize), size;
    tg_array *base = new_array(TG_U8, 1, &bytes), *source = NULL, *packed = NULL;
    for (tg_index i = 0; i < bytes; i++) base->data[i] = (char)below(256);
    CHECK_OK(tg_array_view(base, dtype, from.ndim, from.shape, from.strides, base->data + from.offset, &source));
    CHECK_OK(tg_array_contiguous(source, &packed));
    CHECK(packed->contiguous && packed->dtype == dtype && (packed == source) == source->contiguous);
    CHECK(tg_same_shape(packed->ndim, tg_array_shape(packed), from.ndim, from.shape));
    bool same = true;
    for (tg_index i = 0; i < packed->size; i++) {
        same &= !memcmp(packed->data + i * (tg_index)itemsize, base->data + offset_of(&from, i), itemsize);
    }
    CHECK(same);

    CHECK_OK(tg_checked_size(to.ndim, to.shape, itemsize, &size));
    bytes = bytes_spanned(&to, itemsize);
    tg_array *target = new_array(TG_U8, 1, &bytes), *again = NULL;
    tg_array *values = new_array(dtype, 1, &size);
    for (tg_index i = 0; i < size * (tg_index)itemsize; i++) values->data[i] = (char)below(256);
    tg_unpack(values->data, itemsize, to.ndim, to.shape, to.strides, target->data + to.offset);
    CHECK_OK(tg_array_view(target, dtype, to.ndim, to.shape, to.strides, target->data + to.offset, &again));
    same = true;
    for (tg_index i = 0; i < size; i++) {
        same &= !memcmp(values->data + i * (tg_index)itemsize, target->data + offset_of(&to, i), itemsize);
    }
    CHECK(same);
    tg_array *all[] = {base, source, packed, target, values, again};
    for (int i = 0; i < 6; i++) tg_array_release(all[i]);
}

static void test_layouts(void) {
    static const int dtypes[] = {TG_BOOL, TG_F16, TG_F32, TG_F64, TG_C64, TG_C128};
    srand(1);
    for (int round = 0; round < 6000; round++) {
        test_one_layout(dtypes[round % 6]);
    }
    CHECK(live() == 0);
}

/* A plane of several tiles, not a multiple of them. */
static void test_transposition(void) {
    enum { ROWS = 75, COLUMNS = 130 };
    tg_array *matrix = new_array(TG_F64, 2, (tg_index[]){ROWS, COLUMNS}), *packed = NULL;
    double *values = (double *)matrix->data;
    for (int i = 0; i < ROWS * COLUMNS; i++) values[i] = i;
    tg_array *view = new_view(matrix, 2, (tg_index[]){COLUMNS, ROWS}, (tg_index[]){8, 8 * COLUMNS}, matrix->data);
    CHECK_OK(tg_array_contiguous(view, &packed));
    const double *result = (double *)packed->data;
    bool right = true;
    for (int i = 0; i < COLUMNS; i++) {
        for (int j = 0; j < ROWS; j++) right &= result[i * ROWS + j] == j * COLUMNS + i;
    }
    CHECK(right);
    tg_array_release(packed);
    tg_array_release(view);
    tg_array_release(matrix);
}

/* An array that somebody else sees, or a view, is copied before it is written to; one's own is not. */
static void test_unsharing(void) {
    tg_array *array = new_array(TG_F64, 1, (tg_index[]){4}), *mine = array;
    double *values = (double *)array->data;
    for (int i = 0; i < 4; i++) values[i] = i;
    CHECK_OK(tg_array_unshare(&mine));
    CHECK(mine == array);
    tg_array_retain(array);
    CHECK_OK(tg_array_unshare(&mine));
    CHECK(mine != array && tg_array_is_unique(mine) && tg_array_is_unique(array));
    CHECK(!memcmp(mine->data, array->data, 4 * sizeof *values));
    tg_array *view = new_view(array, 1, (tg_index[]){4}, (tg_index[]){-8}, (char *)(values + 3));
    CHECK_OK(tg_array_unshare(&view));
    CHECK(tg_array_is_unique(view) && view->contiguous);
    for (int i = 0; i < 4; i++) CHECK(((double *)view->data)[i] == 3 - i);
    tg_array_release(view);
    tg_array_release(mine);
    tg_array_release(array);
}

static void test_convert(void) {
    float narrow[3] = {0.5f, -1.0f, 3e38f};
    double wide[3], huge = 1e300;
    tg_convert(narrow, TG_F32, wide, TG_F64, 3);
    CHECK(wide[0] == 0.5 && wide[1] == -1 && wide[2] == (double)3e38f);
    float back[3];
    tg_convert(wide, TG_F64, back, TG_F32, 3);
    CHECK(!memcmp(narrow, back, sizeof back));
    tg_convert(&huge, TG_F64, back, TG_F32, 1);
    CHECK(back[0] > 3.4e38f);
    tg_convert(&huge, TG_F64, wide, TG_F64, 1);
    CHECK(wide[0] == huge);
    tg_convert(NULL, TG_I8, NULL, TG_I8, 0);
}

static void test_same_shape(void) {
    CHECK(tg_same_shape(0, NULL, 0, NULL));
    CHECK(tg_same_shape(2, (tg_index[]){2, 3}, 2, (tg_index[]){2, 3}));
    CHECK(!tg_same_shape(2, (tg_index[]){2, 3}, 2, (tg_index[]){3, 2}));
    CHECK(!tg_same_shape(2, (tg_index[]){2, 1}, 1, (tg_index[]){2}));
}

/* One array of each kind, each of more dimensions than fit into a header. */
static tg_status make_one_of_each(tg_allocator allocator, void *context) {
    (void)context;
    static const tg_index shape[5] = {2, 2, 2, 2, 2}, strides[5] = {8, 16, 32, 64, 128};
    double memory[32] = {0};
    int released = 0;
    tg_pool *own;
    tg_array *array = NULL, *view = NULL, *borrowed = NULL, *packed = NULL;
    tg_status status = tg_pool_create(allocator, 0, &own);
    if (status != TG_OK) return status;
    if ((status = tg_array_new(own, TG_F64, 5, shape, &array)) != TG_OK) goto done;
    memset(array->data, 0, sizeof memory);
    if ((status = tg_array_view(array, TG_F64, 5, shape, strides, array->data, &view)) != TG_OK) goto done;
    status = tg_array_borrow(own, TG_F64, 5, shape, strides, (char *)memory, count_release, &released, &borrowed);
    if (status != TG_OK) goto done;
    status = tg_array_contiguous(view, &packed);
done:
    tg_array_release(packed);
    tg_array_release(view);
    tg_array_release(array);
    CHECK(released == 0);
    tg_array_release(borrowed);
    CHECK(released == (borrowed != NULL));
    CHECK(tg_pool_statistics(own).live == 0);
    tg_pool_destroy(own);
    return status;
}

enum { THREADS = 4, ROUNDS = 50000 };

static void *share(void *context) {
    tg_array *array = context;
    for (int round = 0; round < ROUNDS; round++) {
        tg_array *view = NULL;
        tg_array_retain(array);
        if (tg_array_view(array, TG_F64, 0, NULL, NULL, array->data, &view) == TG_OK) tg_array_release(array);
        tg_array_release(view);
    }
    tg_array_release(array);
    return NULL;
}

static void test_threads(void) {
    pthread_t threads[THREADS];
    tg_array *array = new_array(TG_F64, 1, (tg_index[]){1000});
    tg_pool_share(pool);
    for (int i = 0; i < THREADS; i++) {
        tg_array_retain(array);
        CHECK(pthread_create(&threads[i], NULL, share, array) == 0);
    }
    tg_array_release(array); /* the last thread frees it */
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    tg_pool_unshare(pool);
    CHECK(live() == 0);
}

int main(void) {
    CHECK_OK(tg_pool_create(tg_system_allocator(), (size_t)1 << 26, &pool));
    test_checked_size();
    test_new();
    test_views();
    test_borrowing();
    test_layouts();
    test_transposition();
    test_unsharing();
    test_convert();
    test_same_shape();
    check_every_failure(make_one_of_each, NULL);
    test_threads();
    tg_pool_destroy(pool);
    return check_report();
}
