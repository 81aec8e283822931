"""The fixed C text around the generated kernels: what every kernel calls, for each floating point type."""

from __future__ import annotations

from string import Template

from lower import FloatType

PROLOGUE = """\
#include "multiversion.h" /* first, so that every inlined function agrees */
#include "ops.h"

#include <math.h>
#include <string.h>

/* The results must be those of the rules' text evaluated step by step: no fused multiply-add. GCC is told by
 * -ffp-contract=off; it does not know the pragma. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

/* A function that must not become part of its caller. */
#if defined(__GNUC__)
#define TG_APART __attribute__((noinline))
#else
#define TG_APART
#endif

/* The iterations of the loop that follows are independent: where two arrays are the same memory, they are so element
 * for element. */
#if defined(__clang__)
#define TG_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define TG_INDEPENDENT _Pragma("GCC ivdep")
#else
#define TG_INDEPENDENT
#endif
"""

_TYPE_PROLOGUE = Template("""\
/* g * partial, and exactly zero where g is zero, whatever the partial is. */
static inline $T times_$s($T g, $T partial) {
    const $T product = g * partial;
    return g == $zero ? $zero : product;
}

static inline $T sign_$s($T x) { return x > $zero ? $one : x < $zero ? -$one : x == $zero ? $zero : x; }

static inline $T heaviside_$s($T x, $T at_zero) { return x > $zero ? $one : x < $zero ? $zero : x == $zero ? at_zero : x; }

/* NumPy's loop over a block: each argument is a pointer and its stride in bytes. */
static inline void block1_$s(const tg_loop *loop, tg_index count, const $T *x, tg_index x_step, $T *out) {
    char *args[2] = {(char *)x, (char *)out};
    const tg_index steps[2] = {x_step, sizeof($T)};
    loop->function(args, &count, steps, loop->data);
}

static inline void block2_$s(const tg_loop *loop, tg_index count, const $T *x, tg_index x_step, const $T *y,
                             tg_index y_step, $T *out) {
    char *args[3] = {(char *)x, (char *)y, (char *)out};
    const tg_index steps[3] = {x_step, y_step, sizeof($T)};
    loop->function(args, &count, steps, loop->data);
}

/* NumPy's loop on single numbers. */
static inline $T number1_$s(const tg_loop *loop, $T x) {
    $T out;
    block1_$s(loop, 1, &x, sizeof($T), &out);
    return out;
}

static inline $T number2_$s(const tg_loop *loop, $T x, $T y) {
    $T out;
    block2_$s(loop, 1, &x, sizeof($T), &y, sizeof($T), &out);
    return out;
}

/* What an own operation's forward kernel works on: `count` <= TG_BLOCK contiguous elements. `out` may be an operand. */
typedef struct forward_args_$s {
    const tg_loops *loops;
    tg_index count;
    const $T *operand[TG_MAX_OPERANDS];
    $T *out;
    $T *scratch;
} forward_args_$s;

/* Runs a forward kernel block by block; operands and results that are not contiguous are packed. */
static void own_loop_$s(char **args, const tg_index *dims, const tg_index *steps, const tg_loops *loops, int operands,
                        void (*forward)(const forward_args_$s *)) {
    _Alignas(TG_ALIGNMENT) $T scratch[TG_SCRATCH_BLOCKS * TG_BLOCK];
    _Alignas(TG_ALIGNMENT) $T packed[TG_MAX_OPERANDS + 1][TG_BLOCK];
    const tg_index total = dims[0];
    for (tg_index start = 0; start < total; start += TG_BLOCK) {
        forward_args_$s block = {.loops = loops, .scratch = scratch};
        block.count = total - start < TG_BLOCK ? total - start : TG_BLOCK;
        for (int k = 0; k < operands; k++) {
            const char *source = args[k] + start * steps[k];
            block.operand[k] = (const $T *)source;
            if (steps[k] != sizeof($T) && block.count > 1) {
                for (tg_index i = 0; i < block.count; i++) {
                    packed[k][i] = *(const $T *)(source + i * steps[k]);
                }
                block.operand[k] = packed[k];
            }
        }
        char *target = args[operands] + start * steps[operands];
        const bool direct = steps[operands] == sizeof($T) || block.count == 1;
        block.out = direct ? ($T *)target : packed[TG_MAX_OPERANDS];
        forward(&block);
        if (!direct) {
            for (tg_index i = 0; i < block.count; i++) {
                *($T *)(target + i * steps[operands]) = block.out[i];
            }
        }
    }
}
""")

_LIBM = Template("""\
static void libm_${name}_$s(tg_index count, const $T *x, $T *out) {
    for (tg_index i = 0; i < count; i++) {
        out[i] = $name$f(x[i]);
    }
}
""")


def type_prologue(kind: FloatType) -> str:
    """The functions that the kernels of one type call."""
    zero, one = ("0.0f", "1.0f") if kind.c == "float" else ("0.0", "1.0")
    return _TYPE_PROLOGUE.substitute(T=kind.c, s=kind.suffix, zero=zero, one=one)


def libm_block(name: str, kind: FloatType) -> str:
    """The loop over a block of a function of the C library."""
    return _LIBM.substitute(name=name, T=kind.c, s=kind.suffix, f=kind.libm)
