/* batch.h: many cotangents or tangents carried through a node at once.
 *
 * A sweep over a Jacobian's rows, or a push of many directions, gives every adjoint and tangent one more axis in front,
 * the batch. What nodes saved has no such axis, so it broadcasts; shapes are aligned from the right, and behind the
 * batch axis ones are put in where an operand has fewer dimensions than the result. With `batch` zero all of this is
 * the plain case: nothing has the axis.
 */
#ifndef TG_BATCH_H
#define TG_BATCH_H

#include "elementwise.h"
#include "structural.h"

/* The output with the batch axis in front. shape: room for TG_MAX_DIMS sizes, where the result's shape then lives.
 * The caller has made sure that one more dimension is allowed (tg_batch_fits). */
tg_output tg_batch_output(tg_output output, tg_index batch, tg_index *shape);

/* False if the output has no room for the batch axis. */
static inline bool tg_batch_fits(tg_output output, tg_index batch) { return !batch || output.ndim < TG_MAX_DIMS; }

/* target (+)= sum_to(source * partial k), for a cotangent going back (source: the output's, target: operand k's) as
 * for a tangent going forward (source: operand k's, target: the output's). `use` describes the node without the
 * batch; its g is ignored. target: contiguous and not broadcast, or a number. The partial is evaluated once for the
 * whole batch. */
tg_status tg_batch_carry(const tg_loops *loops, tg_workspace *workspace, const tg_use *use, int k, tg_index batch,
                         const tg_value *source, tg_value *target, bool fresh);

/* For a tangent going forward through operand k: *out is the tangent with exact zeros where the partial is exactly
 * zero, so that an infinite one contributes nothing there, as it would on the way back; the tangent itself, retained,
 * where all of it is finite. *out: owned by the caller. */
tg_status tg_batch_tame(const tg_loops *loops, tg_workspace *workspace, const tg_use *use, int k, tg_index batch,
                        const tg_value *tangent, tg_value *out);

/* True if evaluating partial k is more than reading one saved value. */
bool tg_batch_is_computed(const tg_op_info *info, int k);

/* tg_structural_apply where operands[stacked] has the batch axis and the other one has not. *out: owned by the
 * caller. */
tg_status tg_batch_apply(const tg_loops *loops, tg_workspace *workspace, const tg_call *call, tg_index batch,
                         int stacked, const tg_value *operands, tg_value *out);

/* The call as it is with the batch axis in front of operand and result; SUM and EXPAND in the form that keeps axes, and
 * MATMUL, need more than that (tg_batch_apply). storage: room for the parameters. */
void tg_batch_call(tg_call *call, tg_index batch, tg_index *storage);

/* A view of an array with the batch axis in which ones stand behind that axis, `ndim` dimensions in all. *out: owned by
 * the caller. */
tg_status tg_batch_align(tg_array *array, int ndim, tg_array **out);

#endif
