/* vectors.c: runs of operations on short vectors in a reverse sweep. */
#include "vectors.h"

/* After so many nodes the sweep wants to look at its poll function. */
#define MOST_NODES (TG_ELEMENTS_PER_POLL / TG_ELEMENTS_PER_NODE)

/* So many nodes ahead of the sweep what they have saved is asked for. */
#define NODES_AHEAD 4

/* Of the workspace's blocks: one for each saved value that is a number, and one for products that are to be summed. */
enum { PRODUCTS = TG_MAX_OPERANDS + 1 };

/* The elements of a plain node, or 0 for another kind of node or a longer one. */
static inline tg_index short_size(const tg_node *node) {
    if (node->kind != TG_NODE_ELEMENTWISE || !(node->flags & TG_FLAG_PLAIN)) return 0;
    const tg_index *shape = tg_node_shape(node);
    tg_index size = shape[0];
    for (int d = 1; d < node->ndim && size <= TG_SHORT; d++) size *= shape[d];
    return size <= TG_SHORT ? size : 0;
}

bool tg_vectors_fit(const tg_sweep *sweep, const tg_node *node) { return !sweep->batch && short_size(node) != 0; }

/* Asks for what the node before `node` has saved, which was last seen when it was recorded: short arrays lie in three
 * lines. Returns that node. */
static inline const tg_node *fetch_before(const tg_node *node) {
    node = (const tg_node *)((const uint64_t *)node - node->previous);
    const uint64_t *saved = tg_node_saved(node);
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1, saved++) {
        if (!(node->array_mask & (mask & -mask))) continue;
        const char *array = (const char *)(uintptr_t)*saved;
        __builtin_prefetch(array);
        __builtin_prefetch(array + TG_ALIGNMENT);
        __builtin_prefetch(array + 2 * TG_ALIGNMENT);
    }
    return node;
}

/* The array that operand `cell`'s adjoint is written to: the one it has, made private; g's own, if g is not needed
 * after this; or a new one. */
static inline tg_status adjoint_array(tg_pool *pool, tg_cell *cell, tg_cell *g_cell, bool g_ends) {
    if (cell->array) return tg_array_unshare(&cell->array);
    if (!g_ends || !tg_array_is_unique(g_cell->array)) return tg_array_like(pool, g_cell->array, &cell->array);
    cell->array = g_cell->array;
    g_cell->array = NULL;
    return TG_OK;
}

/* What the node's kernels read. */
static inline void set_saved(const tg_node *node, const tg_workspace *workspace, tg_kernel_args *args) {
    const uint64_t *saved = tg_node_saved(node);
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1, saved++) {
        const int bit = __builtin_ctz(mask);
        const void *data;
        if (node->array_mask >> bit & 1) {
            data = ((const tg_array *)(uintptr_t)*saved)->data;
        } else {
            char *block = tg_workspace_block(workspace, bit);
            tg_splat(saved, node->dtype, args->count, block);
            data = block;
        }
        if (bit == TG_MAX_OPERANDS) {
            args->out = data;
        } else {
            args->operand[bit] = data;
        }
    }
}

/* The node's rule, on a cotangent that is not zero for want of any. */
static tg_status pass_on(tg_sweep *sweep, const tg_node *node, tg_index size, unsigned wanted) {
    tg_workspace *workspace = &sweep->workspace;
    tg_cell *g_cell = tg_sweep_cell(sweep, node->slot);
    const bool g_kept = sweep->states[node->slot - sweep->low] & TG_STATE_SOURCE;
    tg_status status = tg_workspace_ready(workspace);
    if (status == TG_OK && !g_cell->array->contiguous) status = tg_array_unshare(&g_cell->array);
    if (status != TG_OK) return status;

    tg_kernel_args args;
    args.loops = sweep->loops;
    args.count = size;
    args.g = g_cell->array->data;
    args.scratch = tg_workspace_block(workspace, TG_MAX_PARTICIPANTS);
    set_saved(node, workspace, &args);
    const tg_kernel(*kernels)[TG_NATIVE_TYPES] = tg_op_table[node->op].vjp;
    for (; wanted; wanted &= wanted - 1) {
        const int k = __builtin_ctz(wanted);
        tg_cell *cell = tg_sweep_cell(sweep, node->in[k]);
        if (node->flags & TG_FLAG_NUMBER << k) {
            args.adjoint = tg_workspace_block(workspace, PRODUCTS);
            args.accumulate = false;
            kernels[k][tg_native_index(node->dtype)](&args);
            tg_add_run(sweep->loops, node->dtype, args.adjoint, size, (char *)cell);
            continue;
        }
        args.accumulate = cell->array != NULL;
        status = adjoint_array(workspace->pool, cell, g_cell, !g_kept && !(wanted & (wanted - 1)));
        if (status != TG_OK) return status;
        args.adjoint = cell->array->data;
        kernels[k][tg_native_index(node->dtype)](&args);
    }
    if (!g_kept) {
        tg_array_release(g_cell->array);
        g_cell->array = NULL;
    }
    return TG_OK;
}

tg_status tg_vectors_run(tg_sweep *sweep, tg_node *node, size_t *walked) {
    const unsigned both = TG_STATE_ACTIVE | TG_STATE_REACHED;
    uint8_t *const states = sweep->states;
    const uint32_t low = sweep->low;
    const tg_node *ahead = node;
    for (int i = 1; i < NODES_AHEAD; i++) ahead = fetch_before(ahead);
    tg_index size = short_size(node);
    for (*walked = 1;; ++*walked) {
        ahead = fetch_before(ahead);
        if ((states[node->slot - low] & both) == both) {
            unsigned wanted = 0;
            for (uint32_t k = 0; k < node->operands; k++) {
                if (!tg_sweep_wants(sweep, node->in[k])) continue;
                states[node->in[k] - low] |= TG_STATE_REACHED;
                wanted |= 1u << k;
            }
            if (wanted && tg_sweep_cell(sweep, node->slot)->array) {
                tg_status status = pass_on(sweep, node, size, wanted);
                if (status != TG_OK) return status;
            }
            if (sweep->consume) tg_tape_release_node(sweep->tape, node);
        }
        if (node->slot <= low || *walked == MOST_NODES) return TG_OK;
        tg_node *before = (tg_node *)((uint64_t *)node - node->previous);
        size = short_size(before);
        if (!size) return TG_OK;
        sweep->cursor -= node->previous;
        node = before;
    }
}
