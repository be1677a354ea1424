/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random and damaged frames, many, at full speed, into the router of world.h. What is checked, and
 * how often: each frame that leaves; after each burst the account and the mbufs; every few
 * thousand frames all that is held expires and all mbufs must be home.
 *
 *   million [--frames N] [--seed S] [--lanes N] [--ample] [--quiet] [--trace] [--show BURST]
 *           [--segments 0|1] [--say COMMAND]...
 *   million --pcap FILE [--link L] [--longest BYTES] [--frames N] [--seed S]
 *                                     only write the frames for one link as a capture
 *
 * With --quiet, all that is printed at the end is what was counted and a digest of what was sent,
 * by link; how many went by the fast path is on stderr. --ample: mbufs do not run out and devices
 * take all that they are given, before anything is changed, so that it does not matter when they
 * are. Then what is printed depends on the number of frames, the seed and what was said to the
 * router (--say) alone: whatever net.millrace.fast_path_lanes is (--lanes), it must be the same,
 * and with each frame in one segment (--segments 0) as with each cut into many (--segments 1).
 * Without --segments some frames are cut, and some have no room behind them.
 *
 * --trace prints as much after each burst: diff shows the first burst that differs; --show N ends
 * with the frames that burst N had, what left, and what was counted up to then.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_arp.h>
#include <rte_random.h>

#include "core/clock.h"
#include "core/counters.h"
#include "core/sysctl.h"
#include "core/worker.h"
#include "fail.h"
#include "frames.h"
#include "link/queue.h"
#include "route/route.h"
#include "sent.h"
#include "world.h"

#define CHAPTER 4096               /* frames between rests */
#define EVENTS_1_IN 20             /* bursts between events */
#define RULES_BEGIN_MAX 4          /* how many of them may be there when a chapter begins */
#define MBUFS_AMPLE 32768

#define SEGMENTS_MAX 40            /* a frame, where all are cut, */
#define SEGMENTS_MBUFS 65536       /* and mbufs enough for that */
#define SAY_MAX 16

enum segments { SEGMENTS_ONE, SEGMENTS_MANY, SEGMENTS_EITHER };

static struct random dice;
static bool trace, ample;
static uint64_t bursts, show;      /* so far; the one to be shown */
static uint64_t fast_ruled;        /* frames that took the fast path with rules in force */
static struct random scissors;     /* so that the frames are the same however they are cut */
static uint64_t segments = SEGMENTS_EITHER;

/* A frame of which each part is cut: short ones at any byte, so also in each of their headers. */
static unsigned int cut_all(uint32_t len)
{
	static const unsigned int cuts[] = {1,  3,  8,  13, 14, 15, 17, 20,
					    33, 34, 35, 41, 60, 64, 201};
	unsigned int cut = cuts[random_below(&scissors, RTE_DIM(cuts))];

	return RTE_MAX(cut, len / SEGMENTS_MAX);
}

static unsigned int cut_choose(void)
{
	static const unsigned int cuts[] = {0, 0, 0, 0, 64, 60, 33, 17, 14, 8, 1, 200};
	unsigned int cut = cuts[random_below(&dice, RTE_DIM(cuts))];

	return cut == 1 && random_below(&dice, 8) ? 0 : cut;
}

static unsigned int burst_in(void)
{
	unsigned int link = 1 + random_below(&dice, WORLD_LINKS), n = 0;
	unsigned int wanted = random_below(&dice, 2) ? BURST : 1 + random_below(&dice, BURST);
	struct rte_mbuf *m[BURST];
	uint8_t bytes[FRAMES_BYTES_MAX + 200];

	while (n < wanted) {
		uint32_t len = frames_make(&dice, link, links[link]->mac.addr_bytes, bytes);
		unsigned int cut = cut_choose();
		bool tight = random_below(&dice, cut ? 8 : 2) == 0;
		struct rte_mbuf *one;

		if (segments != SEGMENTS_EITHER) {
			cut = segments == SEGMENTS_MANY ? cut_all(len) : 0;
			tight = false;
		}
		one = world_frame(bytes, len, cut, tight);
		if (!one)
			break;
		m[n++] = one;
	}
	sent_show = ++bursts == show;
	for (unsigned int i = 0; sent_show && i < n; i++) {
		fprintf(stderr, "in by link %u\n", link);
		print_mbuf("in", m[i]);
	}
	if (n)
		world_input(link, m, n);
	return n;
}

/* A neighbour that is asked for answers. */
static void answer_in(uint16_t link)
{
	struct sent_request *q = &sent_requests[link];
	struct {
		struct rte_ether_hdr eth;
		struct rte_arp_hdr arp;
	} __attribute__((packed, aligned(2))) f = {
		.eth = {.dst_addr = links[link]->mac, .src_addr = {{2, 0, 0, 0, 0xaa, 1}},
			.ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP)},
		.arp = {.arp_hardware = RTE_BE16(1), .arp_protocol = RTE_BE16(0x0800),
			.arp_hlen = 6, .arp_plen = 4, .arp_opcode = RTE_BE16(2)},
	};
	struct rte_mbuf *m;

	f.arp.arp_data = (struct rte_arp_ipv4){.arp_sha = f.eth.src_addr, .arp_sip = q->to,
					       .arp_tha = f.eth.dst_addr, .arp_tip = q->from};
	m = world_frame(&f, sizeof(f), 0, false);
	if (m)
		world_input(link, &m, 1);
	q->there = false;
}

static void event(void)
{
	uint16_t takes;

	switch (random_below(&dice, 6)) {
	case 0:
		world_switch(random_below(&dice, WORLD_SWITCHES));
		break;
	case 1:
		world_flush_neighbours();
		break;
	case 2:
		takes = (uint16_t)(random_below(&dice, 2) * random_below(&dice, 8));
		sent_device_takes = ample ? UINT16_MAX : takes;
		break;
	case 3:
		sent_device_takes = UINT16_MAX;
		break;
	default:
		world_pass(random_below(&dice, 1500) * NSEC_PER_MSEC);
		break;
	}
}

/* What must not depend on the path that packets take. */
static void summary(void)
{
	struct counters c;

	counters_sum(&c);
	for (unsigned int i = 1; i <= WORLD_LINKS; i++)
		printf("link %u %016" PRIx64 "\n", i, sent_digest[i]);
	printf("received %" PRIu64 " originated %" PRIu64 " transmitted %" PRIu64 " delivered %"
	       PRIu64 "\n", c.received, c.originated, c.transmitted, c.delivered);
	for (unsigned int i = 0; i < CNT_COUNT; i++)
		if (c.c[i])
			printf("%s %" PRIu64 "\n", counter_name((enum counter)i), c.c[i]);
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		if (c.drop[i])
			printf("dropped %s %" PRIu64 "\n", drop_name(i), c.drop[i]);
}

static void chapter_begin(void)
{
	bool preset = random_below(&dice, 2);
	uint32_t bits = 0;

	for (unsigned int i = 0; !preset && i < WORLD_SETTINGS; i++)
		bits |= (uint32_t)(random_below(&dice, 6) == 0) << i;
	world_settings(bits);
	world_mtus(random_below(&dice, 64));
	for (unsigned int i = random_below(&dice, 1 + RULES_BEGIN_MAX); i; i--)
		world_switch(WORLD_RULES + random_below(&dice, WORLD_SWITCHES - WORLD_RULES));
}

/* What has left and what was counted so far. */
static void trace_burst(uint64_t before)
{
	uint64_t all = 0;
	struct counters c;

	counters_sum(&c);
	for (unsigned int i = 0; i < CNT_COUNT; i++)
		all = (all ^ c.c[i]) * 0x100000001b3ULL;
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		all = (all ^ c.drop[i]) * 0x100000001b3ULL;
	printf("burst %" PRIu64 ", frames up to %" PRIu64 ": sent", bursts, before);
	for (unsigned int i = 1; i <= WORLD_LINKS; i++)
		printf(" %016" PRIx64, sent_digest[i]);
	printf(", counted %016" PRIx64 "\n", all);
}

static unsigned int chapter(void)
{
	static uint64_t frames;
	unsigned int n = 0;

	chapter_begin();
	while (n < CHAPTER) {
		bool ruled = route_has_rules();
		uint64_t fast = sent_fast;
		uint16_t asked;

		n += burst_in();
		asked = sent_asked(1 + random_below(&dice, WORLD_LINKS));
		if (asked && random_below(&dice, 3) == 0)
			answer_in(asked);
		if (random_below(&dice, 2))
			world_pass(random_below(&dice, 20) * NSEC_PER_MSEC);
		if (random_below(&dice, EVENTS_1_IN) == 0) {
			if (ample)
				link_flush(world_worker);
			event();
		}
		world_settle();
		world_check();
		if (ruled && route_has_rules())
			fast_ruled += sent_fast - fast;
		if (trace)
			trace_burst(frames + n);
		if (sent_show) {
			summary();
			exit(EXIT_SUCCESS);
		}
	}
	world_rest();
	frames += n;
	return n;
}

static void report(uint64_t n, double seconds)
{
	struct counters c;

	counters_sum(&c);
	printf("%" PRIu64 " frames in %.0f s: %" PRIu64 " left (%" PRIu64 " ARP, %" PRIu64
	       " ICMP, %" PRIu64 " by the fast path), %" PRIu64 " delivered\n", n, seconds,
	       sent_frames, sent_arp, sent_icmp, sent_fast, c.delivered);
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		if (c.drop[i])
			printf("  dropped %-20s %" PRIu64 "\n", drop_name(i), c.drop[i]);
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		if (!c.drop[i])
			printf("  never   %s\n", drop_name(i));
	fflush(stdout);
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* ---- a capture instead ---- */

static void put(FILE *f, const void *bytes, size_t n)
{
	if (fwrite(bytes, 1, n, f) != n) {
		perror("million");
		exit(EXIT_FAILURE);
	}
}

static int capture_write(const char *path, uint64_t frames, unsigned int link, uint32_t longest)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zero[2], snaplen, type;
	} head = {0xa1b2c3d4, 2, 4, {0, 0}, 65535, 1};
	const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)link};
	uint8_t bytes[FRAMES_BYTES_MAX + 200];
	FILE *f = fopen(path, "wb");

	if (!f) {
		perror(path);
		return EXIT_FAILURE;
	}
	put(f, &head, sizeof(head));
	for (uint64_t i = 0; i < frames;) {
		uint32_t len = frames_make(&dice, link, mac, bytes);
		uint32_t record[4] = {1700000000 + (uint32_t)(i / 10000),
				      (uint32_t)(i % 10000) * 100, len, len};

		if (!len || len > longest)
			continue;
		put(f, record, sizeof(record));
		put(f, bytes, len);
		i++;
	}
	return fclose(f) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- arguments ---- */

struct options {
	uint64_t frames, seed, link, longest, lanes;
	const char *pcap;
	bool quiet;
	const char *say[SAY_MAX];
	unsigned int n_say;
};

static int usage(void)
{
	fprintf(stderr,
		"million [--frames N] [--seed S] [--lanes N] [--ample] [--quiet] [--trace]\n"
		"        [--show BURST] [--segments 0|1] [--say COMMAND]...\n"
		"million --pcap FILE [--link L] [--longest BYTES] [--frames N] [--seed S]\n");
	return 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {{"--frames", &o->frames}, {"--seed", &o->seed}, {"--link", &o->link},
		       {"--longest", &o->longest}, {"--lanes", &o->lanes},
		       {"--show", &show}, {"--segments", &segments}};

	for (int i = 1; i < argc; i++) {
		unsigned int k = 0;

		while (k < RTE_DIM(numbers) && strcmp(argv[i], numbers[k].name) != 0)
			k++;
		if (k < RTE_DIM(numbers) && i + 1 < argc)
			*numbers[k].number = strtoull(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--pcap") && i + 1 < argc)
			o->pcap = argv[++i];
		else if (!strcmp(argv[i], "--say") && i + 1 < argc && o->n_say < SAY_MAX)
			o->say[o->n_say++] = argv[++i];
		else if (!strcmp(argv[i], "--quiet"))
			o->quiet = true;
		else if (!strcmp(argv[i], "--trace"))
			trace = true;
		else if (!strcmp(argv[i], "--ample"))
			ample = true;
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct options o = {.frames = 1000000, .seed = (uint64_t)time(NULL), .link = 1,
			    .longest = FRAMES_BYTES_MAX, .lanes = 16};
	char lanes[24];
	struct error err;
	uint64_t n = 0, fast_plain = 0;
	double start;

	if (!parse(argc, argv, &o))
		return usage();
	random_seed(&dice, o.seed);
	random_seed(&scissors, o.seed + 1);
	if (o.pcap)
		return capture_write(o.pcap, o.frames, (unsigned int)o.link,
				     (uint32_t)o.longest);
	printf("seed %" PRIu64 "\n", o.seed);
	fflush(stdout);
	rte_srand(o.seed);
	world_init(argv[0], segments != SEGMENTS_EITHER ? SEGMENTS_MBUFS
			    : ample ? MBUFS_AMPLE : WORLD_MBUFS);
	snprintf(lanes, sizeof(lanes), "%" PRIu64, o.lanes);
	if (sysctl_set("net.millrace.fast_path_lanes", lanes, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	for (unsigned int i = 0; i < o.n_say; i++)
		world_command(o.say[i]);
	start = seconds_now();
	while (n < o.frames) {
		world_custom = n >= o.frames / 2;
		n += chapter();
		if (!world_custom)
			fast_plain = sent_fast;
	}
	if (o.quiet) {
		summary();
		fprintf(stderr, "%" PRIu64 " by the fast path\n%" PRIu64 " of them with rules that "
			"come and go\n%" PRIu64 " of them with rules in force\n", sent_fast,
			sent_fast - fast_plain, fast_ruled);
	} else {
		report(n, seconds_now() - start);
	}
	world_fini();
	return 0;
}
