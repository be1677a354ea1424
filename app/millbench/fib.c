/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millbench fib: the FIB beside DPDK's rte_fib (DIR-24-8, 2-byte entries, the lookup that it
 * chooses itself) with the same table: time to load, and time a lookup in bursts of 64, for
 * addresses spread over all (every lookup misses the cache) and for 4096 hot ones. Medians of
 * alternating rounds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_fib.h>
#include <rte_memory.h>

#include "bench.h"
#include "route/fib.h"

#define PREFIXES_MAX (2u << 20)
#define BURST 64u
#define ADDRS_N (1u << 20)
#define HOT_N 4096u
#define ROUNDS 15
#define NEXT_HOPS 1000

struct prefix {
	uint32_t addr;
	uint8_t len;
};

static struct prefix *prefixes;
static unsigned int prefixes_n;
static uint32_t *addrs;
static struct fib *ours;
static struct rte_fib *theirs;

static int read_prefixes(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned int a, b, c, d, len;

	if (!f) {
		perror(path);
		return -1;
	}
	prefixes = malloc(PREFIXES_MAX * sizeof(*prefixes));
	while (prefixes && prefixes_n < PREFIXES_MAX &&
	       fscanf(f, "%u.%u.%u.%u/%u", &a, &b, &c, &d, &len) == 5 && len <= 32)
		prefixes[prefixes_n++] = (struct prefix){ a << 24 | b << 16 | c << 8 | d,
							  (uint8_t)len };
	fclose(f);
	if (!prefixes_n)
		fprintf(stderr, "%s: no prefixes\n", path);
	return prefixes_n ? 0 : -1;
}

/* Addresses within the table's prefixes, each prefix as likely as another. */
static int make_addrs(void)
{
	uint64_t x = 88172645463325252ULL;

	addrs = malloc(ADDRS_N * sizeof(*addrs));
	for (unsigned int i = 0; addrs && i < ADDRS_N; i++) {
		const struct prefix *p;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		p = &prefixes[(x >> 33) % prefixes_n];
		addrs[i] = p->addr | (p->len < 32 ? (uint32_t)x & UINT32_MAX >> p->len : 0);
	}
	return addrs ? 0 : -1;
}

static double ms_since(uint64_t start)
{
	return (double)(rte_rdtsc() - start) * 1e3 / (double)rte_get_tsc_hz();
}

static int load(void)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = PREFIXES_MAX,
		.dir24_8 = { .nh_sz = RTE_FIB_DIR24_8_2B, .num_tbl8 = 32767 },
	};
	uint64_t start = rte_rdtsc();

	ours = fib_create(0, -1);
	for (unsigned int i = 0; ours && i < prefixes_n; i++)
		fib_set(ours, prefixes[i].addr, prefixes[i].len, (uint16_t)(1 + i % NEXT_HOPS));
	printf("load: millrace %.0f ms, ", ms_since(start));
	start = rte_rdtsc();
	theirs = rte_fib_create("bench", SOCKET_ID_ANY, &conf);
	for (unsigned int i = 0; theirs && i < prefixes_n; i++)
		rte_fib_add(theirs, prefixes[i].addr, prefixes[i].len, 1 + i % NEXT_HOPS);
	printf("rte_fib %.0f ms\n", ms_since(start));
	return ours && theirs ? 0 : -1;
}

static unsigned int differences(void)
{
	uint16_t mine[BURST];
	uint64_t others[BURST];
	unsigned int n = 0;

	for (unsigned int i = 0; i < ADDRS_N; i += BURST) {
		fib_lookup_bulk(ours, addrs + i, mine, BURST);
		rte_fib_lookup_bulk(theirs, addrs + i, others, BURST);
		for (unsigned int k = 0; k < BURST; k++)
			n += mine[k] != others[k];
	}
	return n;
}

/* Cycles a lookup over the first n addresses, as often as makes a million. */
static double time_ours(unsigned int n)
{
	uint16_t got[BURST];
	uint64_t start = rte_rdtsc();

	for (unsigned int i = 0; i < ADDRS_N; i += BURST)
		fib_lookup_bulk(ours, addrs + i % n, got, BURST);
	return (double)(rte_rdtsc() - start) / ADDRS_N;
}

static double time_theirs(unsigned int n)
{
	uint64_t got[BURST];
	uint64_t start = rte_rdtsc();

	for (unsigned int i = 0; i < ADDRS_N; i += BURST)
		rte_fib_lookup_bulk(theirs, addrs + i % n, got, BURST);
	return (double)(rte_rdtsc() - start) / ADDRS_N;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return v[ROUNDS / 2];
}

static void compare(const char *what, unsigned int n)
{
	double mine[ROUNDS], others[ROUNDS], ratio[ROUNDS];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		mine[i] = time_ours(n);
		others[i] = time_theirs(n);
		ratio[i] = mine[i] / others[i];
	}
	printf("%s: millrace %.1f, rte_fib %.1f TSC cycles a lookup, ratio %.2f\n", what,
	       median(mine), median(others), median(ratio));
}

int bench_fib(int argc, char **argv)
{
	struct fib_stats s;

	if (argc != 2) {
		fprintf(stderr, "usage: millbench fib FILE\n");
		return 2;
	}
	if (read_prefixes(argv[1]) || make_addrs())
		return 1;
	if (load()) {
		fprintf(stderr, "millbench: no memory for the tables\n");
		return 1;
	}
	fib_stats_get(ours, &s);
	printf("prefixes: %u, second-level blocks %u, lookup %u MB, control %u MB\n", s.prefixes,
	       s.blocks_used, (unsigned int)(s.lookup_bytes >> 20),
	       (unsigned int)(s.control_bytes >> 20));
	printf("different answers: %u of %u\n", differences(), ADDRS_N);
	compare("spread", ADDRS_N);
	compare("hot", HOT_N);
	rte_fib_free(theirs);
	fib_destroy(ours);
	free(prefixes);
	free(addrs);
	return 0;
}
