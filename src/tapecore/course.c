/* course.c: the blocks of a relay, and the kernels' calls for each of them. */
#include "course.h"

#include <string.h>

#include "copy.h"
#include "scan.h"

#define STEPS (TG_RELAY_LEGS * TG_MAX_OPERANDS)
#define VALUES (TG_RELAY_LEGS * (TG_MAX_OPERANDS + 1))
#define PARTS (STEPS + VALUES + TG_RELAY_LEGS)

enum { ONES, TAMED, PARTIAL, FIRST_BLOCK }; /* blocks with a purpose of their own */

/* An array or number that is read or written. */
typedef struct part {
    char *data;
    tg_index direction; /* bytes from one of the batch to the next */
    tg_index strides[TG_RELAY_DIMS];
    tg_index row;       /* where the present row begins, in bytes from `data` */
    tg_index inner;     /* bytes from one element of a row to the next */
    int block;          /* where a row's elements are put if they do not follow each other, or -1 */
    const char *copied; /* the first of those that stand there */
} part;

/* One term. */
typedef struct step {
    tg_kernel kernel;                    /* NULL: the elements at `indices` are taken */
    const int64_t *indices;
    part *from;                          /* its tangent, or NULL: that of leg `source` */
    part *saved[TG_MAX_OPERANDS + 1];    /* those that the partial mentions */
    uint8_t needs;
    uint8_t leg, source;
    bool passes_on, accumulate;
    int partial; /* the block in which it is kept for all directions, or -1: evaluated with each */
} step;

typedef struct course {
    tg_push *push;
    const tg_relay *relay;
    int ndim, parts, steps, values, blocks;
    tg_index shape[TG_RELAY_DIMS];
    tg_index longest; /* elements of a block */
    size_t block_bytes;
    char *memory; /* the kernels' scratch, then the blocks */
    part part[PARTS];
    step step[STEPS];
    tg_value value[VALUES];       /* what the steps' nodes saved; borrowed */
    part *result[TG_RELAY_LEGS];  /* of legs whose tangent is needed later, or NULL */
    int block[TG_RELAY_LEGS];     /* of the others */
} course;

#define SCRATCH_BYTES (TG_SCRATCH_BLOCKS * TG_BLOCK * sizeof(double))

static char *block_at(const course *c, int index) { return c->memory + SCRATCH_BYTES + (size_t)index * c->block_bytes; }

static part *add_part(course *c, char *data, const tg_array *array, bool batched) {
    part *p = &c->part[c->parts++];
    *p = (part){.data = data, .block = -1};
    if (array) {
        tg_index strides[TG_RELAY_DIMS];
        tg_relay_align(c->relay, array, batched, strides);
        const int last = c->relay->ndim - 1;
        if (c->relay->flat) { /* a row of one element belongs to a number */
            for (int d = 0; d <= last && !p->strides[0]; d++) {
                if (strides[d]) p->strides[0] = (tg_index)tg_itemsize(c->relay->dtype);
            }
        } else {
            memcpy(p->strides, strides, (size_t)c->relay->ndim * sizeof *strides);
        }
        if (batched) p->direction = tg_array_strides(array)[0];
    }
    p->inner = p->strides[c->ndim - 1];
    if (p->inner != (tg_index)tg_itemsize(c->relay->dtype)) p->block = c->blocks++;
    return p;
}

static part *value_part(course *c, tg_value *value, bool batched) {
    if (value->array) return add_part(c, value->array->data, value->array, batched);
    return add_part(c, (char *)&value->scalar, NULL, false);
}

static void add_step(course *c, int leg_index, const tg_node *node, tg_term *term, part **saved, bool accumulate) {
    const tg_op_info *info = &tg_op_table[node->op];
    step *s = &c->step[c->steps++];
    *s = (step){.kernel = info->vjp[term->k][tg_native_index(node->dtype)],
                .needs = info->needs[term->k],
                .leg = (uint8_t)leg_index,
                .passes_on = tg_op_passes_on(info, term->k),
                .accumulate = accumulate,
                .partial = -1};
    memcpy(s->saved, saved, sizeof s->saved);
    if (term->leg >= 0) {
        s->source = (uint8_t)term->leg;
    } else {
        s->from = value_part(c, &term->tangent, c->push->batch > 0 && term->tangent.array);
    }
    if (c->push->batch && tg_batch_is_computed(info, term->k)) s->partial = c->blocks++;
}

static void add_steps(course *c, int leg_index, const tg_node *node, tg_leg *leg) {
    part *saved[TG_MAX_OPERANDS + 1] = {NULL};
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1) {
        const int bit = __builtin_ctz(mask);
        tg_value *value = &c->value[c->values++];
        *value = tg_node_saved_value(node, bit);
        saved[bit] = value_part(c, value, false);
    }
    for (int i = 0; i < leg->terms; i++) add_step(c, leg_index, node, &leg->term[i], saved, i > 0);
}

static void add_take(course *c, int leg_index, const tg_node *node, tg_term *term) {
    step *s = &c->step[c->steps++];
    *s = (step){.leg = (uint8_t)leg_index, .partial = -1};
    s->indices = (const int64_t *)(const void *)tg_node_saved_value(node, 1).array->data;
    s->from = add_part(c, term->tangent.array->data, term->tangent.array, c->push->batch > 0);
}

/* Makes the steps. results: for each leg the array that its tangent is written to, or NULL. */
static void plan(course *c, tg_array **results) {
    const tg_push *push = c->push;
    for (int i = 0; i < push->relay->legs; i++) {
        tg_leg *leg = &push->relay->leg[i];
        const tg_node *node = tg_tape_node(push->tape, leg->slot);
        if (leg->takes) {
            add_take(c, i, node, &leg->term[0]);
        } else {
            add_steps(c, i, node, leg);
        }
        if (results[i]) c->result[i] = add_part(c, results[i]->data, results[i], push->batch > 0);
    }
}

/* Blocks for the results that nobody needs later, each free for others behind its last reader. */
static void place_results(course *c) {
    int unused[TG_RELAY_LEGS], available = 0, last_read[TG_RELAY_LEGS];
    for (int i = 0; i < TG_RELAY_LEGS; i++) last_read[i] = -1;
    for (int i = 0; i < c->steps; i++) {
        if (!c->step[i].from) last_read[c->step[i].source] = i;
    }
    for (int i = 0; i < c->steps; i++) {
        const step *s = &c->step[i];
        if (!s->accumulate && !c->result[s->leg]) c->block[s->leg] = available ? unused[--available] : c->blocks++;
        if (!s->from && last_read[s->source] == i && !c->result[s->source]) unused[available++] = c->block[s->source];
    }
}

/* `count` elements of a part's row. */
static const char *elements(const course *c, part *p, tg_index direction, tg_index start, tg_index count) {
    const char *data = p->data + p->row + direction * p->direction + start * p->inner;
    if (p->block < 0) return data;
    char *block = block_at(c, p->block);
    if (p->copied == data) return block;
    p->copied = data;
    if (p->inner == 0) {
        tg_splat(data, c->relay->dtype, c->longest, block);
    } else {
        const tg_index itemsize = (tg_index)tg_itemsize(c->relay->dtype);
        tg_copy_strided((size_t)itemsize, 1, &count, data, &p->inner, block, &itemsize);
    }
    return block;
}

static char *result_at(const course *c, int leg, tg_index direction, tg_index start) {
    const part *p = c->result[leg];
    if (!p) return block_at(c, c->block[leg]);
    return p->data + p->row + direction * p->direction + start * (tg_index)tg_itemsize(c->relay->dtype);
}

/* The step's partial by itself. */
static void evaluate(const course *c, const step *s, const tg_kernel_args *given, char *block) {
    tg_kernel_args args = *given;
    args.g = block_at(c, ONES);
    args.adjoint = block;
    args.accumulate = false;
    s->kernel(&args);
}

/* As tg_batch_tame: the tangent with exact zeros where the partial is zero. */
static const char *tamed(const course *c, const char *partial, const char *t, tg_index count) {
    char *out = block_at(c, TAMED);
    if (c->relay->dtype == TG_F64) {
        const double *slope = (const double *)(const void *)partial, *from = (const double *)(const void *)t;
        double *to = (double *)(void *)out;
        for (tg_index i = 0; i < count; i++) to[i] = slope[i] != 0.0 ? from[i] : 0.0;
    } else {
        const float *slope = (const float *)(const void *)partial, *from = (const float *)(const void *)t;
        float *to = (float *)(void *)out;
        for (tg_index i = 0; i < count; i++) to[i] = slope[i] != 0.0f ? from[i] : 0.0f;
    }
    return out;
}

static void take(const course *c, const step *s, tg_index direction, tg_index start, tg_index count) {
    const part *p = s->from;
    const char *data = p->data + p->row + direction * p->direction;
    const int64_t *indices = s->indices + start;
    char *result = result_at(c, s->leg, direction, start);
    tg_copy_taken(tg_itemsize(c->relay->dtype), indices, count, data, p->inner, result);
}

static void run_step(const course *c, const step *s, tg_index direction, tg_index start, tg_index count) {
    const int dtype = c->relay->dtype;
    if (!s->kernel) {
        take(c, s, direction, start, count);
        return;
    }
    tg_kernel_args args;
    args.loops = c->push->loops;
    args.count = count;
    args.scratch = c->memory;
    for (unsigned mask = s->needs; mask; mask &= mask - 1) {
        const int bit = __builtin_ctz(mask);
        const char *data = elements(c, s->saved[bit], 0, start, count);
        if (bit == TG_MAX_OPERANDS) {
            args.out = data;
        } else {
            args.operand[bit] = data;
        }
    }
    const char *t = s->from ? elements(c, s->from, direction, start, count)
                            : result_at(c, s->source, direction, start);
    if (s->partial >= 0 && direction == 0) evaluate(c, s, &args, block_at(c, s->partial));
    char *result = result_at(c, s->leg, direction, start);
    const unsigned found = s->passes_on ? TG_SOME_NONZERO : tg_scan(dtype, t, (tg_index)tg_itemsize(dtype), count);
    if (!(found & TG_SOME_NONZERO)) { /* as in most directions that the columns of a Jacobian are made of */
        if (!s->accumulate) memset(result, 0, (size_t)count * tg_itemsize(dtype));
        return;
    }
    if (found & TG_SOME_INFINITE) {
        if (s->partial < 0) evaluate(c, s, &args, block_at(c, PARTIAL));
        t = tamed(c, block_at(c, s->partial < 0 ? PARTIAL : s->partial), t, count);
    }
    args.g = t;
    args.adjoint = result;
    args.accumulate = s->accumulate;
    if (s->partial < 0) {
        s->kernel(&args);
        return;
    }
    args.operand[1] = block_at(c, s->partial);
    tg_op_table[TG_OP_MULTIPLY].vjp[0][tg_native_index(dtype)](&args);
}

static tg_status run_row(const course *c) {
    tg_push *push = c->push;
    const tg_index row = c->shape[c->ndim - 1], directions = push->batch ? push->batch : 1;
    for (tg_index start = 0; start < row; start += TG_BLOCK) {
        const tg_index count = row - start < TG_BLOCK ? row - start : TG_BLOCK;
        for (tg_index direction = 0; direction < directions; direction++) {
            for (int i = 0; i < c->steps; i++) run_step(c, &c->step[i], direction, start, count);
        }
        push->worked += count * directions * c->steps;
        if (push->worked < TG_ELEMENTS_PER_POLL) continue;
        push->worked = 0;
        tg_status status = push->hooks.poll(push->hooks.context);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

/* Moves all parts to the next row; false after the last. */
static bool next_row(course *c, tg_index *row) {
    int d = c->ndim - 2;
    while (d >= 0 && ++row[d] == c->shape[d]) row[d--] = 0;
    if (d < 0) return false;
    for (int i = 0; i < c->parts; i++) {
        part *p = &c->part[i];
        p->row = 0;
        for (int e = 0; e < c->ndim - 1; e++) p->row += row[e] * p->strides[e];
    }
    return true;
}

static tg_status run_rows(course *c) {
    tg_pool *pool = c->push->tape->pool;
    c->longest = c->shape[c->ndim - 1] < TG_BLOCK ? c->shape[c->ndim - 1] : TG_BLOCK;
    c->block_bytes = ((size_t)c->longest * tg_itemsize(c->relay->dtype) + TG_ALIGNMENT - 1) & ~(size_t)(TG_ALIGNMENT - 1);
    size_t bytes;
    c->memory = tg_pool_take(pool, SCRATCH_BYTES + (size_t)c->blocks * c->block_bytes, &bytes);
    if (!c->memory) return TG_NO_MEMORY;
    tg_scalar one = {.f64 = 1.0};
    if (c->relay->dtype == TG_F32) one.f32 = 1.0f;
    tg_splat(&one, c->relay->dtype, c->longest, block_at(c, ONES));
    tg_index row[TG_RELAY_DIMS] = {0};
    tg_status status;
    do {
        status = run_row(c);
    } while (status == TG_OK && next_row(c, row));
    tg_pool_give(pool, c->memory, bytes);
    return status;
}

tg_status tg_course_run(tg_push *push, tg_array **results) {
    const tg_relay *relay = push->relay;
    size_t bytes;
    course *c = tg_pool_take(push->tape->pool, sizeof *c, &bytes);
    if (!c) return TG_NO_MEMORY;
    memset(c, 0, offsetof(course, part));
    memset(c->result, 0, sizeof c->result);
    c->push = push;
    c->relay = relay;
    c->blocks = FIRST_BLOCK;
    c->ndim = relay->flat ? 1 : relay->ndim;
    memcpy(c->shape, relay->flat ? &relay->size : relay->shape, (size_t)c->ndim * sizeof *c->shape);
    plan(c, results);
    place_results(c);
    tg_status status = run_rows(c);
    tg_pool_give(push->tape->pool, c, bytes);
    return status;
}
