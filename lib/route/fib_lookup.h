/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The versions of fib_lookup_bulk(), for this room and its tests. Which is fastest can't be told
 * from what the CPU says it has: the same gather takes few cycles on one and is microcode on
 * another. So all that run here are tried, once, when the first FIB is made; it takes some 50 us.
 */
#ifndef ROUTE_FIB_LOOKUP_H
#define ROUTE_FIB_LOOKUP_H

#include "route/fib.h"

#define FIB_LOOKUP_BURST 64u

/* Versions by the name that they are chosen and shown by; NULL after the last. */
const char *fib_lookup_name(unsigned int i);

/* Use that version from now on. Returns 0, -EINVAL for no such version, -ENOTSUP if this CPU can't.
 * For tests and benchmarks; no reader may be looking up. */
int fib_lookup_choose(const char *name);

/* The name of the version in use. */
const char *fib_lookup_chosen(void);

/* Choose the fastest, unless one was chosen already. */
void fib_lookup_init(void);

/* fib_lookup_portable.c, fib_lookup_avx2.c, fib_lookup_avx512.c: as fib_lookup_bulk(), with n a
 * multiple of 16, at most FIB_LOOKUP_BURST. */
void fib_lookup_portable(const struct fib_view *view, const uint32_t *addrs, uint16_t *indexes,
			 unsigned int n);
void fib_lookup_avx2(const struct fib_view *view, const uint32_t *addrs, uint16_t *indexes,
		     unsigned int n);
void fib_lookup_avx512(const struct fib_view *view, const uint32_t *addrs, uint16_t *indexes,
		       unsigned int n);

#endif
