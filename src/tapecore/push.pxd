# What the binding uses of push.h.
from libc.stdint cimport uint8_t, uint32_t
from tapecore.core cimport tg_index, tg_status
from tapecore.ops cimport tg_loops
from tapecore.tape cimport tg_node, tg_tape
from tapecore.value cimport tg_value

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
