/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millbench reassemble: cycles a fragment that ip_defrag() takes, from a fragment that was received
 * and validated to a datagram that is handed on, for orders of arrival that are easy and hard.
 *
 * Bursts are of 32, as from a receive queue. What a driver and the checks of received packets
 * would have written and read just before (mbuf, private data, IP header) is written before each
 * burst, outside the time that is measured. Datagrams that are completed are only noted. Medians
 * of rounds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include "bench.h"
#include "core/clock.h"
#include "core/sysctl.h"
#include "ipv4/ipv4.h"
#include "ipv4/reassemble.h"
#include "packet/packet.h"

#define BURST 32u
#define ROUNDS 41
#define FRAGMENTS_MAX 8192u
#define MBUFS 16384

struct fragment {
	struct rte_mbuf *m;
	uint16_t id, offset;         /* offset in units of 8 bytes */
	uint16_t bytes;
	bool more;
};

static struct fragment fragments[FRAGMENTS_MAX];
static struct rte_mbuf *done[FRAGMENTS_MAX];
static unsigned int n_done;
static struct worker *w;

/* A driver's work: the mbuf and the header as when the fragment had just come in. */
static void fragment_restore(const struct fragment *f)
{
	struct rte_mbuf *m = f->m;
	struct rte_ipv4_hdr *ip;

	rte_pktmbuf_reset(m);
	rte_pktmbuf_append(m, (uint16_t)(sizeof(*ip) + f->bytes));
	*packet_of(m) = (struct packet){.link = 1, .arrival_ns = w->now_ns};
	ip = packet_ip(m);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)m->pkt_len),
		.packet_id = f->id,
		.fragment_offset = rte_cpu_to_be_16(
			(uint16_t)(f->offset | (f->more ? RTE_IPV4_HDR_MF_FLAG : 0))),
		.time_to_live = 64,
		.next_proto_id = 17,
		.src_addr = RTE_BE32(0x0a000002),
		.dst_addr = RTE_BE32(0x0a000001),
	};
}

/* Who goes on with a datagram. */
static void note(struct worker *on, struct rte_mbuf *m)
{
	done[n_done++] = m;
}

/* Cycles a fragment. */
static double round_time(unsigned int n)
{
	uint64_t cycles = 0;

	n_done = 0;
	for (unsigned int at = 0; at < n; at += BURST) {
		unsigned int burst = RTE_MIN(n - at, BURST);
		uint64_t start;

		for (unsigned int i = 0; i < burst; i++)
			fragment_restore(&fragments[at + i]);
		start = rte_rdtsc();
		for (unsigned int i = 0; i < burst; i++)
			ip_defrag_collect(w, fragments[at + i].m);
		ip_defrag_run(w);
		cycles += rte_rdtsc() - start;
	}
	return (double)cycles / n;
}

/* expected: how many datagrams the fragments make. */
static double measure(const char *what, unsigned int n, unsigned int expected)
{
	double times[ROUNDS], median;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		defrag_tick(w);
		times[round] = round_time(n);
		if (n_done != expected) {
			printf("%s: %u datagrams instead of %u\n", what, n_done, expected);
			return 0;
		}
	}
	median = bench_median(times, ROUNDS);
	printf("%-38s %7.1f TSC cycles a fragment (%.1f to %.1f)\n", what, median, times[0],
	       times[ROUNDS - 1]);
	return median;
}

/* n datagrams of two fragments; of `together`, first all the first ones, then all the others. */
static void make_pairs(unsigned int n, unsigned int together, uint16_t first, uint16_t last)
{
	unsigned int at = 0;

	for (unsigned int group = 0; group < n; group += together)
		for (unsigned int part = 0; part < 2; part++)
			for (unsigned int i = 0; i < together; i++, at++) {
				fragments[at].id = (uint16_t)(group + i);
				fragments[at].offset = part ? first / 8 : 0;
				fragments[at].bytes = part ? last : first;
				fragments[at].more = !part;
			}
}

enum order { IN_ORDER, REVERSED, ODD_EVEN, SHUFFLED };

/* One datagram of n fragments of 8 bytes. */
static void make_long(unsigned int n, enum order order)
{
	uint64_t x = 88172645463325252ULL;

	for (unsigned int i = 0; i < n; i++) {
		unsigned int at = i;

		if (order == REVERSED)
			at = n - 1 - i;
		else if (order == ODD_EVEN)
			at = i < n / 2 ? 2 * i + 1 : 2 * (i - n / 2);
		fragments[i].offset = (uint16_t)at;
	}
	for (unsigned int i = n - 1; order == SHUFFLED && i > 0; i--) {
		unsigned int other;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		other = (unsigned int)(x >> 33) % (i + 1);
		RTE_SWAP(fragments[i].offset, fragments[other].offset);
	}
	for (unsigned int i = 0; i < n; i++) {
		fragments[i].id = 1;
		fragments[i].bytes = 8;
		fragments[i].more = fragments[i].offset != n - 1;
	}
}

static int prepare(void)
{
	clock_init(CLOCK_WALL);
	if (counters_init() || workers_init(1) || packet_pool_init(MBUFS, 2048))
		return -1;
	w = workers[0];
	w->now_ns = clock_now_ns();
	if (ip_worker_init(w) || defrag_init())
		return -1;
	defrag_register(DEFRAG_LOCAL_DELIVER, note);
	sysctl_set("net.ipv4.ipfrag_high_thresh", "100000000", NULL);
	sysctl_set("net.millrace.ipfrag_mbufs_max", "16384", NULL);
	sysctl_set("net.ipv4.ipfrag_max_dist", "1000000", NULL);
	for (unsigned int i = 0; i < FRAGMENTS_MAX; i++) {
		fragments[i].m = rte_pktmbuf_alloc(packet_pool(SOCKET_ID_ANY));
		if (!fragments[i].m)
			return -1;
	}
	return 0;
}

int bench_reassemble(int argc, char **argv)
{
	static const char *const names[] = {"in order", "reversed", "odd ones first", "shuffled"};
	double in_order = 0;

	if (argc > 1) {
		bench_wrong(argv[1], "is not an argument: reassemble has none");
		fprintf(stderr, "usage: millbench reassemble\n");
		return 2;
	}
	if (prepare()) {
		fprintf(stderr, "millbench: no memory for the fragments\n");
		return 1;
	}
	make_pairs(128, 1, 24, 24);
	measure("2 of 24 bytes, in sequence", 256, 128);
	make_pairs(128, 32, 24, 24);
	measure("2 of 24 bytes, 32 interleaved", 256, 128);
	make_pairs(128, 1, 1480, 24);
	measure("1480 and 24 bytes, in sequence", 256, 128);
	make_pairs(4096, 4096, 24, 24);
	measure("2 of 24 bytes, 4096 interleaved", 8192, 4096);
	for (unsigned int order = IN_ORDER; order <= SHUFFLED; order++) {
		char what[64];
		double cycles;

		snprintf(what, sizeof(what), "8000 of 8 bytes, %s", names[order]);
		make_long(8000, order);
		cycles = measure(what, 8000, 1);
		if (order == IN_ORDER)
			in_order = cycles;
		else
			printf("%-38s %7.2f of in order\n", "", cycles / in_order);
	}
	return 0;
}
