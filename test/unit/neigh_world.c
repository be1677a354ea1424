/* SPDX-License-Identifier: BSD-3-Clause */
/* See neigh_world.h. */
#include "neigh_world.h"

#include <string.h>

#include <rte_eal.h>

#include "core/message.h"
#include "core/rcu.h"
#include "core/sysctl.h"
#include "core/timer.h"
#include "core/wheel.h"
#include "route/route.h"

#define START_NS (1700000000 * NSEC_PER_SEC)

/* ---- stand-ins for lib/link ---- */

struct link *links[LINKS_MAX];
struct link_conf link_conf_all, link_conf_default;

static struct link lo = {.id = LINK_LO, .name = "lo", .up = true};
struct link link_1 = {.id = 1, .name = "p0", .mtu = 65535, .mac = {{2, 0, 0, 0, 0, 1}}};
struct link link_2 = {.id = 2, .name = "p1", .mtu = 65535, .mac = {{2, 0, 0, 0, 0, 2}}};
link_notifier_fn notify;

struct sent sent[SENT_MAX];
unsigned int n_sent;

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

bool addr_onlink(const struct link *l, rte_be32_t addr, rte_be32_t other)
{
	const struct link_addr *a = &l->addrs->a[0];

	return l->addrs->n && addr_in_subnet(a, addr) && (!other || addr_in_subnet(a, other));
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
uint8_t route_sources;

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

void settle(void)
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
void pass_until(uint64_t end_ns)
{
	settle();
	while (timers_next_ns() <= end_ns) {
		clock_set(timers_next_ns());
		settle();
	}
	clock_set(end_ns);
	settle();
}

void pass_ms(uint64_t ms)
{
	pass_until(clock_now_ns() + ms * NSEC_PER_MSEC);
}

uint64_t fires_ns(uint64_t from_ns, uint64_t ms)
{
	return wheel_slot(from_ns / JIFFY_NS, ms * NSEC_PER_MSEC / JIFFY_NS).expires * JIFFY_NS;
}

void set(const char *name, const char *value)
{
	struct error err;

	assert_int_equal(sysctl_set(name, value, &err), 0);
}

/* ---- packets ---- */

struct rte_mbuf *packet_new(struct worker *w, rte_be32_t src, uint16_t ip_bytes,
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

void output_from(struct worker *w, rte_be32_t src, rte_be32_t to, uint16_t ip_bytes,
			uint32_t mark)
{
	neigh_output(w, packet_new(w, src, ip_bytes, mark), &link_2, to);
}

void output(rte_be32_t to, uint32_t mark)
{
	output_from(workers[0], HOST_0, to, 60, mark);
}

uint16_t mark_of(const struct sent *s)
{
	const struct rte_ipv4_hdr *ip = (const void *)(s->frame + RTE_ETHER_HDR_LEN);

	return ip->packet_id;
}

const struct rte_arp_hdr *arp_of(const struct sent *s)
{
	const struct rte_ether_hdr *eth = (const void *)s->frame;

	assert_int_equal(eth->ether_type, RTE_BE16(RTE_ETHER_TYPE_ARP));
	assert_int_equal(s->len, 42);
	return (const void *)(s->frame + RTE_ETHER_HDR_LEN);
}

const struct rte_ether_addr mac_a = {{6, 0, 0, 0, 0, 0xa}}, mac_b = {{6, 0, 0, 0, 0, 0xb}};
const struct rte_ether_addr mac_zero, mac_all = {{255, 255, 255, 255, 255, 255}};

bool to_mac(const struct sent *s, const struct rte_ether_addr *mac)
{
	const struct rte_ether_hdr *eth = (const void *)s->frame;

	return rte_is_same_ether_addr(&eth->dst_addr, mac);
}

void arp_in(struct arp_in in)
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

void reply_from(rte_be32_t addr, const struct rte_ether_addr *mac)
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

unsigned int state_of(rte_be32_t addr)
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

unsigned int entries(void)
{
	unsigned int n = 0;

	neigh_foreach(NULL, tally, &n);
	return n;
}

uint64_t drops(enum drop_reason reason)
{
	struct counters sum;

	counters_sum(&sum);
	return sum.drop[reason];
}

/* ---- ICMP errors ---- */

uint16_t failed[SENT_MAX];
unsigned int n_failed;
rte_be32_t error_goes_to;

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

int setup(void **state)
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
int teardown(void **state)
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

void resolve(rte_be32_t addr)
{
	output(addr, 0);
	settle();
	reply_from(addr, &mac_a);
	assert_int_equal(state_of(addr), NUD_REACHABLE);
	n_sent = 0;
}

int start(void **state)
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

int stop(void **state)
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
