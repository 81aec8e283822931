/* copy.h: copies between two strided regions of the same shape. */
#ifndef TG_COPY_H
#define TG_COPY_H

#include "core.h"

/* Copies the elements (itemsize 1, 2, 4, 8 or 16) of a region of this shape to another, each with its strides in
 * bytes. The regions do not overlap. Both are borrowed for the call. */
void tg_copy_strided(size_t itemsize, int ndim, const tg_index *shape, const char *source, const tg_index *from,
                     char *target, const tg_index *to);

/* The elements of a list: target[i] = source[indices[i]], where the source's are `step` bytes apart and the target's
 * follow each other. */
void tg_copy_taken(size_t itemsize, const int64_t *indices, tg_index count, const char *source, tg_index step,
                   char *target);

#endif
