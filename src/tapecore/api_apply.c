/* api_apply.c: elementwise operations on values. */
#include <string.h>

#include "api.h"

/* Whether the operands are as many as the op takes, and of its context. */
static bool check_operands(const tapegrad_op *op, int count, tapegrad_value *const *operands) {
    if (op->definition.operands >= 0 && count != op->definition.operands) {
        tg_fail(TAPEGRAD_BAD_VALUE, "%s takes %d operands, not %d", op->definition.name, op->definition.operands,
                count);
        return false;
    }
    if (!tg_values_usable(count, operands)) return false;
    if (count && operands[0]->context != op->context) {
        tg_fail(TAPEGRAD_BAD_VALUE, "%s: the op is of another context than its operands", op->definition.name);
        return false;
    }
    return true;
}

/* Whether they are what a table's op takes: of one native type, too. */
static bool check_native_operands(const tapegrad_op *op, int count, tapegrad_value *const *operands) {
    if (!check_operands(op, count, operands)) return false;
    for (int k = 0; k < count; k++) {
        const int dtype = operands[k]->value.dtype;
        if (!tg_dtype_is_native(dtype) || dtype != operands[0]->value.dtype) {
            tg_fail(TAPEGRAD_BAD_DTYPE, "%s: operands must be all float32 or all float64, but number %d is %s%s%s",
                    op->definition.name, k, tg_dtype_name(dtype), k ? " and the first one " : "",
                    k ? tg_dtype_name(operands[0]->value.dtype) : "");
            return false;
        }
    }
    return true;
}

/* The quick way, where one tape records; others and errors go the general one. */
static tg_quick record_quickly(int number, int count, tapegrad_value *const *operands, tapegrad_value *out) {
    const tg_thread thread = *tg_thread_current();
    tg_tape *tape = thread.tapes[thread.base];
    if (thread.count - thread.base != 1 || tape->owner || tape->pool != out->context->pool) return TG_QUICK_GENERAL;
    const tg_handles *handles[TG_MAX_OPERANDS];
    tg_value values[TG_MAX_OPERANDS];
    for (int k = 0; k < count; k++) {
        handles[k] = &operands[k]->handles;
        values[k] = operands[k]->value;
    }
    if (out->value.array) {
        return tg_record_array(tape, number, count, handles, values, &out->value, &out->handles);
    }
    if (count > 2) return TG_QUICK_GENERAL;
    return tg_record_number(tape, number, out->value.dtype, count == 2, handles[0], values[0].scalar.u64,
                            handles[count - 1], values[count - 1].scalar.u64, out->value.scalar.u64, &out->handles);
}

static tapegrad_status record_elementwise(int number, int count, tapegrad_value *const *operands, tapegrad_value *out) {
    const tg_op_info *info = &tg_op_table[number];
    if (!tg_thread_records(tg_thread_current())) return TAPEGRAD_OK;
    if (record_quickly(number, count, operands, out) != TG_QUICK_GENERAL) return TAPEGRAD_OK;
    bool differentiable[TG_MAX_OPERANDS];
    unsigned needs[TG_MAX_OPERANDS];
    for (int k = 0; k < count; k++) {
        differentiable[k] = info->partial[k] != NULL;
        needs[k] = info->needs[k];
    }
    tg_record record = {.op = number, .kind = TG_NODE_ELEMENTWISE};
    return tg_record_everywhere(&record, count, operands, differentiable, needs, out);
}

static void explain_shapes(const char *name, int count, tapegrad_value *const *operands) {
    char text[TG_MAX_OPERANDS][TG_SHAPE_TEXT];
    for (int k = 0; k < TG_MAX_OPERANDS; k++) {
        tg_shape_text_of(operands[k < count ? k : 0], text[k]);
    }
    tg_fail(TAPEGRAD_BAD_SHAPE, "%s: operands of shapes %s%s%s%s%s cannot be broadcast together", name, text[0],
            count > 1 ? ", " : "", count > 1 ? text[1] : "", count > 2 ? ", " : "", count > 2 ? text[2] : "");
}

/* An op of the table; a new value or NULL. */
static tapegrad_value *elementwise(const tapegrad_op *op, int count, tapegrad_value *const *operands) {
    tapegrad_context *context = op->context;
    if (!check_native_operands(op, count, operands)) return NULL;
    tapegrad_value *out = tg_value_wrap(context, (tg_value){.dtype = operands[0]->value.dtype});
    if (!out) return NULL;
    tapegrad_status status;
    if (tg_host_follows(context, count, operands)) {
        status = context->host->elementwise(op->number, count, operands, out);
    } else {
        tg_value values[TG_MAX_OPERANDS], result;
        for (int k = 0; k < count; k++) values[k] = operands[k]->value;
        const tg_status computed =
            tg_elementwise(context->loops, context->pool, op->number, out->value.dtype, values, &result);
        status = tg_fail_core(computed, op->definition.name);
        if (computed == TG_BAD_SHAPE) explain_shapes(op->definition.name, count, operands);
        if (computed == TG_OK) {
            out->value = result;
            status = record_elementwise(op->number, count, operands, out);
        }
    }
    if (status == TAPEGRAD_OK) return out;
    tapegrad_release(out);
    return NULL;
}

/* An op of somebody else's: its kernel, unrecorded, and then one node for all of it. */
static tapegrad_status apply_other(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                   tapegrad_value **results) {
    const tapegrad_definition *definition = &op->definition;
    if (!check_operands(op, count, operands)) return tapegrad_error_status();
    for (int i = 0; i < definition->results; i++) results[i] = NULL;
    const int base = tg_pause();
    tg_no_error();
    tapegrad_status status = definition->kernel(definition->closure, count, operands, results);
    status = tg_settle(status, definition->name, definition->results, NULL, results);
    tg_resume(base);
    for (int i = 0; i < definition->results && status == TAPEGRAD_OK; i++) {
        if (!results[i]) status = tg_fail(TAPEGRAD_CALLBACK, "%s: its kernel gave no result %d", definition->name, i);
    }
    /* A kernel may pass an operand on: the node needs a value with a place of its own. */
    for (int i = 0; i < definition->results && status == TAPEGRAD_OK; i++) {
        if (tg_handles_empty(&results[i]->handles) && atomic_load(&results[i]->refs) == 1) continue;
        tapegrad_value *own = tapegrad_constant(results[i]);
        if (!own) {
            status = TAPEGRAD_NO_MEMORY;
            break;
        }
        tapegrad_release(results[i]);
        results[i] = own;
    }
    if (status == TAPEGRAD_OK) status = tg_record_application(op, count, operands, results);
    if (status != TAPEGRAD_OK) tg_release_all(definition->results, results);
    return status;
}

tapegrad_status tapegrad_apply(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                               tapegrad_value **results) {
    if (!op) return tapegrad_error_status();
    if (op->number < 0) return apply_other(op, count, operands, results);
    results[0] = elementwise(op, count, operands);
    return results[0] ? TAPEGRAD_OK : tapegrad_error_status();
}

/* The one result of an op, or NULL. */
static tapegrad_value *only_result(const tapegrad_op *op, int count, tapegrad_value *const *operands) {
    if (!op) return NULL;
    if (op->number >= 0) return elementwise(op, count, operands);
    if (op->definition.results != 1) {
        tg_fail(TAPEGRAD_BAD_VALUE, "%s has %d results: use tapegrad_apply", op->definition.name,
                op->definition.results);
        return NULL;
    }
    tapegrad_value *result;
    return apply_other(op, count, operands, &result) == TAPEGRAD_OK ? result : NULL;
}

tapegrad_value *tapegrad_unary(const tapegrad_op *op, tapegrad_value *x) { return only_result(op, 1, &x); }

tapegrad_value *tapegrad_binary(const tapegrad_op *op, tapegrad_value *x, tapegrad_value *y) {
    tapegrad_value *const operands[2] = {x, y};
    return only_result(op, 2, operands);
}
