/* numbers.h: the part of a reverse sweep that works on single numbers, whose adjoints are numbers in the sweep's cells. */
#ifndef TG_NUMBERS_H
#define TG_NUMBERS_H

#include "sweep.h"

/* Passes the cotangent of an operation on native numbers on to its operands. */
void tg_numbers_node(tg_sweep *sweep, const tg_node *node);

/* The same for a unary or binary float64 node, and on through those of that kind that follow; a scalar program is one
 * such run. Leaves the sweep at the last node it took, and returns how many it walked over. */
size_t tg_numbers_run(tg_sweep *sweep, const tg_node *node);

#endif
