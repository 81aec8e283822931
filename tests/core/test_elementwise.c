/* Iterators, broadcasting, and elementwise operations forward and back, against naive loops over coordinates. */
#include "elementwise.h"

#include "lab.h"

#define ROUNDS 300

/* A shape, and shapes that broadcast to it. Now and then the last axis, or the one before, is longer than a block. */
static void random_shape(lab *l, int *ndim, tg_index *shape) {
    *ndim = lab_below(l, 5);
    for (int d = 0; d < *ndim; d++) shape[d] = lab_below(l, 20) == 0 ? 0 : 1 + lab_below(l, 4);
    if (*ndim && lab_below(l, 4) == 0) {
        const int before = *ndim > 1 ? lab_below(l, 2) : 0;
        shape[*ndim - 1 - before] = TG_BLOCK - 1 + lab_below(l, TG_BLOCK + 3);
    }
}

static tensor random_operand(lab *l, int dtype, int ndim, const tg_index *shape, bool whole) {
    tg_index own[TG_MAX_DIMS];
    int skipped = 0;
    if (!whole) skipped = lab_below(l, 3) ? lab_below(l, ndim + 1) : lab_below(l, 2) * ndim;
    for (int d = skipped; d < ndim; d++) own[d - skipped] = !whole && lab_below(l, 4) == 0 ? 1 : shape[d];
    return lab_random_as(l, dtype, ndim - skipped, own, lab_below(l, LAB_LAYOUTS));
}

/* ---- iterators and shapes ---- */

static void test_iterator(lab *l) {
    int ndim;
    tg_index shape[TG_MAX_DIMS];
    random_shape(l, &ndim, shape);
    for (int d = 0; d < ndim; d++) shape[d] += shape[d] == 0; /* walks over nothing are not started */
    tensor whole = random_operand(l, TG_F64, ndim, shape, true), part = random_operand(l, TG_F64, ndim, shape, false);
    double number = 5;
    tg_iterator walk;
    tg_iterator_init(&walk, ndim, shape);
    if (whole.value.array) {
        tg_iterator_add_array(&walk, whole.value.array);
    } else {
        tg_iterator_add_scalar(&walk, &whole.value.scalar);
    }
    if (part.value.array) {
        tg_iterator_add_array(&walk, part.value.array);
    } else {
        tg_iterator_add_scalar(&walk, &part.value.scalar);
    }
    tg_iterator_add_scalar(&walk, &number);
    tg_iterator_coalesce(&walk);
    tg_index seen = 0, at[TG_MAX_DIMS];
    bool right = CHECK(walk.ndim >= 1);
    do {
        for (tg_index i = 0; right && i < tg_iterator_run(&walk); i++, seen++) {
            lab_coordinates(seen, ndim, shape, at);
            const double a = *(double *)(void *)(walk.data[0] + i * tg_iterator_step(&walk, 0));
            const double b = *(double *)(void *)(walk.data[1] + i * tg_iterator_step(&walk, 1));
            right = a == lab_broadcast_at(&whole.value, ndim, at) && b == lab_broadcast_at(&part.value, ndim, at);
            right = right && walk.data[2] == (char *)&number && tg_iterator_step(&walk, 2) == 0;
        }
    } while (right && tg_iterator_next(&walk));
    tg_index size = 1;
    for (int d = 0; d < ndim; d++) size *= shape[d];
    CHECK(right && seen == size);
}

static void test_coalescing(lab *l) {
    tensor x = lab_random(l, TG_F64, 4, (tg_index[]){2, 1, 3, 4}), row = lab_random(l, TG_F64, 2, (tg_index[]){3, 4});
    tg_iterator walk;
    tg_iterator_init(&walk, 4, tg_array_shape(x.value.array));
    tg_iterator_add_array(&walk, x.value.array);
    tg_iterator_coalesce(&walk);
    CHECK(walk.ndim == 1 && tg_iterator_run(&walk) == 24 && tg_iterator_step(&walk, 0) == 8);
    tg_iterator_init(&walk, 4, tg_array_shape(x.value.array));
    tg_iterator_add_array(&walk, x.value.array);
    tg_iterator_add_array(&walk, row.value.array);
    tg_iterator_coalesce(&walk);
    CHECK(walk.ndim == 2 && tg_iterator_run(&walk) == 12 && walk.strides[1][0] == 0);
    tg_iterator_init(&walk, 0, NULL);
    tg_iterator_add_scalar(&walk, &x);
    tg_iterator_coalesce(&walk);
    CHECK(walk.ndim == 1 && tg_iterator_run(&walk) == 1 && !tg_iterator_next(&walk));
}

static void test_shapes(lab *l) {
    const tg_index a[] = {4, 1, 3}, b[] = {2, 1}, c[] = {2, 3}, none[] = {0}, one[] = {1};
    tg_value values[3] = {lab_random(l, TG_F64, 3, a).value, lab_random(l, TG_F64, 2, b).value,
                          lab_number(TG_F64, 1).value};
    int ndim;
    tg_index shape[TG_MAX_DIMS];
    CHECK_OK(tg_broadcast_shapes(3, values, &ndim, shape));
    CHECK(tg_same_shape(ndim, shape, 3, (tg_index[]){4, 2, 3}));
    CHECK(tg_broadcast_shapes(1, &values[2], &ndim, shape) == TG_OK && ndim == 0);
    values[2] = lab_random(l, TG_F64, 1, none).value;
    CHECK(tg_broadcast_shapes(3, values, &ndim, shape) == TG_BAD_SHAPE); /* 3 and 0 */
    values[0] = lab_random(l, TG_F64, 2, c).value;
    values[1] = lab_random(l, TG_F64, 1, one).value;
    CHECK(tg_broadcast_shapes(2, values, &ndim, shape) == TG_OK && tg_same_shape(ndim, shape, 2, c));
    CHECK(tg_broadcast_shapes(2, values + 1, &ndim, shape) == TG_OK && ndim == 1 && shape[0] == 0);
    tg_value out;
    values[1] = lab_random(l, TG_F64, 1, (tg_index[]){2}).value;
    CHECK(tg_elementwise(&l->loops, l->pool, TG_OP_ADD, TG_F64, values, &out) == TG_BAD_SHAPE);
}

/* ---- operations ---- */

static const int operations[] = {TG_OP_ADD,     TG_OP_SUBTRACT, TG_OP_MULTIPLY, TG_OP_DIVIDE,   TG_OP_POWER,
                                 TG_OP_MAXIMUM, TG_OP_CLIP,     TG_OP_EXP,      TG_OP_SIN,      TG_OP_TANH,
                                 TG_OP_SQRT,    TG_OP_NEGATIVE, TG_OP_SIGMOID,  TG_OP_SQUARE,   TG_OP_ARCTAN2};

typedef struct use {
    int op, dtype, count, ndim;
    tg_index shape[TG_MAX_DIMS], size;
    tensor operands[TG_MAX_OPERANDS], out;
} use;

static bool random_use(lab *l, use *u) {
    u->op = operations[lab_below(l, sizeof operations / sizeof *operations)];
    u->dtype = lab_below(l, 2) ? TG_F64 : TG_F32;
    u->count = tg_op_table[u->op].operands;
    int ndim;
    tg_index shape[TG_MAX_DIMS];
    tg_value values[TG_MAX_OPERANDS];
    random_shape(l, &ndim, shape);
    const bool same = lab_below(l, 2);
    for (int k = 0; k < u->count; k++) {
        u->operands[k] = random_operand(l, u->dtype, ndim, shape, same);
        values[k] = u->operands[k].value;
    }
    if (!CHECK_OK(tg_broadcast_shapes(u->count, values, &u->ndim, u->shape))) return false;
    u->size = 1;
    for (int d = 0; d < u->ndim; d++) u->size *= u->shape[d];
    u->out = lab_apply(l, u->op, u->count, u->operands);
    return CHECK_OK(l->status) && CHECK(u->out.value.dtype == u->dtype) &&
           CHECK(tg_same_shape(tg_value_ndim(&u->out.value), tg_value_shape(&u->out.value), u->ndim, u->shape));
}

/* The operation on the single numbers at these coordinates. */
static double number_at(lab *l, const use *u, const tg_index *at, double *operands) {
    tensor numbers[TG_MAX_OPERANDS];
    for (int k = 0; k < u->count; k++) {
        operands[k] = lab_broadcast_at(&u->operands[k].value, u->ndim, at);
        numbers[k] = lab_number(u->dtype, operands[k]);
    }
    tensor out = lab_apply(l, u->op, u->count, numbers);
    return lab_at(&out.value, 0);
}

static void test_forward(lab *l) {
    use u;
    double operands[TG_MAX_OPERANDS];
    tg_index at[TG_MAX_DIMS];
    bool right = random_use(l, &u);
    for (tg_index i = 0; right && i < u.size; i++) {
        lab_coordinates(i, u.ndim, u.shape, at);
        right = CHECK(lab_at(&u.out.value, i) == number_at(l, &u, at, operands));
    }
}

/* What adding `count` numbers one after the other may be off by; NumPy's own loops do better. */
static double rounding(int dtype, tg_index count) { return (dtype == TG_F64 ? 1e-15 : 1e-7) * (10 + (double)count); }

/* The slope of operand k, times g. */
static double product(lab *l, const use *u, int k, const double *operands, double out, double g) {
    if (u->dtype == TG_F64) {
        double contributions[TG_MAX_OPERANDS];
        tg_scalar_vjp_f64(&l->loops, u->op, 1u << k, g, operands, out, contributions);
        return contributions[k];
    }
    float narrow[TG_MAX_OPERANDS], contributions[TG_MAX_OPERANDS];
    for (int i = 0; i < u->count; i++) narrow[i] = (float)operands[i];
    tg_scalar_vjp_f32(&l->loops, u->op, 1u << k, (float)g, narrow, (float)out, contributions);
    return (double)contributions[k];
}

/* A contiguous adjoint of operand k with random contents; expected: a copy of them. */
static tensor random_adjoint(lab *l, const use *u, int k, double *expected) {
    const tg_value *operand = &u->operands[k].value;
    tensor adjoint = lab_random(l, u->dtype, tg_value_ndim(operand), tg_value_shape(operand));
    for (tg_index i = 0; i < tg_value_size(operand); i++) expected[i] = lab_at(&adjoint.value, i);
    return adjoint;
}

static void test_vjp(lab *l) {
    use u;
    if (!random_use(l, &u)) return;
    const tg_op_info *info = &tg_op_table[u.op];
    const int k = lab_below(l, u.count);
    const bool fresh = lab_below(l, 2);
    const tg_value *operand = &u.operands[k].value;
    const int own_ndim = tg_value_ndim(operand);
    tensor g = random_operand(l, u.dtype, u.ndim, u.shape, true);
    double *expected = calloc((size_t)tg_value_size(operand) + 1, sizeof *expected);
    if (!expected) abort();
    tensor adjoint = random_adjoint(l, &u, k, expected);
    /* The adjoint may be g itself, where that is a whole array and will not be needed again. */
    const bool shared = fresh && u.ndim && u.size == tg_value_size(operand) && own_ndim == u.ndim &&
                        g.value.array->contiguous && lab_below(l, 2);
    for (tg_index i = 0; fresh && i < tg_value_size(operand); i++) expected[i] = 0;
    for (tg_index i = 0; i < u.size; i++) {
        tg_index at[TG_MAX_DIMS];
        double operands[TG_MAX_OPERANDS];
        lab_coordinates(i, u.ndim, u.shape, at);
        const double out = number_at(l, &u, at, operands);
        const tg_index own = lab_index(own_ndim, tg_value_shape(operand), at + u.ndim - own_ndim);
        expected[own] += product(l, &u, k, operands, out, lab_at(&g.value, i));
    }
    tg_workspace workspace;
    tg_workspace_init(&workspace, l->pool);
    tg_use described = {.op = u.op, .dtype = u.dtype, .ndim = u.ndim, .shape = u.shape, .g = &g.value};
    for (int i = 0; i < u.count; i++) {
        if (info->needs[k] >> i & 1) described.saved[i] = u.operands[i].value;
    }
    if (info->needs[k] & TG_NEEDS_OUT) described.saved[TG_MAX_OPERANDS] = u.out.value;
    tg_value target = shared ? g.value : adjoint.value;
    bool right = CHECK_OK(tg_elementwise_vjp(&l->loops, &workspace, &described, k, &target, fresh));
    tg_workspace_clear(&workspace);
    const double tolerance = rounding(u.dtype, u.size);
    for (tg_index i = 0; right && i < tg_value_size(operand); i++) {
        right = CHECK(lab_close(lab_at(&target, i), expected[i], tolerance));
    }
    if (!right) fprintf(stderr, "    %s, operand %d of dtype %d\n", info->name, k, u.dtype);
    free(expected);
}

static void test_sum_to(lab *l) {
    int ndim;
    tg_index shape[TG_MAX_DIMS], at[TG_MAX_DIMS];
    random_shape(l, &ndim, shape);
    const int dtype = lab_below(l, 2) ? TG_F64 : TG_F32;
    tensor source = random_operand(l, dtype, ndim, shape, true);
    tensor model = random_operand(l, dtype, ndim, shape, false);
    const int own = tg_value_ndim(&model.value);
    const bool fresh = lab_below(l, 2);
    tensor target = lab_random(l, dtype, own, tg_value_shape(&model.value));
    double *expected = calloc((size_t)tg_value_size(&target.value) + 1, sizeof *expected);
    if (!expected) abort();
    for (tg_index i = 0; !fresh && i < tg_value_size(&target.value); i++) expected[i] = lab_at(&target.value, i);
    for (tg_index i = 0; i < tg_value_size(&source.value); i++) {
        lab_coordinates(i, ndim, shape, at);
        expected[lab_index(own, tg_value_shape(&target.value), at + ndim - own)] += lab_at(&source.value, i);
    }
    tg_workspace workspace;
    tg_workspace_init(&workspace, l->pool);
    bool right = CHECK_OK(tg_sum_to(&l->loops, &workspace, &source.value, &target.value, fresh));
    tg_workspace_clear(&workspace);
    const double tolerance = rounding(dtype, tg_value_size(&source.value));
    for (tg_index i = 0; right && i < tg_value_size(&target.value); i++) {
        right = CHECK(lab_close(lab_at(&target.value, i), expected[i], tolerance));
    }
    free(expected);
}

/* ---- allocations that fail ---- */

static tg_status with_failures(tg_allocator allocator, void *context) {
    lab l;
    lab_begin(&l, allocator, 0);
    tensor x = lab_random(&l, TG_F64, 2, (tg_index[]){3, 4}), y = lab_random(&l, TG_F64, 1, (tg_index[]){4});
    tensor z = lab_multiply(&l, x, y);
    tensor adjoint = lab_random(&l, TG_F64, 1, (tg_index[]){4});
    if (l.status == TG_OK) {
        tg_workspace workspace;
        tg_workspace_init(&workspace, l.pool);
        tg_use described = {.op = TG_OP_MULTIPLY, .dtype = TG_F64, .ndim = 2, .shape = tg_value_shape(&z.value)};
        described.saved[0] = x.value;
        described.g = &z.value;
        l.status = tg_elementwise_vjp(&l.loops, &workspace, &described, 1, &adjoint.value, true);
        tg_workspace_clear(&workspace);
    }
    (void)context;
    return lab_end(&l);
}

int main(void) {
    void (*const tests[])(lab *l) = {test_iterator, test_coalescing, test_shapes, test_forward, test_vjp, test_sum_to};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            const int failures = check_failures;
            lab l;
            lab_begin(&l, tg_system_allocator(), 1 << 22);
            l.random = (uint64_t)round * 104729 + 1;
            tests[i](&l);
            CHECK_OK(lab_end(&l));
            if (check_failures == failures) continue;
            fprintf(stderr, "    test %zu, round %d\n", i, round);
            break;
        }
    }
    check_every_failure(with_failures, NULL);
    return check_report();
}
