/* Sweeps that need someone else: rules outside the core, element types without kernels, sweeps that are recorded. */
#include "sweep.h"

#include "lab.h"

/* ---- rules outside the core: (x, y) -> (x * y, x + y) ---- */

typedef struct outside {
    lab *lab;
    tensor x, y;
    int calls, fail_at; /* fails at this call; negative: never */
    bool silent;        /* adds nothing: the operands are reached by symbolic zeros */
} outside;

static void release_nothing(void *payload) { (void)payload; }

/* into += factor * g, where g may be missing. */
static tg_status pass_on(outside *o, tg_sweep *sweep, uint32_t slot, uint32_t into, const tensor *factor) {
    tg_value g;
    if (!tg_sweep_is_active(sweep, into) || !tg_sweep_is_reached(sweep, slot)) return TG_OK;
    tg_sweep_reach(sweep, into);
    if (o->silent || !tg_sweep_peek(sweep, slot, &g)) return TG_OK;
    const tg_value operands[2] = {g, factor->value};
    tg_value contribution;
    tg_status status = tg_elementwise(sweep->loops, o->lab->pool, TG_OP_MULTIPLY, TG_F64, operands, &contribution);
    return status == TG_OK ? tg_sweep_add(sweep, into, &contribution) : status;
}

static tg_status rule(void *context, tg_sweep *sweep, tg_node *node) {
    outside *o = context;
    if (o->calls++ == o->fail_at) return TG_CALLBACK;
    const tensor one = lab_number(TG_F64, 1);
    tg_status status = pass_on(o, sweep, node->slot, node->in[0], &o->y);
    if (status == TG_OK) status = pass_on(o, sweep, node->slot, node->in[1], &o->x);
    if (status == TG_OK) status = pass_on(o, sweep, node->slot + 1, node->in[0], &one);
    if (status == TG_OK) status = pass_on(o, sweep, node->slot + 1, node->in[1], &one);
    return status;
}

/* Records the pair of results. */
static void run_outside(lab *l, outside *o, tensor x, tensor y, tensor *product, tensor *sum) {
    *o = (outside){.lab = l, .x = x, .y = y, .fail_at = -1};
    l->hooks = (tg_sweep_hooks){.context = o, .rule = rule, .poll = lab_never_interrupted};
    l->tape.release_payload = release_nothing;
    const tensor x_constant = {.value = x.value}, y_constant = {.value = y.value};
    *product = lab_multiply(l, x_constant, y_constant);
    *sum = lab_add(l, x_constant, y_constant);
    if (l->status != TG_OK) return;
    const uint32_t in[2] = {lab_slot(l, x), lab_slot(l, y)};
    uint32_t slot;
    const tg_output outputs[2] = {
        {TG_F64, tg_value_ndim(&product->value), tg_value_shape(&product->value)},
        {TG_F64, tg_value_ndim(&sum->value), tg_value_shape(&sum->value)},
    };
    l->status = tg_tape_record_external(&l->tape, 2, in, 2, outputs, o, &slot);
    product->handles = (tg_handles){.id = {l->tape.id}, .slot = {slot}};
    sum->handles = (tg_handles){.id = {l->tape.id}, .slot = {slot + 1}};
}

static void test_rule(lab *l) {
    /* x is broadcast, and a chain of vectors lies on either side. */
    tensor x = lab_watch(l, lab_random(l, TG_F64, 1, (tg_index[]){3}));
    tensor y = lab_watch(l, lab_random(l, TG_F64, 2, (tg_index[]){2, 3}));
    tensor p, s;
    outside o;
    run_outside(l, &o, lab_one(l, TG_OP_SQUARE, x), y, &p, &s);
    tensor z = lab_multiply(l, lab_one(l, TG_OP_SQUARE, p), s);
    gradient got[4];
    lab_gradients(l, 1, &z, NULL, 4, (tensor[]){x, y, p, s}, got, false);
    CHECK(o.calls == 1);
    double by_x[3] = {0};
    for (int i = 0; i < 6; i++) {
        const double a = lab_at(&x.value, i % 3), q = a * a, b = lab_at(&y.value, i);
        const double by_p = 2 * q * b * (q + b), by_s = q * b * q * b;
        by_x[i % 3] += 2 * a * (by_p * b + by_s);
        CHECK(lab_close(lab_at(&got[1].value, i), by_p * q + by_s, 1e-13));
        CHECK(lab_close(lab_at(&got[2].value, i), by_p, 1e-13) && lab_close(lab_at(&got[3].value, i), by_s, 1e-13));
    }
    for (int i = 0; i < 3; i++) CHECK(lab_close(lab_at(&got[0].value, i), by_x[i], 1e-13));

    /* Only one of its outputs matters; the last node is not the target; the first source is one of its outputs. */
    gradient g = lab_gradient(l, s, x);
    CHECK(o.calls == 2 && lab_close(lab_at(&g.value, 1), 4 * lab_at(&x.value, 1), 1e-14));
    g = lab_gradient(l, p, y);
    CHECK(lab_at(&g.value, 4) == lab_at(&o.x.value, 1));
    g = lab_gradient(l, z, s);
    CHECK(g.given && lab_close(lab_at(&g.value, 0), pow(lab_at(&p.value, 0), 2), 1e-14));
    CHECK(!lab_gradient(l, s, p).reached);
}

static void test_numbers_outside(lab *l) {
    tensor x = lab_watch(l, lab_number(TG_F64, 3)), y = lab_watch(l, lab_number(TG_F64, 5)), p, s;
    outside o;
    run_outside(l, &o, x, y, &p, &s);
    gradient got[2];
    lab_gradients(l, 1, (tensor[]){lab_multiply(l, p, s)}, NULL, 2, (tensor[]){x, y}, got, true);
    CHECK(got[0].value.scalar.f64 == 5 * 8 + 15 && got[1].value.scalar.f64 == 3 * 8 + 15);
}

static void test_symbolic_zero(lab *l) {
    const tg_index shape[] = {4};
    tensor x = lab_watch(l, lab_random(l, TG_F64, 1, shape)), y = lab_watch(l, lab_random(l, TG_F64, 1, shape)), p, s;
    tensor before = lab_one(l, TG_OP_EXP, x);
    outside o;
    run_outside(l, &o, before, y, &p, &s);
    tensor z = lab_multiply(l, p, s);
    o.silent = true;
    gradient got[3];
    lab_gradients(l, 1, &z, NULL, 3, (tensor[]){x, y, p}, got, false);
    CHECK(got[0].reached && !got[0].given && got[1].reached && !got[1].given && got[2].given);
}

static void test_failing_rule(lab *l) {
    tensor x = lab_watch(l, lab_random(l, TG_F64, 1, (tg_index[]){4})), p, s;
    outside o;
    run_outside(l, &o, lab_one(l, TG_OP_EXP, x), lab_number(TG_F64, 2), &p, &s);
    tensor z = lab_multiply(l, p, s);
    o.fail_at = 0;
    lab_gradient(l, z, x);
    CHECK(l->status == TG_CALLBACK);
    l->status = TG_OK;
    CHECK(lab_gradient(l, z, x).given);
}

/* ---- cotangents that have to be made to fit ---- */

static void test_fitting(lab *l) {
    tensor x = lab_watch(l, lab_random(l, TG_F64, 2, (tg_index[]){3, 1})), n = lab_watch(l, lab_number(TG_F32, 1));
    const uint32_t slots[2] = {lab_slot(l, x), lab_slot(l, n)};
    tg_sweep sweep;
    CHECK_OK(tg_sweep_begin(&sweep, &l->tape, &l->loops, &l->hooks, 2, slots, 2, slots, 0, false));
    double expected[3] = {0}, total = 0;
    for (int round = 0; round < 3; round++) {
        tensor wide = lab_random_as(l, round == 1 ? TG_F32 : TG_F64, 3, (tg_index[]){2, 3, 4}, round);
        for (tg_index i = 0; i < 24; i++) {
            expected[i / 4 % 3] += lab_at(&wide.value, i);
            total += lab_at(&wide.value, i);
        }
        for (int k = 0; k < 2; k++) {
            tg_value contribution = wide.value;
            tg_array_retain(contribution.array);
            CHECK_OK(tg_sweep_add(&sweep, slots[k], &contribution));
        }
    }
    tg_value out;
    CHECK(tg_sweep_take(&sweep, slots[0], &out) && out.dtype == TG_F64 && tg_value_ndim(&out) == 2);
    for (int i = 0; i < 3; i++) CHECK(lab_close(lab_at(&out, i), expected[i], 1e-6));
    tg_array_release(out.array);
    CHECK(tg_sweep_take(&sweep, slots[1], &out) && out.dtype == TG_F32 && !out.array);
    CHECK(lab_close((double)out.scalar.f32, total, 1e-5));
    tg_sweep_end(&sweep);
}

/* ---- element types without kernels ---- */

static tg_status add_complex(void *context, const tg_value *a, const tg_value *b, tg_value *out) {
    lab *l = context;
    tg_array *arrays[2] = {NULL, NULL}, *sum = NULL;
    tg_status status = tg_value_to_array(a, l->pool, &arrays[0]);
    if (status == TG_OK) status = tg_value_to_array(b, l->pool, &arrays[1]);
    if (status == TG_OK) status = tg_array_like(l->pool, arrays[0], &sum);
    for (tg_index i = 0; status == TG_OK && i < 2 * sum->size; i++) {
        const double x = ((double *)(void *)arrays[0]->data)[i], y = ((double *)(void *)arrays[1]->data)[i];
        ((double *)(void *)sum->data)[i] = x + y;
    }
    if (status == TG_OK) tg_value_from_array(sum, out);
    tg_array_release(arrays[0]);
    tg_array_release(arrays[1]);
    return status;
}

/* An addition: its cotangent goes to both operands as it is. */
static tg_status complex_rule(void *context, tg_sweep *sweep, tg_node *node) {
    (void)context;
    for (uint32_t k = 0; k < node->operands; k++) {
        tg_value g;
        if (!tg_sweep_is_active(sweep, node->in[k]) || !tg_sweep_peek(sweep, node->slot, &g)) continue;
        if (g.array) tg_array_retain(g.array);
        tg_status status = tg_sweep_add(sweep, node->in[k], &g);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

static void test_complex(lab *l) {
    l->hooks = (tg_sweep_hooks){
        .context = l, .rule = complex_rule, .add = add_complex, .poll = lab_never_interrupted};
    for (int ndim = 0; ndim <= 1; ndim++) {
        const tg_index shape[] = {3};
        uint32_t x, y, in[2];
        CHECK_OK(tg_tape_watch(&l->tape, TG_C128, ndim, shape, &x));
        in[0] = in[1] = x;
        tg_record record = {.op = TG_OP_ADD, .kind = TG_NODE_ELEMENTWISE, .dtype = TG_C128, .flags = TG_FLAG_GENERIC};
        record.ndim = ndim;
        record.shape = shape;
        record.operands = 2;
        record.in = in;
        CHECK_OK(tg_tape_record(&l->tape, &record, &y));
        in[0] = y;
        CHECK_OK(tg_tape_record(&l->tape, &record, &y)); /* x + x + x */
        tg_value seed = {.dtype = TG_C128, .scalar = {.c128 = {2, -1}}}, out;
        if (ndim) CHECK_OK(tg_array_new(l->pool, TG_C128, 1, shape, &seed.array));
        for (int i = 0; ndim && i < 3; i++) memcpy(seed.array->data + 16 * i, &seed.scalar, 16);
        tg_sweep sweep;
        CHECK_OK(tg_sweep_begin(&sweep, &l->tape, &l->loops, &l->hooks, 1, &x, 1, &y, 0, true));
        CHECK_OK(tg_sweep_add(&sweep, y, &seed));
        CHECK_OK(tg_sweep_run(&sweep));
        CHECK(tg_sweep_is_reached(&sweep, x) && tg_sweep_take(&sweep, x, &out) && tg_value_ndim(&out) == ndim);
        const double *first = out.array ? (double *)(void *)out.array->data : out.scalar.c128;
        CHECK(first[0] == 6 && first[1] == -3);
        tg_array_release(out.array);
        tg_sweep_end(&sweep);
    }
}

/* ---- sweeps that are recorded ---- */

/* The walk goes on while what it meets is recorded on the same tape, which moves. */
static void test_recorded_walk(lab *l) {
    tensor x = lab_watch(l, lab_number(TG_F64, 2)), y = x;
    for (int i = 0; i < 300; i++) y = lab_one(l, TG_OP_SIN, y);
    const uint32_t source = lab_slot(l, x), target = lab_slot(l, y);
    tg_sweep sweep;
    CHECK_OK(tg_sweep_begin(&sweep, &l->tape, &l->loops, &l->hooks, 1, &source, 1, &target, 0, false));
    tg_sweep_reach(&sweep, target);
    uint32_t visited = 0;
    const uint64_t *first_arena = l->tape.arena;
    for (tg_node *node; (node = tg_sweep_next(&sweep)); visited++) {
        CHECK(node->slot == target - visited);
        tg_sweep_reach(&sweep, node->in[0]);
        for (int i = 0; i < 10; i++) y = lab_one(l, TG_OP_COS, y);
    }
    CHECK(visited == 300 && l->tape.arena != first_arena && tg_sweep_is_reached(&sweep, source));
    tg_sweep_end(&sweep);
}

static tg_status rule_with_failures(tg_allocator allocator, void *context) {
    lab l;
    lab_begin(&l, allocator, 0);
    outside o = {.lab = context};
    tensor x = lab_random(&l, TG_F64, 1, (tg_index[]){3}), p = x, s = x;
    if (l.status == TG_OK) x = lab_watch(&l, x);
    if (l.status == TG_OK) run_outside(&l, &o, lab_one(&l, TG_OP_EXP, x), x, &p, &s);
    if (l.status == TG_OK) lab_gradient(&l, lab_multiply(&l, p, s), x);
    return lab_end(&l);
}

int main(void) {
    void (*const tests[])(lab *l) = {test_rule,         test_numbers_outside, test_symbolic_zero, test_failing_rule,
                                     test_fitting,      test_complex,         test_recorded_walk};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        lab l;
        lab_begin(&l, tg_system_allocator(), 0);
        tests[i](&l);
        CHECK_OK(lab_end(&l));
    }
    check_every_failure(rule_with_failures, NULL);
    return check_report();
}
