# What the binding uses of sweep.h.
from libc.stdint cimport uint32_t
from tapecore.core cimport tg_index, tg_status
from tapecore.ops cimport tg_loops
from tapecore.tape cimport tg_node, tg_tape
from tapecore.value cimport tg_value

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
