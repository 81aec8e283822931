/* Structural operations over random shapes and layouts: each against a naive loop, and its transposition by the
 * dot-product test <A x, g> = <x, A' g>. */
#include "structural.h"

#include "lab.h"
#include "structural_examples.h"

#define ROUNDS 500

/* ---- the same in naive loops ---- */

static tg_index size_of(const tg_call *call) {
    tg_index size = 1;
    for (int d = 0; d < call->ndim; d++) size *= call->shape[d];
    return size;
}

/* Where element `index` of an indexed shape comes from: `inner` elements follow each of `count` places. */
static tg_index indexed(const example *e, tg_index index, tg_index length, int ndim, const tg_index *shape) {
    const tg_value *indices = &e->operands[1].value;
    tg_index inner = 1, count = tg_value_size(indices);
    for (int d = (int)e->params[0] + 1; d < ndim; d++) inner *= shape[d];
    const tg_index outer = index / (inner * count), place = index / inner % count;
    return (outer * length + (tg_index)lab_at(indices, place)) * inner + index % inner;
}

/* The element of the region of a slice: its index in the whole array. */
static tg_index in_region(const example *e, tg_index index, int ndim, const tg_index *shape) {
    tg_index counts[TG_MAX_DIMS], at[TG_MAX_DIMS];
    for (int d = 0; d < ndim; d++) counts[d] = e->params[3 * d + 2];
    lab_coordinates(index, ndim, counts, at);
    for (int d = 0; d < ndim; d++) at[d] = e->params[3 * d] + at[d] * e->params[3 * d + 1];
    return lab_index(ndim, shape, at);
}

/* The element of the smaller array that belongs to an element of the larger one. */
static tg_index reduced(uint64_t mask, tg_index index, int ndim, const tg_index *shape) {
    tg_index small[TG_MAX_DIMS], at[TG_MAX_DIMS];
    lab_coordinates(index, ndim, shape, at);
    for (int d = 0; d < ndim; d++) small[d] = mask >> d & 1 ? 1 : shape[d];
    return lab_index(ndim, small, at);
}

static double matmul_element(const example *e, const tg_index *at) {
    const int ndim = e->call.ndim;
    const tg_value *a = &e->operands[0].value, *b = &e->operands[1].value;
    tg_index in_a[TG_MAX_DIMS], in_b[TG_MAX_DIMS];
    const bool a_swapped = e->params[0] & 1, b_swapped = e->params[0] & 2;
    const tg_index inner = tg_value_shape(a)[tg_value_ndim(a) - 1 - a_swapped];
    double sum = 0;
    memcpy(in_a, at, (size_t)ndim * sizeof *at);
    memcpy(in_b, at, (size_t)ndim * sizeof *at);
    for (tg_index k = 0; k < inner; k++) {
        in_a[ndim - 2 + a_swapped] = at[ndim - 2];
        in_a[ndim - 1 - a_swapped] = k;
        in_b[ndim - 2 + b_swapped] = k;
        in_b[ndim - 1 - b_swapped] = at[ndim - 1];
        sum += lab_broadcast_at(a, ndim, in_a) * lab_broadcast_at(b, ndim, in_b);
    }
    return sum;
}

static double chosen_element(const example *e, const tg_index *at, tg_index index) {
    const int ndim = e->call.ndim;
    if (e->call.op == TG_MASK) {
        const bool kept = (lab_broadcast_at(&e->operands[1].value, ndim, at) != 0) != (e->params[0] != 0);
        return kept ? lab_at(&e->operands[0].value, index) : 0;
    }
    if (e->call.op == TG_SELECT) {
        const int k = lab_broadcast_at(&e->operands[0].value, ndim, at) != 0 ? 1 : 2;
        return lab_broadcast_at(&e->operands[k].value, ndim, at);
    }
    const int axis = (int)e->params[0]; /* concatenation */
    int k = 0;
    while (at[axis] >= e->params[2 + k]) k++;
    const tg_value *part = &e->operands[k].value;
    tg_index own[TG_MAX_DIMS];
    memcpy(own, at, (size_t)ndim * sizeof *at);
    own[axis] -= e->params[1 + k];
    return lab_at(part, lab_index(ndim, tg_value_shape(part), own));
}

/* out: as many numbers as the result has elements. */
static void naive(const example *e, double *out) {
    const tg_call *call = &e->call;
    const tg_value *x = &e->operands[0].value;
    const int x_ndim = tg_value_ndim(x);
    const tg_index size = size_of(call), x_size = tg_value_size(x), *x_shape = tg_value_shape(x);
    for (tg_index i = 0; i < size; i++) {
        tg_index at[TG_MAX_DIMS], from[TG_MAX_DIMS];
        lab_coordinates(i, call->ndim, call->shape, at);
        switch (call->op) {
        case TG_RESHAPE:
        case TG_CAST: out[i] = lab_at(x, i); break;
        case TG_PERMUTE:
            for (int d = 0; d < x_ndim; d++) from[e->params[d]] = at[d];
            out[i] = lab_at(x, lab_index(x_ndim, x_shape, from));
            break;
        case TG_SLICE: out[i] = lab_at(x, in_region(e, i, x_ndim, x_shape)); break;
        case TG_EXPAND: out[i] = lab_at(x, reduced((uint64_t)e->params[0], i, call->ndim, call->shape)); break;
        case TG_TAKE: out[i] = lab_at(x, indexed(e, i, x_shape[e->params[0]], x_ndim, x_shape)); break;
        case TG_MATMUL: out[i] = matmul_element(e, at); break;
        case TG_MASK:
        case TG_SELECT:
        case TG_CONCATENATE: out[i] = chosen_element(e, at, i); break;
        default: out[i] = 0; /* to be added to */
        }
    }
    for (tg_index i = 0; i < x_size; i++) {
        const double element = lab_at(x, i);
        if (call->op == TG_SUM) out[reduced((uint64_t)e->params[0], i, x_ndim, x_shape)] += element;
        if (call->op == TG_UNSLICE) out[in_region(e, i, call->ndim, call->shape)] += element;
        if (call->op == TG_SCATTER_ADD) {
            out[indexed(e, i, call->shape[e->params[0]], call->ndim, call->shape)] += element;
        }
    }
}

/* ---- the tests ---- */

static const char *const names[] = {"reshape", "permute",     "slice",  "unslice", "sum",  "expand",     "cast",
                                    "concatenate", "select", "mask",    "take", "scatter_add", "matmul"};

static bool has_native_forward(int op) { return op != TG_CONCATENATE && op != TG_SELECT; }

/* Runs the example on the tape; the operations without a native forward are computed naively. */
static tensor run_example(lab *l, const example *e, const double *expected) {
    if (has_native_forward(e->call.op)) return lab_structural(l, &e->call, e->count, e->operands);
    tensor out = lab_empty(l, e->call.dtype, e->call.ndim, e->call.shape, LAB_PLAIN);
    for (tg_index i = 0; i < tg_value_size(&out.value); i++) {
        void *element = out.value.array ? (void *)lab_element(out.value.array, i) : (void *)&out.value.scalar;
        lab_put(e->call.dtype, element, expected[i]);
    }
    unsigned needs[MOST_OPERANDS];
    for (int k = 0; k < e->count; k++) needs[k] = tg_structural_needs(e->call.op, k);
    tg_record record = {
        .op = e->call.op, .kind = TG_NODE_STRUCTURAL, .params_count = e->call.params_count, .params = e->params};
    lab_record(l, &record, e->count, e->operands, &out, needs);
    return out;
}

/* A random cotangent for a result. */
static tensor cotangent_of(lab *l, const tensor *result) {
    return lab_random_as(l, result->value.dtype, tg_value_ndim(&result->value), tg_value_shape(&result->value),
                         lab_below(l, LAB_LAYOUTS));
}

static bool check_example(lab *l, const example *e, double tolerance) {
    const tg_index size = size_of(&e->call);
    double *expected = malloc(((size_t)size + 1) * sizeof *expected);
    if (!expected) abort();
    naive(e, expected);
    tensor result = run_example(l, e, expected);
    bool right = CHECK_OK(l->status) &&
                 CHECK(tg_same_shape(tg_value_ndim(&result.value), tg_value_shape(&result.value), e->call.ndim,
                                     e->call.shape)) &&
                 CHECK(result.value.dtype == e->call.dtype);
    for (tg_index i = 0; right && i < size; i++) {
        right = CHECK(lab_close(lab_at(&result.value, i), expected[i], tolerance));
    }
    free(expected);

    const tensor g = cotangent_of(l, &result);
    for (int i = 0; right && i < MOST_OPERANDS && e->linear[i] >= 0; i++) {
        const tensor *x = &e->operands[e->linear[i]];
        gradient back;
        lab_gradients(l, 1, &result, &g, 1, x, &back, false);
        right = CHECK_OK(l->status) && CHECK(back.given) && CHECK(back.value.dtype == x->value.dtype) &&
                CHECK(tg_same_shape(tg_value_ndim(&back.value), tg_value_shape(&back.value),
                                    tg_value_ndim(&x->value), tg_value_shape(&x->value)));
        if (!right) break;
        double there = lab_dot(&result.value, &g.value), back_again = lab_dot(&x->value, &back.value);
        if (e->call.op == TG_CONCATENATE || e->call.op == TG_SELECT) {
            /* Linear in all operands together. */
            for (int k = i + 1; k < MOST_OPERANDS && e->linear[k] >= 0; k++) {
                gradient other;
                lab_gradients(l, 1, &result, &g, 1, &e->operands[e->linear[k]], &other, false);
                back_again += lab_dot(&e->operands[e->linear[k]].value, &other.value);
            }
            right = i > 0 || CHECK(lab_close(there, back_again, tolerance));
        } else {
            right = CHECK(lab_close(there, back_again, tolerance));
        }
    }
    return right;
}

static void watch_operands(lab *l, example *e) {
    for (int i = 0; i < MOST_OPERANDS && e->linear[i] >= 0; i++) {
        e->operands[e->linear[i]] = lab_watch(l, e->operands[e->linear[i]]);
    }
}

static void test_operation(int op, int dtype) {
    for (int round = 0; round < ROUNDS; round++) {
        lab l;
        lab_begin(&l, tg_system_allocator(), 1 << 20);
        l.random = (uint64_t)round * 7919 + (uint64_t)op;
        example e = make_example(&l, op, dtype);
        e.call.params = e.params;
        watch_operands(&l, &e);
        if (!check_example(&l, &e, dtype == TG_F64 && e.call.dtype == TG_F64 ? 1e-12 : 1e-4)) {
            fprintf(stderr, "    %s, dtype %d, round %d\n", names[op], dtype, round);
            round = ROUNDS;
        }
        lab_end(&l);
    }
}

/* Elements that are not arithmetic: moved whole whatever their type is. */
static void test_other_types(void) {
    const int types[] = {TG_BOOL, TG_I8, TG_U16, TG_F16, TG_I32, TG_C64, TG_C128};
    lab l;
    lab_begin(&l, tg_system_allocator(), 0);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const size_t itemsize = tg_itemsize(types[t]);
        unsigned char bytes[6 * 16], moved[6 * 16];
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7 + 1);
        tensor x = lab_empty(&l, types[t], 2, (tg_index[]){2, 3}, LAB_PLAIN);
        memcpy(x.value.array->data, bytes, 6 * itemsize);
        tg_call turn = {.op = TG_PERMUTE, .dtype = types[t], .ndim = 2, .params_count = 2, .shape = {3, 2}};
        turn.params = (tg_index[]){1, 0};
        tg_call flat = {.op = TG_RESHAPE, .dtype = types[t], .ndim = 1, .shape = {6}};
        tensor turned = lab_structural(&l, &turn, 1, &x), flattened = lab_structural(&l, &flat, 1, &turned);
        for (size_t i = 0; i < 6; i++) memcpy(moved + i * itemsize, bytes + (i % 2 * 3 + i / 2) * itemsize, itemsize);
        CHECK(memcmp(flattened.value.array->data, moved, 6 * itemsize) == 0);
    }
    CHECK_OK(lab_end(&l));
}

static tg_status every_operation(tg_allocator allocator, void *context) {
    lab l;
    lab_begin(&l, allocator, 0);
    l.random = 3;
    l.hooks.context = context;
    if (l.status != TG_OK) return l.status;
    for (int op = 0; op < TG_STRUCTURAL_OPS && l.status == TG_OK; op++) {
        example e = make_example(&l, op, TG_F64);
        e.call.params = e.params;
        watch_operands(&l, &e);
        if (l.status != TG_OK) break;
        double *expected = malloc(((size_t)size_of(&e.call) + 1) * sizeof *expected);
        if (!expected) abort();
        naive(&e, expected);
        tensor result = run_example(&l, &e, expected);
        free(expected);
        gradient back;
        tensor g = cotangent_of(&l, &result);
        lab_gradients(&l, 1, &result, &g, 1, &e.operands[e.linear[0]], &back, false);
    }
    return lab_end(&l);
}

/* Going back through a tall product, the small matrix is written out. */
static tg_status tall_product(tg_allocator allocator, void *unused) {
    (void)unused;
    lab l;
    lab_begin(&l, allocator, 0);
    tensor x = lab_watch(&l, lab_random(&l, TG_F64, 2, (tg_index[]){40, 2}));
    tensor w = lab_random(&l, TG_F64, 2, (tg_index[]){2, 3});
    tg_call call = {.op = TG_MATMUL, .dtype = TG_F64, .ndim = 2, .shape = {40, 3}, .params_count = 1};
    call.params = (tg_index[]){0};
    tensor y = lab_structural(&l, &call, 2, (tensor[]){x, w}), g = lab_random(&l, TG_F64, 2, (tg_index[]){40, 3});
    gradient back;
    lab_gradients(&l, 1, &y, &g, 1, &x, &back, false);
    for (tg_index i = 0; l.status == TG_OK && i < 80; i++) {
        double expected = 0;
        for (tg_index j = 0; j < 3; j++) expected += lab_at(&g.value, i / 2 * 3 + j) * lab_at(&w.value, i % 2 * 3 + j);
        if (!CHECK(fabs(lab_at(&back.value, i) - expected) < 1e-12)) break;
    }
    return lab_end(&l);
}

int main(void) {
    for (int op = 0; op < TG_STRUCTURAL_OPS; op++) {
        test_operation(op, TG_F64);
        test_operation(op, TG_F32);
    }
    test_other_types();
    check_every_failure(every_operation, NULL);
    check_every_failure(tall_product, NULL);
    return check_report();
}
