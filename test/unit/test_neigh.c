/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/neigh on a clock that the test moves: every state and timer of rule I, the queues of held
 * packets, ARP input, two workers, full rings.
 *
 * Links and routes are stand-ins made here: two links with an address each, and a FIB that knows
 * their subnets. What the code under test sends ends up in sent[], with the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_arp.h>
#include <rte_eal.h>

#include "core/clock.h"
#include "core/message.h"
#include "core/rcu.h"
#include "core/sysctl.h"
#include "core/timer.h"
#include "neigh/neigh.h"
#include "packet/packet.h"
#include "route/route.h"

#define SENT_MAX 2048
#define START_NS (1700000000 * NSEC_PER_SEC)
#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

#define OUR_0 IP(10, 0, 0, 1)
#define OUR_1 IP(10, 0, 1, 1)
#define HOST_0 IP(10, 0, 0, 2)
#define HOST_1 IP(10, 0, 1, 2)
#define HOST_2 IP(10, 0, 1, 8)

/* ---- stand-ins for lib/link ---- */

struct link *links[LINKS_MAX];
struct link_conf link_conf_all, link_conf_default;

static struct link lo = {.id = LINK_LO, .name = "lo", .up = true};
static struct link link_1 = {.id = 1, .name = "p0", .mac = {{2, 0, 0, 0, 0, 1}}};
static struct link link_2 = {.id = 2, .name = "p1", .mac = {{2, 0, 0, 0, 0, 2}}};
static link_notifier_fn notify;

struct sent {
	uint64_t at_ns;
	unsigned int worker, link, len;
	uint8_t frame[128];
};

static struct sent sent[SENT_MAX];
static unsigned int n_sent;

void link_notifier_register(link_notifier_fn fn)
{
	notify = fn;
}

void link_xmit(struct worker *w, struct link *l, struct rte_mbuf *m)
{
	struct sent *s = &sent[n_sent++];

	assert_true(n_sent <= SENT_MAX);
	*s = (struct sent){.at_ns = clock_now_ns(), .worker = w->id, .link = l->id,
			   .len = m->pkt_len};
	packet_read(m, 0, RTE_MIN(m->pkt_len, sizeof(s->frame)), s->frame);
	w->counters->transmitted++;
	rte_pktmbuf_free(m);
}

rte_be32_t addr_select(const struct link *l, rte_be32_t dst, unsigned int scope)
{
	return l->addrs->n ? l->addrs->a[0].local : 0;
}

struct link *addr_owner(rte_be32_t addr)
{
	if (addr == OUR_0)
		return &link_1;
	return addr == OUR_1 ? &link_2 : NULL;
}

static void on_xmit(struct worker *w, const struct message *msg)
{
	link_xmit(w, link_get(msg->link), msg->mbuf);
}

static struct link_addrs *one_address(rte_be32_t local)
{
	struct link_addrs *list = calloc(1, sizeof(*list) + sizeof(list->a[0]));

	list->n = 1;
	list->a[0] = (struct link_addr){.local = local, .len = 24};
	return list;
}

/* ---- stand-ins for lib/route ---- */

struct fib *route_fib;
static struct nexthop routes[] = {
	[0] = {.type = ROUTE_NONE},
	[1] = {.type = ROUTE_LOCAL},
	[2] = {.type = ROUTE_UNICAST, .link = 1},
	[3] = {.type = ROUTE_UNICAST, .link = 2},
	[4] = {.type = ROUTE_BROADCAST, .link = 1},
};
struct nexthop *nexthops = routes;

uint16_t fib_lookup(const struct fib *fib, uint32_t addr)
{
	rte_be32_t be = rte_cpu_to_be_32(addr);

	if (be == OUR_0 || be == OUR_1)
		return 1;
	if (be == IP(10, 0, 0, 255))
		return 4;
	if (addr >> 8 == 0x0a0000)
		return 2;
	return addr >> 8 == 0x0a0001 ? 3 : 0;
}

struct rule_set *route_rules;
bool route_custom_local;

uint32_t route_lookup_rules(struct route_flow f)
{
	return 0;
}

uint32_t route_lookup_open(struct route_flow f)
{
	return fib_lookup(route_fib, rte_be_to_cpu_32(f.dst));
}

const struct nexthop *route_lookup_local_open(rte_be32_t addr)
{
	return nexthop_get(fib_lookup(route_fib, rte_be_to_cpu_32(addr)));
}

bool nexthop_over(uint32_t index, unsigned int link)
{
	return nexthop_get(index)->link == link;
}

/* ---- moving time and messages ---- */

static void settle(void)
{
	unsigned int busy;

	do {
		busy = message_poll_control();
		for (unsigned int i = 0; i < workers_count; i++)
			busy += message_poll_worker(workers[i]);
		busy += timers_run(clock_now_ns());
	} while (busy);
	rcu_poll();
}

/* Pass time, stopping at every timer. */
static void pass_ms(uint64_t ms)
{
	uint64_t end_ns = clock_now_ns() + ms * NSEC_PER_MSEC;

	settle();
	while (timers_next_ns() <= end_ns) {
		clock_set(timers_next_ns());
		settle();
	}
	clock_set(end_ns);
	settle();
}

static uint64_t ms_since(uint64_t start_ns, const struct sent *s)
{
	return (s->at_ns - start_ns) / NSEC_PER_MSEC;
}

static void set(const char *name, const char *value)
{
	struct error err;

	assert_int_equal(sysctl_set(name, value, &err), 0);
}

/* ---- packets ---- */

static struct rte_mbuf *packet_new(struct worker *w, rte_be32_t src, uint16_t ip_bytes,
				   uint32_t mark)
{
	struct rte_mbuf *m = packet_alloc(w);
	struct rte_ipv4_hdr *ip;

	assert_non_null(m);
	ip = (struct rte_ipv4_hdr *)rte_pktmbuf_append(m, ip_bytes);
	memset(ip, 0, ip_bytes);
	ip->src_addr = src;
	ip->packet_id = (rte_be16_t)mark;
	return m;
}

static void output_from(struct worker *w, rte_be32_t src, rte_be32_t to, uint16_t ip_bytes,
			uint32_t mark)
{
	neigh_output(w, packet_new(w, src, ip_bytes, mark), &link_2, to);
}

static void output(rte_be32_t to, uint32_t mark)
{
	output_from(workers[0], HOST_0, to, 60, mark);
}

static uint16_t mark_of(const struct sent *s)
{
	const struct rte_ipv4_hdr *ip = (const void *)(s->frame + RTE_ETHER_HDR_LEN);

	return ip->packet_id;
}

static const struct rte_arp_hdr *arp_of(const struct sent *s)
{
	const struct rte_ether_hdr *eth = (const void *)s->frame;

	assert_int_equal(eth->ether_type, RTE_BE16(RTE_ETHER_TYPE_ARP));
	assert_int_equal(s->len, 42);
	return (const void *)(s->frame + RTE_ETHER_HDR_LEN);
}

static const struct rte_ether_addr mac_a = {{6, 0, 0, 0, 0, 0xa}}, mac_b = {{6, 0, 0, 0, 0, 0xb}};
static const struct rte_ether_addr mac_zero, mac_all = {{255, 255, 255, 255, 255, 255}};

static bool to_mac(const struct sent *s, const struct rte_ether_addr *mac)
{
	const struct rte_ether_hdr *eth = (const void *)s->frame;

	return rte_is_same_ether_addr(&eth->dst_addr, mac);
}

struct arp_in {
	const struct link *link;
	uint16_t op;
	enum packet_type type;
	rte_be32_t sip, tip;
	const struct rte_ether_addr *sha, *tha;
};

static void arp_in(struct arp_in in)
{
	struct rte_mbuf *m = packet_alloc(workers[0]);
	struct message msg = {.kind = MSG_ARP_INPUT, .mbuf = m,
			      .link = in.link ? in.link->id : link_2.id};
	struct rte_arp_hdr *h;

	assert_non_null(m);
	h = (struct rte_arp_hdr *)rte_pktmbuf_append(m, 46);
	*h = (struct rte_arp_hdr){
		.arp_hardware = RTE_BE16(1), .arp_protocol = RTE_BE16(0x0800), .arp_hlen = 6,
		.arp_plen = 4, .arp_opcode = rte_cpu_to_be_16(in.op),
		.arp_data = {.arp_sha = in.sha ? *in.sha : mac_a, .arp_sip = in.sip,
			     .arp_tha = in.tha ? *in.tha : mac_zero, .arp_tip = in.tip},
	};
	packet_of(m)->type = in.type;
	assert_true(message_to_control(workers[0], &msg));
	settle();
}

static void reply_from(rte_be32_t addr, const struct rte_ether_addr *mac)
{
	arp_in((struct arp_in){.op = 2, .sip = addr, .tip = OUR_1, .sha = mac});
}

/* ---- looking at entries ---- */

struct wanted {
	rte_be32_t addr;
	struct neigh_info info;
};

static int pick(const struct neigh_info *n, void *arg)
{
	struct wanted *w = arg;

	if (n->addr == w->addr)
		w->info = *n;
	return 0;
}

static unsigned int state_of(rte_be32_t addr)
{
	struct wanted w = {.addr = addr, .info = {.state = 0xff}};

	assert_int_equal(neigh_foreach(NULL, pick, &w), 0);
	return w.info.state;
}

static int tally(const struct neigh_info *n, void *arg)
{
	(*(unsigned int *)arg)++;
	return 0;
}

static unsigned int entries(void)
{
	unsigned int n = 0;

	neigh_foreach(NULL, tally, &n);
	return n;
}

static uint64_t drops(enum drop_reason reason)
{
	struct counters sum;

	counters_sum(&sum);
	return sum.drop[reason];
}

/* ---- ICMP errors ---- */

static uint16_t failed[SENT_MAX];
static unsigned int n_failed;
static rte_be32_t error_goes_to;

static void on_error(struct worker *w, struct rte_mbuf *m)
{
	failed[n_failed++] = packet_ip(m)->packet_id;
	packet_drop(w, m, DROP_NEIGH_FAILED);
	if (error_goes_to)
		output_from(w, OUR_1, error_goes_to, 60, 99);
}

/* ---- set up ---- */

static struct counters before;
static unsigned int free_mbufs;

static int setup(void **state)
{
	memset(&link_1.conf, 0, sizeof(link_1.conf));
	memset(&link_conf_all, 0, sizeof(link_conf_all));
	link_1.conf.forwarding = 1;
	link_1.conf.send_redirects = 1;
	link_1.conf.arp_evict_nocarrier = 1;
	link_conf_all.arp_evict_nocarrier = 1;
	link_2.conf = link_1.conf;
	link_1.up = link_2.up = true;
	neigh_error = on_error;
	error_goes_to = 0;
	n_sent = n_failed = 0;
	counters_sum(&before);
	free_mbufs = rte_mempool_avail_count(packet_pool(0));
	return 0;
}

/* Every test leaves an empty table, nothing held, no buffer lost and a balanced account. */
static int teardown(void **state)
{
	struct counters sum;

	settle();
	notify(LINK_DOWN, &link_1, NULL);
	notify(LINK_DOWN, &link_2, NULL);
	pass_ms(10000);
	assert_int_equal(entries(), 0);
	assert_int_equal(neigh_held(), 0);
	for (unsigned int i = 0; i < workers_count; i++)
		packet_free_spent(workers[i]);
	assert_int_equal(rte_mempool_avail_count(packet_pool(0)), free_mbufs);
	counters_sum(&sum);
	sum.transmitted += sum.delivered;
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		sum.transmitted += sum.drop[i];
	assert_int_equal(sum.originated, sum.transmitted);
	return 0;
}

static void resolve(rte_be32_t addr)
{
	output(addr, 0);
	settle();
	reply_from(addr, &mac_a);
	assert_int_equal(state_of(addr), NUD_REACHABLE);
	n_sent = 0;
}

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
	pass_ms(1000);
	assert_int_equal(arp_of(&sent[1])->arp_data.arp_sip, OUR_1);
	link_2.conf.arp_announce = 1;
	output_from(workers[0], OUR_0, HOST_1, 60, 0);
	pass_ms(1000);
	assert_int_equal(arp_of(&sent[2])->arp_data.arp_sip, OUR_1);
}

static void test_failure(void **state)
{
	uint64_t start_ns = clock_now_ns();

	for (uint32_t i = 1; i <= 3; i++)
		output(HOST_1, i);
	pass_ms(2999);
	assert_int_equal(state_of(HOST_1), NUD_INCOMPLETE);
	assert_int_equal(n_sent, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(ms_since(start_ns, &sent[i]), 1000 * i);
	assert_int_equal(n_failed, 0);
	pass_ms(1);
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
	pass_ms(3000);
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
	uint64_t start_ns;

	resolve(HOST_1);
	pass_ms(14990);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	output(HOST_1, 0);
	pass_ms(45000 - 14990);
	assert_int_equal(state_of(HOST_1), NUD_STALE);
	n_sent = 0;

	start_ns = clock_now_ns();
	output(HOST_1, 1);
	assert_int_equal(n_sent, 1);
	settle();
	assert_int_equal(state_of(HOST_1), NUD_DELAY);
	pass_ms(4999);
	assert_int_equal(n_sent, 1);
	pass_ms(1);
	assert_int_equal(state_of(HOST_1), NUD_PROBE);
	output(HOST_1, 2);
	pass_ms(2999);
	assert_int_equal(n_sent, 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_true(to_mac(&sent[i], &mac_a));
	assert_int_equal(ms_since(start_ns, &sent[1]), 5000);
	assert_int_equal(arp_of(&sent[1])->arp_data.arp_sip, OUR_1);
	assert_int_equal(mark_of(&sent[2]), 2);
	assert_int_equal(ms_since(start_ns, &sent[3]), 6000);
	assert_int_equal(ms_since(start_ns, &sent[4]), 7000);
	pass_ms(1);
	assert_int_equal(state_of(HOST_1), NUD_FAILED);
	output(HOST_1, 3);
	assert_int_equal(neigh_held(), 1);
}

static void test_probe_answered(void **state)
{
	resolve(HOST_1);
	pass_ms(45000);
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
	pass_ms(45000);
	set("net.ipv4.neigh.p1.locktime", "1000");
	output(HOST_1, 1);
	pass_ms(1000);
	reply_from(HOST_1, &mac_b);
	assert_int_equal(state_of(HOST_1), NUD_DELAY);
	pass_ms(4000);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	output(HOST_1, 2);
	assert_true(to_mac(&sent[n_sent - 1], &mac_a));
	set("net.ipv4.neigh.p1.locktime", "100");
}

static void test_used_told_once(void **state)
{
	resolve(HOST_1);
	pass_ms(45000);
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
	set("net.millrace.neigh_held_max", "8192");
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
	pass_ms(3000);
	assert_int_equal(n_failed, 2);
}

static void test_control_ring_full(void **state)
{
	struct message noise = {.kind = MSG_NEIGH_USED, .link = 1};
	uint64_t dropped = drops(DROP_CONTROL_QUEUE_FULL);

	resolve(HOST_1);
	pass_ms(45000);
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
	pass_ms(3000);
	/* failed ones make room, down to gc_thresh2 */
	output(IP(10, 0, 1, 30), 0);
	settle();
	assert_int_equal(entries(), 5);
	assert_int_equal(drops(DROP_NEIGH_FLUSHED), flushed);
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
	assert_int_equal(neigh_flush(&link_1), 0);
	assert_int_equal(neigh_flush(NULL), 5000);
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
	assert_int_equal(neigh_flush(NULL), 0);
	assert_int_equal(neigh_add(&link_2, HOST_1, &mac_b, NUD_STALE, true, &err), 0);
	output(HOST_1, 1);
	assert_true(to_mac(&sent[1], &mac_b));
	settle();
	assert_int_equal(state_of(HOST_1), NUD_DELAY);
	assert_int_equal(neigh_flush(NULL), 1);
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

/* ---- tests: ARP input ---- */

static void request(rte_be32_t sip, rte_be32_t tip)
{
	arp_in((struct arp_in){.op = 1, .type = PACKET_BROADCAST, .sip = sip, .tip = tip});
}

static void test_request_answered(void **state)
{
	request(HOST_1, OUR_1);
	assert_int_equal(n_sent, 1);
	assert_true(to_mac(&sent[0], &mac_a));
	assert_int_equal(arp_of(&sent[0])->arp_opcode, RTE_BE16(2));
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_sip, OUR_1);
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_tip, HOST_1);
	assert_true(rte_is_same_ether_addr(&arp_of(&sent[0])->arp_data.arp_tha, &mac_a));
	assert_int_equal(state_of(HOST_1), NUD_STALE);

	/* an address of another link, from a sender off the link's subnet */
	request(IP(10, 0, 0, 77), OUR_0);
	assert_int_equal(n_sent, 2);
	assert_int_equal(state_of(IP(10, 0, 0, 77)), NUD_STALE);
}

static void test_probe_of_address(void **state)
{
	request(0, OUR_1);
	assert_int_equal(n_sent, 1);
	assert_int_equal(entries(), 0);
	request(0, HOST_1);
	assert_int_equal(n_sent, 1);
}

static void test_request_ignored(void **state)
{
	uint64_t ignored = drops(DROP_ARP_IGNORED);

	request(HOST_1, IP(10, 0, 1, 50));      /* not ours */
	request(OUR_0, OUR_1);                  /* from ourselves */
	request(IP(224, 0, 0, 5), OUR_1);
	link_2.conf.arp_ignore = 1;
	request(HOST_1, OUR_0);
	link_2.conf.arp_ignore = 2;
	request(HOST_0, OUR_1);
	link_conf_all.arp_ignore = 8;
	request(HOST_1, OUR_1);
	link_conf_all.arp_ignore = link_2.conf.arp_ignore = 0;
	link_2.conf.arp_filter = 1;
	request(HOST_0, OUR_1);                 /* routed by the other link */
	assert_int_equal(drops(DROP_ARP_IGNORED) - ignored, 7);
	assert_int_equal(n_sent, 0);
	assert_int_equal(entries(), 0);
	link_2.conf.rp_filter = 1;
	link_2.conf.arp_filter = 0;
	request(HOST_0, OUR_1);
	assert_int_equal(n_sent, 0);
	request(HOST_1, OUR_1);
	assert_int_equal(n_sent, 1);
}

static void test_malformed(void **state)
{
	uint64_t bad = drops(DROP_ARP_HDR), other = drops(DROP_OTHERHOST);

	arp_in((struct arp_in){.op = 3, .sip = HOST_1, .tip = OUR_1});
	request(HOST_1, IP(127, 0, 0, 1));
	request(HOST_1, IP(224, 0, 0, 1));
	assert_int_equal(drops(DROP_ARP_HDR) - bad, 3);
	arp_in((struct arp_in){.op = 1, .type = PACKET_OTHERHOST, .sip = HOST_1, .tip = OUR_1});
	assert_int_equal(drops(DROP_OTHERHOST) - other, 1);
	assert_int_equal(n_sent, 0);
}

static void test_locktime(void **state)
{
	resolve(HOST_1);
	pass_ms(900);
	reply_from(HOST_1, &mac_b);
	output(HOST_1, 1);
	assert_true(to_mac(&sent[0], &mac_a));
	/* a request that announces the address is believed at once */
	arp_in((struct arp_in){.op = 1, .type = PACKET_BROADCAST, .sip = HOST_1, .tip = HOST_1,
			       .sha = &mac_b});
	assert_int_equal(state_of(HOST_1), NUD_STALE);
	output(HOST_1, 2);
	assert_true(to_mac(&sent[1], &mac_b));
	pass_ms(1001);
	reply_from(HOST_1, &mac_a);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	output(HOST_1, 3);
	assert_true(to_mac(&sent[2], &mac_a));
	link_2.conf.drop_gratuitous_arp = 1;
	arp_in((struct arp_in){.op = 1, .type = PACKET_BROADCAST, .sip = HOST_1, .tip = HOST_1,
			       .sha = &mac_b});
	output(HOST_1, 4);
	assert_true(to_mac(&sent[3], &mac_a));
}

static void test_heard_again(void **state)
{
	resolve(HOST_1);
	request(HOST_1, OUR_1);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	arp_in((struct arp_in){.op = 2, .type = PACKET_BROADCAST, .sip = HOST_1, .tip = OUR_1});
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
}

static void test_unsolicited(void **state)
{
	reply_from(HOST_1, &mac_a);
	assert_int_equal(entries(), 0);
	link_2.conf.arp_accept = 2;
	reply_from(IP(10, 0, 0, 9), &mac_a);
	assert_int_equal(entries(), 0);
	reply_from(HOST_1, &mac_a);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	link_2.conf.arp_accept = 1;
	arp_in((struct arp_in){.op = 1, .type = PACKET_BROADCAST, .sip = IP(10, 0, 1, 9),
			       .tip = IP(10, 0, 1, 9)});
	assert_int_equal(state_of(IP(10, 0, 1, 9)), NUD_STALE);
}

static void test_proxy(void **state)
{
	link_2.conf.proxy_arp = 1;
	request(HOST_1, IP(10, 0, 1, 50));      /* on the same link: no */
	pass_ms(1000);
	assert_int_equal(n_sent, 0);
	request(HOST_1, HOST_0);
	assert_int_equal(neigh_held(), 1);
	assert_int_equal(state_of(HOST_1), NUD_STALE);
	pass_ms(800);
	assert_int_equal(n_sent, 1);
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_sip, HOST_0);
	/* asked directly: at once */
	arp_in((struct arp_in){.op = 1, .sip = HOST_1, .tip = HOST_0});
	assert_int_equal(n_sent, 2);
	link_2.conf.proxy_arp_pvlan = 1;
	arp_in((struct arp_in){.op = 1, .sip = HOST_1, .tip = IP(10, 0, 1, 50)});
	assert_int_equal(n_sent, 3);
	link_2.conf.forwarding = 0;
	arp_in((struct arp_in){.op = 1, .sip = HOST_1, .tip = HOST_0});
	assert_int_equal(n_sent, 3);
}

static void test_proxy_queue(void **state)
{
	uint64_t full = drops(DROP_NEIGH_QUEUEFULL), flushed = drops(DROP_NEIGH_FLUSHED);

	link_2.conf.proxy_arp = 1;
	set("net.ipv4.neigh.p1.proxy_qlen", "2");
	for (unsigned int i = 0; i < 5; i++)
		request(HOST_1, HOST_0);
	assert_int_equal(neigh_held(), 3);
	assert_int_equal(drops(DROP_NEIGH_QUEUEFULL) - full, 2);
	notify(LINK_DOWN, &link_2, NULL);
	assert_int_equal(drops(DROP_NEIGH_FLUSHED) - flushed, 3);
	set("net.ipv4.neigh.p1.proxy_qlen", "64");
}

static int start(void **state)
{
	char *argv[] = {(char *)"test_neigh", (char *)"--no-huge", (char *)"--no-pci",
			(char *)"--no-shconf", (char *)"--no-telemetry",
			(char *)"-m", (char *)"256", (char *)"--lcores", (char *)"0"};

	assert_true(rte_eal_init(RTE_DIM(argv), argv) >= 0);
	clock_init(CLOCK_PACKET);
	clock_set(START_NS);
	assert_int_equal(counters_init(), 0);
	assert_int_equal(rcu_init(2), 0);
	assert_int_equal(workers_init(2), 0);
	assert_int_equal(packet_pool_init(8192, 2048), 0);
	links[LINK_LO] = &lo;
	links[1] = &link_1;
	links[2] = &link_2;
	lo.addrs = calloc(1, sizeof(*lo.addrs));
	link_1.addrs = one_address(OUR_0);
	link_2.addrs = one_address(OUR_1);
	message_on_worker(MSG_XMIT, on_xmit);
	assert_int_equal(neigh_init(), 0);
	for (unsigned int i = 0; i < workers_count; i++)
		assert_int_equal(neigh_worker_init(workers[i]), 0);
	return 0;
}

static int stop(void **state)
{
	for (unsigned int i = 0; i < workers_count; i++)
		neigh_worker_fini(workers[i]);
	neigh_fini();
	rcu_fini();
	workers_fini();
	packet_pool_fini();
	free(lo.addrs);
	free(link_1.addrs);
	free(link_2.addrs);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(resolve), TEST(sender_is_packets_source), TEST(failure),
		TEST(failure_reports_to_itself), TEST(no_probes_at_all),
		TEST(stale_delay_probe_fail), TEST(probe_answered), TEST(delay_confirmed),
		TEST(used_told_once), TEST(queue_limit), TEST(queue_holds_one_always),
		TEST(bounds_of_a_worker), TEST(order_before_message), TEST(lost_before_message),
		TEST(two_workers), TEST(control_ring_full), TEST(worker_ring_full),
		TEST(table_full), TEST(periodic_gc), TEST(many_entries), TEST(operator),
		TEST(delete_incomplete), TEST(link_events), TEST(arp_notify), TEST(settings),
		TEST(broadcast_by_nature), TEST(request_answered), TEST(probe_of_address),
		TEST(request_ignored), TEST(malformed), TEST(locktime), TEST(heard_again),
		TEST(unsolicited), TEST(proxy), TEST(proxy_queue),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
