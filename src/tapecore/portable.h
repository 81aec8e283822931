/* portable.h: inner loops around the C library's functions, for programs without NumPy and for the core's tests.
 *
 * They take the place of NumPy's (ops.h). Results may differ from NumPy's in the last bit, or for rarely used functions
 * in the last few; float32 is computed in float64 and rounded. Sums add pairwise, as NumPy's do.
 */
#ifndef TG_PORTABLE_H
#define TG_PORTABLE_H

#include "ops.h"

/* Fills every loop of the table, those of operations with a forward rule included: these refer to `loops`, which must
 * stay where it is while they are in use. */
void tg_portable_loops(tg_loops *loops);

#endif
