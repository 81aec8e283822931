/* Tangents pushed block by block: random programs on long arrays against element by element arithmetic, in one go and in
 * steps, pruned and marked; infinite and zero tangents; failures after which a push goes on. */
#include "relay.h"

#include "lab.h"
#include "programs.h"

#define ROUNDS 60

static tg_status no_rule(void *context, tg_push *push, tg_node *node) {
    (void)context, (void)push, (void)node;
    return TG_CALLBACK;
}

/* context: how many calls succeed before one fails; NULL: all. */
static tg_status poll(void *context) {
    int *left = context;
    return left && (*left)-- == 0 ? TG_INTERRUPTED : TG_OK;
}

/* ---- tangents by brute force ---- */

typedef struct naive {
    tg_index rows; /* of the batch, or 1 */
    double *of[PROGRAM_VALUES]; /* rows * size elements; NULL: zero */
} naive;

static double times(const lab *l, const program *p, int op, int k, double t, const double *in, double out) {
    if (!isfinite(t) && scalar_vjp(l, op, k, p->dtype, 1, in, out) == 0) return 0;
    return scalar_vjp(l, op, k, p->dtype, t, in, out);
}

static void naive_step_forward(const lab *l, const program *p, int index, naive *tangents) {
    const step *s = &p->step[index];
    const tg_value *out = &p->value[PROGRAM_INPUTS + index].value;
    const tg_index size = tg_value_size(out);
    const int ndim = tg_value_ndim(out), count = step_operands(s);
    double *sum = NULL;
    for (int k = 0; k < count; k++) {
        const double *t = tangents->of[s->operand[k]];
        if (!t || (s->op >= 0 && !tg_op_table[s->op].partial[k])) continue;
        const tg_value *operand = &p->value[s->operand[k]].value;
        const tg_index own_size = tg_value_size(operand);
        const int own = tg_value_ndim(operand);
        if (!sum) sum = calloc((size_t)(tangents->rows * size), sizeof *sum);
        if (!sum) abort();
        for (tg_index i = 0; i < (s->op == STEP_SUM ? own_size : size); i++) {
            tg_index at[TG_MAX_DIMS];
            double in[TG_MAX_OPERANDS] = {0};
            lab_coordinates(i, ndim, tg_value_shape(out), at);
            for (int j = 0; s->op >= 0 && j < count; j++) {
                in[j] = lab_broadcast_at(&p->value[s->operand[j]].value, ndim, at);
            }
            for (tg_index row = 0; row < tangents->rows; row++) {
                const double *from = t + row * own_size;
                if (s->op == STEP_SUM) {
                    sum[row] += from[i];
                } else if (s->op == STEP_VIEW) {
                    sum[row * size + i] += from[i];
                } else {
                    const double own_t = from[lab_index(own, tg_value_shape(operand), at + ndim - own)];
                    sum[row * size + i] += times(l, p, s->op, k, own_t, in, lab_at(out, i));
                }
            }
        }
    }
    tangents->of[PROGRAM_INPUTS + index] = sum;
}

/* ---- one program ---- */

typedef struct trial {
    lab l;
    program p;
    tg_index batch;
    tensor seed[PROGRAM_INPUTS];
    naive expected;
    double tolerance;
} trial;

/* A tangent of any layout, a row of which may be zero; now and then with an infinite element. */
static tensor make_seed(trial *t, const tg_value *like, bool infinite) {
    lab *l = &t->l;
    tg_index shape[TG_MAX_DIMS];
    const tg_output output = {like->dtype, tg_value_ndim(like), tg_value_shape(like)};
    const tg_output whole = tg_batch_output(output, t->batch, shape);
    tensor seed = lab_random_as(l, whole.dtype, whole.ndim, whole.shape, lab_below(l, LAB_REPEATED));
    if (!seed.value.array) return seed;
    const tg_index size = tg_value_size(like);
    for (tg_index row = 0; row < t->batch; row++) {
        for (tg_index i = 0; lab_below(l, 2) && i < size; i++) {
            lab_put(whole.dtype, lab_element(seed.value.array, row * size + i), 0);
        }
    }
    const tg_index all = seed.value.array->size;
    if (infinite && all) lab_put(whole.dtype, lab_element(seed.value.array, lab_below(l, (int)all)), INFINITY);
    return seed;
}

static void begin(trial *t, int round) {
    lab *l = &t->l;
    lab_begin(l, tg_system_allocator(), 0);
    l->random = (uint64_t)round * 6364136223846793005u + 11;
    program *p = &t->p;
    p->dtype = lab_below(l, 3) ? TG_F64 : TG_F32;
    t->tolerance = p->dtype == TG_F64 ? 1e-12 : 1e-4;
    t->batch = lab_below(l, 3) ? 20 + lab_below(l, 10) : 0;
    p->ndim = 1 + lab_below(l, 2);
    p->shape[0] = t->batch ? 900 : 20000;
    if (p->ndim == 2) {
        const tg_index columns = (tg_index[]){3, 260, 450}[lab_below(l, 3)]; /* short rows, and long ones */
        p->shape[0] = p->shape[0] / columns;
        p->shape[1] = columns;
    }
    make_program(l, p, 2 + lab_below(l, 30));
    t->expected = (naive){.rows = t->batch ? t->batch : 1};
    const bool infinite = lab_below(l, 4) == 0;
    for (int v = 0; v < PROGRAM_INPUTS; v++) {
        if (lab_slot(l, p->value[v]) == TG_NO_SLOT) continue;
        t->seed[v] = make_seed(t, &p->value[v].value, infinite);
        const tg_index elements = t->expected.rows * tg_value_size(&p->value[v].value);
        t->expected.of[v] = malloc((size_t)elements * sizeof(double));
        if (!t->expected.of[v]) abort();
        for (tg_index i = 0; i < elements; i++) t->expected.of[v][i] = lab_at(&t->seed[v].value, i);
    }
    for (int i = 0; i < p->steps; i++) naive_step_forward(l, p, i, &t->expected);
}

static bool end(trial *t) {
    for (int v = 0; v < PROGRAM_VALUES; v++) free(t->expected.of[v]);
    return CHECK_OK(lab_end(&t->l));
}

/* Starts a push with the seeds; a poll function that fails takes its context. */
static tg_status start(trial *t, tg_push *push, int *polls) {
    lab *l = &t->l;
    const tg_push_hooks hooks = {.context = polls, .rule = no_rule, .poll = poll};
    uint32_t low = TG_NO_SLOT;
    for (int v = 0; v < PROGRAM_INPUTS; v++) {
        const uint32_t slot = lab_slot(l, t->p.value[v]);
        if (slot < low) low = slot;
    }
    tg_push_begin(push, &l->tape, &l->loops, &hooks, t->batch, low);
    tg_status status = TG_OK;
    for (int v = 0; v < PROGRAM_INPUTS && status == TG_OK; v++) {
        if (!t->expected.of[v]) continue;
        tg_value seed = t->seed[v].value;
        if (seed.array) tg_array_retain(seed.array);
        status = tg_push_set(push, lab_slot(l, t->p.value[v]), &seed);
    }
    return status;
}

static bool is_right(trial *t, const tg_push *push, int v) {
    const tg_value *primal = &t->p.value[v].value;
    const uint32_t slot = lab_slot(&t->l, t->p.value[v]);
    const double *expected = t->expected.of[v];
    tg_value found;
    if (!tg_push_peek(push, slot, &found)) return CHECK(!expected || tg_value_size(primal) == 0);
    const tg_index count = t->expected.rows * tg_value_size(primal);
    if (!CHECK(expected && tg_value_size(&found) == count)) return false;
    for (tg_index i = 0; i < count; i++) {
        const double a = lab_at(&found, i), b = expected[i];
        const bool close = (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= t->tolerance * (1 + fabs(b)) * 1000;
        if (close) continue;
        fprintf(stderr, "    value %d, element %td: %.17g instead of %.17g\n", v, i, a, b);
        return CHECK(close);
    }
    return true;
}

static uint32_t last_slot(const trial *t) { return t->l.tape.slots; }

/* Everything, in two steps. */
static bool check_whole(trial *t) {
    tg_push push;
    bool right = CHECK_OK(start(t, &push, NULL));
    right = right && CHECK_OK(tg_push_run(&push, push.low + (last_slot(t) - push.low) / 2));
    right = right && CHECK_OK(tg_push_run(&push, last_slot(t)));
    for (int v = 0; right && v < program_values(&t->p); v++) {
        if (lab_slot(&t->l, t->p.value[v]) != TG_NO_SLOT) right = is_right(t, &push, v);
    }
    tg_push_end(&push);
    return right;
}

/* What two targets need; those in between are let go. */
static bool check_pruned(trial *t) {
    lab *l = &t->l;
    tg_push push;
    const int last = program_values(&t->p) - 1, targets[2] = {last, lab_below(l, last + 1)};
    uint32_t slots[2];
    size_t count = 0;
    bool right = CHECK_OK(start(t, &push, NULL));
    for (int i = 0; i < 2; i++) {
        const uint32_t slot = lab_slot(l, t->p.value[targets[i]]);
        if (slot != TG_NO_SLOT && slot >= push.low) slots[count++] = slot;
    }
    right = right && CHECK_OK(tg_push_prune(&push, count, slots));
    right = right && CHECK_OK(tg_push_run(&push, last_slot(t)));
    for (int i = 0; right && i < 2; i++) {
        if (lab_slot(l, t->p.value[targets[i]]) != TG_NO_SLOT) right = is_right(t, &push, targets[i]);
    }
    tg_push_end(&push);
    return right;
}

/* Target by target. */
static bool check_marked(trial *t) {
    lab *l = &t->l;
    tg_push push;
    bool right = CHECK_OK(start(t, &push, NULL));
    for (int i = 0; right && i < 4; i++) {
        const int v = lab_below(l, program_values(&t->p));
        const uint32_t slot = lab_slot(l, t->p.value[v]);
        uint32_t first;
        if (slot == TG_NO_SLOT || slot < push.low) continue;
        right = CHECK_OK(tg_push_mark(&push, slot, &first)) && CHECK_OK(tg_push_run_marked(&push, first, slot)) &&
                is_right(t, &push, v);
    }
    tg_push_end(&push);
    return right;
}

static void test_random_programs(void) {
    trial *t = calloc(1, sizeof *t);
    if (!t) abort();
    for (int round = 0; round < ROUNDS; round++) {
        begin(t, round);
        const bool known = lab_slot(&t->l, t->p.value[program_values(&t->p) - 1]) != TG_NO_SLOT;
        const bool right = !known || (check_whole(t) && check_pruned(t) && check_marked(t));
        if (end(t) && right) continue;
        fprintf(stderr, "    round %d, %d steps\n", round, t->p.steps);
        break;
    }
    free(t);
}

/* ---- taking elements ---- */

/* x.take(indices, last axis), with `count` random indices. */
static tensor take(lab *l, tensor x, tg_index count) {
    const int ndim = tg_value_ndim(&x.value);
    const tg_index length = tg_value_shape(&x.value)[ndim - 1], axis = ndim - 1;
    tensor indices = lab_empty(l, TG_I64, 1, &count, LAB_PLAIN);
    for (tg_index i = 0; i < count; i++) {
        lab_put(TG_I64, lab_element(indices.value.array, i), lab_below(l, (int)length));
    }
    tg_call call = {.op = TG_TAKE, .dtype = x.value.dtype, .ndim = ndim, .params = &axis, .params_count = 1};
    memcpy(call.shape, tg_value_shape(&x.value), (size_t)ndim * sizeof *call.shape);
    call.shape[ndim - 1] = count;
    return lab_structural(l, &call, 2, (tensor[]){x, indices});
}

/* The tangent of `target` for seeds of `rows` directions, or for one of them; kept by the lab. */
static tg_value push_once(lab *l, tensor source, tensor target, tg_value seed, tg_index rows, bool prune) {
    tg_push push;
    const tg_push_hooks hooks = {.rule = no_rule, .poll = poll};
    const uint32_t to = lab_slot(l, target);
    tg_push_begin(&push, &l->tape, &l->loops, &hooks, rows, lab_slot(l, source));
    tg_array_retain(seed.array);
    CHECK_OK(tg_push_set(&push, lab_slot(l, source), &seed));
    if (prune) CHECK_OK(tg_push_prune(&push, 1, &to));
    CHECK_OK(tg_push_run(&push, l->tape.slots));
    tg_value found = {.array = NULL};
    CHECK(tg_push_peek(&push, to, &found) && found.array);
    tg_array_retain(found.array);
    lab_keep(l, found.array);
    tg_push_end(&push);
    return found;
}

/* Many directions, by the relay, agree with each of them alone, which is too short for it. */
static void test_takes(int dtype, int ndim, int layout) {
    enum { ROWS = 20, LONG = 1500 }; /* more than a block */
    lab l;
    lab_begin(&l, tg_system_allocator(), 0);
    const tg_index shape[2] = {ndim == 2 ? 3 : 500, 500}, drawn[2] = {3, LONG};
    tensor x = lab_watch(&l, lab_random(&l, dtype, ndim, shape));
    tensor row = lab_random(&l, dtype, 1, (tg_index[]){LONG}), whole = lab_random(&l, dtype, ndim, drawn + 2 - ndim);
    tensor a = lab_multiply(&l, take(&l, lab_one(&l, TG_OP_SIN, x), LONG), row);
    tensor b = lab_multiply(&l, take(&l, x, LONG), a);
    b = lab_multiply(&l, take(&l, b, LONG), whole); /* of a result that may be pending */
    tensor y = lab_add(&l, lab_one(&l, TG_OP_TANH, lab_add(&l, a, b)), take(&l, x, LONG));
    tg_index stacked[3] = {ROWS, shape[0], shape[1]};
    tensor seeds = lab_random_as(&l, dtype, 1 + ndim, stacked, layout);
    const tg_index size = tg_value_size(&x.value), count = tg_value_size(&y.value);
    for (int prune = 0; prune < 2; prune++) {
        const tg_value all = push_once(&l, x, y, seeds.value, ROWS, prune);
        for (tg_index i = 0; i < ROWS; i++) {
            tensor seed = lab_empty(&l, dtype, ndim, shape, LAB_PLAIN);
            for (tg_index j = 0; j < size; j++) {
                lab_put(dtype, lab_element(seed.value.array, j), lab_at(&seeds.value, i * size + j));
            }
            const tg_value one = push_once(&l, x, y, seed.value, 0, prune);
            bool right = true;
            for (tg_index j = 0; j < count; j++) {
                right &= lab_close(lab_at(&all, i * count + j), lab_at(&one, j), dtype == TG_F64 ? 1e-13 : 1e-5);
            }
            if (!CHECK(right)) break;
        }
    }
    CHECK_OK(lab_end(&l));
}

/* ---- failures ---- */

enum { LENGTH = 60000, DIRECTIONS = 8, CHAIN = 40 };

/* tanh of tanh of ..., interrupted somewhere: asking again gives what it would have given. */
static void test_going_on(bool marked, bool pruned, int successes) {
    lab l;
    lab_begin(&l, tg_system_allocator(), 0);
    tensor x = lab_watch(&l, lab_random(&l, TG_F64, 1, (tg_index[]){LENGTH})), y = x;
    double slope = 1, at = lab_at(&x.value, 5);
    for (int i = 0; i < CHAIN; i++) {
        y = lab_one(&l, TG_OP_TANH, y);
        at = tanh(at);
        slope *= 1 - at * at;
    }
    const uint32_t from = lab_slot(&l, x), to = lab_slot(&l, y);
    tensor seed = lab_random(&l, TG_F64, 2, (tg_index[]){DIRECTIONS, LENGTH});
    int left = successes;
    const tg_push_hooks hooks = {.context = &left, .rule = no_rule, .poll = poll};
    tg_push push;
    tg_push_begin(&push, &l.tape, &l.loops, &hooks, DIRECTIONS, from);
    tg_array_retain(seed.value.array);
    CHECK_OK(tg_push_set(&push, from, &seed.value));
    if (pruned) CHECK_OK(tg_push_prune(&push, 1, &to));
    tg_status status = TG_OK;
    for (int attempt = 0; attempt < 2; attempt++) {
        uint32_t first = from;
        if (marked) CHECK_OK(tg_push_mark(&push, to, &first));
        status = marked ? tg_push_run_marked(&push, first, to) : tg_push_run(&push, to + 1);
        CHECK(status == (attempt == 0 ? TG_INTERRUPTED : TG_OK));
    }
    tg_value found;
    CHECK(tg_push_peek(&push, to, &found) && lab_close(lab_at(&found, 5), slope * lab_at(&seed.value, 5), 1e-12));
    tg_push_end(&push);
    CHECK_OK(lab_end(&l));
}

/* Any allocation may fail. */
static tg_status failing(tg_allocator allocator, void *argument) {
    lab l;
    lab_begin(&l, allocator, 0);
    tensor x = lab_watch(&l, lab_random(&l, TG_F64, 1, (tg_index[]){10000})), y = lab_one(&l, TG_OP_SIN, x);
    y = lab_multiply(&l, lab_add(&l, y, x), y);
    uint32_t from = 0, to = 0;
    tensor seed = lab_random(&l, TG_F64, 1, (tg_index[]){10000});
    if (l.status == TG_OK) {
        from = lab_slot(&l, x);
        to = lab_slot(&l, y);
        const tg_push_hooks hooks = {.rule = no_rule, .poll = poll};
        tg_push push;
        tg_push_begin(&push, &l.tape, &l.loops, &hooks, 0, from);
        tg_array_retain(seed.value.array);
        l.status = tg_push_set(&push, from, &seed.value);
        if (l.status == TG_OK && argument) l.status = tg_push_prune(&push, 1, &to);
        if (l.status == TG_OK) l.status = tg_push_run(&push, to + 1);
        tg_push_end(&push);
    }
    return lab_end(&l);
}

int main(void) {
    test_random_programs();
    for (int layout = 0; layout < LAB_REPEATED; layout++) {
        for (int ndim = 1; ndim <= 2; ndim++) {
            test_takes(TG_F64, ndim, layout);
            test_takes(TG_F32, ndim, layout);
        }
    }
    for (int successes = 0; successes < 4; successes++) {
        test_going_on(false, false, successes);
        test_going_on(false, true, successes);
        test_going_on(true, false, successes);
    }
    check_every_failure(failing, NULL);
    check_every_failure(failing, "pruned");
    return check_report();
}
