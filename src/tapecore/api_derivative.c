/* api_derivative.c: gradients, and forward mode, over tapes of this interface. */
#include "api.h"

static tg_status never_interrupted(void *context) {
    (void)context;
    return TG_OK;
}

static tg_status poll_host(void *context) {
    const tapegrad_tape *tape = context;
    return tape->context->host->poll(NULL);
}

/* Values of other types are not watched here; Python could have recorded them on the tape. */
static tg_status add_other_types(void *context, const tg_value *a, const tg_value *b, tg_value *out) {
    (void)context, (void)b, (void)out;
    tg_fail(TAPEGRAD_NO_RULE, "the tape holds operations on %s, which only tapes of Python can differentiate",
            tg_dtype_name(a->dtype));
    return TG_CALLBACK;
}

/* Slots of values on the tape, in a block of the pool: those of `count` values at [0], of `more` ones behind. */
static tapegrad_status slots_of(const tapegrad_tape *tape, int count, tapegrad_value *const *values, int more,
                                tapegrad_value *const *others, uint32_t **out, size_t *bytes) {
    *out = tg_pool_take(tape->context->pool, ((size_t)count + (size_t)more + 1) * 2 * sizeof **out, bytes);
    if (!*out) return tg_fail_core(TG_NO_MEMORY, "taking derivatives");
    for (int i = 0; i < count; i++) (*out)[i] = tg_slot_of(tape, values[i]);
    for (int i = 0; i < more; i++) (*out)[count + i] = tg_slot_of(tape, others[i]);
    return TAPEGRAD_OK;
}

/* The slots that are some, written to `known`; returns how many. */
static size_t known_of(int count, const uint32_t *slots, uint32_t *known) {
    size_t found = 0;
    for (int i = 0; i < count; i++) {
        if (slots[i] != TG_NO_SLOT) known[found++] = slots[i];
    }
    return found;
}

/* Whether a cotangent or tangent is one for an output: of its dtype and shape, behind the batch. */
static bool check_like(const char *what, const tapegrad_value *given, tg_output output, tg_index batch) {
    tg_index shape[TG_MAX_DIMS];
    char text[TG_SHAPE_TEXT], wanted[TG_SHAPE_TEXT];
    output = tg_batch_output(output, batch, shape);
    if (tg_value_is_like(given, output.dtype, output.ndim, output.shape)) return true;
    tg_fail(given->value.dtype == output.dtype ? TAPEGRAD_BAD_SHAPE : TAPEGRAD_BAD_DTYPE,
            "%s: %s of shape %s is wanted, and not %s of shape %s", what, tg_dtype_name(output.dtype),
            tg_shape_text(output.ndim, output.shape, wanted), tg_dtype_name(given->value.dtype),
            tg_shape_text_of(given, text));
    return false;
}

static tapegrad_status seed(tg_sweep *sweep, int count, const uint32_t *slots, tapegrad_value *const *cotangents) {
    for (int i = 0; i < count; i++) {
        const tapegrad_value *cotangent = cotangents ? cotangents[i] : NULL;
        if (slots[i] == TG_NO_SLOT) continue;
        if (cotangent) {
            const tg_output output = tg_tape_output(sweep->tape, slots[i]);
            if (!check_like("the cotangent of a target", cotangent, output, sweep->batch)) {
                return tapegrad_error_status();
            }
        }
        if (!tg_sweep_is_active(sweep, slots[i])) continue;
        tg_status status = TG_OK;
        if (cotangent) {
            tg_value contribution = tg_lent(&cotangent->value);
            status = tg_sweep_add(sweep, slots[i], &contribution);
        } else if (!sweep->batch) {
            status = tg_sweep_add_ones(sweep, slots[i]);
        }
        if (status != TG_OK) return tg_fail_core(status, "the cotangent of a target");
    }
    return TAPEGRAD_OK;
}

/* The gradients that a finished sweep has found. */
static tapegrad_status collect(tapegrad_context *context, tg_sweep *sweep, int count, const uint32_t *slots,
                               tapegrad_value **gradients) {
    for (int k = 0; k < count; k++) {
        if (slots[k] == TG_NO_SLOT || !tg_sweep_is_reached(sweep, slots[k])) continue;
        tg_value value;
        tg_status status = TG_OK;
        for (int before = 0; before < k; before++) { /* the first one has taken it */
            if (slots[before] == slots[k]) gradients[k] = tapegrad_retain(gradients[before]);
        }
        if (gradients[k]) continue;
        if (!tg_sweep_take(sweep, slots[k], &value)) { /* only symbolic zeros have arrived */
            tg_index shape[TG_MAX_DIMS];
            const tg_output output = tg_batch_output(tg_tape_output(sweep->tape, slots[k]), sweep->batch, shape);
            status = tg_zeros(context->pool, output, &value);
        }
        if (status != TG_OK) return tg_fail_core(status, "a gradient");
        gradients[k] = tg_value_wrap(context, value);
        if (!gradients[k]) return TAPEGRAD_NO_MEMORY;
    }
    return TAPEGRAD_OK;
}

tapegrad_status tg_pull(tapegrad_tape *tape, tg_index batch, int targets_count, tapegrad_value *const *targets,
                        tapegrad_value *const *cotangents, int sources_count, tapegrad_value *const *sources,
                        bool consume, tapegrad_value **gradients) {
    tapegrad_context *context = tape->context;
    const tg_sweep_hooks hooks = {.context = tape,
                                  .rule = tg_api_sweep_rule,
                                  .add = add_other_types,
                                  .poll = context->host ? poll_host : never_interrupted};
    uint32_t *slots;
    size_t bytes;
    for (int k = 0; k < sources_count; k++) gradients[k] = NULL;
    tapegrad_status status = slots_of(tape, sources_count, sources, targets_count, targets, &slots, &bytes);
    if (status != TAPEGRAD_OK) return status;
    uint32_t *known = slots + sources_count + targets_count;
    const size_t known_sources = known_of(sources_count, slots, known);
    const size_t known_targets = known_of(targets_count, slots + sources_count, known + known_sources);
    tg_sweep sweep;
    tg_status core = tg_sweep_begin(&sweep, &tape->tape, context->loops, &hooks, known_sources, known, known_targets,
                                    known + known_sources, batch, consume);
    status = tg_fail_core(core, "taking derivatives");
    const int base = tg_pause(); /* rules must not record on the tape that is being read */
    if (status == TAPEGRAD_OK) status = seed(&sweep, targets_count, slots + sources_count, cotangents);
    if (status == TAPEGRAD_OK) status = tg_fail_core(tg_sweep_run(&sweep), "taking derivatives");
    if (status == TAPEGRAD_OK) status = collect(context, &sweep, sources_count, slots, gradients);
    tg_resume(base);
    if (status != TAPEGRAD_OK) tg_release_all(sources_count, gradients);
    if (core == TG_OK) tg_sweep_end(&sweep);
    tg_pool_give(context->pool, slots, bytes);
    return status;
}

tapegrad_status tg_push_forward(tapegrad_tape *tape, tg_index batch, int sources_count, tapegrad_value *const *sources,
                                tapegrad_value *const *sources_tangents, int targets_count,
                                tapegrad_value *const *targets, tapegrad_value **tangents) {
    tapegrad_context *context = tape->context;
    const tg_push_hooks hooks = {
        .context = tape, .rule = tg_api_push_rule, .poll = context->host ? poll_host : never_interrupted};
    uint32_t *slots, low = TG_NO_SLOT, end = 0;
    size_t bytes;
    for (int i = 0; i < targets_count; i++) tangents[i] = NULL;
    tapegrad_status status = slots_of(tape, sources_count, sources, targets_count, targets, &slots, &bytes);
    if (status != TAPEGRAD_OK) return status;
    uint32_t *known = slots + sources_count + targets_count;
    for (int k = 0; k < sources_count; k++) {
        if (sources_tangents[k] && slots[k] < low) low = slots[k];
    }
    size_t known_targets = 0;
    for (int i = 0; i < targets_count; i++) {
        const uint32_t slot = slots[sources_count + i];
        if (slot == TG_NO_SLOT || slot < low) continue;
        known[known_targets++] = slot;
        const tg_node *node = tg_tape_node(&tape->tape, slot);
        const uint32_t behind = node->slot + tg_node_outputs(node);
        if (behind > end) end = behind;
    }
    const int base = tg_pause();
    if (known_targets) {
        tg_push push;
        tg_push_begin(&push, &tape->tape, context->loops, &hooks, batch, low);
        for (int k = 0; k < sources_count && status == TAPEGRAD_OK; k++) {
            if (!sources_tangents[k] || slots[k] == TG_NO_SLOT) continue;
            const tg_output output = tg_tape_output(&tape->tape, slots[k]);
            if (!check_like("the tangent of a source", sources_tangents[k], output, batch)) {
                status = tapegrad_error_status();
                break;
            }
            tg_value tangent = tg_lent(&sources_tangents[k]->value);
            status = tg_fail_core(tg_push_set(&push, slots[k], &tangent), "forward mode");
        }
        if (status == TAPEGRAD_OK) status = tg_fail_core(tg_push_prune(&push, known_targets, known), "forward mode");
        if (status == TAPEGRAD_OK) status = tg_fail_core(tg_push_run(&push, end), "forward mode");
        for (int i = 0; i < targets_count && status == TAPEGRAD_OK; i++) {
            tg_value tangent;
            const uint32_t slot = slots[sources_count + i];
            if (slot == TG_NO_SLOT || !tg_push_peek(&push, slot, &tangent)) continue;
            tangents[i] = tg_value_of(context, &tangent);
            if (!tangents[i]) status = TAPEGRAD_NO_MEMORY;
        }
        tg_push_end(&push);
    }
    tg_resume(base);
    if (status != TAPEGRAD_OK) tg_release_all(targets_count, tangents);
    tg_pool_give(context->pool, slots, bytes);
    return status;
}

tapegrad_status tapegrad_gradient(tapegrad_tape *tape, int targets_count, tapegrad_value *const *targets,
                                  tapegrad_value *const *cotangents, int sources_count, tapegrad_value *const *sources,
                                  tapegrad_value **gradients) {
    for (int k = 0; k < sources_count; k++) gradients[k] = NULL;
    if (!tg_values_usable(targets_count, targets) || !tg_values_usable(sources_count, sources)) {
        return tapegrad_error_status();
    }
    tapegrad_status status = tg_check_outer(tape, cotangents ? targets_count : 0, cotangents);
    if (status == TAPEGRAD_OK) status = tg_tape_open(tape);
    if (status != TAPEGRAD_OK) return status;
    status = tg_pull(tape, 0, targets_count, targets, cotangents, sources_count, sources, !tape->persistent, gradients);
    tg_tape_close(tape);
    return status;
}

tapegrad_status tapegrad_jvp(tapegrad_tape *tape, int sources_count, tapegrad_value *const *sources,
                             tapegrad_value *const *sources_tangents, int targets_count,
                             tapegrad_value *const *targets, tapegrad_value **tangents) {
    for (int i = 0; i < targets_count; i++) tangents[i] = NULL;
    if (!tg_values_usable(targets_count, targets) || !tg_values_usable(sources_count, sources)) {
        return tapegrad_error_status();
    }
    tapegrad_status status = tg_check_outer(tape, sources_count, sources_tangents);
    if (status == TAPEGRAD_OK) status = tg_tape_open(tape);
    if (status != TAPEGRAD_OK) return status;
    return tg_push_forward(tape, 0, sources_count, sources, sources_tangents, targets_count, targets, tangents);
}
