/* value.h: what an operation works on: an array or a single number, and the tapes that know it.
 *
 * A handle says "tape `id` knows this value as slot `slot`". Two handles stand inline (a value under two nested tapes
 * needs no memory of its own); more go to a block of the pool. A tape's id is never used twice: a handle of a tape that
 * was reset or has gone matches nobody.
 */
#ifndef TG_VALUE_H
#define TG_VALUE_H

#include "array.h"
#include "core.h"
#include "guard.h"

#define TG_NO_SLOT UINT32_MAX
#define TG_INLINE_HANDLES 2

typedef struct tg_handle {
    uint64_t id;
    uint32_t slot;
} tg_handle;

typedef struct tg_more_handles {
    uint32_t count;
    size_t block_bytes;
    tg_handle entries[];
} tg_more_handles;

typedef struct tg_handles {
    uint64_t id[TG_INLINE_HANDLES]; /* 0: free */
    uint32_t slot[TG_INLINE_HANDLES];
    tg_more_handles *more; /* owned, NULL in nearly every value */
} tg_handles;

/* A value: `array` (borrowed or owned, as the function says), or if that is NULL the number in `scalar`.
 * Every value without dimensions is a number. */
typedef struct tg_value {
    tg_array *array;
    tg_scalar scalar;
    int dtype;
} tg_value;

/* The slot under which tape `id` knows the value, or TG_NO_SLOT. */
uint32_t tg_handles_find_more(const tg_handles *handles, uint64_t id);

static inline uint32_t tg_handles_find(const tg_handles *handles, uint64_t id) {
    if (handles->id[0] == id) return handles->slot[0];
    if (handles->id[1] == id) return handles->slot[1];
    return handles->more ? tg_handles_find_more(handles, id) : TG_NO_SLOT;
}

/* The same for a value that others may be watching meanwhile, under another id. */
static inline uint32_t tg_handles_find_shared(const tg_handles *handles, tg_guard *guard, uint64_t id) {
    if (TG_READ(handles->id[0]) == id) return TG_READ(handles->slot[0]);
    if (TG_READ(handles->id[1]) == id) return TG_READ(handles->slot[1]);
    if (!TG_READ(handles->more)) return TG_NO_SLOT;
    tg_guard_take(guard);
    const uint32_t slot = tg_handles_find(handles, id);
    tg_guard_give(guard);
    return slot;
}

static inline bool tg_handles_empty(const tg_handles *handles) {
    return !handles->id[0] && !handles->id[1] && !handles->more;
}

/* Adds a handle, in the place of one whose id `is_live` (NULL: all are) denies where there is no free one. Where others
 * see the value, its guard is held. */
tg_status tg_handles_add(tg_handles *handles, tg_pool *pool, uint64_t id, uint32_t slot,
                         bool (*is_live)(void *context, uint64_t id), void *context);

/* *target, out: a copy, to be freed by tg_handles_clear. */
tg_status tg_handles_copy(const tg_handles *source, tg_pool *pool, tg_handles *target);
void tg_handles_clear(tg_handles *handles, tg_pool *pool);

/* Every handle in turn: returns false when `index` is past the last. */
bool tg_handles_get(const tg_handles *handles, uint32_t index, tg_handle *out);

static inline int tg_value_ndim(const tg_value *value) { return value->array ? value->array->ndim : 0; }
static inline tg_index tg_value_size(const tg_value *value) { return value->array ? value->array->size : 1; }
static inline const tg_index *tg_value_shape(const tg_value *value) {
    return value->array ? tg_array_shape(value->array) : NULL;
}

/* A value of the array: the array itself (the caller's reference moves into *out), or the number of a 0-d one (the
 * reference is given up). */
void tg_value_from_array(tg_array *array, tg_value *out);

/* The value as an array: retained, or a new 0-d one holding the number. *out: owned by the caller. */
tg_status tg_value_to_array(const tg_value *value, tg_pool *pool, tg_array **out);

#endif
