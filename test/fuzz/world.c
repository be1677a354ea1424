/* SPDX-License-Identifier: BSD-3-Clause */
/* The router under test; see world.h. */
#include "world.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_lcore.h>

#include "control/command.h"
#include "control/words.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/log.h"
#include "core/message.h"
#include "core/rcu.h"
#include "core/sysctl.h"
#include "core/timer.h"
#include "fail.h"
#include "ipv4/ipv4.h"
#include "link/ethernet.h"
#include "link/queue.h"
#include "link/txbuf.h"
#include "neigh/neigh.h"
#include "packet/packet.h"
#include "pool.h"
#include "route/route.h"
#include "sent.h"

#define SKIPPED 77
#define SETTLE_MAX 100000
#define DRAIN_MAX 10000
#define TX_FRAMES_MAX 100
#define FRAME_SEGMENTS_MAX 1024
#define REST_NS (100 * NSEC_PER_SEC)

struct worker *world_worker;
struct rte_mempool *world_pool;
bool world_custom = true;

static struct sysctl *settings[WORLD_SETTINGS];
static uint32_t settings_now;
static uint64_t switched;
static unsigned int mtus_now;

/* ---- what there is ---- */

static const char *const links_made[] = {
	"link add p1 type dpdk devargs net_null1,no-rx=1 address 02:00:00:00:00:01",
	"link add p2 type dpdk devargs net_null2,no-rx=1 address 02:00:00:00:00:02",
	"link add p3 type dpdk devargs net_null3,no-rx=1 address 02:00:00:00:00:03",
};

/* All of it can be said again. */
static const char *const base[] = {
	"sysctl net.ipv4.conf.all.accept_source_route=1",
	"link set p1 up", "link set p2 up", "link set p3 up",
	"addr add 10.0.1.1/24 dev p1",
	"addr add 10.0.1.2/24 dev p1",
	"addr add 10.0.2.1/24 dev p2",
	"addr add 172.16.0.1/30 dev p2",
	"addr add 10.0.3.0/31 dev p3",
	"addr add 10.0.4.1/24 dev p3",
	"route replace 10.1.0.0/16 via 10.0.1.10",
	"route replace 10.2.0.0/16 via 10.0.2.10",
	"route replace 10.3.0.0/16 via 10.0.4.10",
	"route replace 10.4.0.0/16 via 10.0.1.50",
	"route replace 10.5.0.0/16 dev p2",
	"route replace unreachable 10.10.0.0/16",
	"route replace prohibit 10.11.0.0/16",
	"route replace blackhole 10.12.0.0/16",
	"route replace throw 10.13.0.0/16",
	"route replace 10.14.0.0/16 via 10.0.2.10 mtu 600",
	"route replace broadcast 10.16.255.255 dev p1",
	"route replace default via 10.0.2.20",
	"sysctl net.ipv4.fib_multipath_hash_seed=7",
	"route replace 10.17.0.0/16 nexthop via 10.0.1.10 nexthop via 10.0.2.10 weight 3"
	" nexthop via 10.0.4.10",
	"route replace 10.18.0.0/16 nexthop via 10.0.1.11 nexthop via 10.0.2.60 nexthop dev p2",
	"route replace 10.19.0.0/16 mtu 700 nexthop via 10.0.1.10 nexthop via 10.0.4.10 weight 200",
	"route replace 10.20.0.0/16 via 10.0.2.10",
	"route replace 10.20.0.0/16 tos 0x10 via 10.0.1.10",
	"route replace default via 10.0.4.10 table 100",
	"route replace 10.17.0.0/16 table 100 nexthop via 10.0.4.10 nexthop via 10.0.1.10",
	"route replace 10.1.0.0/16 via 10.0.2.10 table 101",
	"route replace 10.2.128.0/17 dev p3 table 101",
	"route replace throw 10.3.0.0/17 table 101",
	"route replace 10.3.0.0/16 via 10.0.1.10 table 101",
	"route replace 10.14.0.0/16 tos 0x10 via 10.0.1.10 table 101",
	"route replace blackhole 10.19.64.0/18 table 101",
	"route replace 10.20.0.0/16 via 10.0.4.10 mtu 600 table 101",
	"neigh replace 10.0.1.10 lladdr 02:00:00:00:01:10 dev p1 nud permanent",
	"neigh replace 10.0.2.10 lladdr 02:00:00:00:02:10 dev p2 nud permanent",
	"neigh replace 10.0.4.10 lladdr 02:00:00:00:04:10 dev p3 nud permanent",
	"neigh replace 10.0.1.11 lladdr 02:00:00:00:01:11 dev p1 nud stale",
	"neigh replace 10.0.2.11 lladdr 02:00:00:00:02:11 dev p2 nud reachable",
};

/* Off and on. */
static const char *const switches[WORLD_SWITCHES][2] = {
	{"link set p1 down", "link set p1 up"},
	{"link set p2 down", "link set p2 up"},
	{"link set p3 down", "link set p3 up"},
	{"addr del 10.0.1.1/24 dev p1", "addr add 10.0.1.1/24 dev p1"},
	{"addr del 172.16.0.1/30 dev p2", "addr add 172.16.0.1/30 dev p2"},
	{"addr del 10.0.4.1/24 dev p3", "addr add 10.0.4.1/24 dev p3"},
	{"route del 10.1.0.0/16", "route replace 10.1.0.0/16 via 10.0.1.10"},
	{"route del 10.4.0.0/16", "route replace 10.4.0.0/16 via 10.0.1.50"},
	{"route replace unreachable default", "route replace default via 10.0.2.20"},
	{"route replace 10.10.0.0/16 via 10.0.4.50", "route replace unreachable 10.10.0.0/16"},
	{"neigh del 10.0.1.10 dev p1",
	 "neigh replace 10.0.1.10 lladdr 02:00:00:00:01:10 dev p1 nud permanent"},
	{"neigh replace 10.0.1.50 lladdr 02:00:00:00:01:50 dev p1 nud stale",
	 "neigh del 10.0.1.50 dev p1"},
	{"neigh replace 10.0.2.20 lladdr 02:00:00:00:02:20 dev p2 nud reachable",
	 "neigh del 10.0.2.20 dev p2"},
	{"neigh replace 10.0.2.10 lladdr 02:00:00:00:02:99 dev p2 nud stale",
	 "neigh replace 10.0.2.10 lladdr 02:00:00:00:02:10 dev p2 nud permanent"},
	{"link set p1 address 02:00:00:00:00:91", "link set p1 address 02:00:00:00:00:01"},
	{"neigh flush dev p2", "neigh flush dev p1"},
	{"route replace local 10.15.0.1 dev lo", "route del local 10.15.0.1 dev lo"},
	{"route replace local 10.15.1.0/24 dev lo", "route del local 10.15.1.0/24 dev lo"},
	{"route replace 10.0.1.1 via 10.0.2.10", "route del 10.0.1.1"},
	{"rule add from 10.0.1.0/24 table 100 priority 1000", "rule del priority 1000"},
	{"rule add iif p2 to 10.3.0.0/16 blackhole priority 900", "rule del priority 900"},
	{"rule add tos 0x10 table 100 priority 950", "rule del priority 950"},
	{"sysctl net.ipv4.fib_multipath_hash_policy=3",
	 "sysctl net.ipv4.fib_multipath_hash_policy=0"},
	{"sysctl net.ipv4.fib_multipath_use_neigh=1", "sysctl net.ipv4.fib_multipath_use_neigh=0"},
	{"sysctl net.ipv4.fib_multipath_hash_seed=8", "sysctl net.ipv4.fib_multipath_hash_seed=7"},
	{"route replace default nexthop via 10.0.2.20 nexthop via 10.0.4.10",
	 "route replace default via 10.0.2.20"},
	{"route replace 10.17.0.0/16 via 10.0.4.10",
	 "route replace 10.17.0.0/16 nexthop via 10.0.1.10 nexthop via 10.0.2.10 weight 3"
	 " nexthop via 10.0.4.10"},
	{"route replace 10.5.0.0/16 nexthop dev p2 nexthop dev p1",
	 "route replace 10.5.0.0/16 dev p2"},
	{"route replace 10.1.0.0/16 nexthop via 10.0.1.10 mtu 800 nexthop via 10.0.4.10",
	 "route replace 10.1.0.0/16 via 10.0.1.10"},
	{"sysctl net.ipv4.conf.p1.rp_filter=1", "sysctl net.ipv4.conf.p1.rp_filter=0"},
	{"sysctl net.ipv4.conf.p3.forwarding=0", "sysctl net.ipv4.conf.p3.forwarding=1"},
	{"filter add forward ip protocol tcp drop", "filter flush forward"},
	{"filter add prerouting udp sport < 1000 counter mark set 3", "filter flush prerouting"},
	{"addr add 10.2.7.1/32 dev p3", "addr del 10.2.7.1/32 dev p3"},
	{"route replace local 10.2.9.0/24 dev lo table 101",
	 "route del local 10.2.9.0/24 dev lo table 101"},
	{"route replace broadcast 10.1.9.0/24 dev p1 table 100",
	 "route del broadcast 10.1.9.0/24 dev p1 table 100"},
	/* from here on WORLD_RULES */
	{"rule add from 10.1.0.0/16 table 101 priority 800", "rule del priority 800"},
	{"rule add not from 10.0.0.0/13 table 101 priority 810", "rule del priority 810"},
	{"rule add iif p1 table 101 priority 820", "rule del priority 820"},
	{"rule add not iif p3 to 10.2.0.0/15 table 101 priority 830", "rule del priority 830"},
	{"rule add not iif p2 unreachable priority 1200", "rule del priority 1200"},
	{"rule add to 10.16.0.0/12 tos 0x10 prohibit priority 840", "rule del priority 840"},
	{"rule add from 10.8.0.0/13 to 10.1.0.0/16 table main priority 700",
	 "rule del priority 700"},
	{"rule add from 10.8.0.0/13 table local priority 710", "rule del priority 710"},
	{"rule add fwmark 3 table 100 priority 850", "rule del priority 850"},
	{"rule add not fwmark 0/7 table 100 priority 860", "rule del priority 860"},
	{"rule add not fwmark 3 to 10.3.0.0/16 table 101 priority 870", "rule del priority 870"},
	{"rule add fwmark 0/1 from 10.4.0.0/14 table 100 priority 880", "rule del priority 880"},
	{"rule add iif later table 100 priority 890", "rule del priority 890"},
	{"rule add table 101 priority 1300", "rule del priority 1300"},
	{"rule add unreachable priority 1400", "rule del priority 1400"},
	{"rule add from 10.12.0.0/14 table 100 priority 33000", "rule del priority 33000"},
	{"rule del priority 32766", "rule add table main priority 32766"},
	{"rule del priority 0", "rule add table local priority 0"},
	{"rule add table local priority 905", "rule del priority 905"},
};

static const struct {
	const char *name;
	int32_t other;
} setting_list[WORLD_SETTINGS] = {
	{"net.ipv4.ip_forward", 0},
	{"net.ipv4.conf.all.rp_filter", 1},
	{"net.ipv4.conf.p2.rp_filter", 2},
	{"net.ipv4.conf.all.accept_local", 1},
	{"net.ipv4.conf.all.route_localnet", 1},
	{"net.ipv4.conf.all.bc_forwarding", 1},
	{"net.ipv4.conf.p1.bc_forwarding", 1},
	{"net.ipv4.conf.all.drop_unicast_in_l2_multicast", 1},
	{"net.ipv4.conf.p1.send_redirects", 0},
	{"net.ipv4.conf.p2.forwarding", 0},
	{"net.ipv4.conf.all.arp_accept", 1},
	{"net.ipv4.conf.all.arp_announce", 2},
	{"net.ipv4.conf.all.arp_filter", 1},
	{"net.ipv4.conf.all.arp_ignore", 2},
	{"net.ipv4.conf.all.arp_notify", 1},
	{"net.ipv4.conf.all.drop_gratuitous_arp", 1},
	{"net.ipv4.conf.all.proxy_arp", 1},
	{"net.ipv4.conf.all.proxy_arp_pvlan", 1},
	{"net.ipv4.ip_default_ttl", 1},
	{"net.ipv4.icmp_ratelimit", 0},
	{"net.ipv4.icmp_ratemask", INT32_MAX},
	{"net.ipv4.icmp_msgs_per_sec", 0},
	{"net.ipv4.icmp_echo_ignore_all", 1},
	{"net.ipv4.icmp_echo_ignore_broadcasts", 0},
	{"net.ipv4.icmp_errors_use_inbound_ifaddr", 1},
	{"net.ipv4.icmp_ignore_bogus_error_responses", 0},
	{"net.ipv4.neigh.p1.unres_qlen_bytes", 2000},
	{"net.ipv4.neigh.p2.proxy_delay", 0},
	{"net.ipv4.neigh.p2.mcast_solicit", 0},
	{"net.ipv4.neigh.p1.retrans_time_ms", 10},
	{"net.ipv4.neigh.default.gc_thresh3", 4},
	{"net.millrace.neigh_waiting_max", 2},
};

static const unsigned int mtus[WORLD_LINKS][WORLD_MTUS] = {
	{1500, 9000, 576, 1006}, {1400, 1500, 68, 1280}, {68, 1500, 69, 600},
};

/* ---- commands ---- */

static int say(const char *text, struct error *err)
{
	char line[256];
	const char *argv[WORDS_MAX];
	int argc;

	snprintf(line, sizeof(line), "%s", text);
	argc = words_split(line, argv);
	return command_run(argc, argv, NULL, err);
}

static void must(const char *text)
{
	struct error err = {""};

	if (say(text, &err))
		fail("%s: %s", text, err.text);
}

void world_command(const char *text)
{
	must(text);
}

/* ---- start and stop ---- */

/* Any CPU will do: the EAL wants to be told one, and is not to keep it. */
static void eal_init(const char *name)
{
	char program[64], lcores[16];
	char *argv[] = {program, "--lcores", lcores, "--no-huge", "--no-pci", "--no-shconf",
			"--no-telemetry", "-m", "512", "--log-level", "lib.*:critical", NULL};
	cpu_set_t cpus;
	int rc;

	snprintf(program, sizeof(program), "%s", name);
	snprintf(lcores, sizeof(lcores), "0@%d", sched_getcpu());
	sched_getaffinity(0, sizeof(cpus), &cpus);
	rc = rte_eal_init(RTE_DIM(argv) - 1, argv);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (rc >= 0)
		return;
	fprintf(stderr, "fuzz: DPDK does not start here\n");
	exit(SKIPPED);
}

static void rooms_init(void)
{
	clock_init(CLOCK_PACKET);
	if (counters_init() || workers_init(1))
		fail("no memory");
	world_worker = workers[0];
	world_worker->lcore = rte_get_main_lcore();
	world_worker->socket = 0;
	if (link_worker_init(world_worker) || neigh_worker_init(world_worker) ||
	    ip_worker_init(world_worker) || rcu_init(1) || link_init() || nexthop_init() ||
	    route_init() || neigh_init() || ip_init() || link_start())
		fail("a room can not be started");
}

static void settings_find(void)
{
	for (unsigned int i = 0; i < WORLD_SETTINGS; i++) {
		settings[i] = sysctl_find(setting_list[i].name);
		if (!settings[i])
			fprintf(stderr, "fuzz: there is no setting %s\n", setting_list[i].name);
	}
}

void world_init(const char *name, unsigned int mbufs)
{
	char text[64];

	snprintf(text, sizeof(text), "sysctl millrace.mbufs=%u", mbufs);
	eal_init(name);
	pool_use();
	rooms_init();
	must(text);
	for (unsigned int i = 0; i < RTE_DIM(links_made); i++)
		must(links_made[i]);
	world_pool = packet_pool(0);
	pool_arm(world_pool);
	for (unsigned int i = 1; i <= WORLD_LINKS; i++) {
		sent_watch(links[i]);
		world_worker->link->tx[i]->limit = TX_FRAMES_MAX;
	}
	links[2]->tx_segs = 8;
	links[3]->tx_segs = 1;
	for (unsigned int i = 0; i < RTE_DIM(base); i++)
		must(base[i]);
	settings_find();
	mtus_now = ~0u;
	world_mtus(0);
	world_rest();
}

void world_fini(void)
{
	neigh_worker_fini(world_worker);
	link_fini();
	message_poll_control();
	ip_fini();
	neigh_fini();
	route_fini();
	nexthop_fini();
	ip_worker_fini(world_worker);
	link_worker_fini(world_worker);
	pool_check(world_pool, 0);
	pool_disarm(world_pool);
	packet_pool_fini();
	rcu_fini();
	workers_fini();
	rte_eal_cleanup();
}

/* ---- variation ---- */

void world_settings(uint32_t bits)
{
	uint32_t change = bits ^ settings_now;

	for (unsigned int i = 0; change; i++, change >>= 1) {
		struct sysctl *s = settings[i];
		int32_t old;

		if (!(change & 1) || !s)
			continue;
		old = *s->value;
		*s->value = bits >> i & 1 ? setting_list[i].other : s->preset;
		if (s->changed)
			s->changed(s, old);
	}
	settings_now = bits;
}

void world_mtus(unsigned int bits)
{
	for (unsigned int i = 0; i < WORLD_LINKS; i++) {
		unsigned int which = bits >> 2 * i & 3;

		if (which != (mtus_now >> 2 * i & 3) || mtus_now == ~0u)
			link_change(links[i + 1], &(struct link_change){.mtu = mtus[i][which],
				    .promisc = -1, .up = -1}, NULL);
	}
	mtus_now = bits;
}

static bool is_custom(const char *command)
{
	return strncmp(command, "rule ", 5) == 0 || strstr(command, " local ");
}

_Static_assert(WORLD_SWITCHES <= 64, "switched has a bit for each");

void world_switch(unsigned int i)
{
	i %= WORLD_SWITCHES;
	if (!world_custom && is_custom(switches[i][0]))
		return;
	sent_changed = true;
	say(switches[i][switched >> i & 1], NULL);
	switched ^= 1ULL << i;
	world_settle();
}

static void switches_back(void)
{
	for (unsigned int i = 0; i < WORLD_SWITCHES; i++)
		if (switched >> i & 1)
			say(switches[i][1], NULL);
	for (unsigned int i = 0; switched && i < RTE_DIM(base); i++)
		say(base[i], NULL);
	switched = 0;
}

/* ---- frames ---- */

static bool append(struct rte_mbuf *m, const uint8_t *bytes, uint32_t len, unsigned int cut)
{
	struct rte_mbuf *last = m;

	for (uint32_t at = 0; at < len;) {
		uint32_t room = rte_pktmbuf_data_room_size(world_pool) - last->data_off;
		uint32_t part = RTE_MIN(len - at, room);

		if (cut)
			part = RTE_MIN(part, cut & 1 ? 1 + (at * 7 + cut) % cut : cut);
		memcpy(rte_pktmbuf_mtod(last, void *), bytes + at, part);
		last->data_len = (uint16_t)part;
		m->pkt_len += part;
		at += part;
		if (at == len)
			break;
		last->next = rte_pktmbuf_alloc(world_pool);
		if (!last->next || m->nb_segs == FRAME_SEGMENTS_MAX)
			return false;
		last = last->next;
		last->data_off = (uint16_t)(cut & 1 ? cut : RTE_PKTMBUF_HEADROOM);
		m->nb_segs++;
	}
	return true;
}

struct rte_mbuf *world_frame(const void *bytes, uint32_t len, unsigned int cut, bool tight)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(world_pool);

	if (!m)
		return NULL;
	if (!append(m, bytes, len, cut)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	for (struct rte_mbuf *seg = m; tight && seg; seg = seg->next)
		pool_tighten(seg);
	*packet_of(m) = (struct packet){.type = SENT_UNSEEN};
	pool_check_mbuf(m, "a frame to put in");
	return m;
}

void world_input(unsigned int link, struct rte_mbuf **m, unsigned int n)
{
	struct worker *w = world_worker;

	for (unsigned int i = 0; i < n; i++)
		note_frame(link, m[i]);
	w->now_ns = clock_now_ns();
	w->counters->received += n;
	eth_burst_handler(w, links[link], m, n);
}

static unsigned int worker_tick(void)
{
	return ip_worker_tick(world_worker);
}

void world_settle(void)
{
	struct worker *w = world_worker;
	unsigned int i;

	for (i = 0; i < SETTLE_MAX; i++) {
		w->now_ns = clock_now_ns();
		if (!(message_poll_control() + message_poll_worker(w) + link_loop_poll(w) +
		      worker_tick()))
			break;
	}
	if (i == SETTLE_MAX)
		fail("the router does not come to rest");
	link_flush(w);
	rcu_poll();
}

/* When the next timer is due, of the control thread or of the worker. */
static uint64_t next_timer_ns(void)
{
	uint64_t worker = ip_next_expiry_ns(world_worker);

	return RTE_MIN(timers_next_ns(), worker);
}

void world_pass(uint64_t ns)
{
	uint64_t to = clock_now_ns() + ns;

	while (next_timer_ns() <= to) {
		clock_set(next_timer_ns());
		timers_run(clock_now_ns());
		world_settle();
	}
	clock_set(to);
}

void world_flush_neighbours(void)
{
	neigh_flush(NULL, NULL, NULL);
	world_settle();
}

/* ---- invariants ---- */

static uint64_t held(void)
{
	return link_held() + neigh_held() + ip_held();
}

static void account_check(uint64_t now_held)
{
	struct counters c;
	uint64_t in, out;

	counters_sum(&c);
	in = c.received + c.originated;
	out = c.transmitted + c.delivered;
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		out += c.drop[i];
	if (in != out + now_held)
		fail("%llu received and originated, but %llu transmitted, delivered and dropped "
		     "and %llu held", (unsigned long long)in, (unsigned long long)out,
		     (unsigned long long)now_held);
	if (c.transmitted != sent_frames + world_worker->link->loop_packets)
		fail("%llu counted as transmitted, %llu left",
		     (unsigned long long)c.transmitted,
		     (unsigned long long)(sent_frames + world_worker->link->loop_packets));
}

/* Nothing is held; the worker may take a few turns to free what was. */
static void home_check(void)
{
	for (unsigned int i = 0; i < SETTLE_MAX && rte_mempool_in_use_count(world_pool); i++)
		worker_tick();
	pool_check(world_pool, 0);
}

void world_check(void)
{
	uint64_t now_held = held();

	account_check(now_held);
	if (!now_held)
		home_check();
}

void world_rest(void)
{
	unsigned int i;

	sent_device_takes = UINT16_MAX;
	switches_back();
	world_settle();
	for (i = 0; i < DRAIN_MAX && held() && next_timer_ns() != UINT64_MAX; i++)
		world_pass(next_timer_ns() - RTE_MIN(next_timer_ns(), clock_now_ns()));
	if (held())
		fail("%llu packets are held for ever", (unsigned long long)held());
	account_check(0);
	home_check();
	world_settings(0);
	sent_changed = false;
	neigh_flush(NULL, NULL, NULL);
	world_pass(REST_NS);
	say("neigh replace 10.0.1.11 lladdr 02:00:00:00:01:11 dev p1 nud stale", NULL);
	say("neigh replace 10.0.2.11 lladdr 02:00:00:00:02:11 dev p2 nud reachable", NULL);
	world_settle();
	home_check();
	note_forget();
	memset(sent_requests, 0, sizeof(sent_requests));
}
