/* course.h: the way of a relay (relay.h) through memory. */
#ifndef TG_COURSE_H
#define TG_COURSE_H

#include "relay.h"

/* Computes the results of the push's relay, block by block. results: for each leg an array for its tangent, or NULL if
 * it is needed by other legs only. */
tg_status tg_course_run(tg_push *push, tg_array **results);

#endif
