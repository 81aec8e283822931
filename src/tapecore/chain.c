/* chain.c: planning and running a chain of elementwise nodes. */
#include "chain.h"

#include <string.h>

static bool is_tagged(const tg_cell *cell) { return (uintptr_t)cell->object & 1; }
static int tagged_place(const tg_cell *cell) { return (int)((uintptr_t)cell->object >> 1); }
static void tag(tg_cell *cell, int place) { cell->object = (void *)((uintptr_t)place << 1 | 1); } /* NOLINT */

/* One number seen as an array of any shape. */
static bool is_uniform(const tg_array *array) {
    for (int d = 0; d < array->ndim; d++) {
        if (tg_array_strides(array)[d] != 0 && tg_array_shape(array)[d] > 1) return false;
    }
    return true;
}

/* What an operand is to a chain. */
typedef enum operand_kind {
    UNWANTED, /* no cotangent goes there */
    ARRAY,    /* of the node's own shape */
    NUMBER,
    OTHER, /* another shape: un-broadcasting is not for blocks */
} operand_kind;

static inline operand_kind kind_of(const tg_sweep *sweep, const tg_node *node, uint32_t k) {
    const uint32_t slot = node->in[k];
    if (slot == TG_NO_SLOT || slot < sweep->low || !(sweep->states[slot - sweep->low] & TG_STATE_ACTIVE)) {
        return UNWANTED;
    }
    if (node->flags & TG_FLAG_PLAIN) return node->flags & TG_FLAG_NUMBER << k ? NUMBER : ARRAY;
    const tg_output output = tg_tape_output(sweep->tape, slot);
    if (output.ndim == 0) return NUMBER;
    if (output.ndim != node->ndim) return OTHER;
    const tg_index *shape = tg_node_shape(node);
    for (int d = 0; d < output.ndim; d++) {
        if (output.shape[d] != shape[d]) return OTHER;
    }
    return ARRAY;
}

/* Notes where the saved values are; false if one of them has gaps or another size. */
static inline bool link_saved(tg_link *link, tg_node *node, tg_index size) {
    const bool plain = node->flags & TG_FLAG_PLAIN;
    const uint64_t *saved = (const uint64_t *)(tg_node_shape(node) + node->ndim);
    link->node = node;
    link->numbers = 0;
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1, saved++) {
        int bit = __builtin_ctz(mask);
        if (node->array_mask >> bit & 1) {
            const tg_array *array = (const tg_array *)(uintptr_t)*saved;
            if (!plain && (!array->contiguous || array->size != size)) return false;
            link->saved[bit] = array->data;
        } else {
            link->saved[bit] = (const char *)saved;
            link->numbers |= 1u << bit;
        }
    }
    return true;
}

/* The place of a slot's adjoint, made from its cell at first mention. */
static int place_of(tg_chain *chain, tg_sweep *sweep, uint32_t slot) {
    tg_cell *cell = tg_sweep_cell(sweep, slot);
    if (is_tagged(cell)) return tagged_place(cell);
    int index = chain->places++;
    tg_place *place = &chain->place[index];
    place->array = cell->array;
    place->slot = slot;
    place->last_read = place->block = place->alias = -1;
    place->written = cell->array != NULL;
    place->consumed = false;
    place->kept = sweep->states[slot - sweep->low] & TG_STATE_SOURCE;
    place->uniform = cell->array && !cell->array->contiguous && is_uniform(cell->array);
    tag(cell, index);
    return index;
}

bool tg_chain_add(tg_chain *chain, tg_sweep *sweep, tg_node *node) {
    const tg_op_info *info = &tg_op_table[node->op];
    const tg_index *shape = tg_node_shape(node);
    operand_kind kinds[TG_MAX_OPERANDS];
    tg_index size = 1;
    for (int d = 0; d < node->ndim; d++) size *= shape[d];
    if (chain->links == TG_CHAIN_NODES || chain->places + TG_MAX_OPERANDS + 1 > TG_CHAIN_PLACES ||
        chain->steps + TG_MAX_OPERANDS > TG_CHAIN_STEPS ||
        (chain->links && (chain->size != size || chain->dtype != node->dtype))) {
        return false;
    }
    for (uint32_t k = 0; k < node->operands; k++) {
        kinds[k] = info->partial[k] ? kind_of(sweep, node, k) : UNWANTED;
        if (kinds[k] == OTHER) return false;
    }
    const tg_cell *cell = tg_sweep_cell(sweep, node->slot);
    if (!is_tagged(cell) && !cell->array->contiguous && !is_uniform(cell->array)) return false;
    if (!link_saved(&chain->link[chain->links], node, size)) return false;

    chain->size = size;
    chain->dtype = node->dtype;
    int g = place_of(chain, sweep, node->slot);
    chain->place[g].consumed = true;
    for (uint32_t k = 0; k < node->operands; k++) {
        if (kinds[k] == UNWANTED) continue;
        const uint32_t slot = node->in[k];
        tg_sweep_reach(sweep, slot);
        tg_step *step = &chain->step[chain->steps];
        step->kernel = info->vjp[k][tg_native_index(node->dtype)];
        step->slot = slot;
        step->link = (int16_t)chain->links;
        step->g = (int16_t)g;
        step->needs = info->needs[k];
        step->adjoint = -1;
        step->accumulate = false;
        if (kinds[k] == ARRAY) {
            int adjoint = place_of(chain, sweep, slot);
            step->adjoint = (int16_t)adjoint;
            step->accumulate = chain->place[adjoint].written;
            chain->place[adjoint].written = true;
        }
        chain->place[g].last_read = (int16_t)chain->steps++;
    }
    chain->links++;
    return true;
}

/* A new array of the slot's shape. */
static tg_status slot_array(tg_sweep *sweep, uint32_t slot, tg_array **out) {
    tg_output output = tg_tape_output(sweep->tape, slot);
    return tg_array_new(sweep->workspace.pool, output.dtype, output.ndim, output.shape, out);
}

/* Gives the place a step writes to its array, if it needs one: see tg_place. A cotangent that ends with this step is
 * overwritten. */
static tg_status prepare(tg_chain *chain, tg_sweep *sweep, const tg_step *step, int index) {
    tg_place *place = &chain->place[step->adjoint];
    tg_place *g = &chain->place[step->g];
    if (!place->array) {
        if (step->accumulate || (place->consumed && !place->kept)) return TG_OK; /* a block */
        if (g->array && g->consumed && !g->kept && !g->uniform && g->last_read == index &&
            tg_array_is_unique(g->array)) {
            place->array = g->array;
            g->array = NULL;
            g->alias = step->adjoint;
            return TG_OK;
        }
        return slot_array(sweep, place->slot, &place->array);
    }
    if (step->accumulate && !tg_array_is_unique(place->array)) {
        tg_array *own;
        tg_status status = slot_array(sweep, place->slot, &own);
        if (status != TG_OK) return status;
        tg_array_pack(place->array, own->data);
        tg_array_release(place->array);
        place->array = own;
        place->uniform = false;
    }
    return TG_OK;
}

/* Decides where every adjoint of the chain lives. *blocks, out: how many places without an array there are at once. */
static tg_status plan(tg_chain *chain, tg_sweep *sweep, int *blocks) {
    int16_t unused[TG_CHAIN_PLACES], available = 0, count = 0;
    for (int i = 0; i < chain->steps; i++) {
        const tg_step *step = &chain->step[i];
        if (step->adjoint >= 0) {
            tg_status status = prepare(chain, sweep, step, i);
            if (status != TG_OK) return status;
            tg_place *place = &chain->place[step->adjoint];
            if (!place->array && place->alias < 0 && place->block < 0) {
                place->block = available ? unused[--available] : count++;
            }
        }
        const tg_place *g = &chain->place[step->g];
        if (g->last_read == i && !g->array && g->block >= 0) unused[available++] = g->block;
    }
    *blocks = count;
    return TG_OK;
}

typedef struct chain_memory {
    char *blocks; /* first the kernels' scratch, then one splat for each saved value and g, then the places' */
    size_t block_bytes, pool_bytes;
} chain_memory;

enum { SPLATS = TG_MAX_OPERANDS + 2, G_SPLAT = TG_MAX_OPERANDS + 1, SUM_BLOCK = SPLATS };

#define SCRATCH_BYTES (TG_SCRATCH_BLOCKS * TG_BLOCK * sizeof(double))

static char *memory_block(const chain_memory *memory, int index) {
    return memory->blocks + SCRATCH_BYTES + (size_t)index * memory->block_bytes;
}

static char *splat(const chain_memory *memory, int index, const void *number, int dtype, tg_index count) {
    char *block = memory_block(memory, index);
    tg_splat(number, dtype, count, block);
    return block;
}

static char *place_data(const tg_chain *chain, const chain_memory *memory, int index, size_t offset) {
    const tg_place *place = &chain->place[index];
    if (place->alias >= 0) place = &chain->place[place->alias];
    if (place->array) return place->array->data + offset;
    return memory_block(memory, SUM_BLOCK + 1 + place->block);
}

static void run_step(const tg_chain *chain, tg_sweep *sweep, const chain_memory *memory, const tg_step *step,
                     tg_index start, tg_index count) {
    const size_t offset = (size_t)start * tg_itemsize(chain->dtype);
    const tg_link *link = &chain->link[step->link];
    const tg_place *g = &chain->place[step->g];
    tg_kernel_args args;
    args.loops = sweep->loops;
    args.count = count;
    args.scratch = memory->blocks;
    args.accumulate = step->accumulate;
    for (unsigned mask = step->needs; mask; mask &= mask - 1) {
        const int bit = __builtin_ctz(mask);
        const char *data = link->numbers >> bit & 1 ? splat(memory, bit, link->saved[bit], chain->dtype, count)
                                                    : link->saved[bit] + offset;
        if (bit == TG_MAX_OPERANDS) {
            args.out = data;
        } else {
            args.operand[bit] = data;
        }
    }
    args.g = g->array && g->uniform ? splat(memory, G_SPLAT, g->array->data, chain->dtype, count)
                                    : place_data(chain, memory, step->g, offset);
    if (step->adjoint >= 0) {
        args.adjoint = place_data(chain, memory, step->adjoint, offset);
        step->kernel(&args);
        return;
    }
    /* The operand is a number: the products are summed. */
    args.adjoint = memory_block(memory, SUM_BLOCK);
    step->kernel(&args);
    tg_add_run(sweep->loops, chain->dtype, args.adjoint, count, (char *)tg_sweep_cell(sweep, step->slot));
}

static tg_status run(const tg_chain *chain, tg_sweep *sweep, const chain_memory *memory) {
    for (tg_index start = 0; start < chain->size; start += TG_BLOCK) {
        tg_index count = chain->size - start < TG_BLOCK ? chain->size - start : TG_BLOCK;
        for (int i = 0; i < chain->steps; i++) run_step(chain, sweep, memory, &chain->step[i], start, count);
        tg_status status = tg_sweep_worked(sweep, count * chain->steps);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

/* The cells get their arrays back, and those of used-up slots become empty. */
static void settle(tg_chain *chain, tg_sweep *sweep) {
    for (int i = 0; i < chain->places; i++) {
        tg_place *place = &chain->place[i];
        tg_cell *cell = tg_sweep_cell(sweep, place->slot);
        cell->array = place->array;
        if (place->consumed && !place->kept) {
            tg_array_release(place->array);
            cell->array = NULL;
        }
    }
    if (sweep->consume) {
        for (int i = 0; i < chain->links; i++) tg_tape_release_node(sweep->tape, chain->link[i].node);
    }
    chain->links = chain->places = chain->steps = 0;
}

tg_status tg_chain_flush(tg_chain *chain, tg_sweep *sweep) {
    if (!chain->links) return TG_OK;
    int blocks;
    tg_status status = plan(chain, sweep, &blocks);
    if (status == TG_OK) {
        tg_index count = chain->size < TG_BLOCK ? chain->size : TG_BLOCK;
        chain_memory memory = {.block_bytes = ((size_t)count * tg_itemsize(chain->dtype) + TG_ALIGNMENT - 1) &
                                              ~(size_t)(TG_ALIGNMENT - 1)};
        size_t wanted = SCRATCH_BYTES + (size_t)(SUM_BLOCK + 1 + blocks) * memory.block_bytes;
        memory.blocks = tg_pool_take(sweep->workspace.pool, wanted, &memory.pool_bytes);
        status = memory.blocks ? run(chain, sweep, &memory) : TG_NO_MEMORY;
        if (memory.blocks) tg_pool_give(sweep->workspace.pool, memory.blocks, memory.pool_bytes);
    }
    settle(chain, sweep);
    return status;
}
