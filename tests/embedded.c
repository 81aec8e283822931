/* An extension module as a library's author would write it, for test_embedding.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <tapegrad/tapecore.h>

static tapegrad_context *context;
static const tapegrad_op *add, *multiply, *cosine, *sine, *square;
static tapegrad_op *native_sine, *looped, *stubborn;
static int released, closures_released;

static tapegrad_value *first_argument(PyObject *arguments, Py_ssize_t index) {
    return tapegrad_from_python(PyTuple_GET_ITEM(arguments, index), -1);
}

/* A value as a tensor, whose reference it takes over; NULL raises. */
static PyObject *finish(tapegrad_value *value) {
    PyObject *tensor = value ? tapegrad_to_python(value) : tapegrad_raise();
    tapegrad_release(value);
    return tensor;
}

/* ---- ops of the module's own ---- */

static tapegrad_status sine_kernel(void *closure, int count, tapegrad_value *const *operands,
                                   tapegrad_value **results) {
    (void)closure, (void)count;
    tapegrad_value *x = tapegrad_contiguous(operands[0]);
    const double *from = x ? tapegrad_data(x) : NULL;
    void *to;
    if (from) results[0] = tapegrad_empty(context, TAPEGRAD_FLOAT64, tapegrad_ndim(x), tapegrad_shape(x), &to);
    for (intptr_t i = 0; results[0] && i < tapegrad_size(x); i++) ((double *)to)[i] = sin(from[i]);
    tapegrad_release(x);
    return TAPEGRAD_OK;
}

static tapegrad_value *by_cosine(tapegrad_value *x, tapegrad_value *g) {
    tapegrad_value *slope = tapegrad_unary(cosine, x), *product = tapegrad_binary(multiply, slope, g);
    tapegrad_release(slope);
    return product;
}

static tapegrad_status sine_vjp(void *closure, const tapegrad_use *use, tapegrad_value *const *g,
                                const unsigned char *wanted, tapegrad_value **cotangents) {
    (void)closure, (void)wanted;
    cotangents[0] = by_cosine(use->operands[0], g[0]);
    return TAPEGRAD_OK;
}

static tapegrad_status sine_jvp(void *closure, const tapegrad_use *use, tapegrad_value *const *tangents,
                                tapegrad_value **out) {
    (void)closure;
    out[0] = by_cosine(use->operands[0], tangents[0]);
    return TAPEGRAD_OK;
}

/* A rule that loops over the elements: first derivatives only. */
static tapegrad_status looped_vjp(void *closure, const tapegrad_use *use, tapegrad_value *const *g,
                                  const unsigned char *wanted, tapegrad_value **cotangents) {
    (void)closure, (void)wanted;
    tapegrad_value *x = tapegrad_contiguous(use->operands[0]), *g0 = tapegrad_contiguous(g[0]);
    const double *from = tapegrad_data(x), *scale = tapegrad_data(g0);
    void *to;
    const int ndim = from && scale ? tapegrad_ndim(x) : 0;
    if (from && scale) cotangents[0] = tapegrad_empty(context, TAPEGRAD_FLOAT64, ndim, tapegrad_shape(x), &to);
    for (intptr_t i = 0; cotangents[0] && i < tapegrad_size(x); i++) ((double *)to)[i] = cos(from[i]) * scale[i];
    tapegrad_release(x);
    tapegrad_release(g0);
    return TAPEGRAD_OK;
}

static tapegrad_status refuse(void *closure, int count, tapegrad_value *const *operands, tapegrad_value **results) {
    (void)closure, (void)count, (void)operands, (void)results;
    return tapegrad_fail(TAPEGRAD_BAD_VALUE, "stubborn: it refuses");
}

static void closure_released(void *closure) { ++*(int *)closure; }

static PyObject *apply(const tapegrad_op *op, PyObject *arguments) {
    tapegrad_value *x = first_argument(arguments, 0);
    if (!x) return NULL;
    tapegrad_value *y = tapegrad_unary(op, x);
    tapegrad_release(x);
    return finish(y);
}

static PyObject *apply_sine(PyObject *self, PyObject *arguments) { return (void)self, apply(native_sine, arguments); }
static PyObject *apply_looped(PyObject *self, PyObject *arguments) { return (void)self, apply(looped, arguments); }
static PyObject *apply_stubborn(PyObject *self, PyObject *arguments) { return (void)self, apply(stubborn, arguments); }

/* ---- functions made of operations ---- */

/* Every structural operation once, on a matrix of three rows and a vector of three elements. */
static PyObject *structures(PyObject *self, PyObject *arguments) {
    (void)self;
    tapegrad_value *v[20] = {first_argument(arguments, 0), first_argument(arguments, 1)};
    const intptr_t three = 3, column[2] = {-1, 1}, wide[2] = {3, 2};
    const int64_t chosen[2] = {-1, 0};
    const unsigned char test[3] = {1, 0, 1};
    if (!v[0] || !v[1]) {
        tapegrad_release(v[0]);
        return NULL;
    }
    v[2] = tapegrad_copy(context, TAPEGRAD_INT64, 1, (intptr_t[]){2}, NULL, chosen);
    v[3] = tapegrad_copy(context, TAPEGRAD_BOOL, 1, &three, NULL, test);
    v[4] = tapegrad_transpose(v[0], NULL);
    v[5] = tapegrad_matmul(v[4], v[1]);
    v[6] = tapegrad_take(v[0], v[2], 0);
    v[7] = tapegrad_binary(add, v[5], v[6]);
    v[8] = tapegrad_reshape(v[1], 2, column);
    v[9] = tapegrad_broadcast_to(v[8], 2, wide);
    v[10] = tapegrad_concatenate(2, (tapegrad_value *[]){v[7], v[9]}, 0);
    v[11] = tapegrad_slice(v[10], (tapegrad_range[]){{4, -1, 3}, {0, 1, 2}});
    v[12] = tapegrad_index(v[11], 1, 0);
    v[13] = tapegrad_where(v[3], v[12], v[1]);
    v[14] = tapegrad_stack(2, (tapegrad_value *[]){v[13], v[12]}, 1);
    v[15] = tapegrad_mean(v[14], 1, (int[]){0}, 1);
    v[16] = tapegrad_sum(v[10], 1, (int[]){0}, 0);
    v[17] = tapegrad_binary(multiply, v[15], v[16]);
    v[18] = tapegrad_unary(square, v[17]);
    v[19] = tapegrad_cast(v[18], TAPEGRAD_FLOAT64);
    for (int i = 0; i < 19; i++) tapegrad_release(v[i]);
    return finish(v[19]);
}

/* x * x where a tape of this interface records as well: (gradient by it, the value). */
static PyObject *on_both_tapes(PyObject *self, PyObject *arguments) {
    (void)self;
    tapegrad_value *x = first_argument(arguments, 0), *gradient = NULL;
    if (!x) return NULL;
    tapegrad_tape *tape = tapegrad_tape_new(context, 0);
    tapegrad_tape_enter(tape);
    tapegrad_watch(tape, x);
    tapegrad_value *y = tapegrad_binary(multiply, x, x);
    const tapegrad_status status = tapegrad_gradient(tape, 1, &y, NULL, 1, &x, &gradient);
    tapegrad_tape_free(tape);
    tapegrad_release(x);
    if (status != TAPEGRAD_OK) {
        tapegrad_release(y);
        return tapegrad_raise();
    }
    return Py_BuildValue("(NN)", finish(gradient), finish(y));
}

/* Calls function(tensor) while a tape of this interface records, and gives the gradient of its result. */
static PyObject *gradient_of_call(PyObject *self, PyObject *arguments) {
    (void)self;
    tapegrad_value *x = first_argument(arguments, 1), *y = NULL, *gradient = NULL;
    if (!x) return NULL;
    tapegrad_tape *tape = tapegrad_tape_new(context, 0);
    tapegrad_tape_enter(tape);
    tapegrad_watch(tape, x);
    PyObject *tensor = tapegrad_to_python(x);
    PyObject *result = PyObject_CallOneArg(PyTuple_GET_ITEM(arguments, 0), tensor);
    if (result) y = tapegrad_from_python(result, -1);
    tapegrad_status status = TAPEGRAD_OK;
    if (y) status = tapegrad_gradient(tape, 1, &y, NULL, 1, &x, &gradient);
    tapegrad_tape_free(tape);
    tapegrad_release(x);
    tapegrad_release(y);
    Py_XDECREF(tensor);
    Py_XDECREF(result);
    if (PyErr_Occurred()) return NULL;
    return status == TAPEGRAD_OK ? finish(gradient) : tapegrad_raise();
}

/* The gradient of sum(sin(x) * x), `rounds` times, without the GIL; the last one. */
static PyObject *without_the_lock(PyObject *self, PyObject *arguments) {
    (void)self;
    const long rounds = PyLong_AsLong(PyTuple_GET_ITEM(arguments, 1));
    tapegrad_value *x = first_argument(arguments, 0), *gradient = NULL;
    if (!x) return NULL;
    TAPEGRAD_BEGIN_ALLOW_THREADS(context)
    for (long round = 0; round < rounds; round++) {
        tapegrad_release(gradient);
        tapegrad_tape *tape = tapegrad_tape_new(context, 0);
        tapegrad_tape_enter(tape);
        tapegrad_watch(tape, x);
        tapegrad_value *s = tapegrad_unary(sine, x), *p = tapegrad_binary(multiply, s, x);
        tapegrad_gradient(tape, 1, &p, NULL, 1, &x, &gradient);
        tapegrad_tape_free(tape);
        tapegrad_release(s);
        tapegrad_release(p);
    }
    TAPEGRAD_END_ALLOW_THREADS
    tapegrad_release(x);
    return finish(gradient);
}

/* ---- memory ---- */

static void give_back(void *owner) {
    released++;
    PyMem_RawFree(owner);
}

/* 0, 1, 2, ... in a buffer of this module's. */
static PyObject *lend(PyObject *self, PyObject *arguments) {
    (void)self;
    const intptr_t count = PyLong_AsSsize_t(PyTuple_GET_ITEM(arguments, 0));
    double *numbers = PyMem_RawMalloc((size_t)count * sizeof *numbers);
    for (intptr_t i = 0; i < count; i++) numbers[i] = (double)i;
    return finish(tapegrad_borrow(context, TAPEGRAD_FLOAT64, 1, &count, NULL, numbers, give_back, numbers));
}

static PyObject *counts(PyObject *self, PyObject *arguments) {
    (void)self, (void)arguments;
    return Py_BuildValue("(iin)", released, closures_released, (Py_ssize_t)tapegrad_memory_stats(context).live);
}

/* An op that lives for one use. */
static PyObject *define_and_use(PyObject *self, PyObject *arguments) {
    (void)self;
    const tapegrad_definition definition = {
        .size = sizeof definition, .name = "short-lived", .operands = 1, .results = 1, .kernel = sine_kernel,
        .vjp = sine_vjp, .saves = TAPEGRAD_SAVE_OPERANDS, .closure = &closures_released, .release = closure_released};
    tapegrad_op *op = tapegrad_define(context, &definition);
    PyObject *result = apply(op, arguments);
    tapegrad_op_release(op);
    return result;
}

static PyMethodDef methods[] = {
    {"sine", apply_sine, METH_VARARGS, NULL},
    {"looped", apply_looped, METH_VARARGS, NULL},
    {"stubborn", apply_stubborn, METH_VARARGS, NULL},
    {"structures", structures, METH_VARARGS, NULL},
    {"on_both_tapes", on_both_tapes, METH_VARARGS, NULL},
    {"gradient_of_call", gradient_of_call, METH_VARARGS, NULL},
    {"without_the_lock", without_the_lock, METH_VARARGS, NULL},
    {"lend", lend, METH_VARARGS, NULL},
    {"counts", counts, METH_VARARGS, NULL},
    {"define_and_use", define_and_use, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "embedded", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_embedded(void) {
    if (import_tapegrad() < 0) return NULL;
    context = tapegrad_context_new();
    add = tapegrad_find(context, "add");
    multiply = tapegrad_find(context, "multiply");
    cosine = tapegrad_find(context, "cos");
    sine = tapegrad_find(context, "sin");
    square = tapegrad_find(context, "square");
    tapegrad_definition definition = {
        .size = sizeof definition, .name = "native_sine", .operands = 1, .results = 1, .kernel = sine_kernel,
        .vjp = sine_vjp, .jvp = sine_jvp, .saves = TAPEGRAD_SAVE_OPERANDS};
    native_sine = tapegrad_define(context, &definition);
    definition.name = "looped";
    definition.vjp = looped_vjp;
    definition.jvp = NULL;
    looped = tapegrad_define(context, &definition);
    definition.name = "stubborn";
    definition.kernel = refuse;
    stubborn = tapegrad_define(context, &definition);
    return native_sine && looped && stubborn ? PyModule_Create(&module) : tapegrad_raise();
}
