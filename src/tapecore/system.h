/* system.h: what differs from one operating system to the next: memory, waiting, forks.
 *
 * The memory of the machine, in the form a pool asks for it:
 *
 *   below TG_POOL_LARGE   the C library's heap
 *   from there on         (Linux) a mapping of its own: it grows by moving page tables instead of bytes, pages that
 *                         were never touched cost nothing, and what is released goes back to the system at once
 *   from 4 MiB on         with huge pages where the system offers them: a hundred times fewer page faults
 */
#ifndef TG_SYSTEM_H
#define TG_SYSTEM_H

#include "pool.h"

tg_allocator tg_system_allocator(void);

/* Lets another thread run that is ready to. */
void tg_system_yield(void);

/* At least so long, unless a signal comes; Windows counts in milliseconds. */
void tg_system_sleep(unsigned microseconds);

/* From now on fork() calls these, in the process and in its child. Does nothing where there is no fork. TG_NO_MEMORY on
 * failure. */
tg_status tg_system_at_fork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void));

#endif
