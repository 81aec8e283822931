/* lock.c: waiting for a lock. */
#include "lock.h"

#include "system.h"

#define SPINS 100    /* attempts before others may run: the holder may have been preempted */
#define PATIENCE 50  /* times that others may run before the thread sleeps */
#define SLEEP 50     /* microseconds */

void tg_lock_wait(tg_lock *lock) {
    for (int spins = 1; !tg_lock_try(lock); spins++) {
        if (spins % SPINS) continue;
        if (spins < SPINS * PATIENCE) {
            tg_system_yield();
        } else {
            tg_system_sleep(SLEEP);
        }
    }
}
