/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hooks: the arrays and who may change them; see hook.h. An array is never changed: a new one is
 * made, published, and the old one freed after a grace period. What a hook has counted lives as
 * long as the hook, a line a worker.
 */
#include "ipv4/hook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipv4/internal.h"

struct hook_counts {
	uint64_t packets, dropped, stolen;
} __rte_cache_aligned;

struct hook {
	hook_fn fn;
	void *arg;
	int32_t priority;
	const char *owner;
	struct hook_counts *counts;  /* by worker */
};

struct hook_list {
	unsigned int n;
	struct hook hook[];
};

struct ip_hooks ip_hooks;

/* ---- control thread ---- */

const char *hook_point_name(enum hook_point point)
{
	static const char *const names[HOOK_POINTS] = {
		[HOOK_PREROUTING] = "prerouting", [HOOK_INPUT] = "input",
		[HOOK_FORWARD] = "forward", [HOOK_OUTPUT] = "output",
		[HOOK_POSTROUTING] = "postrouting",
	};

	return names[point];
}

static void publish(enum hook_point point, struct hook_list *list)
{
	struct hook_list *old = ip_hooks.at[point];

	rcu_assign(ip_hooks.at[point], list);
	__atomic_store_n(&ip_hooks.forward, ip_hooks.at[HOOK_PREROUTING] ||
			 ip_hooks.at[HOOK_FORWARD] || ip_hooks.at[HOOK_POSTROUTING],
			 __ATOMIC_RELAXED);
	if (old)
		rcu_defer(free, old);
}

/* Where it stands in the list; n: it is not there. */
static unsigned int find(const struct hook_list *list, hook_fn fn, const void *arg)
{
	unsigned int i = 0, n = list ? list->n : 0;

	while (i < n && (list->hook[i].fn != fn || list->hook[i].arg != arg))
		i++;
	return i;
}

int hook_register(enum hook_point point, int32_t priority, const char *owner, hook_fn fn,
		  void *arg)
{
	const struct hook_list *old = ip_hooks.at[point];
	unsigned int n = old ? old->n : 0, at = 0;
	size_t bytes = WORKERS_MAX * sizeof(struct hook_counts);
	struct hook_counts *counts;
	struct hook_list *list;

	if (find(old, fn, arg) < n)
		return -EEXIST;
	counts = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);
	list = malloc(sizeof(*list) + (n + 1) * sizeof(list->hook[0]));
	if (!counts || !list) {
		free(counts);
		free(list);
		return -ENOMEM;
	}
	memset(counts, 0, bytes);
	while (at < n && old->hook[at].priority <= priority)
		at++;
	list->n = n + 1;
	if (n) {
		memcpy(list->hook, old->hook, at * sizeof(list->hook[0]));
		memcpy(list->hook + at + 1, old->hook + at, (n - at) * sizeof(list->hook[0]));
	}
	list->hook[at] = (struct hook){.fn = fn, .arg = arg, .priority = priority,
				       .owner = owner, .counts = counts};
	publish(point, list);
	return 0;
}

static struct hook_list *shorter(const struct hook_list *old, unsigned int without)
{
	struct hook_list *list = malloc(sizeof(*list) + (old->n - 1) * sizeof(list->hook[0]));

	if (!list)
		return NULL;
	list->n = old->n - 1;
	memcpy(list->hook, old->hook, without * sizeof(list->hook[0]));
	memcpy(list->hook + without, old->hook + without + 1,
	       (list->n - without) * sizeof(list->hook[0]));
	return list;
}

/* What stands in for a hook that is gone, where there was no memory for a shorter list. */
static enum hook_verdict accept_all(struct worker *w, struct rte_mbuf *m, enum hook_point point,
				    void *arg)
{
	return HOOK_ACCEPT;
}

void hook_unregister(enum hook_point point, hook_fn fn, const void *arg)
{
	struct hook_list *old = ip_hooks.at[point], *list;
	unsigned int at = find(old, fn, arg);
	struct hook_counts *counts;

	if (!old || at == old->n)
		return;
	list = old->n > 1 ? shorter(old, at) : NULL;
	if (old->n > 1 && !list) {
		__atomic_store_n(&old->hook[at].fn, accept_all, __ATOMIC_RELAXED);
		return;
	}
	counts = old->hook[at].counts;
	publish(point, list);
	rcu_defer(free, counts);
}

void hook_fini(void)
{
	ip_hooks.forward = 0;
	for (unsigned int point = 0; point < HOOK_POINTS; point++) {
		struct hook_list *list = ip_hooks.at[point];

		ip_hooks.at[point] = NULL;
		for (unsigned int i = 0; list && i < list->n; i++)
			free(list->hook[i].counts);
		free(list);
	}
}

static struct hook_info info_of(enum hook_point point, const struct hook *h)
{
	struct hook_info info = {.point = point, .priority = h->priority, .owner = h->owner};

	for (unsigned int i = 0; i < WORKERS_MAX; i++) {
		info.packets += __atomic_load_n(&h->counts[i].packets, __ATOMIC_RELAXED);
		info.dropped += __atomic_load_n(&h->counts[i].dropped, __ATOMIC_RELAXED);
		info.stolen += __atomic_load_n(&h->counts[i].stolen, __ATOMIC_RELAXED);
	}
	return info;
}

int hook_foreach(int (*fn)(const struct hook_info *info, void *arg), void *arg)
{
	for (unsigned int point = 0; point < HOOK_POINTS; point++) {
		const struct hook_list *list = ip_hooks.at[point];

		for (unsigned int i = 0; list && i < list->n; i++) {
			struct hook_info info = info_of(point, &list->hook[i]);
			int rc = fn(&info, arg);

			if (rc)
				return rc;
		}
	}
	return 0;
}

/* ---- workers ---- */

/* As in Linux, for a packet of the router's own somebody is told that it was not sent; not for the
 * copy of a broadcast that comes back, nor where a filter has made it. */
static bool is_told(const struct packet *p, enum hook_point point)
{
	if ((p->flags & PACKET_F_LOCAL) && (p->flags & PACKET_F_UNTOLD))
		return false;
	return point == HOOK_OUTPUT || (point == HOOK_POSTROUTING && (p->flags & PACKET_F_LOCAL) &&
					p->type != PACKET_LOOPBACK);
}

static void hook_drop(struct worker *w, struct rte_mbuf *m, enum hook_point point)
{
	if (is_told(packet_of(m), point))
		count(w->counters, CNT_IP_OUTDISCARDS);
	packet_drop(w, m, DROP_NETFILTER_DROP);
}

/* From hook `i` of the list on. */
static bool run_from(struct worker *w, struct rte_mbuf *m, enum hook_point point,
		     const struct hook_list *list, unsigned int i)
{
	for (; i < list->n; i++) {
		const struct hook *h = &list->hook[i];
		struct hook_counts *c = &h->counts[w->id];

		c->packets++;
		switch (h->fn(w, m, point, h->arg)) {
		case HOOK_ACCEPT:
			break;
		case HOOK_STOLEN:
			c->stolen++;
			return false;
		default:
			c->dropped++;
			hook_drop(w, m, point);
			return false;
		}
	}
	return true;
}

bool hook_run(struct worker *w, struct rte_mbuf *m, enum hook_point point)
{
	const struct hook_list *list = rcu_read(ip_hooks.at[point]);

	return !list || run_from(w, m, point, list, 0);
}

void hook_resume(struct worker *w, struct rte_mbuf *m, enum hook_point point, int32_t priority)
{
	static void (*const go_on[HOOK_POINTS])(struct worker *w, struct rte_mbuf *m) = {
		[HOOK_PREROUTING] = ip_rcv_finish,
		[HOOK_INPUT] = ip_local_deliver_finish,
		[HOOK_FORWARD] = ip_forward_finish,
		[HOOK_OUTPUT] = ip_output,
		[HOOK_POSTROUTING] = ip_finish_output,
	};
	const struct hook_list *list = rcu_read(ip_hooks.at[point]);
	unsigned int i = 0;

	while (list && i < list->n && list->hook[i].priority <= priority)
		i++;
	if (!list || run_from(w, m, point, list, i))
		go_on[point](w, m);
}
