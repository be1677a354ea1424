/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly against a model: rule E written down a second time, a byte at a time and with no
 * regard for speed. Fragments at random, one by one and in bursts, on a clock that the test moves;
 * then what the model is too slow or too simple for: the longest datagrams, limits, several
 * workers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_mempool.h>

#include "core/clock.h"
#include "core/message.h"
#include "core/siphash_many.h"
#include "core/sysctl.h"
#include "ipv4/internal.h"
#include "ipv4/reassemble.h"
#include "ipv4/reassemble_owner.h"
#include "ipv4/reassemble_table.h"
#include "packet/checksum.h"
#include "packet/truesize.h"

#define MBUFS 32767
#define SOURCE RTE_BE32(0x0a000002)
#define OURS RTE_BE32(0x0a000001)
#define DATA_MAX 140000

/* ---- stand-ins ---- */

struct link *links[LINKS_MAX];
static struct link link_1 = {.id = 1, .name = "p0"};
static enum route_verdict verdict;

static struct {
	unsigned int n;
	uint32_t len;
	uint16_t id;
	uint8_t first[64];
} told;

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
	told.n++;
	told.len = m->pkt_len;
	told.id = packet_ip(m)->packet_id;
	packet_read(m, 0, RTE_MIN(m->pkt_len, sizeof(told.first)), told.first);
}

/* What was put together. */
static struct {
	unsigned int n;
	uint32_t len;
	uint16_t max_size;
	bool pmtu;
	unsigned int worker;
	uint8_t data[65536];
} whole;

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

struct frag {
	uint16_t id;
	uint32_t offset, bytes;
	uint16_t flags;              /* RTE_IPV4_HDR_*_FLAG */
	uint8_t tos;
};

static uint8_t pattern[DATA_MAX];
static uint64_t random_state = 1;

static uint32_t chance(uint32_t n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((random_state >> 33) % n);
}

static struct rte_mbuf *frag_make(struct worker *w, const struct frag *f)
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

static void input(struct worker *w, const struct frag *f)
{
	ip_defrag(w, frag_make(w, f), DEFRAG_LOCAL_DELIVER);
}

static void set(const char *name, unsigned int value)
{
	struct error err;
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	if (sysctl_set(name, text, &err))
		fail_msg("%s", err.text);
}

/* ---- the model ---- */

#define MODEL_QUEUES 4
#define MODEL_PIECES 64

struct model_piece {
	uint32_t start, end, run;
};

struct model_queue {
	bool used;
	struct model_piece piece[MODEL_PIECES];
	uint32_t n, runs, tail_end, tail_run, len, meat, max_size, max_df_size, distance;
	bool first, last;
	uint8_t ecn, first_tos;
	uint64_t expires_ns;
};

struct model {
	struct model_queue q[MODEL_QUEUES];
	uint64_t reqds, oks, fails, overlaps, timeouts;
	uint32_t sent;               /* by the only sender */
	unsigned int n_whole, n_told;
};

static struct model model;
static uint32_t max_dist;
static uint64_t timeout_ns;

static void model_kill(struct model_queue *q)
{
	model.fails++;
	q->used = false;
}

static bool model_too_far(struct model_queue *q)
{
	uint32_t distance = ++model.sent - q->distance;

	q->distance = model.sent;
	return max_dist && q->n && distance > max_dist;
}

static void model_restart(struct model_queue *q, uint64_t now_ns)
{
	uint32_t max_size = q->max_size, max_df_size = q->max_df_size, distance = q->distance;

	model.fails++;
	*q = (struct model_queue){.used = true, .max_size = max_size,
				  .max_df_size = max_df_size, .distance = distance,
				  .expires_ns = now_ns + timeout_ns};
}

static void model_complete(struct model_queue *q)
{
	bool not_ect = q->ecn & 1, others = q->ecn & 0xe;

	q->used = false;
	if ((not_ect && others) || q->len + 20 > 65535) {
		model.fails++;
		return;
	}
	model.oks++;
	model.n_whole++;
}

static uint8_t model_tos(const struct model_queue *q)
{
	bool ce = q->ecn & 8, ect = q->ecn & 6;

	return ce && ect ? q->first_tos | 3 : q->first_tos;
}

/* True: it fits where it is. */
static bool model_place(struct model_queue *q, uint32_t start, uint32_t end)
{
	uint32_t run = q->runs;

	if (q->n && end > q->tail_end) {
		if (start < q->tail_end) {
			model.overlaps++;
			model_kill(q);
			return false;
		}
		if (start == q->tail_end)
			run = q->tail_run;
	} else if (q->n) {
		for (uint32_t i = 0; i < q->n; i++) {
			uint32_t lo = UINT32_MAX, hi = 0;

			if (end <= q->piece[i].start || start >= q->piece[i].end)
				continue;
			for (uint32_t k = 0; k < q->n; k++)
				if (q->piece[k].run == q->piece[i].run) {
					lo = RTE_MIN(lo, q->piece[k].start);
					hi = RTE_MAX(hi, q->piece[k].end);
				}
			if (start >= lo && end <= hi)
				return false;
			model.overlaps++;
			model_kill(q);
			return false;
		}
	}
	if (!q->n || end > q->tail_end) {
		q->tail_end = end;
		q->tail_run = run;
	}
	q->runs += run == q->runs;
	assert_true(q->n < MODEL_PIECES);
	q->piece[q->n++] = (struct model_piece){start, end, run};
	return true;
}

static void model_input(const struct frag *f, uint64_t now_ns)
{
	struct model_queue *q = &model.q[f->id];
	uint32_t end = f->offset + f->bytes;
	bool more = f->flags & RTE_IPV4_HDR_MF_FLAG;

	model.reqds++;
	if (!q->used)
		*q = (struct model_queue){.used = true, .expires_ns = now_ns + timeout_ns};
	if (model_too_far(q))
		model_restart(q, now_ns);
	if (more)
		end &= ~7u;
	if (more ? end > q->len && q->last : end < q->len || (q->last && end != q->len)) {
		model_kill(q);
		return;
	}
	q->last |= !more;
	q->len = more ? RTE_MAX(q->len, end) : end;
	if (end == f->offset) {
		model_kill(q);
		return;
	}
	if (!model_place(q, f->offset, end))
		return;
	q->meat += end - f->offset;
	q->ecn |= (uint8_t)(1 << (f->tos & 3));
	q->max_size = RTE_MAX(q->max_size, end - f->offset + 20);
	if (f->flags & RTE_IPV4_HDR_DF_FLAG)
		q->max_df_size = RTE_MAX(q->max_df_size, end - f->offset + 20);
	if (f->offset == 0) {
		q->first = true;
		q->first_tos = f->tos;
	}
	if (q->first && q->last && q->meat == q->len)
		model_complete(q);
}

static void model_expire(uint64_t now_ns)
{
	for (unsigned int i = 0; i < MODEL_QUEUES; i++) {
		struct model_queue *q = &model.q[i];

		if (!q->used || q->expires_ns > now_ns)
			continue;
		model.timeouts++;
		model.n_told += q->first;
		model_kill(q);
	}
}

/* ---- comparison ---- */

static const struct counters *counters_of(unsigned int worker)
{
	return workers[worker]->counters;
}

static void compare_counters(void)
{
	const struct counters *c = counters_of(0);

	assert_int_equal(c->c[CNT_IP_REASMREQDS], model.reqds);
	assert_int_equal(c->c[CNT_IP_REASMOKS], model.oks);
	assert_int_equal(c->c[CNT_IP_REASMFAILS], model.fails);
	assert_int_equal(c->c[CNT_IP_REASMTIMEOUT], model.timeouts);
	assert_int_equal(c->c[CNT_IPEXT_REASMOVERLAPS], model.overlaps);
	assert_int_equal(whole.n, model.n_whole);
	assert_int_equal(told.n, model.n_told);
}

/* The latest datagram against the queue that the model made it of. */
static void compare_whole(const struct model_queue *q, uint16_t id)
{
	const struct rte_ipv4_hdr *ip = (const void *)whole.data;
	bool df = q->max_size == q->max_df_size;

	assert_int_equal(whole.len, q->len + 20);
	assert_int_equal(rte_be_to_cpu_16(ip->total_length), whole.len);
	assert_int_equal(ip->packet_id, id);
	assert_int_equal(ip->type_of_service, model_tos(q));
	assert_int_equal(ip->fragment_offset, df ? FRAG_DF : 0);
	assert_int_equal(whole.pmtu, df);
	assert_int_equal(whole.max_size, q->max_size);
	assert_true(checksum_header_good(ip, 5));
	assert_memory_equal(whole.data + 20, pattern, q->len);
}

/* All that was received is accounted for. */
static void balance(void)
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

static void ticks(unsigned int n)
{
	while (n--)
		for (unsigned int i = 0; i < workers_count; i++) {
			workers[i]->now_ns = clock_now_ns();
			message_poll_worker(workers[i]);
			defrag_tick(workers[i]);
		}
}

static unsigned int mbufs_used(void)
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

static void start(unsigned int n)
{
	workers_end();       /* of a test that failed */
	assert_int_equal(workers_init(n), 0);
	for (unsigned int i = 0; i < n; i++) {
		workers[i]->ip = calloc(1, sizeof(*workers[i]->ip));
		assert_int_equal(defrag_worker_init(workers[i]), 0);
	}
	links[1] = &link_1;
	verdict = VERDICT_LOCAL;
	memset(&model, 0, sizeof(model));
	memset(&told, 0, sizeof(told));
	whole.n = 0;
	set("net.ipv4.ipfrag_time", 30);
	set("net.ipv4.ipfrag_low_thresh", 0);
	set("net.ipv4.ipfrag_high_thresh", 4194304);
	set("net.ipv4.ipfrag_max_dist", 64);
	set("net.millrace.ipfrag_mbufs_max", 0);
	max_dist = 64;
	timeout_ns = 30 * NSEC_PER_SEC;
	ticks(1);
}

static void stop(void)
{
	ticks(40);
	balance();
	workers_end();
	assert_int_equal(mbufs_used(), 0);
}

/* ---- the model's tests ---- */

static struct frag random_frag(void)
{
	struct frag f = {.id = (uint16_t)chance(MODEL_QUEUES), .offset = 8 * chance(12)};
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

static void shuffle(struct frag *f, uint32_t n)
{
	for (; n > 1; n--) {
		uint32_t other = chance(n);

		RTE_SWAP(f[n - 1], f[other]);
	}
}

/* In parts, in order or not. Returns how many. */
static unsigned int random_datagram(struct frag *f)
{
	uint16_t id = (uint16_t)chance(MODEL_QUEUES);
	uint32_t all = 8 * (2 + chance(40)) - chance(8), at = 0;
	unsigned int n = 0;

	while (at < all) {
		uint32_t bytes = RTE_MIN(all - at, 8 * (1 + chance(6)));

		f[n++] = (struct frag){.id = id, .offset = at, .bytes = bytes, .tos = 2,
				       .flags = at + bytes < all ? RTE_IPV4_HDR_MF_FLAG : 0};
		at += bytes;
	}
	if (chance(3) == 0)
		shuffle(f, n);
	return n;
}

static void one_by_one(void **state)
{
	struct frag f[64];
	struct worker *w;

	start(1);
	w = workers[0];
	for (unsigned int round = 0; round < 100000; round++) {
		unsigned int n = 1;

		f[0] = random_frag();
		if (chance(4) == 0)
			n = random_datagram(f);
		for (unsigned int i = 0; i < n; i++) {
			unsigned int before = whole.n;

			input(w, &f[i]);
			model_input(&f[i], w->now_ns);
			compare_counters();
			if (whole.n > before)
				compare_whole(&model.q[f[i].id], f[i].id);
		}
		if (chance(20) == 0)
			clock_set(clock_now_ns() + chance(25) * NSEC_PER_SEC);
		ticks(1);
		model_expire(w->now_ns);
		compare_counters();
		if (round % 1000 == 0)
			balance();
	}
	assert_true(model.oks > 1000 && model.overlaps > 1000 && model.timeouts > 100);
	stop();
}

/* As ip_rcv() does it, so that whole datagrams in one burst take the short way. */
static void in_bursts(void **state)
{
	struct frag f[FRAG_BURST + 64];
	struct worker *w;

	start(1);
	w = workers[0];
	set("net.ipv4.ipfrag_max_dist", 20);
	max_dist = 20;
	for (unsigned int round = 0; round < 50000; round++) {
		unsigned int n = 0, size = 1 + chance(FRAG_BURST);

		while (n < size) {
			if (chance(2))
				n += random_datagram(&f[n]);
			else
				f[n++] = random_frag();
		}
		ticks(1);
		model_expire(w->now_ns);
		for (unsigned int i = 0; i < size; i++) {
			ip_defrag_collect(w, frag_make(w, &f[i]));
			model_input(&f[i], w->now_ns);
		}
		ip_defrag_run(w);
		compare_counters();
		if (chance(20) == 0)
			clock_set(clock_now_ns() + chance(20) * NSEC_PER_SEC);
		if (round % 1000 == 0) {
			ticks(1);
			model_expire(w->now_ns);
			balance();
		}
	}
	assert_true(model.oks > 10000 && model.fails > 1000);
	stop();
}

/* ---- long datagrams ---- */

enum order { IN_ORDER, REVERSED, ODD_FIRST, SHUFFLED, ORDERS };

static void long_datagram(enum order order, uint32_t size, uint32_t all)
{
	uint32_t n = (all + size - 1) / size;
	struct frag *f = calloc(n, sizeof(*f));
	struct worker *w = workers[0];

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = i;

		if (order == REVERSED)
			at = n - 1 - i;
		else if (order == ODD_FIRST)
			at = i < n / 2 ? 2 * i + 1 : 2 * (i - n / 2);
		f[i] = (struct frag){.id = 7, .offset = at * size,
				     .bytes = RTE_MIN(size, all - at * size),
				     .flags = at < n - 1 ? RTE_IPV4_HDR_MF_FLAG : 0};
	}
	if (order == SHUFFLED)
		shuffle(f, n);
	whole.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(whole.n, 0);
		ip_defrag_collect(w, frag_make(w, &f[i]));
		if (i % 7 == 0 || i == n - 1)
			ip_defrag_run(w);
	}
	assert_int_equal(whole.n, 1);
	assert_int_equal(whole.len, all + 20);
	assert_memory_equal(whole.data + 20, pattern, all);
	free(f);
}

static void longest(void **state)
{
	start(1);
	set("net.ipv4.ipfrag_high_thresh", 100000000);
	ticks(1);
	for (enum order order = 0; order < ORDERS; order++) {
		long_datagram(order, 8, 65515);
		long_datagram(order, 8, 65000);
		long_datagram(order, 16, 60001);
		long_datagram(order, 1480, 65515);
		long_datagram(order, 256, 4096);
	}
	stop();
}

/* Duplicates and overlaps where a map says what fits. */
static void many_runs(void **state)
{
	const struct counters *c;
	struct worker *w;

	start(1);
	w = workers[0];
	c = w->counters;
	set("net.ipv4.ipfrag_high_thresh", 100000000);
	ticks(1);
	for (uint32_t at = 4000; at; at--)
		input(w, &(struct frag){.id = 1, .offset = at * 16, .bytes = 8,
					.flags = RTE_IPV4_HDR_MF_FLAG});
	assert_int_equal(c->drop[DROP_DUP_FRAG], 0);
	for (uint32_t at = 4000; at; at--)
		input(w, &(struct frag){.id = 1, .offset = at * 16, .bytes = 8,
					.flags = RTE_IPV4_HDR_MF_FLAG});
	assert_int_equal(c->drop[DROP_DUP_FRAG], 4000);
	assert_int_equal(c->c[CNT_IP_REASMFAILS], 0);
	input(w, &(struct frag){.id = 1, .offset = 16, .bytes = 1024,
				.flags = RTE_IPV4_HDR_MF_FLAG});
	assert_int_equal(c->drop[DROP_FRAG_OVERLAP], 4001);
	assert_int_equal(c->c[CNT_IP_REASMFAILS], 1);
	assert_int_equal(c->c[CNT_IPEXT_REASMOVERLAPS], 1);
	ticks(1);
	assert_int_equal(defrag_held(), 0);
	ticks(8);
	assert_int_equal(mbufs_used(), 0);
	stop();
}

/* ---- time ---- */

static void first_of(uint16_t id)
{
	input(workers[0], &(struct frag){.id = id, .bytes = 32, .flags = RTE_IPV4_HDR_MF_FLAG});
}

static void timer_keeps_its_length(void **state)
{
	static const uint16_t lengths[] = {30, 5, 60, 10, 20, 7};
	uint64_t start_ns;

	start(1);
	start_ns = clock_now_ns();
	for (uint16_t i = 0; i < 4; i++) {
		set("net.ipv4.ipfrag_time", lengths[i]);
		ticks(1);
		first_of(i);
	}
	assert_int_equal(defrag_next_expiry_ns(workers[0]), start_ns + 5 * NSEC_PER_SEC);
	clock_set(start_ns + 4 * NSEC_PER_SEC);
	ticks(2);
	assert_int_equal(told.n, 0);
	clock_set(start_ns + 5 * NSEC_PER_SEC);
	ticks(1);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.id, 1);
	assert_int_equal(told.len, 52);
	/* a fifth time finds a place */
	set("net.ipv4.ipfrag_time", lengths[4]);
	ticks(1);
	first_of(4);
	assert_int_equal(defrag_next_expiry_ns(workers[0]), start_ns + 10 * NSEC_PER_SEC);
	clock_set(start_ns + 10 * NSEC_PER_SEC);
	ticks(1);
	assert_int_equal(defrag_next_expiry_ns(workers[0]), start_ns + 25 * NSEC_PER_SEC);
	clock_set(start_ns + 61 * NSEC_PER_SEC);
	ticks(1);
	assert_int_equal(told.n, 5);
	assert_int_equal(defrag_next_expiry_ns(workers[0]), UINT64_MAX);
	stop();
}

static void nobody_told(void **state)
{
	start(1);
	first_of(1);
	links[1] = NULL;
	clock_set(clock_now_ns() + 31 * NSEC_PER_SEC);
	ticks(1);
	links[1] = &link_1;
	first_of(2);
	verdict = VERDICT_DROP;
	clock_set(clock_now_ns() + 31 * NSEC_PER_SEC);
	ticks(1);
	assert_int_equal(told.n, 0);
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMTIMEOUT], 2);
	stop();
}

/* Many expire at once: a bounded number a turn, and all in the end. */
static void many_expire(void **state)
{
	start(1);
	for (uint16_t id = 0; id < 3000; id++)
		first_of(id);
	ticks(1);
	assert_int_equal(defrag_held(), 3000);
	clock_set(clock_now_ns() + 30 * NSEC_PER_SEC);
	ticks(1);
	assert_in_range(told.n, 1, 100);
	ticks(100);
	assert_int_equal(told.n, 3000);
	assert_int_equal(defrag_held(), 0);
	assert_int_equal(mbufs_used(), 0);
	stop();
}

/* ---- limits ---- */

static void high_thresh(void **state)
{
	const uint32_t each = 200 + packet_truesize(52);
	unsigned int fit = 100000 / each + 1;

	start(1);
	set("net.ipv4.ipfrag_high_thresh", 100000);
	ticks(1);
	for (uint16_t id = 0; id < 200; id++)
		first_of(id);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_HIGH_THRESH], 200 - fit);
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMFAILS], 200 - fit);
	assert_true(defrag_flush());
	ticks(20);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_FLUSHED], fit);
	assert_int_equal(defrag_held(), 0);
	set("net.ipv4.ipfrag_high_thresh", 0);
	ticks(1);
	first_of(1);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_HIGH_THRESH], 200 - fit + 1);
	stop();
}

static void mbufs_max(void **state)
{
	struct error err;

	start(1);
	set("net.millrace.ipfrag_mbufs_max", 100);
	ticks(1);
	for (uint16_t id = 0; id < 150; id++)
		first_of(id);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_MBUFS_MAX], 50);
	assert_int_equal(mbufs_used(), 100);
	set("net.ipv4.ipfrag_high_thresh", 1000000000);
	set("net.millrace.ipfrag_mbufs_max", FRAG_MBUFS_MAX);
	assert_int_not_equal(sysctl_set("net.millrace.ipfrag_mbufs_max", "16385", &err), 0);
	ticks(1);
	for (uint32_t id = 150; id < FRAG_MBUFS_MAX + 100; id++)
		first_of((uint16_t)id);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_TABLE_FULL], 0);
	assert_int_equal(mbufs_used(), FRAG_MBUFS_MAX);
	for (uint32_t id = 150; id < 1000; id++)
		input(workers[0], &(struct frag){.id = (uint16_t)id, .offset = 32, .bytes = 8});
	assert_int_equal(whole.n, 0);
	set("net.ipv4.ipfrag_time", 0);
	clock_set(clock_now_ns() + 31 * NSEC_PER_SEC);
	ticks(1000);
	assert_int_equal(mbufs_used(), 0);
	stop();
}

static void thresholds_bound_each_other(void **state)
{
	struct error err;

	start(1);
	set("net.ipv4.ipfrag_low_thresh", 1000);
	assert_int_not_equal(sysctl_set("net.ipv4.ipfrag_high_thresh", "999", &err), 0);
	set("net.ipv4.ipfrag_high_thresh", 2000);
	assert_int_not_equal(sysctl_set("net.ipv4.ipfrag_low_thresh", "2001", &err), 0);
	set("net.ipv4.ipfrag_low_thresh", 2000);
	set("net.ipv4.ipfrag_high_thresh", 4194304);
	set("net.ipv4.ipfrag_low_thresh", 0);
	stop();
}

/* ---- several workers ---- */

/* Fragments go to the worker that had the first, and back where they came in when all are done. */
static void hand_over(void **state)
{
	start(3);
	for (uint16_t id = 0; id < 300; id++) {
		unsigned int one = id % 3, other = (id / 3) % 3;

		input(workers[one], &(struct frag){.id = id, .bytes = 32,
						   .flags = RTE_IPV4_HDR_MF_FLAG});
		ticks(1);
		balance();
		whole.n = 0;
		input(workers[other], &(struct frag){.id = id, .offset = 32, .bytes = 5});
		assert_int_equal(whole.n, one == other);
		ticks(1);
		assert_int_equal(whole.n, 1);
		assert_int_equal(whole.len, 57);
		assert_int_equal(whole.worker, one);
	}
	balance();
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMREQDS] +
			 counters_of(1)->c[CNT_IP_REASMREQDS] +
			 counters_of(2)->c[CNT_IP_REASMREQDS], 600);
	stop();
}

/* What was handed over before a worker received something itself comes first. */
static void hand_over_in_order(void **state)
{
	start(2);
	input(workers[0], &(struct frag){.id = 1, .bytes = 32, .flags = RTE_IPV4_HDR_MF_FLAG});
	input(workers[1], &(struct frag){.id = 2, .bytes = 32, .flags = RTE_IPV4_HDR_MF_FLAG});
	input(workers[1], &(struct frag){.id = 1, .offset = 32, .bytes = 5});
	assert_int_equal(whole.n, 0);
	input(workers[0], &(struct frag){.id = 2, .offset = 32, .bytes = 9});
	assert_int_equal(whole.n, 2);
	assert_int_equal(whole.len, 61);
	assert_int_equal(whole.worker, 0);
	stop();
}

static void hand_over_full(void **state)
{
	uint64_t full;

	start(2);
	set("net.ipv4.ipfrag_high_thresh", 100000000);
	ticks(1);
	first_of(0);
	for (uint16_t id = 1; id < 8000; id++)
		input(workers[1], &(struct frag){.id = id, .bytes = 32,
						 .flags = RTE_IPV4_HDR_MF_FLAG});
	full = counters_of(1)->drop[DROP_FRAG_QUEUE_FULL];
	assert_in_range(full, 3900, 3910);
	ticks(20);
	balance();
	assert_int_equal(defrag_held(), 8000 - full);
	assert_int_equal(counters_of(1)->c[CNT_IP_REASMFAILS], full);
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMREQDS] +
			 counters_of(1)->c[CNT_IP_REASMREQDS], 8000);
	stop();
}

/* A sender's fragments are counted wherever they come in. */
static void distance_over_workers(void **state)
{
	for (unsigned int others = 63; others <= 64; others++) {
		start(3);
		first_of(1);
		for (uint16_t i = 0; i < others; i++) {
			input(workers[i % 3], &(struct frag){.id = 100 + i, .bytes = 32,
							     .flags = RTE_IPV4_HDR_MF_FLAG});
			ticks(1);
		}
		input(workers[2], &(struct frag){.id = 1, .offset = 32, .bytes = 5});
		ticks(1);
		assert_int_equal(whole.n, others < 64);
		stop();
	}
}

/* Senders that no worker shares with another, until nothing more fits: all together hold what one
 * alone would hold. */
static void limits_over_workers(void **state)
{
	uint64_t alone = 0;

	for (unsigned int n = 1; n <= 4; n++) {
		uint64_t refused = 0;

		start(n);
		set("net.ipv4.ipfrag_high_thresh", 100000);
		ticks(1);
		for (uint32_t i = 0; i < 400; i++) {
			struct worker *w = workers[i % n];
			struct rte_mbuf *m = frag_make(w, &(struct frag){
				.bytes = 32, .flags = RTE_IPV4_HDR_MF_FLAG});

			packet_ip(m)->src_addr += rte_cpu_to_be_32(i);
			ip_defrag(w, m, DEFRAG_LOCAL_DELIVER);
		}
		ticks(4);
		for (unsigned int i = 0; i < n; i++)
			refused += counters_of(i)->drop[DROP_FRAG_HIGH_THRESH];
		assert_int_equal(refused + defrag_held(), 400);
		if (n == 1)
			alone = refused;
		assert_in_range(alone, 200, 350);
		assert_int_equal(refused, alone);
		balance();
		stop();
	}
}

/* Any order, any worker, overlaps and duplicates: every entry is free at the end, and nobody holds
 * anything. */
static void entries_come_back(void **state)
{
	start(4);
	set("net.ipv4.ipfrag_max_dist", 0);
	for (unsigned int round = 0; round < 20000; round++) {
		struct frag f = random_frag();
		struct worker *w = workers[chance(4)];
		struct rte_mbuf *m = frag_make(w, &f);

		packet_ip(m)->src_addr += rte_cpu_to_be_32(chance(3));
		if (chance(2))
			ip_defrag(w, m, DEFRAG_LOCAL_DELIVER);
		else
			ip_defrag_collect(w, m);
		if (chance(40) == 0)
			ticks(1);
		if (chance(20) == 0)
			for (unsigned int i = 0; i < 4; i++)
				if (workers[i]->ip->frags.n)
					ip_defrag_run(workers[i]);
	}
	for (unsigned int i = 0; i < 4; i++)
		if (workers[i]->ip->frags.n)
			ip_defrag_run(workers[i]);
	clock_set(clock_now_ns() + 31 * NSEC_PER_SEC);
	ticks(40);
	assert_int_equal(defrag_held(), 0);
	for (unsigned int i = 0; i < FRAG_OWNERS; i++)
		assert_int_equal(frag_owners[i] & FRAG_OWNER_REFS, 0);
	stop();
}

/* ---- hashes ---- */

static void siphash(void **state)
{
	const struct siphash_key key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	uint64_t first[16], last[16], hash[16];
	struct siphash s;

	/* the vectors of 8 and 15 bytes that come with the reference implementation */
	siphash_begin(&s, &key);
	siphash_word(&s, key.k0, 2);
	siphash_word(&s, 8ULL << 56, 2);
	assert_true(siphash_end(&s, 4) == 0x93f5f5799a932462ULL);
	siphash_begin(&s, &key);
	siphash_word(&s, key.k0, 2);
	siphash_word(&s, (key.k1 & 0x00ffffffffffffffULL) | 15ULL << 56, 2);
	assert_true(siphash_end(&s, 4) == 0xa129ca6149be45e5ULL);
	for (unsigned int round = 0; round < 1000; round++) {
		for (unsigned int i = 0; i < 16; i++) {
			first[i] = (uint64_t)chance(UINT32_MAX) << 32 | chance(UINT32_MAX);
			last[i] = (uint64_t)chance(UINT32_MAX) << 32 | chance(UINT32_MAX);
		}
		siphash_many(&key, first, last, hash, 1 + chance(16));
		assert_true(hash[0] == siphash_one(&key, first[0], last[0]));
		siphash_many(&key, first, last, hash, 16);
		for (unsigned int i = 0; i < 16; i++)
			assert_true(hash[i] == siphash_one(&key, first[i], last[i]));
		if (round == 500)
			siphash_many_init();
	}
}

static int start_all(void **state)
{
	char *argv[] = {"test", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m",
			"256", "--log-level=error", NULL};

	if (rte_eal_init(RTE_DIM(argv) - 1, argv) < 0)
		return -1;
	clock_init(CLOCK_PACKET);
	for (unsigned int i = 0; i < DATA_MAX; i++)
		pattern[i] = (uint8_t)chance(256);
	defrag_register(DEFRAG_LOCAL_DELIVER, take_whole);
	return counters_init() || packet_pool_init(MBUFS, 2048) || defrag_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash),
		cmocka_unit_test(one_by_one),
		cmocka_unit_test(in_bursts),
		cmocka_unit_test(longest),
		cmocka_unit_test(many_runs),
		cmocka_unit_test(timer_keeps_its_length),
		cmocka_unit_test(nobody_told),
		cmocka_unit_test(many_expire),
		cmocka_unit_test(high_thresh),
		cmocka_unit_test(mbufs_max),
		cmocka_unit_test(thresholds_bound_each_other),
		cmocka_unit_test(hand_over),
		cmocka_unit_test(hand_over_in_order),
		cmocka_unit_test(hand_over_full),
		cmocka_unit_test(distance_over_workers),
		cmocka_unit_test(limits_over_workers),
		cmocka_unit_test(entries_come_back),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
