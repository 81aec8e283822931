/* plane.c: tiles of short rows, and sums over them. */
#include "plane.h"

#include <string.h>

bool tg_plane_begin(tg_plane *plane, tg_iterator *iterator) {
    const int last = iterator->ndim - 1;
    if (last == 0 || iterator->shape[last] > TG_SHORT_RUN) return false;
    plane->run = iterator->shape[last];
    plane->rows = iterator->shape[last - 1];
    plane->most = TG_BLOCK / plane->run;
    for (int p = 0; p < iterator->participants; p++) {
        plane->outer[p] = iterator->strides[p][last - 1];
        plane->inner[p] = iterator->strides[p][last];
        plane->copied[p] = NULL;
    }
    iterator->ndim = last;
    return true;
}

/* One row, and behind it copies of what is there already. */
static void repeat(char *block, size_t row_bytes, size_t bytes) {
    for (size_t filled = row_bytes; filled < bytes; filled *= 2) {
        memcpy(block + filled, block, filled < bytes - filled ? filled : bytes - filled);
    }
}

#define DEFINE_ROWS(SUFFIX, TYPE)                                                                                      \
    static void pack_##SUFFIX(const char *data, tg_index outer, tg_index inner, tg_index rows, tg_index run,           \
                              TYPE *block) {                                                                           \
        if (rows < run) {                                                                                              \
            for (tg_index i = 0; i < rows; i++, data += outer, block += run) {                                         \
                for (tg_index j = 0; j < run; j++) block[j] = *(const TYPE *)(const void *)(data + j * inner);         \
            }                                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        for (tg_index j = 0; j < run; j++, data += inner) {                                                            \
            for (tg_index i = 0; i < rows; i++) block[i * run + j] = *(const TYPE *)(const void *)(data + i * outer);  \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    /* Into one row. A tile is added up by itself first, which keeps the error of long sums small. */                  \
    static void add_rows_##SUFFIX(const TYPE *tile, tg_index rows, tg_index run, tg_index step, char *target) {        \
        TYPE sums[TG_SHORT_RUN] = {0};                                                                                 \
        for (tg_index i = 0; i < rows; i++, tile += run) {                                                             \
            for (tg_index j = 0; j < run; j++) sums[j] += tile[j];                                                     \
        }                                                                                                              \
        for (tg_index j = 0; j < run; j++) *(TYPE *)(void *)(target + j * step) += sums[j];                            \
    }                                                                                                                  \
                                                                                                                       \
    /* Into one column, or with steps of zero into one number. */                                                      \
    static void add_columns_##SUFFIX(const TYPE *tile, tg_index rows, tg_index run, tg_index step, char *target) {     \
        for (tg_index i = 0; i < rows; i++, tile += run, target += step) {                                             \
            TYPE sum = 0;                                                                                              \
            for (tg_index j = 0; j < run; j++) sum += tile[j];                                                         \
            *(TYPE *)(void *)target += sum;                                                                            \
        }                                                                                                              \
    }

DEFINE_ROWS(f32, float)
DEFINE_ROWS(f64, double)

char *tg_plane_tile(tg_plane *plane, int participant, char *data, tg_index rows, int dtype, char *block) {
    const tg_index itemsize = (tg_index)tg_itemsize(dtype), outer = plane->outer[participant],
                   inner = plane->inner[participant], run = plane->run;
    if (inner == itemsize && outer == run * itemsize) return data;
    if (outer == 0 && plane->copied[participant] == data) return block;
    plane->copied[participant] = outer == 0 ? data : NULL;
    const tg_index once = outer == 0 ? 1 : rows;
    if (dtype == TG_F64) {
        pack_f64(data, outer, inner, once, run, (double *)(void *)block);
    } else {
        pack_f32(data, outer, inner, once, run, (float *)(void *)block);
    }
    if (outer == 0) repeat(block, (size_t)(run * itemsize), (size_t)(rows * run * itemsize));
    return block;
}

void tg_plane_add(const tg_plane *plane, int participant, const char *tile, tg_index rows, int dtype, char *target) {
    const tg_index outer = plane->outer[participant], inner = plane->inner[participant], run = plane->run;
    const double *doubles = (const double *)(const void *)tile;
    const float *floats = (const float *)(const void *)tile;
    if (inner) {
        if (dtype == TG_F64) {
            add_rows_f64(doubles, rows, run, inner, target);
        } else {
            add_rows_f32(floats, rows, run, inner, target);
        }
    } else if (dtype == TG_F64) {
        add_columns_f64(doubles, rows, run, outer, target);
    } else {
        add_columns_f32(floats, rows, run, outer, target);
    }
}
