/* The reverse sweep's values: random programs against gradients by brute force and finite differences, and the cases
 * one would think of by hand. */
#include "sweep.h"

#include "chain.h"
#include "lab.h"
#include "programs.h"

#define ROUNDS 2000
#define MOST 4 /* targets, and sources */

/* ---- random programs ---- */

static void random_size(lab *l, program *p) {
    static const tg_index block = TG_BLOCK;
    const tg_index lengths[] = {1, 2, 7, 64, block - 1, block, block + 1, 2 * block, 2 * block + 1};
    p->ndim = 1 + lab_below(l, 2);
    const int longest = lab_below(l, 4) ? 3 : (int)(sizeof lengths / sizeof *lengths);
    p->shape[p->ndim - 1] = lengths[lab_below(l, longest)];
    if (p->ndim == 2) p->shape[0] = lab_below(l, 10) ? 1 + lab_below(l, 3) : 0;
}

/* Some values that the tape knows, each perhaps more than once; returns how many. */
static int random_choice(lab *l, const program *p, int first, int *chosen) {
    int count = 0;
    const int wanted = 1 + lab_below(l, MOST);
    for (int attempt = 0; attempt < 20 && count < wanted; attempt++) {
        const int value = first + lab_below(l, program_values(p) - first);
        if (lab_slot(l, p->value[value]) != TG_NO_SLOT) chosen[count++] = value;
    }
    return count;
}

static bool equals_naive(const gradient *got, const tg_value *source, const double *expected, double tolerance) {
    if (!CHECK(got->reached == (expected != NULL)) || !CHECK(got->given == got->reached)) return false;
    if (!got->reached) return true;
    if (!CHECK(got->value.dtype == source->dtype) ||
        !CHECK(tg_same_shape(tg_value_ndim(&got->value), tg_value_shape(&got->value), tg_value_ndim(source),
                             tg_value_shape(source)))) {
        return false;
    }
    /* Errors of cancelling terms count against the largest element. */
    double scale = 1;
    const tg_index size = tg_value_size(&got->value);
    for (tg_index i = 0; i < size; i++) scale = fmax(scale, fabs(expected[i]));
    for (tg_index i = 0; i < size; i++) {
        if (!CHECK(fabs(lab_at(&got->value, i) - expected[i]) <= tolerance * scale)) return false;
    }
    return true;
}

static bool same_gradients(const gradient *a, const gradient *b, int count) {
    for (int i = 0; i < count; i++) {
        if (a[i].reached != b[i].reached || a[i].given != b[i].given) return false;
        for (tg_index j = 0; a[i].given && j < tg_value_size(&a[i].value); j++) {
            if (lab_at(&a[i].value, j) != lab_at(&b[i].value, j)) return false;
        }
    }
    return true;
}

static bool check_program(lab *l, program *p) {
    p->dtype = lab_below(l, 3) ? TG_F64 : TG_F32;
    l->general = lab_below(l, 4) == 0;
    random_size(l, p);
    make_program(l, p, 1 + lab_below(l, lab_below(l, 3) ? 12 : PROGRAM_STEPS));
    if (!CHECK_OK(l->status)) return false;
    int target[MOST], source[MOST];
    const int targets = random_choice(l, p, PROGRAM_INPUTS, target), sources = random_choice(l, p, 0, source);
    if (!targets || !sources) return true;
    tensor to[MOST], from[MOST], seeds[MOST];
    for (int i = 0; i < targets; i++) {
        to[i] = p->value[target[i]];
        seeds[i] = lab_random_as(l, p->dtype, tg_value_ndim(&to[i].value), tg_value_shape(&to[i].value),
                                 lab_below(l, LAB_LAYOUTS));
    }
    for (int i = 0; i < sources; i++) from[i] = p->value[source[i]];
    const bool seeded = lab_below(l, 2);
    gradient got[MOST], again[MOST];
    lab_gradients(l, (size_t)targets, to, seeded ? seeds : NULL, (size_t)sources, from, got, false);
    lab_gradients(l, (size_t)targets, to, seeded ? seeds : NULL, (size_t)sources, from, again, true);
    if (!CHECK_OK(l->status)) return false;
    naive_adjoints expected = naive_gradients(l, p, targets, target, seeded ? seeds : NULL);
    bool right = CHECK(same_gradients(got, again, sources));
    for (int i = 0; right && i < sources; i++) {
        right = equals_naive(&got[i], &from[i].value, expected.of[source[i]], p->dtype == TG_F64 ? 1e-11 : 2e-3);
    }
    naive_free(&expected);
    return right;
}

static void test_random_programs(void) {
    program *p = malloc(sizeof *p);
    if (!p) abort();
    for (int round = 0; round < ROUNDS; round++) {
        lab l;
        lab_begin(&l, tg_system_allocator(), lab_below(&(lab){.random = (uint64_t)round}, 2) ? 1 << 24 : 0);
        l.random = (uint64_t)round * 6364136223846793005u + 99;
        const bool right = check_program(&l, p);
        lab_end(&l);
        if (right) continue;
        fprintf(stderr, "    round %d, %d steps\n", round, p->steps);
        break;
    }
    free(p);
}

/* The sum of the last value, weighted, with the inputs moved along a direction. */
static double moved(lab *l, program *p, const tensor *inputs, const tensor *directions, const tensor *weights,
                    double distance) {
    for (int v = 0; v < PROGRAM_INPUTS; v++) {
        tensor by = lab_number(TG_F64, distance);
        tensor x = {.value = inputs[v].value};
        p->value[v] = lab_add(l, x, lab_multiply(l, directions[v], by));
    }
    run_program(l, p);
    return lab_dot(&p->value[program_values(p) - 1].value, &weights->value);
}

static void test_finite_differences(lab *l) {
    for (int round = 0; round < 60; round++) {
        program p = {.dtype = TG_F64, .ndim = 2, .shape = {2, 3}};
        make_program(l, &p, 30);
        for (int i = 0; i < p.steps; i++) { /* smooth ones only */
            if (p.step[i].op == TG_OP_FLOOR || p.step[i].op == TG_OP_MAXIMUM) p.step[i].op = TG_OP_SUBTRACT;
            if (p.step[i].op == TG_OP_CLIP) p.step[i].op = TG_OP_SIN;
            if (p.step[i].op == TG_OP_SQUARE) p.step[i].op = TG_OP_ARCTAN;
        }
        for (int v = 0; v < PROGRAM_INPUTS; v++) p.value[v] = lab_watch(l, p.value[v]);
        run_program(l, &p);
        tensor inputs[PROGRAM_INPUTS], directions[PROGRAM_INPUTS], last = p.value[program_values(&p) - 1];
        const tensor weights = lab_random(l, TG_F64, tg_value_ndim(&last.value), tg_value_shape(&last.value));
        gradient got[PROGRAM_INPUTS];
        memcpy(inputs, p.value, sizeof inputs);
        lab_gradients(l, 1, &last, &weights, PROGRAM_INPUTS, inputs, got, false);
        double slope = 0;
        for (int v = 0; v < PROGRAM_INPUTS; v++) {
            directions[v] = lab_random(l, TG_F64, tg_value_ndim(&inputs[v].value), tg_value_shape(&inputs[v].value));
            if (got[v].given) slope += lab_dot(&got[v].value, &directions[v].value);
        }
        const double h = 1e-6;
        const double difference = moved(l, &p, inputs, directions, &weights, h) -
                                  moved(l, &p, inputs, directions, &weights, -h);
        if (!CHECK(lab_close(slope, difference / (2 * h), 1e-5))) fprintf(stderr, "    round %d\n", round);
    }
}

/* ---- by hand ---- */

static tensor number(lab *l, double value) { return lab_watch(l, lab_number(TG_F64, value)); }

static double slope(lab *l, tensor target, tensor source) {
    gradient g = lab_gradient(l, target, source);
    CHECK(g.reached && g.given && !g.value.array);
    return g.value.scalar.f64;
}

static void test_numbers(lab *l) {
    tensor x = number(l, 3), y = number(l, 5);
    tensor square = lab_multiply(l, x, x), product = lab_multiply(l, x, y);
    CHECK(slope(l, square, x) == 6);
    CHECK(slope(l, product, x) == 5 && slope(l, product, y) == 3);
    CHECK(slope(l, x, x) == 1);
    tensor diamond = lab_multiply(l, lab_add(l, square, x), lab_two(l, TG_OP_SUBTRACT, square, x)); /* x**4 - x**2 */
    CHECK(slope(l, diamond, x) == 4 * 27 - 6);
    CHECK(slope(l, diamond, square) == 18); /* an intermediate value: (s + x) (s - x) */
    CHECK(!lab_gradient(l, square, y).reached);
    CHECK(!lab_gradient(l, x, square).reached); /* the target is older than the source */
    tensor stepped = lab_multiply(l, lab_one(l, TG_OP_FLOOR, x), y);
    CHECK(!lab_gradient(l, stepped, x).reached && slope(l, stepped, y) == 3);
    tensor signs = lab_multiply(l, lab_one(l, TG_OP_SIGN, x), y); /* connected, with slope zero */
    CHECK(slope(l, signs, x) == 0);
}

static void test_several(lab *l) {
    tensor x = number(l, 2), y = number(l, 7), z = number(l, 1);
    tensor a = lab_multiply(l, x, y), b = lab_multiply(l, a, x), c = lab_one(l, TG_OP_SQUARE, y);
    gradient got[4];
    lab_gradients(l, 3, (tensor[]){a, b, c}, NULL, 4, (tensor[]){x, y, z, x}, got, false);
    CHECK(got[0].value.scalar.f64 == 7 + 28 && got[1].value.scalar.f64 == 2 + 4 + 14);
    CHECK(!got[2].reached && got[3].value.scalar.f64 == 35);
    lab_gradients(l, 2, (tensor[]){a, a}, NULL, 2, (tensor[]){x, a}, got, false); /* a target twice, and a source */
    CHECK(got[0].value.scalar.f64 == 14 && got[1].value.scalar.f64 == 2);
}

/* What no source influences, or no target depends on, is not visited. */
static void test_pruning(lab *l) {
    tensor x = number(l, 2), y = number(l, 3), before = lab_one(l, TG_OP_EXP, y), a = lab_multiply(l, x, before);
    tensor unused = lab_one(l, TG_OP_EXP, a), b = lab_multiply(l, a, before);
    const uint32_t source = lab_slot(l, x), target = lab_slot(l, b);
    tg_sweep sweep;
    CHECK_OK(tg_sweep_begin(&sweep, &l->tape, &l->loops, &l->hooks, 1, &source, 1, &target, 0, false));
    CHECK(tg_sweep_is_active(&sweep, lab_slot(l, unused)) && !tg_sweep_is_active(&sweep, lab_slot(l, before)));
    tg_sweep_reach(&sweep, target);
    CHECK(tg_sweep_next(&sweep) == tg_tape_node(&l->tape, target));
    tg_sweep_reach(&sweep, lab_slot(l, a));
    CHECK(tg_sweep_next(&sweep) == tg_tape_node(&l->tape, lab_slot(l, a)));
    CHECK(!tg_sweep_next(&sweep) && !tg_sweep_next(&sweep));
    CHECK(!tg_sweep_is_reached(&sweep, lab_slot(l, unused)) && !tg_sweep_is_reached(&sweep, TG_NO_SLOT));
    tg_sweep_end(&sweep);
}

/* A chain that is longer than what is planned at once, with a source in the middle. */
static void test_long_vector_chain(lab *l) {
    for (tg_index length = TG_BLOCK - 1; length <= 2 * TG_BLOCK + 1; length += TG_BLOCK + 2) {
        tensor x = lab_watch(l, lab_random(l, TG_F64, 1, &length)), factor = number(l, 1.01), y = x, middle = x;
        const int steps = 5 * TG_CHAIN_NODES + 3;
        for (int i = 0; i < steps; i++) {
            y = i % 2 ? lab_multiply(l, y, factor) : lab_add(l, y, x);
            if (i == steps / 2) middle = y;
        }
        gradient got[3];
        lab_gradients(l, 1, &y, NULL, 3, (tensor[]){x, middle, factor}, got, false);
        double by_x = 1, by_middle = 1, value = 1, by_factor = 0;
        for (int i = 0; i < steps; i++) {
            by_x = i % 2 ? by_x * 1.01 : by_x + 1;
            if (i > steps / 2 && i % 2) by_middle *= 1.01;
            by_factor = i % 2 ? by_factor * 1.01 + value : by_factor;
            value = i % 2 ? value * 1.01 : value + 1;
        }
        double sum = 0;
        for (tg_index i = 0; i < length; i++) sum += lab_at(&x.value, i);
        CHECK(lab_close(lab_at(&got[0].value, length - 1), by_x, 1e-12));
        CHECK(lab_close(lab_at(&got[1].value, length - 1), by_middle, 1e-12));
        CHECK(lab_close(got[2].value.scalar.f64, by_factor * sum, 1e-11));
    }
}

/* Two programs side by side, in two types. */
static void test_mixed_types(lab *l) {
    tensor x[2], y[2];
    for (int t = 0; t < 2; t++) y[t] = x[t] = lab_watch(l, lab_random(l, t ? TG_F64 : TG_F32, 1, (tg_index[]){5}));
    for (int i = 0; i < 10; i++) y[i % 2] = lab_one(l, TG_OP_SQUARE, y[i % 2]);
    gradient got[2];
    lab_gradients(l, 2, y, NULL, 2, x, got, false);
    for (int t = 0; t < 2; t++) {
        for (int i = 0; i < 5; i++) {
            CHECK(lab_close(lab_at(&got[t].value, i), 32 * pow(lab_at(&x[t].value, i), 31), t ? 1e-13 : 1e-4));
        }
    }
}

/* Many nodes that share nothing: more adjoints than are planned at once. */
static void test_many_places(lab *l) {
    enum { NODES = 42 };
    tensor operands[3 * NODES], results[NODES];
    for (int i = 0; i < 3 * NODES; i++) operands[i] = lab_watch(l, lab_random(l, TG_F64, 1, (tg_index[]){4}));
    for (int i = 0; i < NODES; i++) results[i] = lab_apply(l, TG_OP_CLIP, 3, operands + 3 * i);
    gradient got[3 * NODES];
    lab_gradients(l, NODES, results, NULL, 3 * NODES, operands, got, false);
    for (int i = 0; i < 4 * NODES; i++) { /* each element comes from one of the three */
        const gradient *of = &got[i / 4 * 3];
        CHECK(lab_at(&of[0].value, i % 4) + lab_at(&of[1].value, i % 4) + lab_at(&of[2].value, i % 4) == 1);
    }
}

/* Nothing to add up, but shapes all the same. */
static void test_empty(lab *l) {
    tensor x = lab_watch(l, lab_random(l, TG_F64, 2, (tg_index[]){0, 3})), y = number(l, 2);
    tensor row = lab_watch(l, lab_random(l, TG_F64, 1, (tg_index[]){3}));
    tensor z = lab_multiply(l, lab_multiply(l, lab_one(l, TG_OP_EXP, x), y), row);
    gradient got[3];
    lab_gradients(l, 1, &z, NULL, 3, (tensor[]){x, y, row}, got, false);
    CHECK(got[0].given && tg_same_shape(2, tg_value_shape(&got[0].value), 2, (tg_index[]){0, 3}));
    CHECK(got[1].given && got[1].value.scalar.f64 == 0);
    CHECK(got[2].given && tg_value_size(&got[2].value) == 3 && lab_at(&got[2].value, 2) == 0);

    /* As many elements, but another shape; the cotangent is an array of its own, which could be taken over. */
    tensor column = lab_watch(l, lab_random(l, TG_F64, 2, (tg_index[]){0, 1})), chosen = lab_number(TG_I64, 1);
    const tg_call take = {
        .op = TG_TAKE, .dtype = TG_F64, .ndim = 1, .params_count = 1, .params = (tg_index[]){1}, .shape = {0}};
    z = lab_structural(l, &take, 2, (tensor[]){lab_multiply(l, column, x), chosen});
    lab_gradients(l, 1, &z, NULL, 2, (tensor[]){column, x}, got, false);
    CHECK(got[0].given && tg_same_shape(2, tg_value_shape(&got[0].value), 2, (tg_index[]){0, 1}));
    CHECK(got[1].given && tg_same_shape(2, tg_value_shape(&got[1].value), 2, (tg_index[]){0, 3}));
    lab_gradients(l, 1, &z, NULL, 1, (tensor[]){column}, got, false);
    CHECK(got[0].given && tg_same_shape(2, tg_value_shape(&got[0].value), 2, (tg_index[]){0, 1}));
}

int main(void) {
    void (*const tests[])(lab *l) = {
        test_numbers,           test_several,     test_pruning,     test_finite_differences,
        test_long_vector_chain, test_mixed_types, test_many_places, test_empty,
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        for (int cached = 0; cached <= 1; cached++) {
            lab l;
            lab_begin(&l, tg_system_allocator(), cached ? 1 << 24 : 0);
            tests[i](&l);
            CHECK_OK(lab_end(&l));
        }
    }
    test_random_programs();
    return check_report();
}
