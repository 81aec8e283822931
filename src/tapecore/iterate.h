/* iterate.h: walking several strided arrays of one broadcast shape together.
 *
 * An iterator holds the common shape and, for each participant, its strides in bytes (0 along broadcast dimensions).
 * tg_iterator_coalesce drops dimensions of size one and merges neighbours that all participants step through evenly,
 * so that most walks become one inner run; the outer dimensions are then counted through by tg_iterator_next.
 */
#ifndef TG_ITERATE_H
#define TG_ITERATE_H

#include "value.h"

#define TG_MAX_PARTICIPANTS 6 /* three operands, the output, its cotangent, an adjoint */

typedef struct tg_iterator {
    int ndim;
    int participants;
    tg_index shape[TG_MAX_DIMS];
    tg_index strides[TG_MAX_PARTICIPANTS][TG_MAX_DIMS];
    tg_index counter[TG_MAX_DIMS];
    char *data[TG_MAX_PARTICIPANTS]; /* at the beginning of the current inner run */
} tg_iterator;

/* Starts a walk over `shape`; participants follow by tg_iterator_add. */
void tg_iterator_init(tg_iterator *iterator, int ndim, const tg_index *shape);

/* An array whose shape broadcasts to the iterator's. */
void tg_iterator_add(tg_iterator *iterator, char *data, int ndim, const tg_index *shape, const tg_index *strides);
void tg_iterator_add_array(tg_iterator *iterator, const tg_array *array);

/* A single number at `data`. */
void tg_iterator_add_scalar(tg_iterator *iterator, void *data);

/* An array or a number. */
void tg_iterator_add_value(tg_iterator *iterator, const tg_value *value);

/* After the last participant and before the walk. Afterwards ndim >= 1, and the inner run is the last dimension. */
void tg_iterator_coalesce(tg_iterator *iterator);

static inline tg_index tg_iterator_run(const tg_iterator *iterator) { return iterator->shape[iterator->ndim - 1]; }
static inline tg_index tg_iterator_step(const tg_iterator *iterator, int participant) {
    return iterator->strides[participant][iterator->ndim - 1];
}

/* Moves every participant to the next inner run; false after the last. */
bool tg_iterator_next(tg_iterator *iterator);

/* The broadcast shape of the operands, TG_BAD_SHAPE if they do not fit together. shape, out: TG_MAX_DIMS entries. */
tg_status tg_broadcast_shapes(int count, const tg_value *operands, int *ndim, tg_index *shape);

#endif
