/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What workers ask of the neighbour table, and what they are told.
 *
 * An entry keeps a bit for each worker that holds packets for it. When the outcome is known each
 * of them gets one message. A worker's ring may be full and the control thread must not wait:
 * the answer is then owed, the entry goes on a list, and a timer tries again until all is said.
 * An entry that has left the table lives on, unreachable, for as long as it owes an answer; so
 * no answer needs memory at the moment when there may be none.
 *
 * That an address is known all workers are told, whether they have asked or are about to: each
 * handles the message before it receives again, and sends what it holds. A grace period after the
 * last was told nobody holds anything; until then NEIGH_WORD_HELD keeps packets from ways on which
 * nobody looks whether others wait.
 */
#include <stdlib.h>

#include "neigh/arp.h"
#include "neigh/neigh_table.h"

#define RETRY_NS NSEC_PER_MSEC

_Static_assert(WORKERS_MAX <= 64, "a worker is a bit of neigh.asked");

static TAILQ_HEAD(, neigh) owed_list = TAILQ_HEAD_INITIALIZER(owed_list);
static struct timer retry_timer;

static void on_retry(struct timer *t, uint64_t now_ns);

/* Say what is owed to whom there is room for. */
static void deliver(struct neigh *n)
{
	struct message msg = {
		.kind = n->owed_kind, .link = n->link, .addr = n->addr, .arg = n->owed_arg,
	};

	for (uint64_t left = n->owed; left; left &= left - 1) {
		unsigned int worker = (unsigned int)__builtin_ctzll(left);

		if (message_to_worker(worker, &msg))
			n->owed &= ~(1ULL << worker);
	}
}

static void owe(struct neigh *n)
{
	if (!n->on_owed_list)
		TAILQ_INSERT_TAIL(&owed_list, n, owed_entry);
	n->on_owed_list = true;
	if (!timer_pending(&retry_timer))
		(void)timer_set(&retry_timer, clock_now_ns() + RETRY_NS, on_retry);
}

static void on_settled(void *arg)
{
	struct neigh *n = arg;

	if (--n->settled || n->settling || n->dead)
		return;
	__atomic_fetch_and(&n->word, ~NEIGH_WORD_HELD, __ATOMIC_RELAXED);
	if (neigh_changed)
		neigh_changed(n->link, n->addr);
}

/* Nothing is owed any more. */
static void delivered(struct neigh *n)
{
	if (!n->settling)
		return;
	n->settling = false;
	n->settled++;
	rcu_defer(on_settled, n);
}

void neigh_answer(struct neigh *n, enum message_kind kind, uint32_t arg)
{
	if (!n->asked)
		return;
	n->owed |= n->asked;
	n->asked = 0;
	n->owed_kind = (uint16_t)kind;
	n->owed_arg = arg;
	deliver(n);
	if (n->owed)
		owe(n);
	else
		delivered(n);
}

void neigh_settle(struct neigh *n)
{
	n->settling = true;
	n->asked = UINT64_MAX >> (WORKERS_MAX - workers_count);
	neigh_answer(n, MSG_NEIGH_DONE, 0);
}

void neigh_dispose(struct neigh *n)
{
	if (!n->on_owed_list)
		rcu_defer(free, n);
}

static void on_retry(struct timer *t, uint64_t now_ns)
{
	struct neigh *n, *next;

	for (n = TAILQ_FIRST(&owed_list); n; n = next) {
		next = TAILQ_NEXT(n, owed_entry);
		deliver(n);
		if (n->owed)
			continue;
		delivered(n);
		TAILQ_REMOVE(&owed_list, n, owed_entry);
		n->on_owed_list = false;
		if (n->dead)
			neigh_dispose(n);
	}
	if (!TAILQ_EMPTY(&owed_list))
		(void)timer_set(t, now_ns + RETRY_NS, on_retry);
}

/* There is no entry and will be none: the packets are dropped for this reason. */
static void refuse(unsigned int worker, const struct message *asked, enum drop_reason reason)
{
	struct message msg = {
		.kind = MSG_NEIGH_DROP, .link = asked->link, .addr = asked->addr, .arg = reason,
	};
	struct neigh *n;

	if (message_to_worker(worker, &msg))
		return;
	n = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*n));
	if (!n)
		return;
	*n = (struct neigh){
		.addr = asked->addr, .link = asked->link, .dead = true, .owed = 1ULL << worker,
		.owed_kind = MSG_NEIGH_DROP, .owed_arg = reason,
	};
	owe(n);
}

static void on_resolve(unsigned int worker, const struct message *msg)
{
	struct link *l = link_get(msg->link);
	struct neigh *n;

	if (!l || !l->up) {
		refuse(worker, msg, l ? DROP_LINK_DOWN : DROP_LINK_GONE);
		return;
	}
	n = neigh_get(l, msg->addr);
	if (!n) {
		refuse(worker, msg, DROP_NEIGH_CREATEFAIL);
		return;
	}
	n->asked |= 1ULL << worker;
	n->worker = worker;
	n->probe_src = msg->src;
	if (n->state & NUD_VALID)
		neigh_answer(n, MSG_NEIGH_DONE, 0);
	else
		neigh_use(n);
}

bool neigh_resolve(uint16_t link, rte_be32_t addr, unsigned int worker)
{
	struct link *l = link_get(link);
	struct neigh *n = l && l->up ? neigh_get(l, addr) : NULL;

	if (!n)
		return false;
	if (n->state & NUD_VALID)
		return true;
	if (n->state != NUD_INCOMPLETE) {
		n->worker = worker;
		n->probe_src = 0;
		neigh_use(n);
	}
	return false;
}

static void on_used(unsigned int worker, const struct message *msg)
{
	struct neigh *n = neigh_lookup(msg->link, msg->addr);

	if (!n || n->state != NUD_STALE)
		return;
	n->worker = worker;
	neigh_use(n);
}

void neigh_answer_init(void)
{
	message_on_control(MSG_NEIGH_RESOLVE, on_resolve);
	message_on_control(MSG_NEIGH_USED, on_used);
}

void neigh_answer_fini(void)
{
	struct neigh *n;

	timer_stop(&retry_timer);
	while ((n = TAILQ_FIRST(&owed_list)) != NULL) {
		TAILQ_REMOVE(&owed_list, n, owed_entry);
		n->on_owed_list = false;
		if (n->dead)
			neigh_dispose(n);
	}
}
