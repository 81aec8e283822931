/* registry.c: the list of tapes whose ids are in use. */
#include "registry.h"

#include "system.h"

static void lock(tg_registry *registry) {
    while (atomic_flag_test_and_set_explicit(&registry->locked, memory_order_acquire)) tg_system_yield();
}

static void unlock(tg_registry *registry) { atomic_flag_clear_explicit(&registry->locked, memory_order_release); }

void tg_registry_init(tg_registry *registry) { *registry = (tg_registry){.locked = ATOMIC_FLAG_INIT}; }

uint64_t tg_registry_new_id(tg_registry *registry) {
    lock(registry);
    const uint64_t id = ++registry->last_id;
    unlock(registry);
    return id;
}

void tg_registry_add(tg_registry *registry, tg_tape *tape) {
    lock(registry);
    tape->next_live = registry->first;
    tape->previous_live = NULL;
    if (registry->first) registry->first->previous_live = tape;
    registry->first = tape;
    unlock(registry);
}

void tg_registry_remove(tg_registry *registry, tg_tape *tape) {
    lock(registry);
    if (tape->previous_live) {
        tape->previous_live->next_live = tape->next_live;
    } else if (registry->first == tape) {
        registry->first = tape->next_live;
    }
    if (tape->next_live) tape->next_live->previous_live = tape->previous_live;
    tape->next_live = tape->previous_live = NULL;
    unlock(registry);
}

tg_tape *tg_registry_find(tg_registry *registry, uint64_t id) {
    lock(registry);
    tg_tape *tape = registry->first;
    while (tape && tape->id != id) tape = tape->next_live;
    unlock(registry);
    return tape;
}

bool tg_registry_has(void *registry, uint64_t id) { return tg_registry_find(registry, id) != NULL; }

void tg_registry_before_fork(tg_registry *registry) { lock(registry); }

void tg_registry_after_fork(tg_registry *registry, bool in_child) {
    for (tg_tape *tape = in_child ? registry->first : NULL; tape; tape = tape->next_live) tape->readers = 0;
    unlock(registry);
}
