/* api.h: what stands behind the public header: the objects that its opaque types name, and what its parts share.
 *
 *   api_error      the error of each thread
 *   api_context    memory and loops; api_direct: those of a program without Python
 *   api_value      values
 *   api_record     whose tapes record an operation, and the recording
 *   api_apply      elementwise operations;  api_structural  those that move, sum, contract;  api_join  those that join
 *   api_op         ops of others, and their rules in sweeps and pushes
 *   api_tape       tapes;  api_derivative  gradients and pushes;  api_jacobian;  api_number  numbers on one tape
 *   interface.py   makes the function table from the public header
 *
 * A host is the language around, if there is one: Python. Its tapes stand on the same thread lists as those made here,
 * with an `owner`; the host does whatever concerns them.
 */
#ifndef TG_API_H
#define TG_API_H

#include <stdatomic.h>

#ifndef TAPEGRAD_DIRECT
#define TAPEGRAD_DIRECT
#endif
#include "push.h"
#include "record.h"
#include "registry.h"
#include "structural.h"
#include "sweep.h"
#include "tapegrad/tapecore.h"
#include "tapegrad/tapecore_table.h"
#include "thread.h"

struct tapegrad_value {
    _Atomic int32_t refs;
    tapegrad_context *context; /* borrowed */
    tg_value value;            /* its array is owned */
    tg_handles handles;        /* owned */
    size_t block_bytes;
};

struct tapegrad_op {
    tapegrad_context *context; /* borrowed */
    int number;                /* in tg_op_table; -1: an op of somebody else's */
    _Atomic int32_t refs;      /* of these; the others live as long as the context */
    tapegrad_definition definition;
    size_t block_bytes;
    char name[]; /* of definition.name */
};

struct tapegrad_tape {
    tg_tape tape; /* owner NULL */
    tapegrad_context *context;
    bool persistent, used_up, entered;
    uint64_t tag; /* in the upper half of the place of each of its numbers; see api_number.c */
    tapegrad_status broken; /* the first failure of an operation on numbers */
    size_t block_bytes;
};

/* What the host does. Each function may be called from any thread, and takes the lock it needs; on failure it has
 * called tapegrad_fail. */
typedef struct tg_host {
    /* Applies an elementwise operation to values of which a tape of the host knows one, and records it on every tape of
     * this thread. *out: a value object without value and handles, to be filled. */
    tapegrad_status (*elementwise)(int op, int count, tapegrad_value *const *operands, tapegrad_value *out);
    /* Likewise a structural one, whose call the caller has checked. */
    tapegrad_status (*structural)(const tg_call *call, int count, tapegrad_value *const *operands, tapegrad_value *out);
    /* Records a use of an op on the host's tapes only, and gives the results their handles. */
    tapegrad_status (*record)(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                              tapegrad_value *const *results);
    /* For sweeps: whether to go on. */
    tg_status (*poll)(void *context);
} tg_host;

struct tapegrad_context {
    tg_pool *pool;         /* borrowed */
    const tg_loops *loops; /* borrowed */
    tg_registry *registry; /* borrowed */
    const tg_host *host;   /* borrowed; NULL: none */
    size_t own_bytes;      /* of the pool, when nothing else was alive */
    size_t block_bytes;
    tapegrad_op *builtin[TG_ELEMENTWISE_OPS]; /* owned */
};

/* *out: owned by the caller, until tg_context_destroy. */
tapegrad_status tg_context_create(tg_pool *pool, const tg_loops *loops, tg_registry *registry, const tg_host *host,
                                  tapegrad_context **out);
void tg_context_destroy(tapegrad_context *context);

/* A context with a pool over this allocator, and with portable loops: what tapegrad_context_new makes. */
tapegrad_status tg_context_direct(tg_allocator allocator, size_t limit, tapegrad_context **out);

/* The functions, as extension modules see them; the host's are missing. */
extern const tapegrad_table tg_api_table;

/* The formats of C99's printf, which MinGW has under this name; there `printf` stands for those of Windows' old one. */
#ifdef __MINGW32__
#define TG_PRINTF gnu_printf
#else
#define TG_PRINTF printf
#endif

/* Makes a text the error of this thread, as printf does, and returns the status. */
tapegrad_status tg_fail(tapegrad_status status, const char *format, ...) __attribute__((format(TG_PRINTF, 2, 3)));

/* Before a function of somebody else's: what stands in tapegrad_error_status() afterwards has happened in it. */
void tg_no_error(void);

/* The same for a status of the core, in whose enum the first ones of tapegrad_status are; TG_OK leaves the error. */
tapegrad_status tg_fail_core(tg_status status, const char *what);

/* Writes a shape as "(2, 3)" to `text`, which has room for TG_SHAPE_TEXT bytes; returns it. */
#define TG_SHAPE_TEXT 96
const char *tg_shape_text(int ndim, const tg_index *shape, char *text);
const char *tg_shape_text_of(const tapegrad_value *value, char *text);

const char *tg_dtype_name(int dtype);

/* ---- values ---- */

/* A value that takes over the reference in `value`, also on failure; NULL: no memory. */
tapegrad_value *tg_value_wrap(tapegrad_context *context, tg_value value);

/* A value over an array that is borrowed for the call; or NULL. */
tapegrad_value *tg_value_of(tapegrad_context *context, const tg_value *value);

/* The value with one more reference, for the core to take. */
static inline tg_value tg_lent(const tg_value *value) {
    if (value->array) tg_array_retain(value->array);
    return *value;
}

/* The first element. */
static inline void *tg_elements(const tapegrad_value *value) {
    return value->value.array ? (void *)value->value.array->data : (void *)(uintptr_t)&value->value.scalar;
}

/* A value of zeros like an output. *out: owned by the caller. */
tg_status tg_zeros(tg_pool *pool, tg_output output, tg_value *out);

/* Releases values, and makes them NULL. */
void tg_release_all(int count, tapegrad_value **values);

/* Checks that a value can have so many dimensions; with the name of the function for the error. */
bool tg_check_ndim(const char *what, int ndim);

/* Checks that there are values, of one context: false with NULL among them (the error stays), or with an error. */
bool tg_values_usable(int count, tapegrad_value *const *values);

bool tg_value_is_like(const tapegrad_value *value, int dtype, int ndim, const tg_index *shape);

/* ---- recording ---- */

/* Whether a tape of the context that records on this thread, other than `except`, knows the value. */
bool tg_is_followed(const tapegrad_value *value, const tg_tape *except);

/* Whether the tape knows one of these, of which some may be NULL. */
bool tg_knows_one(const tg_tape *tape, int count, tapegrad_value *const *values);

/* Whether one of these is known to a tape of the host that records on this thread. */
bool tg_host_follows(const tapegrad_context *context, int count, tapegrad_value *const *operands);

/* Records what made `out` on every tape of this thread that knows an operand k with differentiable[k]. `record` has all
 * but slots, saved values and their mask; needs[k]: as saved_mask, of operand k (none beyond TG_MAX_OPERANDS). */
tapegrad_status tg_record_everywhere(tg_record *record, int count, tapegrad_value *const *operands,
                                     const bool *differentiable, const unsigned *needs, tapegrad_value *out);

/* Between the two no tape records on this thread. */
int tg_pause(void);
void tg_resume(int base);

/* ---- structural operations ---- */

/* Makes an axis one from the front; false with an error if there is no such axis. */
bool tg_check_axis(const char *what, int ndim, int *axis);

/* A value of a call's result, whose reference it takes over, also on failure; recorded. */
tapegrad_value *tg_structural_record(const char *what, const tg_call *call, int count,
                                     tapegrad_value *const *operands, tg_value *result);

/* The same where a tape of the host knows an operand: the host computes and records. */
tapegrad_value *tg_structural_by_host(const tg_call *call, int count, tapegrad_value *const *operands);

/* The parts of tapegrad_matmul and tapegrad_take behind their checks: operands of two or more dimensions; positions in
 * C order from the front, within bounds. */
tapegrad_value *tg_matmul_stacks(tapegrad_value *a, tapegrad_value *b);
tapegrad_value *tg_take_checked(tapegrad_value *x, tapegrad_value *positions, int axis);

/* ---- ops of others ---- */

/* A use of an op: the payload of its node, and what its rules are told. */
typedef struct tg_application {
    tapegrad_op *op; /* a reference */
    int operands_count, results_count;
    size_t block_bytes;
    tapegrad_value *values[]; /* operands, then results: references, or NULL where the op does not save them */
} tg_application;

/* *out: owned by the caller; tg_application_release is its `release_payload`, too. */
tapegrad_status tg_application_create(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                      tapegrad_value *const *results, tg_application **out);
void tg_application_release(void *application);

/* Records a use of an op on every tape of this thread that knows an operand. */
tapegrad_status tg_record_application(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                      tapegrad_value *const *results);

/* Whether the op has a jvp. */
static inline bool tg_application_has_jvp(const tg_application *application) {
    return application->op->definition.jvp != NULL;
}

/* The op's rules. Whatever `cotangents` and `tangents` hold afterwards is the caller's; on failure nothing. */
tapegrad_status tg_application_vjp(const tg_application *application, tapegrad_value *const *results_cotangents,
                                   const unsigned char *wanted, tapegrad_value **cotangents);
tapegrad_status tg_application_jvp(const tg_application *application, tapegrad_value *const *operands_tangents,
                                   tapegrad_value **tangents);

/* After a function of an op: a value that is missing after a call in it has failed is a failure, too. On failure all
 * values are given back, and otherwise those that were not wanted (NULL: all are). */
tapegrad_status tg_settle(tapegrad_status status, const char *name, int count, const unsigned char *wanted,
                          tapegrad_value **values);

/* Hooks of sweeps and pushes over tapes of this interface. */
tg_status tg_api_sweep_rule(void *context, tg_sweep *sweep, tg_node *node);
tg_status tg_api_push_rule(void *context, tg_push *push, tg_node *node);

/* ---- tapes ---- */

/* The tag of a tape with this id. */
uint64_t tg_number_tag(uint64_t id);

/* Checks that derivatives can be taken, and ends the recording of a tape that is not persistent. */
tapegrad_status tg_tape_open(tapegrad_tape *tape);

/* After the last derivative of a set: what has been used up goes. */
void tg_tape_close(tapegrad_tape *tape);

/* TAPEGRAD_FOLLOWED if a tape that records knows one of the values, or anything that this tape saved. */
tapegrad_status tg_check_outer(const tapegrad_tape *tape, int count, tapegrad_value *const *values);

/* The slot under which the tape knows the value, or TG_NO_SLOT. Tapes of other contexts may have the same ids. */
static inline uint32_t tg_slot_of(const tapegrad_tape *tape, const tapegrad_value *value) {
    if (!tape->tape.id || value->context != tape->context) return TG_NO_SLOT;
    return tg_handles_find(&value->handles, tape->tape.id);
}

/* The sweep and the push that everything is made of. With a batch, cotangents, tangents and results have one more axis
 * in front; see tapegrad_gradient and tapegrad_jvp. */
tapegrad_status tg_pull(tapegrad_tape *tape, tg_index batch, int targets_count, tapegrad_value *const *targets,
                        tapegrad_value *const *cotangents, int sources_count, tapegrad_value *const *sources,
                        bool consume, tapegrad_value **gradients);
tapegrad_status tg_push_forward(tapegrad_tape *tape, tg_index batch, int sources_count, tapegrad_value *const *sources,
                                tapegrad_value *const *sources_tangents, int targets_count,
                                tapegrad_value *const *targets, tapegrad_value **tangents);

#endif
