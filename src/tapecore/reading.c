/* reading.c: who reads a tape, and when what was recorded may go. */
#include "reading.h"

#ifdef TG_FREE_THREADED

#include "system.h"
#include "thread.h"

static bool is_mine(const tg_tape *tape) { return tape->alone == tg_thread_current(); }

tg_reading tg_reading_begin(tg_tape *tape) {
    tg_reading reading = TG_READING_NOT;
    tg_tape_take(tape);
    if (!tape->alone) {
        tape->readers++;
        reading = TG_READING_SHARED;
    } else if (is_mine(tape)) {
        reading = TG_READING_WITHIN;
    }
    tg_tape_give(tape);
    return reading;
}

tg_reading tg_reading_begin_alone(tg_tape *tape) {
    tg_reading reading = TG_READING_NOT;
    tg_tape_take(tape);
    if (is_mine(tape)) {
        reading = TG_READING_WITHIN;
    } else if (!tape->readers) {
        tape->readers = 1;
        tape->alone = tg_thread_current();
        reading = TG_READING_ALONE;
    }
    tg_tape_give(tape);
    return reading;
}

void tg_reading_end(tg_tape *tape, tg_reading reading) {
    if (reading == TG_READING_NOT || reading == TG_READING_WITHIN) return;
    tg_tape outgrown = {.pool = tape->pool};
    tg_tape_take(tape);
    if (reading == TG_READING_ALONE) tape->alone = NULL;
    if (--tape->readers == 0) {
        outgrown.outgrown = tape->outgrown;
        tape->outgrown = NULL;
    }
    tg_tape_give(tape);
    tg_tape_release_outgrown(&outgrown);
}

bool tg_reading_forget(tg_tape *tape, tg_registry *registry, bool renew) {
    tg_tape_take(tape);
    if (tape->readers && !is_mine(tape)) {
        tg_tape_give(tape);
        return false;
    }
    /* While the id changes nobody records: whoever does next finds the new one in use. */
    tg_registry_remove(registry, tape);
    tg_tape old;
    tg_tape_move(tape, renew ? tg_registry_new_id(registry) : 0, &old);
    if (renew) tg_registry_add(registry, tape);
    tg_tape_give(tape);
    tg_tape_clear(&old, 0);
    return true;
}

bool tg_reading_is_leaf(tg_registry *registry, uint64_t id, uint32_t slot) {
    /* A tape is alive as long as the registry is locked; but locks of tapes come before that one, so that a tape which
     * somebody holds must be asked again. */
    for (;;) {
        tg_lock_take(&registry->lock);
        tg_tape *tape = tg_registry_find_held(registry, id);
        const bool known = tape && tape->owner;
        const bool held = known && tg_lock_try(&tape->lock);
        bool leaf = false;
        if (held) {
            leaf = tg_tape_node(tape, slot)->kind == TG_NODE_LEAF;
            tg_tape_give(tape);
        }
        tg_lock_give(&registry->lock);
        if (held || !known) return leaf;
        tg_system_yield();
    }
}

#endif
