/* SPDX-License-Identifier: BSD-3-Clause */
/* See reassemble_world.h. */
#include "reassemble_world.h"

#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mempool.h>

#include "core/clock.h"
#include "core/message.h"
#include "core/sysctl.h"
#include "packet/checksum.h"

#define MBUFS 32767
#define SOURCE RTE_BE32(0x0a000002)
#define OURS RTE_BE32(0x0a000001)

/* ---- stand-ins ---- */

struct link *links[LINKS_MAX];
bool link_files_read;
struct link link_1 = {.id = 1, .name = "p0"};
enum route_verdict verdict;

struct told told;

enum route_verdict ip_route_input(struct worker *w, const struct link *l, struct rte_mbuf *m,
				  enum drop_reason *reason)
{
	return verdict;
}

void icmp_send(struct worker *w, const struct rte_mbuf *m, uint8_t type, uint8_t code,
	       rte_be32_t info)
{
	assert_int_equal(type, ICMP_TIME_EXCEEDED);
	assert_int_equal(code, ICMP_EXC_FRAGTIME);
	told.ids[told.n++ % TOLD_IDS] = packet_ip(m)->packet_id;
	told.len = m->pkt_len;
	told.id = packet_ip(m)->packet_id;
	packet_read(m, 0, RTE_MIN(m->pkt_len, sizeof(told.first)), told.first);
}

struct whole whole;

static void take_whole(struct worker *w, struct rte_mbuf *m)
{
	whole.n++;
	whole.worker = w->id;
	whole.len = m->pkt_len;
	whole.max_size = packet_of(m)->frag_max_size;
	whole.pmtu = packet_of(m)->flags & PACKET_F_FRAG_PMTU;
	packet_read(m, 0, m->pkt_len, whole.data);
	rte_mbuf_sanity_check(m, 1);
	packet_deliver(w, m);
}

/* ---- fragments ---- */

uint8_t pattern[DATA_MAX];
static uint64_t random_state = 1;

uint32_t chance(uint32_t n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((random_state >> 33) % n);
}

struct rte_mbuf *frag_make(struct worker *w, const struct frag *f)
{
	struct rte_mbuf *m = packet_alloc(w);
	struct rte_ipv4_hdr *ip;

	assert_non_null(m);
	w->counters->originated--;
	w->counters->received++;
	packet_of(m)->link = 1;
	ip = (void *)rte_pktmbuf_append(m, (uint16_t)(sizeof(*ip) + f->bytes));
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45, .type_of_service = f->tos,
		.total_length = rte_cpu_to_be_16((uint16_t)m->pkt_len), .packet_id = f->id,
		.fragment_offset = rte_cpu_to_be_16((uint16_t)(f->offset / 8 | f->flags)),
		.time_to_live = 64, .next_proto_id = 17, .src_addr = SOURCE, .dst_addr = OURS,
	};
	checksum_header_set(ip);
	memcpy(ip + 1, pattern + f->offset, f->bytes);
	return m;
}

void input(struct worker *w, const struct frag *f)
{
	ip_defrag(w, frag_make(w, f), DEFRAG_LOCAL_DELIVER);
}

void first_of(uint16_t id)
{
	input(workers[0], &(struct frag){.id = id, .bytes = 32, .flags = RTE_IPV4_HDR_MF_FLAG});
}

void set(const char *name, unsigned int value)
{
	struct error err;
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	if (sysctl_set(name, text, &err))
		fail_msg("%s", err.text);
}

uint32_t random_ids = 4;

struct frag random_frag(void)
{
	struct frag f = {.id = (uint16_t)chance(random_ids), .offset = 8 * chance(12)};
	bool more = chance(6) != 0;

	f.bytes = 8 * (1 + chance(chance(4) ? 2 : 6));
	if (!more || chance(20) == 0)
		f.bytes -= chance(9);
	f.flags = more || !f.offset ? RTE_IPV4_HDR_MF_FLAG : 0;
	if (chance(3) == 0)
		f.flags |= RTE_IPV4_HDR_DF_FLAG;
	f.tos = (uint8_t)(0x20 | (chance(30) ? 2 : chance(4)));
	return f;
}

void shuffle(struct frag *f, uint32_t n)
{
	for (; n > 1; n--) {
		uint32_t other = chance(n);

		RTE_SWAP(f[n - 1], f[other]);
	}
}

/* ---- workers ---- */

const struct counters *counters_of(unsigned int worker)
{
	return workers[worker]->counters;
}

/* All that was received is accounted for. */
void balance(void)
{
	uint64_t received = 0, out = 0;

	for (unsigned int i = 0; i < workers_count; i++) {
		const struct counters *c = counters_of(i);

		received += c->received;
		out += c->delivered;
		for (unsigned int k = 0; k < DROP_COUNT; k++)
			out += c->drop[k];
	}
	assert_int_equal(received, out + defrag_held());
}

void ticks(unsigned int n)
{
	while (n--)
		for (unsigned int i = 0; i < workers_count; i++) {
			workers[i]->now_ns = clock_now_ns();
			message_poll_worker(workers[i]);
			defrag_tick(workers[i]);
		}
}

unsigned int mbufs_used(void)
{
	for (unsigned int i = 0; i < workers_count; i++)
		packet_free_spent(workers[i]);
	return rte_mempool_in_use_count(packet_pool(0));
}

/* ---- set up ---- */

static void workers_end(void)
{
	for (unsigned int i = 0; i < workers_count; i++) {
		defrag_worker_fini(workers[i]);
		packet_free_spent(workers[i]);
		free(workers[i]->ip);
	}
	workers_fini();
}

void start(unsigned int n)
{
	workers_end();       /* of a test that failed */
	assert_int_equal(workers_init(n), 0);
	for (unsigned int i = 0; i < n; i++) {
		workers[i]->ip = calloc(1, sizeof(*workers[i]->ip));
		assert_int_equal(defrag_worker_init(workers[i]), 0);
	}
	defrag_register(DEFRAG_LOCAL_DELIVER, take_whole);
	links[1] = &link_1;
	verdict = VERDICT_LOCAL;
	memset(&told, 0, sizeof(told));
	whole.n = 0;
	set("net.ipv4.ipfrag_time", 30);
	set("net.ipv4.ipfrag_low_thresh", 0);
	set("net.ipv4.ipfrag_high_thresh", 4194304);
	set("net.ipv4.ipfrag_max_dist", 64);
	set("net.millrace.ipfrag_mbufs_max", 0);
	set("net.millrace.ipfrag_overload_rate", 500000);
	ticks(1);
}

void stop(void)
{
	ticks(40);
	balance();
	workers_end();
	assert_int_equal(mbufs_used(), 0);
}

int start_all(void **state)
{
	char *argv[] = {"test", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m",
			"256", "--log-level=error", NULL};

	if (rte_eal_init(RTE_DIM(argv) - 1, argv) < 0)
		return -1;
	clock_init(CLOCK_PACKET);
	for (unsigned int i = 0; i < DATA_MAX; i++)
		pattern[i] = (uint8_t)chance(256);
	return counters_init() || packet_pool_init(MBUFS, 2048) || defrag_init();
}
