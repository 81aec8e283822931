/* positions.c: bounds of positions, and those that count from the end. */
#include "positions.h"

bool tg_positions_from_start(int64_t *positions, tg_index count, tg_index length) {
    for (tg_index i = 0; i < count; i++) {
        if (positions[i] < -length || positions[i] >= length) return false;
    }
    for (tg_index i = 0; i < count; i++) {
        if (positions[i] < 0) positions[i] += length;
    }
    return true;
}
