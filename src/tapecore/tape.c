/* tape.c: appending nodes to the arena, reading them back, giving them up. */
#include "tape.h"

#include <string.h>

#define HEADER_WORDS (sizeof(tg_node) / sizeof(uint64_t))
#define FIRST_WORDS 512 /* 4 KiB: ten vector or eighty scalar operations before the first move */
#define FIRST_SLOTS 128

void tg_tape_init(tg_tape *tape, tg_pool *pool, uint64_t id, void (*release_payload)(void *payload)) {
    *tape = (tg_tape){.id = id, .pool = pool, .release_payload = release_payload};
}

void tg_tape_release_node(tg_tape *tape, tg_node *node) {
    if (node->kind == TG_NODE_EXTERNAL) {
        void **payload = tg_node_payload(node);
        void *owned = *payload;
        if (!owned) return;
        *payload = NULL;
        tape->owning--;
        tape->release_payload(owned);
        return;
    }
    if (!node->array_mask) return;
    uint64_t *saved = tg_node_saved(node);
    for (unsigned bit = 0, at = 0; bit <= TG_MAX_OPERANDS; bit++) {
        if (!(node->saved_mask >> bit & 1)) continue;
        if (node->array_mask >> bit & 1) tg_array_release((tg_array *)saved[at]);
        at++;
    }
    node->array_mask = 0;
    node->saved_mask = 0;
    tape->owning--;
}

/* Backwards, so that the pool's last-in-first-out lists hand the blocks out again in recording order. */
static void release_nodes(tg_tape *tape) {
    for (size_t end = tape->nodes, at = tape->last; tape->owning && end; end--) {
        tg_node *node = (tg_node *)(tape->arena + at);
        at -= node->previous;
        tg_tape_release_node(tape, node);
    }
}

void tg_tape_rewind(tg_tape *tape, uint64_t id) {
    release_nodes(tape);
    tape->id = id;
    tape->used = tape->nodes = tape->wide = 0;
    tape->slots = tape->last = tape->last_words = tape->leaves = 0;
    tape->work = 0;
}

/* A tape without nodes, with the binding's part of another one. */
static tg_tape emptied(const tg_tape *tape, uint64_t id) {
    tg_tape empty;
    tg_tape_init(&empty, tape->pool, id, tape->release_payload);
    empty.owner = tape->owner;
    empty.watches = tape->watches;
    empty.observed = tape->observed;
    empty.readers = tape->readers;
    return empty;
}

void tg_tape_clear(tg_tape *tape, uint64_t id) {
    if (!tape->arena && !tape->node_of_slot) { /* nothing was recorded */
        tape->id = id;
        return;
    }
    release_nodes(tape);
    if (tape->arena) tg_pool_give(tape->pool, tape->arena, tape->arena_bytes);
    if (tape->node_of_slot) tg_pool_give(tape->pool, tape->node_of_slot, tape->slot_bytes);
    tg_tape empty = emptied(tape, id);
    empty.next_live = tape->next_live;
    empty.previous_live = tape->previous_live;
    *tape = empty;
}

#ifdef TG_FREE_THREADED

void tg_tape_move(tg_tape *tape, uint64_t id, tg_tape *old) {
    *old = *tape;
    tg_tape empty = emptied(tape, id);
    memcpy(tape, &empty, offsetof(tg_tape, next_live)); /* what follows stays: the registry's part, and the lock */
}

void tg_tape_release_outgrown(tg_tape *tape) {
    while (tape->outgrown) {
        tg_outgrown *first = tape->outgrown;
        tape->outgrown = first->next;
        tg_pool_give(tape->pool, first->block, first->block_bytes);
        tg_pool_give(tape->pool, first, first->own_bytes);
    }
}

/* tg_pool_resize for a block that is being read. */
static void *resize_read(tg_tape *tape, void *block, size_t block_bytes, size_t bytes, size_t used,
                         size_t *new_block_bytes) {
    size_t own_bytes;
    tg_outgrown *entry = tg_pool_take(tape->pool, sizeof *entry, &own_bytes);
    if (!entry) return NULL;
    void *grown = tg_pool_take(tape->pool, bytes, new_block_bytes);
    if (!grown) {
        tg_pool_give(tape->pool, entry, own_bytes);
        return NULL;
    }
    memcpy(grown, block, used);
    *entry = (tg_outgrown){tape->outgrown, block, block_bytes, own_bytes};
    tape->outgrown = entry;
    return grown;
}

#endif

/* More room for a block of the tape: tg_pool_resize. */
static void *resize(tg_tape *tape, void *block, size_t block_bytes, size_t bytes, size_t used,
                    size_t *new_block_bytes) {
#ifdef TG_FREE_THREADED
    if (block && tape->readers) return resize_read(tape, block, block_bytes, bytes, used, new_block_bytes);
#endif
    return tg_pool_resize(tape->pool, block, block_bytes, bytes, used, new_block_bytes);
}

tg_status tg_tape_reserve(tg_tape *tape, size_t words, uint32_t outputs) {
    /* Offsets and slots are 32-bit: 32 GiB of nodes. TG_NO_SLOT stays free. */
    if (words > UINT32_MAX - tape->used || outputs >= UINT32_MAX - tape->slots) return TG_TOO_LARGE;
    if (tape->used + words > tape->capacity) {
        size_t wanted = tape->capacity ? 2 * tape->capacity : FIRST_WORDS;
        if (wanted < tape->used + words) wanted = tape->used + words;
        size_t bytes;
        uint64_t *grown = resize(tape, tape->arena, tape->arena_bytes, wanted * sizeof *grown,
                                 tape->used * sizeof *grown, &bytes);
        if (!grown) return TG_NO_MEMORY;
        TG_WRITE(tape->arena, grown);
        tape->arena_bytes = bytes;
        tape->capacity = bytes / sizeof *grown;
    }
    if (tape->slots + outputs > tape->slot_capacity) {
        size_t wanted = tape->slot_capacity ? 2 * (size_t)tape->slot_capacity : FIRST_SLOTS;
        if (wanted < (size_t)tape->slots + outputs) wanted = (size_t)tape->slots + outputs;
        size_t bytes;
        uint32_t *grown = resize(tape, tape->node_of_slot, tape->slot_bytes, wanted * sizeof *grown,
                                 tape->slots * sizeof *grown, &bytes);
        if (!grown) return TG_NO_MEMORY;
        size_t capacity = bytes / sizeof *grown;
        TG_WRITE(tape->node_of_slot, grown);
        tape->slot_bytes = bytes;
        tape->slot_capacity = capacity < UINT32_MAX ? (uint32_t)capacity : UINT32_MAX;
    }
    return TG_OK;
}

/* A node at the end of the arena, where there is room for it: header and operands. */
static tg_node *append_header(tg_tape *tape, size_t words, uint32_t outputs, int op, int kind, int dtype, int ndim,
                              uint32_t operands, const uint32_t *in) {
    tg_node *node = (tg_node *)(tape->arena + tape->used);
    tg_node_describe(node, op, kind, dtype, ndim, 0, 0, 0, operands);
    if (operands) memcpy(node->in, in, operands * sizeof *in);
    if (operands & 1) node->in[operands] = TG_NO_SLOT; /* the padding, so that pairs can be read without a test */
    tg_tape_commit(tape, node, (uint32_t)words, outputs);
    return node;
}

tg_status tg_tape_watch(tg_tape *tape, int dtype, int ndim, const tg_index *shape, uint32_t *slot) {
    size_t words = HEADER_WORDS + (size_t)ndim;
    tg_status status = tg_tape_reserve(tape, words, 1);
    if (status != TG_OK) return status;
    tg_node *node = append_header(tape, words, 1, 0, TG_NODE_LEAF, dtype, ndim, 0, NULL);
    if (ndim) memcpy(node + 1, shape, (size_t)ndim * sizeof *shape);
    tape->leaves++;
    tape->wide += !tg_holds_number(dtype, ndim);
    *slot = node->slot;
    return TG_OK;
}

/* Counts the saved values' handles on other tapes than this one, and writes them where `target` is given. */
static size_t other_handles(const tg_tape *tape, const tg_record *record, uint64_t *target) {
    size_t count = 0;
    for (unsigned bit = 0; bit <= TG_MAX_OPERANDS; bit++) {
        if (!(record->saved_mask >> bit & 1) || !record->handles[bit]) continue;
        tg_handle handle;
        for (uint32_t i = 0; tg_handles_get(record->handles[bit], i, &handle); i++) {
            if (handle.id == tape->id) continue;
            if (target) {
                target[2 * count] = handle.id;
                target[2 * count + 1] = (uint64_t)bit << 32 | handle.slot;
            }
            count++;
        }
    }
    return count;
}

tg_status tg_tape_record(tg_tape *tape, const tg_record *record, uint32_t *slot) {
    size_t in_words = tg_node_in_words(record->operands);
    size_t saved_count = (size_t)__builtin_popcount(record->saved_mask);
    size_t params_words = record->kind == TG_NODE_STRUCTURAL ? 1 + (size_t)record->params_count : 0;
    size_t handles = other_handles(tape, record, NULL);
    size_t handle_words = handles ? 1 + 2 * handles : 0;
    size_t words = HEADER_WORDS + in_words + (size_t)record->ndim + params_words + saved_count + handle_words;
    tg_status status = tg_tape_reserve(tape, words, 1);
    if (status != TG_OK) return status;

    /* Numbers that do not fit a word (complex128) or are of another type than the node are saved as arrays; make them
     * while failing is still possible. */
    tg_array *wide[TG_MAX_OPERANDS + 1] = {NULL};
    for (unsigned bit = 0; bit <= TG_MAX_OPERANDS; bit++) {
        if (!(record->saved_mask >> bit & 1) || record->saved[bit]->array) continue;
        int dtype = record->saved[bit]->dtype;
        if (dtype == record->dtype && tg_itemsize(dtype) <= sizeof(uint64_t)) continue;
        status = tg_value_to_array(record->saved[bit], tape->pool, &wide[bit]);
        if (status != TG_OK) goto fail;
    }

    tg_node *node = append_header(tape, words, 1, record->op, record->kind, record->dtype, record->ndim,
                                  record->operands, record->in);
    node->flags = (uint8_t)(record->flags | (handles ? TG_FLAG_HANDLES : 0));
    node->saved_mask = (uint8_t)record->saved_mask;
    tg_index *at = (tg_index *)((uint64_t *)(node + 1) + in_words);
    if (record->ndim) memcpy(at, record->shape, (size_t)record->ndim * sizeof *at);
    at += record->ndim;
    if (params_words) {
        *at++ = record->params_count;
        if (record->params_count) memcpy(at, record->params, (size_t)record->params_count * sizeof *at);
        at += record->params_count;
    }
    uint64_t *saved = (uint64_t *)at;
    for (unsigned bit = 0; bit <= TG_MAX_OPERANDS; bit++) {
        if (!(record->saved_mask >> bit & 1)) continue;
        const tg_value *value = record->saved[bit];
        tg_array *array = value->array ? value->array : wide[bit];
        if (array) {
            if (value->array) tg_array_retain(array);
            *saved++ = (uint64_t)(uintptr_t)array;
            node->array_mask |= (uint8_t)(1u << bit);
        } else {
            *saved = 0;
            memcpy(saved++, &value->scalar, tg_itemsize(value->dtype));
        }
    }
    if (node->array_mask) tape->owning++;
    tg_index size = 1;
    for (int d = 0; d < record->ndim; d++) size *= record->shape[d];
    tape->work += size;
    tape->wide += !tg_holds_number(record->dtype, record->ndim);
    if (handles) {
        *saved = handles;
        other_handles(tape, record, saved + 1);
    }
    *slot = node->slot;
    return TG_OK;

fail:
    for (unsigned bit = 0; bit <= TG_MAX_OPERANDS; bit++) tg_array_release(wide[bit]);
    return status;
}

tg_status tg_tape_record_external(tg_tape *tape, uint32_t operands, const uint32_t *in, int outputs,
                                  const tg_output *output, void *payload, uint32_t *slot) {
    size_t words = HEADER_WORDS + tg_node_in_words(operands) + 2;
    for (int i = 0; i < outputs; i++) words += 1 + (size_t)output[i].ndim;
    tg_status status = tg_tape_reserve(tape, words, (uint32_t)outputs);
    if (status != TG_OK) return status;
    tg_node *node =
        append_header(tape, words, (uint32_t)outputs, 0, TG_NODE_EXTERNAL, output[0].dtype, 0, operands, in);
    void **owned = tg_node_payload(node);
    *owned = payload;
    uint64_t *at = (uint64_t *)(owned + 1);
    *at++ = (uint64_t)outputs;
    for (int i = 0; i < outputs; i++) {
        tape->wide += !tg_holds_number(output[i].dtype, output[i].ndim);
        *at++ = (uint64_t)output[i].dtype << 8 | (uint64_t)output[i].ndim;
        if (output[i].ndim) memcpy(at, output[i].shape, (size_t)output[i].ndim * sizeof *at);
        at += output[i].ndim;
    }
    tape->owning++;
    *slot = node->slot;
    return TG_OK;
}

static unsigned saved_position(const tg_node *node, int bit) {
    return (unsigned)__builtin_popcount(node->saved_mask & ((1u << bit) - 1));
}

tg_value tg_node_saved_value(const tg_node *node, int bit) {
    uint64_t word = tg_node_saved(node)[saved_position(node, bit)];
    tg_value value = {.array = NULL, .dtype = node->dtype};
    if (node->array_mask >> bit & 1) {
        value.array = (tg_array *)(uintptr_t)word;
        value.dtype = value.array->dtype;
        if (value.array->ndim == 0) { /* a number that did not fit the word */
            memcpy(&value.scalar, value.array->data, tg_itemsize(value.dtype));
            value.array = NULL;
        }
    } else {
        value.scalar.u64 = word;
    }
    return value;
}

bool tg_node_saved_handle(const tg_node *node, int bit, uint32_t index, tg_handle *out) {
    if (!(node->flags & TG_FLAG_HANDLES)) return false;
    const uint64_t *at = tg_node_saved(node) + __builtin_popcount(node->saved_mask);
    uint64_t count = *at++;
    for (uint64_t i = 0; i < count; i++) {
        if ((int)(at[2 * i + 1] >> 32) != bit) continue;
        if (index-- == 0) {
            *out = (tg_handle){at[2 * i], (uint32_t)at[2 * i + 1]};
            return true;
        }
    }
    return false;
}

uint32_t tg_node_outputs(const tg_node *node) {
    return node->kind == TG_NODE_EXTERNAL ? (uint32_t)((const uint64_t *)tg_node_payload(node))[1] : 1;
}

tg_output tg_node_output(const tg_node *external, uint32_t slot) {
    const uint64_t *at = (const uint64_t *)tg_node_payload(external) + 2;
    for (uint32_t i = external->slot; i < slot; i++) at += 1 + (*at & 0xff);
    return (tg_output){(int)(*at >> 8), (int)(*at & 0xff), (const tg_index *)(at + 1)};
}

size_t tg_tape_bytes(const tg_tape *tape) {
    return tape->used * sizeof *tape->arena + tape->slots * sizeof *tape->node_of_slot;
}
