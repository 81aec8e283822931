/* positions.h: integers that count along an axis. */
#ifndef TG_POSITIONS_H
#define TG_POSITIONS_H

#include "core.h"

/* Makes `count` positions along an axis of `length` elements, of which negative ones count from its end, count from its
 * start. Returns whether all are within bounds; if not, they are as they were. The positions are borrowed. */
bool tg_positions_from_start(int64_t *positions, tg_index count, tg_index length);

#endif
