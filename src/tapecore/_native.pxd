# The binding's table of contents: what it uses of the core, and the types Python sees.
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef Py_ssize_t tg_index

cdef extern from "<stdbool.h>" nogil:
    ctypedef bint c_bool "bool"

cdef extern from "core.h" nogil:
    enum: TG_MAX_DIMS, TG_ALIGNMENT, TG_BLOCK
    ctypedef enum tg_status:
        TG_OK, TG_NO_MEMORY, TG_TOO_LARGE, TG_INTERRUPTED, TG_CALLBACK, TG_BAD_SHAPE
    enum: TG_BOOL, TG_I32, TG_I64, TG_F16, TG_F32, TG_F64, TG_C64, TG_C128, TG_NDTYPES
    ctypedef union tg_scalar:
        double f64
        float f32
        int64_t i64
        uint64_t u64
        bint b
        unsigned char bytes[16]
    size_t tg_itemsize(int dtype)
    bint tg_dtype_is_native(int dtype)
    bint tg_dtype_is_inexact(int dtype)

cdef extern from "pool.h" nogil:
    ctypedef struct tg_allocator:
        pass
    ctypedef struct tg_pool_stats:
        size_t live, cached, peak, limit
        uint64_t taken, fresh
    ctypedef struct tg_pool:
        pass
    tg_status tg_pool_create(tg_allocator allocator, size_t limit, tg_pool **out)
    tg_pool_stats tg_pool_statistics(tg_pool *pool)
    void tg_pool_reset_peak(tg_pool *pool)
    void tg_pool_set_limit(tg_pool *pool, size_t limit)
    void tg_pool_trim(tg_pool *pool)
    void tg_pool_share(tg_pool *pool)
    void tg_pool_unshare(tg_pool *pool)
    void tg_pool_before_fork(tg_pool *pool)
    void tg_pool_after_fork(tg_pool *pool, bint in_child)

cdef extern from "system.h" nogil:
    tg_allocator tg_system_allocator()
    void tg_system_sleep(unsigned int microseconds)
    tg_status tg_system_at_fork(void (*before)() noexcept nogil, void (*in_parent)() noexcept nogil,
                                void (*in_child)() noexcept nogil)

cdef extern from "lock.h" nogil:
    ctypedef struct tg_lock:
        pass
    void tg_lock_take(tg_lock *lock)
    void tg_lock_give(tg_lock *lock)

cdef extern from "guard.h" nogil:
    enum: TG_WITHOUT_INTERPRETER_LOCK
    ctypedef struct tg_guard:
        pass
    void tg_guard_take(tg_guard *guard)
    void tg_guard_give(tg_guard *guard)
    bint tg_guard_changes(const tg_guard *guard)
    void tg_guard_set_changes(tg_guard *guard)
    void *tg_guard_object(const tg_guard *guard)
    void tg_guard_set_object(tg_guard *guard, void *object)
    uint64_t tg_guard_count(uint64_t *counter)  # one more: the new count

cdef extern from "array.h" nogil:
    ctypedef struct tg_array:
        uint8_t dtype, ndim
        bint contiguous, owned
        tg_index size
        char *data
    const tg_array *tg_array_base(const tg_array *array)
    const tg_index *tg_array_shape(const tg_array *array)
    const tg_index *tg_array_strides(const tg_array *array)
    tg_status tg_array_new(tg_pool *pool, int dtype, int ndim, const tg_index *shape, tg_array **out)
    tg_status tg_array_view(tg_array *base, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                            char *data, tg_array **out)
    tg_status tg_array_borrow(tg_pool *pool, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                              char *data, void (*release)(void *) noexcept, void *owner, tg_array **out)
    void tg_array_retain(tg_array *array)
    void tg_array_release(tg_array *array)
    tg_status tg_array_unshare(tg_array **array)
    bint tg_array_is_unique(tg_array *array)
    void tg_array_pack(const tg_array *source, void *target)
    bint tg_same_shape(int ndim_a, const tg_index *a, int ndim_b, const tg_index *b)

cdef extern from "value.h" nogil:
    enum: TG_NO_SLOT
    ctypedef struct tg_handle:
        uint64_t id
        uint32_t slot
    ctypedef struct tg_handles:
        uint64_t id[2]
        uint32_t slot[2]
        void *more
    ctypedef struct tg_value:
        tg_array *array
        tg_scalar scalar
        int dtype
    uint32_t tg_handles_find(const tg_handles *handles, uint64_t id)
    uint32_t tg_handles_find_shared(const tg_handles *handles, tg_guard *guard, uint64_t id)
    tg_status tg_handles_add(tg_handles *handles, tg_pool *pool, uint64_t id, uint32_t slot,
                             c_bool (*is_live)(void *context, uint64_t id) noexcept, void *context)
    bint tg_handles_get(const tg_handles *handles, uint32_t index, tg_handle *out)
    tg_status tg_handles_copy(const tg_handles *source, tg_pool *pool, tg_handles *target)
    void tg_handles_clear(tg_handles *handles, tg_pool *pool)
    int tg_value_ndim(const tg_value *value)
    tg_index tg_value_size(const tg_value *value)
    const tg_index *tg_value_shape(const tg_value *value)
    void tg_value_from_array(tg_array *array, tg_value *out)

cdef extern from "ops.h" nogil:
    enum: TG_MAX_OPERANDS, TG_NEEDS_OUT, TG_ELEMENTWISE_OPS, TG_NATIVE_F32, TG_NATIVE_F64, TG_NATIVE_TYPES
    enum: TG_OP_ADD, TG_OP_SUBTRACT, TG_OP_MULTIPLY, TG_OP_DIVIDE, TG_OP_POWER, TG_OP_FLOOR_DIVIDE, TG_OP_REMAINDER
    enum: TG_OP_MULTIPLY_NO_NAN
    enum: TG_OP_NEGATIVE, TG_OP_POSITIVE, TG_OP_ABSOLUTE, TG_OP_SQUARE, TG_OP_SQRT, TG_OP_RECIPROCAL
    ctypedef void (*tg_loop_function)(char **args, const tg_index *dims, const tg_index *steps, void *data)
    ctypedef struct tg_loop:
        tg_loop_function function
        void *data
    ctypedef struct tg_loops:
        tg_loop elementwise[TG_ELEMENTWISE_OPS][TG_NATIVE_TYPES]
        tg_loop matmul[TG_NATIVE_TYPES]
    ctypedef struct tg_op_info:
        const char *name
        const char *summary
        int operands
        const char *forward
        const char *partial[TG_MAX_OPERANDS]
        uint8_t needs[TG_MAX_OPERANDS]
        const char *domain[TG_MAX_OPERANDS]
        const char *complex_rule
        tg_loop_function own[TG_NATIVE_TYPES]
    const tg_op_info tg_op_table[TG_ELEMENTWISE_OPS]
    int tg_native_index(int dtype)
    bint tg_op_passes_on(const tg_op_info *info, int k)

cdef extern from "elementwise.h" nogil:
    ctypedef struct tg_workspace:
        pass
    void tg_workspace_init(tg_workspace *workspace, tg_pool *pool)
    void tg_workspace_clear(tg_workspace *workspace)
    tg_status tg_elementwise_loop(tg_loop loop, int count, tg_pool *pool, int dtype, const tg_value *operands,
                                  tg_value *out)
    tg_status tg_elementwise(const tg_loops *loops, tg_pool *pool, int op, int dtype, const tg_value *operands,
                             tg_value *out)

cdef extern from "tape.h" nogil:
    enum: TG_NODE_LEAF, TG_NODE_ELEMENTWISE, TG_NODE_STRUCTURAL, TG_NODE_EXTERNAL, TG_FLAG_GENERIC
    ctypedef struct tg_node:
        uint16_t op
        uint8_t kind, dtype, ndim, flags, saved_mask, array_mask
        uint32_t operands, slot
        uint32_t *in_ "in"
    ctypedef struct tg_tape:
        uint64_t id
        uint32_t slots, leaves
        size_t nodes
        int readers
        tg_index work
        void *owner
        bint watches, observed
    ctypedef struct tg_record:
        int op, kind, dtype, flags, ndim
        const tg_index *shape
        uint32_t operands
        const uint32_t *in_ "in"
        int params_count
        const tg_index *params
        unsigned saved_mask
        const tg_value *saved[TG_MAX_OPERANDS + 1]
        const tg_handles *handles[TG_MAX_OPERANDS + 1]
    ctypedef struct tg_output:
        int dtype, ndim
        const tg_index *shape
    size_t tg_tape_bytes(const tg_tape *tape)
    void tg_tape_init(tg_tape *tape, tg_pool *pool, uint64_t id, void (*release_payload)(void *) noexcept)
    void tg_tape_clear(tg_tape *tape, uint64_t id)
    tg_status tg_tape_watch(tg_tape *tape, int dtype, int ndim, const tg_index *shape, uint32_t *slot)
    tg_status tg_tape_record(tg_tape *tape, const tg_record *record, uint32_t *slot)
    tg_status tg_tape_record_external(tg_tape *tape, uint32_t operands, const uint32_t *in_, int outputs,
                                      const tg_output *output, void *payload, uint32_t *slot)
    void tg_tape_take(tg_tape *tape)
    void tg_tape_give(tg_tape *tape)
    tg_node *tg_tape_node(const tg_tape *tape, uint32_t slot)
    void **tg_node_payload(const tg_node *node)
    const tg_index *tg_node_params(const tg_node *node)
    int tg_node_params_count(const tg_node *node)
    tg_value tg_node_saved_value(const tg_node *node, int bit)
    bint tg_node_saved_handle(const tg_node *node, int bit, uint32_t index, tg_handle *out)
    uint32_t tg_node_outputs(const tg_node *node)
    tg_output tg_tape_output(const tg_tape *tape, uint32_t slot)

cdef extern from "registry.h" nogil:
    ctypedef struct tg_registry:
        pass
    void tg_registry_init(tg_registry *registry)
    uint64_t tg_registry_new_id(tg_registry *registry)
    void tg_registry_add(tg_registry *registry, tg_tape *tape)
    void tg_registry_remove(tg_registry *registry, tg_tape *tape)
    tg_tape *tg_registry_find(tg_registry *registry, uint64_t id)
    c_bool tg_registry_has(void *registry, uint64_t id) noexcept
    void tg_registry_before_fork(tg_registry *registry)
    void tg_registry_after_fork(tg_registry *registry, c_bool in_child)

cdef extern from "reading.h" nogil:
    ctypedef enum tg_reading:
        TG_READING_NOT, TG_READING_SHARED, TG_READING_ALONE, TG_READING_WITHIN
    tg_reading tg_reading_begin(tg_tape *tape)
    tg_reading tg_reading_begin_alone(tg_tape *tape)
    void tg_reading_end(tg_tape *tape, tg_reading reading)
    bint tg_reading_forget(tg_tape *tape, tg_registry *registry, bint renew)
    bint tg_reading_is_leaf(tg_registry *registry, uint64_t id, uint32_t slot)

cdef extern from "thread.h" nogil:
    ctypedef struct tg_thread:
        tg_tape **tapes
        int base, count, checking
    tg_thread *tg_thread_current()
    bint tg_thread_records(const tg_thread *thread)
    tg_status tg_thread_push(tg_tape *tape)
    bint tg_thread_remove(tg_tape *tape)

cdef extern from "positions.h" nogil:
    bint tg_positions_from_start(int64_t *positions, tg_index count, tg_index length)

cdef extern from "structural.h" nogil:
    enum:
        TG_RESHAPE, TG_PERMUTE, TG_SLICE, TG_UNSLICE, TG_SUM, TG_EXPAND, TG_CAST, TG_CONCATENATE, TG_SELECT, TG_MASK
        TG_TAKE, TG_SCATTER_ADD, TG_MATMUL
    ctypedef struct tg_call:
        int op, dtype, ndim, params_count
        const tg_index *params
        tg_index shape[TG_MAX_DIMS]
    ctypedef struct tg_transposition:
        tg_call call
        int saved_bit
        bint cotangent_second
        tg_index storage[3 * TG_MAX_DIMS]
    void tg_structural_transpose(const tg_tape *tape, const tg_node *node, uint32_t k, tg_transposition *out)
    void tg_structural_tangent(const tg_node *node, uint32_t k, tg_transposition *out)
    unsigned tg_structural_needs(int op, int k)
    tg_status tg_structural_apply(const tg_loops *loops, tg_workspace *workspace, const tg_call *call,
                                  const tg_value *operands, tg_value *out)
    tg_status tg_join(tg_array *whole, int axis, tg_index begin, const tg_value *part)
    tg_status tg_slice_view(const tg_call *call, tg_array *whole, tg_array **out)
    bint tg_sum_agrees_with_numpy(const tg_array *array, uint64_t mask)

cdef extern from "select.h" nogil:
    tg_status tg_select(tg_pool *pool, const tg_value *condition, const tg_value *x, const tg_value *y, tg_value *out)

cdef extern from "record.h" nogil:
    ctypedef enum tg_quick:
        TG_QUICK_NOTHING, TG_QUICK_RECORDED, TG_QUICK_GENERAL
    tg_quick tg_record_number(tg_tape *tape, int op, int dtype, bint binary, const tg_handles *x_handles, uint64_t x,
                              const tg_handles *y_handles, uint64_t y, uint64_t out, tg_handles *out_handles)
    tg_quick tg_record_array(tg_tape *tape, int op, int operands, const tg_handles **handles, const tg_value *values,
                             const tg_value *out, tg_handles *out_handles)
    tg_quick tg_record_move(tg_tape *tape, const tg_call *call, uint32_t operands, const tg_handles **handles,
                            tg_handles *out_handles)

cdef extern from "sweep.h" nogil:
    ctypedef struct tg_sweep_hooks:
        void *context
        tg_status (*rule)(void *context, tg_sweep *sweep, tg_node *node) noexcept
        tg_status (*add)(void *context, const tg_value *a, const tg_value *b, tg_value *out) noexcept
        tg_status (*poll)(void *context) noexcept
    ctypedef struct tg_sweep:
        tg_tape *tape
        tg_index batch
        uint32_t low, high
    tg_status tg_sweep_begin(tg_sweep *sweep, tg_tape *tape, const tg_loops *loops, const tg_sweep_hooks *hooks,
                             size_t sources_count, const uint32_t *sources, size_t targets_count,
                             const uint32_t *targets, tg_index batch, bint consume)
    void tg_sweep_end(tg_sweep *sweep)
    bint tg_sweep_is_active(const tg_sweep *sweep, uint32_t slot)
    bint tg_sweep_is_reached(const tg_sweep *sweep, uint32_t slot)
    void tg_sweep_reach(const tg_sweep *sweep, uint32_t slot)
    tg_status tg_sweep_add(tg_sweep *sweep, uint32_t slot, tg_value *contribution)
    tg_status tg_sweep_add_ones(tg_sweep *sweep, uint32_t slot)
    bint tg_sweep_peek(const tg_sweep *sweep, uint32_t slot, tg_value *out)
    bint tg_sweep_take(tg_sweep *sweep, uint32_t slot, tg_value *out)
    tg_node *tg_sweep_next(tg_sweep *sweep)
    tg_status tg_sweep_run(tg_sweep *sweep)

cdef extern from "batch.h" nogil:
    void tg_batch_call(tg_call *call, tg_index batch, tg_index *storage)

cdef extern from "push.h" nogil:
    enum: TG_STATE_NEEDED
    ctypedef struct tg_push_hooks:
        void *context
        tg_status (*rule)(void *context, tg_push *push, tg_node *node) noexcept
        tg_status (*poll)(void *context) noexcept
    ctypedef struct tg_push:
        tg_tape *tape
        tg_push_hooks hooks
        tg_index batch
        uint32_t low, next, room
        uint8_t *states
        uint32_t *last_use
    void tg_push_begin(tg_push *push, tg_tape *tape, const tg_loops *loops, const tg_push_hooks *hooks, tg_index batch,
                       uint32_t low)
    void tg_push_end(tg_push *push)
    tg_status tg_push_reserve(tg_push *push, uint32_t end)
    tg_status tg_push_set(tg_push *push, uint32_t slot, tg_value *tangent)
    tg_status tg_push_prune(tg_push *push, size_t targets_count, const uint32_t *targets)
    tg_status tg_push_run(tg_push *push, uint32_t end)
    tg_status tg_push_mark(tg_push *push, uint32_t target, uint32_t *first)
    tg_status tg_push_run_marked(tg_push *push, uint32_t first, uint32_t target)
    bint tg_push_is_due(const tg_push *push, uint32_t slot, bint marked_only)
    void tg_push_done(tg_push *push, uint32_t slot)
    bint tg_push_peek(const tg_push *push, uint32_t slot, tg_value *out)

cdef extern from "api.h" nogil:
    ctypedef enum tapegrad_status:
        TAPEGRAD_OK, TAPEGRAD_NO_MEMORY, TAPEGRAD_INTERRUPTED, TAPEGRAD_CALLBACK, TAPEGRAD_BAD_DTYPE, TAPEGRAD_BAD_VALUE
    ctypedef struct tapegrad_context:
        pass
    ctypedef struct tapegrad_op:
        pass
    ctypedef struct tapegrad_value:
        tg_value value
        tg_handles handles
    ctypedef struct tg_application:
        tapegrad_op *op
        int operands_count, results_count
    ctypedef struct tg_host:
        tapegrad_status (*elementwise)(int op, int count, tapegrad_value *const *operands, tapegrad_value *out) noexcept
        tapegrad_status (*structural)(const tg_call *call, int count, tapegrad_value *const *operands,
                                      tapegrad_value *out) noexcept
        tapegrad_status (*record)(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                  tapegrad_value *const *results) noexcept
        tg_status (*poll)(void *context) noexcept
    tapegrad_status tg_context_create(tg_pool *pool, const tg_loops *loops, tg_registry *registry, const tg_host *host,
                                      tapegrad_context **out)
    tapegrad_value *tg_value_wrap(tapegrad_context *context, tg_value value)
    tapegrad_status tg_application_create(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                          tapegrad_value *const *results, tg_application **out)
    void tg_application_release(void *application)
    bint tg_application_has_jvp(const tg_application *application)
    tapegrad_status tg_application_vjp(const tg_application *application, tapegrad_value *const *results_cotangents,
                                       const unsigned char *wanted, tapegrad_value **cotangents)
    tapegrad_status tg_application_jvp(const tg_application *application, tapegrad_value *const *operands_tangents,
                                       tapegrad_value **tangents)
    const char *tapegrad_op_name(const tapegrad_op *op)
    const char *tapegrad_error_text()
    tapegrad_status tapegrad_error_status()
    tapegrad_status tapegrad_fail(tapegrad_status status, const char *text)
    void tapegrad_release(tapegrad_value *value)

cdef extern from "tapegrad/tapecore_table.h":
    ctypedef struct tapegrad_table:
        tapegrad_context *(*context_new)() noexcept
        tapegrad_status (*context_free)(tapegrad_context *context) noexcept
        object (*to_python)(tapegrad_value *value)
        tapegrad_value *(*from_python)(object argument, int dtype) except NULL
        object (*raise_ "raise")()
    const tapegrad_table tg_api_table


cdef class Value:
    cdef tg_value value      # its array is owned; a Variable's is replaced by assignment, never written to
    cdef tg_handles handles  # the tapes that know this value
    cdef bint watchable      # a trainable variable: reading it under a tape watches it
    cdef uint64_t birth      # variables: construction order
    cdef tg_guard guard      # nothing, where there is an interpreter lock


cdef class Tensor(Value):
    pass


cdef class VariableBase(Value):
    pass
