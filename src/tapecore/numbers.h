/* numbers.h: the parts of a reverse sweep and of a forward push that work on single numbers, whose adjoints and
 * tangents are numbers in the cells. */
#ifndef TG_NUMBERS_H
#define TG_NUMBERS_H

#include "push.h"
#include "sweep.h"

/* Passes the cotangent of an operation on native numbers on to its operands. */
void tg_numbers_node(tg_sweep *sweep, const tg_node *node);

/* The same for a unary or binary float64 node, and on through those of that kind that follow; a scalar program is one
 * such run. Leaves the sweep at the last node it took, and returns how many it walked over. */
size_t tg_numbers_run(tg_sweep *sweep, const tg_node *node);

/* Gives the result of an operation on native numbers its tangent. */
tg_status tg_numbers_push(tg_push *push, const tg_node *node);

#endif
