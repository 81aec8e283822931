/* The public interface in a program of its own: contexts, values and operations. */
#include <string.h>

#include "api.h"
#include "api_lab.h"

static void count_release(void *owner) { ++*(int *)owner; }

static void test_borrowed_buffers(tapegrad_context *context) {
    double numbers[6] = {1, 2, 3, 4, 5, 6}, copied[3];
    int released = 0;
    const intptr_t shape[1] = {3}, strides[1] = {2 * sizeof(double)};
    const int f64 = TAPEGRAD_FLOAT64;
    tapegrad_value *odd = tapegrad_borrow(context, f64, 1, shape, strides, numbers, count_release, &released);
    CHECK(tapegrad_data(odd) == numbers && tapegrad_ndim(odd) == 1 && tapegrad_size(odd) == 3);
    CHECK(tapegrad_shape(odd)[0] == 3 && tapegrad_strides(odd)[0] == 16 && tapegrad_dtype_of(odd) == TAPEGRAD_FLOAT64);
    CHECK(tapegrad_read(odd, copied, sizeof copied) == TAPEGRAD_OK);
    CHECK(copied[0] == 1 && copied[1] == 3 && copied[2] == 5);
    tapegrad_value *even = tapegrad_contiguous(odd), *same = tapegrad_contiguous(even);
    CHECK(even != odd && same == even && ((const double *)tapegrad_data(even))[2] == 5);
    release_all(2, (tapegrad_value *[]){even, same});
    CHECK(tapegrad_read(odd, copied, sizeof copied - 1) == TAPEGRAD_BAD_VALUE);
    CHECK(strstr(tapegrad_error_text(), "room for 23 bytes, but the value has 24") != NULL);

    /* A view, and a tape that saved it, keep the buffer. */
    tapegrad_tape *tape = tapegrad_tape_new(context, 0);
    CHECK(tapegrad_tape_enter(tape) == TAPEGRAD_OK && tapegrad_watch(tape, odd) == TAPEGRAD_OK);
    tapegrad_value *pair = tapegrad_slice(odd, (tapegrad_range[]){{2, -2, 2}});
    tapegrad_value *squared = tapegrad_unary(tapegrad_find(context, "square"), pair);
    CHECK(tapegrad_tape_leave(tape) == TAPEGRAD_OK);
    CHECK(at(squared, 0) == 25 && at(squared, 1) == 1);
    tapegrad_release(odd);
    tapegrad_release(pair);
    CHECK(released == 0);
    tapegrad_tape_free(tape);
    tapegrad_release(squared);
    CHECK(released == 1);

    /* Numbers are copied; what cannot be borrowed stays with its owner. */
    tapegrad_value *one = tapegrad_borrow(context, f64, 0, NULL, NULL, numbers, count_release, &released);
    CHECK(released == 2 && at(one, 0) == 1);
    tapegrad_release(one);
    CHECK(!tapegrad_borrow(context, f64, 1, shape, NULL, (char *)numbers + 1, count_release, &released));
    CHECK(tapegrad_error_status() == TAPEGRAD_BAD_VALUE && released == 2);
    CHECK(!tapegrad_borrow(context, 99, 1, shape, NULL, numbers, count_release, &released));
    CHECK(!tapegrad_borrow(context, f64, 65, shape, NULL, numbers, count_release, &released));
    CHECK(!tapegrad_borrow(context, f64, 1, (intptr_t[]){-1}, NULL, numbers, count_release, &released));
    CHECK(!tapegrad_borrow(context, f64, 1, (intptr_t[]){INTPTR_MAX}, NULL, numbers, count_release, &released));
    CHECK(tapegrad_error_status() == TAPEGRAD_TOO_LARGE && released == 2);
    tapegrad_value *forever = tapegrad_borrow(context, f64, 1, shape, NULL, numbers, NULL, NULL);
    tapegrad_release(forever);
}

static void test_numbers_of_every_dtype(tapegrad_context *context) {
    for (int dtype = TAPEGRAD_BOOL; dtype <= TAPEGRAD_FLOAT64; dtype++) {
        double number = -1;
        if (dtype == TAPEGRAD_FLOAT16) continue;
        tapegrad_value *one = tapegrad_scalar(context, dtype, 1);
        CHECK(tapegrad_read_number(one, &number) == TAPEGRAD_OK && number == 1);
        CHECK(tapegrad_dtype_of(one) == dtype && tapegrad_ndim(one) == 0 && tapegrad_size(one) == 1);
        tapegrad_release(one);
    }
    CHECK(!tapegrad_scalar(context, TAPEGRAD_FLOAT16, 1));
    tapegrad_value *complex_number = tapegrad_scalar(context, TAPEGRAD_COMPLEX128, 2);
    double parts[2];
    CHECK(tapegrad_read(complex_number, parts, sizeof parts) == TAPEGRAD_OK && parts[0] == 2 && parts[1] == 0);
    CHECK(tapegrad_read_number(complex_number, parts) == TAPEGRAD_BAD_DTYPE);
    tapegrad_release(complex_number);
}

static void test_elementwise(tapegrad_context *context) {
    tapegrad_value *x = vector(context, 3, (double[]){1, 2, 3}), *two = number(context, 2), *out;
    tapegrad_value *matrix = tapegrad_reshape(x, 2, (intptr_t[]){3, -1});
    tapegrad_value *table = tapegrad_binary(tapegrad_find(context, "multiply"), x, matrix);
    CHECK(tapegrad_ndim(table) == 2 && at(table, 5) == 6 && at(table, 7) == 6 && at(table, 8) == 9);
    out = tapegrad_binary(tapegrad_find(context, "power"), x, two);
    CHECK(at(out, 2) == 9);
    CHECK(strcmp(tapegrad_op_name(tapegrad_find(context, "power")), "power") == 0);
    tapegrad_release(out);

    CHECK(!tapegrad_find(context, "frobnicate") && strstr(tapegrad_error_text(), "'frobnicate'"));
    tapegrad_value *four = vector(context, 4, (double[]){1, 2, 3, 4});
    CHECK(!tapegrad_binary(tapegrad_find(context, "add"), x, four));
    CHECK(strcmp(tapegrad_error_text(), "add: operands of shapes (3,), (4,) cannot be broadcast together") == 0);
    tapegrad_value *single = tapegrad_scalar(context, TAPEGRAD_FLOAT32, 1);
    CHECK(!tapegrad_binary(tapegrad_find(context, "add"), x, single));
    CHECK(tapegrad_error_status() == TAPEGRAD_BAD_DTYPE && strstr(tapegrad_error_text(), "number 1 is float32"));
    CHECK(!tapegrad_unary(tapegrad_find(context, "add"), x) && tapegrad_error_status() == TAPEGRAD_BAD_VALUE);

    /* An error goes through a formula, and stays what it was. */
    const tapegrad_op *exponential = tapegrad_find(context, "exp");
    CHECK(!tapegrad_unary(exponential, tapegrad_binary(tapegrad_find(context, "add"), x, four)));
    CHECK(!tapegrad_sum(NULL, 0, NULL, 0) && tapegrad_error_status() == TAPEGRAD_BAD_SHAPE);
    CHECK(tapegrad_read(NULL, NULL, 0) == TAPEGRAD_BAD_SHAPE);
    tapegrad_value *const all[] = {x, two, matrix, table, four, single};
    release_all(6, all);
}

static void test_structural(tapegrad_context *context) {
    tapegrad_value *x = vector(context, 6, (double[]){1, 2, 3, 4, 5, 6}), *out;
    tapegrad_value *m = tapegrad_reshape(x, 2, (intptr_t[]){2, 3});
    out = tapegrad_transpose(m, NULL);
    CHECK(tapegrad_shape(out)[0] == 3 && at(out, 1) == 4);
    tapegrad_release(out);
    out = tapegrad_sum(m, 1, (int[]){-1}, 0);
    CHECK(tapegrad_ndim(out) == 1 && at(out, 0) == 6 && at(out, 1) == 15);
    tapegrad_release(out);
    out = tapegrad_mean(m, 1, (int[]){0}, 1);
    CHECK(tapegrad_ndim(out) == 2 && tapegrad_shape(out)[0] == 1 && at(out, 2) == 4.5);
    tapegrad_release(out);
    out = tapegrad_sum(m, 0, NULL, 0);
    CHECK(tapegrad_ndim(out) == 0 && at(out, 0) == 21);
    tapegrad_release(out);
    out = tapegrad_index(m, 1, -1);
    CHECK(tapegrad_ndim(out) == 1 && at(out, 0) == 3 && at(out, 1) == 6);
    tapegrad_release(out);
    out = tapegrad_broadcast_to(x, 2, (intptr_t[]){2, 6});
    CHECK(at(out, 11) == 6);
    tapegrad_release(out);
    out = tapegrad_stack(2, (tapegrad_value *[]){x, x}, -1);
    CHECK(tapegrad_shape(out)[0] == 6 && tapegrad_shape(out)[1] == 2 && at(out, 3) == 2);
    tapegrad_release(out);
    out = tapegrad_concatenate(2, (tapegrad_value *[]){m, m}, 1);
    CHECK(tapegrad_shape(out)[1] == 6 && at(out, 9) == 4);
    tapegrad_release(out);
    tapegrad_value *positions = tapegrad_copy(context, TAPEGRAD_INT64, 1, (intptr_t[]){2}, NULL, (int64_t[]){-1, 0});
    out = tapegrad_take(m, positions, 1);
    CHECK(at(out, 0) == 3 && at(out, 1) == 1 && at(out, 2) == 6);
    tapegrad_release(out);
    tapegrad_value *test = tapegrad_copy(context, TAPEGRAD_BOOL, 1, (intptr_t[]){3}, NULL, (unsigned char[]){1, 0, 1});
    tapegrad_value *zero = number(context, 0);
    out = tapegrad_where(test, m, zero);
    CHECK(at(out, 0) == 1 && at(out, 1) == 0 && at(out, 5) == 6);
    tapegrad_release(out);
    out = tapegrad_cast(m, TAPEGRAD_FLOAT32);
    CHECK(tapegrad_dtype_of(out) == TAPEGRAD_FLOAT32 && ((const float *)tapegrad_data(out))[5] == 6);
    tapegrad_release(out);
    out = tapegrad_matmul(m, x);
    CHECK(!out && strstr(tapegrad_error_text(), "shapes (2, 3) and (6,) do not fit"));
    tapegrad_value *v = vector(context, 3, (double[]){1, 0, -1});
    out = tapegrad_matmul(m, v);
    CHECK(tapegrad_ndim(out) == 1 && at(out, 0) == -2 && at(out, 1) == -2);
    tapegrad_release(out);
    out = tapegrad_matmul(v, v);
    CHECK(tapegrad_ndim(out) == 0 && at(out, 0) == 2);
    tapegrad_release(out);

    CHECK(!tapegrad_reshape(m, 1, (intptr_t[]){5}) && strstr(tapegrad_error_text(), "shape (2, 3) to (5,)"));
    CHECK(!tapegrad_reshape(m, 2, (intptr_t[]){-1, -1}) && !tapegrad_broadcast_to(m, 1, (intptr_t[]){3}));
    CHECK(!tapegrad_slice(x, (tapegrad_range[]){{4, 1, 3}}) && strstr(tapegrad_error_text(), "leave axis 0"));
    CHECK(!tapegrad_slice(x, (tapegrad_range[]){{1, INTPTR_MAX, 3}}));
    CHECK(!tapegrad_index(x, 0, 6) && !tapegrad_index(x, 1, 0));
    CHECK(!tapegrad_transpose(m, (int[]){0, 0}) && !tapegrad_sum(m, 2, (int[]){0, -2}, 0));
    CHECK(!tapegrad_concatenate(2, (tapegrad_value *[]){m, x}, 0) && !tapegrad_concatenate(0, NULL, 0));
    CHECK(!tapegrad_where(x, m, m) && tapegrad_error_status() == TAPEGRAD_BAD_DTYPE);
    tapegrad_value *beyond = tapegrad_scalar(context, TAPEGRAD_INT64, 3);
    CHECK(!tapegrad_take(m, beyond, 1) && strstr(tapegrad_error_text(), "position 3 is out of bounds"));
    CHECK(!tapegrad_sum(positions, 0, NULL, 0) && !tapegrad_cast(m, TAPEGRAD_INT32));
    tapegrad_value *const all[] = {x, m, positions, test, zero, v, beyond};
    release_all(7, all);
}

static void test_lives(tapegrad_context *context) {
    const size_t before = tapegrad_memory_stats(context).live;
    void *data;
    tapegrad_value *x = tapegrad_empty(context, TAPEGRAD_FLOAT32, 1, (intptr_t[]){1000}, &data);
    ((float *)data)[999] = 3;
    CHECK(tapegrad_data(x) == data && tapegrad_memory_stats(context).live >= before + 4000);
    CHECK(tapegrad_context_free(context) == TAPEGRAD_BAD_STATE && strstr(tapegrad_error_text(), "are alive"));
    tapegrad_share(context);
    CHECK(tapegrad_retain(x) == x);
    tapegrad_release(x);
    tapegrad_unshare(context);
    CHECK(tapegrad_retain(x) == x);
    tapegrad_release(x);
    CHECK(((const float *)tapegrad_data(x))[999] == 3);
    tapegrad_release(x);
    tapegrad_release(NULL);
    CHECK(tapegrad_memory_stats(context).live == before && tapegrad_memory_stats(context).peak > before);
    tapegrad_memory_reset_peak(context);
    tapegrad_memory_set_limit(context, 0);
    const tapegrad_memory memory = tapegrad_memory_stats(context);
    CHECK(memory.peak == before && memory.cached == 0 && memory.limit == 0);
}

int main(void) {
    run(test_borrowed_buffers);
    run(test_numbers_of_every_dtype);
    run(test_elementwise);
    run(test_structural);
    run(test_lives);
    return check_report();
}
