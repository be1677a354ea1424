/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millbench fragment: what it costs to send a packet in pieces, from ip_fragment() until the
 * device has let go of it. Cutting at new boundaries with the payload copied and with the payload
 * referred to; and a datagram that was put together from fragments, sent along their boundaries.
 * The packets' payload is in the nearest caches (hot) or was written so long ago that it is not
 * (cold), as it comes from a NIC.
 *
 * The second table is what a driver profile's refer_bytes comes from: packets of two pieces, of
 * which the second has ever more payload.
 *
 * The device is DPDK's null device or what DEVARGS says; frames that are larger than its MTU are
 * left out.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "bench.h"
#include "ipv4/fragment.h"
#include "ipv4/internal.h"
#include "link/driver.h"
#include "packet/chain.h"
#include "packet/checksum.h"

#define BURST 32u
#define ROUNDS 25
#define HOT_BATCHES 32u
#define COLD_PACKETS 4096u     /* at 1500 bytes three times what a second-level cache holds */
#define MBUFS 32768u
#define MBUF_BYTES 9216u
#define JUMBO_MTU 9000u
#define STUCK_SECONDS 2u

enum way { WHOLE, COPY, REFER, BOUNDARIES, WAYS };
static const char *const way_names[WAYS] = {"whole", "copy", "refer", "boundaries"};

static struct driver_profile profile;
static struct link out_link = {
	.id = 1, .tx_segs = UINT16_MAX, .shared_mbufs = true, .profile = &profile,
};
static struct worker worker;
static struct rte_mbuf *packets[COLD_PACKETS];
static struct rte_mbuf *burst[BURST];
static unsigned int n_burst;
static uint64_t pieces;
static uint16_t device_mtu;

/* ---- sending ---- */

/* The device takes nothing: is that for good? */
static void wait_for_device(uint64_t *since)
{
	uint64_t now = rte_rdtsc();

	if (!*since)
		*since = now;
	if (now - *since < STUCK_SECONDS * rte_get_tsc_hz())
		return;
	fprintf(stderr, "millbench: the device takes no frame any more\n");
	exit(1);
}

static void flush(void)
{
	uint64_t stuck = 0;

	for (unsigned int sent = 0, n; sent < n_burst; sent += n) {
		n = rte_eth_tx_burst(out_link.port, 0, burst + sent, (uint16_t)(n_burst - sent));
		if (n)
			stuck = 0;
		else
			wait_for_device(&stuck);
	}
	n_burst = 0;
}

static void output(struct worker *w, struct rte_mbuf *m, struct link *out)
{
	pieces++;
	rte_pktmbuf_prepend(m, RTE_ETHER_HDR_LEN);
	burst[n_burst++] = m;
	if (n_burst == BURST)
		flush();
}

/* As far as the device goes. One whose MTU can't be set has none. */
static int mtu_raise(void)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(out_link.port, &info);

	if (rc)
		return rc;
	if (info.max_rx_pktlen >= JUMBO_MTU + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN &&
	    rte_eth_dev_set_mtu(out_link.port, JUMBO_MTU) == -ENOTSUP) {
		device_mtu = JUMBO_MTU;
		return 0;
	}
	return rte_eth_dev_get_mtu(out_link.port, &device_mtu);
}

static int device_open(const char *devargs)
{
	struct rte_eth_conf conf = {0};
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(devargs, ","), devargs);
	rc = rte_dev_probe(devargs);
	if (!rc)
		rc = rte_eth_dev_get_port_by_name(name, &out_link.port);
	if (!rc)
		rc = rte_eth_dev_configure(out_link.port, 1, 1, &conf);
	if (!rc)
		rc = rte_eth_rx_queue_setup(out_link.port, 0, 512, 0, NULL, packet_pool(0));
	if (!rc)
		rc = rte_eth_tx_queue_setup(out_link.port, 0, 512, 0, NULL);
	if (!rc)
		rc = mtu_raise();
	if (!rc)
		rc = rte_eth_dev_start(out_link.port);
	if (rc)
		fprintf(stderr, "millbench: %s does not open: %s\n", devargs, rte_strerror(-rc));
	return rc;
}

/* ---- packets ---- */

static struct rte_mbuf *packet_make(uint32_t size, uint16_t mtu, uint16_t word)
{
	struct rte_mbuf *m = packet_alloc(&worker);
	struct rte_ipv4_hdr *ip;

	if (!m) {
		fprintf(stderr, "millbench: no mbufs\n");
		exit(1);
	}
	ip = (void *)rte_pktmbuf_append(m, (uint16_t)size);
	memset(ip, (int)size, size);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)size),
		.fragment_offset = rte_cpu_to_be_16(word),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
	};
	checksum_header_set(ip);
	packet_of(m)->mtu = mtu;
	return m;
}

/* The datagram as a chain of fragments. */
static struct rte_mbuf *datagram_make(uint32_t size, uint16_t mtu)
{
	uint32_t header = sizeof(struct rte_ipv4_hdr), part = (mtu - header) & ~7u;
	struct rte_mbuf *m = packet_make(RTE_MIN(size, header + part), mtu, 0);
	struct rte_mbuf *tail = m;

	chain_mark(m, (uint16_t)header);
	packet_of(m)->frag_max_size = (uint16_t)m->pkt_len;
	while (m->pkt_len < size) {
		uint32_t bytes = RTE_MIN(size - m->pkt_len, part);
		struct rte_mbuf *piece = packet_make(header + bytes, mtu, 0);

		chain_mark(piece, (uint16_t)header);
		chain_strip(piece);
		chain_append(m, &tail, piece);
	}
	return m;
}

static void packets_make(unsigned int n, enum way way, uint32_t size, uint16_t mtu)
{
	for (unsigned int i = 0; i < n; i++)
		packets[i] = way == BOUNDARIES ? datagram_make(size, mtu)
					       : packet_make(size, mtu, 0);
}

/* ---- measuring ---- */

static uint64_t packets_send(unsigned int n, enum way way)
{
	uint64_t start = rte_rdtsc();

	for (unsigned int i = 0; i < n; i++)
		if (way == WHOLE)
			output(&worker, packets[i], &out_link);
		else
			ip_fragment(&worker, packets[i], &out_link, output);
	flush();
	return rte_rdtsc() - start;
}

/* Cycles a packet. */
static double measure(enum way way, uint32_t size, uint16_t mtu, bool cold)
{
	unsigned int n = cold ? COLD_PACKETS : BURST, batches = cold ? 1 : HOT_BATCHES;
	uint64_t cycles = 0;

	profile.refer_bytes = way == REFER ? 0 : UINT32_MAX;
	if (cold && (way == BOUNDARIES || size > 2 * RTE_ETHER_MTU))
		n = RTE_MIN(n / 8, MBUFS / 2 * mtu / (2 * size));
	for (unsigned int i = 0; i < batches; i++) {
		packets_make(n, way, size, mtu);
		cycles += packets_send(n, way);
	}
	return (double)cycles / (batches * n);
}

/* The ways from first to last in turn, the least of all rounds: what else the machine does only
 * adds. */
static void measure_ways(uint32_t size, uint16_t mtu, bool cold, enum way first, enum way last,
			 double least[WAYS])
{
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (enum way way = first; way <= last; way++) {
			double cycles = measure(way, size, mtu, cold);

			if (!round || cycles < least[way])
				least[way] = cycles;
		}
}

static void sizes_table(void)
{
	static const struct {
		uint32_t size;
		uint16_t mtu;
	} cases[] = {{1500, 1400}, {1500, 1000}, {1500, 576}, {1500, 296}, {1500, 68},
		     {9000, 1500}, {9000, 68}};

	printf("%5s %5s %7s %5s", "bytes", "MTU", "pieces", "");
	for (enum way way = 0; way < WAYS; way++)
		printf(" %11s", way_names[way]);
	printf("   TSC cycles a packet (and a piece)\n");
	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		uint32_t size = cases[i].size;
		uint16_t mtu = cases[i].mtu;
		uint64_t n;

		if (size > device_mtu)
			continue;
		pieces = 0;
		packets_make(1, COPY, size, mtu);
		packets_send(1, COPY);
		n = pieces;
		for (int cold = 0; cold < 2; cold++) {
			double v[WAYS];

			measure_ways(size, mtu, cold, WHOLE, BOUNDARIES, v);
			printf("%5u %5u %7u %5s %6.0f     ", size, mtu, (unsigned int)n,
			       cold ? "cold" : "hot", v[WHOLE]);
			for (enum way way = COPY; way < WAYS; way++)
				printf(" %6.0f/%-4.0f", v[way], v[way] / (double)n);
			printf("\n");
		}
	}
}

static void line_table(void)
{
	static const uint32_t seconds[] = {16, 64, 128, 256, 384, 512, 768, 1024, 1280, 1480};

	printf("payload of the second piece: cycles more to refer to it than to copy it\n");
	for (unsigned int i = 0; i < RTE_DIM(seconds); i++) {
		double hot[WAYS], cold[WAYS];

		measure_ways(1500 + seconds[i], 1500, false, COPY, REFER, hot);
		measure_ways(1500 + seconds[i], 1500, true, COPY, REFER, cold);
		printf("%5u: hot %+5.0f, cold %+5.0f\n", seconds[i], hot[REFER] - hot[COPY],
		       cold[REFER] - cold[COPY]);
	}
}

int bench_fragment(int argc, char **argv)
{
	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		bench_wrong(argv[argc - 1], "is not an argument of fragment");
		fprintf(stderr, "usage: millbench fragment [DEVARGS]\n");
		return 2;
	}
	worker.counters = calloc(1, sizeof(*worker.counters));
	if (!worker.counters || packet_pool_init(MBUFS, MBUF_BYTES)) {
		fprintf(stderr, "millbench: no memory for packets\n");
		return 1;
	}
	if (device_open(argc > 1 ? argv[1] : "net_null0"))
		return 1;
	sizes_table();
	line_table();
	rte_eth_dev_stop(out_link.port);
	rte_eth_dev_close(out_link.port);
	free(worker.counters);
	return 0;
}
