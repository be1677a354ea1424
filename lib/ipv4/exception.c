/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exceptions; see exception.h. A set-associative table of two words an entry; in a full set the
 * entry that would expire first makes room, as in Linux's buckets.
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

#define SETS 2048
#define WAYS 5
#define ENTRIES (SETS * WAYS)
#define LOCKED (1u << 16)

struct entry {
	uint64_t key;                        /* next hop << 32 | destination; 0: empty */
	uint32_t value;                      /* MTU | LOCKED */
	/* control thread only */
	uint64_t expires_ns;
};

struct exception_settings exception_settings;
uint32_t ip_exceptions;

static struct entry *table;
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
		uint32_t value;

		if (__atomic_load_n(&set[i].key, __ATOMIC_ACQUIRE) != key)
			continue;
		value = __atomic_load_n(&set[i].value, __ATOMIC_ACQUIRE);
		/* still this one's */
		if (__atomic_load_n(&set[i].key, __ATOMIC_RELAXED) != key)
			return false;
		*e = (struct ip_exception){.mtu = (uint16_t)value, .locked = value & LOCKED};
		return true;
	}
	return false;
}

/* ---- control thread ---- */

static uint32_t nexthop_of(const struct entry *e)
{
	return (uint32_t)(e->key >> 32);
}

static bool is_heeded(uint32_t value)
{
	return (value & LOCKED) || exception_settings.forward_use_pmtu;
}

/* One more or less that forwarding by the next hop heeds. */
static void slow(uint32_t nexthop, int by)
{
	slowing[nexthop] = (uint16_t)(slowing[nexthop] + by);
	if (slowing[nexthop] == (by > 0))
		fast_nexthop_refresh(nexthop);
}

static void value_set(struct entry *e, uint32_t value)
{
	int by = is_heeded(value) - is_heeded(e->value);

	__atomic_store_n(&e->value, value, __ATOMIC_RELEASE);
	if (by)
		slow(nexthop_of(e), by);
}

static void forget(struct entry *e)
{
	if (is_heeded(e->value))
		slow(nexthop_of(e), -1);
	__atomic_store_n(&e->key, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&ip_exceptions, ip_exceptions - 1, __ATOMIC_RELAXED);
}

static void for_each(void (*fn)(struct entry *e, uint64_t arg), uint64_t arg)
{
	for (unsigned int i = 0; ip_exceptions && i < ENTRIES; i++)
		if (table[i].key)
			fn(&table[i], arg);
}

static void forget_due(struct entry *e, uint64_t now_ns)
{
	if (e->expires_ns <= now_ns)
		forget(e);
}

static void forget_of(struct entry *e, uint64_t nexthop)
{
	if (nexthop_of(e) == nexthop)
		forget(e);
}

static void forget_any(struct entry *e, uint64_t arg)
{
	forget(e);
}

static void expire(struct timer *t, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;

	for_each(forget_due, now_ns);
	for (unsigned int i = 0; ip_exceptions && i < ENTRIES; i++)
		if (table[i].key)
			next_ns = RTE_MIN(next_ns, table[i].expires_ns);
	if (next_ns != UINT64_MAX)
		timer_set(t, next_ns, expire);
}

void ip_exception_flush(void)
{
	for_each(forget_any, 0);
	timer_stop(&expiry);
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

/* The entry of a key, made if there is none; NULL: there are enough. */
static struct entry *entry_make(uint64_t key)
{
	struct entry *set = set_of(key), *free = NULL, *first = set;

	for (unsigned int i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (!set[i].key)
			free = &set[i];
		else if (set[i].expires_ns < first->expires_ns)
			first = &set[i];
	}
	if (!free) {
		forget(first);
		free = first;
	}
	if (ip_exceptions >= (uint32_t)exception_settings.max)
		return NULL;
	__atomic_store_n(&free->value, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&free->key, key, __ATOMIC_RELEASE);
	__atomic_store_n(&ip_exceptions, ip_exceptions + 1, __ATOMIC_RELAXED);
	if (exception_settings.forward_use_pmtu)
		slow((uint32_t)(key >> 32), 1);
	return free;
}

static void learn(uint32_t nexthop, rte_be32_t dst, uint32_t value)
{
	struct entry *e = entry_make(key_of(nexthop, dst));

	if (!e)
		return;
	value_set(e, value);
	e->expires_ns = clock_now_ns() +
			(uint64_t)exception_settings.mtu_expires_s * NSEC_PER_SEC;
	if (!timer_pending(&expiry) || expiry.at_ns > e->expires_ns)
		timer_set(&expiry, e->expires_ns, expire);
}

/* Linux's __ip_rt_update_pmtu. */
static void on_pmtu(unsigned int worker, const struct message *msg)
{
	struct ip_flow f = {.dst = msg->addr, .src = msg->src, .protocol = IPPROTO_ICMP,
			    .tos = (uint8_t)msg->link};
	uint32_t mtu = msg->arg, least = (uint32_t)exception_settings.min_pmtu;

	if (ip_route_output(&f) || f.mtu < mtu)
		return;
	if (mtu < least)
		learn(f.nexthop, f.dst, RTE_MIN(f.mtu, least) | LOCKED);
	else
		learn(f.nexthop, f.dst, mtu);
}

bool ip_update_pmtu(struct worker *w, rte_be32_t dst, rte_be32_t src, uint8_t tos, uint16_t mtu)
{
	const struct message msg = {.kind = MSG_PMTU, .addr = dst, .src = src, .arg = mtu,
				    .link = tos};

	return message_to_control(w, &msg);
}

/* A link's MTU bounds what was learned of ways over it. Linux's fib_nhc_update_mtu. */
static void mtu_changed(struct entry *e, uint64_t link)
{
	const struct link *l = link_get((unsigned int)link);
	uint32_t mtu = e->value & UINT16_MAX;

	if (nexthop_get(nexthop_of(e))->link != link)
		return;
	if (l->mtu < mtu || (e->value & LOCKED ? l->mtu == mtu : link_mtu[link] == mtu))
		value_set(e, l->mtu);
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
		if (table[i].key && !(table[i].value & LOCKED))
			slow(nexthop_of(&table[i]), new - old);
}

static const struct sysctl settings[] = {
	{.name = "net.ipv4.route.mtu_expires", .value = &exception_settings.mtu_expires_s, .min = 1,
	 .max = INT_MAX, .preset = 600,
	 .help = "seconds for which the MTU of a path that a host reported is believed"},
	{.name = "net.ipv4.route.min_pmtu", .value = &exception_settings.min_pmtu, .min = 68,
	 .max = UINT16_MAX, .preset = 552,
	 .help = "the least MTU of a path that is believed; less counts as this, without DF"},
	{.name = "net.ipv4.ip_forward_use_pmtu", .value = &exception_settings.forward_use_pmtu,
	 .min = 0, .max = 1, .preset = 0, .changed = use_changed,
	 .help = "forwarding heeds reported MTUs of paths, which are easily forged"},
	{.name = "net.millrace.route_exceptions_max", .value = &exception_settings.max, .min = 0,
	 .max = ENTRIES, .preset = 4096,
	 .help = "destinations whose path's MTU is remembered; 0: none"},
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
	secret = rte_rand();
	message_on_control(MSG_PMTU, on_pmtu);
	link_notifier_register(on_link);
	return table ? 0 : -ENOMEM;
}

void ip_exception_fini(void)
{
	timer_stop(&expiry);
	rte_free(table);
	table = NULL;
	ip_exceptions = 0;
	memset(slowing, 0, sizeof(slowing));
}
