/* relay.c: which nodes a relay takes, and what becomes of the pending tangents. */
#include "relay.h"

#include <string.h>

#include "course.h"

/* Bytes of an output's tangents from which a relay pays: less stays in the caches from node to node anyway. */
#define WORTH 65536

/* Elements of a row that are worth calling the kernels for. */
#define LONG_ROW 256

void tg_relay_align(const tg_relay *relay, const tg_array *array, bool batched, tg_index *strides) {
    const int lead = batched ? 1 : 0, missing = relay->ndim - (array->ndim - lead);
    const tg_index *shape = tg_array_shape(array), *own = tg_array_strides(array);
    for (int d = 0; d < relay->ndim; d++) {
        const int at = d - missing + lead;
        strides[d] = d < missing || shape[at] == 1 ? 0 : own[at];
    }
}

/* True if these strides are those of one row of all elements, or of a number. */
static bool is_flat(const tg_relay *relay, const tg_index *strides) {
    tg_index dense = (tg_index)tg_itemsize(relay->dtype);
    bool contiguous = true, number = true;
    for (int d = relay->ndim - 1; d >= 0; d--) {
        if (relay->shape[d] == 1) continue;
        contiguous &= strides[d] == dense;
        number &= strides[d] == 0;
        dense *= relay->shape[d];
    }
    return contiguous || number;
}

/* False if the relay cannot step through an array; *flat, in and out: whether everything is. */
static bool fits(const tg_relay *relay, const tg_array *array, bool batched, bool *flat) {
    tg_index strides[TG_RELAY_DIMS];
    if (!array) return true; /* a number */
    tg_relay_align(relay, array, batched, strides);
    *flat &= is_flat(relay, strides);
    return *flat || relay->shape[relay->ndim - 1] >= LONG_ROW;
}

static uint8_t state_of(const tg_push *push, uint32_t slot) {
    if (slot == TG_NO_SLOT || slot < push->low || slot - push->low >= push->room) return 0;
    return push->states[slot - push->low];
}

static bool reads_pending(const tg_push *push, const tg_node *node) {
    for (uint32_t k = 0; k < node->operands; k++) {
        if (state_of(push, node->in[k]) & TG_STATE_PENDING) return true;
    }
    return false;
}

/* The node's terms; false if it is not one for the relay. Nothing is retained yet. */
static bool take_terms(const tg_push *push, const tg_relay *relay, const tg_node *node, tg_leg *leg, bool *flat) {
    const tg_op_info *info = &tg_op_table[node->op];
    leg->slot = node->slot;
    leg->takes = false;
    leg->terms = 0;
    for (uint32_t k = 0; k < node->operands; k++) {
        const uint8_t state = state_of(push, node->in[k]);
        if (!info->partial[k] || !(state & TG_STATE_TANGENT)) continue;
        tg_term *term = &leg->term[leg->terms++];
        *term = (tg_term){.k = (uint8_t)k, .leg = -1};
        if (state & TG_STATE_PENDING) {
            term->leg = (int8_t)push->cells[node->in[k] - push->low].leg;
        } else if (!tg_push_peek(push, node->in[k], &term->tangent) ||
                   !fits(relay, term->tangent.array, push->batch > 0 && term->tangent.array, flat)) {
            return false;
        }
    }
    /* What passes on as it is needs no block. */
    if (leg->terms == 1 && leg->term[0].leg < 0 && tg_op_passes_on(info, leg->term[0].k)) return false;
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1) {
        const tg_value saved = tg_node_saved_value(node, __builtin_ctz(mask));
        if (!fits(relay, saved.array, false, flat)) return false;
    }
    return leg->terms > 0;
}

/* The same for a TAKE with a list of indices. */
static bool take_elements(const tg_push *push, const tg_relay *relay, const tg_node *node, tg_leg *leg, bool *flat) {
    const int last = relay->ndim - 1;
    tg_value tangent;
    if (relay->shape[last] < LONG_ROW || node->in[0] == TG_NO_SLOT || tg_node_params(node)[0] != last) return false;
    if (tg_tape_output(push->tape, node->in[0]).ndim != relay->ndim) return false;
    if (!tg_push_peek(push, node->in[0], &tangent) || !tangent.array) return false;
    *leg = (tg_leg){.slot = node->slot, .takes = true, .terms = 1};
    leg->term[0] = (tg_term){.k = 0, .leg = -1, .tangent = tangent};
    *flat = false;
    return true;
}

static tg_status make_relay(tg_push *push) {
    size_t bytes;
    push->relay = tg_pool_take(push->tape->pool, sizeof *push->relay, &bytes);
    if (!push->relay) return TG_NO_MEMORY;
    push->relay->block_bytes = bytes;
    push->relay->legs = 0;
    return TG_OK;
}

tg_status tg_relay_add(tg_push *push, const tg_node *node, bool *added) {
    *added = false;
    const tg_index *shape = tg_node_shape(node);
    tg_index size = 1;
    for (int d = 0; d < node->ndim; d++) size *= shape[d];
    const size_t bytes = (size_t)size * (size_t)(push->batch ? push->batch : 1) * tg_itemsize(node->dtype);
    if (bytes < WORTH || node->ndim == 0 || node->ndim > TG_RELAY_DIMS) return TG_OK;
    tg_status status = push->relay ? TG_OK : make_relay(push);
    if (status != TG_OK) return status;

    tg_relay *relay = push->relay;
    const bool same = relay->legs && relay->dtype == node->dtype &&
                      tg_same_shape(relay->ndim, relay->shape, node->ndim, shape);
    if (relay->legs && (relay->legs == TG_RELAY_LEGS || !same)) {
        /* A smaller one in between can read nothing of theirs, and does not end the run. */
        if (!same && size < relay->size) return TG_OK;
        const uint32_t slot = node->slot;
        status = tg_relay_run(push);
        if (status != TG_OK) return status;
        node = tg_tape_node(push->tape, slot); /* who was polled may have made the arena move */
        shape = tg_node_shape(node);
    }
    if (!relay->legs) {
        relay->dtype = node->dtype;
        relay->ndim = node->ndim;
        relay->size = size;
        relay->flat = true;
        memcpy(relay->shape, shape, (size_t)node->ndim * sizeof *shape);
    }
    bool flat = relay->flat;
    tg_leg *leg = &relay->leg[relay->legs];
    const bool suits = node->kind == TG_NODE_ELEMENTWISE ? take_terms(push, relay, node, leg, &flat)
                                                         : take_elements(push, relay, node, leg, &flat);
    if (!suits) return TG_OK;

    for (int i = 0; i < leg->terms; i++) {
        if (leg->term[i].tangent.array) tg_array_retain(leg->term[i].tangent.array);
    }
    push->cells[node->slot - push->low].leg = (uint32_t)relay->legs++;
    push->states[node->slot - push->low] |= TG_STATE_TANGENT | TG_STATE_PENDING;
    relay->flat = flat;
    *added = true;
    return TG_OK;
}

tg_status tg_relay_settle(tg_push *push, const tg_node *node) {
    return push->relay && push->relay->legs && reads_pending(push, node) ? tg_relay_run(push) : TG_OK;
}

static void let_go(tg_relay *relay) {
    for (int i = 0; i < relay->legs; i++) {
        for (int j = 0; j < relay->leg[i].terms; j++) tg_array_release(relay->leg[i].term[j].tangent.array);
    }
    relay->legs = 0;
}

/* The pending tangents become what was computed. */
static void hand_over(tg_push *push, tg_array **results) {
    for (int i = 0; i < push->relay->legs; i++) {
        if (!results[i]) continue;
        const uint32_t place = push->relay->leg[i].slot - push->low;
        push->cells[place].array = results[i];
        push->states[place] &= (uint8_t)~TG_STATE_PENDING;
    }
}

void tg_relay_undo(tg_push *push) {
    tg_relay *relay = push->relay;
    if (!relay) return;
    for (int i = 0; i < relay->legs; i++) {
        const tg_leg *leg = &relay->leg[i];
        const tg_node *node = tg_tape_node(push->tape, leg->slot);
        push->states[leg->slot - push->low] &= (uint8_t)~(TG_STATE_TANGENT | TG_STATE_PENDING | TG_STATE_VISITED);
        for (int j = 0; j < leg->terms; j++) {
            const tg_term *term = &leg->term[j];
            const uint32_t place = node->in[term->k] - push->low;
            if (term->leg >= 0 || push->states[place] & TG_STATE_TANGENT) continue;
            if (term->tangent.array) {
                tg_array_retain(term->tangent.array);
                push->cells[place].array = term->tangent.array;
            }
            push->states[place] |= TG_STATE_TANGENT; /* a number's cell was not written to */
        }
    }
    if (relay->legs && relay->leg[0].slot < push->next) push->next = relay->leg[0].slot;
    let_go(relay);
}

/* *out: an array for each leg whose tangent is needed later. */
static tg_status make_results(tg_push *push, tg_array **out) {
    const tg_relay *relay = push->relay;
    tg_index shape[TG_MAX_DIMS];
    const tg_output output = tg_batch_output((tg_output){relay->dtype, relay->ndim, relay->shape}, push->batch, shape);
    tg_status status = TG_OK;
    for (int i = 0; i < relay->legs && status == TG_OK; i++) {
        if (!(push->states[relay->leg[i].slot - push->low] & TG_STATE_PENDING)) continue;
        status = tg_array_new(push->tape->pool, output.dtype, output.ndim, output.shape, &out[i]);
    }
    return status;
}

tg_status tg_relay_run(tg_push *push) {
    tg_relay *relay = push->relay;
    if (!relay || !relay->legs) return TG_OK;
    tg_array *results[TG_RELAY_LEGS] = {NULL};
    tg_status status = make_results(push, results);
    if (status == TG_OK) status = tg_course_run(push, results);
    if (status == TG_OK) {
        hand_over(push, results);
        let_go(relay);
        return TG_OK;
    }
    for (int i = 0; i < relay->legs; i++) tg_array_release(results[i]);
    tg_relay_undo(push);
    return status;
}

void tg_relay_end(tg_push *push) {
    if (!push->relay) return;
    let_go(push->relay);
    tg_pool_give(push->tape->pool, push->relay, push->relay->block_bytes);
    push->relay = NULL;
}
