/* The public interface: ops with kernels and rules of their own, on tapes and with batches. */
#include <math.h>
#include <string.h>

#include "api.h"
#include "api_lab.h"

/* (x, y) -> (x * y, x + y), elementwise with y broadcast, by loops over the elements. */
typedef struct closure {
    tapegrad_context *context;
    int kernels, vjps, jvps, released;
    tapegrad_status fail; /* what the rules return instead of working */
} closure;

static tapegrad_value *combined(closure *own, tapegrad_value *a, tapegrad_value *b, bool product) {
    if (!a || !b) return NULL;
    tapegrad_value *const parts[2] = {tapegrad_contiguous(a), tapegrad_contiguous(b)};
    const double *x = tapegrad_data(parts[0]), *y = tapegrad_data(parts[1]);
    tapegrad_value *result = NULL;
    void *out;
    if (x && y) result = tapegrad_empty(own->context, TAPEGRAD_FLOAT64, 1, tapegrad_shape(a), &out);
    for (intptr_t i = 0; result && i < tapegrad_size(a); i++) {
        const double other = y[tapegrad_size(b) == 1 ? 0 : i];
        ((double *)out)[i] = product ? x[i] * other : x[i] + other;
    }
    release_all(2, parts);
    return result;
}

static tapegrad_status kernel(void *closure_, int count, tapegrad_value *const *operands, tapegrad_value **results) {
    closure *own = closure_;
    own->kernels++;
    CHECK(count == 2);
    for (int i = 0; i < 2; i++) results[i] = combined(own, operands[0], operands[1], i == 0);
    return TAPEGRAD_OK;
}

/* The cotangent of y has x's shape: it is summed by the sweep. */
static tapegrad_status vjp(void *closure_, const tapegrad_use *use, tapegrad_value *const *given,
                           const unsigned char *wanted, tapegrad_value **cotangents) {
    closure *own = closure_;
    own->vjps++;
    CHECK(use->operands_count == 2 && use->results_count == 2 && use->operands[0] && !use->results[0]);
    const tapegrad_op *add = tapegrad_find(own->context, "add"), *multiply = tapegrad_find(own->context, "multiply");
    for (int k = 0; k < 2; k++) {
        if (!wanted[k]) continue;
        if (own->fail) {
            cotangents[0] = number(own->context, 1); /* which the caller then releases */
            return tapegrad_fail(own->fail, "as the test wants");
        }
        tapegrad_value *part = given[0] ? tapegrad_binary(multiply, given[0], use->operands[!k]) : NULL;
        cotangents[k] = !given[0]   ? tapegrad_retain(given[1])
                        : !given[1] ? tapegrad_retain(part)
                                    : tapegrad_binary(add, part, given[1]);
        tapegrad_release(part);
    }
    return TAPEGRAD_OK;
}

static tapegrad_status jvp(void *closure_, const tapegrad_use *use, tapegrad_value *const *given,
                           tapegrad_value **tangents) {
    closure *own = closure_;
    own->jvps++;
    if (own->fail) return tapegrad_fail(own->fail, "as the test wants");
    for (int k = 0; k < 2; k++) {
        if (!given[k]) continue;
        const intptr_t *shape = tapegrad_shape(use->operands[0]);
        tapegrad_value *wide = k ? tapegrad_broadcast_to(given[1], 1, shape) : tapegrad_retain(given[0]);
        tapegrad_value *product = combined(own, wide, use->operands[!k], true);
        for (int i = 0; i < 2; i++) {
            tapegrad_value *part = i ? wide : product, *before = tangents[i];
            tangents[i] = before ? combined(own, before, part, false) : tapegrad_retain(part);
            tapegrad_release(before);
        }
        tapegrad_release(product);
        tapegrad_release(wide);
    }
    return TAPEGRAD_OK;
}

static void released(void *closure_) { ((closure *)closure_)->released++; }

static tapegrad_definition definition_of(closure *own) {
    return (tapegrad_definition){.size = sizeof(tapegrad_definition),
                                 .name = "product and sum",
                                 .operands = 2,
                                 .results = 2,
                                 .saves = TAPEGRAD_SAVE_OPERANDS,
                                 .kernel = kernel,
                                 .vjp = vjp,
                                 .jvp = jvp,
                                 .closure = own,
                                 .release = released};
}

static void test_rules(tapegrad_context *context) {
    closure own = {.context = context};
    const tapegrad_definition definition = definition_of(&own);
    tapegrad_op *op = tapegrad_define(context, &definition);
    tapegrad_value *x = vector(context, 3, (double[]){1, 2, 3}), *y = vector(context, 1, (double[]){5});
    tapegrad_value *out[2], *found[2];
    tapegrad_value *const operands[2] = {x, y};
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    tapegrad_tape_enter(tape);
    tapegrad_watch(tape, x);
    tapegrad_watch(tape, y);
    CHECK(tapegrad_apply(op, 2, operands, out) == TAPEGRAD_OK && at(out[0], 2) == 15 && at(out[1], 2) == 8);
    tapegrad_value *both = tapegrad_binary(tapegrad_find(context, "multiply"), out[0], out[1]);
    tapegrad_tape_leave(tape);
    /* both = x y (x + y): by x 2 x y + y^2, by y x^2 + 2 x y summed. */
    CHECK(tapegrad_gradient(tape, 1, &both, NULL, 2, operands, found) == TAPEGRAD_OK && own.vjps == 1);
    for (int i = 0; i < 3; i++) CHECK(near(at(found[0], i), 10 * (i + 1) + 25));
    CHECK(tapegrad_size(found[1]) == 1 && near(at(found[1], 0), 14 + 10 * 6));
    release_all(2, found);
    /* One result only: the other's cotangent is zero. */
    CHECK(tapegrad_gradient(tape, 1, &out[1], NULL, 2, operands, found) == TAPEGRAD_OK);
    CHECK(at(found[0], 1) == 1 && at(found[1], 0) == 3);
    release_all(2, found);
    /* Rows: three sweeps' worth of rules in one. Columns: one push for each source. */
    own.vjps = 0;
    CHECK(tapegrad_jacobian(tape, both, 1, &x, found) == TAPEGRAD_OK && own.vjps == 3);
    for (int i = 0; i < 9; i++) CHECK(near(at(found[0], i), i / 3 == i % 3 ? 10 * (i / 3 + 1) + 25 : 0));
    tapegrad_release(found[0]);
    CHECK(tapegrad_jacobian(tape, both, 1, &y, found) == TAPEGRAD_OK && own.jvps == 1);
    CHECK(tapegrad_ndim(found[0]) == 2);
    for (int i = 0; i < 3; i++) CHECK(near(at(found[0], i), (i + 1) * (i + 1) + 10 * (i + 1)));
    tapegrad_release(found[0]);
    CHECK(tapegrad_jvp(tape, 2, operands, operands, 2, out, found) == TAPEGRAD_OK);
    for (int i = 0; i < 3; i++) CHECK(at(found[0], i) == 10 * (i + 1) && at(found[1], i) == 6 + i);
    release_all(2, found);
    /* An error of a rule comes out, and the tape is as it was. */
    own.fail = TAPEGRAD_CALLBACK;
    CHECK(tapegrad_gradient(tape, 1, &both, NULL, 2, operands, found) == TAPEGRAD_CALLBACK && !found[0]);
    CHECK(strcmp(tapegrad_error_text(), "as the test wants") == 0);
    CHECK(tapegrad_jvp(tape, 2, operands, operands, 1, &both, found) == TAPEGRAD_CALLBACK && !found[0]);
    own.fail = TAPEGRAD_OK;
    CHECK(tapegrad_gradient(tape, 1, &both, NULL, 2, operands, found) == TAPEGRAD_OK);
    release_all(2, found);
    /* The tape's use keeps the op; then the closure is released, once. */
    tapegrad_op_release(op);
    CHECK(own.released == 0 && own.kernels == 1);
    tapegrad_tape_free(tape);
    CHECK(own.released == 1);
    release_all(5, (tapegrad_value *[]){x, y, out[0], out[1], both});
}

static tapegrad_status pass_on(void *closure_, int count, tapegrad_value *const *operands, tapegrad_value **results) {
    (void)closure_, (void)count;
    results[0] = tapegrad_retain(operands[0]);
    return TAPEGRAD_OK;
}

static tapegrad_status wrong_shape(void *closure_, const tapegrad_use *use, tapegrad_value *const *given,
                                   const unsigned char *wanted, tapegrad_value **cotangents) {
    (void)use, (void)given, (void)wanted;
    cotangents[0] = vector(closure_, 2, (double[]){1, 1});
    return TAPEGRAD_OK;
}

static tapegrad_status give_nothing(void *closure_, int count, tapegrad_value *const *operands,
                                    tapegrad_value **results) {
    (void)closure_, (void)count, (void)operands, (void)results;
    return TAPEGRAD_OK;
}

static void test_definitions(tapegrad_context *context) {
    closure own = {.context = context};
    tapegrad_definition definition = definition_of(&own);
    definition.size--;
    CHECK(!tapegrad_define(context, &definition) && strstr(tapegrad_error_text(), "sizeof") && own.released == 0);
    definition = (tapegrad_definition){.size = sizeof definition, .name = "itself", .operands = -1, .results = 1};
    CHECK(!tapegrad_define(context, &definition));
    definition.kernel = pass_on;
    definition.vjp = wrong_shape;
    definition.closure = context;
    tapegrad_op *op = tapegrad_define(context, &definition);
    CHECK(strcmp(tapegrad_op_name(op), "itself") == 0);
    /* A result that is the operand gets a place of its own; a rule that gives another shape is found out. */
    tapegrad_value *x = vector(context, 3, (double[]){1, 2, 3}), *dx;
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    tapegrad_tape_enter(tape);
    tapegrad_watch(tape, x);
    tapegrad_value *y = tapegrad_unary(op, x);
    tapegrad_tape_leave(tape);
    CHECK(y && y != x && tapegrad_data(y) == tapegrad_data(x));
    CHECK(tapegrad_gradient(tape, 1, &y, NULL, 1, &x, &dx) == TAPEGRAD_BAD_SHAPE);
    CHECK(strstr(tapegrad_error_text(), "its vjp gave a float64 value of shape (2,) where float64 of shape (3,)"));
    CHECK(tapegrad_jvp(tape, 1, &x, &x, 1, &y, &dx) == TAPEGRAD_NO_RULE && !dx);
    tapegrad_op_release(op);
    /* Without rules nothing flows; a kernel must give its results; and how many operands there are is checked. */
    definition.vjp = NULL;
    definition.operands = 1;
    op = tapegrad_define(context, &definition);
    tapegrad_tape_enter(tape);
    tapegrad_value *flat = tapegrad_unary(op, x);
    CHECK(!tapegrad_binary(op, x, x) && tapegrad_error_status() == TAPEGRAD_BAD_VALUE);
    tapegrad_tape_leave(tape);
    CHECK(tapegrad_gradient(tape, 1, &flat, NULL, 1, &x, &dx) == TAPEGRAD_OK && !dx);
    tapegrad_op_release(op);
    definition.kernel = give_nothing;
    op = tapegrad_define(context, &definition);
    CHECK(!tapegrad_unary(op, x) && strcmp(tapegrad_error_text(), "itself: its kernel gave no result 0") == 0);
    CHECK(!tapegrad_find(context, "frobnicate")); /* an error before has nothing to do with it */
    CHECK(!tapegrad_unary(op, x) && strcmp(tapegrad_error_text(), "itself: its kernel gave no result 0") == 0);
    tapegrad_op_release(op);
    tapegrad_tape_free(tape);
    release_all(3, (tapegrad_value *[]){x, y, flat});
}

/* The first half of a vector and then zeros; the rules give NULL for zero, so that whole chunks of a Jacobian are. */
enum { WIDE = 512 };

static tapegrad_value *first_half(tapegrad_context *context, tapegrad_value *x) {
    double numbers[WIDE];
    bool zero = true;
    tapegrad_read(x, numbers, sizeof numbers);
    for (int i = 0; i < WIDE; i++) {
        if (i >= WIDE / 2) numbers[i] = 0;
        zero = zero && numbers[i] == 0;
    }
    return zero ? NULL : vector(context, WIDE, numbers);
}

static tapegrad_status half_kernel(void *closure_, int count, tapegrad_value *const *operands,
                                   tapegrad_value **results) {
    (void)count;
    results[0] = first_half(closure_, operands[0]);
    return TAPEGRAD_OK;
}

static tapegrad_status half_vjp(void *closure_, const tapegrad_use *use, tapegrad_value *const *given,
                                const unsigned char *wanted, tapegrad_value **cotangents) {
    (void)use, (void)wanted;
    cotangents[0] = first_half(closure_, given[0]);
    return TAPEGRAD_OK;
}

static tapegrad_status half_jvp(void *closure_, const tapegrad_use *use, tapegrad_value *const *given,
                                tapegrad_value **tangents) {
    (void)use;
    tangents[0] = first_half(closure_, given[0]);
    return TAPEGRAD_OK;
}

static void check_half(tapegrad_value *jacobian, int rows) {
    static double numbers[2 * WIDE * WIDE];
    CHECK(tapegrad_read(jacobian, numbers, sizeof numbers) == TAPEGRAD_OK);
    bool right = true;
    for (int i = 0; i < rows * WIDE; i++) {
        const int row = i / WIDE % WIDE, column = i % WIDE;
        right = right && numbers[i] == (row == column && row < WIDE / 2);
    }
    CHECK(right);
}

static void test_chunks_without_dependence(tapegrad_context *context) {
    const tapegrad_definition definition = {.size = sizeof definition,
                                            .name = "first half",
                                            .operands = 1,
                                            .results = 1,
                                            .kernel = half_kernel,
                                            .vjp = half_vjp,
                                            .jvp = half_jvp,
                                            .closure = context};
    double ones[WIDE];
    void *used;
    for (int i = 0; i < WIDE; i++) ones[i] = 1;
    tapegrad_op *op = tapegrad_define(context, &definition);
    tapegrad_value *x = vector(context, WIDE, ones), *jacobian;
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    tapegrad_tape_enter(tape);
    tapegrad_watch(tape, x);
    tapegrad_value *y = tapegrad_unary(op, x), *twice = tapegrad_concatenate(2, (tapegrad_value *[]){y, y}, 0);
    tapegrad_tape_leave(tape);
    for (int columns = 0; columns < 2; columns++) { /* in memory that had been something else */
        const intptr_t size = (columns + 1) * WIDE * WIDE;
        tapegrad_value *before = tapegrad_empty(context, TAPEGRAD_FLOAT64, 1, &size, &used);
        for (intptr_t i = 0; i < size; i++) ((double *)used)[i] = 7;
        tapegrad_release(before);
        CHECK(tapegrad_jacobian(tape, columns ? twice : y, 1, &x, &jacobian) == TAPEGRAD_OK);
        check_half(jacobian, (columns + 1) * WIDE);
        tapegrad_release(jacobian);
    }
    tapegrad_tape_free(tape);
    tapegrad_op_release(op);
    release_all(3, (tapegrad_value *[]){x, y, twice});
}

static tapegrad_status to_complex(void *closure_, int count, tapegrad_value *const *operands,
                                  tapegrad_value **results) {
    (void)count, (void)operands;
    results[0] = tapegrad_copy(closure_, TAPEGRAD_COMPLEX128, 1, (intptr_t[]){1}, NULL, (double[]){1, 0});
    return TAPEGRAD_OK;
}

static tapegrad_status as_operands(void *closure_, const tapegrad_use *use, tapegrad_value *const *given,
                                   const unsigned char *wanted, tapegrad_value **cotangents) {
    (void)closure_, (void)given;
    for (int k = 0; k < use->operands_count; k++) {
        if (wanted[k]) cotangents[k] = tapegrad_retain(use->operands[k]);
    }
    return TAPEGRAD_OK;
}

static tapegrad_status last_operand(void *closure_, int count, tapegrad_value *const *operands,
                                    tapegrad_value **results) {
    (void)closure_;
    results[0] = tapegrad_retain(operands[count - 1]);
    return TAPEGRAD_OK;
}

/* An op of (z, z, x) where z is complex: z's two cotangents cannot be added here, and x's is given back. */
static void test_cotangents_that_cannot_be_added(tapegrad_context *context) {
    tapegrad_definition definition = {.size = sizeof definition,
                                      .name = "to complex",
                                      .operands = -1,
                                      .results = 1,
                                      .saves = TAPEGRAD_SAVE_OPERANDS,
                                      .kernel = to_complex,
                                      .vjp = as_operands,
                                      .closure = context};
    tapegrad_op *complex_op = tapegrad_define(context, &definition);
    definition.kernel = last_operand;
    tapegrad_op *last_op = tapegrad_define(context, &definition);
    tapegrad_value *x = vector(context, 3, (double[]){1, 2, 3}), *z, *y, *dx;
    tapegrad_tape *tape = tapegrad_tape_new(context, 0);
    tapegrad_tape_enter(tape);
    tapegrad_watch(tape, x);
    z = tapegrad_unary(complex_op, x);
    CHECK(tapegrad_apply(last_op, 3, (tapegrad_value *[]){z, z, x}, &y) == TAPEGRAD_OK);
    CHECK(tapegrad_gradient(tape, 1, &y, NULL, 1, &x, &dx) == TAPEGRAD_NO_RULE && !dx);
    tapegrad_tape_free(tape);
    tapegrad_op_release(complex_op);
    tapegrad_op_release(last_op);
    release_all(3, (tapegrad_value *[]){x, y, z});
}

/* A use of an op and its derivatives, where each allocation fails in turn. */
static tg_status scenario(tg_allocator allocator, void *unused) {
    (void)unused;
    closure own = {0};
    tapegrad_value *out[2] = {NULL, NULL}, *found[2] = {NULL, NULL};
    if (tg_context_direct(allocator, 0, &own.context) != TAPEGRAD_OK) return (tg_status)tapegrad_error_status();
    const tapegrad_definition definition = definition_of(&own);
    tapegrad_op *op = tapegrad_define(own.context, &definition);
    tapegrad_value *x = vector(own.context, 3, (double[]){1, 2, 3}), *y = vector(own.context, 1, (double[]){5});
    tapegrad_value *const operands[2] = {x, y};
    tapegrad_tape *tape = tapegrad_tape_new(own.context, TAPEGRAD_PERSISTENT);
    tapegrad_status status = op && tape ? TAPEGRAD_OK : tapegrad_error_status();
    if (status == TAPEGRAD_OK) status = tapegrad_tape_enter(tape);
    if (status == TAPEGRAD_OK) status = tapegrad_watch(tape, x);
    if (status == TAPEGRAD_OK) status = tapegrad_watch(tape, y);
    if (status == TAPEGRAD_OK) status = tapegrad_apply(op, 2, operands, out);
    if (status == TAPEGRAD_OK) status = tapegrad_gradient(tape, 2, out, NULL, 2, operands, found);
    release_all(2, found);
    if (status == TAPEGRAD_OK) status = tapegrad_jacobian(tape, out[0], 2, operands, found);
    release_all(6, (tapegrad_value *[]){x, y, out[0], out[1], found[0], found[1]});
    tapegrad_tape_free(tape);
    tapegrad_op_release(op);
    CHECK(own.released == (op != NULL) && tapegrad_context_free(own.context) == TAPEGRAD_OK);
    return (tg_status)status;
}

int main(void) {
    run(test_rules);
    run(test_definitions);
    run(test_chunks_without_dependence);
    run(test_cotangents_that_cannot_be_added);
    check_every_failure(scenario, NULL);
    return check_report();
}
