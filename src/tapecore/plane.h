/* plane.h: short rows, several at a time.
 *
 * Dimensions along which one of the participants is broadcast cannot be merged, so the inner run of a walk may be three
 * numbers long, and calling a loop for it costs many times its arithmetic. A plane is the last two dimensions of such a
 * walk. It is worked through in tiles of several rows, in which every participant lies contiguous: where it is, or
 * copied to a block.
 */
#ifndef TG_PLANE_H
#define TG_PLANE_H

#include "iterate.h"

#define TG_SHORT_RUN 64 /* longer rows are worth a call each */

typedef struct tg_plane {
    tg_index rows, run; /* the sizes of the two dimensions */
    tg_index most;      /* rows of a tile */
    tg_index outer[TG_MAX_PARTICIPANTS], inner[TG_MAX_PARTICIPANTS]; /* strides in bytes */
    const char *copied[TG_MAX_PARTICIPANTS]; /* the one row that a participant's block repeats, or NULL */
} tg_plane;

/* If the inner runs of a coalesced iterator are short, takes the last dimension off it: it then moves from plane to
 * plane. A tile has up to TG_BLOCK elements, unless the caller changes `most`. */
bool tg_plane_begin(tg_plane *plane, tg_iterator *iterator);

/* The rows of the tile that begins with row `first`. */
static inline tg_index tg_plane_rows(const tg_plane *plane, tg_index first) {
    const tg_index left = plane->rows - first;
    return left < plane->most ? left : plane->most;
}

/* A participant's elements of `rows` rows, the first of them at `data`, one after the other: in place, or in the block,
 * which is the participant's own and has room for a tile. Of a native type. */
char *tg_plane_tile(tg_plane *plane, int participant, char *data, tg_index rows, int dtype, char *block);

/* Adds a tile's elements to a participant that is broadcast along rows, columns, or both: `target`, at the tile's first
 * row. */
void tg_plane_add(const tg_plane *plane, int participant, const char *tile, tg_index rows, int dtype, char *target);

#endif
