/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbour table: a chained hash of (link, address), written by the control thread and read
 * by workers under rcu, and what the operator does with it.
 *
 * The number of buckets doubles with the entries. An entry has a place in a chain of the old table
 * and in one of the new: chains of the old one stay whole until no worker walks them any more, so
 * that a known neighbour is never missed. Only then can the table grow again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_random.h>

#include "core/sysctl.h"
#include "neigh/arp.h"
#include "neigh/neigh_table.h"

#define BITS_AT_START 8
#define BITS_MAX 20
#define LOAD_MAX 4U                    /* entries a bucket, for which growth is waited for */

struct neigh_buckets *neigh_buckets;
uint64_t neigh_hash_key[2];
unsigned int neigh_entries;

static bool growing;                   /* the last table may still be walked */

/* ---- hash ---- */

static struct neigh_buckets *buckets_alloc(unsigned int bits, unsigned int generation)
{
	struct neigh_buckets *b;

	b = calloc(1, sizeof(*b) + (sizeof(b->bucket[0]) << bits));
	if (!b)
		return NULL;
	b->bits = bits;
	b->generation = generation;
	return b;
}

static void hash_insert(struct neigh_buckets *b, struct neigh *n)
{
	struct neigh **head = &b->bucket[neigh_hash(n->link, n->addr, b->bits)];

	rcu_assign(n->next[b->generation], *head);
	rcu_assign(*head, n);
}

static void hash_remove(struct neigh *n)
{
	struct neigh_buckets *b = neigh_buckets;
	struct neigh **at = &b->bucket[neigh_hash(n->link, n->addr, b->bits)];

	while (*at != n)
		at = &(*at)->next[b->generation];
	rcu_assign(*at, n->next[b->generation]);
}

/* No worker walks its chains any more. */
static void hash_grown(void *old)
{
	free(old);
	growing = false;
}

static void hash_grow(void)
{
	struct neigh_buckets *old = neigh_buckets, *b;

	if (neigh_entries <= 1U << old->bits || old->bits == BITS_MAX)
		return;
	if (growing && neigh_entries > LOAD_MAX << old->bits)
		rcu_synchronize();
	if (growing)
		return;
	b = buckets_alloc(old->bits + 1, !old->generation);
	if (!b)
		return;
	growing = true;
	for (size_t i = 0; i < (size_t)1 << old->bits; i++)
		for (struct neigh *n = old->bucket[i]; n; n = n->next[old->generation])
			hash_insert(b, n);
	rcu_assign(neigh_buckets, b);
	rcu_defer(hash_grown, old);
}

void neigh_each(const struct link *l, void (*fn)(struct neigh *n, void *arg), void *arg)
{
	const struct neigh_buckets *b = neigh_buckets;

	for (size_t i = 0; i < (size_t)1 << b->bits; i++) {
		struct neigh *n, *next;

		for (n = b->bucket[i]; n; n = next) {
			next = n->next[b->generation];
			if (!l || n->link == l->id)
				fn(n, arg);
		}
	}
}

/* ---- entries ---- */

/* Some addresses need no question: broadcast, multicast, and whatever is on lo. */
static void know_by_nature(struct neigh *n, const struct link *l)
{
	uint32_t addr = rte_be_to_cpu_32(n->addr);

	switch (arp_addr_type(n->addr)) {
	case ROUTE_MULTICAST:
		n->mac = (struct rte_ether_addr){{0x01, 0x00, 0x5e, (addr >> 16) & 0x7f,
						  (addr >> 8) & 0xff, addr & 0xff}};
		break;
	case ROUTE_BROADCAST:
		memset(&n->mac, 0xff, sizeof(n->mac));
		break;
	default:
		if (l->id != LINK_LO)
			return;
		n->mac = l->mac;
		break;
	}
	n->state = NUD_NOARP;
}

static struct neigh *create(struct link *l, rte_be32_t addr, bool exempt)
{
	uint64_t now_ns = clock_now_ns();
	struct neigh *n;

	if (!exempt && l->id != LINK_LO && !neigh_gc_make_room(now_ns))
		return NULL;
	n = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*n));
	if (!n)
		return NULL;
	*n = (struct neigh){
		.addr = addr, .link = l->id, .state = NUD_NONE,
		.used_ns = now_ns, .updated_ns = now_ns,
		.confirmed_ns = now_ns - 2 * NSEC_PER_MSEC *
				(uint64_t)neigh_parms[l->id].base_reachable_time_ms,
	};
	know_by_nature(n, l);
	neigh_gc_changed(n);
	neigh_entries++;
	hash_grow();
	hash_insert(neigh_buckets, n);
	neigh_publish(n);
	if (!exempt)
		neigh_gc_list_update(n);
	return n;
}

struct neigh *neigh_get(struct link *l, rte_be32_t addr)
{
	struct neigh *n = neigh_lookup(l->id, addr);

	return n ? n : create(l, addr, false);
}

void neigh_remove(struct neigh *n, enum message_kind kind, uint32_t arg)
{
	timer_stop(&n->timer);
	hash_remove(n);
	neigh_entries--;
	neigh_gc_forget(n);
	n->dead = true;
	neigh_publish(n);
	neigh_answer(n, kind, arg);
	neigh_dispose(n);
}

/* ---- links ---- */

static void drop_one(struct neigh *n, void *arg)
{
	const bool *spare_permanent = arg;

	if (!*spare_permanent || n->state != NUD_PERMANENT)
		neigh_remove(n, MSG_NEIGH_DROP, DROP_NEIGH_FLUSHED);
}

static void drop_all(const struct link *l, bool spare_permanent)
{
	neigh_each(l, drop_one, &spare_permanent);
}

/* Linux's arp_ifdown: the link is down, or has lost its last address. */
static void link_down(const struct link *l)
{
	drop_all(l, false);
	arp_proxy_purge();
}

static void link_no_carrier(const struct link *l)
{
	if (!LINK_CONF_AND(l, arp_evict_nocarrier))
		return;
	drop_all(l, true);
	arp_proxy_purge();
}

/* What is asked for no more is a host: Linux's arp_invalidate(). */
static void become_broadcast(const struct link *l, rte_be32_t addr)
{
	struct neigh *n = neigh_lookup(l->id, addr);

	if (n && !(n->state & NUD_VALID))
		neigh_remove(n, MSG_NEIGH_FAILED, 0);
}

static void on_link_event(enum link_event event, struct link *l, const struct link_addr *a)
{
	switch (event) {
	case LINK_ADDED:
		(void)neigh_parms_link_add(l);
		break;
	case LINK_DELETED:
		link_down(l);
		neigh_parms_link_del(l);
		break;
	case LINK_UP:
		arp_notify(l);
		break;
	case LINK_DOWN:
		link_down(l);
		break;
	case LINK_CARRIER_OFF:
		link_no_carrier(l);
		break;
	case LINK_ADDRESS:
		drop_all(l, false);
		arp_notify(l);
		break;
	case LINK_ADDR_ADDED:
		if (l->up && !a->secondary && a->broadcast)
			become_broadcast(l, a->broadcast);
		break;
	case LINK_ADDR_DELETED:
		if (!l->addrs || l->addrs->n == 0)
			link_down(l);
		break;
	default:
		break;
	}
}

/* ---- the operator ---- */

int neigh_add(struct link *l, rte_be32_t addr, const struct rte_ether_addr *lladdr,
	      unsigned int state, bool replace, struct error *err)
{
	struct neigh *n = neigh_lookup(l->id, addr);
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &addr, text, sizeof(text));
	if (n && !replace)
		return error_set(err, EEXIST, "%s: neighbour exists on %s", text, l->name);
	if (!n)
		n = create(l, addr, state == NUD_PERMANENT);
	if (!n)
		return error_set(err, ENOBUFS, "%s: the neighbour table is full "
				 "(net.ipv4.neigh.default.gc_thresh3)", text);
	(void)neigh_update(n, lladdr, state, NEIGH_UPDATE_ADMIN | NEIGH_UPDATE_OVERRIDE);
	return 0;
}

/* Packets that wait for an entry which the operator removes get ICMP, as in Linux. */
static void remove_by_hand(struct neigh *n)
{
	neigh_remove(n, MSG_NEIGH_FAILED, 0);
}

static int no_such(const struct link *l, rte_be32_t addr, struct error *err)
{
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &addr, text, sizeof(text));
	return error_set(err, ENOENT, "%s: no such neighbour on %s", text, l->name);
}

int neigh_del(struct link *l, rte_be32_t addr, struct error *err)
{
	struct neigh *n = neigh_lookup(l->id, addr);

	if (!n)
		return no_such(l, addr, err);
	remove_by_hand(n);
	return 0;
}

static struct neigh_info describe(const struct neigh *n, uint64_t now_ns)
{
	return (struct neigh_info){
		.addr = n->addr, .link = link_get(n->link), .lladdr = n->mac,
		.has_lladdr = n->state & NUD_VALID, .state = n->state,
		.confirmed_ns = now_ns - n->confirmed_ns, .used_ns = now_ns - n->used_ns,
		.updated_ns = now_ns - n->updated_ns, .probes = n->probes,
	};
}

int neigh_find(const struct link *l, rte_be32_t addr, struct neigh_info *info, struct error *err)
{
	const struct neigh *n = neigh_lookup(l->id, addr);

	if (!n)
		return no_such(l, addr, err);
	*info = describe(n, clock_now_ns());
	return 0;
}

struct flush {
	bool (*which)(const struct neigh_info *n, void *arg);
	void *arg;
	uint64_t now_ns;
	unsigned int n;
};

static bool is_learned(const struct neigh_info *n, void *arg)
{
	return !(n->state & (NUD_PERMANENT | NUD_NOARP));
}

static void flush_one(struct neigh *n, void *arg)
{
	struct flush *f = arg;
	struct neigh_info info = describe(n, f->now_ns);

	if (!f->which(&info, f->arg))
		return;
	remove_by_hand(n);
	f->n++;
}

unsigned int neigh_flush(const struct link *l,
			 bool (*which)(const struct neigh_info *n, void *arg), void *arg)
{
	struct flush f = {which ? which : is_learned, arg, clock_now_ns(), 0};

	neigh_each(l, flush_one, &f);
	return f.n;
}

struct sorted {
	unsigned int n;
	const struct neigh **entry;
};

static void collect(struct neigh *n, void *arg)
{
	struct sorted *s = arg;

	s->entry[s->n++] = n;
}

static int compare(const void *a, const void *b)
{
	const struct neigh *x = *(const struct neigh *const *)a;
	const struct neigh *y = *(const struct neigh *const *)b;
	uint64_t kx = (uint64_t)x->link << 32 | rte_be_to_cpu_32(x->addr);
	uint64_t ky = (uint64_t)y->link << 32 | rte_be_to_cpu_32(y->addr);

	return kx < ky ? -1 : kx > ky;
}

int neigh_foreach(const struct link *l, int (*fn)(const struct neigh_info *n, void *arg), void *arg)
{
	struct sorted s = {0};
	uint64_t now_ns = clock_now_ns();
	int rc = 0;

	s.entry = malloc(RTE_MAX(neigh_entries, 1U) * sizeof(*s.entry));
	if (!s.entry)
		return -ENOMEM;
	neigh_each(l, collect, &s);
	qsort(s.entry, s.n, sizeof(*s.entry), compare);
	for (unsigned int i = 0; i < s.n && rc == 0; i++) {
		struct neigh_info info = describe(s.entry[i], now_ns);

		rc = fn(&info, arg);
	}
	free(s.entry);
	return rc;
}

const char *neigh_state_name(unsigned int state)
{
	switch (state) {
	case NUD_NONE:
		return "NONE";
	case NUD_INCOMPLETE:
		return "INCOMPLETE";
	case NUD_REACHABLE:
		return "REACHABLE";
	case NUD_STALE:
		return "STALE";
	case NUD_DELAY:
		return "DELAY";
	case NUD_PROBE:
		return "PROBE";
	case NUD_FAILED:
		return "FAILED";
	case NUD_NOARP:
		return "NOARP";
	case NUD_PERMANENT:
		return "PERMANENT";
	default:
		return "UNKNOWN";
	}
}

/* ---- start and stop ---- */

/* Links that were made before this room was: lo. */
static int adopt_links(void)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		int rc = link_get(i) ? neigh_parms_link_add(link_get(i)) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

int neigh_init(void)
{
	int rc;

	neigh_hash_key[0] = rte_rand() | 1;
	neigh_hash_key[1] = rte_rand();
	neigh_buckets = buckets_alloc(BITS_AT_START, 0);
	if (!neigh_buckets)
		return -ENOMEM;
	rc = neigh_parms_init();
	if (rc == 0)
		rc = adopt_links();
	if (rc == 0)
		rc = neigh_gc_init();
	if (rc < 0)
		return rc;
	arp_init();
	neigh_answer_init();
	neigh_output_init();
	link_notifier_register(on_link_event);
	return 0;
}

static void free_one(struct neigh *n, void *arg)
{
	timer_stop(&n->timer);
	n->dead = true;
	neigh_dispose(n);
}

void neigh_fini(void)
{
	neigh_gc_stop();
	arp_proxy_purge();
	if (!neigh_buckets)
		return;
	neigh_each(NULL, free_one, NULL);
	neigh_answer_fini();
	free(neigh_buckets);
	neigh_buckets = NULL;
	neigh_gc_fini();
	neigh_entries = 0;
}
