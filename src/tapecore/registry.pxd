# What the binding uses of registry.h.
from libc.stdint cimport uint64_t
from tapecore.core cimport c_bool
from tapecore.tape cimport tg_tape

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
