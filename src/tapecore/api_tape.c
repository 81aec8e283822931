/* api_tape.c: tapes: their life, what they watch, and when derivatives can be taken. */
#include "api.h"

/* Forgets everything; renew: the tape can record again at once. */
static void forget(tapegrad_tape *tape, bool renew) {
    tg_registry *registry = tape->context->registry;
    tg_registry_remove(registry, &tape->tape);
    if (renew) {
        tg_tape_rewind(&tape->tape, tg_registry_new_id(registry));
        tg_registry_add(registry, &tape->tape);
    } else {
        tg_tape_clear(&tape->tape, 0);
    }
    tape->tag = tg_number_tag(tape->tape.id);
    tape->used_up = !renew;
    tape->broken = TAPEGRAD_OK;
}

tapegrad_tape *tapegrad_tape_new(tapegrad_context *context, unsigned flags) {
    size_t block_bytes;
    tapegrad_tape *tape = tg_pool_take(context->pool, sizeof *tape, &block_bytes);
    if (!tape) {
        tg_fail_core(TG_NO_MEMORY, "tapegrad_tape_new");
        return NULL;
    }
    *tape = (tapegrad_tape){
        .context = context, .persistent = flags & TAPEGRAD_PERSISTENT, .block_bytes = block_bytes};
    tg_tape_init(&tape->tape, context->pool, 0, tg_application_release);
    forget(tape, true);
    return tape;
}

void tapegrad_tape_free(tapegrad_tape *tape) {
    if (!tape) return;
    if (tape->entered) tg_thread_remove(&tape->tape);
    forget(tape, false);
    tg_pool_give(tape->context->pool, tape, tape->block_bytes);
}

tapegrad_status tapegrad_tape_enter(tapegrad_tape *tape) {
    if (tape->entered) return tg_fail(TAPEGRAD_BAD_STATE, "tapegrad_tape_enter: the tape has been entered already");
    if (tape->used_up) forget(tape, true);
    tg_status status = tg_thread_push(&tape->tape);
    tape->entered = status == TG_OK;
    return tg_fail_core(status, "tapegrad_tape_enter");
}

tapegrad_status tapegrad_tape_leave(tapegrad_tape *tape) {
    if (!tg_thread_remove(&tape->tape)) {
        return tg_fail(TAPEGRAD_BAD_STATE, "tapegrad_tape_leave: this thread has not entered the tape");
    }
    tape->entered = false;
    return TAPEGRAD_OK;
}

static tapegrad_status used_up(const char *what) {
    return tg_fail(TAPEGRAD_BAD_STATE,
                   "%s: the tape has been used up by its first derivatives: enter or reset it, or make it with "
                   "TAPEGRAD_PERSISTENT",
                   what);
}

tapegrad_status tapegrad_watch(tapegrad_tape *tape, tapegrad_value *value) {
    if (!value) return tapegrad_error_status();
    if (tape->used_up) return used_up("tapegrad_watch");
    if (value->context != tape->context) {
        return tg_fail(TAPEGRAD_BAD_VALUE, "tapegrad_watch: the value is of another context than the tape");
    }
    if (!tg_dtype_is_native(value->value.dtype)) {
        return tg_fail(TAPEGRAD_BAD_DTYPE, "tapegrad_watch: derivatives are taken of float32 and float64, not of %s",
                       tg_dtype_name(value->value.dtype));
    }
    if (tg_slot_of(tape, value) != TG_NO_SLOT) return TAPEGRAD_OK;
    /* The place is known: the next slot. A handle without a node could not be taken back, so the node comes first. */
    uint32_t slot;
    tg_status status = tg_tape_watch(&tape->tape, value->value.dtype, tg_value_ndim(&value->value),
                                     tg_value_shape(&value->value), &slot);
    if (status == TG_OK) {
        status = tg_handles_add(&value->handles, tape->context->pool, tape->tape.id, slot, tg_registry_has,
                                tape->context->registry);
    }
    return tg_fail_core(status, "tapegrad_watch");
}

tapegrad_status tapegrad_tape_reset(tapegrad_tape *tape) {
    forget(tape, true);
    return TAPEGRAD_OK;
}

size_t tapegrad_tape_nodes(const tapegrad_tape *tape) { return tape->tape.nodes; }

size_t tapegrad_tape_bytes(const tapegrad_tape *tape) { return tg_tape_bytes(&tape->tape); }

/* ---- before and after derivatives ---- */

static tapegrad_status broken(tapegrad_status status) {
    switch (status) {
    case TAPEGRAD_NO_MEMORY: return tg_fail(status, "recording a number: out of memory");
    case TAPEGRAD_TOO_LARGE: return tg_fail(status, "recording a number: the tape outgrew its 32-bit indices");
    case TAPEGRAD_BAD_STATE:
        return tg_fail(status, "recording a number: the tape had been used up, or the number was from before a reset "
                               "or of another tape");
    default: return tg_fail(status, "recording a number: the op is not one of the table with that many operands");
    }
}

tapegrad_status tg_tape_open(tapegrad_tape *tape) {
    if (tape->broken != TAPEGRAD_OK) return broken(tape->broken);
    if (tape->used_up) return used_up("taking derivatives");
    if (tape->entered && !tape->persistent) return tapegrad_tape_leave(tape);
    return TAPEGRAD_OK;
}

void tg_tape_close(tapegrad_tape *tape) {
    if (!tape->persistent) forget(tape, false);
}

/* Whether a node saved something that the other tape knows. */
static bool saved_for(const tg_node *node, const tg_tape *other) {
    tg_handle handle;
    if (node->kind == TG_NODE_EXTERNAL) {
        const tg_application *use = *tg_node_payload(node);
        return tg_knows_one(other, use->operands_count + use->results_count, use->values);
    }
    for (int bit = 0; bit <= TG_MAX_OPERANDS && node->flags & TG_FLAG_HANDLES; bit++) {
        for (uint32_t i = 0; tg_node_saved_handle(node, bit, i, &handle); i++) {
            if (handle.id == other->id) return true;
        }
    }
    return false;
}

static bool depends_on(const tapegrad_tape *tape, const tg_tape *other, int count, tapegrad_value *const *values) {
    if (tg_knows_one(other, count, values)) return true;
    for (uint32_t slot = 0; slot < tape->tape.slots;) {
        const tg_node *node = tg_tape_node(&tape->tape, slot);
        if (saved_for(node, other)) return true;
        slot += tg_node_outputs(node);
    }
    return false;
}

tapegrad_status tg_check_outer(const tapegrad_tape *tape, int count, tapegrad_value *const *values) {
    const tg_thread thread = *tg_thread_current();
    for (int i = thread.base; i < thread.count; i++) {
        const tg_tape *other = thread.tapes[i];
        if (other == &tape->tape || other->pool != tape->tape.pool || !depends_on(tape, other, count, values)) continue;
        return tg_fail(TAPEGRAD_FOLLOWED,
                       "taking derivatives: another tape records that knows what they depend on, and would lose it: "
                       "let nested tapes of Python record the operations, or compute with tapegrad_constant() values");
    }
    return TAPEGRAD_OK;
}
