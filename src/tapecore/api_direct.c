/* api_direct.c: contexts of programs without Python, which bring everything along. */
#include "api.h"
#include "portable.h"
#include "system.h"

#define CACHE_LIMIT ((size_t)512 << 20) /* bytes of freed buffers that wait for reuse; as in Python */

/* What the context borrows. It lies in the pool that it tells of. */
typedef struct direct {
    tg_loops loops;
    tg_registry registry;
    size_t block_bytes;
} direct;

/* The loops come first, and the context borrows them. */
static direct *behind(tapegrad_context *context) { return (direct *)(uintptr_t)context->loops; }

tapegrad_status tg_context_direct(tg_allocator allocator, size_t limit, tapegrad_context **out) {
    tg_pool *pool;
    tg_status created = tg_pool_create(allocator, limit, &pool);
    if (created != TG_OK) return tg_fail_core(created, "tapegrad_context_new");
    size_t block_bytes;
    direct *own = tg_pool_take(pool, sizeof *own, &block_bytes);
    tapegrad_status status = own ? TAPEGRAD_OK : tg_fail_core(TG_NO_MEMORY, "tapegrad_context_new");
    if (status == TAPEGRAD_OK) {
        own->block_bytes = block_bytes;
        tg_portable_loops(&own->loops);
        tg_registry_init(&own->registry);
        status = tg_context_create(pool, &own->loops, &own->registry, NULL, out);
        if (status != TAPEGRAD_OK) tg_pool_give(pool, own, block_bytes);
    }
    if (status != TAPEGRAD_OK) tg_pool_destroy(pool);
    return status;
}

tapegrad_context *tapegrad_context_new(void) {
    tapegrad_context *context;
    return tg_context_direct(tg_system_allocator(), CACHE_LIMIT, &context) == TAPEGRAD_OK ? context : NULL;
}

tapegrad_status tapegrad_context_free(tapegrad_context *context) {
    if (!context) return TAPEGRAD_OK;
    const size_t live = tg_pool_statistics(context->pool).live;
    if (live != context->own_bytes) {
        return tg_fail(TAPEGRAD_BAD_STATE,
                       "tapegrad_context_free: values, tapes or ops of the context are alive, with %zu bytes: release "
                       "them first",
                       live - context->own_bytes);
    }
    tg_pool *pool = context->pool;
    direct *own = behind(context);
    tg_context_destroy(context);
    tg_pool_give(pool, own, own->block_bytes);
    tg_pool_destroy(pool);
    return TAPEGRAD_OK;
}
