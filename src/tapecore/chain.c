/* chain.c: planning and running a chain of elementwise nodes. */
#include "chain.h"

#include <string.h>

#define ELEMENTS_PER_POLL (1 << 22)

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

static bool is_wanted(const tg_sweep *sweep, uint32_t slot) {
    return slot != TG_NO_SLOT && slot >= sweep->low && (sweep->states[slot - sweep->low] & TG_STATE_ACTIVE);
}

/* The operand's shape is the node's. */
static bool same_shape_as(const tg_tape *tape, uint32_t slot, const tg_node *node) {
    tg_output output = tg_tape_output(tape, slot);
    return tg_same_shape(output.ndim, output.shape, node->ndim, tg_node_shape(node));
}

static bool fits(const tg_chain *chain, const tg_sweep *sweep, const tg_node *node, tg_index size) {
    if (chain->nodes == TG_CHAIN_NODES || chain->places + TG_MAX_OPERANDS + 1 > TG_CHAIN_PLACES ||
        chain->steps + TG_MAX_OPERANDS > TG_CHAIN_STEPS) {
        return false;
    }
    if (chain->nodes && (chain->size != size || chain->dtype != node->dtype)) return false;
    const uint64_t *saved = tg_node_saved(node);
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1, saved++) {
        if (!(node->array_mask >> __builtin_ctz(mask) & 1)) continue;
        const tg_array *array = (const tg_array *)(uintptr_t)*saved;
        if (!array->contiguous || array->size != size) return false;
    }
    for (uint32_t k = 0; k < node->operands; k++) {
        if (!is_wanted(sweep, node->in[k]) || same_shape_as(sweep->tape, node->in[k], node)) continue;
        if (tg_tape_output(sweep->tape, node->in[k]).ndim) return false; /* un-broadcasting is not for blocks */
    }
    const tg_cell *cell = tg_sweep_cell(sweep, node->slot);
    return is_tagged(cell) || cell->array->contiguous || is_uniform(cell->array);
}

/* The place of a slot's adjoint, made from its cell at first mention. */
static int place_of(tg_chain *chain, tg_sweep *sweep, uint32_t slot) {
    tg_cell *cell = tg_sweep_cell(sweep, slot);
    if (is_tagged(cell)) return tagged_place(cell);
    int index = chain->places++;
    chain->place[index] = (tg_place){
        .slot = slot,
        .written = cell->array != NULL,
        .kept = sweep->states[slot - sweep->low] & TG_STATE_SOURCE,
        .uniform = cell->array && !cell->array->contiguous && is_uniform(cell->array),
        .array = cell->array,
        .alias = -1,
        .last_read = -1,
    };
    tag(cell, index);
    return index;
}

bool tg_chain_add(tg_chain *chain, tg_sweep *sweep, tg_node *node) {
    const tg_index *shape = tg_node_shape(node);
    tg_index size = 1;
    for (int d = 0; d < node->ndim; d++) size *= shape[d];
    if (!fits(chain, sweep, node, size)) return false;
    chain->size = size;
    chain->dtype = node->dtype;
    const tg_op_info *info = &tg_op_table[node->op];
    int g = place_of(chain, sweep, node->slot);
    chain->place[g].consumed = true;
    chain->node[chain->nodes++] = node;
    for (uint32_t k = 0; k < node->operands; k++) {
        uint32_t slot = node->in[k];
        if (!info->partial[k] || !is_wanted(sweep, slot)) continue;
        tg_sweep_reach(sweep, slot);
        tg_step *step = &chain->step[chain->steps];
        *step = (tg_step){.kernel = info->vjp[k][tg_native_index(node->dtype)],
                          .node = node,
                          .g = (int16_t)g,
                          .adjoint = -1,
                          .needs = info->needs[k],
                          .slot = slot};
        if (tg_tape_output(sweep->tape, slot).ndim) {
            int adjoint = place_of(chain, sweep, slot);
            step->adjoint = (int16_t)adjoint;
            step->accumulate = chain->place[adjoint].written;
            chain->place[adjoint].written = true;
        }
        chain->place[g].last_read = chain->steps++;
    }
    return true;
}

/* A new array of the slot's shape. */
static tg_status slot_array(tg_sweep *sweep, uint32_t slot, tg_array **out) {
    tg_output output = tg_tape_output(sweep->tape, slot);
    return tg_array_new(sweep->workspace.pool, output.dtype, output.ndim, output.shape, out);
}

/* Gives the place a step writes to its memory: see tg_place. A cotangent that ends with this step is overwritten. */
static tg_status prepare(tg_chain *chain, tg_sweep *sweep, const tg_step *step, int index) {
    tg_place *place = &chain->place[step->adjoint];
    tg_place *g = &chain->place[step->g];
    if (!place->array) {
        if (step->accumulate || (place->consumed && !place->kept)) return TG_OK; /* a block, given at its first use */
        if (g->array && g->consumed && !g->kept && !g->uniform && g->last_read == index &&
            tg_array_is_unique(g->array) && same_shape_as(sweep->tape, place->slot, step->node)) {
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

/* Numbers the blocks of places without an array; returns how many there are at once. */
static int number_blocks(tg_chain *chain) {
    int free_blocks[TG_CHAIN_PLACES], available = 0, count = 0;
    bool given[TG_CHAIN_PLACES] = {false};
    for (int i = 0; i < chain->steps; i++) {
        const tg_step *step = &chain->step[i];
        if (step->adjoint >= 0) {
            tg_place *place = &chain->place[step->adjoint];
            if (!place->array && place->alias < 0 && !given[step->adjoint]) {
                given[step->adjoint] = true;
                place->block = available ? free_blocks[--available] : count++;
            }
        }
        tg_place *g = &chain->place[step->g];
        if (g->last_read == i && !g->array && given[step->g]) free_blocks[available++] = g->block;
    }
    return count;
}

typedef struct chain_memory {
    char *blocks; /* first the kernels' scratch, then one splat for each saved value and g, then the places' */
    size_t block_bytes, pool_bytes;
} chain_memory;

enum { SPLATS = TG_MAX_OPERANDS + 2, G_SPLAT = TG_MAX_OPERANDS + 1, SUM_BLOCK = SPLATS };

static char *memory_block(const chain_memory *memory, int index) {
    return memory->blocks + TG_SCRATCH_BLOCKS * TG_BLOCK * sizeof(double) + (size_t)index * memory->block_bytes;
}

static char *splat(const chain_memory *memory, int index, const void *number, int dtype, tg_index count) {
    char *block = memory_block(memory, index);
    if (dtype == TG_F64) {
        const double value = *(const double *)number;
        for (tg_index i = 0; i < count; i++) ((double *)(void *)block)[i] = value;
    } else {
        const float value = *(const float *)number;
        for (tg_index i = 0; i < count; i++) ((float *)(void *)block)[i] = value;
    }
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
    tg_kernel_args args = {.loops = sweep->loops, .count = count, .scratch = memory->blocks};
    const tg_node *node = step->node;
    const uint64_t *saved = tg_node_saved(node);
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1, saved++) {
        int bit = __builtin_ctz(mask);
        if (!(step->needs >> bit & 1)) continue;
        const char *data = node->array_mask >> bit & 1 ? ((const tg_array *)(uintptr_t)*saved)->data + offset
                                                       : splat(memory, bit, saved, chain->dtype, count);
        if (bit == TG_MAX_OPERANDS) {
            args.out = data;
        } else {
            args.operand[bit] = data;
        }
    }
    const tg_place *g = &chain->place[step->g];
    args.g = g->array && g->uniform ? splat(memory, G_SPLAT, g->array->data, chain->dtype, count)
                                    : place_data(chain, memory, step->g, offset);
    if (step->adjoint >= 0) {
        args.adjoint = place_data(chain, memory, step->adjoint, offset);
        args.accumulate = step->accumulate;
        step->kernel(&args);
        return;
    }
    /* The operand is a number: the products are summed. */
    args.adjoint = memory_block(memory, SUM_BLOCK);
    step->kernel(&args);
    const tg_loop add = sweep->loops->elementwise[TG_OP_ADD][tg_native_index(chain->dtype)];
    char *total = (char *)tg_sweep_cell(sweep, step->slot);
    char *add_args[3] = {total, args.adjoint, total};
    const tg_index steps[3] = {0, (tg_index)tg_itemsize(chain->dtype), 0};
    add.function(add_args, &count, steps, add.data);
}

static tg_status run(const tg_chain *chain, tg_sweep *sweep, const chain_memory *memory) {
    tg_index elements = 0;
    for (tg_index start = 0; start < chain->size; start += TG_BLOCK) {
        tg_index count = chain->size - start < TG_BLOCK ? chain->size - start : TG_BLOCK;
        for (int i = 0; i < chain->steps; i++) run_step(chain, sweep, memory, &chain->step[i], start, count);
        elements += count * chain->steps;
        if (elements >= ELEMENTS_PER_POLL) {
            elements = 0;
            tg_status status = sweep->hooks.poll(sweep->hooks.context);
            if (status != TG_OK) return status;
        }
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
        for (int i = 0; i < chain->nodes; i++) tg_tape_release_node(sweep->tape, chain->node[i]);
    }
    chain->nodes = chain->places = chain->steps = 0;
}

tg_status tg_chain_flush(tg_chain *chain, tg_sweep *sweep) {
    if (!chain->nodes) return TG_OK;
    tg_status status = TG_OK;
    for (int i = 0; i < chain->steps && status == TG_OK; i++) {
        if (chain->step[i].adjoint >= 0) status = prepare(chain, sweep, &chain->step[i], i);
    }
    if (status == TG_OK) {
        int blocks = number_blocks(chain) + SUM_BLOCK + 1;
        tg_index count = chain->size < TG_BLOCK ? chain->size : TG_BLOCK;
        chain_memory memory = {.block_bytes = ((size_t)count * tg_itemsize(chain->dtype) + TG_ALIGNMENT - 1) &
                                              ~(size_t)(TG_ALIGNMENT - 1)};
        size_t wanted = TG_SCRATCH_BLOCKS * TG_BLOCK * sizeof(double) + (size_t)blocks * memory.block_bytes;
        memory.blocks = tg_pool_take(sweep->workspace.pool, wanted, &memory.pool_bytes);
        status = memory.blocks ? run(chain, sweep, &memory) : TG_NO_MEMORY;
        if (memory.blocks) tg_pool_give(sweep->workspace.pool, memory.blocks, memory.pool_bytes);
    }
    settle(chain, sweep);
    return status;
}
