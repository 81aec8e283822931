/* numbers.c: operations on single numbers in a reverse sweep and a forward push. */
#include "numbers.h"

#include <math.h>
#include <string.h>

/* After so many nodes the sweep wants to look at its poll function. */
#define MOST_NODES (TG_ELEMENTS_PER_POLL / TG_ELEMENTS_PER_NODE)

/* The rule of an operation on numbers. Its operands' adjoints are numbers too. */
void tg_numbers_node(tg_sweep *sweep, const tg_node *node) {
    tg_cell *cells = sweep->cells;
    uint8_t *states = sweep->states;
    const uint32_t low = sweep->low;
    unsigned wanted = 0;
    for (uint32_t k = 0; k < node->operands; k++) {
        if (!tg_sweep_wants(sweep, node->in[k])) continue;
        states[node->in[k] - low] |= TG_STATE_REACHED;
        wanted |= 1u << k;
    }
    const uint64_t *saved = (const uint64_t *)(node + 1) + tg_node_in_words(node->operands);
    const tg_cell g = cells[node->slot - low];
    if (node->dtype == TG_F64) {
        double in[TG_MAX_OPERANDS + 1], contribution[TG_MAX_OPERANDS];
        for (unsigned mask = node->saved_mask; mask; mask &= mask - 1) memcpy(&in[__builtin_ctz(mask)], saved++, 8);
        tg_scalar_vjp_f64(sweep->loops, node->op, wanted, g.f64, in, in[TG_MAX_OPERANDS], contribution);
        for (; wanted; wanted &= wanted - 1) {
            int k = __builtin_ctz(wanted);
            cells[node->in[k] - low].f64 += contribution[k];
        }
    } else {
        float in[TG_MAX_OPERANDS + 1], contribution[TG_MAX_OPERANDS];
        for (unsigned mask = node->saved_mask; mask; mask &= mask - 1) memcpy(&in[__builtin_ctz(mask)], saved++, 4);
        tg_scalar_vjp_f32(sweep->loops, node->op, wanted, g.f32, in, in[TG_MAX_OPERANDS], contribution);
        for (; wanted; wanted &= wanted - 1) {
            int k = __builtin_ctz(wanted);
            cells[node->in[k] - low].f32 += contribution[k];
        }
    }
}

size_t tg_numbers_run(tg_sweep *sweep, const tg_node *node) {
    const unsigned both = TG_STATE_ACTIVE | TG_STATE_REACHED;
    tg_cell *const cells = sweep->cells;
    uint8_t *const states = sweep->states;
    const uint32_t low = sweep->low, count = sweep->high - low;
    size_t cursor = sweep->cursor, walked = 0;
    for (;;) {
        walked++;
        if ((states[node->slot - low] & both) == both) {
            /* TG_NO_SLOT and slots before the window wrap to large numbers */
            const uint32_t a = node->in[0] - low, b = node->in[1] - low;
            const bool wants_a = a < count && (states[a] & TG_STATE_ACTIVE);
            const bool wants_b = b < count && (states[b] & TG_STATE_ACTIVE);
            const double *saved = (const double *)((const uint64_t *)(node + 1) + 1);
            double in[TG_MAX_OPERANDS], out = 0.0, contribution[TG_MAX_OPERANDS];
            if (node->saved_mask & 1) in[0] = *saved++;
            if (node->saved_mask & 2) in[1] = *saved++;
            if (node->saved_mask & TG_NEEDS_OUT) out = *saved;
            tg_scalar_vjp_f64(sweep->loops, node->op, (wants_a ? 1u : 0u) | (wants_b ? 2u : 0u),
                              cells[node->slot - low].f64, in, out, contribution);
            if (wants_a) {
                states[a] |= TG_STATE_REACHED;
                cells[a].f64 += contribution[0];
            }
            if (wants_b) {
                states[b] |= TG_STATE_REACHED;
                cells[b].f64 += contribution[1];
            }
        }
        if (node->slot <= low || walked == MOST_NODES) break;
        const tg_node *before = (const tg_node *)(sweep->tape->arena + cursor - node->previous);
        if (before->kind != TG_NODE_ELEMENTWISE || before->ndim || before->dtype != TG_F64 ||
            (before->flags & TG_FLAG_GENERIC) || before->operands > 2) {
            break;
        }
        cursor -= node->previous;
        node = before;
    }
    sweep->cursor = cursor;
    return walked;
}

/* A tangent that met a partial of exactly zero contributes nothing, be it infinite: nan is asked about here. */
static bool partial_is_zero(const tg_push *push, const tg_node *node, uint32_t k, const double *in64,
                            const float *in32) {
    double of64[TG_MAX_OPERANDS];
    float of32[TG_MAX_OPERANDS];
    if (node->dtype == TG_F64) {
        tg_scalar_vjp_f64(push->loops, node->op, 1u << k, 1.0, in64, in64[TG_MAX_OPERANDS], of64);
        return of64[k] == 0.0;
    }
    tg_scalar_vjp_f32(push->loops, node->op, 1u << k, 1.0f, in32, in32[TG_MAX_OPERANDS], of32);
    return of32[k] == 0.0f;
}

tg_status tg_numbers_push(tg_push *push, const tg_node *node) {
    const tg_op_info *info = &tg_op_table[node->op];
    const uint64_t *saved = (const uint64_t *)(node + 1) + tg_node_in_words(node->operands);
    double in64[TG_MAX_OPERANDS + 1], sum64 = 0.0;
    float in32[TG_MAX_OPERANDS + 1], sum32 = 0.0f;
    for (unsigned mask = node->saved_mask; mask; mask &= mask - 1) {
        const int bit = __builtin_ctz(mask);
        memcpy(&in64[bit], saved, sizeof *in64);
        memcpy(&in32[bit], saved++, sizeof *in32);
    }
    bool any = false;
    for (uint32_t k = 0; k < node->operands; k++) {
        tg_value t;
        if (!info->partial[k] || node->in[k] == TG_NO_SLOT || !tg_push_peek(push, node->in[k], &t)) continue;
        any = true;
        if (node->dtype == TG_F64) {
            double contribution[TG_MAX_OPERANDS];
            tg_scalar_vjp_f64(push->loops, node->op, 1u << k, t.scalar.f64, in64, in64[TG_MAX_OPERANDS], contribution);
            if (isnan(contribution[k]) && partial_is_zero(push, node, k, in64, in32)) continue;
            sum64 += contribution[k];
        } else {
            float contribution[TG_MAX_OPERANDS];
            tg_scalar_vjp_f32(push->loops, node->op, 1u << k, t.scalar.f32, in32, in32[TG_MAX_OPERANDS], contribution);
            if (isnan(contribution[k]) && partial_is_zero(push, node, k, in64, in32)) continue;
            sum32 += contribution[k];
        }
    }
    if (!any) return TG_OK;
    tg_value sum = {.array = NULL, .dtype = node->dtype};
    if (node->dtype == TG_F64) {
        sum.scalar.f64 = sum64;
    } else {
        sum.scalar.f32 = sum32;
    }
    return tg_push_set(push, node->slot, &sum);
}
