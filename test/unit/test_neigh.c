/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbour cache on a clock that the test moves: every state and timer of rule I, the queues
 * of held packets, two workers, full rings, the table.
 */
#include "neigh_world.h"

#include "core/clock.h"
#include "core/message.h"
#include "core/rcu.h"
#include "core/sysctl.h"
#include "core/timer.h"
#include "neigh/neigh_table.h"

/* ---- tests: resolution ---- */

static void test_resolve(void **state)
{
	for (uint32_t i = 1; i <= 5; i++)
		output(HOST_1, i);
	assert_int_equal(neigh_held(), 5);
	settle();
	assert_int_equal(state_of(HOST_1), NUD_INCOMPLETE);
	assert_int_equal(n_sent, 1);
	assert_true(to_mac(&sent[0], &mac_all));
	assert_int_equal(arp_of(&sent[0])->arp_opcode, RTE_BE16(1));
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_sip, OUR_1);
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_tip, HOST_1);
	assert_true(rte_is_zero_ether_addr(&arp_of(&sent[0])->arp_data.arp_tha));

	reply_from(HOST_1, &mac_a);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	assert_int_equal(n_sent, 6);
	for (unsigned int i = 1; i <= 5; i++) {
		assert_int_equal(mark_of(&sent[i]), i);
		assert_true(to_mac(&sent[i], &mac_a));
		assert_int_equal(sent[i].link, link_2.id);
		assert_int_equal(sent[i].len, 74);
	}
	assert_int_equal(neigh_held(), 0);
	output(HOST_1, 6);
	assert_int_equal(n_sent, 7);
}

static void test_sender_is_packets_source(void **state)
{
	output_from(workers[0], OUR_0, HOST_1, 60, 0);
	settle();
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_sip, OUR_0);
	output(HOST_1, 0);
	pass_ms(1040);
	assert_int_equal(arp_of(&sent[1])->arp_data.arp_sip, OUR_1);
	link_2.conf.arp_announce = 1;
	output_from(workers[0], OUR_0, HOST_1, 60, 0);
	pass_ms(1040);
	assert_int_equal(arp_of(&sent[2])->arp_data.arp_sip, OUR_1);
}

static void test_failure(void **state)
{
	uint64_t at_ns[4] = {clock_now_ns()};

	for (uint32_t i = 1; i <= 3; i++) {
		output(HOST_1, i);
		at_ns[i] = fires_ns(at_ns[i - 1], 1000);
	}
	pass_until(at_ns[3] - 1);
	assert_int_equal(state_of(HOST_1), NUD_INCOMPLETE);
	assert_int_equal(n_sent, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(sent[i].at_ns, at_ns[i]);
	assert_int_equal(n_failed, 0);
	pass_until(at_ns[3]);
	assert_int_equal(state_of(HOST_1), NUD_FAILED);
	assert_int_equal(n_failed, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(failed[i], i + 1);
	assert_int_equal(neigh_held(), 0);

	/* no negative cache */
	output(HOST_1, 4);
	settle();
	assert_int_equal(state_of(HOST_1), NUD_INCOMPLETE);
	assert_int_equal(n_sent, 4);
}

/* An ICMP error that needs the failed neighbour itself ends the reports and asks again. */
static void test_failure_reports_to_itself(void **state)
{
	uint64_t dropped = drops(DROP_NEIGH_FAILED);

	error_goes_to = HOST_1;
	for (uint32_t i = 1; i <= 3; i++)
		output(HOST_1, i);
	pass_ms(3120);
	assert_int_equal(n_failed, 1);
	assert_int_equal(drops(DROP_NEIGH_FAILED) - dropped, 4);
	assert_int_equal(neigh_held(), 0);
	assert_int_equal(state_of(HOST_1), NUD_INCOMPLETE);
	assert_int_equal(n_sent, 4);
}

static void test_no_probes_at_all(void **state)
{
	uint64_t dropped = drops(DROP_NEIGH_FAILED);

	set("net.ipv4.neigh.p1.mcast_solicit", "0");
	output(HOST_1, 1);
	settle();
	assert_int_equal(state_of(HOST_1), NUD_FAILED);
	assert_int_equal(n_failed, 0);
	assert_int_equal(drops(DROP_NEIGH_FAILED) - dropped, 1);
	set("net.ipv4.neigh.p1.mcast_solicit", "3");
}

/* ---- tests: states ---- */

static void test_stale_delay_probe_fail(void **state)
{
	uint64_t at_ns[4];

	resolve(HOST_1);
	pass_ms(14990);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	output(HOST_1, 0);
	pass_ms(52000 - 14990);
	assert_int_equal(state_of(HOST_1), NUD_STALE);
	n_sent = 0;

	at_ns[0] = fires_ns(clock_now_ns(), 5000);
	for (unsigned int i = 1; i < 4; i++)
		at_ns[i] = fires_ns(at_ns[i - 1], 1000);
	output(HOST_1, 1);
	assert_int_equal(n_sent, 1);
	settle();
	assert_int_equal(state_of(HOST_1), NUD_DELAY);
	pass_until(at_ns[0] - 1);
	assert_int_equal(n_sent, 1);
	pass_until(at_ns[0]);
	assert_int_equal(state_of(HOST_1), NUD_PROBE);
	output(HOST_1, 2);
	pass_until(at_ns[3] - 1);
	assert_int_equal(n_sent, 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_true(to_mac(&sent[i], &mac_a));
	assert_int_equal(sent[1].at_ns, at_ns[0]);
	assert_int_equal(arp_of(&sent[1])->arp_data.arp_sip, OUR_1);
	assert_int_equal(mark_of(&sent[2]), 2);
	assert_int_equal(sent[3].at_ns, at_ns[1]);
	assert_int_equal(sent[4].at_ns, at_ns[2]);
	pass_until(at_ns[3]);
	assert_int_equal(state_of(HOST_1), NUD_FAILED);
	output(HOST_1, 3);
	assert_int_equal(neigh_held(), 1);
}

static void test_probe_answered(void **state)
{
	resolve(HOST_1);
	pass_ms(52000);
	output(HOST_1, 1);
	pass_ms(6500);
	assert_int_equal(state_of(HOST_1), NUD_PROBE);
	reply_from(HOST_1, &mac_a);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
}

/* A reply that is not believed still confirms. */
static void test_delay_confirmed(void **state)
{
	resolve(HOST_1);
	pass_ms(52000);
	set("net.ipv4.neigh.p1.locktime", "1000");
	output(HOST_1, 1);
	pass_ms(1000);
	reply_from(HOST_1, &mac_b);
	assert_int_equal(state_of(HOST_1), NUD_DELAY);
	pass_ms(4600);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	output(HOST_1, 2);
	assert_true(to_mac(&sent[n_sent - 1], &mac_a));
	set("net.ipv4.neigh.p1.locktime", "100");
}

static void test_used_told_once(void **state)
{
	resolve(HOST_1);
	pass_ms(52000);
	for (uint32_t i = 0; i < 10; i++)
		output(HOST_1, i);
	assert_int_equal(message_poll_control(), 1);
}

/* ---- tests: held packets ---- */

static void queue_keeps(uint16_t ip_bytes, unsigned int kept)
{
	uint64_t dropped = drops(DROP_NEIGH_QUEUEFULL);
	unsigned int n = kept + 40;

	for (uint32_t i = 0; i < n; i++)
		output_from(workers[0], HOST_0, HOST_1, ip_bytes, i);
	assert_int_equal(neigh_held(), kept);
	assert_int_equal(drops(DROP_NEIGH_QUEUEFULL) - dropped, 40);
	settle();
	n_sent = 0;
	reply_from(HOST_1, &mac_a);
	assert_int_equal(n_sent, kept);
	for (unsigned int i = 0; i < kept; i++)
		assert_int_equal(mark_of(&sent[i]), 40 + i);
	assert_int_equal(neigh_del(&link_2, HOST_1, NULL), 0);
}

/* What has become too large for the link is dropped, and said to be, unless its route allows it. */
static void test_mtu_goes_down_meanwhile(void **state)
{
	uint64_t dropped = drops(DROP_TX_INVALID);
	uint16_t mtu = link_2.mtu;

	for (unsigned int larger = 0; larger < 2; larger++) {
		for (uint32_t i = 0; i < 3; i++)
			output_from(workers[0], HOST_0, HOST_1, (uint16_t)(900 + 100 * i), i);
		settle();
		n_sent = 0;
		link_2.mtu = 1000;
		nexthops[0].mtu = larger ? 1100 : 0;
		reply_from(HOST_1, &mac_a);
		assert_int_equal(n_sent, 2 + larger);
		assert_int_equal(drops(DROP_TX_INVALID) - dropped, 1);
		link_2.mtu = mtu;
		assert_int_equal(neigh_del(&link_2, HOST_1, NULL), 0);
	}
	nexthops[0].mtu = 0;
}

/* As many as Linux keeps: frames of 60, 240, 241, 688, 689, 1314, 1514 bytes. */
static void test_queue_limit(void **state)
{
	queue_keeps(46, 256);
	queue_keeps(226, 256);
	queue_keeps(227, 166);
	queue_keeps(674, 166);
	queue_keeps(675, 92);
	queue_keeps(1300, 92);
	queue_keeps(1500, 92);
}

static void test_queue_holds_one_always(void **state)
{
	set("net.ipv4.neigh.p1.unres_qlen_bytes", "0");
	output(HOST_1, 1);
	output(HOST_1, 2);
	assert_int_equal(neigh_held(), 1);
	settle();
	reply_from(HOST_1, &mac_a);
	assert_int_equal(mark_of(&sent[n_sent - 1]), 2);
	set("net.ipv4.neigh.p1.unres_qlen_bytes", "212992");
}

static void test_bounds_of_a_worker(void **state)
{
	uint64_t full = drops(DROP_NEIGH_QUEUEFULL), refused = drops(DROP_NEIGH_CREATEFAIL);

	set("net.millrace.neigh_waiting_max", "2");
	set("net.millrace.neigh_held_max", "3");
	output(IP(10, 0, 1, 11), 1);
	output(IP(10, 0, 1, 12), 2);
	output(IP(10, 0, 1, 13), 3);
	assert_int_equal(drops(DROP_NEIGH_CREATEFAIL) - refused, 1);
	output(IP(10, 0, 1, 12), 4);
	output(IP(10, 0, 1, 12), 5);
	output(IP(10, 0, 1, 13), 6);
	assert_int_equal(drops(DROP_NEIGH_QUEUEFULL) - full, 2);
	assert_int_equal(neigh_held(), 3);
	set("net.millrace.neigh_waiting_max", "1024");
	set("net.millrace.neigh_held_max", "0");
}

/* However many addresses are asked for, most of the pool stays for receiving. */
static void test_a_quarter_of_the_pool(void **state)
{
	unsigned int share = packet_pool(SOCKET_ID_ANY)->size / 4 / workers_count;

	set("net.millrace.neigh_waiting_max", "4096");
	for (unsigned int i = 0; i < share + 10; i++)
		output(IP(10, 0, 1, 0) + rte_cpu_to_be_32(2 + i % 200), i);
	assert_int_equal(neigh_held(), share);
	set("net.millrace.neigh_waiting_max", "1024");
}

/* The word is valid before the worker has its message: what waits goes first. */
static void test_order_before_message(void **state)
{
	output(HOST_1, 1);
	output(HOST_1, 2);
	message_poll_control();
	n_sent = 0;
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_PERMANENT, true, NULL), 0);
	assert_int_equal(neigh_held(), 2);
	output(HOST_1, 3);
	assert_int_equal(neigh_held(), 0);
	assert_int_equal(n_sent, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(mark_of(&sent[i]), i + 1);
}

/* Resolved and lost again before the message is read: the worker asks again. */
static void test_lost_before_message(void **state)
{
	output(HOST_1, 1);
	message_poll_control();
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_STALE, true, NULL), 0);
	assert_int_equal(neigh_del(&link_2, HOST_1, NULL), 0);
	settle();
	assert_int_equal(neigh_held(), 1);
	assert_int_equal(state_of(HOST_1), NUD_INCOMPLETE);
	reply_from(HOST_1, &mac_a);
	assert_int_equal(neigh_held(), 0);
}

static void test_two_workers(void **state)
{
	output_from(workers[0], HOST_0, HOST_1, 60, 1);
	output_from(workers[1], HOST_0, HOST_1, 60, 2);
	settle();
	assert_int_equal(n_sent, 1);
	reply_from(HOST_1, &mac_a);
	assert_int_equal(n_sent, 3);
	assert_int_equal(sent[1].worker, 0);
	assert_int_equal(sent[2].worker, 1);
	n_sent = 0;

	output_from(workers[0], HOST_0, IP(10, 0, 1, 9), 60, 3);
	output_from(workers[1], HOST_0, IP(10, 0, 1, 9), 60, 4);
	pass_ms(3120);
	assert_int_equal(n_failed, 2);
}

static void test_control_ring_full(void **state)
{
	struct message noise = {.kind = MSG_NEIGH_USED, .link = 1};
	uint64_t dropped = drops(DROP_CONTROL_QUEUE_FULL);

	resolve(HOST_1);
	pass_ms(52000);
	while (message_to_control(workers[0], &noise))
		;
	output(IP(10, 0, 1, 9), 1);
	assert_int_equal(drops(DROP_CONTROL_QUEUE_FULL) - dropped, 1);
	assert_int_equal(neigh_held(), 0);
	output(HOST_1, 2);
	settle();
	assert_int_equal(state_of(HOST_1), NUD_STALE);
	output(HOST_1, 3);
	settle();
	assert_int_equal(state_of(HOST_1), NUD_DELAY);
}

/* An answer for which there is no room is given later, even if the entry has gone by then. */
static void test_worker_ring_full(void **state)
{
	struct message noise = {.kind = MSG_NEIGH_DROP, .link = 1};

	output(HOST_1, 1);
	output(IP(10, 0, 1, 9), 2);
	message_poll_control();
	message_poll_worker(workers[0]);
	while (message_to_worker(0, &noise))
		;
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_PERMANENT, true, NULL), 0);
	assert_int_equal(neigh_del(&link_2, IP(10, 0, 1, 9), NULL), 0);
	assert_int_equal(neigh_held(), 2);
	n_sent = 0;
	message_poll_worker(workers[0]);
	assert_int_equal(neigh_held(), 2);
	pass_ms(1);
	assert_int_equal(neigh_held(), 0);
	assert_int_equal(n_sent, 1);
	assert_int_equal(n_failed, 1);
}

static bool known(void)
{
	return neigh_mac(link_2.id, HOST_1) != NEIGH_MAC_NONE;
}

/* A worker may go on in a turn that it began before the address was known. Until it has looked at
 * its messages since, nobody is given the address who would not see that packets wait. */
static void test_not_before_those_that_wait(void **state)
{
	struct message noise = {.kind = MSG_NEIGH_DROP, .link = 1};

	rcu_online(0);
	output(HOST_1, 1);
	message_poll_control();
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_PERMANENT, true, NULL), 0);
	rcu_poll();
	assert_false(known());
	assert_int_equal(neigh_held(), 1);
	rcu_quiescent(0);
	message_poll_worker(workers[0]);
	assert_int_equal(neigh_held(), 0);
	rcu_poll();
	assert_true(known());
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_b, NUD_PERMANENT, true, NULL), 0);
	assert_true(known());

	/* nobody has asked, but somebody might be about to; and the ring is full */
	assert_int_equal(neigh_del(&link_2, HOST_1, NULL), 0);
	message_poll_worker(workers[0]);
	output(HOST_1, 2);
	while (message_to_worker(0, &noise))
		;
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_PERMANENT, true, NULL), 0);
	rcu_quiescent(0);
	rcu_poll();
	assert_false(known());
	message_poll_worker(workers[0]);
	assert_int_equal(neigh_held(), 1);
	clock_set(clock_now_ns() + NSEC_PER_MSEC);
	timers_run(clock_now_ns());
	rcu_poll();
	assert_false(known());
	rcu_quiescent(0);
	message_poll_worker(workers[0]);
	assert_int_equal(neigh_held(), 0);
	rcu_poll();
	assert_true(known());
	rcu_offline(0);
	settle();
}

/* ---- tests: the table ---- */

static void test_table_full(void **state)
{
	uint64_t refused = drops(DROP_NEIGH_CREATEFAIL), flushed = drops(DROP_NEIGH_FLUSHED);

	set("net.ipv4.neigh.default.gc_thresh2", "4");
	set("net.ipv4.neigh.default.gc_thresh3", "8");
	for (uint32_t i = 10; i < 20; i++) {
		output(rte_cpu_to_be_32(0x0a000100 + i), i);
		settle();
	}
	assert_int_equal(entries(), 8);
	assert_int_equal(drops(DROP_NEIGH_CREATEFAIL) - refused, 2);
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_STALE, false, NULL), -ENOBUFS);
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_PERMANENT, false, NULL), 0);
	pass_ms(3120);
	/* failed ones make room, down to gc_thresh2 */
	output(IP(10, 0, 1, 30), 0);
	settle();
	assert_int_equal(entries(), 5);
	assert_int_equal(drops(DROP_NEIGH_FLUSHED), flushed);
	set("net.ipv4.neigh.default.gc_thresh2", "512");
	set("net.ipv4.neigh.default.gc_thresh3", "1024");
}

/* What has just changed stays five seconds; that nothing could go is not remembered for longer. */
static void test_table_full_of_stale(void **state)
{
	unsigned int before = entries();

	set("net.ipv4.neigh.default.gc_thresh2", "4");
	set("net.ipv4.neigh.default.gc_thresh3", "8");
	for (unsigned int i = before; i < 8; i++) {
		assert_int_equal(neigh_add(&link_2, IP(10, 0, 1, 40 + i), &mac_a, NUD_STALE, false,
					   NULL), 0);
		pass_ms(100);
	}
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_STALE, false, NULL),
				 -ENOBUFS);
	pass_ms(5000 - 100 * (8 - before));
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_STALE, false, NULL), -ENOBUFS);
	pass_ms(1);
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_STALE, false, NULL), 0);
	assert_int_equal(entries(), 8);
	assert_null(neigh_lookup(link_2.id, IP(10, 0, 1, 40 + before)));
	pass_ms(5001);
	assert_int_equal(neigh_add(&link_2, IP(10, 0, 1, 99), &mac_a, NUD_STALE, false, NULL), 0);
	assert_int_equal(entries(), 4);
	set("net.ipv4.neigh.default.gc_thresh2", "512");
	set("net.ipv4.neigh.default.gc_thresh3", "1024");
}

static void test_periodic_gc(void **state)
{
	resolve(HOST_1);
	pass_ms(150000);
	assert_int_equal(state_of(HOST_1), NUD_STALE);
	set("net.ipv4.neigh.default.gc_thresh1", "1");
	pass_ms(15001);
	assert_int_equal(entries(), 0);
	set("net.ipv4.neigh.default.gc_thresh1", "128");
}

static void test_many_entries(void **state)
{
	set("net.ipv4.neigh.default.gc_thresh2", "100000");
	set("net.ipv4.neigh.default.gc_thresh3", "100000");
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(neigh_add(&link_2, rte_cpu_to_be_32(0x0b000000 + i), &mac_a,
					   NUD_STALE, false, NULL), 0);
	assert_int_equal(entries(), 5000);
	for (uint32_t i = 0; i < 5000; i += 100)
		output(rte_cpu_to_be_32(0x0b000000 + i), i);
	assert_int_equal(n_sent, 50);
	assert_int_equal(neigh_flush(&link_1, NULL, NULL), 0);
	assert_int_equal(neigh_flush(NULL, NULL, NULL), 5000);
	set("net.ipv4.neigh.default.gc_thresh2", "512");
	set("net.ipv4.neigh.default.gc_thresh3", "1024");
}

/* A worker that looks into the table of before a growth finds what it did, and what leaves the
 * table is gone from the new one; only then does the table grow again. */
static void test_none_missed_in_growth(void **state)
{
	const struct neigh_buckets *before = neigh_buckets, *after;
	unsigned int bits = before->bits;
	uint32_t n = 0;

	set("net.ipv4.neigh.default.gc_thresh2", "100000");
	set("net.ipv4.neigh.default.gc_thresh3", "100000");
	rcu_online(0);
	for (; neigh_buckets == before; n++)
		assert_int_equal(neigh_add(&link_2, rte_cpu_to_be_32(0x0b000000 + n), &mac_a,
					   NUD_STALE, false, NULL), 0);
	after = neigh_buckets;
	assert_int_equal(after->bits, bits + 1);
	for (uint32_t i = 0; i < n; i++) {
		rte_be32_t addr = rte_cpu_to_be_32(0x0b000000 + i);

		if (i < n - 1) /* the last one came after the growth */
			assert_non_null(neigh_lookup_in(before, link_2.id, addr));
		assert_non_null(neigh_lookup(link_2.id, addr));
	}
	assert_int_equal(neigh_del(&link_2, RTE_BE32(0x0b000000), NULL), 0);
	assert_null(neigh_lookup(link_2.id, RTE_BE32(0x0b000000)));
	for (uint32_t i = n; i < 2 * n + 2; i++)
		neigh_add(&link_2, rte_cpu_to_be_32(0x0b000000 + i), &mac_a, NUD_STALE, false,
			  NULL);
	assert_ptr_equal(neigh_buckets, after);
	rcu_quiescent(0);
	rcu_poll();
	assert_int_equal(neigh_add(&link_2, RTE_BE32(0x0c000000), &mac_a, NUD_STALE, false, NULL),
			 0);
	assert_int_equal(neigh_buckets->bits, bits + 2);
	rcu_offline(0);
	assert_int_equal(neigh_flush(NULL, NULL, NULL), 2 * n + 2);
	set("net.ipv4.neigh.default.gc_thresh2", "512");
	set("net.ipv4.neigh.default.gc_thresh3", "1024");
}

static void test_operator(void **state)
{
	struct error err;

	assert_int_equal(neigh_del(&link_2, HOST_1, &err), -ENOENT);
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_a, NUD_PERMANENT, false, &err), 0);
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_b, NUD_PERMANENT, false, &err), -EEXIST);
	reply_from(HOST_1, &mac_b);
	output(HOST_1, 1);
	assert_true(to_mac(&sent[0], &mac_a));
	assert_int_equal(neigh_flush(NULL, NULL, NULL), 0);
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_b, NUD_STALE, true, &err), 0);
	output(HOST_1, 1);
	assert_true(to_mac(&sent[1], &mac_b));
	settle();
	assert_int_equal(state_of(HOST_1), NUD_DELAY);
	assert_int_equal(neigh_flush(NULL, NULL, NULL), 1);
	assert_string_equal(neigh_state_name(NUD_DELAY), "DELAY");
}

/* Whoever waits for what the operator removes is told as if it had failed. */
static void test_delete_incomplete(void **state)
{
	output(HOST_1, 1);
	settle();
	assert_int_equal(neigh_del(&link_2, HOST_1, NULL), 0);
	settle();
	assert_int_equal(n_failed, 1);
}

static void test_link_events(void **state)
{
	uint64_t flushed = drops(DROP_NEIGH_FLUSHED);
	uint64_t down = drops(DROP_LINK_DOWN);

	resolve(HOST_1);
	assert_int_equal(neigh_add(&link_2, HOST_2, &mac_a, NUD_PERMANENT, false, NULL), 0);
	output(IP(10, 0, 1, 9), 1);
	settle();
	notify(LINK_CARRIER_OFF, &link_2, NULL);
	settle();
	assert_int_equal(entries(), 1);
	assert_int_equal(drops(DROP_NEIGH_FLUSHED) - flushed, 1);
	assert_int_equal(n_failed, 0);
	notify(LINK_ADDRESS, &link_2, NULL);
	assert_int_equal(entries(), 0);

	output(IP(10, 0, 1, 9), 1);
	link_2.up = false;
	settle();
	assert_int_equal(drops(DROP_LINK_DOWN) - down, 1);
}

static void test_arp_notify(void **state)
{
	notify(LINK_UP, &link_2, NULL);
	settle();
	assert_int_equal(n_sent, 0);
	link_2.conf.arp_notify = 1;
	notify(LINK_UP, &link_2, NULL);
	settle();
	assert_int_equal(n_sent, 1);
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_sip, OUR_1);
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_tip, OUR_1);
}

static void test_settings(void **state)
{
	set("net.ipv4.neigh.p0.retrans_time_ms", "300");
	set("net.ipv4.neigh.default.retrans_time_ms", "200");
	assert_int_equal(*sysctl_find("net.ipv4.neigh.p0.retrans_time_ms")->value, 300);
	assert_int_equal(*sysctl_find("net.ipv4.neigh.p1.retrans_time_ms")->value, 200);
	set("net.ipv4.neigh.default.retrans_time_ms", "1000");
	set("net.ipv4.neigh.p0.retrans_time_ms", "1000");
	notify(LINK_DELETED, &link_1, NULL);
	assert_null(sysctl_find("net.ipv4.neigh.p0.retrans_time_ms"));
	notify(LINK_ADDED, &link_1, NULL);
	assert_non_null(sysctl_find("net.ipv4.neigh.p0.retrans_time_ms"));
}

static void test_broadcast_by_nature(void **state)
{
	neigh_output(workers[0], packet_new(workers[0], OUR_0, 60, 1), &link_1, IP(10, 0, 0, 255));
	settle();
	assert_int_equal(n_sent, 1);
	assert_true(to_mac(&sent[0], &mac_all));
	neigh_output_to(workers[0], packet_new(workers[0], OUR_0, 60, 1), &link_1, &mac_b);
	assert_true(to_mac(&sent[1], &mac_b));
}

/* Buffers for large frames are fewer, and may be what a receive queue is filled from. */
static void test_a_quarter_of_the_smallest_pool(void **state)
{
	const struct rte_mempool *large;

	assert_int_equal(packet_pool_share(), packet_pool(SOCKET_ID_ANY)->size / 4);
	large = packet_pool_holding(SOCKET_ID_ANY, 9000);
	assert_non_null(large);
	assert_true(large->size < packet_pool(SOCKET_ID_ANY)->size);
	assert_int_equal(packet_pool_share(), large->size / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(resolve), TEST(sender_is_packets_source), TEST(failure),
		TEST(failure_reports_to_itself), TEST(no_probes_at_all),
		TEST(stale_delay_probe_fail), TEST(probe_answered), TEST(delay_confirmed),
		TEST(used_told_once), TEST(mtu_goes_down_meanwhile),
		TEST(queue_limit), TEST(queue_holds_one_always),
		TEST(bounds_of_a_worker), TEST(a_quarter_of_the_pool),
		TEST(order_before_message), TEST(lost_before_message),
		TEST(two_workers), TEST(control_ring_full), TEST(worker_ring_full),
		TEST(not_before_those_that_wait),
		TEST(table_full), TEST(table_full_of_stale), TEST(periodic_gc),
		TEST(many_entries),
		TEST(none_missed_in_growth), TEST(operator),
		TEST(delete_incomplete), TEST(link_events), TEST(arp_notify), TEST(settings),
		TEST(broadcast_by_nature), TEST(a_quarter_of_the_smallest_pool),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
