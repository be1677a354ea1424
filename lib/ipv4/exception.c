/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions; see exception.h. A set-associative table of a few words an entry; in a full set the
 * entry that would expire first makes room, as in Linux's buckets.
 *
 * Linux does not remove what is flushed: it marks it, and the next who looks it up empties it. An
 * emptied entry stays for good (here: as long as nobody needs the room) and shows in one thing: a
 * destination on the link is its own gateway, so it may send redirects. What nobody has looked up
 * expires in its time, or comes back when something new is learned beside it. So workers note in
 * `asked` which of the marked entries they have met, and forwarding looks them up, too, until they
 * are empty or gone.
 */
#include "ipv4/exception.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_random.h>

#include "core/message.h"
#include "core/sysctl.h"
#include "core/timer.h"
#include "ipv4/fast_nexthop.h"
#include "ipv4/internal.h"
#include "ipv4/options.h"
#include "neigh/neigh.h"
#include "route/group.h"

#define SETS 2048
#define WAYS 5
#define ENTRIES (SETS * WAYS)
#define MTU_MASK 0xffffu
#define LOCKED (1u << 16)
#define FLUSHED (1u << 17)                   /* nobody has looked it up since */
#define GATEWAY_SHIFT 32
#define SETTLE_NS NSEC_PER_SEC               /* how often flushed entries are looked at */
#define REDIRECT_CODES 7                     /* the bits of the code that are looked at */

struct entry {
	uint64_t key;                        /* next hop << 32 | destination; 0: empty */
	uint64_t value;                      /* gateway << 32 | MTU | LOCKED | FLUSHED; 0: none */
	/* control thread only */
	uint64_t expires_ns;                 /* 0: never */
};

struct exception_settings exception_settings;
uint32_t ip_exceptions;

static struct entry *table;
static bool *asked;                          /* of each entry that is FLUSHED; any thread */
static uint32_t emptied;                     /* of the entries */
static uint64_t secret;
static uint16_t slowing[NEXTHOPS_MAX];       /* exceptions of each that forwarding heeds */
static uint16_t link_mtu[LINKS_MAX];         /* before it changed */
static struct timer expiry;

static uint64_t key_of(uint32_t nexthop, rte_be32_t dst)
{
	return (uint64_t)nexthop << 32 | dst;
}

static struct entry *set_of(uint64_t key)
{
	return &table[((key ^ secret) * 0x9E3779B97F4A7C15ULL >> 40) % SETS * WAYS];
}

bool ip_exception_find(uint32_t nexthop, rte_be32_t dst, struct ip_exception *e)
{
	uint64_t key = key_of(nexthop, dst);
	const struct entry *set = set_of(key);

	for (unsigned int i = 0; i < WAYS; i++) {
		uint64_t value;

		if (__atomic_load_n(&set[i].key, __ATOMIC_ACQUIRE) != key)
			continue;
		value = __atomic_load_n(&set[i].value, __ATOMIC_ACQUIRE);
		/* still this one's */
		if (__atomic_load_n(&set[i].key, __ATOMIC_RELAXED) != key)
			return false;
		if (unlikely(value & FLUSHED)) {
			__atomic_store_n(&asked[&set[i] - table], true, __ATOMIC_RELAXED);
			value = 0;
		}
		*e = (struct ip_exception){.gateway = (rte_be32_t)(value >> GATEWAY_SHIFT),
					   .mtu = (uint16_t)(value & MTU_MASK),
					   .locked = value & LOCKED};
		return true;
	}
	return false;
}

/* ---- control thread ---- */

static uint32_t nexthop_of(const struct entry *e)
{
	return (uint32_t)(e->key >> 32);
}

/* Is it an MTU that forwarding heeds only if it is told to? */
static bool is_optional(uint64_t value)
{
	return (value & MTU_MASK) && !(value & (LOCKED | FLUSHED)) && !(value >> GATEWAY_SHIFT);
}

static bool is_heeded(uint64_t value)
{
	return is_optional(value) ? exception_settings.forward_use_pmtu : value != 0;
}

/* One more or less that forwarding by the next hop heeds. */
static void slow(uint32_t nexthop, int by)
{
	slowing[nexthop] = (uint16_t)(slowing[nexthop] + by);
	if (slowing[nexthop] == (by > 0))
		fast_nexthop_refresh(nexthop);
}

static void value_set(struct entry *e, uint64_t value)
{
	int by = is_heeded(value) - is_heeded(e->value);

	emptied += !value;
	emptied -= !e->value;
	__atomic_store_n(&e->value, value, __ATOMIC_RELEASE);
	if (by)
		slow(nexthop_of(e), by);
}

static void forget(struct entry *e)
{
	value_set(e, 0);
	emptied--;
	__atomic_store_n(&e->key, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&ip_exceptions, ip_exceptions - 1, __ATOMIC_RELAXED);
}

static void for_each(void (*fn)(struct entry *e, uint64_t arg), uint64_t arg)
{
	for (unsigned int i = 0; ip_exceptions && i < ENTRIES; i++)
		if (table[i].key)
			fn(&table[i], arg);
}

/* Empty what has been flushed and looked up since. */
static void settle(struct entry *e)
{
	if (!(e->value & FLUSHED) || !__atomic_load_n(&asked[e - table], __ATOMIC_RELAXED))
		return;
	value_set(e, 0);
	e->expires_ns = 0;
}

static void forget_due(struct entry *e, uint64_t now_ns)
{
	settle(e);
	if (e->expires_ns && e->expires_ns <= now_ns)
		forget(e);
}

static void forget_of(struct entry *e, uint64_t nexthop)
{
	if (nexthop_of(e) == nexthop)
		forget(e);
}

static void flush(struct entry *e, uint64_t arg)
{
	settle(e);
	if (!e->value || e->value & FLUSHED)
		return;
	__atomic_store_n(&asked[e - table], false, __ATOMIC_RELAXED);
	value_set(e, e->value | FLUSHED);
}

static void expire(struct timer *t, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;

	for_each(forget_due, now_ns);
	for (unsigned int i = 0; ip_exceptions && i < ENTRIES; i++) {
		if (!table[i].key || !table[i].expires_ns)
			continue;
		next_ns = RTE_MIN(next_ns, table[i].expires_ns);
		if (table[i].value & FLUSHED)
			next_ns = RTE_MIN(next_ns, now_ns + SETTLE_NS);
	}
	if (next_ns != UINT64_MAX)
		timer_set(t, next_ns, expire);
}

void ip_exception_flush(void)
{
	for_each(flush, 0);
	expire(&expiry, clock_now_ns());
}

void ip_exception_nexthop(uint32_t nexthop)
{
	if (!nexthop_get(nexthop)->refs)
		for_each(forget_of, nexthop);
}

bool ip_exception_slows(uint32_t nexthop)
{
	return slowing[nexthop];
}

static struct entry *entry_find(uint32_t nexthop, rte_be32_t dst)
{
	struct entry *set = set_of(key_of(nexthop, dst));

	for (unsigned int i = 0; i < WAYS; i++)
		if (set[i].key == key_of(nexthop, dst)) {
			settle(&set[i]);
			return &set[i];
		}
	return NULL;
}

static struct ip_exception_info info_of(const struct entry *e)
{
	uint64_t now_ns = clock_now_ns();

	return (struct ip_exception_info){
		.nexthop = nexthop_of(e),
		.dst = (rte_be32_t)e->key,
		.gateway = (rte_be32_t)(e->value >> GATEWAY_SHIFT),
		.mtu = (uint16_t)(e->value & MTU_MASK),
		.locked = e->value & LOCKED,
		.seconds = e->expires_ns > now_ns ? (e->expires_ns - now_ns) / NSEC_PER_SEC : 0,
	};
}

bool ip_exception_info(uint32_t nexthop, rte_be32_t dst, struct ip_exception_info *info)
{
	const struct entry *e = entry_find(nexthop, dst);

	if (!e || e->value & FLUSHED)
		return false;
	*info = info_of(e);
	return true;
}

int ip_exception_foreach(int (*fn)(const struct ip_exception_info *info, void *arg), void *arg)
{
	for (unsigned int i = 0; ip_exceptions && i < ENTRIES; i++) {
		struct ip_exception_info info;
		int rc;

		if (!table[i].key)
			continue;
		settle(&table[i]);
		if (table[i].value & FLUSHED)
			continue;
		info = info_of(&table[i]);
		rc = fn(&info, arg);
		if (rc)
			return rc;
	}
	return 0;
}

/* The entry of a key, made if there is none; NULL: there are enough. */
static struct entry *entry_make(uint64_t key)
{
	struct entry *set = set_of(key), *free = NULL, *first = set;

	for (unsigned int i = 0; i < WAYS; i++) {
		if (set[i].key == key) {
			settle(&set[i]);
			return &set[i];
		}
		if (!set[i].key)
			free = &set[i];
		else if (set[i].expires_ns < first->expires_ns)
			first = &set[i];
	}
	if (!free) {
		forget(first);
		free = first;
	}
	if (ip_exceptions - emptied >= (uint32_t)exception_settings.max)
		return NULL;
	__atomic_store_n(&free->value, 0, __ATOMIC_RELEASE);
	free->expires_ns = 0;
	emptied++;
	__atomic_store_n(&free->key, key, __ATOMIC_RELEASE);
	__atomic_store_n(&ip_exceptions, ip_exceptions + 1, __ATOMIC_RELAXED);
	return free;
}

/* Remember a gateway or an MTU, or the one beside the other; from now on for so long. Linux's
 * update_or_create_fnhe, which also brings back what was flushed and not looked up since. */
static void learn(uint32_t nexthop, rte_be32_t dst, rte_be32_t gateway, uint32_t mtu,
		  int32_t seconds)
{
	struct entry *e = entry_make(key_of(nexthop, dst));
	uint64_t value;

	if (!e)
		return;
	value = e->value & ~(uint64_t)FLUSHED;
	if (gateway)
		value = (value & UINT32_MAX) | (uint64_t)gateway << GATEWAY_SHIFT;
	if (mtu)
		value = value >> GATEWAY_SHIFT << GATEWAY_SHIFT | mtu;
	value_set(e, value);
	e->expires_ns = clock_now_ns() + (uint64_t)seconds * NSEC_PER_SEC;
	if (!timer_pending(&expiry) || expiry.at_ns > e->expires_ns)
		timer_set(&expiry, e->expires_ns, expire);
}

/* Was the same said before, and is that still to be believed for half of the time? */
static bool is_fresh(const struct ip_flow *f, uint32_t mtu)
{
	const struct entry *e = entry_find(f->nexthop, f->dst);
	uint64_t half_ns = (uint64_t)exception_settings.mtu_expires_s * NSEC_PER_SEC / 2;

	return e && (e->value & MTU_MASK) == mtu && clock_now_ns() + half_ns < e->expires_ns;
}

static void learn_mtu(const struct ip_flow *f, uint32_t mtu)
{
	uint32_t index = route_lookup(&(struct route_flow){
		.dst = f->dst, .src = f->src, .iif = LINK_LO, .tos = f->tos, .mark = f->mark });
	const struct nexthop *nh = nexthop_get(index);
	const struct group *g = nh->type == ROUTE_GROUP ? group_of(nh) : NULL;

	if (!g)
		learn(index, f->dst, 0, mtu, exception_settings.mtu_expires_s);
	for (unsigned int i = 0; g && i < g->n; i++)
		learn(g->members[i].nexthop, f->dst, 0, mtu, exception_settings.mtu_expires_s);
}

/* The way of what is reported about; false: there is none of which anything is remembered. Linux
 * remembers nothing of the way to an address of the router's own, but for those of lo. */
static bool way_find(struct ip_flow *f)
{
	return !ip_route_output(f) &&
	       (f->route_type != ROUTE_LOCAL || nexthop_get(f->nexthop)->link == LINK_LO);
}

/* Of several ways it is not known which one is narrow: it is remembered of each. Linux's
 * __ip_rt_update_pmtu. */
static void on_pmtu(unsigned int worker, const struct message *msg)
{
	struct ip_flow f = {.dst = msg->addr, .src = msg->src, .protocol = IPPROTO_ICMP,
			    .tos = (uint8_t)msg->link, .mark = msg->mark};
	uint32_t mtu = msg->arg, least = (uint32_t)exception_settings.min_pmtu;

	if (!way_find(&f) || f.mtu_locked || f.mtu < mtu)
		return;
	if (mtu < least)
		learn_mtu(&f, RTE_MIN(f.mtu, least) | LOCKED);
	else if (!is_fresh(&f, mtu))
		learn_mtu(&f, mtu);
}

bool ip_update_pmtu(struct worker *w, rte_be32_t dst, rte_be32_t src, uint8_t tos, uint32_t mark,
		    uint16_t mtu)
{
	const struct message msg = {.kind = MSG_PMTU, .addr = dst, .src = src, .arg = mtu,
				    .link = tos, .mark = mark};

	return message_to_control(w, &msg);
}

/* ---- redirects ---- */

/* Are redirects that come in by this link believed at all? Linux's IN_DEV_RX_REDIRECTS. */
static bool is_accepting(const struct link *l)
{
	return l->conf.forwarding ? LINK_CONF_AND(l, accept_redirects)
				  : LINK_CONF_OR(l, accept_redirects);
}

bool ip_redirect_wanted(const struct link *l, uint8_t code, rte_be32_t from, rte_be32_t gateway)
{
	return (code & REDIRECT_CODES) <= ICMP_REDIR_HOSTTOS && is_accepting(l) &&
	       gateway != from && gateway && !ip_is_multicast(gateway) &&
	       !ip_is_limited_broadcast(gateway);
}

/* Is it the gateway of any way over the link? Linux's ip_fib_check_default. */
static bool is_known_gateway(const struct link *l, rte_be32_t addr)
{
	for (uint32_t i = 1; i < NEXTHOPS_MAX; i++) {
		const struct nexthop *nh = nexthop_get(i);

		if (nh->refs && nh->type == ROUTE_UNICAST && nh->link == l->id &&
		    nh->gateway == addr && !(nh->flags & NEXTHOP_F_DEAD))
			return true;
	}
	return false;
}

/* May what comes in by this link name such a gateway? */
static bool is_credible(const struct link *l, rte_be32_t from, rte_be32_t gateway)
{
	if (LINK_CONF_OR(l, shared_media))
		return ip_options_foreign(gateway);
	return addr_onlink(l, gateway, from) &&
	       (!LINK_CONF_OR(l, secure_redirects) || is_known_gateway(l, gateway));
}

/* Only the gateway that is in use may name another, and none that does not answer ARP is taken:
 * it is asked, and a later redirect finds it known. Linux's __ip_do_redirect. */
static void do_redirect(unsigned int worker, const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	const struct link *l = link_get(packet_of(m)->link);
	uint32_t at = rte_ipv4_hdr_len(ip);
	struct rte_ipv4_hdr quoted;
	struct icmp_hdr icmp;
	struct ip_flow f;

	packet_read(m, at, sizeof(icmp), &icmp);
	packet_read(m, at + sizeof(icmp), sizeof(quoted), &quoted);
	f = (struct ip_flow){.dst = quoted.dst_addr, .src = quoted.src_addr,
			     .protocol = quoted.next_proto_id, .tos = ip_quoted_tos(&quoted)};
	if (!l || !way_find(&f) || f.gateway != ip->src_addr ||
	    !is_credible(l, ip->src_addr, icmp.info) ||
	    !neigh_resolve(f.out_link, icmp.info, worker))
		return;
	f.about = m;
	if (way_find(&f))
		learn(f.nexthop, f.dst, icmp.info, 0, exception_settings.redirect_expires_s);
}

static void on_redirect(unsigned int worker, const struct message *msg)
{
	do_redirect(worker, msg->mbuf);
	rte_pktmbuf_free(msg->mbuf);
}

void ip_redirect(struct worker *w, struct rte_mbuf *m)
{
	const struct message msg = {.kind = MSG_REDIRECT, .mbuf = m};

	if (message_to_control(w, &msg))
		w->counters->delivered++;
	else
		packet_drop(w, m, DROP_CONTROL_QUEUE_FULL);
}

/* A link's MTU bounds what was learned of ways over it. Linux's fib_nhc_update_mtu. */
static void mtu_changed(struct entry *e, uint64_t link)
{
	const struct link *l = link_get((unsigned int)link);
	uint32_t mtu;

	if (nexthop_get(nexthop_of(e))->link != link)
		return;
	settle(e);
	mtu = e->value & MTU_MASK;
	if (l->mtu < mtu || (e->value & LOCKED ? l->mtu == mtu : link_mtu[link] == mtu))
		value_set(e, (e->value & ~(uint64_t)(MTU_MASK | LOCKED)) | l->mtu);
}

static void on_link(enum link_event event, struct link *l, const struct link_addr *a)
{
	if (event == LINK_MTU)
		for_each(mtu_changed, l->id);
	if (event == LINK_MTU || event == LINK_ADDED)
		link_mtu[l->id] = l->mtu;
}

/* Which exceptions forwarding heeds is another question now. */
static void use_changed(struct sysctl *s, int32_t old)
{
	int32_t new = *s->value;

	for (unsigned int i = 0; new != old && i < ENTRIES; i++)
		if (table[i].key && is_optional(table[i].value))
			slow(nexthop_of(&table[i]), new - old);
}

static const struct sysctl settings[] = {
	{.name = "net.ipv4.route.mtu_expires", .value = &exception_settings.mtu_expires_s, .min = 1,
	 .max = INT_MAX, .preset = 600,
	 .help = "seconds for which the MTU of a path that a host reported is believed"},
	{.name = "net.ipv4.route.gc_timeout", .value = &exception_settings.redirect_expires_s,
	 .min = 1, .max = INT_MAX, .preset = 300,
	 .help = "seconds for which a gateway that a redirect names is used"},
	{.name = "net.ipv4.route.min_pmtu", .value = &exception_settings.min_pmtu, .min = 68,
	 .max = UINT16_MAX, .preset = 552,
	 .help = "the least MTU of a path that is believed; less counts as this, without DF"},
	{.name = "net.ipv4.ip_forward_use_pmtu", .value = &exception_settings.forward_use_pmtu,
	 .min = 0, .max = 1, .preset = 0, .changed = use_changed,
	 .help = "forwarding heeds reported MTUs of paths, which are easily forged"},
	{.name = "net.millrace.route_exceptions_max", .value = &exception_settings.max, .min = 0,
	 .max = ENTRIES, .preset = 4096,
	 .help = "destinations of which something is remembered: path MTU, gateway; 0: none"},
};

int ip_exception_init(void)
{
	int rc;

	for (unsigned int i = 0; i < RTE_DIM(settings); i++) {
		rc = sysctl_register(&settings[i]);
		if (rc)
			return rc;
	}
	table = rte_zmalloc("exceptions", ENTRIES * sizeof(*table), RTE_CACHE_LINE_SIZE);
	asked = rte_zmalloc("exceptions_asked", ENTRIES * sizeof(*asked), RTE_CACHE_LINE_SIZE);
	secret = rte_rand();
	message_on_control(MSG_PMTU, on_pmtu);
	message_on_control(MSG_REDIRECT, on_redirect);
	link_notifier_register(on_link);
	return table && asked ? 0 : -ENOMEM;
}

void ip_exception_fini(void)
{
	timer_stop(&expiry);
	rte_free(table);
	rte_free(asked);
	table = NULL;
	asked = NULL;
	ip_exceptions = emptied = 0;
	memset(slowing, 0, sizeof(slowing));
}
