/* scan.c: vector loops over all elements, without a way out of them: stopping early would make them scalar. */
#include "multiversion.h"

#include "scan.h"

#include <string.h>

/* Numbers are looked at as their bits without the sign. One more in the exponent carries into the sign's place if, and
 * only if, all of the exponent's bits were set. */
#define DEFINE_SCAN(SUFFIX, BITS, SIGN, FRACTION_BITS)                                                                 \
    static inline unsigned scan_any_##SUFFIX(const char *numbers, tg_index step, tg_index count) {                     \
        const BITS sign = (BITS)1 << SIGN, exponent = (BITS)1 << FRACTION_BITS;                                        \
        BITS all = 0, carried = 0;                                                                                     \
        for (tg_index i = 0; i < count; i++) {                                                                         \
            BITS bits;                                                                                                 \
            memcpy(&bits, numbers + i * step, sizeof bits);                                                            \
            bits &= ~sign;                                                                                             \
            all |= bits;                                                                                               \
            carried |= bits + exponent;                                                                                \
        }                                                                                                              \
        return (all ? TG_SOME_NONZERO : 0) | (carried & sign ? TG_SOME_INFINITE : 0);                                  \
    }                                                                                                                  \
                                                                                                                       \
    TG_MULTIVERSION static unsigned scan_##SUFFIX(const char *numbers, tg_index step, tg_index count) {                \
        if (step == (tg_index)sizeof(BITS)) return scan_any_##SUFFIX(numbers, sizeof(BITS), count);                    \
        return scan_any_##SUFFIX(numbers, step, count);                                                                \
    }

DEFINE_SCAN(f32, uint32_t, 31, 23)
DEFINE_SCAN(f64, uint64_t, 63, 52)

unsigned tg_scan(int dtype, const void *data, tg_index step, tg_index count) {
    return dtype == TG_F64 ? scan_f64(data, step, count) : scan_f32(data, step, count);
}
