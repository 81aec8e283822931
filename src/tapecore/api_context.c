/* api_context.c: contexts: where memory and loops come from. */
#include <string.h>

#include "api.h"

/* The public enums are the core's. */
_Static_assert((int)TAPEGRAD_BAD_SHAPE == (int)TG_BAD_SHAPE, "the core's statuses come first");
_Static_assert((int)TAPEGRAD_COMPLEX128 == (int)TG_C128 && (int)TAPEGRAD_FLOAT64 == (int)TG_F64, "the core's dtypes");
_Static_assert(TAPEGRAD_MAX_DIMS == TG_MAX_DIMS, "the core's limit");

static tapegrad_op *builtin_op(tapegrad_context *context, int number) {
    size_t block_bytes;
    tapegrad_op *op = tg_pool_take(context->pool, sizeof *op, &block_bytes);
    if (!op) return NULL;
    *op = (tapegrad_op){.context = context, .number = number, .block_bytes = block_bytes};
    op->definition.name = tg_op_table[number].name;
    op->definition.operands = tg_op_table[number].operands;
    op->definition.results = 1;
    return op;
}

tapegrad_status tg_context_create(tg_pool *pool, const tg_loops *loops, tg_registry *registry, const tg_host *host,
                                  tapegrad_context **out) {
    size_t block_bytes;
    tapegrad_context *context = tg_pool_take(pool, sizeof *context, &block_bytes);
    if (!context) return tg_fail_core(TG_NO_MEMORY, "tapegrad_context_new");
    *context = (tapegrad_context){
        .pool = pool, .loops = loops, .registry = registry, .host = host, .block_bytes = block_bytes};
    for (int number = 0; number < TG_ELEMENTWISE_OPS; number++) {
        context->builtin[number] = builtin_op(context, number);
        if (!context->builtin[number]) {
            tg_context_destroy(context);
            return tg_fail_core(TG_NO_MEMORY, "tapegrad_context_new");
        }
    }
    context->own_bytes = tg_pool_statistics(pool).live;
    *out = context;
    return TAPEGRAD_OK;
}

void tg_context_destroy(tapegrad_context *context) {
    for (int number = 0; number < TG_ELEMENTWISE_OPS; number++) {
        tapegrad_op *op = context->builtin[number];
        if (op) tg_pool_give(context->pool, op, op->block_bytes);
    }
    tg_pool_give(context->pool, context, context->block_bytes);
}

void tapegrad_share(tapegrad_context *context) { tg_pool_share(context->pool); }

void tapegrad_unshare(tapegrad_context *context) { tg_pool_unshare(context->pool); }

tapegrad_memory tapegrad_memory_stats(tapegrad_context *context) {
    const tg_pool_stats stats = tg_pool_statistics(context->pool);
    return (tapegrad_memory){stats.live, stats.cached, stats.peak, stats.limit};
}

void tapegrad_memory_reset_peak(tapegrad_context *context) { tg_pool_reset_peak(context->pool); }

void tapegrad_memory_set_limit(tapegrad_context *context, size_t limit) { tg_pool_set_limit(context->pool, limit); }

const tapegrad_op *tapegrad_find(tapegrad_context *context, const char *name) {
    for (int number = 0; number < TG_ELEMENTWISE_OPS; number++) {
        if (strcmp(tg_op_table[number].name, name) == 0) return context->builtin[number];
    }
    tg_fail(TAPEGRAD_BAD_VALUE, "tapegrad_find: there is no elementwise operation named '%s'", name);
    return NULL;
}

const char *tapegrad_op_name(const tapegrad_op *op) { return op->definition.name; }
