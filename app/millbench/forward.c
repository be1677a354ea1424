/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millbench forward: bursts of frames from a burst handler to a device that drops them: the whole
 * way of a packet but for receiving it. Four networks behind one gateway, all addresses known, as
 * in test/bench/floor. Configured as the daemon is, by commands; one worker, which runs here; and
 * the time stands still, so that every run does the same.
 *
 * Printed are cycles of the TSC a packet for each number of lanes that the CPU has vectors for
 * and for the general path (0), and how many more one packet takes that is special among ordinary
 * ones (frames.h), in turn, medians of rounds. With a number of lanes and of bursts it only does
 * these: test/bench/instructions has their instructions counted, in forward_burst().
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
#include "frames.h"
#include "link/ethernet.h"
#include "link/link.h"
#include "packet/packet.h"
#include "router.h"

#define BURSTS_A_ROUND 512u
#define ROUNDS 25

static const char *const commands[] = {
	"sysctl millrace.mbufs=4096",
	"link add in type dpdk devargs net_null0,no-rx=1 address 02:00:00:00:00:01",
	"link add out type dpdk devargs net_null1,no-rx=1 mtu 1000 address 02:00:00:00:00:03",
	"addr add 192.0.2.1/24 dev in",
	"addr add 198.51.100.1/24 dev out",
	"link set in up",
	"link set out up",
	"neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev in nud permanent",
	"neigh add 198.51.100.2 lladdr 02:00:00:00:00:04 dev out nud permanent",
	"route add 10.1.0.0/16 via 198.51.100.2",
	"route add 10.2.0.0/16 via 198.51.100.2",
	"route add 10.3.0.0/16 via 198.51.100.2",
	"route add 10.4.0.0/16 via 198.51.100.2",
};

static const unsigned int lanes_kinds[] = {16, 8, 4, 0};

static struct worker *w;
static struct link *in;
static struct frame *frames[FRAMES_MIXES];
static unsigned int next_frame[FRAMES_MIXES];
static uint64_t given[FRAME_KINDS];

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

/* ---- what is measured ---- */

/* Its name is known to test/bench/instructions. */
static __rte_noinline void forward_burst(struct rte_mbuf **m, unsigned int n)
{
	eth_burst_handler(w, in, m, n);
	link_flush(w);
}

static int burst_receive(unsigned int mix, struct rte_mbuf **m)
{
	if (rte_pktmbuf_alloc_bulk(packet_pool(SOCKET_ID_ANY), m, FRAMES_BURST))
		return -1;
	for (unsigned int i = 0; i < FRAMES_BURST; i++) {
		const struct frame *f = &frames[mix][next_frame[mix]];

		m[i]->port = in->port;
		memcpy(rte_pktmbuf_append(m[i], f->len), f->data, f->len);
		given[f->kind]++;
		next_frame[mix] = (next_frame[mix] + 1) % FRAMES;
	}
	return 0;
}

/* Cycles; 0 if there are no mbufs. */
static uint64_t bursts(unsigned int mix, unsigned int n)
{
	struct rte_mbuf *m[FRAMES_BURST];
	uint64_t cycles = 0, start;

	for (unsigned int i = 0; i < n; i++) {
		if (burst_receive(mix, m))
			return 0;
		start = rte_rdtsc();
		forward_burst(m, FRAMES_BURST);
		cycles += rte_rdtsc() - start;
	}
	return cycles;
}

static unsigned int specials(unsigned int mix)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < FRAMES; i++)
		n += frames[mix][i].kind != FRAME_ORDINARY;
	return n;
}

/* Cycles for each burst, by mix and by lanes; 0: there are no such lanes. */
static double cycles[FRAMES_MIXES][RTE_DIM(lanes_kinds)];

static void measure(void)
{
	static double taken[FRAMES_MIXES][RTE_DIM(lanes_kinds)][ROUNDS];
	bool there[RTE_DIM(lanes_kinds)];

	for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++)
		there[kind] = lanes_there(kind);
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++) {
			if (!there[kind])
				continue;
			lanes_set(lanes_kinds[kind]);
			for (unsigned int mix = 0; mix < FRAMES_MIXES; mix++)
				taken[mix][kind][round] =
					(double)bursts(mix, BURSTS_A_ROUND) / BURSTS_A_ROUND;
		}
	for (unsigned int mix = 0; mix < FRAMES_MIXES; mix++)
		for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++)
			cycles[mix][kind] = bench_median(taken[mix][kind], ROUNDS);
}

static void print_ordinary(void)
{
	for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++) {
		printf("%2u lanes%s: ", lanes_kinds[kind],
		       lanes_kinds[kind] ? "" : " (general path)");
		if (cycles[FRAME_ORDINARY][kind] > 0)
			printf("%6.1f TSC cycles a packet\n",
			       cycles[FRAME_ORDINARY][kind] / FRAMES_BURST);
		else
			printf("this CPU has no vectors for them\n");
	}
}

/* What a special packet takes more than an ordinary one in its place. */
static void print_special(void)
{
	printf("Cycles more for a packet that is special, one in each burst; "
	       "random: one in twenty\n"
	       "lanes:  ");
	for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++)
		if (cycles[FRAME_ORDINARY][kind] > 0)
			printf("%8u", lanes_kinds[kind]);
	for (unsigned int mix = FRAME_ORDINARY + 1; mix < FRAMES_MIXES; mix++) {
		double a_burst = (double)specials(mix) * FRAMES_BURST / FRAMES;

		printf("\n%-8s", frames_name(mix));
		for (unsigned int kind = 0; kind < RTE_DIM(lanes_kinds); kind++)
			if (cycles[FRAME_ORDINARY][kind] > 0)
				printf("%8.0f", (cycles[mix][kind] - cycles[FRAME_ORDINARY][kind]) /
							a_burst);
	}
	printf("\n");
}

/* 1, and a word on stderr, if so many of the packets were not what it says. */
static int differ(const char *what, uint64_t counted, uint64_t wanted)
{
	if (counted == wanted)
		return 0;
	fprintf(stderr, "millbench: %" PRIu64 " packets were %s, not %" PRIu64 "\n", counted, what,
		wanted);
	return 1;
}

/* All that was given became what it should. */
static int check(void)
{
	uint64_t onward = given[FRAME_ORDINARY] + given[FRAME_OPTIONS];
	struct counters c;
	int wrong;

	counters_sum(&c);
	wrong = differ("forwarded", c.c[CNT_IP_FORWDATAGRAMS], onward + given[FRAME_CUT]);
	wrong |= differ("cut", c.c[CNT_IP_FRAGOKS], given[FRAME_CUT]);
	wrong |= differ("for the router", c.c[CNT_IP_INDELIVERS], given[FRAME_PING]);
	wrong |= differ("without a right checksum", c.c[CNT_IPEXT_INCSUMERRORS],
			given[FRAME_DROPPED]);
	wrong |= differ("refused", c.c[CNT_IP_INHDRERRORS],
			given[FRAME_DROPPED] + given[FRAME_TTL]);
	wrong |= differ("sent", c.transmitted,
			onward + 2 * given[FRAME_CUT] + c.c[CNT_ICMP_OUTMSGS]);
	return wrong;
}

static int usage(const char *why, const char *word)
{
	bench_wrong(word, why);
	fprintf(stderr, "usage: millbench forward [LANES BURSTS [KIND]]\n"
			"  LANES   16, 8 or 4, or 0 for the general path\n"
			"  BURSTS  of %u frames each\n"
			"  KIND    of special packets among them:",
		FRAMES_BURST);
	for (unsigned int mix = 0; mix < FRAMES_MIXES; mix++)
		fprintf(stderr, " %s", frames_name(mix));
	fprintf(stderr, "\nWith these nothing is timed: for tools that count instructions.\n");
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

/* FRAMES_MIXES: none of them. */
static unsigned int mix_of(const char *word)
{
	unsigned int mix = 0;

	while (mix < FRAMES_MIXES && strcmp(word, frames_name(mix)))
		mix++;
	return mix;
}

/* These only. */
static int bursts_count(unsigned int kind, unsigned int n, unsigned int mix)
{
	if (!lanes_there(kind)) {
		fprintf(stderr, "millbench: this CPU has no vectors for %u lanes\n",
			lanes_kinds[kind]);
		return 1;
	}
	if (lanes_set(lanes_kinds[kind]))
		return 1;
	if (bursts(mix, n))
		return check();
	fprintf(stderr, "millbench: no memory for packets\n");
	return 1;
}

/* Frames of these mixes; not of the last. */
static int prepare(unsigned int from, unsigned int to)
{
	for (unsigned int mix = from; mix < to; mix++) {
		frames[mix] = frames_make(mix, &in->mac);
		if (!frames[mix]) {
			fprintf(stderr, "millbench: no memory for frames\n");
			return -1;
		}
	}
	return 0;
}

int bench_forward(int argc, char **argv)
{
	unsigned int kind = 0, mix = FRAME_ORDINARY;
	long n = 0;

	if (argc > 1)
		kind = lanes_kind(argv[1]);
	if (kind == RTE_DIM(lanes_kinds))
		return usage("is not a number of lanes", argv[1]);
	if (argc == 2)
		return usage("lacks a number of bursts behind it", argv[1]);
	if (argc > 4)
		return usage("is not an argument of forward", argv[4]);
	if (argc > 2) {
		n = bench_number(argv[2], "bursts", 1, INT_MAX);
		if (n < 0)
			return 2;
	}
	if (argc > 3)
		mix = mix_of(argv[3]);
	if (mix == FRAMES_MIXES)
		return usage("is not a kind of packets", argv[3]);
	w = router_start();
	if (!w || configure())
		return 1;
	if (argc > 2)
		return prepare(mix, mix + 1) ? 1 : bursts_count(kind, (unsigned int)n, mix);
	if (prepare(0, FRAMES_MIXES))
		return 1;
	measure();
	print_ordinary();
	print_special();
	return check();
}
