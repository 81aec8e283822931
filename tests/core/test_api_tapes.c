/* The public interface: tapes, gradients, Jacobians, forward mode, numbers, and failures of memory. */
#include <math.h>
#include <string.h>

#include "api.h"
#include "api_lab.h"

/* sum(exp(x) * y), with what was made on the way released. */
static tapegrad_value *weighted(tapegrad_context *context, tapegrad_value *x, tapegrad_value *y) {
    tapegrad_value *e = tapegrad_unary(tapegrad_find(context, "exp"), x);
    tapegrad_value *p = tapegrad_binary(tapegrad_find(context, "multiply"), e, y);
    tapegrad_value *s = tapegrad_sum(p, 0, NULL, 0);
    tapegrad_release(e);
    tapegrad_release(p);
    return s;
}

static void test_gradient(tapegrad_context *context) {
    tapegrad_value *x = vector(context, 2, (double[]){0.5, 1}), *y = number(context, 3), *other = number(context, 1);
    tapegrad_value *gradients[3];
    tapegrad_tape *tape = tapegrad_tape_new(context, 0);
    CHECK(tapegrad_tape_enter(tape) == TAPEGRAD_OK && tapegrad_tape_enter(tape) == TAPEGRAD_BAD_STATE);
    CHECK(tapegrad_watch(tape, x) == TAPEGRAD_OK && tapegrad_watch(tape, y) == TAPEGRAD_OK);
    CHECK(tapegrad_watch(tape, other) == TAPEGRAD_OK && tapegrad_watch(tape, x) == TAPEGRAD_OK);
    CHECK(!tapegrad_data(x) && tapegrad_error_status() == TAPEGRAD_FOLLOWED);
    tapegrad_value *s = weighted(context, x, y);
    CHECK(tapegrad_tape_nodes(tape) == 6 && tapegrad_tape_bytes(tape) > 0);
    CHECK(tapegrad_gradient(tape, 1, &s, NULL, 3, (tapegrad_value *[]){x, y, other}, gradients) == TAPEGRAD_OK);
    CHECK(near(at(gradients[0], 0), 3 * exp(0.5)) && near(at(gradients[0], 1), 3 * exp(1)));
    CHECK(near(at(gradients[1], 0), exp(0.5) + exp(1)) && !gradients[2]);
    release_all(3, gradients);
    /* It has left the tape, and used it up. */
    CHECK(tapegrad_data(x) != NULL && tapegrad_tape_leave(tape) == TAPEGRAD_BAD_STATE);
    CHECK(tapegrad_gradient(tape, 1, &s, NULL, 1, &x, gradients) == TAPEGRAD_BAD_STATE && !gradients[0]);
    CHECK(strstr(tapegrad_error_text(), "used up") && tapegrad_watch(tape, x) == TAPEGRAD_BAD_STATE);
    /* Entered again it is as new; what it knew it knows no more. */
    CHECK(tapegrad_tape_enter(tape) == TAPEGRAD_OK && tapegrad_tape_leave(tape) == TAPEGRAD_OK);
    CHECK(tapegrad_gradient(tape, 1, &s, NULL, 1, &x, gradients) == TAPEGRAD_OK && !gradients[0]);
    tapegrad_tape_free(tape);
    tapegrad_tape_free(NULL);
    release_all(4, (tapegrad_value *[]){x, y, s, other});
}

static void test_cotangents(tapegrad_context *context) {
    tapegrad_value *x = vector(context, 3, (double[]){1, 2, 3}), *g = vector(context, 3, (double[]){1, 10, 100});
    tapegrad_value *short_one = vector(context, 2, (double[]){1, 1}), *dx;
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    tapegrad_tape_enter(tape);
    tapegrad_watch(tape, x);
    tapegrad_value *y = tapegrad_unary(tapegrad_find(context, "square"), x);
    tapegrad_tape_leave(tape);
    for (int i = 0; i < 2; i++) {
        CHECK(tapegrad_gradient(tape, 1, &y, &g, 1, &x, &dx) == TAPEGRAD_OK && at(dx, 2) == 600);
        tapegrad_release(dx);
    }
    tapegrad_value *const twice[2] = {y, y}, *const cotangents[2] = {g, NULL};
    CHECK(tapegrad_gradient(tape, 2, twice, cotangents, 1, &x, &dx) == TAPEGRAD_OK && at(dx, 1) == 44);
    tapegrad_release(dx);
    CHECK(tapegrad_gradient(tape, 1, &y, &short_one, 1, &x, &dx) == TAPEGRAD_BAD_SHAPE && !dx);
    CHECK(strstr(tapegrad_error_text(), "float64 of shape (3,) is wanted, and not float64 of shape (2,)"));
    tapegrad_value *pair[2];
    CHECK(tapegrad_gradient(tape, 1, &y, NULL, 2, (tapegrad_value *[]){x, x}, pair) == TAPEGRAD_OK);
    CHECK(pair[0] == pair[1]);
    release_all(2, pair);
    CHECK(tapegrad_tape_reset(tape) == TAPEGRAD_OK && tapegrad_tape_nodes(tape) == 0);
    tapegrad_tape_free(tape);
    release_all(4, (tapegrad_value *[]){x, g, short_one, y});
}

static void test_jacobian(tapegrad_context *context) {
    const double numbers[6] = {1, 2, 3, 4, 5, 6};
    tapegrad_value *a = tapegrad_copy(context, TAPEGRAD_FLOAT64, 2, (intptr_t[]){3, 2}, NULL, numbers);
    tapegrad_value *x = vector(context, 2, (double[]){0.5, -1}), *aside = number(context, 1), *found[3], *tangent;
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    tapegrad_tape_enter(tape);
    tapegrad_watch(tape, x);
    tapegrad_watch(tape, a);
    tapegrad_value *z = tapegrad_matmul(a, x);
    tapegrad_value *y = tapegrad_unary(tapegrad_find(context, "square"), z);
    tapegrad_tape_leave(tape);
    /* By columns. */
    CHECK(tapegrad_jacobian(tape, y, 1, &x, found) == TAPEGRAD_OK);
    CHECK(tapegrad_ndim(found[0]) == 2 && tapegrad_shape(found[0])[0] == 3 && tapegrad_shape(found[0])[1] == 2);
    for (int i = 0; i < 6; i++) CHECK(near(at(found[0], i), 2 * at(z, i / 2) * (i + 1)));
    tapegrad_release(found[0]);
    /* By rows. */
    CHECK(tapegrad_jacobian(tape, y, 3, (tapegrad_value *[]){a, aside, x}, found) == TAPEGRAD_OK);
    CHECK(tapegrad_ndim(found[0]) == 3 && !found[1]);
    for (int i = 0; i < 18; i++) {
        const int row = i / 6, of = i / 2 % 3, column = i % 2;
        CHECK(near(at(found[0], i), row == of ? 2 * at(z, row) * at(x, column) : 0));
    }
    for (int i = 0; i < 6; i++) CHECK(near(at(found[2], i), 2 * at(z, i / 2) * (i + 1)));
    release_all(3, found);
    /* Forward mode, in the direction of x itself: y is homogeneous of degree two in it. */
    CHECK(tapegrad_jvp(tape, 1, &x, &x, 1, &y, &tangent) == TAPEGRAD_OK);
    for (int i = 0; i < 3; i++) CHECK(near(at(tangent, i), 2 * at(y, i)));
    tapegrad_release(tangent);
    CHECK(tapegrad_jvp(tape, 1, &x, (tapegrad_value *[]){NULL}, 1, &y, &tangent) == TAPEGRAD_OK && !tangent);
    CHECK(tapegrad_jvp(tape, 1, &x, &y, 1, &y, &tangent) == TAPEGRAD_BAD_SHAPE && !tangent);
    tapegrad_tape_free(tape);
    release_all(5, (tapegrad_value *[]){a, x, aside, z, y});
}

static void test_chunks(tapegrad_context *context) {
    /* 300 rows and columns go in three chunks, either way. */
    enum { COUNT = 300 };
    static double numbers[COUNT], jacobian[COUNT * COUNT];
    for (int i = 0; i < COUNT; i++) numbers[i] = i;
    tapegrad_value *x = vector(context, COUNT, numbers), *found;
    for (int columns = 0; columns < 2; columns++) {
        tapegrad_tape *tape = tapegrad_tape_new(context, 0);
        tapegrad_tape_enter(tape);
        tapegrad_watch(tape, x);
        tapegrad_value *y = tapegrad_unary(tapegrad_find(context, "square"), x);
        tapegrad_value *longer = tapegrad_concatenate(1 + columns, (tapegrad_value *[]){y, x}, 0);
        tapegrad_value *target = tapegrad_slice(longer, (tapegrad_range[]){{0, 1, COUNT + columns}});
        CHECK(tapegrad_jacobian(tape, target, 1, &x, &found) == TAPEGRAD_OK);
        tapegrad_value *square = tapegrad_slice(found, (tapegrad_range[]){{0, 1, COUNT}, {0, 1, COUNT}});
        CHECK(tapegrad_read(square, jacobian, sizeof jacobian) == TAPEGRAD_OK);
        bool right = true;
        for (int i = 0; i < COUNT * COUNT; i++) {
            const int row = i / COUNT, column = i % COUNT;
            right = right && jacobian[i] == (row == column ? 2 * numbers[column] : 0);
        }
        CHECK(right);
        release_all(5, (tapegrad_value *[]){y, longer, target, found, square});
        tapegrad_tape_free(tape);
    }
    tapegrad_release(x);
}

static void test_nested(tapegrad_context *context) {
    tapegrad_value *x = number(context, 3), *dx;
    const tapegrad_op *square = tapegrad_find(context, "square");
    tapegrad_tape *outer = tapegrad_tape_new(context, 0), *inner = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    tapegrad_tape_enter(outer);
    tapegrad_watch(outer, x);
    tapegrad_tape_enter(inner);
    tapegrad_watch(inner, x);
    tapegrad_value *y = tapegrad_unary(square, x), *z = tapegrad_unary(square, y);
    tapegrad_tape_leave(inner);
    /* Each tape has its gradient; that of the inner one must not get lost on the outer. */
    CHECK(tapegrad_gradient(inner, 1, &z, NULL, 1, &x, &dx) == TAPEGRAD_FOLLOWED && !dx);
    CHECK(tapegrad_jacobian(inner, z, 1, &x, &dx) == TAPEGRAD_FOLLOWED);
    CHECK(tapegrad_gradient(outer, 1, &z, NULL, 1, &x, &dx) == TAPEGRAD_OK && at(dx, 0) == 108);
    tapegrad_release(dx);
    CHECK(tapegrad_gradient(inner, 1, &z, NULL, 1, &x, &dx) == TAPEGRAD_OK && at(dx, 0) == 108);
    tapegrad_release(dx);
    /* A constant is a constant for both. */
    tapegrad_tape_enter(outer);
    tapegrad_watch(outer, x);
    tapegrad_value *constant = tapegrad_constant(x), *squared = tapegrad_unary(square, constant);
    CHECK(tapegrad_gradient(outer, 1, &squared, NULL, 1, &x, &dx) == TAPEGRAD_OK && !dx);
    tapegrad_tape_free(inner);
    tapegrad_tape_free(outer);
    release_all(5, (tapegrad_value *[]){x, y, z, constant, squared});
}

static void test_numbers(tapegrad_context *context) {
    const tapegrad_op *multiply = tapegrad_find(context, "multiply"), *add = tapegrad_find(context, "add");
    const tapegrad_op *exponential = tapegrad_find(context, "exp"), *step = tapegrad_find(context, "floor");
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    double gradient[3];
    for (int round = 0; round < 2; round++) {
        tapegrad_number x = tapegrad_watch_number(tape, 0.5), y = tapegrad_watch_number(tape, 2), sum = x;
        for (int i = 0; i < 1000; i++) {
            sum = tapegrad_number_binary(tape, add, sum, tapegrad_number_binary(tape, multiply, x, y));
        }
        sum = tapegrad_number_binary(tape, add, sum, tapegrad_number_unary(tape, exponential, x));
        sum = tapegrad_number_binary(tape, add, sum, tapegrad_number_unary(tape, step, y));
        CHECK(near(sum.value, 0.5 + 1000 + exp(0.5) + 2));
        const tapegrad_number sources[3] = {x, y, tapegrad_constant_number(7)};
        CHECK(tapegrad_number_gradient(tape, sum, 3, sources, gradient) == TAPEGRAD_OK);
        CHECK(near(gradient[0], 2001 + exp(0.5)) && near(gradient[1], 500) && gradient[2] == 0);
        /* There and back. */
        tapegrad_value *value = tapegrad_value_from_number(tape, sum), *rest;
        tapegrad_number again;
        CHECK(at(value, 0) == sum.value && tapegrad_number_from_value(tape, value, &again) == TAPEGRAD_OK);
        CHECK(again.place == sum.place && again.value == sum.value);
        tapegrad_release(value);
        rest = tapegrad_scalar(context, TAPEGRAD_FLOAT32, 1);
        CHECK(tapegrad_number_from_value(tape, rest, &again) == TAPEGRAD_BAD_DTYPE);
        tapegrad_release(rest);
        tapegrad_tape_reset(tape);
        /* A number from before the reset is found out, and the tape goes on after another one. */
        sum = tapegrad_number_unary(tape, exponential, x);
        CHECK(isnan(sum.value) && tapegrad_number_gradient(tape, sum, 0, NULL, NULL) == TAPEGRAD_BAD_STATE);
        CHECK(strstr(tapegrad_error_text(), "before a reset") != NULL);
        tapegrad_tape_reset(tape);
        sum = tapegrad_number_unary(tape, multiply, tapegrad_constant_number(1));
        CHECK(isnan(sum.value) && tapegrad_number_gradient(tape, sum, 0, NULL, NULL) == TAPEGRAD_BAD_VALUE);
        tapegrad_tape_reset(tape);
    }
    /* A value on an outer tape cannot become a number of this one. */
    tapegrad_value *x = number(context, 1);
    tapegrad_number lost;
    tapegrad_tape *outer = tapegrad_tape_new(context, 0);
    tapegrad_tape_enter(outer);
    tapegrad_watch(outer, x);
    CHECK(tapegrad_number_from_value(tape, x, &lost) == TAPEGRAD_FOLLOWED);
    tapegrad_tape_free(outer);
    tapegrad_tape_free(tape);
    tapegrad_release(x);
}

static tapegrad_status pass_on(void *closure, int count, tapegrad_value *const *operands, tapegrad_value **results) {
    (void)closure, (void)count;
    results[0] = tapegrad_retain(operands[0]);
    return TAPEGRAD_OK;
}

/* Tapes of two contexts have the same ids: a value of the other one is known to none here. */
static void test_another_context(tapegrad_context *context) {
    tapegrad_context *another = tapegrad_context_new();
    tapegrad_value *x = number(context, 2), *y[2] = {number(another, 3), number(another, 4)}, *dx;
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    tapegrad_tape *of_the_other = tapegrad_tape_new(another, TAPEGRAD_PERSISTENT);
    tapegrad_watch(tape, x);
    for (int i = 0; i < 2; i++) tapegrad_watch(of_the_other, y[i]);
    for (int i = 0; i < 2; i++) {
        tapegrad_number constant = {0, 1};
        CHECK(tapegrad_gradient(tape, 1, &y[i], NULL, 1, &x, &dx) == TAPEGRAD_OK && !dx);
        CHECK(tapegrad_number_from_value(tape, y[i], &constant) == TAPEGRAD_OK && !constant.place);
    }
    const tapegrad_definition definition = {
        .size = sizeof definition, .name = "itself", .operands = 1, .results = 1, .kernel = pass_on};
    tapegrad_op *op = tapegrad_define(context, &definition);
    CHECK(!tapegrad_unary(op, y[0]) && tapegrad_error_status() == TAPEGRAD_BAD_VALUE);
    CHECK(strcmp(tapegrad_error_text(), "itself: the op is of another context than its operands") == 0);
    tapegrad_op_release(op);
    tapegrad_tape_free(tape);
    tapegrad_tape_free(of_the_other);
    tapegrad_release(x);
    release_all(2, y);
    CHECK(tapegrad_context_free(another) == TAPEGRAD_OK);
}

/* Everything once, where each allocation fails in turn. */
static tg_status scenario(tg_allocator allocator, void *unused) {
    (void)unused;
    tapegrad_context *context;
    if (tg_context_direct(allocator, 0, &context) != TAPEGRAD_OK) return (tg_status)tapegrad_error_status();
    tapegrad_value *x = vector(context, 3, (double[]){1, 2, 3}), *y = number(context, 2), *gradients[2] = {NULL, NULL};
    tapegrad_value *jacobians[2] = {NULL, NULL}, *s = NULL, *joined = NULL, *tangent = NULL;
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT);
    tapegrad_value *const sources[2] = {x, y};
    tapegrad_status status = tape ? TAPEGRAD_OK : tapegrad_error_status();
    if (status == TAPEGRAD_OK) status = tapegrad_tape_enter(tape);
    if (status == TAPEGRAD_OK) status = tapegrad_watch(tape, x);
    if (status == TAPEGRAD_OK) status = tapegrad_watch(tape, y);
    if (status == TAPEGRAD_OK) {
        s = weighted(context, x, y);
        joined = s ? tapegrad_stack(2, (tapegrad_value *[]){s, y}, 0) : NULL;
        status = joined ? TAPEGRAD_OK : tapegrad_error_status();
    }
    if (status == TAPEGRAD_OK) status = tapegrad_gradient(tape, 1, &joined, NULL, 2, sources, gradients);
    if (status == TAPEGRAD_OK) status = tapegrad_jacobian(tape, joined, 2, sources, jacobians);
    if (status == TAPEGRAD_OK) status = tapegrad_jvp(tape, 2, sources, sources, 1, &joined, &tangent);
    release_all(2, gradients);
    release_all(2, jacobians);
    release_all(5, (tapegrad_value *[]){x, y, s, joined, tangent});
    tapegrad_tape_free(tape);
    CHECK(tapegrad_context_free(context) == TAPEGRAD_OK);
    return (tg_status)status;
}

int main(void) {
    run(test_gradient);
    run(test_cotangents);
    run(test_jacobian);
    run(test_chunks);
    run(test_nested);
    run(test_numbers);
    run(test_another_context);
    check_every_failure(scenario, NULL);
    return check_report();
}
