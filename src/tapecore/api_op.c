/* api_op.c: ops of others: their definition, their uses on tapes, and their rules. */
#include <string.h>

#include "api.h"

tapegrad_op *tapegrad_define(tapegrad_context *context, const tapegrad_definition *definition) {
    if (definition->size != sizeof *definition) {
        tg_fail(TAPEGRAD_BAD_VALUE, "tapegrad_define: set .size to sizeof(tapegrad_definition), %zu, instead of %zu",
                sizeof *definition, definition->size);
        return NULL;
    }
    if (!definition->name || !definition->kernel || definition->results < 1 || definition->operands < -1) {
        tg_fail(TAPEGRAD_BAD_VALUE, "tapegrad_define: an op needs a name, a kernel and at least one result");
        return NULL;
    }
    const size_t name_bytes = strlen(definition->name) + 1;
    size_t block_bytes;
    tapegrad_op *op = tg_pool_take(context->pool, sizeof *op + name_bytes, &block_bytes);
    if (!op) {
        tg_fail_core(TG_NO_MEMORY, "tapegrad_define");
        return NULL;
    }
    *op = (tapegrad_op){.context = context, .number = -1, .definition = *definition, .block_bytes = block_bytes};
    atomic_init(&op->refs, 1);
    memcpy(op->name, definition->name, name_bytes);
    op->definition.name = op->name;
    return op;
}

/* Always atomic: uses of an op are few beside what its kernel does. */
void tapegrad_op_release(tapegrad_op *op) {
    if (!op || op->number >= 0 || atomic_fetch_sub(&op->refs, 1) > 1) return;
    if (op->definition.release) op->definition.release(op->definition.closure);
    tg_pool_give(op->context->pool, op, op->block_bytes);
}

/* ---- uses ---- */

tapegrad_status tg_application_create(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                      tapegrad_value *const *results, tg_application **out) {
    const int results_count = op->definition.results;
    size_t block_bytes;
    tg_application *use =
        tg_pool_take(op->context->pool, sizeof *use + (size_t)(count + results_count) * sizeof *use->values,
                     &block_bytes);
    if (!use) return tg_fail_core(TG_NO_MEMORY, op->definition.name);
    *use = (tg_application){.op = (tapegrad_op *)(uintptr_t)op,
                            .operands_count = count,
                            .results_count = results_count,
                            .block_bytes = block_bytes};
    atomic_fetch_add(&use->op->refs, 1);
    const unsigned saves = op->definition.saves;
    for (int k = 0; k < count; k++) {
        use->values[k] = saves & TAPEGRAD_SAVE_OPERANDS ? tapegrad_retain(operands[k]) : NULL;
    }
    for (int i = 0; i < results_count; i++) {
        use->values[count + i] = saves & TAPEGRAD_SAVE_RESULTS ? tapegrad_retain(results[i]) : NULL;
    }
    *out = use;
    return TAPEGRAD_OK;
}

void tg_application_release(void *application) {
    tg_application *use = application;
    tg_pool *pool = use->op->context->pool;
    for (int i = 0; i < use->operands_count + use->results_count; i++) tapegrad_release(use->values[i]);
    tapegrad_op_release(use->op);
    tg_pool_give(pool, use, use->block_bytes);
}

/* What recording a use needs besides the tape. */
typedef struct application_parts {
    tg_output *outputs;
    uint32_t *slots; /* of the operands, on one tape */
} application_parts;

/* Records on one tape of this interface, which knows an operand. */
static tapegrad_status record_on(tg_tape *tape, const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                 tapegrad_value *const *results, const application_parts *parts) {
    tg_application *use;
    uint32_t slot;
    tapegrad_status status = tg_application_create(op, count, operands, results, &use);
    if (status != TAPEGRAD_OK) return status;
    for (int k = 0; k < count; k++) parts->slots[k] = tg_handles_find(&operands[k]->handles, tape->id);
    tg_status recorded = tg_tape_record_external(tape, (uint32_t)count, parts->slots, op->definition.results,
                                                 parts->outputs, use, &slot);
    if (recorded != TG_OK) tg_application_release(use);
    return tg_fail_core(recorded, op->definition.name);
}

/* Whether the tape is one of this interface, and knows an operand. */
static bool records(const tg_tape *tape, int count, tapegrad_value *const *operands) {
    return !tape->owner && tg_knows_one(tape, count, operands);
}

/* On the tapes of this interface. */
static tapegrad_status record_here(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                   tapegrad_value *const *results) {
    const tg_thread thread = *tg_thread_current();
    tapegrad_context *context = op->context;
    const int results_count = op->definition.results;
    bool known = false;
    for (int i = thread.base; i < thread.count; i++) {
        tg_tape *tape = thread.tapes[i];
        if (!records(tape, count, operands)) continue;
        known = true;
        for (int r = 0; r < results_count; r++) {
            if (tg_handles_add(&results[r]->handles, context->pool, tape->id, tape->slots + (uint32_t)r,
                               tg_registry_has, context->registry) != TG_OK) {
                return tg_fail_core(TG_NO_MEMORY, op->definition.name);
            }
        }
    }
    if (!known) return TAPEGRAD_OK;
    size_t bytes;
    application_parts parts;
    parts.outputs = tg_pool_take(
        context->pool, (size_t)results_count * sizeof *parts.outputs + (size_t)count * sizeof *parts.slots, &bytes);
    if (!parts.outputs) return tg_fail_core(TG_NO_MEMORY, op->definition.name);
    parts.slots = (uint32_t *)(parts.outputs + results_count);
    for (int r = 0; r < results_count; r++) {
        const tg_value *value = &results[r]->value;
        parts.outputs[r] = (tg_output){value->dtype, tg_value_ndim(value), tg_value_shape(value)};
    }
    tapegrad_status status = TAPEGRAD_OK;
    for (int i = thread.base; i < thread.count && status == TAPEGRAD_OK; i++) {
        if (records(thread.tapes[i], count, operands)) {
            status = record_on(thread.tapes[i], op, count, operands, results, &parts);
        }
    }
    tg_pool_give(context->pool, parts.outputs, bytes);
    return status;
}

tapegrad_status tg_record_application(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                      tapegrad_value *const *results) {
    const tapegrad_context *context = op->context;
    if (!op->definition.vjp && !op->definition.jvp) return TAPEGRAD_OK; /* no derivative flows */
    if (!tg_thread_records(tg_thread_current())) return TAPEGRAD_OK;
    tapegrad_status status = record_here(op, count, operands, results);
    if (status == TAPEGRAD_OK && tg_host_follows(context, count, operands)) {
        status = context->host->record(op, count, operands, results);
    }
    return status;
}

/* ---- rules ---- */

static tapegrad_use use_of(const tg_application *application) {
    return (tapegrad_use){
        .operands_count = application->operands_count,
        .results_count = application->results_count,
        .operands = application->values,
        .results = application->values + application->operands_count,
    };
}

tapegrad_status tg_settle(tapegrad_status status, const char *name, int count, const unsigned char *wanted,
                          tapegrad_value **values) {
    for (int i = 0; i < count && status == TAPEGRAD_OK; i++) {
        if (!values[i] && (!wanted || wanted[i])) status = tapegrad_error_status();
    }
    for (int i = 0; i < count; i++) {
        if (status == TAPEGRAD_OK && (!wanted || wanted[i])) continue;
        tapegrad_release(values[i]);
        values[i] = NULL;
    }
    if (status != TAPEGRAD_OK && tapegrad_error_status() == TAPEGRAD_OK) {
        tg_fail(status, "%s: a function of the op failed, without a text", name);
    }
    return status;
}

tapegrad_status tg_application_vjp(const tg_application *application, tapegrad_value *const *results_cotangents,
                                   const unsigned char *wanted, tapegrad_value **cotangents) {
    const tapegrad_definition *definition = &application->op->definition;
    const tapegrad_use use = use_of(application);
    for (int k = 0; k < use.operands_count; k++) cotangents[k] = NULL;
    if (!definition->vjp) {
        return tg_fail(TAPEGRAD_NO_RULE, "%s has no vjp: its gradient cannot be taken", definition->name);
    }
    tg_no_error();
    const tapegrad_status status = definition->vjp(definition->closure, &use, results_cotangents, wanted, cotangents);
    return tg_settle(status, definition->name, use.operands_count, wanted, cotangents);
}

tapegrad_status tg_application_jvp(const tg_application *application, tapegrad_value *const *operands_tangents,
                                   tapegrad_value **tangents) {
    const tapegrad_definition *definition = &application->op->definition;
    const tapegrad_use use = use_of(application);
    for (int i = 0; i < use.results_count; i++) tangents[i] = NULL;
    if (!definition->jvp) {
        return tg_fail(TAPEGRAD_NO_RULE, "%s has no jvp: forward mode and Jacobians by columns need one",
                       definition->name);
    }
    tg_no_error();
    const tapegrad_status status = definition->jvp(definition->closure, &use, operands_tangents, tangents);
    return tg_settle(status, definition->name, use.results_count, NULL, tangents);
}
