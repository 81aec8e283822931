/* The generated kernels against finite differences, against each other and at the edge points. */
#include "ops.h"

#include <math.h>
#include <string.h>

#include "check.h"
#include "portable.h"

#define COUNT 100

static tg_loops loops;

/* -- Samples and calls -------------------------------------------------------------------------------------------- */

/* Operands of one operation, their result and a cotangent, in both types; the float32 values are the rounded ones. */
typedef struct sample {
    double in[TG_MAX_OPERANDS][COUNT], out[COUNT], g[COUNT];
    float in32[TG_MAX_OPERANDS][COUNT], out32[COUNT], g32[COUNT];
} sample;

static double uniform(void) {
    static uint64_t state = 20240229;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double from_domain(const char *word) {
    for (int i = 0; i < TG_DOMAINS; i++) {
        const tg_domain domain = tg_domain_table[i];
        if (strcmp(domain.name, word) == 0) {
            const double value = domain.low + (domain.high - domain.low) * uniform();
            return domain.mirrored && uniform() < 0.5 ? -value : value;
        }
    }
    const bool declared = false;
    CHECK(declared);
    return 0;
}

static void forward(int op, sample *s) {
    const int operands = tg_op_table[op].operands;
    const tg_index count = COUNT;
    char *args[TG_MAX_OPERANDS + 1], *args32[TG_MAX_OPERANDS + 1];
    tg_index steps[TG_MAX_OPERANDS + 1], steps32[TG_MAX_OPERANDS + 1];
    for (int k = 0; k <= operands; k++) {
        args[k] = (char *)(k < operands ? s->in[k] : s->out);
        args32[k] = (char *)(k < operands ? s->in32[k] : s->out32);
        steps[k] = sizeof(double);
        steps32[k] = sizeof(float);
    }
    const tg_loop *pair = loops.elementwise[op];
    pair[TG_NATIVE_F64].function(args, &count, steps, pair[TG_NATIVE_F64].data);
    pair[TG_NATIVE_F32].function(args32, &count, steps32, pair[TG_NATIVE_F32].data);
}

/* The operation's value with operand k moved by `step`. */
static double moved(int op, const sample *s, int i, int k, double step) {
    double in[TG_MAX_OPERANDS], out = 0;
    char *args[TG_MAX_OPERANDS + 1];
    const tg_index one = 1, steps[TG_MAX_OPERANDS + 1] = {0};
    for (int j = 0; j < tg_op_table[op].operands; j++) {
        in[j] = s->in[j][i] + (j == k ? step : 0);
        args[j] = (char *)&in[j];
    }
    args[tg_op_table[op].operands] = (char *)&out;
    loops.elementwise[op][TG_NATIVE_F64].function(args, &one, steps, loops.elementwise[op][TG_NATIVE_F64].data);
    return out;
}

static void draw(int op, sample *s) {
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < tg_op_table[op].operands; k++) {
            s->in32[k][i] = (float)from_domain(tg_op_table[op].domain[k]);
            s->in[k][i] = s->in32[k][i];
        }
        s->g32[i] = (float)(4 * uniform() - 2);
        s->g[i] = s->g32[i];
    }
    forward(op, s);
}

/* Only what the rule mentions is passed, so that a wrong `needs` crashes. */
static void run_f64(int op, int k, const sample *s, const double *g, double *adjoint, bool accumulate) {
    _Alignas(TG_ALIGNMENT) static double scratch[TG_SCRATCH_BLOCKS * TG_BLOCK];
    const unsigned needs = tg_op_table[op].needs[k];
    tg_kernel_args args = {.loops = &loops, .count = COUNT, .g = g, .adjoint = adjoint, .scratch = scratch};
    args.accumulate = accumulate;
    for (int j = 0; j < TG_MAX_OPERANDS; j++) args.operand[j] = needs >> j & 1 ? s->in[j] : NULL;
    args.out = needs & TG_NEEDS_OUT ? s->out : NULL;
    tg_op_table[op].vjp[k][TG_NATIVE_F64](&args);
}

static void run_f32(int op, int k, const sample *s, const float *g, float *adjoint, bool accumulate) {
    _Alignas(TG_ALIGNMENT) static float scratch[TG_SCRATCH_BLOCKS * TG_BLOCK];
    const unsigned needs = tg_op_table[op].needs[k];
    tg_kernel_args args = {.loops = &loops, .count = COUNT, .g = g, .adjoint = adjoint, .scratch = scratch};
    args.accumulate = accumulate;
    for (int j = 0; j < TG_MAX_OPERANDS; j++) args.operand[j] = needs >> j & 1 ? s->in32[j] : NULL;
    args.out = needs & TG_NEEDS_OUT ? s->out32 : NULL;
    tg_op_table[op].vjp[k][TG_NATIVE_F32](&args);
}

static double number_f64(int op, int k, const sample *s, int i) {
    double in[TG_MAX_OPERANDS], contribution[TG_MAX_OPERANDS] = {0};
    for (int j = 0; j < TG_MAX_OPERANDS; j++) in[j] = s->in[j][i];
    tg_scalar_vjp_f64(&loops, op, 1u << k, s->g[i], in, s->out[i], contribution);
    return contribution[k];
}

static float number_f32(int op, int k, const sample *s, int i) {
    float in[TG_MAX_OPERANDS], contribution[TG_MAX_OPERANDS] = {0};
    for (int j = 0; j < TG_MAX_OPERANDS; j++) in[j] = s->in32[j][i];
    tg_scalar_vjp_f32(&loops, op, 1u << k, s->g32[i], in, s->out32[i], contribution);
    return contribution[k];
}

static bool is_close(double a, double b, double tolerance) { return fabs(a - b) <= tolerance * (1 + fabs(b)); }

static bool same_bits(const void *a, const void *b, size_t bytes) { return memcmp(a, b, bytes) == 0; }

static void check_op(bool condition, const char *what, int op, int k) {
    if (!CHECK(condition)) fprintf(stderr, "    %s, partial %d: %s\n", tg_op_table[op].name, k, what);
}

/* -- The tests ---------------------------------------------------------------------------------------------------- */

/* Samples beside a jump or a kink, where the slopes to the left and to the right differ, are left out: few. */
static void test_finite_differences(int op, int k, const sample *s, const double *slope) {
    const double step = 1e-5;
    int kinks = 0;
    for (int i = 0; i < COUNT; i++) {
        const double here = moved(op, s, i, k, 0), above = moved(op, s, i, k, step), below = moved(op, s, i, k, -step);
        if (!is_close((above - here) / step, (here - below) / step, 1e-2)) {
            kinks++;
            continue;
        }
        check_op(is_close(slope[i], s->g[i] * ((above - below) / (2 * step)), 1e-6), "finite differences", op, k);
    }
    check_op(kinks <= COUNT / 20, "few kinks in the domain", op, k);
}

static void test_partial(int op, int k) {
    sample s;
    double slope[COUNT], again[COUNT];
    float slope32[COUNT], again32[COUNT];
    draw(op, &s);
    run_f64(op, k, &s, s.g, slope, false);
    run_f32(op, k, &s, s.g32, slope32, false);
    test_finite_differences(op, k, &s, slope);
    bool numbers_agree = true;
    for (int i = 0; i < COUNT; i++) {
        check_op(is_close(slope32[i], slope[i], 1e-4), "float32 against float64", op, k);
        const double number = number_f64(op, k, &s, i);
        const float number32 = number_f32(op, k, &s, i);
        numbers_agree &= same_bits(&number, &slope[i], sizeof number);
        numbers_agree &= same_bits(&number32, &slope32[i], sizeof number32);
    }
    check_op(numbers_agree, "the scalar rule gives the kernel's bits", op, k);

    memcpy(again, s.g, sizeof again);
    memcpy(again32, s.g32, sizeof again32);
    run_f64(op, k, &s, again, again, false);
    run_f32(op, k, &s, again32, again32, false);
    check_op(same_bits(again, slope, sizeof slope), "the adjoint may be the cotangent", op, k);
    check_op(same_bits(again32, slope32, sizeof slope32), "the adjoint may be the cotangent", op, k);

    for (int i = 0; i < COUNT; i++) {
        again[i] = 1.5;
        again32[i] = 1.5f;
        slope[i] = 1.5 + slope[i];
        slope32[i] = 1.5f + slope32[i];
    }
    run_f64(op, k, &s, s.g, again, true);
    run_f32(op, k, &s, s.g32, again32, true);
    check_op(same_bits(again, slope, sizeof slope), "accumulation", op, k);
    check_op(same_bits(again32, slope32, sizeof slope32), "accumulation", op, k);
}

/* A cotangent of zero contributes zero at every combination of these. */
static void test_zero_rule(int op, int k) {
    const double points[] = {0.0, -0.0, 1.0, -1.0, 0.5, 1e300, INFINITY, -INFINITY, (double)NAN};
    const int count = (int)(sizeof points / sizeof *points);
    sample s = {0};
    double slope[COUNT];
    float slope32[COUNT];
    for (int first = 0; first < count; first++) {
        for (int i = 0; i < COUNT; i++) {
            const int index[TG_MAX_OPERANDS] = {first, i % count, i / count % count};
            for (int j = 0; j < TG_MAX_OPERANDS; j++) {
                s.in[j][i] = points[index[j]];
                s.in32[j][i] = (float)points[index[j]];
            }
        }
        forward(op, &s);
        run_f64(op, k, &s, s.g, slope, false);
        run_f32(op, k, &s, s.g32, slope32, false);
        for (int i = 0; i < COUNT; i++) {
            check_op(slope[i] == 0 && slope32[i] == 0, "zero rule", op, k);
            check_op(number_f64(op, k, &s, i) == 0 && number_f32(op, k, &s, i) == 0, "scalar zero rule", op, k);
        }
    }
}

/* The conventions where several slopes, or none, would do. */
static void test_edges(void) {
    const double inf = INFINITY, nan = (double)NAN;
    const struct {
        int op, k;
        double in[TG_MAX_OPERANDS], expected;
    } edges[] = {
        {TG_OP_ABSOLUTE, 0, {0}, 0},
        {TG_OP_SIGN, 0, {0}, 0},
        {TG_OP_SQRT, 0, {0}, inf},
        {TG_OP_CBRT, 0, {0}, inf},
        {TG_OP_LOG, 0, {0}, inf},
        {TG_OP_HYPOT, 0, {0, 0}, 0},
        {TG_OP_HYPOT, 1, {0, 0}, 0},
        {TG_OP_HYPOT, 0, {3e200, 4e200}, 0.6},
        {TG_OP_ARCTAN2, 0, {0, 0}, 0},
        {TG_OP_ARCTAN2, 1, {0, 0}, 0},
        {TG_OP_ARCTAN2, 0, {3e-200, 4e-200}, 1.6e199},
        {TG_OP_MAXIMUM, 0, {2, 2}, 0.5},
        {TG_OP_MAXIMUM, 1, {inf, inf}, 0.5},
        {TG_OP_MAXIMUM, 0, {nan, 1}, nan},
        {TG_OP_MINIMUM, 0, {2, 2}, 0.5},
        {TG_OP_MINIMUM, 1, {2, 1}, 1},
        {TG_OP_FMAX, 0, {2, 2}, 0.5},
        {TG_OP_FMAX, 0, {0, nan}, 1},
        {TG_OP_FMAX, 1, {0, nan}, 0},
        {TG_OP_FMIN, 1, {nan, -3}, 1},
        {TG_OP_CLIP, 0, {1, 1, 2}, 1},
        {TG_OP_CLIP, 0, {2, 1, 2}, 1},
        {TG_OP_CLIP, 1, {1, 1, 2}, 0},
        {TG_OP_CLIP, 0, {3, 1, 2}, 0},
        {TG_OP_CLIP, 2, {3, 1, 2}, 1},
        {TG_OP_CLIP, 2, {0, 2, 1}, 1},
        {TG_OP_CLIP, 1, {0, 2, 1}, 0},
        {TG_OP_RELU, 0, {0}, 0},
        {TG_OP_RELU6, 0, {6}, 0},
        {TG_OP_POWER, 0, {0, 0}, 0},
        {TG_OP_POWER, 0, {0, 2}, 0},
        {TG_OP_POWER, 0, {0, 1}, 1},
        {TG_OP_POWER, 1, {0, 3}, 0},
        {TG_OP_POWER, 1, {0, 0}, 0},
        {TG_OP_POWER, 1, {-2, 3}, 0},
        {TG_OP_POWER, 1, {nan, 3}, nan},
        {TG_OP_POWER, 1, {inf, -1}, 0},
        {TG_OP_REMAINDER, 1, {-7, 2}, 4},
        {TG_OP_FMOD, 1, {-7, 2}, 3},
        {TG_OP_LOGADDEXP, 0, {1000, 0}, 1},
        {TG_OP_LOGADDEXP, 1, {1000, 0}, 0},
        {TG_OP_LOGADDEXP, 0, {-1000, -1000}, 0.5},
        {TG_OP_LOGADDEXP, 0, {-inf, -inf}, 0},
        {TG_OP_LOGADDEXP, 1, {-inf, 0}, 1},
        {TG_OP_LOGADDEXP2, 0, {-inf, -inf}, 0},
        {TG_OP_SOFTPLUS, 0, {1000}, 1},
        {TG_OP_SOFTPLUS, 0, {-1000}, 0},
        {TG_OP_SIGMOID, 0, {-1000}, 0},
        {TG_OP_LOG_SIGMOID, 0, {-1000}, 1},
        {TG_OP_XLOGY, 0, {0, 0}, 0},
        {TG_OP_XLOGY, 1, {0, 0}, 0},
        {TG_OP_XLOGY, 0, {0, 1}, 0},
        {TG_OP_XLOG1PY, 0, {0, -1}, 0},
        {TG_OP_XLOG1PY, 1, {0, -1}, 0},
        {TG_OP_XDIVY, 0, {0, 0}, 0},
        {TG_OP_XDIVY, 1, {0, 0}, 0},
        {TG_OP_DIVIDE_NO_NAN, 0, {1, 0}, 0},
        {TG_OP_DIVIDE_NO_NAN, 1, {1, 0}, 0},
        {TG_OP_MULTIPLY_NO_NAN, 0, {inf, 0}, 0},
    };
    for (size_t e = 0; e < sizeof edges / sizeof *edges; e++) {
        sample s = {0};
        double slope[COUNT];
        for (int i = 0; i < COUNT; i++) {
            s.g[i] = 1;
            for (int j = 0; j < TG_MAX_OPERANDS; j++) s.in[j][i] = edges[e].in[j];
        }
        forward(edges[e].op, &s);
        run_f64(edges[e].op, edges[e].k, &s, s.g, slope, false);
        const double expected = edges[e].expected;
        const bool right = isnan(expected) ? isnan(slope[0])
                                           : slope[0] == expected || fabs(slope[0] / expected - 1) < 1e-12;
        check_op(right, "edge point", edges[e].op, edges[e].k);
    }
}

/* Own loops take any strides and counts, and may work in place. */
static void test_own_loop(int op) {
    enum { LONG = 2 * TG_BLOCK + 7 };
    static double in[TG_MAX_OPERANDS][2 * LONG], dense[TG_MAX_OPERANDS][LONG], out[LONG], spread[3 * LONG];
    const tg_op_info *info = &tg_op_table[op];
    const tg_index count = LONG;
    char *args[TG_MAX_OPERANDS + 1], *strided[TG_MAX_OPERANDS + 1];
    tg_index steps[TG_MAX_OPERANDS + 1], wide[TG_MAX_OPERANDS + 1];
    for (int k = 0; k < info->operands; k++) {
        const bool constant = k == 1;
        for (int i = 0; i < LONG; i++) {
            in[k][2 * i] = constant && i ? in[k][0] : from_domain(info->domain[k]);
            dense[k][i] = in[k][2 * i];
        }
        args[k] = (char *)dense[k];
        steps[k] = sizeof(double);
        /* Backwards from the end, or one number for all. */
        strided[k] = (char *)(constant ? in[k] : in[k] + 2 * (LONG - 1));
        wide[k] = constant ? 0 : -2 * (tg_index)sizeof(double);
    }
    args[info->operands] = (char *)out;
    steps[info->operands] = sizeof(double);
    strided[info->operands] = (char *)spread;
    wide[info->operands] = 3 * sizeof(double);
    info->own[TG_NATIVE_F64](args, &count, steps, &loops);
    info->own[TG_NATIVE_F64](strided, &count, wide, &loops);
    args[info->operands] = args[0];
    info->own[TG_NATIVE_F64](args, &count, steps, &loops);
    bool same = true;
    for (int i = 0; i < LONG; i++) {
        same &= spread[3 * i] == out[LONG - 1 - i];
        same &= dense[0][i] == out[i];
    }
    check_op(same, "strides and aliases of an own loop", op, 0);
}

int main(void) {
    tg_portable_loops(&loops);
    for (int op = 0; op < TG_ELEMENTWISE_OPS; op++) {
        const tg_op_info *info = &tg_op_table[op];
        CHECK(loops.elementwise[op][TG_NATIVE_F32].function && loops.elementwise[op][TG_NATIVE_F64].function);
        CHECK(info->name && info->summary && info->complex_rule);
        CHECK(info->operands >= 1 && info->operands <= TG_MAX_OPERANDS);
        if (info->forward) test_own_loop(op);
        for (int k = 0; k < info->operands; k++) {
            CHECK((info->partial[k] != NULL) == (info->vjp[k][TG_NATIVE_F64] != NULL));
            if (!info->partial[k]) continue;
            test_partial(op, k);
            test_zero_rule(op, k);
        }
    }
    test_edges();
    CHECK(tg_op_passes_on(&tg_op_table[TG_OP_ADD], 0) && tg_op_passes_on(&tg_op_table[TG_OP_ADD], 1));
    CHECK(tg_op_passes_on(&tg_op_table[TG_OP_SUBTRACT], 0) && !tg_op_passes_on(&tg_op_table[TG_OP_SUBTRACT], 1));
    CHECK(!tg_op_passes_on(&tg_op_table[TG_OP_FLOOR], 0));
    return check_report();
}
