/* tapegrad/tapecore.h: tapegrad for programs in C, C++ and Cython: values, operations, tapes, derivatives.
 *
 *     const tapegrad_op *exp_ = tapegrad_find(context, "exp");
 *     tapegrad_tape *tape = tapegrad_tape_new(context, 0);
 *     tapegrad_value *x = tapegrad_scalar(context, TAPEGRAD_FLOAT64, 2.0), *dx;
 *     tapegrad_tape_enter(tape);
 *     tapegrad_watch(tape, x);
 *     tapegrad_value *y = tapegrad_unary(exp_, x);
 *     tapegrad_tape_leave(tape);
 *     tapegrad_gradient(tape, 1, &y, NULL, 1, &x, &dx);
 *
 * The same text compiles in two worlds:
 *
 *   - In an extension module of Python: include Python.h first, and call import_tapegrad() once in the module's init
 *     function. Nothing is linked; the functions are reached through a table that the installed tapegrad provides.
 *     Tapes of Python that record on the calling thread follow what is computed here, and the other way round.
 *   - In a program without Python: link the library `tapecore` and define TAPEGRAD_DIRECT (CMake's target
 *     tapecore::tapecore does both). Its elementwise functions are the C library's, so that values may differ from
 *     NumPy's in the last bit, and its matrix product is a plain loop.
 *
 * What holds for every function:
 *
 *   Ownership  A function that returns a value, tape or op gives the caller a reference of his own, to be given back
 *              with the function named there, unless its comment says "borrowed". Arguments are borrowed for the call;
 *              what an operation or a tape goes on needing it retains itself. To release NULL does nothing.
 *   Errors     Functions return a status, or NULL for a pointer, and change nothing when they fail. The text is in
 *              tapegrad_error_text(), one for each thread, until the next failure there. An operation on a NULL value
 *              returns NULL and leaves the error as it is, so that a formula can be written down in one go and asked
 *              about at its end.
 *   Threads    No function needs Python's global interpreter lock (GIL), but for those of the last section, which say
 *              so. A thread either holds the GIL or stands between TAPEGRAD_BEGIN_ALLOW_THREADS and
 *              TAPEGRAD_END_ALLOW_THREADS; in a program without Python, one thread at a time uses a context, or it
 *              has been shared (tapegrad_share). Values are immutable and may be used by several threads at once,
 *              but watched by one of them: tapegrad_constant gives each thread a value of its own over the same
 *              elements. A tape, and a number on it, belongs to one thread at a time. Where a tape of Python follows
 *              an operand the operation takes the GIL by itself: hold no lock that someone waits for with the GIL.
 *   Order      Functions are only ever added, at the end of the table. See TAPEGRAD_ABI.
 */
#ifndef TAPEGRAD_TAPECORE_H
#define TAPEGRAD_TAPECORE_H

#include <stddef.h>
#include <stdint.h>

/* The version of the table. ABI changes when something in it changes its meaning or place, and then modules must be
 * built again; FEATURES grows by one when functions are added. A module runs with any tapegrad of the same ABI and the
 * same or more FEATURES than the header that it was built with. */
#define TAPEGRAD_ABI 1
#define TAPEGRAD_FEATURES 1

/* What every function can return; tapegrad_error_text() says more. */
typedef enum tapegrad_status {
    TAPEGRAD_OK = 0,
    TAPEGRAD_NO_MEMORY,   /* an allocation failed */
    TAPEGRAD_TOO_LARGE,   /* a size overflows, or a tape would outgrow its 32-bit indices */
    TAPEGRAD_INTERRUPTED, /* Ctrl-C */
    TAPEGRAD_CALLBACK,    /* a function of yours failed, or Python code that was called */
    TAPEGRAD_BAD_SHAPE,   /* shapes do not fit the operation or each other */
    TAPEGRAD_BAD_DTYPE,   /* a dtype that the operation does not take, or operands of different ones */
    TAPEGRAD_BAD_VALUE,   /* another argument is out of bounds */
    TAPEGRAD_BAD_STATE,   /* the tape cannot do this now: it has been used up, or was never entered */
    TAPEGRAD_FOLLOWED,    /* a derivative would silently get lost: a tape that records follows the value */
    TAPEGRAD_NO_RULE      /* the operation does not have the rule that this derivative needs */
} tapegrad_status;

/* Element types. Derivatives are taken of TAPEGRAD_FLOAT32 and TAPEGRAD_FLOAT64. */
typedef enum tapegrad_dtype {
    TAPEGRAD_BOOL, /* one byte, 0 or 1 */
    TAPEGRAD_INT8,
    TAPEGRAD_INT16,
    TAPEGRAD_INT32,
    TAPEGRAD_INT64,
    TAPEGRAD_UINT8,
    TAPEGRAD_UINT16,
    TAPEGRAD_UINT32,
    TAPEGRAD_UINT64,
    TAPEGRAD_FLOAT16,
    TAPEGRAD_FLOAT32,
    TAPEGRAD_FLOAT64,
    TAPEGRAD_COMPLEX64,
    TAPEGRAD_COMPLEX128
} tapegrad_dtype;

/* The most dimensions a value can have. */
#define TAPEGRAD_MAX_DIMS 64

typedef struct tapegrad_context tapegrad_context; /* memory and loops; whatever belongs together has one context */
typedef struct tapegrad_value tapegrad_value;     /* an immutable array or number, and the tapes that know it */
typedef struct tapegrad_tape tapegrad_tape;
typedef struct tapegrad_op tapegrad_op;

/* Bytes in the memory of a context: buffers, values and tapes. */
typedef struct tapegrad_memory {
    size_t live;   /* in use */
    size_t cached; /* freed, and kept for the next request */
    size_t peak;   /* the largest `live` since the beginning, or tapegrad_memory_reset_peak */
    size_t limit;  /* what `cached` may reach */
} tapegrad_memory;

/* Part of an axis: `count` positions from `start` on, by `step`, which may be negative. */
typedef struct tapegrad_range {
    intptr_t start, step, count;
} tapegrad_range;

/* What a rule of an op of yours is told about one use of it. All of it is borrowed for the call. */
typedef struct tapegrad_use {
    int operands_count, results_count;
    tapegrad_value *const *operands; /* each NULL if the op does not save operands */
    tapegrad_value *const *results;  /* likewise */
} tapegrad_use;

/* What a use of an op keeps in memory for its rules. */
enum { TAPEGRAD_SAVE_OPERANDS = 1, TAPEGRAD_SAVE_RESULTS = 2 };

/* An op of yours. Its functions return TAPEGRAD_OK, or the status of a call that failed, or that of tapegrad_fail; NULL
 * for a value after a call in them has failed counts as that failure, too.
 *
 *   kernel  results[i], out: a new value, which the caller owns. Nothing that it calls is recorded, and
 *           tapegrad_data() may be used on the operands.
 *   vjp     given the cotangent of each result (NULL: zero), cotangents[k], out: a new value, the cotangent of operand
 *           k; or NULL (as it is set before): no dependence. Where wanted[k] is 0 it is not asked for. It is summed
 *           over the axes along which operand k was broadcast.
 *   jvp     given the tangent of each operand (NULL: zero), tangents[i], out: a new value, the tangent of result i; or
 *           NULL: zero.
 *
 * A rule that calls nothing but operations (of the table, or of yours) can be differentiated again by tapes of Python
 * around it. One that loops over tapegrad_data() gives first derivatives only; for a second one tapegrad_data() fails
 * with TAPEGRAD_FOLLOWED, since the loop would be lost on the outer tape. To make it differentiable, register the loop
 * as an op of its own and apply that.
 *
 * They are called with the GIL held or not, as by whoever takes the derivative: to use Python in them, take it. */
typedef struct tapegrad_definition {
    size_t size;      /* sizeof(tapegrad_definition) */
    const char *name; /* copied */
    int operands;     /* how many; -1: any number */
    int results;      /* at least 1 */
    unsigned saves;   /* TAPEGRAD_SAVE_OPERANDS | TAPEGRAD_SAVE_RESULTS, as the rules need */
    tapegrad_status (*kernel)(void *closure, int operands_count, tapegrad_value *const *operands,
                              tapegrad_value **results);
    tapegrad_status (*vjp)(void *closure, const tapegrad_use *use, tapegrad_value *const *results_cotangents,
                           const unsigned char *wanted, tapegrad_value **cotangents); /* NULL: not differentiable */
    tapegrad_status (*jvp)(void *closure, const tapegrad_use *use, tapegrad_value *const *operands_tangents,
                           tapegrad_value **tangents); /* NULL: derived from the vjp, by tapes of Python only */
    void *closure;              /* passed to each of them */
    void (*release)(void *closure); /* called once, when the last use of the op has gone; NULL: nothing to do */
} tapegrad_definition;

/* A float64 number on one tape, passed by value: no memory, nothing to release, nothing that fails in the middle of a
 * formula. For loops over numbers in C, at a few nanoseconds an operation. */
typedef struct tapegrad_number {
    double value;
    uint64_t place; /* on its tape; 0: a constant */
} tapegrad_number;

static inline tapegrad_number tapegrad_constant_number(double value) {
    tapegrad_number number;
    number.value = value;
    number.place = 0;
    return number;
}

/* A tape that is not persistent is used up by its first gradient or Jacobian, and frees what it recorded on the way. */
enum { TAPEGRAD_PERSISTENT = 1 };

#ifdef __cplusplus
extern "C" {
#endif

/* --- the functions, in the table's order; tools read this part: `type name(parameters);`, one after the other --- */

/* ---- errors ---- */

/* What the last failure on this thread was: borrowed until the next one. */
const char *tapegrad_error_text(void);

/* Its status; TAPEGRAD_OK if nothing has failed yet. */
tapegrad_status tapegrad_error_status(void);

/* For functions of yours: makes `text` (copied) the error of this thread, and returns `status`. */
tapegrad_status tapegrad_fail(tapegrad_status status, const char *text);

/* ---- contexts ---- */

/* In a program of its own: a new context, or NULL. In an extension module: Python's, which there is one of. */
tapegrad_context *tapegrad_context_new(void);

/* TAPEGRAD_BAD_STATE if values, tapes or ops of the context are alive, and then it stays. Python's stays anyway. */
tapegrad_status tapegrad_context_free(tapegrad_context *context);

/* Before several threads use the context at once, and when they have ended; calls can be nested. Reference counts are
 * atomic in between. TAPEGRAD_BEGIN_ALLOW_THREADS calls it for you. */
void tapegrad_share(tapegrad_context *context);
void tapegrad_unshare(tapegrad_context *context);

/* In Python it is what tapegrad.memory counts. */
tapegrad_memory tapegrad_memory_stats(tapegrad_context *context);
void tapegrad_memory_reset_peak(tapegrad_context *context);

/* The most bytes of freed buffers that are kept for reuse; a smaller limit frees at once, 0 all of them. */
void tapegrad_memory_set_limit(tapegrad_context *context, size_t limit);

/* ---- values: made with one reference, given back with tapegrad_release ---- */

/* A value without dimensions. */
tapegrad_value *tapegrad_scalar(tapegrad_context *context, int dtype, double number);

/* A copy of elements that lie at `data` in these strides (bytes; NULL: C order). */
tapegrad_value *tapegrad_copy(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape,
                              const intptr_t *strides, const void *data);

/* The elements themselves, which must stay valid and unchanged until release(owner) is called: once, by whichever
 * thread gives up the last reference to them, tapes included; in an extension module perhaps without the GIL. NULL:
 * they outlive everything. `data` is aligned for the dtype. On failure `release` is not called. */
tapegrad_value *tapegrad_borrow(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape,
                                const intptr_t *strides, const void *data, void (*release)(void *owner), void *owner);

/* A new array in C order to be filled: *data, out, may be written to until the value is first used in an operation. */
tapegrad_value *tapegrad_empty(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape, void **data);

/* One more reference; returns the value. */
tapegrad_value *tapegrad_retain(tapegrad_value *value);
void tapegrad_release(tapegrad_value *value);

int tapegrad_dtype_of(const tapegrad_value *value);
int tapegrad_ndim(const tapegrad_value *value);
intptr_t tapegrad_size(const tapegrad_value *value);

/* ndim sizes, and strides in bytes: borrowed from the value. */
const intptr_t *tapegrad_shape(const tapegrad_value *value);
const intptr_t *tapegrad_strides(const tapegrad_value *value);

/* The first element, borrowed from the value. NULL with TAPEGRAD_FOLLOWED while a tape records that knows the value:
 * what is computed from the elements would be lost on it. Copies are taken knowingly, so they are allowed. */
const void *tapegrad_data(const tapegrad_value *value);

/* The value with its elements in C order, for loops that step from one to the next: itself where they lie so, else a
 * copy with the same places on the tapes. Operands, cotangents and tangents can have any strides, 0 included. */
tapegrad_value *tapegrad_contiguous(tapegrad_value *value);

/* Copies the elements in C order; `bytes` is the room at `target`, at least their size. */
tapegrad_status tapegrad_read(const tapegrad_value *value, void *target, size_t bytes);

/* The one element of a real value. */
tapegrad_status tapegrad_read_number(const tapegrad_value *value, double *number);

/* The same elements, known to no tape: no gradient flows through it. */
tapegrad_value *tapegrad_constant(tapegrad_value *value);

/* ---- elementwise operations ---- */

/* An op of the table by NumPy's name ("exp", "multiply", ...), borrowed from the context; NULL: there is none. Look it
 * up once. */
const tapegrad_op *tapegrad_find(tapegrad_context *context, const char *name);

const char *tapegrad_op_name(const tapegrad_op *op);

/* Applies an op, of the table or of yours. Elementwise operands are broadcast against each other; they are all
 * float32 or all float64. results, out: as many new values as the op has results. */
tapegrad_status tapegrad_apply(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                               tapegrad_value **results);

/* The same for ops of one result. */
tapegrad_value *tapegrad_unary(const tapegrad_op *op, tapegrad_value *x);
tapegrad_value *tapegrad_binary(const tapegrad_op *op, tapegrad_value *x, tapegrad_value *y);

/* A new op of yours; NULL on failure, and then its closure is not released. Uses of it retain it. */
tapegrad_op *tapegrad_define(tapegrad_context *context, const tapegrad_definition *definition);
void tapegrad_op_release(tapegrad_op *op);

/* ---- structural operations: those that only move elements take every dtype ---- */

/* The elements in C order in another shape; one size may be -1. */
tapegrad_value *tapegrad_reshape(tapegrad_value *x, int ndim, const intptr_t *shape);

/* Axes in another order; NULL: reversed. */
tapegrad_value *tapegrad_transpose(tapegrad_value *x, const int *axes);

tapegrad_value *tapegrad_broadcast_to(tapegrad_value *x, int ndim, const intptr_t *shape);

/* A view of part of each axis: ndim ranges. */
tapegrad_value *tapegrad_slice(tapegrad_value *x, const tapegrad_range *ranges);

/* The part at one position of an axis, without the axis; negative positions count from the end. */
tapegrad_value *tapegrad_index(tapegrad_value *x, int axis, intptr_t position);

/* Sum and mean over some axes (NULL: all, whatever `count`); keepdims: they stay with size 1. Negative axes count from
 * the end. */
tapegrad_value *tapegrad_sum(tapegrad_value *x, int count, const int *axes, int keepdims);
tapegrad_value *tapegrad_mean(tapegrad_value *x, int count, const int *axes, int keepdims);

/* Between float32 and float64. */
tapegrad_value *tapegrad_cast(tapegrad_value *x, int dtype);

/* Values of one dtype joined along an axis that they have, or along a new one. */
tapegrad_value *tapegrad_concatenate(int count, tapegrad_value *const *values, int axis);
tapegrad_value *tapegrad_stack(int count, tapegrad_value *const *values, int axis);

/* x where the condition (TAPEGRAD_BOOL) holds, else y; all broadcast against each other. */
tapegrad_value *tapegrad_where(tapegrad_value *condition, tapegrad_value *x, tapegrad_value *y);

/* The elements at positions (TAPEGRAD_INT64, any shape, negative ones count from the end) of an axis. */
tapegrad_value *tapegrad_take(tapegrad_value *x, tapegrad_value *positions, int axis);

/* The matrix product in all of NumPy's forms: vectors, matrices, broadcast stacks of matrices. */
tapegrad_value *tapegrad_matmul(tapegrad_value *a, tapegrad_value *b);

/* ---- tapes ---- */

/* flags: TAPEGRAD_PERSISTENT or 0. */
tapegrad_tape *tapegrad_tape_new(tapegrad_context *context, unsigned flags);

/* Leaves the tape if this thread is in it. */
void tapegrad_tape_free(tapegrad_tape *tape);

/* From here on the tape records what this thread does with values that it knows; tapes can be nested and left in any
 * order. It may be entered again: what it recorded stays, unless it has been used up. TAPEGRAD_BAD_STATE if it is
 * entered already, or was entered by another thread than the one that leaves it. */
tapegrad_status tapegrad_tape_enter(tapegrad_tape *tape);
tapegrad_status tapegrad_tape_leave(tapegrad_tape *tape);

/* Follows a float32 or float64 value from now on. */
tapegrad_status tapegrad_watch(tapegrad_tape *tape, tapegrad_value *value);

/* Forgets everything recorded and watched, numbers included. */
tapegrad_status tapegrad_tape_reset(tapegrad_tape *tape);

/* What it holds: nodes, and the bytes of their arena (saved arrays come on top). */
size_t tapegrad_tape_nodes(const tapegrad_tape *tape);
size_t tapegrad_tape_bytes(const tapegrad_tape *tape);

/* The gradient of the sum of all elements of the targets with respect to each source. cotangents: of each target, in
 * its shape and dtype (NULL, one of them or all: ones). gradients[k], out: a new value in the shape and dtype of source
 * k, or NULL where no target depends on it. Uses up a tape that is not persistent, and ends its recording.
 *
 * TAPEGRAD_FOLLOWED: another tape records that knows what the derivatives depend on. Tapes of this interface have first
 * derivatives; for higher ones let nested tapes of Python record the operations. */
tapegrad_status tapegrad_gradient(tapegrad_tape *tape, int targets_count, tapegrad_value *const *targets,
                                  tapegrad_value *const *cotangents, int sources_count,
                                  tapegrad_value *const *sources, tapegrad_value **gradients);

/* The derivative of each element of the target with respect to each element of each source: jacobians[k], out: a new
 * value of the target's shape and then source k's, or NULL where there is no dependence. All rows go through the tape
 * at once, or all columns if there are fewer, in chunks that stay in the cache. */
tapegrad_status tapegrad_jacobian(tapegrad_tape *tape, tapegrad_value *target, int sources_count,
                                  tapegrad_value *const *sources, tapegrad_value **jacobians);

/* Forward mode over the tape: from the tangent of each source (NULL: zero) that of each target, tangents[k], out, or
 * NULL where it is zero. The tape is not used up. */
tapegrad_status tapegrad_jvp(tapegrad_tape *tape, int sources_count, tapegrad_value *const *sources,
                             tapegrad_value *const *sources_tangents, int targets_count,
                             tapegrad_value *const *targets, tapegrad_value **tangents);

/* ---- numbers: recorded by the tape they are given, which need not be entered, and by no other ---- */

/* A number to differentiate by. */
tapegrad_number tapegrad_watch_number(tapegrad_tape *tape, double value);

/* Ops of the table. Where one fails (no memory; a number of another tape, or from before a reset; an op of yours) the
 * result is NaN, and the tape's next derivative says why. */
tapegrad_number tapegrad_number_unary(tapegrad_tape *tape, const tapegrad_op *op, tapegrad_number x);
tapegrad_number tapegrad_number_binary(tapegrad_tape *tape, const tapegrad_op *op, tapegrad_number x,
                                       tapegrad_number y);

/* gradients[k], out: of the target with respect to source k, 0 where there is no dependence. Uses the tape up like
 * tapegrad_gradient. */
tapegrad_status tapegrad_number_gradient(tapegrad_tape *tape, tapegrad_number target, int sources_count,
                                         const tapegrad_number *sources, double *gradients);

/* The way between numbers and values. *number, out: that of a float64 value without dimensions; TAPEGRAD_FOLLOWED if
 * another tape that records knows it. */
tapegrad_status tapegrad_number_from_value(tapegrad_tape *tape, tapegrad_value *value, tapegrad_number *number);
tapegrad_value *tapegrad_value_from_number(tapegrad_tape *tape, tapegrad_number number);

/* ---- Python objects, in extension modules: the caller holds the GIL; failures are exceptions ---- */

/* A tapegrad.Tensor (a new reference) with the value's elements, not copied, and its place on the tapes. Or NULL. */
struct _object *tapegrad_to_python(tapegrad_value *value);

/* The value of a tensor, a variable (it is read, and watched by tapes that watch variables), an array, a number, or a
 * list of these, converted like an argument of tapegrad's functions: the elements of tensors, and of arrays that
 * nobody can write to, are not copied. dtype: what it must have, or -1 for any. Or NULL. */
tapegrad_value *tapegrad_from_python(struct _object *argument, int dtype);

/* Raises the exception for this thread's error, and returns NULL. */
struct _object *tapegrad_raise(void);

/* --- end of the functions --- */

#ifdef __cplusplus
}
#endif

#ifndef TAPEGRAD_DIRECT
#include "tapecore_table.h"
#endif

#endif
