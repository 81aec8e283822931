/* core.c: checked sizes. */
#include "core.h"

#include <assert.h>

tg_status tg_checked_size(int count, const tg_index *sizes, size_t itemsize, tg_index *out) {
    tg_index product = 1;
    bool overflow = false;
    for (int i = 0; i < count; i++) {
        assert(sizes[i] >= 0);
        if (sizes[i] == 0) {
            *out = 0;
            return TG_OK;
        }
        overflow |= __builtin_mul_overflow(product, sizes[i], &product);
    }
    tg_index bytes;
    if (overflow || __builtin_mul_overflow(product, itemsize, &bytes)) return TG_TOO_LARGE;
    *out = product;
    return TG_OK;
}
