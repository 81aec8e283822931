/* Positions that count from the end, and those out of bounds. */
#include "positions.h"

#include <string.h>

#include "check.h"

int main(void) {
    int64_t positions[] = {0, 2, -1, -3};
    const int64_t expected[] = {0, 2, 2, 0};
    CHECK(tg_positions_from_start(positions, 4, 3));
    CHECK(memcmp(positions, expected, sizeof(expected)) == 0);
    int64_t beyond[] = {-1, 3}, before[] = {-1, -4};
    CHECK(!tg_positions_from_start(beyond, 2, 3) && beyond[0] == -1);
    CHECK(!tg_positions_from_start(before, 2, 3) && before[0] == -1);
    CHECK(tg_positions_from_start(positions, 0, 0) && !tg_positions_from_start(positions, 1, 0));
    return check_report();
}
