/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state machine of a neighbour: RFC 4861, section 7.3, as Linux's neighbour.c runs it for
 * ARP (rule I). Control thread.
 *
 *   NONE, FAILED --wanted--> INCOMPLETE --reply--> REACHABLE --time--> STALE --used--> DELAY
 *   DELAY --time--> PROBE --reply--> REACHABLE         INCOMPLETE, PROBE --no reply--> FAILED
 *
 * Three times tell what is known: `confirmed` (the neighbour answered us), `used` (a packet needed
 * the entry while it was not connected; Linux does not count the use of a connected one) and
 * `updated` (state or address changed; the lock against address flapping counts from it).
 * Linux rounds all this to ticks of its HZ; here it is exact, but for when timers run out, of which
 * the order can be seen.
 */
#include <stddef.h>

#include "neigh/arp.h"
#include "neigh/neigh_table.h"

#define RETRANS_MIN_NS (10 * NSEC_PER_MSEC)

void (*neigh_changed)(uint16_t link, rte_be32_t addr);

static void on_timer(struct timer *t, uint64_t now_ns);

static uint64_t delay_ns(const struct neigh *n)
{
	return (uint64_t)neigh_parms_of(n)->delay_first_probe_time * NSEC_PER_SEC;
}

static uint64_t retrans_ns(const struct neigh *n)
{
	uint64_t ns = (uint64_t)neigh_parms_of(n)->retrans_time_ms * NSEC_PER_MSEC;

	return RTE_MAX(ns, RETRANS_MIN_NS);
}

static unsigned int max_probes(const struct neigh *n)
{
	const struct neigh_parms *p = neigh_parms_of(n);
	int32_t broadcasts = n->state == NUD_PROBE ? p->mcast_resolicit : p->mcast_solicit;

	return (unsigned int)p->ucast_solicit + (unsigned int)p->app_solicit +
	       (unsigned int)broadcasts;
}

void neigh_publish(struct neigh *n)
{
	bool valid = n->state & NUD_VALID && !n->dead, anew;
	uint64_t word = 0;

	anew = valid && !(__atomic_load_n(&n->word, __ATOMIC_RELAXED) & NEIGH_WORD_VALID);
	if (valid) {
		for (unsigned int i = 0; i < RTE_ETHER_ADDR_LEN; i++)
			word |= (uint64_t)n->mac.addr_bytes[i] << (8 * i);
		word |= NEIGH_WORD_VALID;
		if (n->state == NUD_STALE)
			word |= NEIGH_WORD_NOTIFY;
		if (anew || n->settling || n->settled)
			word |= NEIGH_WORD_HELD;
	}
	__atomic_store_n(&n->word, word, __ATOMIC_RELEASE);
	if (neigh_changed)
		neigh_changed(n->link, n->addr);
	if (anew)
		neigh_settle(n);
}

static void set_state(struct neigh *n, unsigned int state, uint64_t now_ns)
{
	n->state = (uint8_t)state;
	n->updated_ns = now_ns;
	neigh_gc_changed(n);
	neigh_publish(n);
}

/* Without memory for a timer nothing would ever end this state: the neighbour is given up. */
static void arm(struct neigh *n, uint64_t now_ns, uint64_t at_ns)
{
	if (timer_set_on_wheel(&n->timer, now_ns, at_ns, on_timer) < 0)
		neigh_fail(n);
}

void neigh_fail(struct neigh *n)
{
	timer_stop(&n->timer);
	set_state(n, NUD_FAILED, clock_now_ns());
	neigh_answer(n, MSG_NEIGH_FAILED, 0);
}

/* One more request, or the end of patience. */
static void probe(struct neigh *n, uint64_t now_ns)
{
	if (n->probes >= max_probes(n)) {
		neigh_fail(n);
		return;
	}
	arm(n, now_ns, now_ns + retrans_ns(n));
	if (!(n->state & (NUD_INCOMPLETE | NUD_PROBE)))
		return;
	arp_solicit(n);
	n->probes++;
}

static void reachable_timer(struct neigh *n, uint64_t now_ns)
{
	uint64_t until_ns = n->confirmed_ns + neigh_parms_of(n)->reachable_ns;

	if (!neigh_later(now_ns, until_ns)) {
		arm(n, now_ns, RTE_MAX(until_ns, now_ns + RETRANS_MIN_NS));
	} else if (!neigh_later(now_ns, n->used_ns + delay_ns(n))) {
		set_state(n, NUD_DELAY, now_ns);
		arm(n, now_ns, now_ns + RTE_MAX(delay_ns(n), RETRANS_MIN_NS));
	} else {
		set_state(n, NUD_STALE, now_ns);
	}
}

static void delay_timer(struct neigh *n, uint64_t now_ns)
{
	if (!neigh_later(now_ns, n->confirmed_ns + delay_ns(n))) {
		uint64_t until_ns = n->confirmed_ns + neigh_parms_of(n)->reachable_ns;

		set_state(n, NUD_REACHABLE, now_ns);
		arm(n, now_ns, neigh_later(until_ns, now_ns) ? until_ns : now_ns + RETRANS_MIN_NS);
		return;
	}
	set_state(n, NUD_PROBE, now_ns);
	n->probes = 0;
	probe(n, now_ns);
}

static void on_timer(struct timer *t, uint64_t now_ns)
{
	struct neigh *n = RTE_PTR_SUB(t, offsetof(struct neigh, timer));

	switch (n->state) {
	case NUD_REACHABLE:
		reachable_timer(n, now_ns);
		break;
	case NUD_DELAY:
		delay_timer(n, now_ns);
		break;
	case NUD_INCOMPLETE:
	case NUD_PROBE:
		probe(n, now_ns);
		break;
	default:
		break;
	}
}

/* The first request goes at once. It is not the first of ucast_solicit: those are for an address
 * that is known. */
static void resolve(struct neigh *n, uint64_t now_ns)
{
	const struct neigh_parms *p = neigh_parms_of(n);

	if (p->mcast_solicit == 0 && p->app_solicit == 0) {
		set_state(n, NUD_FAILED, now_ns);
		neigh_answer(n, MSG_NEIGH_DROP, DROP_NEIGH_FAILED);
		return;
	}
	set_state(n, NUD_INCOMPLETE, now_ns);
	n->probes = (unsigned int)p->ucast_solicit;
	probe(n, now_ns);
}

void neigh_use(struct neigh *n)
{
	uint64_t now_ns = clock_now_ns();

	if (n->state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE))
		return;
	n->used_ns = now_ns;
	if (n->state == NUD_STALE) {
		set_state(n, NUD_DELAY, now_ns);
		arm(n, now_ns, now_ns + delay_ns(n));
	} else if (!(n->state & (NUD_INCOMPLETE | NUD_DELAY | NUD_PROBE))) {
		resolve(n, now_ns);
	}
}

static void set_mac(struct neigh *n, const struct rte_ether_addr *mac, unsigned int state,
		    uint64_t now_ns)
{
	rte_ether_addr_copy(mac, &n->mac);
	n->updated_ns = now_ns;
	if (!(state & NUD_CONNECTED))
		n->confirmed_ns = now_ns - 2 * NSEC_PER_MSEC *
				  (uint64_t)neigh_parms_of(n)->base_reachable_time_ms;
}

/* Go to a state in which the address is known. */
static void enter(struct neigh *n, unsigned int state, uint64_t now_ns)
{
	timer_stop(&n->timer);
	set_state(n, state, now_ns);
	neigh_gc_list_update(n);
	if (state == NUD_REACHABLE) {
		if (neigh_later(n->confirmed_ns, n->used_ns))
			n->used_ns = n->confirmed_ns;
		arm(n, now_ns, now_ns + neigh_parms_of(n)->reachable_ns);
	}
}

bool neigh_update(struct neigh *n, const struct rte_ether_addr *mac, unsigned int state,
		  unsigned int flags)
{
	uint64_t now_ns = clock_now_ns();
	unsigned int old = n->state;
	bool known = old & NUD_VALID;
	bool same = known && rte_is_same_ether_addr(mac, &n->mac);

	if (!(flags & NEIGH_UPDATE_ADMIN) && old & (NUD_NOARP | NUD_PERMANENT))
		return false;
	/* An answer counts as one even where its address is not believed. */
	if (state & NUD_CONNECTED)
		n->confirmed_ns = now_ns;
	if (known && !same && !(flags & NEIGH_UPDATE_OVERRIDE))
		return true;
	/* What is merely heard again says nothing new. */
	if (same && state == NUD_STALE && !(flags & NEIGH_UPDATE_ADMIN))
		state = old;
	if (!same)
		set_mac(n, mac, state, now_ns);
	if (state != old)
		enter(n, state, now_ns);
	else if (!same)
		neigh_publish(n);
	return true;
}
