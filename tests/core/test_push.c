/* The forward push and batches: random programs, structural operations of every kind, growing tapes, failing
 * allocations. The reverse sweep, tested elsewhere, is the oracle: <seed, J t> = <J' seed, t>. */
#include "push.h"

#include "lab.h"
#include "programs.h"
#include "structural_examples.h"

#define ROUNDS 1500
#define ROWS 3

static tg_status no_rule(void *context, tg_push *push, tg_node *node) {
    (void)context, (void)push, (void)node;
    return TG_CALLBACK;
}

static tg_status go_on(void *context) {
    if (context) ++*(int *)context;
    return TG_OK;
}

static tg_push_hooks hooks(int *polls) { return (tg_push_hooks){.context = polls, .rule = no_rule, .poll = go_on}; }

/* A value of `like`'s shape behind a batch axis (rows > 0), or of its shape. */
static tensor direction(lab *l, const tg_value *like, tg_index rows) {
    tg_index shape[TG_MAX_DIMS];
    const tg_output output = {like->dtype, tg_value_ndim(like), tg_value_shape(like)};
    const tg_output batched = tg_batch_output(output, rows, shape);
    return lab_random(l, like->dtype, batched.ndim, batched.shape);
}

/* Row `row` of a batch, seen without its axis. */
static double row_at(const tg_value *batch, tg_index row, tg_index index, tg_index size) {
    return lab_at(batch, row * size + index);
}

static tg_status set(tg_push *push, uint32_t slot, tensor tangent) {
    tg_value value = tangent.value;
    if (value.array) tg_array_retain(value.array);
    return tg_push_set(push, slot, &value);
}

/* The targets' tangents, kept by the lab; false where there is none. */
static tg_status pushed(lab *l, tg_index rows, int sources, const uint32_t *from, const tensor *tangents, int targets,
                        const uint32_t *to, bool prune, bool *reached, tg_value *out) {
    uint32_t low = TG_NO_SLOT, end = 0;
    for (int i = 0; i < sources; i++) low = from[i] < low ? from[i] : low;
    for (int i = 0; i < targets; i++) end = to[i] >= end ? to[i] + 1 : end;
    tg_push push;
    tg_push_hooks none = hooks(NULL);
    tg_push_begin(&push, &l->tape, &l->loops, &none, rows, low);
    tg_status status = TG_OK;
    for (int i = 0; i < sources && status == TG_OK; i++) status = set(&push, from[i], tangents[i]);
    if (prune && status == TG_OK) status = tg_push_prune(&push, (size_t)targets, to);
    /* In two steps, as a tape that grows is pushed through. */
    if (status == TG_OK) status = tg_push_run(&push, low + (end > low ? (end - low) / 2 : 0));
    if (status == TG_OK) status = tg_push_run(&push, end);
    for (int i = 0; i < targets && status == TG_OK; i++) {
        reached[i] = tg_push_peek(&push, to[i], &out[i]);
        if (reached[i] && out[i].array) {
            tg_array_retain(out[i].array);
            lab_keep(l, out[i].array);
        }
    }
    tg_push_end(&push);
    return status;
}

/* One push and ROWS of them at once agree with each other and with the reverse sweep. */
static bool check_both_modes(lab *l, int sources, const tensor *source, tensor target, double tolerance) {
    uint32_t from[PROGRAM_INPUTS], to = lab_slot(l, target);
    tensor stacks[PROGRAM_INPUTS], rows[PROGRAM_INPUTS];
    const tensor seeds = direction(l, &target.value, ROWS);
    const tg_index target_size = tg_value_size(&target.value);
    for (int i = 0; i < sources; i++) {
        from[i] = lab_slot(l, source[i]);
        stacks[i] = direction(l, &source[i].value, ROWS);
    }
    bool reached = false, batch_reached = false;
    tg_value batch = {.array = NULL}, single = {.array = NULL};
    if (!CHECK_OK(pushed(l, ROWS, sources, from, stacks, 1, &to, true, &batch_reached, &batch))) return false;
    if (batch_reached && !CHECK(tg_value_ndim(&batch) == tg_value_ndim(&target.value) + 1)) return false;

    /* The same rows backwards, at once. */
    tg_sweep sweep;
    tg_status status =
        tg_sweep_begin(&sweep, &l->tape, &l->loops, &l->hooks, (size_t)sources, from, 1, &to, ROWS, false);
    const bool active = status == TG_OK && tg_sweep_is_active(&sweep, to);
    if (active) {
        tg_value seed = seeds.value;
        tg_array_retain(seed.array);
        status = tg_sweep_add(&sweep, to, &seed);
        if (status == TG_OK) status = tg_sweep_run(&sweep);
    }
    bool right = CHECK_OK(status) && CHECK(batch_reached == (active && batch_reached));
    for (tg_index row = 0; right && row < ROWS; row++) {
        double back = 0, forth = 0, scale = 0;
        tensor seed = lab_empty(l, target.value.dtype, tg_value_ndim(&target.value), tg_value_shape(&target.value),
                                LAB_PLAIN);
        for (tg_index j = 0; j < target_size; j++) {
            void *to_put = seed.value.array ? (void *)lab_element(seed.value.array, j) : (void *)&seed.value.scalar;
            lab_put(seed.value.dtype, to_put, row_at(&seeds.value, row, j, target_size));
        }
        gradient one[PROGRAM_INPUTS];
        lab_gradients(l, 1, &target, &seed, (size_t)sources, source, one, false);
        for (int i = 0; right && i < sources; i++) {
            const tg_index size = tg_value_size(&source[i].value);
            rows[i] = lab_empty(l, source[i].value.dtype, tg_value_ndim(&source[i].value),
                                tg_value_shape(&source[i].value), LAB_PLAIN);
            tg_value stacked = {.array = NULL};
            const bool given =
                active && tg_sweep_is_reached(&sweep, from[i]) && tg_sweep_peek(&sweep, from[i], &stacked);
            right = CHECK(given == one[i].given || size == 0 || target_size == 0 || !one[i].value.array);
            for (tg_index j = 0; right && j < size; j++) {
                const double t = row_at(&stacks[i].value, row, j, size);
                void *to_put =
                    rows[i].value.array ? (void *)lab_element(rows[i].value.array, j) : (void *)&rows[i].value.scalar;
                lab_put(rows[i].value.dtype, to_put, t);
                if (!given || !one[i].given) continue;
                const double a = row_at(&stacked, row, j, size), b = lab_at(&one[i].value, j);
                right = CHECK(fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b)) * 1000);
                back += a * t;
                scale += fabs(a * t);
            }
        }
        if (right && CHECK_OK(pushed(l, 0, sources, from, rows, 1, &to, row == 0, &reached, &single))) {
            right = CHECK(reached == batch_reached);
        }
        for (tg_index j = 0; right && reached && j < target_size; j++) {
            const double a = row_at(&batch, row, j, target_size), b = lab_at(&single, j);
            const double s = row_at(&seeds.value, row, j, target_size);
            right = CHECK(fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b)) * 1000);
            forth += s * a;
            scale += fabs(s * a);
        }
        right = right && CHECK(fabs(back - forth) <= tolerance * (1 + scale) * 1000);
    }
    if (status == TG_OK || active) tg_sweep_end(&sweep);
    return right && CHECK_OK(l->status);
}

static void test_random_programs(void) {
    program *p = malloc(sizeof *p);
    if (!p) abort();
    for (int round = 0; round < ROUNDS; round++) {
        lab l;
        lab_begin(&l, tg_system_allocator(), 0);
        l.random = (uint64_t)round * 6364136223846793005u + 7;
        p->dtype = lab_below(&l, 3) ? TG_F64 : TG_F32;
        l.general = lab_below(&l, 4) == 0;
        p->ndim = 1 + lab_below(&l, 2);
        p->shape[0] = lab_below(&l, 10) ? 1 + lab_below(&l, 3) : 0;
        p->shape[p->ndim - 1] = 1 + lab_below(&l, 6);
        make_program(&l, p, 1 + lab_below(&l, 25));
        tensor known[PROGRAM_INPUTS];
        int count = 0;
        for (int v = 0; v < PROGRAM_INPUTS; v++) {
            if (lab_slot(&l, p->value[v]) != TG_NO_SLOT) known[count++] = p->value[v];
        }
        const tensor last = p->value[program_values(p) - 1];
        bool right = true;
        if (count && lab_slot(&l, last) != TG_NO_SLOT) {
            right = check_both_modes(&l, count, known, last, p->dtype == TG_F64 ? 1e-13 : 1e-5);
        }
        right &= CHECK_OK(lab_end(&l));
        if (right) continue;
        fprintf(stderr, "    round %d, %d steps\n", round, p->steps);
        break;
    }
    free(p);
}

/* Records an example; the values of operations without a native forward do not matter here. */
static tensor record_example(lab *l, const example *e) {
    if (e->call.op != TG_CONCATENATE && e->call.op != TG_SELECT) {
        return lab_structural(l, &e->call, e->count, e->operands);
    }
    tensor out = lab_random(l, e->call.dtype, e->call.ndim, e->call.shape);
    unsigned needs[MOST_OPERANDS];
    for (int k = 0; k < e->count; k++) needs[k] = tg_structural_needs(e->call.op, k);
    tg_record record = {
        .op = e->call.op, .kind = TG_NODE_STRUCTURAL, .params_count = e->call.params_count, .params = e->params};
    lab_record(l, &record, e->count, e->operands, &out, needs);
    return out;
}

/* Every structural operation on squares. */
static void test_structural(void) {
    for (int op = 0; op < TG_STRUCTURAL_OPS; op++) {
        for (int round = 0; round < 300; round++) {
            lab l;
            lab_begin(&l, tg_system_allocator(), 0);
            l.random = (uint64_t)round * 6364136223846793005u + (uint64_t)op;
            example e = make_example(&l, op, lab_below(&l, 3) ? TG_F64 : TG_F32);
            e.call.params = e.params;
            tensor watched[MOST_OPERANDS];
            int count = 0;
            for (int i = 0; i < MOST_OPERANDS && e.linear[i] >= 0; i++) {
                tensor *operand = &e.operands[e.linear[i]];
                watched[count++] = lab_watch(&l, *operand);
                *operand = lab_multiply(&l, watched[count - 1], watched[count - 1]);
            }
            const tensor out = record_example(&l, &e);
            const bool wide = out.value.dtype == TG_F64 && watched[0].value.dtype == TG_F64;
            const bool right =
                CHECK_OK(l.status) && check_both_modes(&l, count, watched, out, wide ? 1e-13 : 1e-5);
            lab_end(&l);
            if (right) continue;
            fprintf(stderr, "    operation %d, round %d\n", op, round);
            break;
        }
    }
}

/* A push goes on as the tape grows, keeps what it needs, and asks now and then. */
static void test_growing(lab *l) {
    tensor x = lab_watch(l, lab_number(TG_F64, 0.5)), y = x;
    int polls = 0;
    tg_push push;
    const tg_push_hooks counting = hooks(&polls);
    tg_push_begin(&push, &l->tape, &l->loops, &counting, 0, lab_slot(l, x));
    CHECK_OK(set(&push, lab_slot(l, x), lab_number(TG_F64, 1)));
    double slope = 1;
    for (int i = 0; i < 200000; i++) {
        y = lab_multiply(l, y, lab_number(TG_F64, 1.00001));
        slope *= 1.00001;
        if (i % 50000 == 7) {
            tg_value t;
            CHECK(!tg_push_peek(&push, lab_slot(l, y), &t));
            CHECK_OK(tg_push_run(&push, lab_slot(l, y) + 1));
            CHECK(tg_push_peek(&push, lab_slot(l, y), &t) && lab_close(t.scalar.f64, slope, 1e-9));
        }
    }
    CHECK_OK(tg_push_run(&push, TG_NO_SLOT));
    CHECK(polls > 0);
    tg_push_end(&push);
}

/* Tangents that no target needs are not computed, and those that are go after their last use. */
static void test_pruning(lab *l) {
    enum { STEPS = 50, LENGTH = 10000, BYTES = LENGTH * 8 };
    tensor x = lab_watch(l, lab_random(l, TG_F64, 1, (tg_index[]){LENGTH})), y = x;
    for (int i = 0; i < STEPS; i++) y = lab_one(l, TG_OP_TANH, y);
    for (int i = 0; i < STEPS; i++) lab_one(l, TG_OP_EXP, y); /* of no use */
    const uint32_t from = lab_slot(l, x), to = lab_slot(l, y);
    const tensor t = lab_random(l, TG_F64, 1, (tg_index[]){LENGTH});
    tg_pool_reset_peak(l->pool);
    const size_t before = tg_pool_statistics(l->pool).live;
    bool reached;
    tg_value out;
    CHECK_OK(pushed(l, 0, 1, &from, &t, 1, &to, true, &reached, &out));
    CHECK(reached && tg_pool_statistics(l->pool).peak < before + 6 * BYTES);
}

static void test_too_many_dimensions(lab *l) {
    tg_index shape[TG_MAX_DIMS];
    for (int d = 0; d < TG_MAX_DIMS; d++) shape[d] = 1;
    tensor x = lab_watch(l, lab_random(l, TG_F64, TG_MAX_DIMS, shape)), y = lab_one(l, TG_OP_SIN, x);
    const uint32_t from = lab_slot(l, x), to = lab_slot(l, y);
    tg_push push;
    const tg_push_hooks none = hooks(NULL);
    tg_push_begin(&push, &l->tape, &l->loops, &none, 2, from);
    CHECK_OK(set(&push, from, lab_random(l, TG_F64, 1, (tg_index[]){2})));
    CHECK(tg_push_run(&push, to + 1) == TG_TOO_LARGE);
    tg_push_end(&push);
    tg_sweep sweep;
    CHECK_OK(tg_sweep_begin(&sweep, &l->tape, &l->loops, &l->hooks, 1, &from, 1, &to, 2, false));
    tensor seed = lab_random(l, TG_F64, 1, (tg_index[]){2});
    tg_array_retain(seed.value.array);
    CHECK(tg_sweep_add(&sweep, to, &seed.value) == TG_TOO_LARGE);
    tg_sweep_end(&sweep);
}

/* A push in which any allocation may fail: it ends with that status, and nothing is lost. */
static tg_status failing(tg_allocator allocator, void *argument) {
    lab l;
    lab_begin(&l, allocator, 0);
    tensor x = lab_watch(&l, lab_random(&l, TG_F64, 2, (tg_index[]){3, 4})), y = lab_one(&l, TG_OP_SIN, x);
    y = lab_multiply(&l, y, x);
    const tg_index all = 3;
    const tg_call sum = {.op = TG_SUM, .dtype = TG_F64, .params_count = 1, .params = &all};
    tensor z = lab_structural(&l, &sum, 1, &y);
    z = lab_multiply(&l, z, y);
    const tg_index rows = *(const int *)argument;
    const tensor t = direction(&l, &x.value, rows);
    uint32_t from = 0, to = 0;
    if (l.status == TG_OK) {
        from = lab_slot(&l, x);
        to = lab_slot(&l, z);
        bool reached;
        tg_value out;
        l.status = pushed(&l, rows, 1, &from, &t, 1, &to, true, &reached, &out);
    }
    return lab_end(&l);
}

int main(void) {
    test_random_programs();
    test_structural();
    lab_run(test_growing);
    lab_run(test_pruning);
    lab_run(test_too_many_dimensions);
    for (int rows = 0; rows <= 2; rows += 2) check_every_failure(failing, &rows);
    return check_report();
}
