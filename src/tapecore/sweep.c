/* sweep.c: pruning, the backward walk, and what native nodes do to the adjoints. */
#include "sweep.h"

#include <string.h>

#include "chain.h"
#include "numbers.h"
#include "vectors.h"

/* Marks what the sources influence. Where every leaf of the tape is a source that is every slot, since a node is only
 * recorded if the tape knows one of its operands. */
static void mark_active(tg_sweep *sweep, size_t sources_count, const uint32_t *sources) {
    const tg_tape *tape = sweep->tape;
    uint32_t leaves = 0;
    for (size_t i = 0; i < sources_count; i++) {
        if (sources[i] < sweep->low || sources[i] >= sweep->high) continue;
        uint8_t *state = &sweep->states[sources[i] - sweep->low];
        if (!(*state & TG_STATE_SOURCE)) leaves += tg_tape_node(tape, sources[i])->kind == TG_NODE_LEAF;
        *state |= TG_STATE_SOURCE | TG_STATE_ACTIVE;
    }
    const uint32_t low = sweep->low;
    if (leaves == tape->leaves) {
        for (uint32_t i = 0; i < sweep->high - low; i++) sweep->states[i] |= TG_STATE_ACTIVE;
        return;
    }
    const uint64_t *at = (const uint64_t *)tg_tape_node(tape, low);
    const uint64_t *end = (const uint64_t *)tg_tape_node(tape, sweep->high - 1);
    for (; at <= end; at += ((const tg_node *)at)->words) {
        const tg_node *node = (const tg_node *)at;
        bool active = false;
        for (uint32_t k = 0; k < node->operands && !active; k++) {
            uint32_t slot = node->in[k];
            active = slot != TG_NO_SLOT && slot >= low && (sweep->states[slot - low] & TG_STATE_ACTIVE);
        }
        if (!active) continue;
        uint32_t outputs = tg_node_outputs(node);
        for (uint32_t slot = node->slot; slot < node->slot + outputs && slot < sweep->high; slot++) {
            if (slot >= low) sweep->states[slot - low] |= TG_STATE_ACTIVE;
        }
    }
}

tg_status tg_sweep_begin(tg_sweep *sweep, tg_tape *tape, const tg_loops *loops, const tg_sweep_hooks *hooks,
                         size_t sources_count, const uint32_t *sources, size_t targets_count,
                         const uint32_t *targets, tg_index batch, bool consume) {
    *sweep = (tg_sweep){
        .tape = tape, .loops = loops, .hooks = *hooks, .batch = batch, .low = UINT32_MAX, .consume = consume};
    tg_workspace_init(&sweep->workspace, tape->pool);
    for (size_t i = 0; i < sources_count; i++) {
        if (sources[i] < sweep->low) sweep->low = sources[i];
    }
    for (size_t i = 0; i < targets_count; i++) {
        if (targets[i] >= sweep->high) sweep->high = targets[i] + 1;
    }
    if (sweep->low >= sweep->high) { /* every target is older than every source */
        sweep->low = sweep->high = 0;
        sweep->done = true;
        return TG_OK;
    }
    size_t count = sweep->high - sweep->low;
    sweep->cells = tg_pool_take(tape->pool, count * (sizeof *sweep->cells + 1), &sweep->block_bytes);
    if (!sweep->cells) return TG_NO_MEMORY;
    memset(sweep->cells, 0, count * (sizeof *sweep->cells + 1));
    sweep->states = (uint8_t *)(sweep->cells + count);
    mark_active(sweep, sources_count, sources);
    return TG_OK;
}

void tg_sweep_end(tg_sweep *sweep) {
    if (sweep->cells) {
        for (uint32_t slot = sweep->low; (sweep->tape->wide || sweep->batch) && slot < sweep->high; slot++) {
            tg_cell *cell = tg_sweep_cell(sweep, slot);
            if (!cell->object || tg_sweep_holds_number(sweep, tg_tape_output(sweep->tape, slot))) continue;
            tg_array_release(cell->array);
        }
        tg_pool_give(sweep->tape->pool, sweep->cells, sweep->block_bytes);
        sweep->cells = NULL;
    }
    tg_workspace_clear(&sweep->workspace);
}

static bool has_state(const tg_sweep *sweep, uint32_t slot, unsigned state) {
    return slot >= sweep->low && slot < sweep->high && (sweep->states[slot - sweep->low] & state);
}

bool tg_sweep_is_active(const tg_sweep *sweep, uint32_t slot) { return has_state(sweep, slot, TG_STATE_ACTIVE); }
bool tg_sweep_is_reached(const tg_sweep *sweep, uint32_t slot) { return has_state(sweep, slot, TG_STATE_REACHED); }

/* --- native nodes ----------------------------------------------------------------------------------------------- */

/* An array the operand's adjoint can be written to: the one it has, made private; g's own, if g ends here and fits; or
 * a new one. *fresh, out: whether its contents are void. */
static tg_status adjoint_array(tg_sweep *sweep, tg_output operand, tg_cell *cell, tg_cell *g, bool g_ends,
                               bool *fresh) {
    *fresh = !cell->array;
    if (cell->array) return tg_array_unshare(&cell->array);
    if (g_ends && tg_array_is_unique(g->array) &&
        tg_same_shape(operand.ndim, operand.shape, g->array->ndim, tg_array_shape(g->array))) {
        cell->array = g->array; /* the caller still reads it through its own copy of the pointer */
        g->array = NULL;
        return TG_OK;
    }
    return tg_array_new(sweep->workspace.pool, operand.dtype, operand.ndim, operand.shape, &cell->array);
}

static tg_status elementwise_node(tg_sweep *sweep, const tg_node *node) {
    const tg_op_info *info = &tg_op_table[node->op];
    tg_cell *g_cell = tg_sweep_cell(sweep, node->slot);
    int last = -1;
    for (uint32_t k = 0; k < node->operands; k++) {
        if (!info->partial[k] || !tg_sweep_wants(sweep, node->in[k])) continue;
        tg_sweep_reach(sweep, node->in[k]);
        last = (int)k;
    }
    if (last < 0 || !g_cell->array) return TG_OK; /* a symbolic zero contributes nothing */

    const tg_value g = {.array = g_cell->array, .dtype = node->dtype};
    tg_use use = {.op = node->op, .dtype = node->dtype, .ndim = node->ndim, .shape = tg_node_shape(node)};
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1) {
        int bit = __builtin_ctz(mask);
        use.saved[bit] = tg_node_saved_value(node, bit);
    }
    const bool g_kept = sweep->states[node->slot - sweep->low] & TG_STATE_SOURCE;
    for (int k = 0; k <= last; k++) {
        uint32_t slot = node->in[k];
        if (!info->partial[k] || !tg_sweep_wants(sweep, slot)) continue;
        tg_index shape[TG_MAX_DIMS];
        tg_output operand = tg_batch_output(tg_tape_output(sweep->tape, slot), sweep->batch, shape);
        tg_cell *cell = tg_sweep_cell(sweep, slot);
        tg_status status;
        if (tg_op_passes_on(info, k)) { /* g itself passes on: shared, not copied */
            tg_value contribution = g;
            tg_array_retain(g.array);
            status = tg_sweep_add(sweep, slot, &contribution);
        } else if (operand.ndim == 0) {
            tg_value adjoint = {.array = NULL, .dtype = operand.dtype, .scalar = {.f64 = cell->f64}};
            status = tg_batch_carry(sweep->loops, &sweep->workspace, &use, k, 0, &g, &adjoint, false);
            cell->f64 = adjoint.scalar.f64;
        } else {
            bool fresh;
            status = adjoint_array(sweep, operand, cell, g_cell, k == last && !g_kept, &fresh);
            tg_value adjoint = {.array = cell->array, .dtype = operand.dtype};
            if (status == TG_OK) {
                status = tg_batch_carry(sweep->loops, &sweep->workspace, &use, k, sweep->batch, &g, &adjoint, fresh);
            }
        }
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

/* The same for a slice that is one run of elements, which needs no view: true if it is one, and has been added. */
static bool add_run_of(const tg_sweep *sweep, const tg_node *node, tg_array *whole, const tg_value *g) {
    const tg_index *params = tg_node_params(node);
    tg_index start = 0, size = 1;
    bool cut = false; /* below an axis of which only a part is taken, there must be but one position above */
    for (int d = 0; d < whole->ndim; d++) {
        const tg_index count = params[3 * d + 2], step = params[3 * d + 1];
        if ((count != 1 && step != 1) || (cut && count != whole->dims[d])) return false;
        cut |= count != 1;
        start = start * whole->dims[d] + params[3 * d];
        size *= count;
    }
    if (size == 0 || (g->array && !g->array->contiguous)) return false;
    const tg_index itemsize = (tg_index)tg_itemsize(whole->dtype);
    const tg_index steps[3] = {itemsize, itemsize, itemsize};
    const tg_loop add = sweep->loops->elementwise[TG_OP_ADD][tg_native_index(whole->dtype)];
    char *target = whole->data + start * itemsize;
    char *args[3] = {target, g->array ? g->array->data : (char *)(uintptr_t)&g->scalar, target};
    add.function(args, &size, steps, add.data);
    return true;
}

/* The cotangent of a slice goes to its place in the adjoint of the whole, without a whole of zeros around it. */
static tg_status slice_node(tg_sweep *sweep, const tg_node *node, const tg_value *g) {
    const uint32_t slot = node->in[0];
    tg_index shape[TG_MAX_DIMS], storage[3 * TG_MAX_DIMS];
    const tg_output whole = tg_batch_output(tg_tape_output(sweep->tape, slot), sweep->batch, shape);
    tg_cell *cell = tg_sweep_cell(sweep, slot), none = {.array = NULL};
    bool fresh;
    tg_status status = adjoint_array(sweep, whole, cell, &none, false, &fresh);
    if (status != TG_OK) return status;
    if (fresh) memset(cell->array->data, 0, (size_t)cell->array->size * tg_itemsize(whole.dtype));
    if (!sweep->batch && add_run_of(sweep, node, cell->array, g)) return TG_OK;
    tg_transposition itself;
    tg_structural_tangent(node, 0, &itself);
    if (sweep->batch) tg_batch_call(&itself.call, sweep->batch, storage);
    tg_array *part, *from = NULL;
    status = tg_slice_view(&itself.call, cell->array, &part);
    if (status != TG_OK) return status;
    status = tg_value_to_array(g, sweep->workspace.pool, &from);
    if (status == TG_OK) tg_array_add(sweep->loops, part, from);
    tg_array_release(from);
    tg_array_release(part);
    return status;
}

/* True for rows taken from a source so that its gradient shall list them rather than hold them among zeros. */
static bool lists_rows(const tg_sweep *sweep, const tg_node *node) {
    return node->op == TG_TAKE && tg_node_params_count(node) > 1 && !sweep->batch &&
           sweep->states[node->in[0] - sweep->low] & TG_STATE_SOURCE &&
           tg_tape_node(sweep->tape, node->in[0])->kind == TG_NODE_LEAF;
}

static tg_status structural_node(tg_sweep *sweep, tg_node *node) {
    tg_value operands[2];
    const bool reached = tg_sweep_peek(sweep, node->slot, &operands[0]);
    const tg_value g = operands[0];
    for (uint32_t k = 0; k < node->operands; k++) {
        if (!tg_sweep_wants(sweep, node->in[k])) continue;
        tg_sweep_reach(sweep, node->in[k]);
        if (!reached) continue;
        if (lists_rows(sweep, node)) return sweep->hooks.rule(sweep->hooks.context, sweep, node);
        if (node->op == TG_SLICE && tg_tape_output(sweep->tape, node->in[0]).ndim) {
            tg_status status = slice_node(sweep, node, &g);
            if (status != TG_OK) return status;
            continue;
        }
        tg_transposition rule;
        tg_structural_transpose(sweep->tape, node, k, &rule);
        operands[rule.cotangent_second] = g;
        if (rule.saved_bit >= 0) operands[!rule.cotangent_second] = tg_node_saved_value(node, rule.saved_bit);
        tg_value contribution;
        tg_status status = tg_batch_apply(sweep->loops, &sweep->workspace, &rule.call, sweep->batch,
                                          rule.cotangent_second, operands, &contribution);
        if (status == TG_OK) status = tg_sweep_add(sweep, node->in[k], &contribution);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

/* --- the walk --------------------------------------------------------------------------------------------------- */

static bool on_a_path(const tg_sweep *sweep, const tg_node *node) {
    const unsigned both = TG_STATE_ACTIVE | TG_STATE_REACHED;
    if (node->kind != TG_NODE_EXTERNAL) return (sweep->states[node->slot - sweep->low] & both) == both;
    uint32_t outputs = tg_node_outputs(node);
    for (uint32_t slot = node->slot; slot < node->slot + outputs && slot < sweep->high; slot++) {
        if (slot >= sweep->low && (sweep->states[slot - sweep->low] & both) == both) return true;
    }
    return false;
}

tg_node *tg_sweep_next(tg_sweep *sweep) {
    uint64_t *arena = sweep->tape->arena;
    while (!sweep->done) {
        if (!sweep->started) {
            sweep->started = true;
            sweep->cursor = sweep->tape->node_of_slot[sweep->high - 1];
        } else {
            const tg_node *left = (const tg_node *)(arena + sweep->cursor);
            if (left->slot <= sweep->low) break; /* nothing before the first source matters */
            sweep->cursor -= left->previous;
        }
        tg_node *node = (tg_node *)(arena + sweep->cursor);
        if (node->kind != TG_NODE_LEAF && on_a_path(sweep, node)) return node;
    }
    sweep->done = true;
    return NULL;
}

/* The node's cotangents have been passed on: they, and what the node saved, are needed no more. */
static void leave(tg_sweep *sweep, tg_node *node) {
    uint32_t outputs = tg_node_outputs(node);
    for (uint32_t slot = node->slot; slot < node->slot + outputs && slot < sweep->high; slot++) {
        if (slot < sweep->low || (sweep->states[slot - sweep->low] & TG_STATE_SOURCE)) continue;
        tg_cell *cell = tg_sweep_cell(sweep, slot);
        if (cell->object && !tg_sweep_holds_number(sweep, tg_tape_output(sweep->tape, slot))) {
            tg_array_release(cell->array);
            cell->array = NULL;
        }
    }
    /* External payloads wait for tg_tape_clear, which runs under the interpreter lock. */
    if (sweep->consume && node->kind != TG_NODE_EXTERNAL) tg_tape_release_node(sweep->tape, node);
}

/* Elementwise nodes on arrays go to the chain where they can; the others are swept one by one. */
static tg_status array_node(tg_sweep *sweep, tg_chain *chain, tg_node *node) {
    if (tg_sweep_cell(sweep, node->slot)->object && !sweep->batch) {
        if (tg_chain_add(chain, sweep, node)) return TG_OK;
        if (chain->links) {
            tg_status status = tg_chain_flush(chain, sweep);
            if (status != TG_OK) return status;
            if (tg_chain_add(chain, sweep, node)) return TG_OK;
        }
    }
    const tg_array *g = tg_sweep_cell(sweep, node->slot)->array;
    const tg_index elements = g ? g->size : 0;
    tg_status status = elementwise_node(sweep, node);
    leave(sweep, node);
    return status == TG_OK ? tg_sweep_worked(sweep, elements) : status;
}

tg_status tg_sweep_worked(tg_sweep *sweep, tg_index elements) {
    sweep->worked += elements;
    if (sweep->worked < TG_ELEMENTS_PER_POLL) return TG_OK;
    sweep->worked = 0;
    return sweep->hooks.poll(sweep->hooks.context);
}

tg_status tg_sweep_run(tg_sweep *sweep) {
    tg_status status = TG_OK;
    tg_chain chain;
    chain.links = chain.places = chain.steps = 0;
    for (tg_node *node; status == TG_OK && (node = tg_sweep_next(sweep));) {
        tg_index work = TG_ELEMENTS_PER_NODE;
        const bool native = node->kind != TG_NODE_EXTERNAL && !(node->flags & TG_FLAG_GENERIC);
        if (native && !tg_batch_fits((tg_output){node->dtype, node->ndim, NULL}, sweep->batch)) {
            status = TG_TOO_LARGE;
        } else if (tg_vectors_fit(sweep, node)) {
            size_t walked;
            if (chain.links) status = tg_chain_flush(&chain, sweep);
            if (status == TG_OK) status = tg_vectors_run(sweep, node, &walked);
            if (status == TG_OK) work *= (tg_index)walked;
        } else if (native && node->kind == TG_NODE_ELEMENTWISE && (node->ndim || sweep->batch)) {
            status = array_node(sweep, &chain, node);
        } else {
            if (chain.links) status = tg_chain_flush(&chain, sweep);
            if (status != TG_OK) break;
            if (!native) {
                status = sweep->hooks.rule(sweep->hooks.context, sweep, node);
                leave(sweep, node);
            } else if (node->kind == TG_NODE_ELEMENTWISE) {
                if (node->dtype == TG_F64 && node->operands <= 2) {
                    work += (tg_index)tg_numbers_run(sweep, node) * TG_ELEMENTS_PER_NODE;
                } else {
                    tg_numbers_node(sweep, node);
                }
            } else {
                const tg_cell *cell = tg_sweep_cell(sweep, node->slot);
                if ((node->ndim || sweep->batch) && cell->array) work += cell->array->size;
                status = structural_node(sweep, node);
                leave(sweep, node);
            }
        }
        if (status == TG_OK) status = tg_sweep_worked(sweep, work);
    }
    tg_status flushed = tg_chain_flush(&chain, sweep);
    return status == TG_OK ? flushed : status;
}
