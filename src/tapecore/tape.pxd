# What the binding uses of tape.h.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from tapecore.core cimport tg_index, tg_status
from tapecore.ops cimport TG_MAX_OPERANDS
from tapecore.pool cimport tg_pool
from tapecore.value cimport tg_handle, tg_handles, tg_value

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
