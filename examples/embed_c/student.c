/* The log-likelihood of Student's t distribution, in C on tapegrad's tapes: three ways to the same derivatives.
 *
 *     student.log_likelihood(location, log_scale, data)        a tensor, followed by the caller's own tape
 *     student.value_and_gradient(location, log_scale, data)    on a tape in C: operations on whole arrays
 *     student.by_numbers(location, log_scale, data)            on a tape in C: a loop over single numbers
 *
 * The last two run without the interpreter lock.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <tapegrad/tapecore.h>

#define FREEDOM 4.0   /* degrees of freedom */
#define PI 3.14159265358979323846
#define CHUNK 2048    /* observations on the tape at once: it stays in the cache */

static tapegrad_context *context;
static const tapegrad_op *add, *subtract, *multiply, *exponential, *negative, *log1p_, *square;

/* The terms that do not depend on the data, for each observation. */
static double constant_term(void) {
    return lgamma((FREEDOM + 1) / 2) - lgamma(FREEDOM / 2) - log(FREEDOM * PI) / 2;
}

/* ---- operations on whole arrays ---- */

/* Sum over the data of constant_term - log_scale - (FREEDOM + 1) / 2 * log1p(((x - location) / scale)^2 / FREEDOM). */
static tapegrad_value *log_likelihood(tapegrad_value *location, tapegrad_value *log_scale, tapegrad_value *data) {
    const double count = (double)tapegrad_size(data);
    tapegrad_value *v[16] = {
        tapegrad_scalar(context, TAPEGRAD_FLOAT64, 1 / FREEDOM),
        tapegrad_scalar(context, TAPEGRAD_FLOAT64, (FREEDOM + 1) / 2),
        tapegrad_scalar(context, TAPEGRAD_FLOAT64, count),
        tapegrad_scalar(context, TAPEGRAD_FLOAT64, count * constant_term()),
    };
    /* A failure gives NULL, and NULL everywhere after it: the end of the formula tells. */
    v[4] = tapegrad_unary(negative, log_scale);
    v[5] = tapegrad_unary(exponential, v[4]); /* 1 / scale */
    v[6] = tapegrad_binary(subtract, data, location);
    v[7] = tapegrad_binary(multiply, v[6], v[5]);
    v[8] = tapegrad_unary(square, v[7]);
    v[9] = tapegrad_binary(multiply, v[8], v[0]);
    v[10] = tapegrad_unary(log1p_, v[9]);
    v[11] = tapegrad_sum(v[10], 0, NULL, 0);
    v[12] = tapegrad_binary(multiply, v[11], v[1]);
    v[13] = tapegrad_binary(multiply, log_scale, v[2]);
    v[14] = tapegrad_binary(add, v[12], v[13]);
    v[15] = tapegrad_binary(subtract, v[3], v[14]);
    for (int i = 0; i < 15; i++) tapegrad_release(v[i]);
    return v[15];
}

/* value and gradient[2], out. */
static tapegrad_status by_arrays(tapegrad_value *const *parameters, tapegrad_value *data, double *value,
                                 double *gradient) {
    tapegrad_value *gradients[2] = {NULL, NULL}, *total = NULL;
    tapegrad_tape *tape = tapegrad_tape_new(context, 0);
    tapegrad_status status = tape ? tapegrad_tape_enter(tape) : tapegrad_error_status();
    for (int k = 0; k < 2 && status == TAPEGRAD_OK; k++) status = tapegrad_watch(tape, parameters[k]);
    if (status == TAPEGRAD_OK) total = log_likelihood(parameters[0], parameters[1], data);
    if (status == TAPEGRAD_OK) status = tapegrad_read_number(total, value); /* which knows of a NULL */
    if (status == TAPEGRAD_OK) status = tapegrad_gradient(tape, 1, &total, NULL, 2, parameters, gradients);
    for (int k = 0; k < 2 && status == TAPEGRAD_OK; k++) status = tapegrad_read_number(gradients[k], &gradient[k]);
    tapegrad_tape_free(tape);
    tapegrad_release(total);
    tapegrad_release(gradients[0]);
    tapegrad_release(gradients[1]);
    return status;
}

/* ---- a loop over numbers ---- */

static tapegrad_number plus(tapegrad_tape *tape, tapegrad_number x, tapegrad_number y) {
    return tapegrad_number_binary(tape, add, x, y);
}

static tapegrad_number times(tapegrad_tape *tape, tapegrad_number x, tapegrad_number y) {
    return tapegrad_number_binary(tape, multiply, x, y);
}

/* The same for some observations; what it finds is added to value and gradient. */
static tapegrad_status add_chunk(tapegrad_tape *tape, const double *point, const double *data, intptr_t count,
                                 double *value, double *gradient) {
    const tapegrad_number location = tapegrad_watch_number(tape, point[0]);
    const tapegrad_number log_scale = tapegrad_watch_number(tape, point[1]);
    const tapegrad_number parameters[2] = {location, log_scale};
    const tapegrad_number weight = tapegrad_constant_number(-(FREEDOM + 1) / 2);
    const tapegrad_number minus = tapegrad_number_unary(tape, negative, log_scale);
    const tapegrad_number inverse = tapegrad_number_unary(tape, exponential, minus);
    tapegrad_number total = times(tape, log_scale, tapegrad_constant_number(-(double)count));
    for (intptr_t i = 0; i < count; i++) {
        const tapegrad_number x = tapegrad_constant_number(data[i]);
        const tapegrad_number z = times(tape, tapegrad_number_binary(tape, subtract, x, location), inverse);
        const tapegrad_number ratio = times(tape, times(tape, z, z), tapegrad_constant_number(1 / FREEDOM));
        total = plus(tape, total, times(tape, tapegrad_number_unary(tape, log1p_, ratio), weight));
    }
    double part[2];
    const tapegrad_status status = tapegrad_number_gradient(tape, total, 2, parameters, part);
    *value += total.value + (double)count * constant_term();
    gradient[0] += part[0];
    gradient[1] += part[1];
    tapegrad_tape_reset(tape);
    return status;
}

static tapegrad_status by_numbers(const double *point, const double *data, intptr_t count, double *value,
                                  double *gradient) {
    tapegrad_tape *tape = tapegrad_tape_new(context, TAPEGRAD_PERSISTENT); /* whose memory serves each chunk */
    tapegrad_status status = tape ? TAPEGRAD_OK : tapegrad_error_status();
    *value = gradient[0] = gradient[1] = 0;
    for (intptr_t at = 0; at < count && status == TAPEGRAD_OK; at += CHUNK) {
        status = add_chunk(tape, point, data + at, count - at < CHUNK ? count - at : CHUNK, value, gradient);
    }
    tapegrad_tape_free(tape);
    return status;
}

/* ---- what Python sees ---- */

/* The three arguments, in float64; values[k] are the caller's. */
static int parse(PyObject *arguments, tapegrad_value **values) {
    PyObject *objects[3];
    values[0] = values[1] = values[2] = NULL;
    if (!PyArg_ParseTuple(arguments, "OOO", &objects[0], &objects[1], &objects[2])) return -1;
    for (int k = 0; k < 3; k++) {
        values[k] = tapegrad_from_python(objects[k], TAPEGRAD_FLOAT64);
        if (!values[k]) return -1;
    }
    return 0;
}

static void forget(tapegrad_value **values) {
    for (int k = 0; k < 3; k++) tapegrad_release(values[k]);
}

static PyObject *recorded(PyObject *self, PyObject *arguments) {
    (void)self;
    tapegrad_value *values[3];
    PyObject *result = NULL;
    if (parse(arguments, values) == 0) {
        tapegrad_value *total = log_likelihood(values[0], values[1], values[2]);
        result = total ? tapegrad_to_python(total) : tapegrad_raise();
        tapegrad_release(total);
    }
    forget(values);
    return result;
}

static PyObject *differentiated(PyObject *arguments, int numbers) {
    tapegrad_value *values[3];
    double value = 0, gradient[2] = {0, 0}, point[2];
    PyObject *result = NULL;
    if (parse(arguments, values) == 0) {
        tapegrad_status status;
        TAPEGRAD_BEGIN_ALLOW_THREADS(context)
        if (numbers) {
            tapegrad_value *in_order = tapegrad_contiguous(values[2]);
            const double *data = tapegrad_data(in_order);
            status = data ? tapegrad_read_number(values[0], &point[0]) : tapegrad_error_status();
            if (status == TAPEGRAD_OK) status = tapegrad_read_number(values[1], &point[1]);
            if (status == TAPEGRAD_OK) status = by_numbers(point, data, tapegrad_size(in_order), &value, gradient);
            tapegrad_release(in_order);
        } else {
            status = by_arrays(values, values[2], &value, gradient);
        }
        TAPEGRAD_END_ALLOW_THREADS
        result = status == TAPEGRAD_OK ? Py_BuildValue("d(dd)", value, gradient[0], gradient[1]) : tapegrad_raise();
    }
    forget(values);
    return result;
}

static PyObject *with_arrays(PyObject *self, PyObject *arguments) { return (void)self, differentiated(arguments, 0); }
static PyObject *with_numbers(PyObject *self, PyObject *arguments) { return (void)self, differentiated(arguments, 1); }

static PyMethodDef methods[] = {
    {"log_likelihood", recorded, METH_VARARGS, "log_likelihood(location, log_scale, data): a tensor"},
    {"value_and_gradient", with_arrays, METH_VARARGS, "value_and_gradient(location, log_scale, data)"},
    {"by_numbers", with_numbers, METH_VARARGS, "by_numbers(location, log_scale, data): value and gradient"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "student", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_student(void) {
    if (import_tapegrad() < 0) return NULL;
    context = tapegrad_context_new();
    if (!context) return tapegrad_raise();
    add = tapegrad_find(context, "add");
    subtract = tapegrad_find(context, "subtract");
    multiply = tapegrad_find(context, "multiply");
    exponential = tapegrad_find(context, "exp");
    negative = tapegrad_find(context, "negative");
    log1p_ = tapegrad_find(context, "log1p");
    square = tapegrad_find(context, "square");
    return PyModule_Create(&module);
}
