/* vectors.h: the part of a reverse sweep that works on short vectors.
 *
 * A chain (chain.h) keeps long cotangents out of memory, at the price of planning. Up to TG_SHORT elements they
 * stay in the L1 cache anyway, since a freed array is the next one taken, and planning would cost more than the
 * arithmetic: such nodes pass their cotangents on at once, each from its array to its operands' arrays.
 */
#ifndef TG_VECTORS_H
#define TG_VECTORS_H

#include "sweep.h"

#define TG_SHORT 256

/* True for a node that tg_vectors_run takes: elementwise, plain (tape.h), short. */
bool tg_vectors_fit(const tg_sweep *sweep, const tg_node *node);

/* Passes the cotangent of such a node on, and those of the nodes before it as long as they fit. Leaves the sweep at the
 * last node it took. *walked, out: their number. Not while a chain is pending. */
tg_status tg_vectors_run(tg_sweep *sweep, tg_node *node, size_t *walked);

#endif
