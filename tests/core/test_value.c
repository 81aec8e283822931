/* Handles, and the passage between numbers and 0-d arrays. */
#include "value.h"

#include <string.h>

#include "check.h"

static bool even_is_live(void *context, uint64_t id) {
    (void)context;
    return id % 2 == 0;
}

static tg_status add_many(tg_allocator allocator, void *context) {
    (void)context;
    tg_pool *pool;
    tg_status status = tg_pool_create(allocator, 0, &pool);
    if (status != TG_OK) return status;
    tg_handles handles = {{0, 0}, {0, 0}, NULL}, copy = {{0, 0}, {0, 0}, NULL};
    CHECK(tg_handles_empty(&handles));
    uint32_t added = 0;
    while (added < 100 && status == TG_OK) {
        status = tg_handles_add(&handles, pool, added + 1, 3 * added, NULL, NULL);
        added += status == TG_OK;
        CHECK(!tg_handles_empty(&handles));
        for (uint32_t i = 0; i < added; i++) { /* a failure loses nothing */
            tg_handle handle;
            CHECK(tg_handles_find(&handles, i + 1) == 3 * i);
            CHECK(tg_handles_get(&handles, i, &handle) && handle.id == i + 1 && handle.slot == 3 * i);
        }
        CHECK(tg_handles_find(&handles, added + 1) == TG_NO_SLOT && !tg_handles_get(&handles, added, &(tg_handle){0}));
    }
    if (status == TG_OK) status = tg_handles_copy(&handles, pool, &copy);
    tg_handles_clear(&handles, pool);
    CHECK(tg_handles_empty(&handles));
    for (uint32_t i = 0; i < 100 && status == TG_OK; i++) CHECK(tg_handles_find(&copy, i + 1) == 3 * i);
    tg_handles_clear(&copy, pool);
    tg_pool_destroy(pool);
    return status;
}

/* Handles of dead tapes make room. */
static void test_dead_handles(tg_pool *pool) {
    tg_handles handles = {{0, 0}, {0, 0}, NULL};
    const uint64_t ids[] = {2, 4, 6, 7, 8};
    for (uint32_t i = 0; i < 5; i++) CHECK_OK(tg_handles_add(&handles, pool, ids[i], i, even_is_live, NULL));
    CHECK_OK(tg_handles_add(&handles, pool, 10, 9, even_is_live, NULL)); /* in the place of 7 */
    CHECK(tg_handles_find(&handles, 7) == TG_NO_SLOT && tg_handles_find(&handles, 10) == 9);
    CHECK(!tg_handles_get(&handles, 5, &(tg_handle){0}) && handles.more->count == 3);
    tg_handles_clear(&handles, pool);
    CHECK_OK(tg_handles_add(&handles, pool, 3, 1, even_is_live, NULL));
    CHECK_OK(tg_handles_add(&handles, pool, 4, 2, even_is_live, NULL)); /* likewise, inline */
    CHECK(tg_handles_find(&handles, 3) == TG_NO_SLOT && handles.id[0] == 4 && !handles.id[1]);
    /* A free place after a live one is found and listed. */
    handles = (tg_handles){{0, 4}, {0, 2}, NULL};
    tg_handle handle;
    CHECK(tg_handles_get(&handles, 0, &handle) && handle.id == 4 && !tg_handles_get(&handles, 1, &handle));
}

static void test_numbers(tg_pool *pool) {
    for (int dtype = 0; dtype < TG_NDTYPES; dtype++) {
        tg_value number = {.dtype = dtype}, back;
        for (size_t i = 0; i < tg_itemsize(dtype); i++) number.scalar.bytes[i] = (unsigned char)(i + 1);
        tg_array *array = NULL;
        CHECK_OK(tg_value_to_array(&number, pool, &array));
        CHECK(array->ndim == 0 && array->dtype == dtype);
        tg_value_from_array(array, &back);
        CHECK(!back.array && back.dtype == dtype);
        CHECK(memcmp(&back.scalar, &number.scalar, tg_itemsize(dtype)) == 0);
        CHECK(tg_value_ndim(&back) == 0 && tg_value_size(&back) == 1 && !tg_value_shape(&back));
    }
    tg_value value;
    tg_array *array = NULL, *same = NULL;
    CHECK_OK(tg_array_new(pool, TG_F32, 1, (tg_index[]){3}, &array));
    tg_value_from_array(array, &value);
    CHECK(value.array == array && value.dtype == TG_F32 && tg_value_size(&value) == 3);
    CHECK(tg_value_to_array(&value, pool, &same) == TG_OK && same == array && !tg_array_is_unique(array));
    tg_array_release(array);
    tg_array_release(same);
}

int main(void) {
    check_every_failure(add_many, NULL);
    tg_pool *pool = NULL;
    CHECK_OK(tg_pool_create(tg_system_allocator(), 0, &pool));
    test_dead_handles(pool);
    test_numbers(pool);
    tg_pool_destroy(pool);
    return check_report();
}
