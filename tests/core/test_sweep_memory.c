/* What a sweep does to memory, and how it ends: saved values given up, arrays written in place, long tapes, interrupts,
 * failing allocations. */
#include "sweep.h"

#include "chain.h"
#include "lab.h"
#include "programs.h"

static size_t live(const lab *l) { return tg_pool_statistics(l->pool).live; }

/* y = tanh(y) again and again, or with a view after each operation, so that no two of them are swept as one chain. */
static tensor tanh_chain(lab *l, tensor y, int steps, bool broken) {
    tg_call view = {.op = TG_RESHAPE, .dtype = TG_F64, .ndim = 1, .shape = {tg_value_size(&y.value)}};
    for (int i = 0; i < steps; i++) {
        y = lab_one(l, TG_OP_TANH, y);
        if (broken) y = lab_structural(l, &view, 1, &y);
    }
    return y;
}

/* Saved values go as the sweep passes them, and cotangents are written over one another. */
static void test_memory_of_a_sweep(lab *l) {
    enum { STEPS = 100, LENGTH = 10000, BYTES = LENGTH * 8 };
    for (int broken = 0; broken <= 1; broken++) {
        for (int consume = 0; consume <= 1; consume++) {
            tg_tape_clear(&l->tape, l->tape.id + 1);
            tensor x = lab_watch(l, lab_random(l, TG_F64, 1, (tg_index[]){LENGTH}));
            tensor y = tanh_chain(l, x, STEPS, broken);
            lab_forget(l); /* only the tape knows the values now */
            const size_t recorded = live(l);
            CHECK(l->tape.owning == STEPS && recorded > (size_t)STEPS * BYTES);
            tg_pool_reset_peak(l->pool);
            gradient g;
            lab_gradients(l, 1, &y, NULL, 1, &x, &g, consume);
            CHECK(g.given && tg_array_is_unique(g.value.array));
            /* The gradient, a block for each adjoint of a chain, and at most two more arrays at a time. */
            const size_t blocks = (TG_CHAIN_PLACES + 20) * TG_BLOCK * 8;
            CHECK(tg_pool_statistics(l->pool).peak < recorded + 4 * BYTES + blocks);
            if (consume) {
                CHECK(l->tape.owning == 0 && live(l) < 3 * BYTES);
            } else {
                CHECK(l->tape.owning == STEPS && live(l) < recorded + 2 * BYTES);
            }
            lab_forget(l);
        }
    }
}

/* A cotangent that someone else holds, or that is another adjoint too, is not written over. */
static void test_shared_cotangents(lab *l) {
    const tg_index shape[] = {TG_BLOCK + 5};
    tensor x = lab_watch(l, lab_random(l, TG_F64, 1, shape)), y = lab_watch(l, lab_random(l, TG_F64, 1, shape));
    tensor z = lab_one(l, TG_OP_SQUARE, lab_add(l, x, y)), w = lab_add(l, lab_one(l, TG_OP_SQUARE, x), y);
    tensor seed = lab_random(l, TG_F64, 1, shape), kept = lab_add(l, seed, lab_number(TG_F64, 0));
    gradient got[4];
    lab_gradients(l, 2, (tensor[]){z, w}, (tensor[]){seed, seed}, 4, (tensor[]){x, y, z, w}, got, false);
    bool right = true;
    for (tg_index i = 0; i < shape[0] && right; i++) {
        const double a = lab_at(&x.value, i), b = lab_at(&y.value, i), s = lab_at(&kept.value, i);
        right = lab_at(&seed.value, i) == s && lab_at(&got[2].value, i) == s && lab_at(&got[3].value, i) == s;
        right = right && lab_close(lab_at(&got[0].value, i), s * (4 * a + 2 * b), 1e-14);
        right = right && lab_close(lab_at(&got[1].value, i), s * (1 + 2 * (a + b)), 1e-14);
    }
    CHECK(right);
}

/* ---- long tapes ---- */

static void test_million_numbers(lab *l) {
    enum { STEPS = 1000000 };
    tensor x = lab_watch(l, lab_number(TG_F64, 0.5)), w = lab_watch(l, lab_number(TG_F64, 1 - 1e-6)), y = x;
    for (int i = 0; i < STEPS / 2; i++) {
        y = lab_multiply(l, y, w);
        y = lab_add(l, y, x);
    }
    CHECK(l->tape.nodes == STEPS + 2 && l->tape.used < 6 * (size_t)l->tape.nodes);
    const size_t recorded = live(l);
    tg_pool_reset_peak(l->pool);
    gradient got[2];
    lab_gradients(l, 1, &y, NULL, 2, (tensor[]){x, w}, got, true);
    CHECK(tg_pool_statistics(l->pool).peak <= recorded + 12 * (size_t)l->tape.nodes); /* 9 bytes, in a size class */
    CHECK(live(l) == recorded);
    double by_x = 1, by_w = 0, value = 0.5;
    for (int i = 0; i < STEPS / 2; i++) {
        by_w = by_w * (1 - 1e-6) + value;
        by_x = by_x * (1 - 1e-6) + 1;
        value = value * (1 - 1e-6) + 0.5;
    }
    CHECK(lab_close(got[0].value.scalar.f64, by_x, 1e-9) && lab_close(got[1].value.scalar.f64, by_w, 1e-9));
}

/* ---- interrupts ---- */

typedef struct interrupt {
    int polls, limit; /* asks to stop at this poll; negative: never */
} interrupt;

static tg_status poll(void *context) {
    interrupt *state = context;
    return state->polls++ == state->limit ? TG_INTERRUPTED : TG_OK;
}

static tensor many_numbers(lab *l, tensor x) {
    for (int i = 0; i < 400000; i++) x = lab_one(l, TG_OP_SIN, x);
    return x;
}

/* Operations that save nothing, so that large arrays are cheap. */
enum { ROWS = 512, COLUMNS = 512, LARGE_STEPS = 40 };

static tensor large_sums(lab *l, tensor x) {
    tensor y = x;
    for (int i = 0; i < LARGE_STEPS; i++) y = lab_add(l, y, x);
    return y;
}

static tensor large_broadcasts(lab *l, tensor x) {
    tensor y = lab_random(l, TG_F64, 2, (tg_index[]){ROWS, 1});
    for (int i = 0; i < LARGE_STEPS; i++) y = lab_add(l, y, x);
    return y;
}

static tensor large_views(lab *l, tensor x) {
    tg_call call = {.op = TG_RESHAPE, .dtype = TG_F64, .ndim = 2, .shape = {ROWS, COLUMNS}};
    for (int i = 0; i < LARGE_STEPS; i++) x = lab_structural(l, &call, 1, &x);
    return x;
}

/* The sweep looks at the poll function now and then, and stops when it says so. */
static void test_interrupts(lab *l) {
    const struct {
        tensor (*run)(lab *l, tensor x);
        int ndim;
        tg_index shape[2];
    } programs[] = {{many_numbers, 0, {0}},
                    {large_sums, 2, {ROWS, COLUMNS}},
                    {large_broadcasts, 1, {COLUMNS}},
                    {large_views, 2, {ROWS, COLUMNS}}};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        tg_tape_clear(&l->tape, l->tape.id + 1);
        tensor x = lab_watch(l, lab_random(l, TG_F64, programs[i].ndim, programs[i].shape));
        tensor y = programs[i].run(l, x);
        interrupt state = {.limit = -1};
        l->hooks = (tg_sweep_hooks){.context = &state, .poll = poll};
        gradient g = lab_gradient(l, y, x);
        CHECK_OK(l->status);
        const int polls = state.polls;
        if (!CHECK(g.given && polls >= 2 && polls <= LARGE_STEPS)) fprintf(stderr, "    %zu: %d polls\n", i, polls);
        for (state.limit = 0; state.limit < polls; state.limit++) {
            state.polls = 0;
            lab_gradient(l, y, x);
            CHECK(l->status == TG_INTERRUPTED && state.polls == state.limit + 1);
            l->status = TG_OK;
        }
        lab_forget(l);
    }
}

/* ---- allocations that fail ---- */

static tg_status random_program(tg_allocator allocator, void *context) {
    lab l;
    lab_begin(&l, allocator, 0);
    l.random = *(uint64_t *)context;
    program *p = calloc(1, sizeof *p);
    if (!p) abort();
    *p = (program){.dtype = TG_F64, .ndim = 2, .shape = {3, 5}};
    if (l.status == TG_OK) make_program(&l, p, 40);
    if (l.status == TG_OK) {
        gradient got[PROGRAM_INPUTS + 1];
        tensor sources[PROGRAM_INPUTS + 1], last = lab_watch(&l, p->value[0]); /* in case nothing else is known */
        int count = 0;
        for (int v = 0; v < PROGRAM_INPUTS; v++) {
            if (lab_slot(&l, p->value[v]) != TG_NO_SLOT) sources[count++] = p->value[v];
        }
        sources[count++] = last;
        for (int v = 0; v < program_values(p); v++) {
            if (lab_slot(&l, p->value[v]) != TG_NO_SLOT) last = p->value[v];
        }
        lab_gradients(&l, 1, &last, NULL, (size_t)count, sources, got, l.random % 2);
    }
    free(p);
    return lab_end(&l);
}

static tg_status chain_of_all_kinds(tg_allocator allocator, void *context) {
    lab l;
    lab_begin(&l, allocator, 0);
    tensor x = lab_random(&l, TG_F32, 2, (tg_index[]){3, 4}), y = x, row = lab_random(&l, TG_F32, 1, (tg_index[]){4});
    if (l.status == TG_OK) x = lab_watch(&l, x);
    if (l.status == TG_OK) row = lab_watch(&l, row);
    y = x;
    tensor factor = lab_number(TG_F32, 0.5);
    if (l.status == TG_OK) factor = lab_watch(&l, factor);
    for (int i = 0; i < 3 && l.status == TG_OK; i++) {
        y = lab_multiply(&l, lab_add(&l, y, row), factor);
        y = lab_add(&l, lab_one(&l, TG_OP_TANH, y), x);
        const tg_call call = {.op = TG_RESHAPE, .dtype = TG_F32, .ndim = 2, .shape = {3, 4}};
        if (l.status == TG_OK) y = lab_structural(&l, &call, 1, &y);
    }
    gradient got[4];
    lab_gradients(&l, 2, (tensor[]){y, x}, NULL, 4, (tensor[]){x, row, factor, y}, got, *(bool *)context);
    return lab_end(&l);
}

int main(void) {
    lab_run(test_memory_of_a_sweep);
    lab_run(test_shared_cotangents);
    lab_run(test_million_numbers);
    lab_run(test_interrupts);
    for (uint64_t seed = 0; seed < 12; seed++) check_every_failure(random_program, &seed);
    check_every_failure(chain_of_all_kinds, &(bool){false});
    check_every_failure(chain_of_all_kinds, &(bool){true});
    return check_report();
}
