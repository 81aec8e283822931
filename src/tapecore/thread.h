/* thread.h: the tapes that record on this thread, innermost last.
 *
 * The one piece of state that is not passed as an argument, and it is thread-local: an operation has to find the
 * tapes of the thread it runs on. Tapes below `base` are paused as a group (while a custom rule's forward pass runs).
 */
#ifndef TG_THREAD_H
#define TG_THREAD_H

#include "tape.h"

typedef struct tg_thread {
    tg_tape **tapes; /* owned; each tape is borrowed while it is on the list */
    int base, count, capacity;
    int checking; /* how many blocks the thread is in that look for NaNs (the binding's) */
} tg_thread;

/* Inside a shared library this model makes access one instruction; glibc keeps room for small variables like this. */
#if defined(__GLIBC__) && defined(__GNUC__)
#define TG_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define TG_THREAD_LOCAL _Thread_local
#endif

extern TG_THREAD_LOCAL tg_thread tg_this_thread;

static inline tg_thread *tg_thread_current(void) { return &tg_this_thread; }

static inline bool tg_thread_records(const tg_thread *thread) { return thread->base < thread->count; }

tg_status tg_thread_push(tg_tape *tape);

/* Takes the tape off this thread's list, wherever it stands; false if it is not there. */
bool tg_thread_remove(tg_tape *tape);

bool tg_thread_has(const tg_tape *tape);

#endif
