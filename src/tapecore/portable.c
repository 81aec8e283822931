/* portable.c: the loops, one line an operation. */
#include "portable.h"

#include <math.h>

/* ---- what the C library does not have, or not quite ---- */

#define PI 3.14159265358979323846
#define LOG2_E 1.44269504088896340736

static double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
static double maximum(double x, double y) { return x >= y || isnan(x) ? x : y; }
static double minimum(double x, double y) { return x <= y || isnan(x) ? x : y; }
static double heaviside(double x, double y) { return x > 0 ? 1 : x < 0 ? 0 : x == 0 ? y : x; }

/* With the sign of y, and for zeros, too. */
static double modulo(double x, double y) {
    const double rest = fmod(x, y);
    if (rest == 0) return copysign(0, y);
    return (rest < 0) != (y < 0) ? rest + y : rest;
}

/* Exact where x / y would round up to an integer: from the remainder. */
static double floor_divide(double x, double y) {
    if (y == 0) return x / y;
    const double quotient = (x - modulo(x, y)) / y;
    if (quotient == 0) return copysign(0, x / y);
    const double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

static double logaddexp(double x, double y) {
    if (x == y) return x + 1 / LOG2_E; /* infinities of the same sign, too */
    return maximum(x, y) + log1p(exp(-fabs(x - y)));
}

static double logaddexp2(double x, double y) {
    if (x == y) return x + 1;
    return maximum(x, y) + LOG2_E * log1p(exp2(-fabs(x - y)));
}

/* ---- loops of one type; `read` and `T` say which ---- */

#define UNARY_LOOP(name, T, expression)                                                                      \
    static void name(char **args, const tg_index *dims, const tg_index *steps, void *data) {                 \
        (void)data;                                                                                          \
        for (tg_index i = 0; i < dims[0]; i++) {                                                             \
            const double x = (double)*(const T *)(const void *)(args[0] + i * steps[0]);                     \
            *(T *)(void *)(args[1] + i * steps[1]) = (T)(expression);                                        \
        }                                                                                                    \
    }

#define BINARY_LOOP(name, T, expression)                                                                     \
    static void name(char **args, const tg_index *dims, const tg_index *steps, void *data) {                 \
        (void)data;                                                                                          \
        for (tg_index i = 0; i < dims[0]; i++) {                                                             \
            const double x = (double)*(const T *)(const void *)(args[0] + i * steps[0]);                     \
            const double y = (double)*(const T *)(const void *)(args[1] + i * steps[1]);                     \
            *(T *)(void *)(args[2] + i * steps[2]) = (T)(expression);                                        \
        }                                                                                                    \
    }

/* Operation (its number without TG_OP_) and what it computes of x, or of x and y. */
#define UNARY_OPERATIONS(OPERATION)                                                                          \
    OPERATION(NEGATIVE, -x)                                                                                  \
    OPERATION(POSITIVE, +x)                                                                                  \
    OPERATION(SQUARE, x *x)                                                                                  \
    OPERATION(RECIPROCAL, 1 / x)                                                                             \
    OPERATION(SQRT, sqrt(x))                                                                                 \
    OPERATION(CBRT, cbrt(x))                                                                                 \
    OPERATION(EXP, exp(x))                                                                                   \
    OPERATION(EXP2, exp2(x))                                                                                 \
    OPERATION(EXPM1, expm1(x))                                                                               \
    OPERATION(LOG, log(x))                                                                                   \
    OPERATION(LOG2, log2(x))                                                                                 \
    OPERATION(LOG10, log10(x))                                                                               \
    OPERATION(LOG1P, log1p(x))                                                                               \
    OPERATION(SIN, sin(x))                                                                                   \
    OPERATION(COS, cos(x))                                                                                   \
    OPERATION(TAN, tan(x))                                                                                   \
    OPERATION(ARCSIN, asin(x))                                                                               \
    OPERATION(ARCCOS, acos(x))                                                                               \
    OPERATION(ARCTAN, atan(x))                                                                               \
    OPERATION(DEGREES, x *(180 / PI))                                                                        \
    OPERATION(RAD2DEG, x *(180 / PI))                                                                        \
    OPERATION(RADIANS, x *(PI / 180))                                                                        \
    OPERATION(DEG2RAD, x *(PI / 180))                                                                        \
    OPERATION(SINH, sinh(x))                                                                                 \
    OPERATION(COSH, cosh(x))                                                                                 \
    OPERATION(TANH, tanh(x))                                                                                 \
    OPERATION(ARCSINH, asinh(x))                                                                             \
    OPERATION(ARCCOSH, acosh(x))                                                                             \
    OPERATION(ARCTANH, atanh(x))                                                                             \
    OPERATION(ABSOLUTE, fabs(x))                                                                             \
    OPERATION(FABS, fabs(x))                                                                                 \
    OPERATION(SIGN, sign(x))                                                                                 \
    OPERATION(FLOOR, floor(x))                                                                               \
    OPERATION(CEIL, ceil(x))                                                                                 \
    OPERATION(RINT, rint(x))                                                                                 \
    OPERATION(TRUNC, trunc(x))

#define BINARY_OPERATIONS(OPERATION)                                                                         \
    OPERATION(SUBTRACT, x - y)                                                                               \
    OPERATION(MULTIPLY, x *y)                                                                                \
    OPERATION(DIVIDE, x / y)                                                                                 \
    OPERATION(REMAINDER, modulo(x, y))                                                                       \
    OPERATION(FMOD, fmod(x, y))                                                                              \
    OPERATION(FLOOR_DIVIDE, floor_divide(x, y))                                                              \
    OPERATION(POWER, pow(x, y))                                                                              \
    OPERATION(HYPOT, hypot(x, y))                                                                            \
    OPERATION(LOGADDEXP, logaddexp(x, y))                                                                    \
    OPERATION(LOGADDEXP2, logaddexp2(x, y))                                                                  \
    OPERATION(ARCTAN2, atan2(x, y))                                                                          \
    OPERATION(COPYSIGN, copysign(x, y))                                                                      \
    OPERATION(MAXIMUM, maximum(x, y))                                                                        \
    OPERATION(MINIMUM, minimum(x, y))                                                                        \
    OPERATION(FMAX, fmax(x, y))                                                                              \
    OPERATION(FMIN, fmin(x, y))                                                                              \
    OPERATION(HEAVISIDE, heaviside(x, y))

#define DEFINE_UNARY(number, expression) \
    UNARY_LOOP(number##_f32, float, expression) UNARY_LOOP(number##_f64, double, expression)
#define DEFINE_BINARY(number, expression) \
    BINARY_LOOP(number##_f32, float, expression) BINARY_LOOP(number##_f64, double, expression)

UNARY_OPERATIONS(DEFINE_UNARY)
BINARY_OPERATIONS(DEFINE_BINARY)

/* The next number of its own type. */
BINARY_LOOP(NEXTAFTER_f32, float, nextafterf((float)x, (float)y))
BINARY_LOOP(NEXTAFTER_f64, double, nextafter(x, y))

/* ---- sums: an addition whose first operand and result are one number is a reduction ---- */

#define PAIRWISE_BLOCK 64

#define DEFINE_ADD(T, suffix)                                                                                \
    BINARY_LOOP(add_each_##suffix, T, x + y)                                                                 \
    static double add_up_##suffix(const char *from, tg_index count, tg_index step) {                         \
        if (count > PAIRWISE_BLOCK) {                                                                        \
            const tg_index half = count / 2;                                                                 \
            return add_up_##suffix(from, half, step) + add_up_##suffix(from + half * step, count - half, step); \
        }                                                                                                    \
        double total = -0.0; /* which changes nothing, not even the sign of a zero */                        \
        for (tg_index i = 0; i < count; i++) total += (double)*(const T *)(const void *)(from + i * step);   \
        return total;                                                                                        \
    }                                                                                                        \
    static void ADD_##suffix(char **args, const tg_index *dims, const tg_index *steps, void *data) {         \
        if (args[0] != args[2] || steps[0] || steps[2]) {                                                    \
            add_each_##suffix(args, dims, steps, data);                                                      \
        } else {                                                                                             \
            T *total = (T *)(void *)args[2];                                                                 \
            *total = (T)((double)*total + add_up_##suffix(args[1], dims[0], steps[1]));                      \
        }                                                                                                    \
    }

DEFINE_ADD(float, f32)
DEFINE_ADD(double, f64)

/* ---- matrix products, stacked; see ops.h for the steps ---- */

#define DEFINE_MATMUL(T, suffix)                                                                             \
    static void matmul_##suffix(char **args, const tg_index *dims, const tg_index *steps, void *data) {      \
        (void)data;                                                                                          \
        for (tg_index o = 0; o < dims[0]; o++) {                                                             \
            const char *a = args[0] + o * steps[0], *b = args[1] + o * steps[1];                             \
            for (tg_index i = 0; i < dims[1]; i++) {                                                         \
                for (tg_index j = 0; j < dims[3]; j++) {                                                     \
                    double sum = 0;                                                                          \
                    for (tg_index k = 0; k < dims[2]; k++) {                                                 \
                        sum += (double)*(const T *)(const void *)(a + i * steps[3] + k * steps[4]) *         \
                               (double)*(const T *)(const void *)(b + k * steps[5] + j * steps[6]);          \
                    }                                                                                        \
                    *(T *)(void *)(args[2] + o * steps[2] + i * steps[7] + j * steps[8]) = (T)sum;           \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
    }

DEFINE_MATMUL(float, f32)
DEFINE_MATMUL(double, f64)

void tg_portable_loops(tg_loops *loops) {
    *loops = (tg_loops){.matmul = {[TG_NATIVE_F32] = {matmul_f32, NULL}, [TG_NATIVE_F64] = {matmul_f64, NULL}}};
#define ENTER(number, expression)                                               \
    loops->elementwise[TG_OP_##number][TG_NATIVE_F32].function = number##_f32;  \
    loops->elementwise[TG_OP_##number][TG_NATIVE_F64].function = number##_f64;
    UNARY_OPERATIONS(ENTER)
    BINARY_OPERATIONS(ENTER)
    ENTER(ADD, )
    ENTER(NEXTAFTER, )
    for (int op = 0; op < TG_ELEMENTWISE_OPS; op++) {
        for (int type = 0; type < TG_NATIVE_TYPES && tg_op_table[op].forward; type++) {
            loops->elementwise[op][type] = (tg_loop){tg_op_table[op].own[type], loops};
        }
    }
}
