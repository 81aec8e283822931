/* tapecore_table.h: the functions of tapecore.h as a table, for extension modules. Made from it by interface.py. */
#ifndef TAPEGRAD_TAPECORE_TABLE_H
#define TAPEGRAD_TAPECORE_TABLE_H

typedef struct tapegrad_table {
    uint32_t abi, features; /* TAPEGRAD_ABI and TAPEGRAD_FEATURES of the tapegrad that provides it */
    size_t bytes;           /* sizeof(tapegrad_table) there */
    const char *(*error_text)(void);
    tapegrad_status (*error_status)(void);
    tapegrad_status (*fail)(tapegrad_status status, const char *text);
    tapegrad_context *(*context_new)(void);
    tapegrad_status (*context_free)(tapegrad_context *context);
    void (*share)(tapegrad_context *context);
    void (*unshare)(tapegrad_context *context);
    tapegrad_memory (*memory_stats)(tapegrad_context *context);
    void (*memory_reset_peak)(tapegrad_context *context);
    void (*memory_set_limit)(tapegrad_context *context, size_t limit);
    tapegrad_value *(*scalar)(tapegrad_context *context, int dtype, double number);
    tapegrad_value *(*copy)(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape,
                            const intptr_t *strides, const void *data);
    tapegrad_value *(*borrow)(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape,
                              const intptr_t *strides, const void *data, void (*release)(void *owner), void *owner);
    tapegrad_value *(*empty)(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape, void **data);
    tapegrad_value *(*retain)(tapegrad_value *value);
    void (*release)(tapegrad_value *value);
    int (*dtype_of)(const tapegrad_value *value);
    int (*ndim)(const tapegrad_value *value);
    intptr_t (*size)(const tapegrad_value *value);
    const intptr_t *(*shape)(const tapegrad_value *value);
    const intptr_t *(*strides)(const tapegrad_value *value);
    const void *(*data)(const tapegrad_value *value);
    tapegrad_value *(*contiguous)(tapegrad_value *value);
    tapegrad_status (*read)(const tapegrad_value *value, void *target, size_t bytes);
    tapegrad_status (*read_number)(const tapegrad_value *value, double *number);
    tapegrad_value *(*constant)(tapegrad_value *value);
    const tapegrad_op *(*find)(tapegrad_context *context, const char *name);
    const char *(*op_name)(const tapegrad_op *op);
    tapegrad_status (*apply)(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                             tapegrad_value **results);
    tapegrad_value *(*unary)(const tapegrad_op *op, tapegrad_value *x);
    tapegrad_value *(*binary)(const tapegrad_op *op, tapegrad_value *x, tapegrad_value *y);
    tapegrad_op *(*define)(tapegrad_context *context, const tapegrad_definition *definition);
    void (*op_release)(tapegrad_op *op);
    tapegrad_value *(*reshape)(tapegrad_value *x, int ndim, const intptr_t *shape);
    tapegrad_value *(*transpose)(tapegrad_value *x, const int *axes);
    tapegrad_value *(*broadcast_to)(tapegrad_value *x, int ndim, const intptr_t *shape);
    tapegrad_value *(*slice)(tapegrad_value *x, const tapegrad_range *ranges);
    tapegrad_value *(*index)(tapegrad_value *x, int axis, intptr_t position);
    tapegrad_value *(*sum)(tapegrad_value *x, int count, const int *axes, int keepdims);
    tapegrad_value *(*mean)(tapegrad_value *x, int count, const int *axes, int keepdims);
    tapegrad_value *(*cast)(tapegrad_value *x, int dtype);
    tapegrad_value *(*concatenate)(int count, tapegrad_value *const *values, int axis);
    tapegrad_value *(*stack)(int count, tapegrad_value *const *values, int axis);
    tapegrad_value *(*where)(tapegrad_value *condition, tapegrad_value *x, tapegrad_value *y);
    tapegrad_value *(*take)(tapegrad_value *x, tapegrad_value *positions, int axis);
    tapegrad_value *(*matmul)(tapegrad_value *a, tapegrad_value *b);
    tapegrad_tape *(*tape_new)(tapegrad_context *context, unsigned flags);
    void (*tape_free)(tapegrad_tape *tape);
    tapegrad_status (*tape_enter)(tapegrad_tape *tape);
    tapegrad_status (*tape_leave)(tapegrad_tape *tape);
    tapegrad_status (*watch)(tapegrad_tape *tape, tapegrad_value *value);
    tapegrad_status (*tape_reset)(tapegrad_tape *tape);
    size_t (*tape_nodes)(const tapegrad_tape *tape);
    size_t (*tape_bytes)(const tapegrad_tape *tape);
    tapegrad_status (*gradient)(tapegrad_tape *tape, int targets_count, tapegrad_value *const *targets,
                                tapegrad_value *const *cotangents, int sources_count, tapegrad_value *const *sources,
                                tapegrad_value **gradients);
    tapegrad_status (*jacobian)(tapegrad_tape *tape, tapegrad_value *target, int sources_count,
                                tapegrad_value *const *sources, tapegrad_value **jacobians);
    tapegrad_status (*jvp)(tapegrad_tape *tape, int sources_count, tapegrad_value *const *sources,
                           tapegrad_value *const *sources_tangents, int targets_count, tapegrad_value *const *targets,
                           tapegrad_value **tangents);
    tapegrad_number (*watch_number)(tapegrad_tape *tape, double value);
    tapegrad_number (*number_unary)(tapegrad_tape *tape, const tapegrad_op *op, tapegrad_number x);
    tapegrad_number (*number_binary)(tapegrad_tape *tape, const tapegrad_op *op, tapegrad_number x, tapegrad_number y);
    tapegrad_status (*number_gradient)(tapegrad_tape *tape, tapegrad_number target, int sources_count,
                                       const tapegrad_number *sources, double *gradients);
    tapegrad_status (*number_from_value)(tapegrad_tape *tape, tapegrad_value *value, tapegrad_number *number);
    tapegrad_value *(*value_from_number)(tapegrad_tape *tape, tapegrad_number number);
    struct _object *(*to_python)(tapegrad_value *value);
    tapegrad_value *(*from_python)(struct _object *argument, int dtype);
    struct _object *(*raise)(void);
} tapegrad_table;

#ifndef TAPEGRAD_DIRECT

/* Where the module keeps the table. A module of several files defines TAPEGRAD_UNIQUE_SYMBOL, a name of its own, in all
 * of them, and TAPEGRAD_NO_IMPORT in all but the one that calls import_tapegrad(). */
#ifdef TAPEGRAD_UNIQUE_SYMBOL
#define tapegrad_the_table TAPEGRAD_UNIQUE_SYMBOL
#ifdef TAPEGRAD_NO_IMPORT
extern const tapegrad_table *tapegrad_the_table;
#else
const tapegrad_table *tapegrad_the_table;
#endif
#else
static const tapegrad_table *tapegrad_the_table;
#endif

#define tapegrad_error_text (tapegrad_the_table->error_text)
#define tapegrad_error_status (tapegrad_the_table->error_status)
#define tapegrad_fail (tapegrad_the_table->fail)
#define tapegrad_context_new (tapegrad_the_table->context_new)
#define tapegrad_context_free (tapegrad_the_table->context_free)
#define tapegrad_share (tapegrad_the_table->share)
#define tapegrad_unshare (tapegrad_the_table->unshare)
#define tapegrad_memory_stats (tapegrad_the_table->memory_stats)
#define tapegrad_memory_reset_peak (tapegrad_the_table->memory_reset_peak)
#define tapegrad_memory_set_limit (tapegrad_the_table->memory_set_limit)
#define tapegrad_scalar (tapegrad_the_table->scalar)
#define tapegrad_copy (tapegrad_the_table->copy)
#define tapegrad_borrow (tapegrad_the_table->borrow)
#define tapegrad_empty (tapegrad_the_table->empty)
#define tapegrad_retain (tapegrad_the_table->retain)
#define tapegrad_release (tapegrad_the_table->release)
#define tapegrad_dtype_of (tapegrad_the_table->dtype_of)
#define tapegrad_ndim (tapegrad_the_table->ndim)
#define tapegrad_size (tapegrad_the_table->size)
#define tapegrad_shape (tapegrad_the_table->shape)
#define tapegrad_strides (tapegrad_the_table->strides)
#define tapegrad_data (tapegrad_the_table->data)
#define tapegrad_contiguous (tapegrad_the_table->contiguous)
#define tapegrad_read (tapegrad_the_table->read)
#define tapegrad_read_number (tapegrad_the_table->read_number)
#define tapegrad_constant (tapegrad_the_table->constant)
#define tapegrad_find (tapegrad_the_table->find)
#define tapegrad_op_name (tapegrad_the_table->op_name)
#define tapegrad_apply (tapegrad_the_table->apply)
#define tapegrad_unary (tapegrad_the_table->unary)
#define tapegrad_binary (tapegrad_the_table->binary)
#define tapegrad_define (tapegrad_the_table->define)
#define tapegrad_op_release (tapegrad_the_table->op_release)
#define tapegrad_reshape (tapegrad_the_table->reshape)
#define tapegrad_transpose (tapegrad_the_table->transpose)
#define tapegrad_broadcast_to (tapegrad_the_table->broadcast_to)
#define tapegrad_slice (tapegrad_the_table->slice)
#define tapegrad_index (tapegrad_the_table->index)
#define tapegrad_sum (tapegrad_the_table->sum)
#define tapegrad_mean (tapegrad_the_table->mean)
#define tapegrad_cast (tapegrad_the_table->cast)
#define tapegrad_concatenate (tapegrad_the_table->concatenate)
#define tapegrad_stack (tapegrad_the_table->stack)
#define tapegrad_where (tapegrad_the_table->where)
#define tapegrad_take (tapegrad_the_table->take)
#define tapegrad_matmul (tapegrad_the_table->matmul)
#define tapegrad_tape_new (tapegrad_the_table->tape_new)
#define tapegrad_tape_free (tapegrad_the_table->tape_free)
#define tapegrad_tape_enter (tapegrad_the_table->tape_enter)
#define tapegrad_tape_leave (tapegrad_the_table->tape_leave)
#define tapegrad_watch (tapegrad_the_table->watch)
#define tapegrad_tape_reset (tapegrad_the_table->tape_reset)
#define tapegrad_tape_nodes (tapegrad_the_table->tape_nodes)
#define tapegrad_tape_bytes (tapegrad_the_table->tape_bytes)
#define tapegrad_gradient (tapegrad_the_table->gradient)
#define tapegrad_jacobian (tapegrad_the_table->jacobian)
#define tapegrad_jvp (tapegrad_the_table->jvp)
#define tapegrad_watch_number (tapegrad_the_table->watch_number)
#define tapegrad_number_unary (tapegrad_the_table->number_unary)
#define tapegrad_number_binary (tapegrad_the_table->number_binary)
#define tapegrad_number_gradient (tapegrad_the_table->number_gradient)
#define tapegrad_number_from_value (tapegrad_the_table->number_from_value)
#define tapegrad_value_from_number (tapegrad_the_table->value_from_number)
#define tapegrad_to_python (tapegrad_the_table->to_python)
#define tapegrad_from_python (tapegrad_the_table->from_python)
#define tapegrad_raise (tapegrad_the_table->raise)

#if defined(Py_PYTHON_H) && !defined(TAPEGRAD_NO_IMPORT)

/* To be called once, in the module's init function, before any other function. 0, or -1 with an ImportError: tapegrad
 * is not installed, or does not fit the version that this module was built for. */
static inline int import_tapegrad(void) {
    /* Not by PyCapsule_Import, which finds only what has been imported already. */
    PyObject *native = PyImport_ImportModule("tapegrad._native");
    PyObject *capsule = native ? PyObject_GetAttrString(native, "_C_API") : NULL;
    const tapegrad_table *table =
        capsule ? (const tapegrad_table *)PyCapsule_GetPointer(capsule, "tapegrad._native._C_API") : NULL;
    Py_XDECREF(capsule); /* the module, which is never unloaded, keeps the table */
    Py_XDECREF(native);
    if (!table) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_SetString(PyExc_ImportError, "the installed tapegrad has no C interface: install a newer one");
        }
        return -1;
    }
    if (table->abi != TAPEGRAD_ABI) {
        PyErr_Format(PyExc_ImportError,
                     "this module was built for version %d of tapegrad's C interface, and the installed tapegrad "
                     "provides version %u: build the module again, or install a tapegrad that fits",
                     TAPEGRAD_ABI, (unsigned)table->abi);
        return -1;
    }
    if (table->features < TAPEGRAD_FEATURES || table->bytes < sizeof *table) {
        PyErr_Format(PyExc_ImportError,
                     "this module needs feature level %d of tapegrad's C interface, and the installed tapegrad "
                     "provides level %u: install a newer tapegrad",
                     TAPEGRAD_FEATURES, (unsigned)table->features);
        return -1;
    }
    tapegrad_the_table = table;
    return 0;
}

#endif

#ifdef Py_PYTHON_H

/* Between the two, in one block, other threads of Python run, and this one may call all functions of tapecore.h but
 * those that say that they need the GIL. */
#define TAPEGRAD_BEGIN_ALLOW_THREADS(context)             \
    {                                                     \
        tapegrad_context *tapegrad_shared_ = (context);   \
        tapegrad_share(tapegrad_shared_);                 \
        PyThreadState *tapegrad_state_ = PyEval_SaveThread();
#define TAPEGRAD_END_ALLOW_THREADS            \
        PyEval_RestoreThread(tapegrad_state_); \
        tapegrad_unshare(tapegrad_shared_);   \
    }

#endif
#endif
#endif
