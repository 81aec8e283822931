/* programs.h: random programs of elementwise operations, and their gradients the slow way, element by element.
 *
 * A program is a list of steps. Values are numbered: first the inputs, then the result of each step. It is made up
 * while it is computed, so that values stay within a few units; it can then be run again on other inputs.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "lab.h"

#define PROGRAM_INPUTS 5
#define PROGRAM_STEPS 120
#define PROGRAM_VALUES (PROGRAM_INPUTS + PROGRAM_STEPS)

/* Steps that are no operation of ops.def: the sum of all elements; a view with the same shape. */
enum { STEP_SUM = -1, STEP_VIEW = -2 };

typedef struct step {
    int op;
    int operand[TG_MAX_OPERANDS];
} step;

typedef struct program {
    int dtype, ndim;        /* of the largest values */
    tg_index shape[2];
    bool watched[PROGRAM_INPUTS];
    int steps;
    step step[PROGRAM_STEPS];
    tensor value[PROGRAM_VALUES];
} program;

static inline int program_values(const program *p) { return PROGRAM_INPUTS + p->steps; }
static inline int step_operands(const step *s) { return s->op < 0 ? 1 : tg_op_table[s->op].operands; }

static inline tensor run_step(lab *l, const program *p, const step *s) {
    tensor operands[TG_MAX_OPERANDS] = {p->value[s->operand[0]]};
    for (int k = 1; k < step_operands(s); k++) operands[k] = p->value[s->operand[k]];
    if (s->op >= 0) return lab_apply(l, s->op, step_operands(s), operands);
    const int ndim = tg_value_ndim(&operands[0].value);
    const tg_index all = ((tg_index)1 << ndim) - 1;
    tg_call call = {.op = TG_SUM, .dtype = p->dtype, .params_count = 1, .params = &all};
    if (s->op == STEP_VIEW) {
        call = (tg_call){.op = TG_RESHAPE, .dtype = p->dtype, .ndim = ndim};
        for (int d = 0; d < ndim; d++) call.shape[d] = tg_value_shape(&operands[0].value)[d];
    }
    return lab_structural(l, &call, 1, operands);
}

static inline double largest(const tg_value *value) {
    double most = 0;
    for (tg_index i = 0; i < tg_value_size(value); i++) most = fmax(most, fabs(lab_at(value, i)));
    return most;
}

/* Inputs of every shape that broadcasts to p->shape: whole ones, a row, a column, a number. */
static inline void make_inputs(lab *l, program *p) {
    const tg_index *shape = p->shape, column[2] = {p->shape[0], 1};
    const int dtype = p->dtype, ndim = p->ndim;
    p->value[0] = lab_random_as(l, dtype, ndim, shape, lab_below(l, LAB_LAYOUTS));
    p->value[1] = lab_random(l, dtype, ndim, shape);
    p->value[2] = lab_random(l, dtype, 0, NULL);
    p->value[3] = ndim == 2 ? lab_random(l, dtype, 1, shape + 1) : lab_random(l, dtype, 1, (tg_index[]){1});
    p->value[4] = ndim == 2 ? lab_random(l, dtype, 2, column) : lab_random(l, dtype, 0, NULL);
    for (int i = 0; i < PROGRAM_INPUTS; i++) {
        p->watched[i] = lab_below(l, 4) != 0;
        if (p->watched[i]) p->value[i] = lab_watch(l, p->value[i]);
    }
}

/* Mostly the latest values, so that long chains occur; sometimes any, so that paths fork and join. */
static inline int pick_value(lab *l, int values) {
    const int recent = lab_below(l, 3) == 0 ? values : 3 < values ? 3 : values;
    return values - 1 - lab_below(l, recent);
}

static inline void make_step(lab *l, program *p, step *s) {
    static const int one[] = {TG_OP_SIN,     TG_OP_TANH, TG_OP_SIGMOID, TG_OP_NEGATIVE, TG_OP_SQUARE,
                              TG_OP_ARCTAN,  TG_OP_COS,  TG_OP_POSITIVE, TG_OP_FLOOR};
    static const int two[] = {TG_OP_ADD, TG_OP_MULTIPLY, TG_OP_SUBTRACT, TG_OP_MAXIMUM};
    const int values = program_values(p), kind = lab_below(l, 20);
    const int latest = values - 1;
    if (largest(&p->value[latest].value) > 4) {
        *s = (step){TG_OP_TANH, {latest, 0, 0}};
        return;
    }
    s->op = one[lab_below(l, sizeof one / sizeof *one)];
    if (kind < 11) s->op = two[lab_below(l, sizeof two / sizeof *two)];
    if (kind == 11) s->op = TG_OP_CLIP;
    if (kind == 12) s->op = STEP_VIEW;
    if (kind == 13) s->op = STEP_SUM;
    if (s->op == TG_OP_FLOOR && lab_below(l, 4)) s->op = TG_OP_SIN; /* where gradients end: seldom */
    for (int k = 0; k < TG_MAX_OPERANDS; k++) s->operand[k] = pick_value(l, values);
}

static inline void make_program(lab *l, program *p, int steps) {
    p->steps = 0;
    make_inputs(l, p);
    while (p->steps < steps && l->status == TG_OK) {
        step *s = &p->step[p->steps];
        make_step(l, p, s);
        p->value[program_values(p)] = run_step(l, p, s);
        p->steps++;
    }
}

/* Runs the steps again after the inputs have changed. */
static inline void run_program(lab *l, program *p) {
    for (int i = 0; i < p->steps && l->status == TG_OK; i++) {
        p->value[PROGRAM_INPUTS + i] = run_step(l, p, &p->step[i]);
    }
}

/* ---- gradients by brute force ---- */

typedef struct naive_adjoints {
    double *of[PROGRAM_VALUES]; /* NULL: no target depends on the value */
} naive_adjoints;

static inline double *naive_adjoint(const program *p, naive_adjoints *adjoints, int value) {
    const size_t size = (size_t)tg_value_size(&p->value[value].value);
    if (!adjoints->of[value]) adjoints->of[value] = calloc(size + 1, sizeof(double));
    if (!adjoints->of[value]) abort();
    return adjoints->of[value];
}

static inline double scalar_vjp(const lab *l, int op, int k, int dtype, double g, const double *in, double out) {
    if (dtype == TG_F64) {
        double contributions[TG_MAX_OPERANDS];
        tg_scalar_vjp_f64(&l->loops, op, 1u << k, g, in, out, contributions);
        return contributions[k];
    }
    const float narrow[TG_MAX_OPERANDS] = {(float)in[0], (float)in[1], (float)in[2]};
    float contributions[TG_MAX_OPERANDS];
    tg_scalar_vjp_f32(&l->loops, op, 1u << k, (float)g, narrow, (float)out, contributions);
    return (double)contributions[k];
}

/* The cotangents of one step's operands; `known` says which values the tape knows. */
static inline void naive_step(const lab *l, const program *p, int index, const bool *known, naive_adjoints *adjoints) {
    const step *s = &p->step[index];
    const int result = PROGRAM_INPUTS + index, count = step_operands(s);
    const tg_value *out = &p->value[result].value;
    const double *g = adjoints->of[result];
    for (int k = 0; k < count; k++) {
        if (!known[s->operand[k]] || (s->op >= 0 && !tg_op_table[s->op].partial[k])) continue;
        double *adjoint = naive_adjoint(p, adjoints, s->operand[k]);
        const tg_value *operand = &p->value[s->operand[k]].value;
        if (s->op < 0) {
            for (tg_index i = 0; i < tg_value_size(operand); i++) adjoint[i] += g[s->op == STEP_SUM ? 0 : i];
            continue;
        }
        const int ndim = tg_value_ndim(out), own = tg_value_ndim(operand);
        for (tg_index i = 0; i < tg_value_size(out); i++) {
            tg_index at[TG_MAX_DIMS];
            double in[TG_MAX_OPERANDS] = {0};
            lab_coordinates(i, ndim, tg_value_shape(out), at);
            for (int j = 0; j < count; j++) in[j] = lab_broadcast_at(&p->value[s->operand[j]].value, ndim, at);
            adjoint[lab_index(own, tg_value_shape(operand), at + ndim - own)] +=
                scalar_vjp(l, s->op, k, p->dtype, g[i], in, lab_at(out, i));
        }
    }
}

/* The adjoints of all values; a value may be several targets. seeds NULL: ones. To be freed by naive_free. */
static inline naive_adjoints naive_gradients(const lab *l, const program *p, int targets_count, const int *targets,
                                             const tensor *seeds) {
    naive_adjoints adjoints = {{NULL}};
    bool known[PROGRAM_VALUES];
    for (int v = 0; v < program_values(p); v++) known[v] = lab_slot(l, p->value[v]) != TG_NO_SLOT;
    for (int t = 0; t < targets_count; t++) {
        double *adjoint = naive_adjoint(p, &adjoints, targets[t]);
        for (tg_index i = 0; i < tg_value_size(&p->value[targets[t]].value); i++) {
            adjoint[i] += seeds ? lab_at(&seeds[t].value, i) : 1;
        }
    }
    for (int i = p->steps - 1; i >= 0; i--) {
        if (adjoints.of[PROGRAM_INPUTS + i]) naive_step(l, p, i, known, &adjoints);
    }
    return adjoints;
}

static inline void naive_free(naive_adjoints *adjoints) {
    for (int v = 0; v < PROGRAM_VALUES; v++) free(adjoints->of[v]);
}

#endif
