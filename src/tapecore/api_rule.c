/* api_rule.c: the rules of others' ops in sweeps and pushes over tapes of this interface, which may carry a batch. */
#include "api.h"

/* A linear rule, which makes new values (or NULL, zero) from values (NULL: zero), and room for them in one block. */
typedef struct linear_rule {
    const tg_application *application;
    int in_count, out_count;
    tg_value *in;    /* with a batch in front if there is one; array NULL and dtype -1: zero */
    tg_value *out;   /* likewise; see by_rows */
    tg_output *like; /* of each result, without batch; dtype -1: not wanted */
    tapegrad_value **given, **found; /* room for one row */
    unsigned char *wanted;           /* vjp; NULL: jvp */
    size_t bytes;
} linear_rule;

static const tg_value zero = {.array = NULL, .dtype = -1};

/* Makes room for the rule of the use behind a node; or an error, as for nodes that only Python could differentiate. */
static tapegrad_status begin(tg_pool *pool, const tg_node *node, bool backwards, linear_rule *rule) {
    if (node->kind != TG_NODE_EXTERNAL) {
        return tg_fail(TAPEGRAD_NO_RULE,
                       "the tape holds an operation that Python recorded on it (of dtype %s), and which only tapes of "
                       "Python can differentiate",
                       tg_dtype_name(node->dtype));
    }
    const tg_application *use = *tg_node_payload(node);
    *rule = (linear_rule){.application = use,
                          .in_count = backwards ? use->results_count : use->operands_count,
                          .out_count = backwards ? use->operands_count : use->results_count};
    const size_t n = (size_t)(rule->in_count > rule->out_count ? rule->in_count : rule->out_count);
    rule->in = tg_pool_take(pool, n * (2 * sizeof *rule->in + sizeof *rule->like + 2 * sizeof *rule->given + 1),
                            &rule->bytes);
    if (!rule->in) return tg_fail_core(TG_NO_MEMORY, "the rule of an op");
    rule->out = rule->in + n;
    rule->like = (tg_output *)(rule->out + n);
    rule->given = (tapegrad_value **)(rule->like + n);
    rule->found = rule->given + n;
    if (backwards) rule->wanted = (unsigned char *)(rule->found + n);
    return TAPEGRAD_OK;
}

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
                tg_shape_text_of(given, shape),
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
    if (!whole->array) {
        tg_index shape[TG_MAX_DIMS];
        if (!tg_batch_fits(like, batch)) return tg_fail_core(TG_TOO_LARGE, "the rows of a batch");
        tg_status status = tg_zeros(context->pool, tg_batch_output(like, batch, shape), whole);
        if (status != TG_OK) return tg_fail_core(status, "the rows of a batch");
    }
    const size_t bytes = (size_t)tg_value_size(&part->value) * tg_itemsize(like.dtype);
    return tapegrad_read(part, whole->array->data + (size_t)row * bytes, bytes);
}

/* Applies the rule, row by row where there is a batch. rule->out[i], out: owned by the caller. */
static tapegrad_status by_rows(const linear_rule *rule, const tg_loops *loops, tg_index batch) {
    tapegrad_context *context = rule->application->op->context;
    tapegrad_status status = TAPEGRAD_OK;
    tg_value *out = rule->out;
    for (int i = 0; i < rule->out_count; i++) out[i] = zero;
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
                out[i] = tg_lent(&found->value);
            }
            tapegrad_release(found);
        }
    }
    for (int i = 0; i < rule->out_count && status != TAPEGRAD_OK; i++) tg_array_release(out[i].array);
    return status;
}

tg_status tg_api_sweep_rule(void *context, tg_sweep *sweep, tg_node *node) {
    (void)context;
    linear_rule rule;
    tg_pool *pool = sweep->tape->pool;
    if (begin(pool, node, true, &rule) != TAPEGRAD_OK) return TG_CALLBACK;
    bool given = false;
    for (int i = 0; i < rule.in_count; i++) {
        const uint32_t slot = node->slot + (uint32_t)i;
        if (tg_sweep_is_reached(sweep, slot) && tg_sweep_peek(sweep, slot, &rule.in[i])) {
            given = true;
        } else {
            rule.in[i] = zero;
        }
    }
    for (int k = 0; k < rule.out_count; k++) {
        rule.wanted[k] = tg_sweep_wants(sweep, node->in[k]);
        rule.like[k] = rule.wanted[k] ? tg_tape_output(sweep->tape, node->in[k]) : (tg_output){-1, 0, NULL};
    }
    tg_status status = TG_OK;
    if (given) {
        const bool found = by_rows(&rule, sweep->loops, sweep->batch) == TAPEGRAD_OK;
        if (!found) status = TG_CALLBACK;
        for (int k = 0; k < rule.out_count && found; k++) {
            if (rule.out[k].dtype < 0) continue;
            if (status == TG_OK) {
                status = tg_sweep_add(sweep, node->in[k], &rule.out[k]);
            } else {
                tg_array_release(rule.out[k].array);
            }
        }
    }
    tg_pool_give(pool, rule.in, rule.bytes);
    return status;
}

tg_status tg_api_push_rule(void *context, tg_push *push, tg_node *node) {
    (void)context;
    linear_rule rule;
    tg_pool *pool = push->tape->pool;
    if (begin(pool, node, false, &rule) != TAPEGRAD_OK) return TG_CALLBACK;
    for (int k = 0; k < rule.in_count; k++) {
        if (node->in[k] == TG_NO_SLOT || !tg_push_peek(push, node->in[k], &rule.in[k])) rule.in[k] = zero;
    }
    for (int i = 0; i < rule.out_count; i++) rule.like[i] = tg_tape_output(push->tape, node->slot + (uint32_t)i);
    const bool found = by_rows(&rule, push->loops, push->batch) == TAPEGRAD_OK;
    tg_status status = found ? TG_OK : TG_CALLBACK;
    for (int i = 0; i < rule.out_count && found; i++) {
        if (rule.out[i].dtype < 0) continue;
        if (status == TG_OK) {
            status = tg_push_set(push, node->slot + (uint32_t)i, &rule.out[i]);
        } else {
            tg_array_release(rule.out[i].array);
        }
    }
    tg_pool_give(pool, rule.in, rule.bytes);
    return status;
}
