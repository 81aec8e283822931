/* libm_loops.h: loops in the form of NumPy's around the C library's functions, so that the core is tested by itself. */
#ifndef LIBM_LOOPS_H
#define LIBM_LOOPS_H

#include <math.h>

#include "ops.h"

typedef double (*libm_unary)(double);
typedef double (*libm_binary)(double, double);

typedef struct libm_function {
    libm_unary one;
    libm_binary two;
} libm_function;

static inline void libm_loop_f64(char **args, const tg_index *dims, const tg_index *steps, void *data) {
    const libm_function *function = data;
    for (tg_index i = 0; i < dims[0]; i++) {
        const double x = *(const double *)(args[0] + i * steps[0]);
        if (function->one) {
            *(double *)(args[1] + i * steps[1]) = function->one(x);
        } else {
            *(double *)(args[2] + i * steps[2]) = function->two(x, *(const double *)(args[1] + i * steps[1]));
        }
    }
}

static inline void libm_loop_f32(char **args, const tg_index *dims, const tg_index *steps, void *data) {
    const libm_function *function = data;
    for (tg_index i = 0; i < dims[0]; i++) {
        const float x = *(const float *)(args[0] + i * steps[0]);
        if (function->one) {
            *(float *)(args[1] + i * steps[1]) = (float)function->one(x);
        } else {
            *(float *)(args[2] + i * steps[2]) = (float)function->two(x, *(const float *)(args[1] + i * steps[1]));
        }
    }
}

/* Matrix products, stacked; see ops.h for the steps. */
static inline void libm_matmul_f64(char **args, const tg_index *dims, const tg_index *steps, void *data) {
    (void)data;
    for (tg_index o = 0; o < dims[0]; o++) {
        const char *a = args[0] + o * steps[0], *b = args[1] + o * steps[1];
        for (tg_index i = 0; i < dims[1]; i++) {
            for (tg_index j = 0; j < dims[3]; j++) {
                double sum = 0;
                for (tg_index k = 0; k < dims[2]; k++) {
                    sum += *(const double *)(a + i * steps[3] + k * steps[4]) *
                           *(const double *)(b + k * steps[5] + j * steps[6]);
                }
                *(double *)(args[2] + o * steps[2] + i * steps[7] + j * steps[8]) = sum;
            }
        }
    }
}

static inline void libm_matmul_f32(char **args, const tg_index *dims, const tg_index *steps, void *data) {
    (void)data;
    for (tg_index o = 0; o < dims[0]; o++) {
        const char *a = args[0] + o * steps[0], *b = args[1] + o * steps[1];
        for (tg_index i = 0; i < dims[1]; i++) {
            for (tg_index j = 0; j < dims[3]; j++) {
                float sum = 0;
                for (tg_index k = 0; k < dims[2]; k++) {
                    sum += *(const float *)(a + i * steps[3] + k * steps[4]) *
                           *(const float *)(b + k * steps[5] + j * steps[6]);
                }
                *(float *)(args[2] + o * steps[2] + i * steps[7] + j * steps[8]) = sum;
            }
        }
    }
}

static inline double libm_add(double x, double y) { return x + y; }
static inline double libm_subtract(double x, double y) { return x - y; }
static inline double libm_multiply(double x, double y) { return x * y; }
static inline double libm_divide(double x, double y) { return x / y; }
static inline double libm_negative(double x) { return -x; }
static inline double libm_positive(double x) { return x; }
static inline double libm_square(double x) { return x * x; }
static inline double libm_reciprocal(double x) { return 1.0 / x; }
static inline double libm_sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
static inline double libm_floor_divide(double x, double y) { return floor(x / y); }
static inline double libm_modulo(double x, double y) { return x - y * floor(x / y); }
static inline double libm_maximum(double x, double y) { return x >= y || isnan(x) ? x : y; }
static inline double libm_minimum(double x, double y) { return x <= y || isnan(x) ? x : y; }
static inline double libm_heaviside(double x, double y) { return x > 0 ? 1 : x < 0 ? 0 : x == 0 ? y : x; }
static inline double libm_degrees(double x) { return x * (180 / acos(-1)); }
static inline double libm_radians(double x) { return x * (acos(-1) / 180); }

static inline double libm_logaddexp(double x, double y) {
    const double high = libm_maximum(x, y);
    return x == y ? x + log(2) : high + log1p(exp(-fabs(x - y)));
}

static inline double libm_logaddexp2(double x, double y) { return libm_logaddexp(x * log(2), y * log(2)) / log(2); }

/* Fills every loop of the table, own operations included; `loops` must outlive their use. */
static inline void libm_fill_loops(tg_loops *loops) {
    static libm_function functions[TG_ELEMENTWISE_OPS];
    const struct {
        int op;
        libm_function function;
    } table[] = {
        {TG_OP_ADD, {.two = libm_add}},
        {TG_OP_SUBTRACT, {.two = libm_subtract}},
        {TG_OP_MULTIPLY, {.two = libm_multiply}},
        {TG_OP_DIVIDE, {.two = libm_divide}},
        {TG_OP_NEGATIVE, {.one = libm_negative}},
        {TG_OP_POSITIVE, {.one = libm_positive}},
        {TG_OP_SQUARE, {.one = libm_square}},
        {TG_OP_RECIPROCAL, {.one = libm_reciprocal}},
        {TG_OP_REMAINDER, {.two = libm_modulo}},
        {TG_OP_FMOD, {.two = fmod}},
        {TG_OP_FLOOR_DIVIDE, {.two = libm_floor_divide}},
        {TG_OP_POWER, {.two = pow}},
        {TG_OP_SQRT, {.one = sqrt}},
        {TG_OP_CBRT, {.one = cbrt}},
        {TG_OP_HYPOT, {.two = hypot}},
        {TG_OP_EXP, {.one = exp}},
        {TG_OP_EXP2, {.one = exp2}},
        {TG_OP_EXPM1, {.one = expm1}},
        {TG_OP_LOG, {.one = log}},
        {TG_OP_LOG2, {.one = log2}},
        {TG_OP_LOG10, {.one = log10}},
        {TG_OP_LOG1P, {.one = log1p}},
        {TG_OP_LOGADDEXP, {.two = libm_logaddexp}},
        {TG_OP_LOGADDEXP2, {.two = libm_logaddexp2}},
        {TG_OP_SIN, {.one = sin}},
        {TG_OP_COS, {.one = cos}},
        {TG_OP_TAN, {.one = tan}},
        {TG_OP_ARCSIN, {.one = asin}},
        {TG_OP_ARCCOS, {.one = acos}},
        {TG_OP_ARCTAN, {.one = atan}},
        {TG_OP_ARCTAN2, {.two = atan2}},
        {TG_OP_DEGREES, {.one = libm_degrees}},
        {TG_OP_RAD2DEG, {.one = libm_degrees}},
        {TG_OP_RADIANS, {.one = libm_radians}},
        {TG_OP_DEG2RAD, {.one = libm_radians}},
        {TG_OP_SINH, {.one = sinh}},
        {TG_OP_COSH, {.one = cosh}},
        {TG_OP_TANH, {.one = tanh}},
        {TG_OP_ARCSINH, {.one = asinh}},
        {TG_OP_ARCCOSH, {.one = acosh}},
        {TG_OP_ARCTANH, {.one = atanh}},
        {TG_OP_ABSOLUTE, {.one = fabs}},
        {TG_OP_FABS, {.one = fabs}},
        {TG_OP_SIGN, {.one = libm_sign}},
        {TG_OP_COPYSIGN, {.two = copysign}},
        {TG_OP_MAXIMUM, {.two = libm_maximum}},
        {TG_OP_MINIMUM, {.two = libm_minimum}},
        {TG_OP_FMAX, {.two = fmax}},
        {TG_OP_FMIN, {.two = fmin}},
        {TG_OP_HEAVISIDE, {.two = libm_heaviside}},
        {TG_OP_NEXTAFTER, {.two = nextafter}},
        {TG_OP_FLOOR, {.one = floor}},
        {TG_OP_CEIL, {.one = ceil}},
        {TG_OP_RINT, {.one = rint}},
        {TG_OP_TRUNC, {.one = trunc}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const int op = table[i].op;
        functions[op] = table[i].function;
        loops->elementwise[op][TG_NATIVE_F32] = (tg_loop){libm_loop_f32, &functions[op]};
        loops->elementwise[op][TG_NATIVE_F64] = (tg_loop){libm_loop_f64, &functions[op]};
    }
    loops->matmul[TG_NATIVE_F32] = (tg_loop){libm_matmul_f32, NULL};
    loops->matmul[TG_NATIVE_F64] = (tg_loop){libm_matmul_f64, NULL};
    for (int op = 0; op < TG_ELEMENTWISE_OPS; op++) {
        for (int type = 0; type < TG_NATIVE_TYPES && tg_op_table[op].forward; type++) {
            loops->elementwise[op][type] = (tg_loop){tg_op_table[op].own[type], loops};
        }
    }
}

#endif
