/* copy.c: contiguous rows by memcpy, transposed planes in tiles, anything else row by row. */
#include "copy.h"

#include <assert.h>
#include <string.h>

#include "iterate.h"

enum { SOURCE, TARGET }; /* the participants of the walk */

/* Elements on a side of the squares in which a plane is transposed: each cache line is then used whole. */
#define TILE 32

/* Inlined with a constant itemsize, each memcpy is one load and one store. */
static inline __attribute__((always_inline)) void move(const char *source, tg_index from, char *target, tg_index to,
                                                       tg_index count, size_t itemsize) {
    if (from == 0) {
        unsigned char element[16];
        memcpy(element, source, itemsize);
        for (tg_index i = 0; i < count; i++) memcpy(target + i * to, element, itemsize);
    } else {
        for (tg_index i = 0; i < count; i++) memcpy(target + i * to, source + i * from, itemsize);
    }
}

static void copy_row(size_t itemsize, const char *source, tg_index from, char *target, tg_index to, tg_index count) {
    switch (itemsize) {
    case 1: move(source, from, target, to, count, 1); break;
    case 2: move(source, from, target, to, count, 2); break;
    case 4: move(source, from, target, to, count, 4); break;
    case 8: move(source, from, target, to, count, 8); break;
    default: assert(itemsize == 16); move(source, from, target, to, count, 16); break;
    }
}

static bool rows_are_contiguous(const tg_iterator *walk, size_t itemsize) {
    return tg_iterator_step(walk, SOURCE) == (tg_index)itemsize && tg_iterator_step(walk, TARGET) == (tg_index)itemsize;
}

/* Contiguous rows of a few bytes become elements of that size: calling memcpy for each would cost more than it
 * copies. Returns the new itemsize. */
static size_t merge_short_rows(tg_iterator *walk, size_t itemsize) {
    if (walk->ndim == 1 || !rows_are_contiguous(walk, itemsize) || tg_iterator_run(walk) > 16) return itemsize;
    size_t row = (size_t)tg_iterator_run(walk) * itemsize;
    if (row != 2 && row != 4 && row != 8 && row != 16) return itemsize;
    walk->ndim--;
    return row;
}

static tg_index distance(tg_index stride) { return stride < 0 ? -stride : stride; }

/* The dimension along which the region with the longer steps within a row has its shortest steps: tiles of the two are
 * read and written by whole cache lines. Returns -1 if the rows themselves are best. */
static int find_tile_dimension(const tg_iterator *walk) {
    int row = walk->ndim - 1, best = row;
    bool source_is_wide = distance(walk->strides[SOURCE][row]) > distance(walk->strides[TARGET][row]);
    const tg_index *wide = walk->strides[source_is_wide ? SOURCE : TARGET];
    for (int d = 0; d < row; d++) {
        if (distance(wide[d]) < distance(wide[best])) best = d;
    }
    return best == row ? -1 : best;
}

static void swap_dimensions(tg_iterator *walk, int a, int b) {
    tg_index *fields[] = {walk->shape, walk->strides[SOURCE], walk->strides[TARGET]};
    for (int f = 0; f < 3; f++) {
        tg_index kept = fields[f][a];
        fields[f][a] = fields[f][b];
        fields[f][b] = kept;
    }
}

/* One plane: `lines` rows of `count` elements. */
static void copy_plane(size_t itemsize, const char *source, tg_index from_line, tg_index from, char *target,
                       tg_index to_line, tg_index to, tg_index lines, tg_index count) {
    for (tg_index line = 0; line < lines; line += TILE) {
        tg_index end = line + TILE < lines ? line + TILE : lines;
        for (tg_index start = 0; start < count; start += TILE) {
            tg_index run = start + TILE < count ? TILE : count - start;
            for (tg_index i = line; i < end; i++) {
                copy_row(itemsize, source + i * from_line + start * from, from, target + i * to_line + start * to, to,
                         run);
            }
        }
    }
}

static void copy_planes(tg_iterator *walk, size_t itemsize) {
    int row = walk->ndim - 1, line = row - 1;
    walk->ndim--; /* the walk counts through the dimensions before these two */
    do {
        copy_plane(itemsize, walk->data[SOURCE], walk->strides[SOURCE][line], walk->strides[SOURCE][row],
                   walk->data[TARGET], walk->strides[TARGET][line], walk->strides[TARGET][row], walk->shape[line],
                   walk->shape[row]);
    } while (tg_iterator_next(walk));
}

void tg_copy_strided(size_t itemsize, int ndim, const tg_index *shape, const char *source, const tg_index *from,
                     char *target, const tg_index *to) {
    for (int d = 0; d < ndim; d++) {
        if (shape[d] == 0) return;
    }
    tg_iterator walk;
    tg_iterator_init(&walk, ndim, shape);
    tg_iterator_add(&walk, (char *)(uintptr_t)source, ndim, shape, from); /* only read */
    tg_iterator_add(&walk, target, ndim, shape, to);
    tg_iterator_coalesce(&walk);
    itemsize = merge_short_rows(&walk, itemsize);

    tg_index count = tg_iterator_run(&walk);
    if (rows_are_contiguous(&walk, itemsize)) {
        do {
            memcpy(walk.data[TARGET], walk.data[SOURCE], (size_t)count * itemsize);
        } while (tg_iterator_next(&walk));
        return;
    }
    int tile_dimension = find_tile_dimension(&walk);
    if (tile_dimension >= 0) {
        swap_dimensions(&walk, tile_dimension, walk.ndim - 2);
        copy_planes(&walk, itemsize);
        return;
    }
    tg_index source_step = tg_iterator_step(&walk, SOURCE), target_step = tg_iterator_step(&walk, TARGET);
    do {
        copy_row(itemsize, walk.data[SOURCE], source_step, walk.data[TARGET], target_step, count);
    } while (tg_iterator_next(&walk));
}

void tg_copy_taken(size_t itemsize, const int64_t *indices, tg_index count, const char *source, tg_index step,
                   char *target) {
    /* A copy whose length is known is an instruction, not a call. */
    if (itemsize == 8) {
        for (tg_index i = 0; i < count; i++) memcpy(target + 8 * i, source + indices[i] * step, 8);
    } else if (itemsize == 4) {
        for (tg_index i = 0; i < count; i++) memcpy(target + 4 * i, source + indices[i] * step, 4);
    } else {
        for (tg_index i = 0; i < count; i++) {
            memcpy(target + (size_t)i * itemsize, source + indices[i] * step, itemsize);
        }
    }
}
