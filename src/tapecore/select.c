/* select.c: choices between two values, element by element. */
#include "select.h"

#include <string.h>

#include "plane.h"

/* What a walk's participants are. */
enum { TEST, X, Y, OUT, PARTICIPANTS };

/* One run of a choice: data and steps in bytes of the test, x, y and the result, whose step is an element. */
typedef void (*select_run)(char *const *data, const tg_index *steps, tg_index run);

/* Bits instead of branches, which random conditions would mispredict. */
#define DEFINE_RUN(SUFFIX, TYPE)                                                                                       \
    static inline TYPE load_##SUFFIX(const char *data) {                                                               \
        TYPE bits;                                                                                                     \
        memcpy(&bits, data, sizeof bits);                                                                              \
        return bits;                                                                                                   \
    }                                                                                                                  \
                                                                                                                       \
    static inline __attribute__((always_inline)) void choose_##SUFFIX(const char *test, tg_index test_step,            \
                                                                      const char *x, tg_index x_step, const char *y,   \
                                                                      tg_index y_step, char *out, tg_index run) {      \
        for (tg_index i = 0; i < run; i++) {                                                                           \
            const TYPE taken = (TYPE) - (TYPE)(test[i * test_step] != 0);                                              \
            const TYPE from_x = load_##SUFFIX(x + i * x_step), from_y = load_##SUFFIX(y + i * y_step);                 \
            const TYPE bits = (from_x & taken) | (from_y & (TYPE)~taken);                                              \
            memcpy(out + i * (tg_index)sizeof bits, &bits, sizeof bits);                                               \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    static void select_##SUFFIX(char *const *data, const tg_index *steps, tg_index run) {                              \
        const tg_index size = (tg_index)sizeof(TYPE);                                                                  \
        const char *const test = data[TEST], *const x = data[X], *const y = data[Y];                                   \
        /* With steps that the compiler knows it takes vector instructions. */                                         \
        if (steps[TEST] == 1 && steps[X] == size && steps[Y] == size) {                                                \
            choose_##SUFFIX(test, 1, x, size, y, size, data[OUT], run);                                                \
        } else if (steps[TEST] == 1 && steps[X] == size && steps[Y] == 0) {                                            \
            choose_##SUFFIX(test, 1, x, size, y, 0, data[OUT], run);                                                   \
        } else if (steps[TEST] == 1 && steps[X] == 0 && steps[Y] == size) {                                            \
            choose_##SUFFIX(test, 1, x, 0, y, size, data[OUT], run);                                                   \
        } else {                                                                                                       \
            choose_##SUFFIX(test, steps[TEST], x, steps[X], y, steps[Y], data[OUT], run);                              \
        }                                                                                                              \
    }

DEFINE_RUN(1, uint8_t)
DEFINE_RUN(2, uint16_t)
DEFINE_RUN(4, uint32_t)
DEFINE_RUN(8, uint64_t)

static void select_16(char *const *data, const tg_index *steps, tg_index run) {
    const char *test = data[TEST], *x = data[X], *y = data[Y];
    char *out = data[OUT];
    for (tg_index i = 0; i < run; i++, test += steps[TEST], x += steps[X], y += steps[Y], out += 16) {
        memcpy(out, *test ? x : y, 16);
    }
}

static select_run run_of(size_t itemsize) {
    switch (itemsize) {
    case 1: return select_1;
    case 2: return select_2;
    case 4: return select_4;
    case 8: return select_8;
    default: return select_16;
    }
}

static void select_all(tg_iterator *walk, size_t itemsize) {
    const select_run select = run_of(itemsize);
    tg_plane plane;
    tg_iterator_coalesce(walk);
    if (tg_plane_begin(&plane, walk)) {
        do {
            char *data[PARTICIPANTS] = {walk->data[TEST], walk->data[X], walk->data[Y], walk->data[OUT]};
            for (tg_index row = 0; row < plane.rows; row++) {
                select(data, plane.inner, plane.run);
                for (int p = 0; p < PARTICIPANTS; p++) data[p] += plane.outer[p];
            }
        } while (tg_iterator_next(walk));
        return;
    }
    tg_index steps[PARTICIPANTS];
    for (int p = 0; p < PARTICIPANTS; p++) steps[p] = tg_iterator_step(walk, p);
    do {
        select(walk->data, steps, tg_iterator_run(walk));
    } while (tg_iterator_next(walk));
}

tg_status tg_select(tg_pool *pool, const tg_value *condition, const tg_value *x, const tg_value *y, tg_value *out) {
    const tg_value all[3] = {*condition, *x, *y};
    tg_index shape[TG_MAX_DIMS];
    int ndim;
    tg_status status = tg_broadcast_shapes(3, all, &ndim, shape);
    *out = (tg_value){.array = NULL, .dtype = x->dtype};
    if (status != TG_OK) return status;
    if (ndim == 0) {
        out->scalar = condition->scalar.b ? x->scalar : y->scalar;
        return TG_OK;
    }
    status = tg_array_new(pool, x->dtype, ndim, shape, &out->array);
    if (status != TG_OK || out->array->size == 0) return status;
    tg_iterator walk;
    tg_iterator_init(&walk, ndim, shape);
    for (int i = 0; i < 3; i++) tg_iterator_add_value(&walk, &all[i]);
    tg_iterator_add_array(&walk, out->array);
    select_all(&walk, tg_itemsize(x->dtype));
    return TG_OK;
}

tg_status tg_select_masked(tg_pool *pool, const tg_call *call, const tg_array *x, const tg_array *condition,
                           tg_array **out) {
    static const double zero[2]; /* of the widest type */
    tg_status status = tg_array_new(pool, x->dtype, call->ndim, call->shape, out);
    if (status != TG_OK || (*out)->size == 0) return status;
    tg_iterator walk;
    tg_iterator_init(&walk, call->ndim, call->shape);
    tg_iterator_add_array(&walk, condition);
    if (call->params[0]) tg_iterator_add_scalar(&walk, (void *)(uintptr_t)zero);
    tg_iterator_add_array(&walk, x);
    if (!call->params[0]) tg_iterator_add_scalar(&walk, (void *)(uintptr_t)zero);
    tg_iterator_add_array(&walk, *out);
    select_all(&walk, tg_itemsize(x->dtype));
    return TG_OK;
}
