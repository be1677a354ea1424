/* SPDX-License-Identifier: BSD-3-Clause */
/* Stand-ins for the room ipv4 (stub_rooms.h). */
#include "stub_rooms.h"

#include <errno.h>
#include <string.h>

#include "ipv4/filter.h"
#include "ipv4/hook.h"
#include "ipv4/ipv4.h"
#include "ipv4/probe.h"
#include "ipv4/reassemble.h"
#include "route/route.h"

#define FILTERS_MAX 32

static struct filter_rule filter_rules[FILTERS_MAX];
static enum hook_point filter_points[FILTERS_MAX];
static unsigned int n_filters;
static bool filter_drops[HOOK_POINTS];

/* ---- routes ---- */

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

/* ---- probes ---- */

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

void filter_hold(void)
{
}

int filter_release(struct error *err)
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

/* ---- all of it ---- */

void stub_ipv4_reset(void)
{
	n_filters = 0;
	memset(filter_drops, 0, sizeof(filter_drops));
}
