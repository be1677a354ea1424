/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the model of test_reassemble_model.c is too slow or too simple for: the longest datagrams,
 * limits, several workers.
 */
#include "reassemble_world.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/sysctl.h"
#include "ipv4/reassemble_owner.h"
#include "ipv4/reassemble_table.h"
#include "ipv4/reassemble_worker.h"
#include "packet/truesize.h"

#define SENDER_1 RTE_IPV4(11, 0, 0, 1)
#define SENDER_2 RTE_IPV4(11, 0, 0, 7)

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
	clock_set(clock_now_ns() + 33 * NSEC_PER_SEC);
	ticks(1000);
	assert_int_equal(mbufs_used(), 0);
	stop();
}

/* n turns of the last worker, in no time, in each of which one fragment comes in beside others, and
 * frames stay behind. Returns how many fragments were refused for that. */
static uint64_t turns_behind(unsigned int n, unsigned int others)
{
	struct worker *w = workers[workers_count - 1];
	uint64_t before = w->counters->drop[DROP_FRAG_OVERLOAD];
	static uint16_t id;

	while (n--) {
		w->packets += 1 + others;
		w->behind = true;
		input(w, &(struct frag){.id = id++, .bytes = 32, .flags = RTE_IPV4_HDR_MF_FLAG});
		ticks(1);
	}
	w->behind = false;
	return w->counters->drop[DROP_FRAG_OVERLOAD] - before;
}

/* At 1000 a second: the credit is for 250, and there is none until it is for 25 again. */
static void overload(void **state)
{
	start(1);
	set("net.millrace.ipfrag_overload_rate", 1000);
	assert_int_equal(turns_behind(250, 100), 0);
	assert_int_equal(turns_behind(101, 100), 100);
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMREQDS], 351);
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMFAILS], 100);
	/* a stop is hardly any time (10 ms), and a worker that keeps up takes all */
	clock_set(clock_now_ns() + 10 * NSEC_PER_SEC);
	assert_int_equal(turns_behind(10, 100), 10);
	for (unsigned int i = 0; i < 15; i++) {
		clock_set(clock_now_ns() + NSEC_PER_MSEC);
		assert_int_equal(turns_behind(1, 100), 1);
	}
	ticks(1);
	first_of(1000);
	ticks(1);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_OVERLOAD], 125);
	clock_set(clock_now_ns() + NSEC_PER_MSEC);
	assert_int_equal(turns_behind(30, 100), 4);
	/* where there is little else there is no use in it */
	assert_int_equal(turns_behind(100, 0), 1);
	assert_int_equal(turns_behind(10, 1), 9);
	set("net.millrace.ipfrag_overload_rate", 0);
	assert_int_equal(turns_behind(1, 100), 1);
	assert_int_equal(turns_behind(100, 100), 0);
	/* no more is owed than a second, however slow the rate was */
	set("net.millrace.ipfrag_overload_rate", 1);
	assert_int_equal(turns_behind(10, 100), 9);
	set("net.millrace.ipfrag_overload_rate", 1000);
	for (unsigned int i = 0; i < 103; i++) {
		clock_set(clock_now_ns() + 10 * NSEC_PER_MSEC);
		ticks(1);
	}
	assert_int_equal(turns_behind(31, 100), 0);
	assert_int_equal(turns_behind(10, 100), 10);
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

static struct rte_mbuf *frag_from(struct worker *w, uint32_t sender, const struct frag *f)
{
	struct rte_mbuf *m = frag_make(w, f);

	packet_ip(m)->src_addr = rte_cpu_to_be_32(sender);
	return m;
}

/* Fragments that another worker hands over are not what has been received here. */
static void overload_by_others(void **state)
{
	start(2);
	set("net.millrace.ipfrag_overload_rate", 1000);
	for (unsigned int i = 0; i < 300; i++) {
		workers[1]->packets += 2;
		workers[1]->behind = true;
		if (i)
			first_of((uint16_t)i);
		else
			input(workers[1], &(struct frag){.id = 0, .bytes = 32,
							 .flags = RTE_IPV4_HDR_MF_FLAG});
		ticks(1);
	}
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_OVERLOAD], 0);
	assert_int_equal(counters_of(1)->drop[DROP_FRAG_OVERLOAD], 49);
	stop();
}

/* And those that are handed over to another one are fragments, too: there is nothing else here. */
static void overload_for_others(void **state)
{
	struct frag f = {.bytes = 32, .flags = RTE_IPV4_HDR_MF_FLAG};

	start(2);
	set("net.millrace.ipfrag_overload_rate", 1000);
	input(workers[1], &f);
	for (f.id = 1; f.id <= 300; f.id++) {
		workers[0]->packets += 2;
		workers[0]->behind = true;
		input(workers[0], &f);
		ip_defrag(workers[0], frag_from(workers[0], SENDER_2, &f), DEFRAG_LOCAL_DELIVER);
		ticks(1);
	}
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_OVERLOAD], 0);
	assert_int_equal(counters_of(1)->c[CNT_IP_REASMREQDS], 301);
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMREQDS], 300);
	stop();
}

/* A fragment is refused, and the next of its datagram comes in the same burst, behind a fragment of
 * another sender's. */
static void refused_in_a_burst(void **state)
{
	const struct frag first = {.id = 1, .bytes = 8, .flags = RTE_IPV4_HDR_MF_FLAG};
	const struct frag last = {.id = 1, .offset = 8, .bytes = 8};
	struct rte_mbuf *long_one;

	start(1);
	set("net.millrace.ipfrag_mbufs_max", 2);
	ticks(1);
	long_one = frag_from(workers[0], SENDER_2, &first);
	for (unsigned int i = 0; i < 2; i++) {
		struct rte_mbuf *more = packet_alloc(workers[0]);

		workers[0]->counters->originated--;
		rte_pktmbuf_append(more, 1024);
		rte_pktmbuf_chain(long_one, more);
	}
	packet_ip(long_one)->total_length = rte_cpu_to_be_16((uint16_t)long_one->pkt_len);
	ip_defrag_collect(workers[0], frag_from(workers[0], SENDER_1, &first));
	ip_defrag_collect(workers[0], long_one);
	ip_defrag_collect(workers[0], frag_from(workers[0], SENDER_2, &last));
	ip_defrag_run(workers[0]);
	assert_int_equal(whole.n, 0);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_MBUFS_MAX], 1);
	ticks(1);
	assert_int_equal(defrag_held(), 2);
	clock_set(clock_now_ns() + 40 * NSEC_PER_SEC);
	ticks(8);
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMTIMEOUT], 2);
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

/* While one worker is in the middle of a burst, of which it has handed over some, the owner takes
 * these: what is held then seems to be less than nothing. */
static void owner_turns(struct worker *w, struct rte_mbuf *m)
{
	packet_deliver(w, m);
	defrag_tick(workers[1]);
}

static void limits_in_a_burst(void **state)
{
	const struct frag first = {.bytes = 8, .flags = RTE_IPV4_HDR_MF_FLAG};
	const struct frag last = {.offset = 8, .bytes = 8};
	const struct defrag *owner;
	struct frag f = first;

	start(2);
	owner = workers[1]->ip->defrag;
	set("net.ipv4.ipfrag_max_dist", 0);
	set("net.ipv4.ipfrag_high_thresh", 1000000000);
	set("net.millrace.ipfrag_mbufs_max", FRAG_MBUFS_MAX);
	ticks(1);
	for (; f.id < FRAG_MBUFS_MAX - 2; f.id++)
		input(workers[1], &f);
	ticks(3);
	defrag_register(DEFRAG_LOCAL_DELIVER, owner_turns);
	ip_defrag_collect(workers[0], frag_from(workers[0], SENDER_2, &first));
	ip_defrag_collect(workers[0], frag_from(workers[0], SENDER_2, &last));
	for (unsigned int i = 0; i < FRAG_BURST - 2; i++, f.id++)
		ip_defrag_collect(workers[0], frag_make(workers[0], &f));
	ip_defrag_run(workers[0]);
	assert_in_range(owner->t.n_queues, FRAG_MBUFS_MAX - 2, FRAG_MBUFS_MAX);
	assert_in_range(owner->mbufs_room, 0, FRAG_MBUFS_MAX);
	ticks(3);
	assert_true(defrag_flush());
	ticks(FRAG_MBUFS_MAX / FRAG_BURST);
	assert_int_equal(defrag_held(), 0);
	stop();
}

#define SENDERS 4000

static void from(uint32_t sender, uint16_t id, uint32_t offset, uint16_t flags)
{
	struct frag f = {.id = id, .offset = offset, .bytes = 8, .flags = flags};
	struct rte_mbuf *m = frag_make(workers[0], &f);

	packet_ip(m)->src_addr = rte_cpu_to_be_32(sender);
	ip_defrag(workers[0], m, DEFRAG_LOCAL_DELIVER);
}

/* However many there are, each one's fragments are counted: what it has sent between two fragments
 * of a datagram is never overlooked. And nothing is left of them when they have gone. */
static void many_senders(void **state)
{
	static uint32_t sender[SENDERS];

	start(1);
	set("net.ipv4.ipfrag_max_dist", 1);
	set("net.ipv4.ipfrag_high_thresh", 16 << 20);
	set("net.millrace.ipfrag_mbufs_max", 16384);
	for (unsigned int round = 0; round < 8; round++) {
		unsigned int before = whole.n;

		for (uint32_t i = 0; i < SENDERS; i++) {
			sender[i] = chance(UINT32_MAX);
			from(sender[i], 1, 0, RTE_IPV4_HDR_MF_FLAG);
		}
		for (uint32_t i = 0; i < SENDERS; i++) {
			from(sender[i], 2, 0, RTE_IPV4_HDR_MF_FLAG);
			from(sender[i], 2, 8, 0);
		}
		assert_int_equal(whole.n - before, SENDERS);
		for (uint32_t i = 0; i < SENDERS; i++)
			from(sender[i], 1, 8, 0);
		assert_int_equal(whole.n - before, SENDERS);
		clock_set(clock_now_ns() + 40 * NSEC_PER_SEC);
		ticks(2 * SENDERS / 32);
	}
	balance();
	stop();
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
	ticks(1);                    /* rings are empty */
	clock_set(clock_now_ns() + 33 * NSEC_PER_SEC);
	ticks(40);
	assert_int_equal(defrag_held(), 0);
	for (unsigned int i = 0; i < FRAG_OWNERS; i++)
		assert_int_equal(frag_owners[i] & FRAG_OWNER_REFS, 0);
	stop();
}

/* Where fragments hold much, no worker reads on in a capture file while another is far behind. */
static void files_in_step(void **state)
{
	start(2);
	link_files_read = true;
	set("net.ipv4.ipfrag_high_thresh", 100000);
	ticks(1);
	for (unsigned int i = 0; i < 8; i++)
		defrag_tick(workers[0]);
	assert_false(workers[0]->files_wait);
	for (uint16_t id = 0; id < 60; id++)
		first_of(id);
	for (unsigned int i = 0; i < 8; i++)
		defrag_tick(workers[0]);
	assert_true(workers[0]->files_wait);
	defrag_tick(workers[1]);
	assert_false(workers[1]->files_wait);
	defrag_tick(workers[0]);
	assert_false(workers[0]->files_wait);
	for (unsigned int i = 0; i < 8; i++)
		defrag_tick(workers[0]);
	assert_true(workers[0]->files_wait);
	assert_true(defrag_flush());
	ticks(8);
	assert_int_equal(defrag_held(), 0);
	assert_false(workers[0]->files_wait);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest),
		cmocka_unit_test(many_runs),
		cmocka_unit_test(high_thresh),
		cmocka_unit_test(mbufs_max),
		cmocka_unit_test(overload),
		cmocka_unit_test(overload_by_others),
		cmocka_unit_test(overload_for_others),
		cmocka_unit_test(thresholds_bound_each_other),
		cmocka_unit_test(refused_in_a_burst),
		cmocka_unit_test(files_in_step),
		cmocka_unit_test(hand_over),
		cmocka_unit_test(hand_over_in_order),
		cmocka_unit_test(hand_over_full),
		cmocka_unit_test(distance_over_workers),
		cmocka_unit_test(limits_over_workers),
		cmocka_unit_test(limits_in_a_burst),
		cmocka_unit_test(many_senders),
		cmocka_unit_test(entries_come_back),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
