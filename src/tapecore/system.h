/* system.h: the memory of the machine, in the form a pool asks for it.
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

#endif
