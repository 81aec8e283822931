# The C interface for Cython: `cimport tapegrad`. Made from tapecore.h, where everything is explained, by interface.py.
# Put `tapegrad.get_include()` on the compiler's path, and call `tapegrad.import_tapegrad()` once.
from libc.stdint cimport intptr_t, uint64_t

cdef extern from "tapegrad/tapecore.h" nogil:
    enum: TAPEGRAD_ABI, TAPEGRAD_FEATURES, TAPEGRAD_MAX_DIMS
    ctypedef struct tapegrad_context:
        pass
    ctypedef struct tapegrad_value:
        pass
    ctypedef struct tapegrad_tape:
        pass
    ctypedef struct tapegrad_op:
        pass
    ctypedef enum tapegrad_status:
        TAPEGRAD_OK
        TAPEGRAD_NO_MEMORY
        TAPEGRAD_TOO_LARGE
        TAPEGRAD_INTERRUPTED
        TAPEGRAD_CALLBACK
        TAPEGRAD_BAD_SHAPE
        TAPEGRAD_BAD_DTYPE
        TAPEGRAD_BAD_VALUE
        TAPEGRAD_BAD_STATE
        TAPEGRAD_FOLLOWED
        TAPEGRAD_NO_RULE
    ctypedef enum tapegrad_dtype:
        TAPEGRAD_BOOL
        TAPEGRAD_INT8
        TAPEGRAD_INT16
        TAPEGRAD_INT32
        TAPEGRAD_INT64
        TAPEGRAD_UINT8
        TAPEGRAD_UINT16
        TAPEGRAD_UINT32
        TAPEGRAD_UINT64
        TAPEGRAD_FLOAT16
        TAPEGRAD_FLOAT32
        TAPEGRAD_FLOAT64
        TAPEGRAD_COMPLEX64
        TAPEGRAD_COMPLEX128
    enum:
        TAPEGRAD_SAVE_OPERANDS
        TAPEGRAD_SAVE_RESULTS
    enum:
        TAPEGRAD_PERSISTENT
    ctypedef struct tapegrad_memory:
        size_t live
        size_t cached
        size_t peak
        size_t limit
    ctypedef struct tapegrad_range:
        intptr_t start, step, count
    ctypedef struct tapegrad_use:
        int operands_count, results_count
        tapegrad_value *const *operands
        tapegrad_value *const *results
    ctypedef struct tapegrad_definition:
        size_t size
        const char *name
        int operands
        int results
        unsigned saves
        tapegrad_status (*kernel)(void *closure, int operands_count, tapegrad_value *const *operands,
                                  tapegrad_value **results) noexcept nogil
        tapegrad_status (*vjp)(void *closure, const tapegrad_use *use, tapegrad_value *const *results_cotangents,
                               const unsigned char *wanted, tapegrad_value **cotangents) noexcept nogil
        tapegrad_status (*jvp)(void *closure, const tapegrad_use *use, tapegrad_value *const *operands_tangents,
                               tapegrad_value **tangents) noexcept nogil
        void *closure
        void (*release)(void *closure) noexcept nogil
    ctypedef struct tapegrad_number:
        double value
        uint64_t place
    tapegrad_number tapegrad_constant_number(double value)
    const char *tapegrad_error_text()
    tapegrad_status tapegrad_error_status()
    tapegrad_status tapegrad_fail(tapegrad_status status, const char *text)
    tapegrad_context *tapegrad_context_new()
    tapegrad_status tapegrad_context_free(tapegrad_context *context)
    void tapegrad_share(tapegrad_context *context)
    void tapegrad_unshare(tapegrad_context *context)
    tapegrad_memory tapegrad_memory_stats(tapegrad_context *context)
    void tapegrad_memory_reset_peak(tapegrad_context *context)
    void tapegrad_memory_set_limit(tapegrad_context *context, size_t limit)
    tapegrad_value *tapegrad_scalar(tapegrad_context *context, int dtype, double number)
    tapegrad_value *tapegrad_copy(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape,
                                  const intptr_t *strides, const void *data)
    tapegrad_value *tapegrad_borrow(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape,
                                    const intptr_t *strides, const void *data,
                                    void (*release)(void *owner) noexcept nogil, void *owner)
    tapegrad_value *tapegrad_empty(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape, void **data)
    tapegrad_value *tapegrad_retain(tapegrad_value *value)
    void tapegrad_release(tapegrad_value *value)
    int tapegrad_dtype_of(const tapegrad_value *value)
    int tapegrad_ndim(const tapegrad_value *value)
    intptr_t tapegrad_size(const tapegrad_value *value)
    const intptr_t *tapegrad_shape(const tapegrad_value *value)
    const intptr_t *tapegrad_strides(const tapegrad_value *value)
    const void *tapegrad_data(const tapegrad_value *value)
    tapegrad_value *tapegrad_contiguous(tapegrad_value *value)
    tapegrad_status tapegrad_read(const tapegrad_value *value, void *target, size_t bytes)
    tapegrad_status tapegrad_read_number(const tapegrad_value *value, double *number)
    tapegrad_value *tapegrad_constant(tapegrad_value *value)
    const tapegrad_op *tapegrad_find(tapegrad_context *context, const char *name)
    const char *tapegrad_op_name(const tapegrad_op *op)
    tapegrad_status tapegrad_apply(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                   tapegrad_value **results)
    tapegrad_value *tapegrad_unary(const tapegrad_op *op, tapegrad_value *x)
    tapegrad_value *tapegrad_binary(const tapegrad_op *op, tapegrad_value *x, tapegrad_value *y)
    tapegrad_op *tapegrad_define(tapegrad_context *context, const tapegrad_definition *definition)
    void tapegrad_op_release(tapegrad_op *op)
    tapegrad_value *tapegrad_reshape(tapegrad_value *x, int ndim, const intptr_t *shape)
    tapegrad_value *tapegrad_transpose(tapegrad_value *x, const int *axes)
    tapegrad_value *tapegrad_broadcast_to(tapegrad_value *x, int ndim, const intptr_t *shape)
    tapegrad_value *tapegrad_slice(tapegrad_value *x, const tapegrad_range *ranges)
    tapegrad_value *tapegrad_index(tapegrad_value *x, int axis, intptr_t position)
    tapegrad_value *tapegrad_sum(tapegrad_value *x, int count, const int *axes, int keepdims)
    tapegrad_value *tapegrad_mean(tapegrad_value *x, int count, const int *axes, int keepdims)
    tapegrad_value *tapegrad_cast(tapegrad_value *x, int dtype)
    tapegrad_value *tapegrad_concatenate(int count, tapegrad_value *const *values, int axis)
    tapegrad_value *tapegrad_stack(int count, tapegrad_value *const *values, int axis)
    tapegrad_value *tapegrad_where(tapegrad_value *condition, tapegrad_value *x, tapegrad_value *y)
    tapegrad_value *tapegrad_take(tapegrad_value *x, tapegrad_value *positions, int axis)
    tapegrad_value *tapegrad_matmul(tapegrad_value *a, tapegrad_value *b)
    tapegrad_tape *tapegrad_tape_new(tapegrad_context *context, unsigned flags)
    void tapegrad_tape_free(tapegrad_tape *tape)
    tapegrad_status tapegrad_tape_enter(tapegrad_tape *tape)
    tapegrad_status tapegrad_tape_leave(tapegrad_tape *tape)
    tapegrad_status tapegrad_watch(tapegrad_tape *tape, tapegrad_value *value)
    tapegrad_status tapegrad_tape_reset(tapegrad_tape *tape)
    size_t tapegrad_tape_nodes(const tapegrad_tape *tape)
    size_t tapegrad_tape_bytes(const tapegrad_tape *tape)
    tapegrad_status tapegrad_gradient(tapegrad_tape *tape, int targets_count, tapegrad_value *const *targets,
                                      tapegrad_value *const *cotangents, int sources_count,
                                      tapegrad_value *const *sources, tapegrad_value **gradients)
    tapegrad_status tapegrad_jacobian(tapegrad_tape *tape, tapegrad_value *target, int sources_count,
                                      tapegrad_value *const *sources, tapegrad_value **jacobians)
    tapegrad_status tapegrad_jvp(tapegrad_tape *tape, int sources_count, tapegrad_value *const *sources,
                                 tapegrad_value *const *sources_tangents, int targets_count,
                                 tapegrad_value *const *targets, tapegrad_value **tangents)
    tapegrad_number tapegrad_watch_number(tapegrad_tape *tape, double value)
    tapegrad_number tapegrad_number_unary(tapegrad_tape *tape, const tapegrad_op *op, tapegrad_number x)
    tapegrad_number tapegrad_number_binary(tapegrad_tape *tape, const tapegrad_op *op, tapegrad_number x,
                                           tapegrad_number y)
    tapegrad_status tapegrad_number_gradient(tapegrad_tape *tape, tapegrad_number target, int sources_count,
                                             const tapegrad_number *sources, double *gradients)
    tapegrad_status tapegrad_number_from_value(tapegrad_tape *tape, tapegrad_value *value, tapegrad_number *number)
    tapegrad_value *tapegrad_value_from_number(tapegrad_tape *tape, tapegrad_number number)

cdef extern from "tapegrad/tapecore.h":
    int import_tapegrad() except -1
    object tapegrad_to_python(tapegrad_value *value)
    tapegrad_value *tapegrad_from_python(object argument, int dtype) except NULL
    object tapegrad_raise()
