/* thread.c: the list of recording tapes of each thread. */
#include "thread.h"

#include <stdlib.h>

TG_THREAD_LOCAL tg_thread tg_this_thread;

tg_status tg_thread_push(tg_tape *tape) {
    tg_thread *thread = tg_thread_current();
    if (thread->count == thread->capacity) {
        int capacity = thread->capacity ? 2 * thread->capacity : 8;
        tg_tape **grown = realloc(thread->tapes, (size_t)capacity * sizeof(tg_tape *));
        if (!grown) return TG_NO_MEMORY;
        thread->tapes = grown;
        thread->capacity = capacity;
    }
    thread->tapes[thread->count++] = tape;
    return TG_OK;
}

static int position(const tg_tape *tape) {
    const tg_thread *thread = tg_thread_current();
    for (int i = thread->count - 1; i >= 0; i--) {
        if (thread->tapes[i] == tape) return i;
    }
    return -1;
}

bool tg_thread_has(const tg_tape *tape) { return position(tape) >= 0; }

bool tg_thread_remove(tg_tape *tape) {
    tg_thread *thread = tg_thread_current();
    int at = position(tape);
    if (at < 0) return false;
    for (int i = at; i + 1 < thread->count; i++) thread->tapes[i] = thread->tapes[i + 1];
    thread->count--;
    if (at < thread->base) thread->base--;
    if (thread->count == 0) { /* a thread that ends holds nothing */
        free(thread->tapes);
        *thread = (tg_thread){.checking = thread->checking};
    }
    return true;
}
