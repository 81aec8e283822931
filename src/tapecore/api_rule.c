/* api_rule.c: the rules of others' ops in sweeps and pushes over tapes of this interface, which may carry a batch. */
#include <string.h>

#include "api.h"

/* A linear rule: new values (or NULL, zero) from values (NULL: zero). */
typedef struct linear_rule {
    const tg_application *application;
    const unsigned char *wanted; /* vjp; NULL: jvp */
    int in_count, out_count;
    const tg_value *in;    /* with a batch in front if there is one; array NULL and dtype -1: zero */
    const tg_output *like; /* of each result, without batch; dtype -1: not wanted */
    tapegrad_value **given, **found; /* room for one row */
} linear_rule;

static tapegrad_status call_rule(const linear_rule *rule) {
    return rule->wanted ? tg_application_vjp(rule->application, rule->given, rule->wanted, rule->found)
                        : tg_application_jvp(rule->application, rule->given, rule->found);
}

/* Row `row` of a stack, or without a batch the value itself; 0-d arrays become numbers. */
static tapegrad_value *row_of(tapegrad_context *context, const tg_value *stack, tg_index batch, tg_index row) {
    tg_array *array = stack->array, *part;
    if (!array) return tg_value_of(context, stack);
    if (batch) {
        const tg_index *shape = tg_array_shape(array), *strides = tg_array_strides(array);
        tg_status status = tg_array_view(array, array->dtype, array->ndim - 1, shape + 1, strides + 1,
                                         array->data + row * strides[0], &part);
        if (status != TG_OK) {
            tg_fail_core(status, "a row of a batch");
            return NULL;
        }
    } else {
        tg_array_retain(array);
        part = array;
    }
    tg_value value;
    tg_value_from_array(part, &value);
    return tg_value_wrap(context, value);
}

static bool sums_to(const tg_value *value, tg_output like) {
    const int missing = tg_value_ndim(value) - like.ndim;
    for (int d = 0; d < like.ndim && missing >= 0; d++) {
        if (like.shape[d] != 1 && like.shape[d] != tg_value_shape(value)[d + missing]) return false;
    }
    return missing >= 0;
}

/* What a rule gave for a result like this: of its dtype, summed over broadcast axes. NULL with an error if it does not
 * fit. Takes over the reference. */
static tapegrad_value *fitted(const linear_rule *rule, const tg_loops *loops, tapegrad_value *given, tg_output like) {
    tapegrad_context *context = given->context;
    const char *name = rule->application->op->definition.name;
    char shape[TG_SHAPE_TEXT], wanted[TG_SHAPE_TEXT];
    const bool exact = tg_value_is_like(given, like.dtype, like.ndim, like.shape);
    if (exact) return given;
    tapegrad_value *sum = NULL;
    if (given->value.dtype != like.dtype || !sums_to(&given->value, like) || !rule->wanted) {
        tg_fail(given->value.dtype != like.dtype ? TAPEGRAD_BAD_DTYPE : TAPEGRAD_BAD_SHAPE,
                "%s: its %s gave a %s value of shape %s where %s of shape %s is wanted", name,
                rule->wanted ? "vjp" : "jvp", tg_dtype_name(given->value.dtype),
                tg_shape_text(tg_value_ndim(&given->value), tg_value_shape(&given->value), shape),
                tg_dtype_name(like.dtype), tg_shape_text(like.ndim, like.shape, wanted));
    } else {
        tg_workspace workspace;
        tg_workspace_init(&workspace, context->pool);
        tg_value target = {.dtype = like.dtype};
        tg_status status = TG_OK;
        if (like.ndim) status = tg_array_new(context->pool, like.dtype, like.ndim, like.shape, &target.array);
        if (status == TG_OK) status = tg_sum_to(loops, &workspace, &given->value, &target, true);
        tg_workspace_clear(&workspace);
        if (status == TG_OK) {
            sum = tg_value_wrap(context, target);
        } else {
            tg_array_release(target.array);
            tg_fail_core(status, name);
        }
    }
    tapegrad_release(given);
    return sum;
}

/* Row `row` of the stack *whole, which begins as zeros with the first one that is not. */
static tapegrad_status put_row(tapegrad_context *context, const tapegrad_value *part, tg_output like, tg_index batch,
                               tg_index row, tg_value *whole) {
    const size_t itemsize = tg_itemsize(like.dtype);
    if (!whole->array) {
        tg_index shape[TG_MAX_DIMS];
        if (!tg_batch_fits(like, batch)) return tg_fail_core(TG_TOO_LARGE, "the rows of a batch");
        shape[0] = batch;
        if (like.ndim) memcpy(shape + 1, like.shape, (size_t)like.ndim * sizeof *shape);
        tg_status status = tg_array_new(context->pool, like.dtype, like.ndim + 1, shape, &whole->array);
        if (status != TG_OK) return tg_fail_core(status, "the rows of a batch");
        memset(whole->array->data, 0, (size_t)whole->array->size * itemsize);
    }
    const size_t bytes = (size_t)tg_value_size(&part->value) * itemsize;
    return tapegrad_read(part, whole->array->data + (size_t)row * bytes, bytes);
}

/* Applies the rule, row by row where there is a batch. out[i]: dtype -1: zero; else owned by the caller. */
static tapegrad_status by_rows(const linear_rule *rule, const tg_loops *loops, tg_index batch, tg_value *out) {
    tapegrad_context *context = rule->application->op->context;
    tapegrad_status status = TAPEGRAD_OK;
    for (int i = 0; i < rule->out_count; i++) out[i] = (tg_value){.array = NULL, .dtype = -1};
    for (tg_index row = 0; row < (batch ? batch : 1) && status == TAPEGRAD_OK; row++) {
        for (int i = 0; i < rule->in_count; i++) rule->given[i] = NULL;
        for (int i = 0; i < rule->in_count && status == TAPEGRAD_OK; i++) {
            if (rule->in[i].dtype < 0) continue;
            rule->given[i] = row_of(context, &rule->in[i], batch, row);
            if (!rule->given[i]) status = TAPEGRAD_NO_MEMORY;
        }
        if (status == TAPEGRAD_OK) status = call_rule(rule);
        const bool called = status == TAPEGRAD_OK;
        for (int i = 0; i < rule->in_count; i++) tapegrad_release(rule->given[i]);
        for (int i = 0; i < rule->out_count && called; i++) {
            if (!rule->found[i]) continue;
            tapegrad_value *found = rule->found[i];
            if (status != TAPEGRAD_OK || rule->like[i].dtype < 0) {
                tapegrad_release(found);
                continue;
            }
            found = fitted(rule, loops, found, rule->like[i]);
            if (!found) {
                status = tapegrad_error_status();
                continue;
            }
            out[i].dtype = rule->like[i].dtype;
            if (batch) {
                status = put_row(context, found, rule->like[i], batch, row, &out[i]);
            } else {
                out[i] = found->value;
                if (out[i].array) tg_array_retain(out[i].array);
            }
            tapegrad_release(found);
        }
    }
    for (int i = 0; i < rule->out_count && status != TAPEGRAD_OK; i++) tg_array_release(out[i].array);
    return status;
}

/* Room for what a rule over so many operands and results needs, in one block. */
typedef struct rule_room {
    tg_value *in, *out;
    tg_output *like;
    tapegrad_value **given, **found;
    unsigned char *wanted;
    size_t bytes;
} rule_room;

static tapegrad_status make_room(tg_pool *pool, int count, rule_room *room) {
    const size_t n = (size_t)count;
    room->in = tg_pool_take(pool, n * (2 * sizeof *room->in + sizeof *room->like + 2 * sizeof *room->given + 1),
                            &room->bytes);
    if (!room->in) return tg_fail_core(TG_NO_MEMORY, "the rule of an op");
    room->out = room->in + n;
    room->like = (tg_output *)(room->out + n);
    room->given = (tapegrad_value **)(room->like + n);
    room->found = room->given + n;
    room->wanted = (unsigned char *)(room->found + n);
    return TAPEGRAD_OK;
}

/* The use behind a node; NULL with an error for nodes that only Python could differentiate. */
static const tg_application *application_of(const tg_node *node) {
    if (node->kind == TG_NODE_EXTERNAL) return *tg_node_payload(node);
    tg_fail(TAPEGRAD_NO_RULE,
            "the tape holds an operation that Python recorded on it (of dtype %s), and which only tapes of Python can "
            "differentiate",
            tg_dtype_name(node->dtype));
    return NULL;
}

static int larger(int a, int b) { return a > b ? a : b; }

tg_status tg_api_sweep_rule(void *context, tg_sweep *sweep, tg_node *node) {
    (void)context;
    const tg_application *use = application_of(node);
    if (!use) return TG_CALLBACK;
    rule_room room;
    tg_pool *pool = sweep->tape->pool;
    if (make_room(pool, larger(use->operands_count, use->results_count), &room) != TAPEGRAD_OK) return TG_CALLBACK;
    bool given = false;
    for (int i = 0; i < use->results_count; i++) {
        const uint32_t slot = node->slot + (uint32_t)i;
        room.in[i].dtype = -1;
        if (!tg_sweep_is_reached(sweep, slot) || !tg_sweep_peek(sweep, slot, &room.in[i])) {
            room.in[i] = (tg_value){.array = NULL, .dtype = -1};
        } else {
            given = true;
        }
    }
    for (int k = 0; k < use->operands_count; k++) {
        room.wanted[k] = tg_sweep_wants(sweep, node->in[k]);
        room.like[k] = room.wanted[k] ? tg_tape_output(sweep->tape, node->in[k]) : (tg_output){-1, 0, NULL};
    }
    const linear_rule rule = {use, room.wanted, use->results_count, use->operands_count,
                              room.in, room.like, room.given, room.found};
    tg_status status = TG_OK;
    if (given && by_rows(&rule, sweep->loops, sweep->batch, room.out) != TAPEGRAD_OK) status = TG_CALLBACK;
    for (int k = 0; k < use->operands_count && given && status != TG_CALLBACK; k++) {
        if (room.out[k].dtype < 0) continue;
        if (status == TG_OK) {
            status = tg_sweep_add(sweep, node->in[k], &room.out[k]);
        } else {
            tg_array_release(room.out[k].array);
        }
    }
    tg_pool_give(pool, room.in, room.bytes);
    return status;
}

tg_status tg_api_push_rule(void *context, tg_push *push, tg_node *node) {
    (void)context;
    const tg_application *use = application_of(node);
    if (!use) return TG_CALLBACK;
    rule_room room;
    tg_pool *pool = push->tape->pool;
    if (make_room(pool, larger(use->operands_count, use->results_count), &room) != TAPEGRAD_OK) return TG_CALLBACK;
    for (int k = 0; k < use->operands_count; k++) {
        if (node->in[k] == TG_NO_SLOT || !tg_push_peek(push, node->in[k], &room.in[k])) {
            room.in[k] = (tg_value){.array = NULL, .dtype = -1};
        }
    }
    for (int i = 0; i < use->results_count; i++) room.like[i] = tg_tape_output(push->tape, node->slot + (uint32_t)i);
    const linear_rule rule = {use, NULL, use->operands_count, use->results_count,
                              room.in, room.like, room.given, room.found};
    tg_status status = TG_OK;
    if (by_rows(&rule, push->loops, push->batch, room.out) != TAPEGRAD_OK) status = TG_CALLBACK;
    for (int i = 0; i < use->results_count && status != TG_CALLBACK; i++) {
        if (room.out[i].dtype < 0) continue;
        if (status == TG_OK) {
            status = tg_push_set(push, node->slot + (uint32_t)i, &room.out[i]);
        } else {
            tg_array_release(room.out[i].array);
        }
    }
    tg_pool_give(pool, room.in, room.bytes);
    return status;
}
