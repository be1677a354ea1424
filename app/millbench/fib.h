/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of `millbench fib` share. */
#ifndef MILLBENCH_FIB_H
#define MILLBENCH_FIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_fib.h>

#include "core/prefix.h"
#include "route/fib.h"

#define NEXT_HOPS 1000u

struct prefix {
	uint32_t addr;                 /* host byte order */
	uint8_t len;
	bool withdrawn;                /* in a list of updates */
};

struct prefixes {
	struct prefix *p;
	size_t n;
};

/* One figure of both. A peer's that does not exist is NAN. */
void fib_report(const char *what, double ours, double theirs, const char *unit);
void fib_progress(const char *what);

/* ---- fib_read.c ---- */

/* Lines of A.B.C.D/LEN, with "A " or "W " before them if they are updates; plain or gzip. Empty
 * lines and those that begin with # are skipped. What is wrong is said on stderr, with file and
 * line. Returns 0 or -1. The caller frees p. */
int fib_read(const char *path, bool updates, struct prefixes *to);

/* A fault made on purpose, to see that it is noticed. */
enum fib_fault {
	FIB_FAULT_NONE,
	FIB_FAULT_TABLE,               /* a route leads elsewhere */
	FIB_FAULT_READERS,             /* the same, when two threads look up beside updates */
	FIB_FAULT_UPDATE,              /* the last update is left out */
};
extern enum fib_fault fib_fault;

/* ---- fib_lookups.c ---- */

/* Returns 0, or -1 if there is no memory, or answers are not those of the plain reference and of
 * rte_fib. */
int fib_bench_lookups(const struct fib *ours, struct rte_fib *theirs, const struct prefixes *table);

/* ---- fib_updates.c ---- */

/* Both hold the table. Returns 0, or -1 if there is no memory or a reader got a wrong answer. */
int fib_bench_updates(struct fib *ours, struct rte_fib *theirs, const struct prefixes *table,
		      const struct prefixes *updates);

/* ---- fib_plain.c: the plain reference ---- */

struct fib_plain;

/* A hash of prefixes, tried at every length. NULL if there is no memory. */
struct fib_plain *fib_plain_create(size_t prefixes_max);
void fib_plain_free(struct fib_plain *plain);
void fib_plain_set(struct fib_plain *plain, uint32_t addr, unsigned int len, uint16_t index);
uint16_t fib_plain_lookup(const struct fib_plain *plain, uint32_t addr);

/* ---- small things ---- */

static inline uint64_t fib_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
