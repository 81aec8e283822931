/* select.h: choices between two values, element by element, of any dtype. */
#ifndef TG_SELECT_H
#define TG_SELECT_H

#include "structural.h"

/* where(condition, x, y) of values of one type, broadcast against each other. *out: owned by the caller. TG_BAD_SHAPE
 * if the shapes do not fit. */
tg_status tg_select(tg_pool *pool, const tg_value *condition, const tg_value *x, const tg_value *y, tg_value *out);

/* MASK: x where the condition, which broadcasts to x's shape, holds (or where it does not: params[0]), and elsewhere
 * zero. *out: owned by the caller. */
tg_status tg_select_masked(tg_pool *pool, const tg_call *call, const tg_array *x, const tg_array *condition,
                           tg_array **out);

#endif
