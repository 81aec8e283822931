/* api_number.c: float64 numbers on one tape, passed by value. */
#include <math.h>
#include <string.h>

#include "api.h"

/* A place: in the upper half what the tape's id leaves modulo 2**32 - 1, plus one, so that no place is 0; in the lower
 * one the slot. A number would have to survive 2**32 - 1 tapes to be taken for one of another. */
uint64_t tg_number_tag(uint64_t id) { return (id % UINT32_MAX + 1) << 32; }

static tapegrad_number known(const tapegrad_tape *tape, double value, uint32_t slot) {
    return (tapegrad_number){value, tape->tag | slot};
}

__attribute__((cold, noinline)) static tapegrad_number break_tape(tapegrad_tape *tape, tapegrad_status status) {
    if (tape->broken == TAPEGRAD_OK) tape->broken = status;
    return (tapegrad_number){NAN, 0};
}

/* Whether the number is a constant or of this tape as it is now: a reset gives it another tag. */
static inline bool belongs(const tapegrad_tape *tape, tapegrad_number x) {
    return !x.place || (x.place & ~(uint64_t)UINT32_MAX) == tape->tag;
}

static inline uint32_t slot_of(tapegrad_number x) { return x.place ? (uint32_t)x.place : TG_NO_SLOT; }

tapegrad_number tapegrad_watch_number(tapegrad_tape *tape, double value) {
    uint32_t slot;
    if (tape->used_up) return break_tape(tape, TAPEGRAD_BAD_STATE);
    tg_status status = tg_tape_watch(&tape->tape, TG_F64, 0, NULL, &slot);
    return status == TG_OK ? known(tape, value, slot) : break_tape(tape, (tapegrad_status)status);
}

static uint64_t word_of(double value) {
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

/* Out of line, as other rare things are: the common ones then need few registers. */
__attribute__((noinline)) static double by_loop(const tg_loop *loop, int count, double x, double y) {
    const tg_index one = 1, steps[3] = {0, 0, 0};
    double out;
    char *args[3] = {(char *)&x, count == 1 ? (char *)&out : (char *)&y, (char *)&out};
    loop->function(args, &one, steps, loop->data);
    return out;
}

static inline double compute(const tg_loops *loops, int op, int count, double x, double y) {
    switch (op) { /* the commonest in one instruction; they round the same everywhere */
    case TG_OP_ADD: return x + y;
    case TG_OP_SUBTRACT: return x - y;
    case TG_OP_MULTIPLY: return x * y;
    case TG_OP_DIVIDE: return x / y;
    default: return by_loop(&loops->elementwise[op][TG_NATIVE_F64], count, x, y);
    }
}

/* Records what has been computed; again after there is room. */
static inline tapegrad_number record(tapegrad_tape *tape, const tapegrad_op *op, int count, tapegrad_number x,
                                     tapegrad_number y, double out);

__attribute__((cold, noinline)) static tapegrad_number record_with_room(tapegrad_tape *tape, const tapegrad_op *op,
                                                                         int count, tapegrad_number x,
                                                                         tapegrad_number y, double out) {
    tg_status status = tg_tape_reserve(&tape->tape, sizeof(tg_node) / 8 + 4, 1);
    return status == TG_OK ? record(tape, op, count, x, y, out) : break_tape(tape, (tapegrad_status)status);
}

static inline tapegrad_number record(tapegrad_tape *tape, const tapegrad_op *op, int count, tapegrad_number x,
                                     tapegrad_number y, double out) {
    uint32_t slot;
    switch (tg_record_slots(&tape->tape, op->number, TG_F64, count == 2, slot_of(x), word_of(x.value), slot_of(y),
                            word_of(y.value), word_of(out), &slot)) {
    case TG_QUICK_RECORDED: return known(tape, out, slot);
    case TG_QUICK_NOTHING: return (tapegrad_number){out, 0};
    default: return record_with_room(tape, op, count, x, y, out);
    }
}

/* An op of the table on one or two numbers. */
static inline tapegrad_number apply(tapegrad_tape *tape, const tapegrad_op *op, int count, tapegrad_number x,
                                    tapegrad_number y) {
    if (!op || op->number < 0 || op->definition.operands != count) return break_tape(tape, TAPEGRAD_BAD_VALUE);
    const double out = compute(tape->context->loops, op->number, count, x.value, y.value);
    if (!(x.place | y.place)) return (tapegrad_number){out, 0};
    if (tape->used_up || !belongs(tape, x) || !belongs(tape, y)) return break_tape(tape, TAPEGRAD_BAD_STATE);
    return record(tape, op, count, x, y, out);
}

tapegrad_number tapegrad_number_unary(tapegrad_tape *tape, const tapegrad_op *op, tapegrad_number x) {
    return apply(tape, op, 1, x, (tapegrad_number){0, 0});
}

tapegrad_number tapegrad_number_binary(tapegrad_tape *tape, const tapegrad_op *op, tapegrad_number x,
                                       tapegrad_number y) {
    return apply(tape, op, 2, x, y);
}

tapegrad_status tapegrad_number_from_value(tapegrad_tape *tape, tapegrad_value *value, tapegrad_number *number) {
    if (!value) return tapegrad_error_status();
    if (value->value.dtype != TG_F64 || value->value.array) {
        return tg_fail(TAPEGRAD_BAD_DTYPE, "tapegrad_number_from_value: numbers are float64 values without dimensions");
    }
    if (tg_is_followed(value, &tape->tape)) {
        return tg_fail(TAPEGRAD_FOLLOWED, "tapegrad_number_from_value: another tape that records knows this value, and "
                                          "numbers are on one tape only");
    }
    const uint32_t slot = tg_slot_of(tape, value);
    *number = slot == TG_NO_SLOT ? tapegrad_constant_number(value->value.scalar.f64)
                                 : known(tape, value->value.scalar.f64, slot);
    return TAPEGRAD_OK;
}

tapegrad_value *tapegrad_value_from_number(tapegrad_tape *tape, tapegrad_number number) {
    if (!belongs(tape, number)) {
        tg_fail(TAPEGRAD_BAD_STATE,
                "tapegrad_value_from_number: the number is from before a reset, or of another tape");
        return NULL;
    }
    tapegrad_value *value = tapegrad_scalar(tape->context, TG_F64, number.value);
    if (value && number.place) {
        value->handles.id[0] = tape->tape.id;
        value->handles.slot[0] = (uint32_t)number.place;
    }
    return value;
}

tapegrad_status tapegrad_number_gradient(tapegrad_tape *tape, tapegrad_number target, int sources_count,
                                         const tapegrad_number *sources, double *gradients) {
    tapegrad_context *context = tape->context;
    size_t bytes;
    tapegrad_value **values =
        tg_pool_take(context->pool, 2 * ((size_t)sources_count + 1) * sizeof *values, &bytes);
    if (!values) return tg_fail_core(TG_NO_MEMORY, "tapegrad_number_gradient");
    tapegrad_value **found = values + sources_count, *end = tapegrad_value_from_number(tape, target);
    int made = 0;
    for (; end && made < sources_count; made++) {
        values[made] = tapegrad_value_from_number(tape, sources[made]);
        if (!values[made]) break;
    }
    const tapegrad_status status =
        end && made == sources_count ? tapegrad_gradient(tape, 1, &end, NULL, sources_count, values, found)
                                     : tapegrad_error_status();
    for (int k = 0; k < made; k++) {
        if (status == TAPEGRAD_OK) {
            gradients[k] = found[k] ? found[k]->value.scalar.f64 : 0;
            tapegrad_release(found[k]);
        }
        tapegrad_release(values[k]);
    }
    tapegrad_release(end);
    tg_pool_give(context->pool, values, bytes);
    return status;
}
