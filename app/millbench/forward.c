/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millbench forward: bursts of 60-byte frames from a burst handler to a device that drops them:
 * the whole way of a packet but for receiving it. Four networks behind one gateway, all addresses
 * known, as in test/bench/floor. Configured as the daemon is, by commands; one worker, which runs
 * here; and the time stands still, so that every run does the same.
 *
 * Printed are cycles of the TSC a packet for each number of lanes that the CPU has vectors for
 * and for the general path (0), in turn, medians of rounds. With a number of lanes and of bursts
 * it only does these: test/bench/instructions has their instructions counted, in forward_burst().
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "bench.h"
#include "core/counters.h"
#include "core/rcu.h"
#include "core/sysctl.h"
#include "core/worker.h"
#include "link/ethernet.h"
#include "link/link.h"
#include "packet/checksum.h"
#include "packet/packet.h"
#include "router.h"

#define BURST 32u
#define BURSTS_A_ROUND 2048u
#define ROUNDS 25
#define FRAME_BYTES 60u
#define FRAMES 1024u

static const char *const commands[] = {
	"sysctl millrace.mbufs=4096",
	"link add in type dpdk devargs net_null0,no-rx=1 address 02:00:00:00:00:01",
	"link add out type dpdk devargs net_null1,no-rx=1 address 02:00:00:00:00:03",
	"addr add 192.0.2.1/24 dev in",
	"addr add 198.51.100.1/24 dev out",
	"link set in up",
	"link set out up",
	"neigh add 198.51.100.2 lladdr 02:00:00:00:00:04 dev out nud permanent",
	"route add 10.1.0.0/16 via 198.51.100.2",
	"route add 10.2.0.0/16 via 198.51.100.2",
	"route add 10.3.0.0/16 via 198.51.100.2",
	"route add 10.4.0.0/16 via 198.51.100.2",
};

static const unsigned int lanes_kinds[] = {16, 8, 4, 0};

static struct worker *w;
static struct link *in;
static uint8_t frames[FRAMES][FRAME_BYTES];
static unsigned int next_frame;
static uint64_t given;                 /* frames */

/* ---- the router ---- */

static int configure(void)
{
	for (unsigned int i = 0; i < RTE_DIM(commands); i++)
		if (router_command(commands[i]))
			return -1;
	rcu_poll(); /* what is to come after a grace period: no worker runs */
	in = link_find("in");
	return 0;
}

static int lanes_set(unsigned int lanes)
{
	struct error err = {""};
	char text[16];
	int rc;

	snprintf(text, sizeof(text), "%u", lanes);
	rc = sysctl_set("net.millrace.fast_path_lanes", text, &err);
	if (rc)
		fprintf(stderr, "millbench: %s\n", err.text);
	return rc;
}

/* Lanes that the CPU has no vectors for are taken for the next lower number. */
static bool lanes_there(unsigned int kind)
{
	eth_burst_fn handler;

	lanes_set(lanes_kinds[kind]);
	handler = eth_burst_handler;
	if (kind + 1 == RTE_DIM(lanes_kinds))
		return true;
	lanes_set(lanes_kinds[kind + 1]);
	return eth_burst_handler != handler;
}

static void frames_make(void)
{
	for (unsigned int i = 0; i < FRAMES; i++) {
		struct rte_ether_hdr *eth = (void *)frames[i];
		struct rte_ipv4_hdr *ip = (void *)(eth + 1);

		*eth = (struct rte_ether_hdr){
			.dst_addr = in->mac, .src_addr = {{2, 0, 0, 0, 0, 2}},
			.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4),
		};
		*ip = (struct rte_ipv4_hdr){
			.version_ihl = RTE_IPV4_VHL_DEF,
			.total_length = RTE_BE16(FRAME_BYTES - RTE_ETHER_HDR_LEN),
			.packet_id = rte_cpu_to_be_16((uint16_t)i),
			.time_to_live = 64,
			.next_proto_id = 17,
			.src_addr = RTE_BE32(RTE_IPV4(192, 0, 2, 2)),
			.dst_addr = rte_cpu_to_be_32(
				RTE_IPV4(10, 1 + i % 4, i >> 8 & 255, i & 255)),
		};
		checksum_header_set(ip);
	}
}

/* ---- what is measured ---- */

/* Its name is known to test/bench/instructions. */
static __rte_noinline void forward_burst(struct rte_mbuf **m, unsigned int n)
{
	eth_burst_handler(w, in, m, n);
	link_flush(w);
}

static int burst_receive(struct rte_mbuf **m)
{
	if (rte_pktmbuf_alloc_bulk(packet_pool(SOCKET_ID_ANY), m, BURST))
		return -1;
	for (unsigned int i = 0; i < BURST; i++) {
		m[i]->port = in->port;
		memcpy(rte_pktmbuf_append(m[i], FRAME_BYTES), frames[next_frame], FRAME_BYTES);
		next_frame = (next_frame + 1) % FRAMES;
	}
	return 0;
}

/* Cycles; 0 if there are no mbufs. */
static uint64_t bursts(unsigned int n)
{
	struct rte_mbuf *m[BURST];
	uint64_t cycles = 0, start;

	for (unsigned int i = 0; i < n; i++) {
		if (burst_receive(m))
			return 0;
		start = rte_rdtsc();
		forward_burst(m, BURST);
		cycles += rte_rdtsc() - start;
		given += BURST;
	}
	return cycles;
}

static void measure(void)
{
	double cycles[RTE_DIM(lanes_kinds)][ROUNDS];
	bool there[RTE_DIM(lanes_kinds)];

	for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++)
		there[kind] = lanes_there(kind);
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++) {
			if (!there[kind])
				continue;
			lanes_set(lanes_kinds[kind]);
			cycles[kind][round] = (double)bursts(BURSTS_A_ROUND) /
					      (BURSTS_A_ROUND * BURST);
		}
	for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++) {
		printf("%2u lanes%s: ", lanes_kinds[kind],
		       lanes_kinds[kind] ? "" : " (general path)");
		if (there[kind])
			printf("%6.1f TSC cycles a packet\n", bench_median(cycles[kind], ROUNDS));
		else
			printf("this CPU has no vectors for them\n");
	}
}

/* All that was given was sent. */
static int check(void)
{
	struct counters c;

	counters_sum(&c);
	if (c.transmitted == given && c.c[CNT_IP_FORWDATAGRAMS] == given)
		return 0;
	fprintf(stderr, "millbench: of %" PRIu64 " packets %" PRIu64 " were forwarded\n", given,
		c.transmitted);
	return 1;
}

static int usage(const char *why, const char *word)
{
	bench_wrong(word, why);
	fprintf(stderr, "usage: millbench forward [LANES BURSTS]\n"
			"  LANES   16, 8 or 4, or 0 for the general path\n"
			"  BURSTS  of %u frames each\n"
			"With these nothing is timed: for tools that count instructions.\n",
		BURST);
	return 2;
}

/* Which of lanes_kinds; as many as there are: none. */
static unsigned int lanes_kind(const char *word)
{
	unsigned int kind;

	for (kind = 0; kind < RTE_DIM(lanes_kinds); kind++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", lanes_kinds[kind]);
		if (!strcmp(word, text))
			break;
	}
	return kind;
}

/* These only. */
static int bursts_count(unsigned int kind, unsigned int n)
{
	if (!lanes_there(kind)) {
		fprintf(stderr, "millbench: this CPU has no vectors for %u lanes\n",
			lanes_kinds[kind]);
		return 1;
	}
	if (lanes_set(lanes_kinds[kind]))
		return 1;
	if (bursts(n))
		return check();
	fprintf(stderr, "millbench: no memory for packets\n");
	return 1;
}

int bench_forward(int argc, char **argv)
{
	unsigned int kind = 0;
	long n = 0;

	if (argc > 1)
		kind = lanes_kind(argv[1]);
	if (kind == RTE_DIM(lanes_kinds))
		return usage("is not a number of lanes", argv[1]);
	if (argc == 2)
		return usage("lacks a number of bursts behind it", argv[1]);
	if (argc > 3)
		return usage("is not an argument of forward", argv[3]);
	if (argc == 3) {
		n = bench_number(argv[2], "bursts", 1, INT_MAX);
		if (n < 0)
			return 2;
	}
	w = router_start();
	if (!w || configure())
		return 1;
	frames_make();
	if (argc == 3)
		return bursts_count(kind, (unsigned int)n);
	measure();
	return check();
}
