/* push.c: the forward walk, and what native nodes do to the tangents. */
#include "push.h"

#include <string.h>

#include "numbers.h"
#include "relay.h"

void tg_push_begin(tg_push *push, tg_tape *tape, const tg_loops *loops, const tg_push_hooks *hooks, tg_index batch,
                   uint32_t low) {
    *push = (tg_push){.tape = tape, .loops = loops, .hooks = *hooks, .batch = batch, .low = low, .next = low};
    tg_workspace_init(&push->workspace, tape->pool);
}

static bool holds_number(const tg_push *push, tg_output output) {
    return !push->batch && tg_holds_number(output.dtype, output.ndim);
}

static void release(tg_push *push, uint32_t slot) {
    uint8_t *state = &push->states[slot - push->low];
    if (!(*state & TG_STATE_TANGENT)) return;
    const bool pending = *state & TG_STATE_PENDING;
    *state &= (uint8_t)~(TG_STATE_TANGENT | TG_STATE_PENDING);
    if (pending) return;
    if (!holds_number(push, tg_tape_output(push->tape, slot))) tg_array_release(push->cells[slot - push->low].array);
}

void tg_push_end(tg_push *push) {
    tg_relay_end(push);
    for (uint32_t i = 0; i < push->room && push->low + i < push->tape->slots; i++) release(push, push->low + i);
    if (push->cells) tg_pool_give(push->tape->pool, push->cells, push->block_bytes);
    if (push->last_use) tg_pool_give(push->tape->pool, push->last_use, push->last_use_bytes);
    push->cells = NULL;
    push->last_use = NULL;
    push->room = 0;
    tg_workspace_clear(&push->workspace);
}

tg_status tg_push_reserve(tg_push *push, uint32_t end) {
    const uint32_t wanted = end > push->low ? end - push->low : 0;
    if (wanted <= push->room) return TG_OK;
    const size_t room = (size_t)wanted + (push->room ? wanted / 2 : 0); /* one that grows will grow again */
    size_t bytes;
    tg_cell *cells = tg_pool_take(push->tape->pool, room * (sizeof *cells + 1), &bytes);
    if (!cells) return TG_NO_MEMORY;
    memset(cells, 0, room * (sizeof *cells + 1));
    uint8_t *states = (uint8_t *)(cells + room);
    if (push->cells) {
        memcpy(cells, push->cells, push->room * sizeof *cells);
        memcpy(states, push->states, push->room);
        tg_pool_give(push->tape->pool, push->cells, push->block_bytes);
    }
    push->cells = cells;
    push->states = states;
    push->room = (uint32_t)room;
    push->block_bytes = bytes;
    return TG_OK;
}

tg_status tg_push_set(tg_push *push, uint32_t slot, tg_value *tangent) {
    tg_status status = tg_push_reserve(push, slot + 1);
    tg_array *array = NULL;
    const tg_output output = tg_tape_output(push->tape, slot);
    const bool number = holds_number(push, output);
    if (status == TG_OK && !number) status = tg_value_to_array(tangent, push->tape->pool, &array);
    tg_array_release(tangent->array);
    if (status != TG_OK) return status;
    release(push, slot);
    tg_cell *cell = &push->cells[slot - push->low];
    if (number) {
        cell->f64 = tangent->scalar.f64;
    } else {
        cell->array = array;
    }
    push->states[slot - push->low] |= TG_STATE_TANGENT;
    return TG_OK;
}

bool tg_push_peek(const tg_push *push, uint32_t slot, tg_value *out) {
    if (slot < push->low || slot - push->low >= push->room) return false;
    const uint8_t state = push->states[slot - push->low];
    if (!(state & TG_STATE_TANGENT) || state & TG_STATE_PENDING) return false;
    const tg_output output = tg_tape_output(push->tape, slot);
    const tg_cell *cell = &push->cells[slot - push->low];
    *out = (tg_value){.array = NULL, .dtype = output.dtype};
    if (holds_number(push, output)) {
        out->scalar.f64 = cell->f64;
    } else if (cell->array->ndim == 0) {
        memcpy(&out->scalar, cell->array->data, tg_itemsize(output.dtype));
    } else {
        out->array = cell->array;
    }
    return true;
}

/* The tangent of an operand; false if it is zero. */
static inline bool tangent_of(const tg_push *push, uint32_t slot, tg_value *out) {
    return slot != TG_NO_SLOT && tg_push_peek(push, slot, out);
}

/* Adds a contribution, whose reference moves, to the sum of a node's tangent, which is empty at first. */
static tg_status add(tg_push *push, tg_value *sum, bool *empty, tg_value *contribution) {
    if (*empty) {
        *sum = *contribution;
        *empty = false;
        return TG_OK;
    }
    const tg_value operands[2] = {*sum, *contribution};
    tg_value total;
    tg_status status = tg_elementwise(push->loops, push->tape->pool, TG_OP_ADD, sum->dtype, operands, &total);
    tg_array_release(contribution->array);
    if (status != TG_OK) return status;
    tg_array_release(sum->array);
    *sum = total;
    return TG_OK;
}

/* --- native nodes ----------------------------------------------------------------------------------------------- */

/* A tangent that passes on as it is: the operand's array, if it has the output's shape. */
static bool passes_on(const tg_op_info *info, uint32_t k, const tg_value *t, tg_output output) {
    return tg_op_passes_on(info, (int)k) &&
           tg_same_shape(output.ndim, output.shape, tg_value_ndim(t), tg_value_shape(t));
}

static tg_status elementwise_node(tg_push *push, const tg_node *node) {
    const tg_op_info *info = &tg_op_table[node->op];
    tg_use use = {.op = node->op, .dtype = node->dtype, .ndim = node->ndim, .shape = tg_node_shape(node)};
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1) {
        const int bit = __builtin_ctz(mask);
        use.saved[bit] = tg_node_saved_value(node, bit);
    }
    tg_index shape[TG_MAX_DIMS];
    const tg_output output =
        tg_batch_output((tg_output){node->dtype, node->ndim, tg_node_shape(node)}, push->batch, shape);
    tg_value sum = {.array = NULL, .dtype = node->dtype};
    tg_status status = TG_OK;
    bool empty = true;
    for (uint32_t k = 0; k < node->operands && status == TG_OK; k++) {
        tg_value t;
        if (!info->partial[k] || !tangent_of(push, node->in[k], &t)) continue;
        if (passes_on(info, k, &t, output)) {
            tg_array_retain(t.array);
            status = add(push, &sum, &empty, &t);
            continue;
        }
        if (!empty) { /* what passed on belongs to the operand */
            status = tg_array_unshare(&sum.array);
            if (status != TG_OK) break;
        }
        tg_value tame = {.array = NULL};
        if (empty) status = tg_array_new(push->tape->pool, node->dtype, output.ndim, output.shape, &sum.array);
        if (status == TG_OK) {
            status = tg_batch_tame(push->loops, &push->workspace, &use, (int)k, push->batch, &t, &tame);
        }
        if (status == TG_OK) {
            status = tg_batch_carry(push->loops, &push->workspace, &use, (int)k, push->batch, &tame, &sum, empty);
        }
        tg_array_release(tame.array);
        empty = false;
    }
    if (status == TG_OK && !empty) return tg_push_set(push, node->slot, &sum);
    tg_array_release(sum.array);
    return status;
}

/* Each operand's tangent at its place in zeros. */
static tg_status concatenate_node(tg_push *push, const tg_node *node) {
    tg_index shape[TG_MAX_DIMS];
    const tg_output output =
        tg_batch_output((tg_output){node->dtype, node->ndim, tg_node_shape(node)}, push->batch, shape);
    const int lead = push->batch ? 1 : 0;
    const tg_index *params = tg_node_params(node);
    const int axis = (int)params[0] + lead;
    tg_value whole = {.array = NULL, .dtype = node->dtype};
    tg_status status = TG_OK;
    for (uint32_t k = 0; k < node->operands && status == TG_OK; k++) {
        tg_value t;
        if (!tangent_of(push, node->in[k], &t)) continue;
        if (!whole.array) {
            status = tg_array_new(push->tape->pool, node->dtype, output.ndim, output.shape, &whole.array);
            if (status != TG_OK) break;
            memset(whole.array->data, 0, (size_t)whole.array->size * tg_itemsize(node->dtype));
        }
        status = tg_join(whole.array, axis, params[1 + k], &t);
    }
    if (status == TG_OK && whole.array) return tg_push_set(push, node->slot, &whole);
    tg_array_release(whole.array);
    return status;
}

static tg_status structural_node(tg_push *push, const tg_node *node) {
    if (node->op == TG_CONCATENATE) return concatenate_node(push, node);
    tg_value sum;
    tg_status status = TG_OK;
    bool empty = true;
    for (uint32_t k = 0; k < node->operands && status == TG_OK; k++) {
        tg_value operands[2];
        if (!tangent_of(push, node->in[k], &operands[0])) continue;
        tg_transposition rule;
        tg_structural_tangent(node, k, &rule);
        if (rule.cotangent_second) operands[1] = operands[0];
        if (rule.saved_bit >= 0) operands[!rule.cotangent_second] = tg_node_saved_value(node, rule.saved_bit);
        tg_value contribution;
        status = tg_batch_apply(push->loops, &push->workspace, &rule.call, push->batch, rule.cotangent_second, operands,
                                &contribution);
        if (status == TG_OK) status = add(push, &sum, &empty, &contribution);
    }
    if (status == TG_OK && !empty) return tg_push_set(push, node->slot, &sum);
    if (!empty) tg_array_release(sum.array);
    return status;
}

/* --- the walk --------------------------------------------------------------------------------------------------- */

tg_status tg_push_prune(tg_push *push, size_t targets_count, const uint32_t *targets) {
    uint32_t end = push->low;
    for (size_t i = 0; i < targets_count; i++) {
        if (targets[i] >= end) end = targets[i] + 1;
    }
    if (end == push->low) return TG_OK;
    const tg_node *last = tg_tape_node(push->tape, end - 1);
    end = last->slot + tg_node_outputs(last);
    tg_status status = tg_push_reserve(push, end);
    if (status != TG_OK) return status;
    push->last_use = tg_pool_take(push->tape->pool, push->room * sizeof *push->last_use, &push->last_use_bytes);
    if (!push->last_use) return TG_NO_MEMORY;
    memset(push->last_use, 0, push->room * sizeof *push->last_use);
    for (size_t i = 0; i < targets_count; i++) {
        push->states[targets[i] - push->low] |= TG_STATE_NEEDED;
        push->last_use[targets[i] - push->low] = TG_NO_SLOT;
    }
    const uint64_t *arena = push->tape->arena;
    size_t cursor = push->tape->node_of_slot[end - 1];
    for (;;) {
        const tg_node *node = (const tg_node *)(arena + cursor);
        const uint32_t outputs = tg_node_outputs(node);
        bool needed = false;
        for (uint32_t slot = node->slot; slot < node->slot + outputs && slot < end; slot++) {
            needed |= slot >= push->low && push->states[slot - push->low] & TG_STATE_NEEDED;
        }
        for (uint32_t k = 0; needed && k < node->operands; k++) {
            if (node->in[k] == TG_NO_SLOT || node->in[k] < push->low) continue;
            const uint32_t place = node->in[k] - push->low;
            push->states[place] |= TG_STATE_NEEDED;
            if (push->last_use[place] == 0) push->last_use[place] = node->slot;
        }
        if (node->slot <= push->low) return TG_OK;
        cursor -= node->previous;
    }
}

static bool has_work(const tg_push *push, const tg_node *node, uint32_t outputs) {
    bool needed = !push->last_use, moving = false;
    for (uint32_t slot = node->slot; !needed && slot < node->slot + outputs; slot++) {
        needed = slot >= push->low && slot - push->low < push->room &&
                 push->states[slot - push->low] & TG_STATE_NEEDED;
    }
    for (uint32_t k = 0; needed && !moving && k < node->operands; k++) {
        const uint32_t slot = node->in[k];
        moving = slot != TG_NO_SLOT && slot >= push->low && push->states[slot - push->low] & TG_STATE_TANGENT;
    }
    return needed && moving;
}

static void let_go(tg_push *push, const tg_node *node) {
    for (uint32_t k = 0; push->last_use && k < node->operands; k++) {
        const uint32_t slot = node->in[k];
        if (slot != TG_NO_SLOT && slot >= push->low && push->last_use[slot - push->low] == node->slot) {
            release(push, slot);
        }
    }
}

static tg_status visit(tg_push *push, tg_node *node) {
    const bool native = node->kind != TG_NODE_EXTERNAL && !(node->flags & TG_FLAG_GENERIC);
    const tg_output output = {node->dtype, native ? node->ndim : 0, NULL};
    const uint32_t slot = node->slot;
    tg_status status = TG_OK;
    if (!native) {
        status = tg_relay_run(push); /* a rule may look at any tangent */
        return status == TG_OK ? push->hooks.rule(push->hooks.context, push, tg_tape_node(push->tape, slot)) : status;
    }
    if (!tg_batch_fits(output, push->batch)) return TG_TOO_LARGE;
    if (node->kind == TG_NODE_ELEMENTWISE && node->ndim == 0 && !push->batch) return tg_numbers_push(push, node);
    if (node->kind == TG_NODE_ELEMENTWISE || node->op == TG_TAKE) {
        bool added;
        status = tg_relay_add(push, node, &added);
        if (status != TG_OK || added) return status;
    }
    status = tg_relay_settle(push, tg_tape_node(push->tape, slot));
    if (status != TG_OK) return status;
    node = tg_tape_node(push->tape, slot); /* who was polled may have made the arena move */
    return node->kind == TG_NODE_STRUCTURAL ? structural_node(push, node) : elementwise_node(push, node);
}

/* Visits the node of a slot if there is something to do, and counts the work. */
static tg_status pass(tg_push *push, tg_node *node, uint32_t outputs) {
    const uint32_t slot = node->slot;
    tg_index work = TG_ELEMENTS_PER_NODE;
    tg_status status = TG_OK;
    if (node->kind != TG_NODE_LEAF && has_work(push, node, outputs)) {
        status = visit(push, node);
        if (status != TG_OK) return status;
        let_go(push, tg_tape_node(push->tape, slot)); /* a hook may have made the arena move */
        tg_value tangent;
        if (tg_push_peek(push, slot, &tangent)) work += tg_value_size(&tangent); /* the relay counts its own */
        if (push->last_use && push->last_use[slot - push->low] == 0) release(push, slot);
    }
    if (slot >= push->low) tg_push_done(push, slot);
    push->worked += work;
    if (push->worked < TG_ELEMENTS_PER_POLL) return TG_OK;
    push->worked = 0;
    return push->hooks.poll(push->hooks.context);
}

/* Ends a run: with what the relay holds, or after a failure without it. */
static tg_status finish(tg_push *push, tg_status status) {
    if (status == TG_OK) return tg_relay_run(push);
    tg_relay_undo(push);
    return status;
}

tg_status tg_push_run(tg_push *push, uint32_t end) {
    if (end > push->tape->slots) end = push->tape->slots;
    tg_status status = TG_OK;
    while (status == TG_OK && push->next < end) {
        tg_node *node = tg_tape_node(push->tape, push->next);
        const uint32_t outputs = tg_node_outputs(node), slot = node->slot;
        status = tg_push_reserve(push, slot + outputs > end ? slot + outputs : end);
        if (status == TG_OK && (slot < push->low || tg_push_is_due(push, slot, false))) {
            status = pass(push, node, outputs);
        }
        if (status == TG_OK) push->next = slot + outputs;
    }
    return finish(push, status);
}

/* Marks the node of a slot, if a visit is due and can bring something. */
static bool mark(tg_push *push, uint32_t slot) {
    if (slot == TG_NO_SLOT || slot < push->low) return false;
    const tg_node *node = tg_tape_node(push->tape, slot);
    if (node->kind == TG_NODE_LEAF || node->slot < push->low) return false;
    uint8_t *state = &push->states[node->slot - push->low];
    if (*state & (TG_STATE_VISITED | TG_STATE_NEEDED)) return false;
    *state |= TG_STATE_NEEDED;
    return true;
}

tg_status tg_push_mark(tg_push *push, uint32_t target, uint32_t *first) {
    const tg_node *node = tg_tape_node(push->tape, target);
    *first = target + 1;
    tg_status status = tg_push_reserve(push, node->slot + tg_node_outputs(node));
    if (status != TG_OK) return status;
    size_t pending = mark(push, target); /* marked nodes that the walk has not come to */
    while (pending) {
        if (node->slot >= push->low && tg_push_is_due(push, node->slot, true)) {
            *first = node->slot;
            pending--;
            for (uint32_t k = 0; k < node->operands; k++) pending += mark(push, node->in[k]);
        }
        node = (const tg_node *)((const uint64_t *)node - node->previous);
    }
    return TG_OK;
}

tg_status tg_push_run_marked(tg_push *push, uint32_t first, uint32_t target) {
    tg_status status = TG_OK;
    for (uint32_t next = first; status == TG_OK && next <= target;) {
        tg_node *node = tg_tape_node(push->tape, next);
        const uint32_t outputs = tg_node_outputs(node);
        next = node->slot + outputs;
        if (tg_push_is_due(push, node->slot, true)) status = pass(push, node, outputs);
    }
    status = finish(push, status);
    if (status == TG_OK) return TG_OK;
    /* What was not visited may be marked again. */
    for (uint8_t *state = push->states + (first - push->low); state <= push->states + (target - push->low); state++) {
        if (!(*state & TG_STATE_VISITED)) *state &= (uint8_t)~TG_STATE_NEEDED;
    }
    return status;
}
