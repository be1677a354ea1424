/* SPDX-License-Identifier: BSD-3-Clause */
/* Stand-ins for the rooms core, link and neigh (stub_rooms.h). */
#include "stub_rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sysctl.h"
#include "core/timer.h"
#include "core/worker.h"
#include "link/link.h"
#include "neigh/neigh.h"

#define NEIGHS_MAX 64
#define ADDRS_MAX 16

struct link *links[LINKS_MAX];
struct link_conf link_conf_all, link_conf_default;
struct counters *control_counters;
struct worker *workers[WORKERS_MAX];
unsigned int workers_count;

static struct neigh_info neighs[NEIGHS_MAX];
static unsigned int n_neighs;
static int32_t forwarding, ttl;

/* ---- timers ---- */

int timer_set(struct timer *t, uint64_t at_ns, void (*fn)(struct timer *t, uint64_t now_ns))
{
	return 0;
}

void timer_stop(struct timer *t)
{
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

/* ---- all of it ---- */

void stub_reset(void)
{
	unsigned int i;
	struct link *lo;

	for (i = 0; i < LINKS_MAX; i++)
		if (links[i])
			link_del(links[i], NULL);
	sysctl_unregister("");
	stub_route_reset();
	stub_ipv4_reset();
	n_neighs = 0;
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
}
