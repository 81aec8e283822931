/* elementwise.c: whole values through NumPy's inner loops and the generated derivative kernels.
 *
 * The kernels want short contiguous runs. Arrays that are contiguous after merging dimensions are passed as they lie;
 * broadcast numbers and strided runs are first written to a block of the workspace, which stays in the cache.
 */
#include "elementwise.h"

#include <string.h>

#include "plane.h"

/* Participants of a reverse walk. */
enum { G = TG_MAX_OPERANDS + 1, ADJOINT = TG_MAX_OPERANDS + 2 };

void tg_workspace_init(tg_workspace *workspace, tg_pool *pool) { *workspace = (tg_workspace){.pool = pool}; }

void tg_workspace_clear(tg_workspace *workspace) {
    if (workspace->blocks) tg_pool_give(workspace->pool, workspace->blocks, workspace->block_bytes);
    tg_workspace_init(workspace, workspace->pool);
}

tg_status tg_workspace_take(tg_workspace *workspace) {
    size_t wanted = (TG_MAX_PARTICIPANTS + TG_SCRATCH_BLOCKS) * TG_BLOCK * sizeof(double);
    workspace->blocks = tg_pool_take(workspace->pool, wanted, &workspace->block_bytes);
    return workspace->blocks ? TG_OK : TG_NO_MEMORY;
}

/* Whether the result is the right one, rounded: the same however many elements a loop is called for. Others may differ
 * in the last bit between NumPy's vector instructions and what it does with the rest of a run. */
static bool is_exact(int op) {
    switch (op) {
    case TG_OP_ADD:
    case TG_OP_SUBTRACT:
    case TG_OP_MULTIPLY:
    case TG_OP_DIVIDE:
    case TG_OP_MAXIMUM:
    case TG_OP_MINIMUM: return true;
    default: return false;
    }
}

/* Short rows by tiles; the walk's last participant is the result. */
static void by_tiles(tg_loop loop, int count, int dtype, tg_plane *plane, tg_iterator *walk) {
    enum { ELEMENTS = TG_BLOCK / 2 };
    double blocks[TG_MAX_OPERANDS][ELEMENTS];
    char *args[TG_MAX_OPERANDS + 1];
    const tg_index itemsize = (tg_index)tg_itemsize(dtype);
    const tg_index steps[TG_MAX_OPERANDS + 1] = {itemsize, itemsize, itemsize, itemsize};
    plane->most = ELEMENTS / plane->run;
    do {
        for (tg_index first = 0; first < plane->rows; first += plane->most) {
            const tg_index rows = tg_plane_rows(plane, first), elements = rows * plane->run;
            for (int i = 0; i < count; i++) {
                args[i] = tg_plane_tile(plane, i, walk->data[i] + first * plane->outer[i], rows, dtype,
                                        (char *)blocks[i]);
            }
            args[count] = walk->data[count] + first * plane->outer[count];
            loop.function(args, &elements, steps, loop.data);
        }
    } while (tg_iterator_next(walk));
}

/* The general case: shapes that differ, arrays with gaps. */
static __attribute__((noinline)) tg_status broadcast(tg_loop loop, tg_pool *pool, int count, int dtype, bool exact,
                                                     const tg_value *operands, tg_value *out) {
    tg_index shape[TG_MAX_DIMS], steps[TG_MAX_OPERANDS + 1];
    char *args[TG_MAX_OPERANDS + 1];
    int ndim;
    tg_status status = tg_broadcast_shapes(count, operands, &ndim, shape);
    if (status == TG_OK) status = tg_array_new(pool, dtype, ndim, shape, &out->array);
    if (status != TG_OK || out->array->size == 0) return status;
    tg_iterator walk;
    tg_iterator_init(&walk, ndim, shape);
    for (int i = 0; i < count; i++) tg_iterator_add_value(&walk, &operands[i]);
    tg_iterator_add_array(&walk, out->array);
    tg_iterator_coalesce(&walk);
    tg_plane plane;
    if (exact && tg_plane_begin(&plane, &walk)) {
        by_tiles(loop, count, dtype, &plane, &walk);
        return TG_OK;
    }
    const tg_index run = tg_iterator_run(&walk);
    for (int i = 0; i <= count; i++) steps[i] = tg_iterator_step(&walk, i);
    do {
        for (int i = 0; i <= count; i++) args[i] = walk.data[i]; /* loops may change their arguments */
        loop.function(args, &run, steps, loop.data);
    } while (tg_iterator_next(&walk));
    return TG_OK;
}

/* True for two arrays without gaps whose elements correspond. */
static inline bool in_step(const tg_array *a, const tg_array *b) {
    if (a == b) return true;
    if (!a->contiguous || a->ndim != b->ndim || a->size != b->size) return false;
    return a->ndim == 1 || tg_same_shape(a->ndim, tg_array_shape(a), b->ndim, tg_array_shape(b));
}

/* With `count` known to the compiler its loops are straight-line code. */
static inline __attribute__((always_inline)) tg_status elementwise(const tg_loop loop, tg_pool *pool, const int count,
                                                                   int dtype, int op, const tg_value *operands,
                                                                   tg_value *out) {
    const tg_index itemsize = (tg_index)tg_itemsize(dtype);
    char *args[TG_MAX_OPERANDS + 1];
    tg_index steps[TG_MAX_OPERANDS + 1];

    /* The usual case: one shape, contiguous, perhaps with numbers among the operands. */
    const tg_array *model = NULL;
    bool plain = true;
    for (int i = 0; i < count; i++) {
        const tg_array *array = operands[i].array;
        if (!array) {
            args[i] = (char *)(uintptr_t)&operands[i].scalar;
            steps[i] = 0;
            continue;
        }
        if (!model) {
            model = array;
            plain = array->contiguous;
        } else {
            plain = plain && in_step(array, model);
        }
        args[i] = array->data;
        steps[i] = itemsize;
    }
    out->dtype = dtype;
    out->array = NULL;
    if (!model) {
        const tg_index one = 1;
        args[count] = (char *)&out->scalar;
        steps[count] = 0;
        loop.function(args, &one, steps, loop.data);
        return TG_OK;
    }
    if (!plain) return broadcast(loop, pool, count, dtype, is_exact(op), operands, out);
    tg_status status = tg_array_like(pool, model, &out->array);
    if (status != TG_OK) return status;
    args[count] = out->array->data;
    steps[count] = itemsize;
    loop.function(args, &out->array->size, steps, loop.data);
    return TG_OK;
}

static inline __attribute__((always_inline)) tg_status run_loop(tg_loop loop, int count, tg_pool *pool, int dtype,
                                                                int op, const tg_value *operands, tg_value *out) {
    switch (count) {
    case 1: return elementwise(loop, pool, 1, dtype, op, operands, out);
    case 2: return elementwise(loop, pool, 2, dtype, op, operands, out);
    default: return elementwise(loop, pool, count, dtype, op, operands, out);
    }
}

tg_status tg_elementwise_loop(tg_loop loop, int count, tg_pool *pool, int dtype, const tg_value *operands,
                              tg_value *out) {
    return run_loop(loop, count, pool, dtype, -1, operands, out);
}

tg_status tg_elementwise(const tg_loops *loops, tg_pool *pool, int op, int dtype, const tg_value *operands,
                         tg_value *out) {
    const tg_loop loop = loops->elementwise[op][tg_native_index(dtype)];
    return run_loop(loop, tg_op_table[op].operands, pool, dtype, op, operands, out);
}

void tg_splat(const void *number, int dtype, tg_index count, char *block) {
    if (dtype == TG_F64) {
        const double value = *(const double *)number;
        for (tg_index i = 0; i < count; i++) ((double *)(void *)block)[i] = value;
    } else {
        const float value = *(const float *)number;
        for (tg_index i = 0; i < count; i++) ((float *)(void *)block)[i] = value;
    }
}

/* `count` elements at `data`, `step` bytes apart, written one after the other. */
static void gather_run(const char *data, tg_index step, tg_index count, int dtype, char *block) {
    if (step == 0) {
        tg_splat(data, dtype, count, block);
    } else if (dtype == TG_F64) {
        double *target = (double *)(void *)block;
        for (tg_index i = 0; i < count; i++) target[i] = *(const double *)(const void *)(data + i * step);
    } else {
        float *target = (float *)(void *)block;
        for (tg_index i = 0; i < count; i++) target[i] = *(const float *)(const void *)(data + i * step);
    }
}

void tg_add_run(const tg_loops *loops, int dtype, char *block, tg_index count, char *target) {
    const tg_loop add = loops->elementwise[TG_OP_ADD][tg_native_index(dtype)];
    char *args[3] = {target, block, target};
    const tg_index steps[3] = {0, (tg_index)tg_itemsize(dtype), 0};
    add.function(args, &count, steps, add.data);
}

/* One walk of a partial's kernel over an iterator whose participants are the inputs listed in `role` (an operand, the
 * output's bit, or G) and last the adjoint. */
typedef struct partial_walk {
    const tg_loops *loops;
    const tg_workspace *workspace;
    tg_kernel kernel;
    int dtype;
    int inputs;
    int role[TG_MAX_PARTICIPANTS];
    bool accumulate;
} partial_walk;

static inline void set_input(tg_kernel_args *args, int role, const char *elements) {
    if (role == G) {
        args->g = elements;
    } else if (role == TG_MAX_OPERANDS) {
        args->out = elements;
    } else {
        args->operand[role] = elements;
    }
}

/* One inner run, in blocks. data, steps: of the inputs, and last of the adjoint. */
static void walk_run(const partial_walk *walk, char *const *data, const tg_index *steps, tg_index run) {
    const tg_index itemsize = (tg_index)tg_itemsize(walk->dtype);
    const int last = walk->inputs;
    tg_kernel_args args = {.loops = walk->loops, .scratch = tg_workspace_block(walk->workspace, TG_MAX_PARTICIPANTS)};
    for (tg_index start = 0; start < run; start += TG_BLOCK) {
        args.count = run - start < TG_BLOCK ? run - start : TG_BLOCK;
        for (int i = 0; i < last; i++) {
            char *source = data[i] + start * steps[i];
            if (steps[i] != itemsize) {
                char *block = tg_workspace_block(walk->workspace, i);
                if (steps[i] != 0 || start == 0) gather_run(source, steps[i], args.count, walk->dtype, block);
                source = block;
            }
            set_input(&args, walk->role[i], source);
        }
        if (steps[last] == itemsize) {
            args.adjoint = data[last] + start * itemsize;
            args.accumulate = walk->accumulate;
            walk->kernel(&args);
        } else { /* the operand is broadcast along this run: sum the products */
            char *block = tg_workspace_block(walk->workspace, last);
            args.adjoint = block;
            args.accumulate = false;
            walk->kernel(&args);
            tg_add_run(walk->loops, walk->dtype, block, args.count, data[last]);
        }
    }
}

/* Rows from `first` on of a plane, whose last participant is the adjoint. data: at the plane's beginning. */
static void walk_tile(const partial_walk *walk, tg_plane *plane, char *const *data, tg_index first) {
    const int last = walk->inputs;
    const tg_index rows = tg_plane_rows(plane, first);
    tg_kernel_args args = {.loops = walk->loops,
                           .scratch = tg_workspace_block(walk->workspace, TG_MAX_PARTICIPANTS),
                           .count = rows * plane->run};
    for (int i = 0; i < last; i++) {
        char *const tile = tg_plane_tile(plane, i, data[i] + first * plane->outer[i], rows, walk->dtype,
                                         tg_workspace_block(walk->workspace, i));
        set_input(&args, walk->role[i], tile);
    }
    char *const adjoint = data[last] + first * plane->outer[last];
    if (plane->outer[last] && plane->inner[last]) {
        args.adjoint = adjoint;
        args.accumulate = walk->accumulate;
        walk->kernel(&args);
    } else {
        args.adjoint = tg_workspace_block(walk->workspace, last);
        args.accumulate = false;
        walk->kernel(&args);
        tg_plane_add(plane, last, args.adjoint, rows, walk->dtype, adjoint);
    }
}

/* The bytes of a value's elements, for clearing them. */
static void clear_value(tg_value *value) {
    if (value->array) {
        memset(value->array->data, 0, (size_t)value->array->size * tg_itemsize(value->dtype));
    } else {
        value->scalar.f64 = 0.0;
    }
}

tg_status tg_elementwise_vjp(const tg_loops *loops, tg_workspace *workspace, const tg_use *use, int k,
                             tg_value *adjoint, bool fresh) {
    tg_status status = tg_workspace_ready(workspace);
    if (status != TG_OK) return status;
    const tg_op_info *info = &tg_op_table[use->op];
    partial_walk walk = {.loops = loops,
                         .workspace = workspace,
                         .kernel = info->vjp[k][tg_native_index(use->dtype)],
                         .dtype = use->dtype};
    const tg_index itemsize = (tg_index)tg_itemsize(use->dtype);

    const tg_value *inputs[TG_MAX_PARTICIPANTS];
    for (int bit = 0; bit <= TG_MAX_OPERANDS; bit++) {
        if (!(info->needs[k] >> bit & 1)) continue;
        walk.role[walk.inputs] = bit;
        inputs[walk.inputs++] = &use->saved[bit];
    }
    walk.role[walk.inputs] = G;
    inputs[walk.inputs++] = use->g;

    /* The usual case: everything lies contiguous in one shape, or is a number. */
    tg_index size = 1;
    for (int d = 0; d < use->ndim; d++) size *= use->shape[d];
    bool plain = tg_value_size(adjoint) == size && adjoint->array;
    char *data[TG_MAX_PARTICIPANTS];
    tg_index steps[TG_MAX_PARTICIPANTS];
    for (int i = 0; plain && i < walk.inputs; i++) {
        const tg_array *array = inputs[i]->array;
        plain = !array || (array->contiguous && array->size == size);
        data[i] = array ? array->data : (char *)(uintptr_t)&inputs[i]->scalar;
        steps[i] = array ? itemsize : 0;
    }
    if (plain) {
        walk.accumulate = !fresh;
        data[walk.inputs] = adjoint->array->data;
        steps[walk.inputs] = itemsize;
        walk_run(&walk, data, steps, size);
        return TG_OK;
    }

    bool reduces = tg_value_size(adjoint) != size || !adjoint->array; /* added up in place */
    if (fresh && reduces) clear_value(adjoint);
    if (size == 0) return TG_OK;
    walk.accumulate = !fresh || reduces;
    tg_iterator iterator;
    tg_iterator_init(&iterator, use->ndim, use->shape);
    for (int i = 0; i < walk.inputs; i++) tg_iterator_add_value(&iterator, inputs[i]);
    tg_iterator_add_value(&iterator, adjoint);
    tg_iterator_coalesce(&iterator);
    tg_plane plane;
    if (tg_plane_begin(&plane, &iterator)) {
        do {
            for (tg_index first = 0; first < plane.rows; first += plane.most) {
                walk_tile(&walk, &plane, iterator.data, first);
            }
        } while (tg_iterator_next(&iterator));
        return TG_OK;
    }
    for (int i = 0; i <= walk.inputs; i++) steps[i] = tg_iterator_step(&iterator, i);
    do {
        walk_run(&walk, iterator.data, steps, tg_iterator_run(&iterator));
    } while (tg_iterator_next(&iterator));
    return TG_OK;
}

tg_status tg_sum_to(const tg_loops *loops, tg_workspace *workspace, const tg_value *source, tg_value *target,
                    bool fresh) {
    /* The cotangent of the first operand of an addition is exactly that sum. */
    tg_use use = {.op = TG_OP_ADD,
                  .dtype = source->dtype,
                  .ndim = tg_value_ndim(source),
                  .shape = tg_value_shape(source),
                  .g = source};
    return tg_elementwise_vjp(loops, workspace, &use, 0, target, fresh);
}

void tg_array_add(const tg_loops *loops, tg_array *target, const tg_array *source) {
    if (target->size == 0) return;
    const tg_loop add = loops->elementwise[TG_OP_ADD][tg_native_index(target->dtype)];
    tg_iterator walk;
    tg_iterator_init(&walk, target->ndim, tg_array_shape(target));
    tg_iterator_add_array(&walk, target);
    tg_iterator_add_array(&walk, source);
    tg_iterator_coalesce(&walk);
    const tg_index run = tg_iterator_run(&walk);
    const tg_index steps[3] = {tg_iterator_step(&walk, 0), tg_iterator_step(&walk, 1), tg_iterator_step(&walk, 0)};
    do {
        char *args[3] = {walk.data[0], walk.data[1], walk.data[0]};
        add.function(args, &run, steps, add.data);
    } while (tg_iterator_next(&walk));
}
