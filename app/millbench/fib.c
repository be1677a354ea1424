/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millbench fib: the FIB beside DPDK's rte_fib (DIR-24-8, 2-byte entries, the lookup that it
 * chooses itself) with the same table: time to load, memory, lookups, and a list of updates.
 * Every answer is compared with rte_fib's, many with a plain reference's; --plant FAULT makes one
 * wrong. Figures are medians of alternating rounds, but for what can be done only once: the load
 * into new memory, and rte_fib's updates. docs/performance.md says what came out.
 *
 * Public tables have no prefixes longer than 24 bits; a real router has: some are added.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "bench.h"
#include "core/rcu.h"
#include "fib.h"
#include "route/fib_lookup.h"

#define LONGER_N 5000u
#define ROUNDS 7
#define READERS 2
#define ROWS_MAX 64
#define BLOCKS 32767u

static struct fib *ours;
static struct rte_fib *theirs;
static bool json;
enum fib_fault fib_fault;

/* ---- figures ---- */

static struct row {
	char what[64];
	double ours, theirs;
	const char *unit;
} rows[ROWS_MAX];
static unsigned int rows_n;

void fib_report(const char *what, double mine, double others, const char *unit)
{
	struct row *r = &rows[rows_n];

	if (rows_n == ROWS_MAX)
		return;
	snprintf(r->what, sizeof(r->what), "%s", what);
	r->ours = mine;
	r->theirs = others;
	r->unit = unit;
	rows_n++;
}

static void print_table(void)
{
	printf("%-36s %10s %10s %7s\n", "", "millrace", "rte_fib", "ratio");
	for (unsigned int i = 0; i < rows_n; i++) {
		const struct row *r = &rows[i];

		printf("%-36s %10.*f", r->what, r->ours < 100 && r->ours != (int)r->ours, r->ours);
		if (isnan(r->theirs))
			printf(" %10s %7s", "-", "-");
		else
			printf(" %10.*f %7.2f", r->theirs < 100, r->theirs, r->ours / r->theirs);
		printf("  %s\n", r->unit);
	}
}

static void print_json(void)
{
	printf("[");
	for (unsigned int i = 0; i < rows_n; i++) {
		const struct row *r = &rows[i];

		printf("%s\n  {\"what\": \"%s\", \"unit\": \"%s\", \"millrace\": %.3f",
		       i ? "," : "", r->what, r->unit, r->ours);
		if (!isnan(r->theirs))
			printf(", \"rte_fib\": %.3f", r->theirs);
		printf("}");
	}
	printf("\n]\n");
}

void fib_progress(const char *what)
{
	fprintf(stderr, "millbench: %s\n", what);
}

/* ---- the table ---- */

static int by_prefix(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->len - y->len;
}

/* Longer ones, within those that are listed; and all in order, each once, as a router that starts
 * is given them. */
static int table_complete(struct prefixes *table)
{
	struct prefix *p = realloc(table->p, (table->n + LONGER_N) * sizeof(*p));
	size_t listed = table->n, n = 1;
	uint64_t x = 88172645463325252ULL;

	if (!p)
		return -1;
	table->p = p;
	for (unsigned int i = 0; i < LONGER_N; i++) {
		uint8_t len = (uint8_t)(25 + i % 8);
		uint64_t r = fib_random(&x) >> 16;

		p[table->n++] = (struct prefix){
			(p[r % listed].addr | (r & 0xff)) & prefix_mask(len), len, false };
	}
	qsort(p, table->n, sizeof(*p), by_prefix);
	for (size_t i = 1; i < table->n; i++)
		if (by_prefix(&p[i], &p[n - 1]))
			p[n++] = p[i];
	table->n = n;
	return 0;
}

/* ---- loading ---- */

static double ms_since(uint64_t start)
{
	return (double)(rte_rdtsc() - start) * 1e3 / (double)rte_get_tsc_hz();
}

static void load_ours(const struct prefixes *table)
{
	for (size_t i = 0; i < table->n; i++)
		fib_set(ours, table->p[i].addr, table->p[i].len, (uint16_t)(1 + i % NEXT_HOPS));
}

static void load_theirs(const struct prefixes *table)
{
	for (size_t i = 0; i < table->n; i++)
		rte_fib_add(theirs, table->p[i].addr, table->p[i].len, 1 + i % NEXT_HOPS);
}

static void unload(const struct prefixes *table)
{
	for (size_t i = 0; i < table->n; i++) {
		fib_unset(ours, table->p[i].addr, table->p[i].len);
		rte_fib_delete(theirs, table->p[i].addr, table->p[i].len);
	}
	rcu_synchronize();
}

static double heap_mb(void)
{
	struct rte_malloc_socket_stats s;
	double bytes = 0;

	for (int i = 0; i < RTE_MAX_NUMA_NODES; i++)
		if (!rte_malloc_get_socket_stats(i, &s))
			bytes += (double)s.heap_allocsz_bytes;
	return bytes / (1 << 20);
}

/* Is it there, and of that many prefixes. */
static bool whole(const struct prefixes *table)
{
	struct fib_stats s;

	if (!ours || !theirs)
		return false;
	fib_stats_get(ours, &s);
	return s.prefixes == table->n;
}

static int load(const struct prefixes *table, size_t most)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = (int)most,
		.dir24_8 = { .nh_sz = RTE_FIB_DIR24_8_2B, .num_tbl8 = BLOCKS },
	};
	double mine[ROUNDS], others[ROUNDS], before = heap_mb(), first;
	struct fib_stats s;
	uint64_t start;

	fib_progress("loading");
	start = rte_rdtsc();
	ours = fib_create(0, true, -1);
	if (ours)
		load_ours(table);
	first = ms_since(start);
	start = rte_rdtsc();
	theirs = rte_fib_create("bench", SOCKET_ID_ANY, &conf);
	if (theirs)
		load_theirs(table);
	if (!whole(table)) {
		fprintf(stderr, "millbench: no memory for the tables\n");
		return -1;
	}
	fib_report("load, into new memory", first, ms_since(start), "ms");
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unload(table);
		start = rte_rdtsc();
		load_ours(table);
		mine[i] = ms_since(start);
		start = rte_rdtsc();
		load_theirs(table);
		others[i] = ms_since(start);
	}
	fib_report("load, into warm memory", bench_median(mine, ROUNDS),
		   bench_median(others, ROUNDS), "ms");
	fib_stats_get(ours, &s);
	fib_report("memory", (double)(s.lookup_bytes + s.control_bytes) / (1 << 20),
		   heap_mb() - before, "MB of addresses");
	fib_report("of it for lookups", (double)s.lookup_bytes / (1 << 20), NAN, "MB");
	return 0;
}

/* Of the mapping that holds an address, what /proc/self/smaps says. */
static void report_pages(const void *of)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long from, to, kb, page = 0, huge = 0, at = (unsigned long)(uintptr_t)of;
	bool inside = false;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= at && at < to;
		else if (inside && sscanf(line, "KernelPageSize: %lu", &kb) == 1)
			page = kb;
		else if (inside && (sscanf(line, "AnonHugePages: %lu", &kb) == 1 ||
				    sscanf(line, "Private_Hugetlb: %lu", &kb) == 1))
			huge += kb;
	}
	if (f)
		fclose(f);
	fib_report("of that in huge pages", (double)huge / 1024, NAN,
		   page > 4 ? "MB, reserved ones" : "MB, transparent ones");
}

/* ---- */

static const char *const faults[] = {
	[FIB_FAULT_TABLE] = "table", [FIB_FAULT_READERS] = "readers", [FIB_FAULT_UPDATE] = "update",
};

static int usage(const char *why, const char *word)
{
	if (word)
		bench_wrong(word, why);
	else
		fprintf(stderr, "millbench: %s\n", why);
	fprintf(stderr,
		"usage: millbench fib [--json] [--lookup VERSION] [--plant FAULT] FILE [UPDATES]\n"
		"  FILE     A.B.C.D/LEN a line, plain or gzip\n"
		"  UPDATES  \"A A.B.C.D/LEN\" (announced) or \"W A.B.C.D/LEN\" (withdrawn) a line\n"
		"  --plant  make a fault, which must be noticed: table, or with UPDATES readers or "
		"update\n"
		"  --lookup one of");
	for (unsigned int i = 0; fib_lookup_name(i); i++)
		fprintf(stderr, " %s", fib_lookup_name(i));
	fprintf(stderr, "; else the fastest here is taken\n");
	return 2;
}

static int run(struct prefixes *table, struct prefixes *updates)
{
	int rc;

	if (rcu_init(READERS) || table_complete(table)) {
		fprintf(stderr, "millbench: no memory\n");
		return -1;
	}
	rc = load(table, table->n + updates->n);
	if (!rc && fib_fault == FIB_FAULT_TABLE)
		fib_set(ours, table->p[table->n / 2].addr, table->p[table->n / 2].len,
			NEXT_HOPS + 1);
	if (!rc)
		report_pages(fib_view(ours)->slots);
	if (!rc)
		rc = fib_bench_lookups(ours, theirs, table);
	if (!rc && updates->n)
		rc = fib_bench_updates(ours, theirs, table, updates);
	rte_fib_free(theirs);
	fib_destroy(ours);
	rcu_fini();
	return rc;
}

int bench_fib(int argc, char **argv)
{
	struct prefixes table, updates = {0};
	const char *version = NULL, *plant = NULL;
	int at = 1, rc;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (!strcmp(argv[at], "--json")) {
			json = true;
			continue;
		}
		if (strcmp(argv[at], "--lookup") && strcmp(argv[at], "--plant"))
			return usage("is not an argument of fib", argv[at]);
		if (at + 1 == argc)
			return usage("lacks a name behind it", argv[at]);
		if (!strcmp(argv[at], "--lookup"))
			version = argv[++at];
		else
			plant = argv[++at];
	}
	if (plant) {
		fib_fault = (enum fib_fault)bench_fault(plant, faults, RTE_DIM(faults));
		if (!fib_fault)
			return 2;
	}
	if (at == argc)
		return usage("FILE is missing", NULL);
	if (argc - at > 2)
		return usage("is not an argument of fib", argv[at + 2]);
	if (fib_fault > FIB_FAULT_TABLE && argc - at == 1) {
		fprintf(stderr, "millbench: --plant %s: there are no UPDATES in which to make "
			"it\n", plant);
		return 2;
	}
	if (version && fib_lookup_choose(version)) {
		fprintf(stderr,
			"millbench: %s: no such version of the lookup, or not on this CPU\n",
			version);
		return 2;
	}
	fib_progress("reading");
	rc = fib_read(argv[at], false, &table);
	if (!rc && argc - at == 2)
		rc = fib_read(argv[at + 1], true, &updates);
	if (!rc)
		rc = run(&table, &updates);
	if (!rc && json) {
		print_json();
	} else if (!rc) {
		printf("%zu prefixes, %zu updates, lookup: %s, TSC: %.2f GHz\n", table.n, updates.n,
		       fib_lookup_chosen(), (double)rte_get_tsc_hz() / 1e9);
		print_table();
	}
	free(table.p);
	free(updates.p);
	return rc ? 1 : 0;
}
