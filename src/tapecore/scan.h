/* scan.h: a quick look at whether numbers are special. */
#ifndef TG_SCAN_H
#define TG_SCAN_H

#include "core.h"

enum {
    TG_SOME_NONZERO = 1,
    TG_SOME_INFINITE = 2, /* or nan */
};

/* Which of these are among `count` elements of a native type, `step` bytes apart. */
unsigned tg_scan(int dtype, const void *data, tg_index step, tg_index count);

#endif
