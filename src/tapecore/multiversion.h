/* multiversion.h: functions of which there is one copy for every generation of vector instructions.
 *
 * To be included before anything else, by files that look at no floating point exception flags.
 */
#ifndef TG_MULTIVERSION_H
#define TG_MULTIVERSION_H

/* GCC must know that nobody looks at the flags, or it refuses to compute both sides of a choice and most loops stay
 * scalar before AVX-512. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

#include <stdint.h> /* with which C libraries tell their name */

/* The copy is chosen when the library is loaded. Sanitizers cannot run the choosing function, which comes before their
 * own start. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TG_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TG_MULTIVERSION
#endif

#endif
