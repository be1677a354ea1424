/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `millbench fib`: cycles a lookup, in bursts of 64.
 *
 * Alone, the loop of all bursts is timed. With a working set, each burst touches four cache lines
 * a lookup of a ring of 64 MB, as receiving and sending packets would, and only the lookups are
 * timed, from after the last line has come until the last answer has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_cycles.h>

#include "bench.h"
#include "fib.h"
#include "route/pages.h"

#define BURST 64u
#define ADDRS_N (1u << 20)
#define FEW_N 4096u
#define PLAIN_N 65536u             /* compared with the plain reference, too */
#define ROUNDS 15u
#define LINES_A_LOOKUP 4u
#define RING_BYTES ((size_t)64 << 20)

static const struct fib *ours;
static struct rte_fib *theirs;
static uint8_t *ring;
static size_t ring_at;

/* ---- addresses ---- */

/* One address of a prefix, always the same. */
static uint32_t address_of(const struct prefix *p)
{
	return p->addr | (uint32_t)((p->addr + p->len) * 0x9e3779b97f4a7c15ULL >> 32 &
				    ~prefix_mask(p->len));
}

/* Each prefix as likely as another. */
static void make_uniform(uint32_t *addrs, const struct prefixes *table)
{
	uint64_t x = 88172645463325252ULL;

	for (unsigned int i = 0; i < ADDRS_N; i++) {
		const struct prefix *p = &table->p[(fib_random(&x) >> 16) % table->n];

		addrs[i] = p->addr | ((uint32_t)(fib_random(&x) >> 16) & ~prefix_mask(p->len));
	}
}

/* A prefix's share is as 1 to its rank, by octaves: each octave of ranks is as likely as another,
 * and within one all ranks are. Ranks are given to prefixes at random. */
static void make_zipf(uint32_t *addrs, const struct prefixes *table)
{
	uint64_t x = 0x2545f4914f6cdd1dULL;
	unsigned int octaves = 1;

	while (table->n >> octaves > 1)
		octaves++;
	for (unsigned int i = 0; i < ADDRS_N; i++) {
		uint64_t octave = (fib_random(&x) >> 16) % octaves;
		uint64_t rank = 1ULL << octave | (fib_random(&x) >> 16 & ((1ULL << octave) - 1));

		addrs[i] = address_of(&table->p[(rank * 0x9e3779b97f4a7c15ULL >> 20) % table->n]);
	}
}

/* ---- what is timed ---- */

static void burst_ours(const uint32_t *addrs)
{
	uint16_t got[BURST];

	fib_lookup_bulk(ours, addrs, got, BURST);
	__asm__ volatile("" : : "r"(got) : "memory");
}

static void burst_theirs(const uint32_t *addrs)
{
	uint64_t got[BURST];

	rte_fib_lookup_bulk(theirs, (uint32_t *)(uintptr_t)addrs, got, BURST);
	__asm__ volatile("" : : "r"(got) : "memory");
}

/* The first n addresses, as often as makes a million. */
static __rte_always_inline double alone(void (*burst)(const uint32_t *), const uint32_t *addrs,
				    unsigned int n)
{
	uint64_t start = rte_rdtsc();

	for (unsigned int i = 0; i < ADDRS_N; i += BURST)
		burst(addrs + i % n);
	return (double)(rte_rdtsc() - start) / ADDRS_N;
}

static void touch_ring(void)
{
	for (unsigned int i = 0; i < BURST * LINES_A_LOOKUP; i++) {
		ring[ring_at]++;
		ring_at = (ring_at + RTE_CACHE_LINE_SIZE) % RING_BYTES;
	}
}

static void nothing(const uint32_t *addrs)
{
}

static double polluted(void (*burst)(const uint32_t *), const uint32_t *addrs, unsigned int n)
{
	uint64_t cycles = 0, start;

	for (unsigned int i = 0; i < ADDRS_N; i += BURST) {
		touch_ring();
		start = rte_rdtsc_precise();
		burst(addrs + i % n);
		cycles += rte_rdtsc_precise() - start;
	}
	return (double)cycles / ADDRS_N;
}

/* ---- */

static void compare(const char *what, const uint32_t *addrs, unsigned int n)
{
	double mine[ROUNDS], others[ROUNDS];
	char name[64];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		mine[i] = alone(burst_ours, addrs, n);
		others[i] = alone(burst_theirs, addrs, n);
	}
	snprintf(name, sizeof(name), "lookup, %s", what);
	fib_report(name, bench_median(mine, ROUNDS), bench_median(others, ROUNDS), "cycles");
	for (unsigned int i = 0; i < ROUNDS; i++) {
		double clock = polluted(nothing, addrs, n);

		mine[i] = polluted(burst_ours, addrs, n) - clock;
		others[i] = polluted(burst_theirs, addrs, n) - clock;
	}
	snprintf(name, sizeof(name), "lookup, %s, cache polluted", what);
	fib_report(name, bench_median(mine, ROUNDS), bench_median(others, ROUNDS), "cycles");
}

/* Of some addresses, as it is slow. */
static unsigned int check_plain(const struct fib_plain *plain, const uint32_t *addrs)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < PLAIN_N; i++)
		wrong += fib_lookup(ours, addrs[i]) != fib_plain_lookup(plain, addrs[i]);
	if (wrong)
		fprintf(stderr, "millbench: %u of %u answers are not the plain reference's\n",
			wrong, PLAIN_N);
	return wrong;
}

static int check(const struct fib_plain *plain, const uint32_t *addrs)
{
	unsigned int wrong = check_plain(plain, addrs), differ = 0;
	uint16_t mine[BURST];
	uint64_t others[BURST];

	for (unsigned int i = 0; i < ADDRS_N; i += BURST) {
		fib_lookup_bulk(ours, addrs + i, mine, BURST);
		rte_fib_lookup_bulk(theirs, (uint32_t *)(uintptr_t)addrs + i, others, BURST);
		for (unsigned int k = 0; k < BURST; k++)
			differ += mine[k] != others[k];
	}
	if (differ)
		fprintf(stderr, "millbench: %u of %u answers are not rte_fib's\n", differ, ADDRS_N);
	return wrong || differ ? -1 : 0;
}

int fib_bench_lookups(const struct fib *fib, struct rte_fib *rte_fib, const struct prefixes *table)
{
	static const struct {
		const char *name;
		void (*make)(uint32_t *addrs, const struct prefixes *table);
		unsigned int n;
	} kinds[] = {
		{"uniform", make_uniform, ADDRS_N},
		{"Zipf", make_zipf, ADDRS_N},
		{"4096 addresses", make_uniform, FEW_N},
	};
	uint32_t *addrs = pages_map(ADDRS_N * sizeof(*addrs), false, -1);
	struct fib_plain *plain = fib_plain_create(table->n);
	int rc = 0;

	ring = pages_map(RING_BYTES, false, -1);
	ours = fib;
	theirs = rte_fib;
	if (!addrs || !ring || !plain) {
		fprintf(stderr, "millbench: no memory for addresses\n");
		rc = -1;
	}
	for (size_t i = 0; !rc && i < table->n; i++)
		fib_plain_set(plain, table->p[i].addr, table->p[i].len,
			      (uint16_t)(1 + i % NEXT_HOPS));
	for (unsigned int i = 0; !rc && i < RTE_DIM(kinds); i++) {
		fib_progress(kinds[i].name);
		kinds[i].make(addrs, table);
		rc = check(plain, addrs);
		if (!rc)
			compare(kinds[i].name, addrs, kinds[i].n);
	}
	pages_unmap(addrs, ADDRS_N * sizeof(*addrs));
	pages_unmap(ring, RING_BYTES);
	fib_plain_free(plain);
	return rc;
}
