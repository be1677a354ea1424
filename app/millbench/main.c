/* SPDX-License-Identifier: BSD-3-Clause */
/* millbench: benchmarks of the parts; see bench.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "bench.h"
#include "core/std_fds.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} benches[] = {
	{ "fib", bench_fib,
	  "fib [--json] [--lookup VERSION] [--plant FAULT] FILE [UPDATES]\n"
	  "              a routing table: load, look up, change" },
	{ "forward", bench_forward,
	  "forward [LANES BURSTS [KIND]]\n"
	  "              forward bursts on the fast path and the general path" },
	{ "neighbour", bench_neighbour,
	  "neighbour [--plant FAULT] [ROUTES]\n"
	  "              change a neighbour's MAC address and the default route of many routes" },
	{ "reassemble", bench_reassemble,
	  "reassemble  put fragments together, in easy and hard orders" },
	{ "fragment", bench_fragment,
	  "fragment [DEVARGS]    send packets in pieces, copied, referred to and as they came" },
};

static void usage(FILE *to)
{
	fprintf(to, "usage: millbench [--no-huge] WORDS\n");
	for (unsigned int i = 0; i < RTE_DIM(benches); i++)
		fprintf(to, "  %s\n", benches[i].help);
	fprintf(to, "  help, --help, -h\n"
		    "              print this\n");
}

void bench_wrong(const char *word, const char *why)
{
	fprintf(stderr, "millbench: \"%s\" %s\n", word, why);
}

long bench_number(const char *word, const char *what, long min, long max)
{
	char *end;
	long n = strtol(word, &end, 10);

	if (word[0] >= '0' && word[0] <= '9' && !*end && n >= min && n <= max)
		return n;
	fprintf(stderr, "millbench: \"%s\" is not a number of %s from %ld to %ld\n", word, what,
		min, max);
	return -1;
}

unsigned int bench_fault(const char *name, const char *const *names, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++)
		if (!strcmp(name, names[i]))
			return i;
	fprintf(stderr, "millbench: --plant: \"%s\" is none of", name);
	for (unsigned int i = 1; i < n; i++)
		fprintf(stderr, "%s %s", i > 1 ? "," : "", names[i]);
	fprintf(stderr, "\n");
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double bench_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static unsigned int free_huge_pages(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned int n = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%u", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

/* The peers' memory is EAL's: huge pages where there are any, as ours has. Valgrind has no room
 * for the addresses that EAL sets aside for them. */
static int eal_init(bool no_huge)
{
	char *huge[] = { "millbench", "--in-memory", "--no-pci", "--no-telemetry",
			 "--log-level=error", NULL };
	char *ordinary[] = { "millbench", "--no-huge", "--no-shconf", "-m", "512", "--no-pci",
			     "--no-telemetry", "--log-level=error", NULL };

	if (!no_huge && free_huge_pages() >= 256)
		return rte_eal_init(RTE_DIM(huge) - 1, huge);
	return rte_eal_init(RTE_DIM(ordinary) - 1, ordinary);
}

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h");
}

int main(int argc, char **argv)
{
	bool no_huge = argc > 1 && !strcmp(argv[1], "--no-huge");

	std_fds_open();
	argc -= no_huge;
	argv += no_huge;
	if (argc == 2 && asks_for_help(argv[1])) {
		usage(stdout);
		return 0;
	}
	for (unsigned int i = 0; argc > 1 && i < RTE_DIM(benches); i++) {
		if (strcmp(argv[1], benches[i].name))
			continue;
		if (eal_init(no_huge) < 0) {
			fprintf(stderr, "millbench: EAL does not start\n");
			return 1;
		}
		return benches[i].run(argc - 1, argv + 1);
	}
	if (argc > 1 && asks_for_help(argv[1]))
		bench_wrong(argv[2], "follows what asks for help");
	else if (argc > 1)
		bench_wrong(argv[1], "is no benchmark");
	usage(stderr);
	return 2;
}
