/* api_lab.h: what the tests of the public interface share: short ways to make values and to look at them. */
#ifndef API_LAB_H
#define API_LAB_H

#include "check.h"
#include "tapegrad/tapecore.h"

static inline tapegrad_value *vector(tapegrad_context *context, intptr_t count, const double *numbers) {
    return tapegrad_copy(context, TAPEGRAD_FLOAT64, 1, &count, NULL, numbers);
}

static inline tapegrad_value *number(tapegrad_context *context, double x) {
    return tapegrad_scalar(context, TAPEGRAD_FLOAT64, x);
}

/* Element `index` of a float64 value in C order. */
static inline double at(const tapegrad_value *value, intptr_t index) {
    double numbers[64] = {0};
    if (!CHECK(value && tapegrad_size(value) <= 64)) return 0;
    CHECK(tapegrad_read(value, numbers, sizeof numbers) == TAPEGRAD_OK);
    return numbers[index];
}

static inline bool near(double a, double b) {
    const double difference = a < b ? b - a : a - b, size = (a < 0 ? -a : a) + (b < 0 ? -b : b);
    return difference <= 1e-12 * (1 + size);
}

static inline void release_all(int count, tapegrad_value *const *values) {
    for (int i = 0; i < count; i++) tapegrad_release(values[i]);
}

/* A test with a context of its own, which must end with nothing left over. */
static inline void run(void (*test)(tapegrad_context *context)) {
    tapegrad_context *context = tapegrad_context_new();
    test(context);
    CHECK(tapegrad_context_free(context) == TAPEGRAD_OK);
}

#endif
