/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millbench neighbour: how long it takes until a neighbour's new MAC address holds for a million
 * routes behind it, and until another default route holds; from the words of the command until it
 * has been carried out, which is when what workers read is as it should be. That is verified each
 * time; and that no slot of the FIB was written.
 */
#include <stdio.h>
#include <stdlib.h>

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

#define ROUTES (1u << 20)
#define ROUNDS 101u
#define FIRST RTE_IPV4(11, 0, 0, 0)
#define ELSEWHERE RTE_IPV4(203, 0, 113, 1)

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
	for (unsigned int i = 0; i < ROUTES; i++) {
		uint32_t addr = FIRST + (i << 8);

		snprintf(text, sizeof(text), "route add %u.%u.%u.0/24 via 198.51.100.2", addr >> 24,
			 addr >> 16 & 255, addr >> 8 & 255);
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
	static const uint32_t which[] = {0, ROUTES / 2, ROUTES - 1};

	for (unsigned int i = 0; i < RTE_DIM(which); i++) {
		uint16_t index = fib_lookup(route_fib, FIRST + (which[i] << 8) + 1);

		if (fast_nexthops[index].state != FAST_GATEWAY ||
		    fast_nexthops[index].head_bytes[5] != byte)
			return false;
	}
	return true;
}

static bool mac_change(unsigned int round, const char **text)
{
	static char line[96];

	if (text) {
		snprintf(line, sizeof(line), "neigh replace 198.51.100.2 lladdr 02:00:00:00:00:%02x "
			 "dev out nud permanent", 16 + round);
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

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* change: with text, says what to do in this round; without, whether it holds. */
static int measure(const char *what, bool (*change)(unsigned int round, const char **text))
{
	uint64_t before = slots_sum();
	double us[ROUNDS];

	for (unsigned int round = 0; round < ROUNDS; round++) {
		const char *text;
		uint64_t start;

		change(round, &text);
		start = rte_rdtsc();
		if (router_command(text))
			return -1;
		us[round] = (double)(rte_rdtsc() - start) * 1e6 / (double)rte_get_tsc_hz();
		if (!change(round, NULL)) {
			fprintf(stderr, "millbench: %s: it does not hold\n", text);
			return -1;
		}
		rcu_poll();
	}
	if (slots_sum() != before) {
		fprintf(stderr, "millbench: %s: slots of the FIB were written\n", what);
		return -1;
	}
	qsort(us, ROUNDS, sizeof(*us), by_value);
	printf("%s: median %.1f us, longest of %u %.1f us\n", what, us[ROUNDS / 2], ROUNDS,
	       us[ROUNDS - 1]);
	return 0;
}

int bench_neighbour(int argc, char **argv)
{
	if (argc != 1) {
		fprintf(stderr, "usage: millbench neighbour\n");
		return 2;
	}
	if (!router_start())
		return 1;
	fprintf(stderr, "millbench: adding %u routes\n", ROUTES);
	if (configure() || measure("a neighbour's MAC address", mac_change) ||
	    measure("the default route", default_change))
		return 1;
	return 0;
}
