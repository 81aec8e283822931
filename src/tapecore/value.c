/* value.c: handles and the passage between numbers and 0-d arrays. */
#include "value.h"

#include <string.h>

uint32_t tg_handles_find_more(const tg_handles *handles, uint64_t id) {
    for (uint32_t i = 0; i < handles->more->count; i++) {
        if (handles->more->entries[i].id == id) return handles->more->entries[i].slot;
    }
    return TG_NO_SLOT;
}

static tg_status grow_more(tg_handles *handles, tg_pool *pool) {
    tg_more_handles *old = handles->more;
    size_t count = old ? old->count : 0;
    if (old && sizeof *old + (count + 1) * sizeof(tg_handle) <= old->block_bytes) return TG_OK;
    size_t block_bytes;
    tg_more_handles *grown =
        tg_pool_resize(pool, old, old ? old->block_bytes : 0, sizeof *grown + (2 * count + 2) * sizeof(tg_handle),
                       sizeof *grown + count * sizeof(tg_handle), &block_bytes);
    if (!grown) return TG_NO_MEMORY;
    if (!old) grown->count = 0;
    grown->block_bytes = block_bytes;
    TG_WRITE(handles->more, grown);
    return TG_OK;
}

tg_status tg_handles_add(tg_handles *handles, tg_pool *pool, uint64_t id, uint32_t slot,
                         bool (*is_live)(void *context, uint64_t id), void *context) {
    for (int i = 0; i < TG_INLINE_HANDLES; i++) {
        if (!handles->id[i] || (is_live && !is_live(context, handles->id[i]))) {
            TG_WRITE(handles->slot[i], slot);
            TG_WRITE(handles->id[i], id);
            return TG_OK;
        }
    }
    if (handles->more && is_live) {
        for (uint32_t i = 0; i < handles->more->count; i++) {
            if (!is_live(context, handles->more->entries[i].id)) {
                handles->more->entries[i] = (tg_handle){id, slot};
                return TG_OK;
            }
        }
    }
    tg_status status = grow_more(handles, pool);
    if (status == TG_OK) handles->more->entries[handles->more->count++] = (tg_handle){id, slot};
    return status;
}

tg_status tg_handles_copy(const tg_handles *source, tg_pool *pool, tg_handles *target) {
    tg_handles copy = *source;
    if (source->more) {
        size_t bytes = sizeof *source->more + source->more->count * sizeof(tg_handle);
        size_t block_bytes;
        copy.more = tg_pool_take(pool, bytes, &block_bytes);
        if (!copy.more) return TG_NO_MEMORY;
        memcpy(copy.more, source->more, bytes);
        copy.more->block_bytes = block_bytes;
    }
    *target = copy;
    return TG_OK;
}

void tg_handles_clear(tg_handles *handles, tg_pool *pool) {
    if (handles->more) tg_pool_give(pool, handles->more, handles->more->block_bytes);
    *handles = (tg_handles){{0, 0}, {0, 0}, NULL};
}

bool tg_handles_get(const tg_handles *handles, uint32_t index, tg_handle *out) {
    for (int i = 0; i < TG_INLINE_HANDLES; i++) {
        if (!handles->id[i]) continue;
        if (index-- == 0) {
            *out = (tg_handle){handles->id[i], handles->slot[i]};
            return true;
        }
    }
    if (!handles->more || index >= handles->more->count) return false;
    *out = handles->more->entries[index];
    return true;
}

void tg_value_from_array(tg_array *array, tg_value *out) {
    out->dtype = array->dtype;
    if (array->ndim > 0) {
        out->array = array;
        return;
    }
    out->array = NULL;
    memcpy(&out->scalar, array->data, tg_itemsize(array->dtype));
    tg_array_release(array);
}

tg_status tg_value_to_array(const tg_value *value, tg_pool *pool, tg_array **out) {
    if (value->array) {
        tg_array_retain(value->array);
        *out = value->array;
        return TG_OK;
    }
    tg_status status = tg_array_new(pool, value->dtype, 0, NULL, out);
    if (status == TG_OK) memcpy((*out)->data, &value->scalar, tg_itemsize(value->dtype));
    return status;
}
