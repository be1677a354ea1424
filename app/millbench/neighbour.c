/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millbench neighbour: how long it takes until a neighbour's new MAC address holds for a million
 * routes behind it, and until another default route holds; from the words of the command until it
 * has been carried out, which is when what workers read is as it should be. That is verified each
 * time; and that no slot of the FIB was written, and all routes still lead where they should.
 * --plant FAULT makes something wrong, which must be noticed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_ip.h>

#include "bench.h"
#include "core/rcu.h"
#include "ipv4/fast_nexthop.h"
#include "route/fib.h"
#include "route/nexthop.h"
#include "route/route.h"
#include "router.h"

#define ROUTES_MAX (1u << 20)
#define ROUNDS 101u
#define FIRST RTE_IPV4(11, 0, 0, 0)
#define ELSEWHERE RTE_IPV4(203, 0, 113, 1)

static uint32_t routes = ROUTES_MAX;

/* What is made wrong on purpose. */
static enum fault {
	NO_FAULT,
	FAULT_COMMAND,                 /* one command is not given */
	FAULT_SLOT,                    /* a route is added meanwhile */
	FAULT_ROUTE,                   /* and one leads elsewhere from the start */
} fault;
static const char *const faults[] = {
	[FAULT_COMMAND] = "command", [FAULT_SLOT] = "slot", [FAULT_ROUTE] = "route",
};

static const char *const commands[] = {
	"sysctl millrace.mbufs=4096",
	"link add out type dpdk devargs net_null0,no-rx=1 address 02:00:00:00:00:01",
	"addr add 198.51.100.1/24 dev out",
	"link set out up",
	"neigh add 198.51.100.2 lladdr 02:00:00:00:00:02 dev out nud permanent",
	"neigh add 198.51.100.3 lladdr 02:00:00:00:00:03 dev out nud permanent",
	"route add default via 198.51.100.2",
};

static int configure(void)
{
	char text[64];

	for (unsigned int i = 0; i < RTE_DIM(commands); i++)
		if (router_command(commands[i]))
			return -1;
	for (uint32_t i = 0; i < routes; i++) {
		uint32_t addr = FIRST + (i << 8);
		bool elsewhere = fault == FAULT_ROUTE && i == routes / 3;

		snprintf(text, sizeof(text), "route add %u.%u.%u.0/24 via 198.51.100.%u",
			 addr >> 24, addr >> 16 & 255, addr >> 8 & 255, elsewhere ? 3 : 2);
		if (router_command(text))
			return -1;
	}
	rcu_poll();
	return 0;
}

static uint64_t slots_sum(void)
{
	const uint16_t *slots = fib_view(route_fib)->slots;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < FIB_BLOCKS_AT; i++)
		sum = sum * 0x9e3779b97f4a7c15ULL + slots[i];
	return sum;
}

/* Of the routes in the middle and at both ends, the last byte of the MAC address is this. */
static bool mac_ends_in(unsigned int byte)
{
	const uint32_t which[] = {0, routes / 2, routes - 1};

	for (unsigned int i = 0; i < RTE_DIM(which); i++) {
		uint16_t index = fib_lookup(route_fib, FIRST + (which[i] << 8) + 1);
		unsigned int fate = fast_nexthop_fate(&fast_nexthops[index]);

		if (!fate_is_link(fate) || fast_nexthops[index].head_bytes[5] != byte)
			return false;
	}
	return true;
}

/* Every route leads to the first gateway, whatever was changed. */
static int routes_check(void)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < routes; i++) {
		uint16_t index = fib_lookup(route_fib, FIRST + (i << 8) + 1);

		wrong += nexthop_get(index)->gateway != RTE_BE32(RTE_IPV4(198, 51, 100, 2));
	}
	if (wrong)
		fprintf(stderr, "millbench: %u of %u routes lead elsewhere\n", wrong, routes);
	return wrong ? -1 : 0;
}

static bool mac_change(unsigned int round, const char **text)
{
	static char line[96];

	if (text) {
		snprintf(line, sizeof(line),
			 "neigh replace 198.51.100.2 lladdr 02:00:00:00:00:%02x "
			 "dev out nud permanent",
			 16 + round);
		*text = line;
		return true;
	}
	return mac_ends_in(16 + round);
}

static bool default_change(unsigned int round, const char **text)
{
	static char line[96];
	uint32_t gateway = RTE_IPV4(198, 51, 100, 2 + (round + 1) % 2);

	if (text) {
		snprintf(line, sizeof(line), "route replace default via 198.51.100.%u",
			 2 + (round + 1) % 2);
		*text = line;
		return true;
	}
	return nexthop_get(fib_lookup(route_fib, ELSEWHERE))->gateway == rte_cpu_to_be_32(gateway);
}

static int fault_make(unsigned int round)
{
	return fault == FAULT_SLOT && round == ROUNDS / 2
		       ? router_command("route add 10.9.8.0/24 via 198.51.100.3") : 0;
}

/* change: with text, says what to do in this round; without, whether it holds. */
static int measure(const char *what, bool (*change)(unsigned int round, const char **text))
{
	uint64_t before = slots_sum();
	double us[ROUNDS], median;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		const char *text;
		uint64_t start;

		change(round, &text);
		start = rte_rdtsc();
		if (!(fault == FAULT_COMMAND && round == ROUNDS / 2) && router_command(text))
			return -1;
		us[round] = (double)(rte_rdtsc() - start) * 1e6 / (double)rte_get_tsc_hz();
		if (!change(round, NULL)) {
			fprintf(stderr, "millbench: %s: it does not hold\n", text);
			return -1;
		}
		rcu_poll();
		if (fault_make(round))
			return -1;
	}
	if (slots_sum() != before) {
		fprintf(stderr, "millbench: %s: slots of the FIB were written\n", what);
		return -1;
	}
	median = bench_median(us, ROUNDS);
	printf("%s: median %.1f us, longest of %u %.1f us\n", what, median, ROUNDS,
	       us[ROUNDS - 1]);
	return 0;
}

static int usage(const char *why, const char *word)
{
	bench_wrong(word, why);
	fprintf(stderr, "usage: millbench neighbour [--plant FAULT] [ROUTES]\n"
			"  ROUTES   1 to %u, which is preset\n"
			"  --plant  make a fault, which must be noticed: command, slot or route\n",
		ROUTES_MAX);
	return 2;
}

int bench_neighbour(int argc, char **argv)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--plant"))
			return usage("is not an argument of neighbour", argv[at]);
		if (at + 1 == argc)
			return usage("lacks the name of a fault behind it", argv[at]);
		fault = (enum fault)bench_fault(argv[++at], faults, RTE_DIM(faults));
		if (!fault)
			return 2;
	}
	if (argc - at > 1)
		return usage("is not an argument of neighbour", argv[at + 1]);
	if (at < argc) {
		long n = bench_number(argv[at], "routes", 1, ROUTES_MAX);

		if (n < 0)
			return 2;
		routes = (uint32_t)n;
	}
	if (!router_start())
		return 1;
	fprintf(stderr, "millbench: adding %u routes\n", routes);
	if (configure() || measure("a neighbour's MAC address", mac_change) ||
	    measure("the default route", default_change) || routes_check())
		return 1;
	return 0;
}
