/* SPDX-License-Identifier: BSD-3-Clause */
/* See stub_rooms.h. */
#include "stub_rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sysctl.h"
#include "core/worker.h"
#include "core/timer.h"
#include "ipv4/filter.h"
#include "ipv4/hook.h"
#include "ipv4/ipv4.h"
#include "ipv4/probe.h"
#include "ipv4/reassemble.h"
#include "link/link.h"
#include "neigh/neigh.h"
#include "route/replay.h"
#include "route/rule.h"

#define ROUTES_MAX (1 << 21)
#define NEIGHS_MAX 64
#define FILTERS_MAX 32
#define ADDRS_MAX 16

struct link *links[LINKS_MAX];
struct link_conf link_conf_all, link_conf_default;
struct nexthop *nexthops;
struct counters *control_counters;
struct worker *workers[WORKERS_MAX];
unsigned int workers_count;
struct fib *route_fib;
struct rule_set *route_rules;

static struct route *routes;
static unsigned int n_routes;
static unsigned int n_nexthops;
static struct neigh_info neighs[NEIGHS_MAX];
static unsigned int n_neighs;
static struct filter_rule filter_rules[FILTERS_MAX];
static enum hook_point filter_points[FILTERS_MAX];
static unsigned int n_filters;
static bool filter_drops[HOOK_POINTS];
static int32_t forwarding, ttl;
static struct rule_info the_rule;
static char rule_iif[LINK_NAME_SIZE];
static bool has_rule;

/* ---- what was learned of paths ---- */

void ip_exception_flush(void)
{
}

bool ip_exception_info(uint32_t nexthop, rte_be32_t dst, struct ip_exception_info *info)
{
	return false;
}

int ip_exception_foreach(int (*fn)(const struct ip_exception_info *info, void *arg), void *arg)
{
	return 0;
}

/* ---- probes, and the timers that send them ---- */

int probe_open(probe_answer_fn fn, void *arg)
{
	return -EBUSY;
}

void probe_close(int session)
{
}

uint8_t probe_pmtudisc(void)
{
	return 0;
}

int probe_route(rte_be32_t dst, rte_be32_t *src)
{
	return 0;
}

int probe_send(int session, const struct probe *p)
{
	return 0;
}

int timer_set(struct timer *t, uint64_t at_ns, void (*fn)(struct timer *t, uint64_t now_ns))
{
	return 0;
}

void timer_stop(struct timer *t)
{
}

/* ---- fragments ---- */

uint64_t ip_held(void)
{
	return 0;
}

void defrag_info_get(const struct worker *w, struct defrag_info *info)
{
	*info = (struct defrag_info){.queues = 2, .fragments = 3, .mbufs = 3, .bytes = 2896};
}

uint64_t defrag_bytes_max(void)
{
	return 4194304;
}

uint64_t defrag_mbufs_max(void)
{
	return 8192;
}

bool defrag_flush(void)
{
	return true;
}

/* ---- settings ---- */

static void setting(const char *who, const char *name, int32_t *value, int32_t preset)
{
	char full[128];

	snprintf(full, sizeof(full), "net.ipv4.%s%s%s", who, *who ? "." : "", name);
	sysctl_register(&(struct sysctl){.name = full, .value = value, .min = 0, .max = 255,
					 .preset = preset, .help = "a setting"});
}

static void settings(const char *who, struct link_conf *conf, const struct link_conf *preset)
{
	char family[64];

	snprintf(family, sizeof(family), "conf.%s", who);
	setting(family, "rp_filter", &conf->rp_filter, preset ? preset->rp_filter : 0);
	setting(family, "forwarding", &conf->forwarding, preset ? preset->forwarding : 1);
}

static void forward_changed(struct sysctl *s, int32_t old)
{
	unsigned int i;

	link_conf_all.forwarding = *s->value;
	link_conf_default.forwarding = *s->value;
	for (i = 0; i < LINKS_MAX; i++)
		if (links[i])
			links[i]->conf.forwarding = *s->value;
}

/* ---- links ---- */

static struct link *make_link(const char *name)
{
	struct link *l = calloc(1, sizeof(*l));
	unsigned int id = 0;

	while (links[id])
		id++;
	l->id = (uint16_t)id;
	l->mtu = 1500;
	l->mtu_max = 9000;
	l->n_rxq = 1;
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->type, sizeof(l->type), "dpdk");
	snprintf(l->driver, sizeof(l->driver), "net_stub");
	l->addrs = calloc(1, sizeof(*l->addrs) + ADDRS_MAX * sizeof(struct link_addr));
	settings(name, &l->conf, &link_conf_default);
	links[id] = l;
	return l;
}

struct link *link_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < LINKS_MAX; i++)
		if (links[i] && strcmp(links[i]->name, name) == 0)
			return links[i];
	return NULL;
}

int link_add(const struct link_params *p, struct error *err)
{
	struct link *l;

	if (strcmp(p->devargs, "broken") == 0)
		return error_set(err, ENODEV, "no such device");
	l = make_link(p->name);
	snprintf(l->devargs, sizeof(l->devargs), "%s", p->devargs);
	l->asked_rxq = (uint16_t)p->rxq;
	l->asked_rxd = (uint16_t)p->rxd;
	l->asked_txd = (uint16_t)p->txd;
	l->asked_mtu = (uint16_t)p->mtu;
	l->mtu = p->mtu ? (uint16_t)p->mtu : l->mtu;
	l->promisc = p->promisc == 1;
	if (p->address) {
		l->mac = *p->address;
		l->mac_set = true;
	}
	return 0;
}

int link_del(struct link *l, struct error *err)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "net.ipv4.conf.%s.", l->name);
	sysctl_unregister_words(prefix);
	links[l->id] = NULL;
	free(l->addrs);
	free(l);
	return 0;
}

int link_change(struct link *l, const struct link_change *c, struct error *err)
{
	if (c->mtu)
		l->mtu = l->asked_mtu = (uint16_t)c->mtu;
	if (c->address) {
		l->mac = *c->address;
		l->mac_set = true;
	}
	if (c->promisc >= 0)
		l->promisc = c->promisc;
	if (c->up >= 0)
		l->up = l->running = c->up;
	return 0;
}

int addr_add(struct link *l, rte_be32_t local, unsigned int len, struct error *err)
{
	struct link_addr *a = &l->addrs->a[l->addrs->n];
	uint32_t mask = prefix_mask(len);
	unsigned int i;

	for (i = 0; i < l->addrs->n; i++)
		if (l->addrs->a[i].local == local && l->addrs->a[i].len == len)
			return error_set(err, EEXIST, "the address is there already");
	a->local = local;
	a->len = (uint8_t)len;
	a->scope = l->id == LINK_LO ? 254 : 0;
	if (len < 31)
		a->broadcast = local | rte_cpu_to_be_32(~mask);
	l->addrs->n++;
	return 0;
}

int addr_del(struct link *l, rte_be32_t local, unsigned int len, struct error *err)
{
	struct link_addrs *list = l->addrs;
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		if (list->a[i].local != local || list->a[i].len != len)
			continue;
		memmove(&list->a[i], &list->a[i + 1], (list->n - i - 1) * sizeof(list->a[0]));
		list->n--;
		return 0;
	}
	return error_set(err, EADDRNOTAVAIL, "there is no such address");
}

void link_stats_get(const struct link *l, struct link_stats *s)
{
	*s = (struct link_stats){.rx_packets = 7, .tx_bytes = 60};
}

void link_rxq_stats_get(const struct link *l, unsigned int q, struct link_queue_stats *s,
			unsigned int *worker)
{
	*s = (struct link_queue_stats){.packets = 5, .bytes = 300};
	*worker = 0;
}

int link_rxq_assign(struct link *l, unsigned int queue, unsigned int worker, struct error *err)
{
	return 0;
}

void link_speed_get(const struct link *l, unsigned int *mbps, const char **duplex)
{
	*mbps = 10000;
	*duplex = "full";
}

uint64_t link_held(void)
{
	return 0;
}

/* ---- neighbours' settings ---- */

bool neigh_parms_own(const struct sysctl *s)
{
	return false;
}

/* ---- routes ---- */

const char *route_type_name(unsigned int type)
{
	static const char *const names[] = {"none", "unicast", "local", "broadcast", "blackhole",
					    "unreachable", "prohibit", "throw", "multicast"};

	return names[type];
}

/* Next hops are shared like in the room: a million routes have few. */
static uint32_t find_nexthop(const struct route_params *p)
{
	struct nexthop nh = {
		.type = (uint8_t)p->type,
		.scope = p->type == ROUTE_LOCAL ? SCOPE_HOST :
			 p->type == ROUTE_BROADCAST ||
			 (p->type == ROUTE_UNICAST && !p->gateway) ? SCOPE_LINK : SCOPE_UNIVERSE,
		.link = p->link < 0 ? 1 : (uint16_t)p->link,
		.gateway = p->gateway,
		.via = p->gateway,
		.src = p->src,
		.mtu = p->mtu,
		.flags = (p->onlink ? NEXTHOP_F_ONLINK : 0) |
			 (p->mtu_locked ? NEXTHOP_F_MTU_LOCKED : 0),
		.asked_src = p->src,
	};
	uint32_t i;

	for (i = n_nexthops; i > 0; i--)
		if (memcmp(&nexthops[i], &nh, sizeof(nh)) == 0)
			return i;
	nexthops[++n_nexthops] = nh;
	return n_nexthops;
}

int route_enter(const struct route_params *p, enum route_how how, struct error *err)
{
	if (p->type == ROUTE_UNICAST && !p->gateway && p->link < 0)
		return error_set(err, ENODEV, "no way is given: via or dev");
	routes[n_routes++] = (struct route){
		.prefix = p->prefix,
		.metric = p->metric,
		.len = (uint8_t)p->len,
		.table = p->table ? p->table :
			 p->type == ROUTE_LOCAL ? ROUTE_TABLE_LOCAL : ROUTE_TABLE_MAIN,
		.protocol = (uint8_t)p->protocol,
		.type = (uint8_t)p->type,
		.nexthop = (uint16_t)find_nexthop(p),
	};
	return 0;
}

int route_del(const struct route_params *p, struct error *err)
{
	unsigned int i;

	for (i = 0; i < n_routes; i++) {
		if (routes[i].prefix != p->prefix || routes[i].len != p->len)
			continue;
		memmove(&routes[i], &routes[i + 1], (n_routes - i - 1) * sizeof(routes[0]));
		n_routes--;
		return 0;
	}
	return error_set(err, ESRCH, "there is no such route");
}

void route_flush(uint32_t table, bool (*which)(const struct route *r, void *arg), void *arg)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < n_routes; i++)
		if ((table && routes[i].table != table) || !which(&routes[i], arg))
			routes[kept++] = routes[i];
	n_routes = kept;
}

int route_foreach(uint32_t table, int (*fn)(const struct route *r, void *arg), void *arg)
{
	unsigned int i;
	int rc;

	for (i = 0; i < n_routes; i++) {
		if (table && routes[i].table != table)
			continue;
		rc = fn(&routes[i], arg);
		if (rc)
			return rc;
	}
	return 0;
}

unsigned int route_count_tables(void)
{
	return 3;
}

/* Nothing comes by itself here, and all is found again. */
struct replay *replay_new(void)
{
	static char nothing;

	return (struct replay *)&nothing;
}

void replay_free(struct replay *p)
{
}

int replay_foreach(struct replay *p, enum replay_part part,
		   int (*fn)(const struct replay_step *s, void *arg), void *arg)
{
	int rc = 0;

	for (unsigned int i = 0; i < n_routes && !rc; i++)
		if (part == (nexthops[routes[i].nexthop].via ? REPLAY_GATEWAYS : REPLAY_ON_LINKS))
			rc = fn(&(struct replay_step){REPLAY_ADD, &routes[i], p, part}, arg);
	return rc;
}

bool replay_finds(const struct replay_step *s, const struct nexthop *way)
{
	return true;
}

void route_explain(const struct route_flow *f, int link, struct route_answer *a)
{
	const struct route *best = NULL;
	unsigned int i;

	for (i = 0; i < n_routes; i++) {
		if (prefix_agree(rte_be_to_cpu_32(f->dst), routes[i].prefix, routes[i].len) &&
		    (link < 0 || nexthop_over(routes[i].nexthop, (unsigned int)link)) &&
		    (!best || routes[i].len > best->len))
			best = &routes[i];
	}
	*a = (struct route_answer){.route = best, .nexthop = best ? best->nexthop : 0};
}

int ip_route_get(struct ip_way *way)
{
	struct route_answer a;

	route_explain(&(struct route_flow){.dst = way->dst}, way->oif, &a);
	if (!a.route)
		return -ENETUNREACH;
	way->type = a.route->type;
	way->local = a.route->type == ROUTE_LOCAL;
	way->nexthop = a.nexthop;
	way->out_link = nexthops[a.nexthop].link;
	way->gateway = nexthops[a.nexthop].gateway;
	return 0;
}

bool nexthop_over(uint32_t index, unsigned int link)
{
	return nexthops[index].link == link;
}

/* ---- rules: one at most, in front of those of the start ---- */

int rule_add(const struct rule_params *p, struct error *err)
{
	if (has_rule)
		return error_set(err, EEXIST, "there is a rule");
	the_rule = (struct rule_info){.p = *p};
	if (p->iif) {
		snprintf(rule_iif, sizeof(rule_iif), "%s", p->iif);
		the_rule.p.iif = rule_iif;
	}
	has_rule = true;
	return 0;
}

int rule_del(const struct rule_params *p, struct error *err)
{
	if (!has_rule)
		return error_set(err, ENOENT, "there is no such rule");
	has_rule = false;
	return 0;
}

int rule_flush(const struct rule_params *which, struct error *err)
{
	if (has_rule && rule_is_among(&the_rule.p, which))
		has_rule = false;
	return 0;
}

bool rule_is_among(const struct rule_params *r, const struct rule_params *which)
{
	return (!which->mark || which->mark == r->mark) &&
	       (!which->priority_given || which->priority == r->priority);
}

bool rule_is_preset(const struct rule_params *p)
{
	return !has_rule || p != &the_rule.p;
}

unsigned int rule_count(void)
{
	return 3 + has_rule;
}

int rule_foreach(int (*fn)(const struct rule_info *r, void *arg), void *arg)
{
	static const struct rule_info presets[] = {
		{.p = {.priority = 0, .table = ROUTE_TABLE_LOCAL}},
		{.p = {.priority = 32766, .table = ROUTE_TABLE_MAIN}},
		{.p = {.priority = 32767, .table = ROUTE_TABLE_DEFAULT}},
	};
	int rc = has_rule ? fn(&the_rule, arg) : 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(presets) && !rc; i++)
		rc = fn(&presets[i], arg);
	return rc;
}

/* ---- neighbours ---- */

int neigh_add(struct link *l, rte_be32_t addr, const struct rte_ether_addr *lladdr,
	      unsigned int state, bool replace, struct error *err)
{
	unsigned int i;

	for (i = 0; i < n_neighs; i++)
		if (neighs[i].addr == addr && neighs[i].link == l && !replace)
			return error_set(err, EEXIST, "the neighbour is there already");
	neighs[n_neighs++] = (struct neigh_info){
		.addr = addr, .link = l, .lladdr = *lladdr, .has_lladdr = true, .state = state};
	return 0;
}

int neigh_del(struct link *l, rte_be32_t addr, struct error *err)
{
	return error_set(err, ENOENT, "there is no such neighbour");
}

int neigh_find(const struct link *l, rte_be32_t addr, struct neigh_info *info, struct error *err)
{
	for (unsigned int i = 0; i < n_neighs; i++) {
		if (neighs[i].addr == addr && neighs[i].link == l) {
			*info = neighs[i];
			return 0;
		}
	}
	return error_set(err, ENOENT, "there is no such neighbour");
}

unsigned int neigh_flush(const struct link *l,
			 bool (*which)(const struct neigh_info *n, void *arg), void *arg)
{
	unsigned int kept = 0, before = n_neighs;

	for (unsigned int i = 0; i < before; i++)
		if ((l && neighs[i].link != l) || (which && !which(&neighs[i], arg)))
			neighs[kept++] = neighs[i];
	n_neighs = kept;
	return before - kept;
}

int neigh_foreach(const struct link *l, int (*fn)(const struct neigh_info *n, void *arg),
		  void *arg)
{
	unsigned int i;

	for (i = 0; i < n_neighs; i++)
		if ((!l || neighs[i].link == l) && fn(&neighs[i], arg))
			return 1;
	return 0;
}

const char *neigh_state_name(unsigned int state)
{
	return state == NUD_PERMANENT ? "PERMANENT" : state == NUD_STALE ? "STALE" : "REACHABLE";
}

uint64_t neigh_held(void)
{
	return 0;
}

/* ---- counters ---- */

const char *counter_name(enum counter c)
{
	static const char *const names[] = {
#define X(name, text) text,
		COUNTERS(X)
#undef X
	};

	return names[c];
}

void counters_sum(struct counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->received = 10;
	sum->transmitted = 7;
	sum->drop[DROP_IP_CSUM] = 3;
	sum->c[CNT_IP_INRECEIVES] = 5;
	sum->icmp_in_type[8] = 2;
}

void stub_reset(void)
{
	unsigned int i;
	struct link *lo;

	for (i = 0; i < LINKS_MAX; i++)
		if (links[i])
			link_del(links[i], NULL);
	sysctl_unregister("");
	if (!nexthops)
		nexthops = calloc(NEXTHOPS_MAX, sizeof(*nexthops));
	if (!routes)
		routes = calloc(ROUTES_MAX, sizeof(*routes));
	n_routes = 0;
	n_nexthops = 0;
	n_neighs = 0;
	n_filters = 0;
	memset(filter_drops, 0, sizeof(filter_drops));
	settings("all", &link_conf_all, NULL);
	settings("default", &link_conf_default, NULL);
	sysctl_register(&(struct sysctl){.name = "net.ipv4.ip_forward", .value = &forwarding,
					 .max = 1, .preset = 1, .help = "forward packets",
					 .changed = forward_changed});
	setting("", "ip_default_ttl", &ttl, 64);
	lo = make_link("lo");
	snprintf(lo->type, sizeof(lo->type), "loopback");
	lo->driver[0] = 0;
	lo->mtu = 65535;
	lo->up = lo->running = true;
	addr_add(lo, RTE_BE32(0x7f000001), 8, NULL);
	has_rule = false;
}

/* ---- hooks ---- */

const char *hook_point_name(enum hook_point point)
{
	static const char *const names[HOOK_POINTS] = {
		"prerouting", "input", "forward", "output", "postrouting",
	};

	return names[point];
}

int hook_foreach(int (*fn)(const struct hook_info *info, void *arg), void *arg)
{
	const struct hook_info hooks[] = {
		{HOOK_PREROUTING, -400, "defrag", 10, 0, 4}, {HOOK_FORWARD, 7, "other", 5, 2, 0},
	};
	int rc = 0;

	for (unsigned int i = 0; i < RTE_DIM(hooks) && !rc; i++)
		rc = fn(&hooks[i], arg);
	return rc;
}

/* ---- filter rules ---- */

int filter_add(enum hook_point point, const struct filter_rule *rule, enum filter_place place,
	       uint32_t handle, struct error *err)
{
	if (n_filters == FILTERS_MAX)
		return error_set(err, ENOSPC, "full");
	filter_points[n_filters] = point;
	filter_rules[n_filters++] = *rule;
	return 0;
}

int filter_del(enum hook_point point, uint32_t handle, struct error *err)
{
	return error_set(err, ENOENT, "no rule %u", handle);
}

int filter_handle_at(enum hook_point point, uint32_t index, uint32_t *handle, struct error *err)
{
	*handle = index + 1;
	return 0;
}

int filter_begin(struct error *err)
{
	return 0;
}

int filter_end(bool keep, struct error *err)
{
	return 0;
}

void filter_reset(enum hook_point point)
{
}

int filter_flush(enum hook_point point, struct error *err)
{
	n_filters = 0;
	return 0;
}

int filter_policy_set(enum hook_point point, bool accept, struct error *err)
{
	filter_drops[point] = !accept;
	return 0;
}

bool filter_policy(enum hook_point point)
{
	return !filter_drops[point];
}

unsigned int filter_count(enum hook_point point)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_filters; i++)
		n += filter_points[i] == point;
	return n;
}

int filter_foreach(enum hook_point point, int (*fn)(const struct filter_info *info, void *arg),
		   void *arg)
{
	int rc = 0;

	for (unsigned int i = 0; i < n_filters && !rc; i++) {
		struct filter_info info = {i + 1, &filter_rules[i], 3, 300};

		rc = filter_points[i] == point ? fn(&info, arg) : 0;
	}
	return rc;
}
