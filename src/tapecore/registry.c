/* registry.c: the list of tapes whose ids are in use. */
#include "registry.h"

#include <string.h>

void tg_registry_init(tg_registry *registry) { memset(registry, 0, sizeof *registry); }

uint64_t tg_registry_new_id(tg_registry *registry) {
    tg_lock_take(&registry->lock);
    const uint64_t id = ++registry->last_id;
    tg_lock_give(&registry->lock);
    return id;
}

void tg_registry_add(tg_registry *registry, tg_tape *tape) {
    tg_lock_take(&registry->lock);
    tape->next_live = registry->first;
    tape->previous_live = NULL;
    if (registry->first) registry->first->previous_live = tape;
    registry->first = tape;
    tg_lock_give(&registry->lock);
}

void tg_registry_remove(tg_registry *registry, tg_tape *tape) {
    tg_lock_take(&registry->lock);
    if (tape->previous_live) {
        tape->previous_live->next_live = tape->next_live;
    } else if (registry->first == tape) {
        registry->first = tape->next_live;
    }
    if (tape->next_live) tape->next_live->previous_live = tape->previous_live;
    tape->next_live = tape->previous_live = NULL;
    tg_lock_give(&registry->lock);
}

tg_tape *tg_registry_find(tg_registry *registry, uint64_t id) {
    tg_lock_take(&registry->lock);
    tg_tape *tape = tg_registry_find_held(registry, id);
    tg_lock_give(&registry->lock);
    return tape;
}

bool tg_registry_has(void *registry, uint64_t id) { return tg_registry_find(registry, id) != NULL; }

void tg_registry_before_fork(tg_registry *registry) { tg_lock_take(&registry->lock); }

void tg_registry_after_fork(tg_registry *registry, bool in_child) {
    for (tg_tape *tape = in_child ? registry->first : NULL; tape; tape = tape->next_live) {
        tape->readers = 0;
#ifdef TG_FREE_THREADED
        tape->alone = NULL;
#endif
    }
    tg_lock_give(&registry->lock);
}
