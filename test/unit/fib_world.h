/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of the FIB stand on: grace periods that are the test's to end, so that the reuse of
 * blocks can be watched, and each version of the lookup in turn.
 */
#ifndef TEST_FIB_WORLD_H
#define TEST_FIB_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/prefix.h"
#include "route/fib.h"

/* What waits for a grace period, and how often one was waited for. */
extern unsigned int deferred_n, synchronized;
/* What a reader must do before a grace period ends; may be NULL. */
extern void (*before_grace)(void);
/* One ends. */
void grace(void);

static inline uint32_t masked(uint32_t addr, unsigned int len)
{
	return addr & prefix_mask(len);
}

void check_stats(const struct fib *fib, unsigned int prefixes, unsigned int blocks);
/* Runs a test with each version of the lookup that this CPU can; how many. */
unsigned int with_each_version(void (*test)(void));

#endif
