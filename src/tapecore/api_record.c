/* api_record.c: which tapes of this thread know a value, and recording an operation on them. */
#include <string.h>

#include "api.h"

/* Handles of tapes of other contexts may have the same ids. */
static bool knows(const tg_tape *tape, const tapegrad_value *value) {
    return tape->pool == value->context->pool && tg_handles_find(&value->handles, tape->id) != TG_NO_SLOT;
}

bool tg_knows_one(const tg_tape *tape, int count, tapegrad_value *const *values) {
    for (int k = 0; k < count; k++) {
        if (values[k] && knows(tape, values[k])) return true;
    }
    return false;
}

bool tg_is_followed(const tapegrad_value *value, const tg_tape *except) {
    const tg_thread thread = *tg_thread_current();
    if (tg_handles_empty(&value->handles)) return false;
    for (int i = thread.base; i < thread.count; i++) {
        if (thread.tapes[i] != except && knows(thread.tapes[i], value)) return true;
    }
    return false;
}

bool tg_host_follows(const tapegrad_context *context, int count, tapegrad_value *const *operands) {
    const tg_thread thread = *tg_thread_current();
    if (!context->host) return false;
    for (int i = thread.base; i < thread.count; i++) {
        if (thread.tapes[i]->owner && tg_knows_one(thread.tapes[i], count, operands)) return true;
    }
    return false;
}

/* Gives a result its handle on every tape that is about to record it, and returns how many these are; -1: no memory.
 * All are told before the first one records: what a tape saves names the places it has on the others, and the place is
 * known, since a tape's next output is its next slot. */
static int announce(int count, tapegrad_value *const *operands, const bool *differentiable, tapegrad_value *out) {
    const tg_thread thread = *tg_thread_current();
    const tapegrad_context *context = out->context;
    int told = 0;
    for (int i = thread.base; i < thread.count; i++) {
        tg_tape *tape = thread.tapes[i];
        bool known = false;
        for (int k = 0; k < count && !known; k++) known = differentiable[k] && knows(tape, operands[k]);
        if (!known) continue;
        if (tg_handles_add(&out->handles, context->pool, tape->id, tape->slots, tg_registry_has, context->registry) !=
            TG_OK) {
            return -1;
        }
        told++;
    }
    return told;
}

/* Slots of operands that live on the stack; more go to a block of the pool. */
#define FEW 16

tapegrad_status tg_record_everywhere(tg_record *record, int count, tapegrad_value *const *operands,
                                     const bool *differentiable, const unsigned *needs, tapegrad_value *out) {
    const tg_thread thread = *tg_thread_current();
    tg_pool *pool = out->context->pool;
    int told = announce(count, operands, differentiable, out);
    if (told == 0) return TAPEGRAD_OK;
    uint32_t few[FEW], slot, *slots = few;
    size_t bytes = 0;
    if (told > 0 && count > FEW) slots = tg_pool_take(pool, (size_t)count * sizeof *slots, &bytes);
    if (told < 0 || !slots) return tg_fail_core(TG_NO_MEMORY, "recording an operation");
    record->dtype = out->value.dtype;
    record->ndim = tg_value_ndim(&out->value);
    record->shape = tg_value_shape(&out->value);
    record->operands = (uint32_t)count;
    record->in = slots;
    for (int k = 0; k < count && k < TG_MAX_OPERANDS; k++) {
        record->saved[k] = &operands[k]->value;
        record->handles[k] = &operands[k]->handles;
    }
    record->saved[TG_MAX_OPERANDS] = &out->value;
    record->handles[TG_MAX_OPERANDS] = &out->handles;
    tg_status status = TG_OK;
    for (int i = thread.base; i < thread.count && status == TG_OK; i++) {
        tg_tape *tape = thread.tapes[i];
        if (!knows(tape, out)) continue;
        record->saved_mask = 0;
        for (int k = 0; k < count; k++) {
            slots[k] = differentiable[k] ? tg_handles_find(&operands[k]->handles, tape->id) : TG_NO_SLOT;
            if (slots[k] != TG_NO_SLOT && k < TG_MAX_OPERANDS) record->saved_mask |= needs[k];
        }
        status = tg_tape_record(tape, record, &slot);
    }
    if (slots != few) tg_pool_give(pool, slots, bytes);
    return tg_fail_core(status, "recording an operation");
}

int tg_pause(void) {
    tg_thread *thread = tg_thread_current();
    const int base = thread->base;
    thread->base = thread->count;
    return base;
}

void tg_resume(int base) {
    tg_thread *thread = tg_thread_current();
    thread->base = base < thread->count ? base : thread->count;
}
