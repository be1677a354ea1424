/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The running state as the commands that lead to it, in an order that loads:
 *   settings      of the whole router, where they are not as a fresh start has them
 *   links         what they were asked for; down
 *   settings      of future links, then of these, which began with those of a fresh start
 *   addresses     in their order, for the first of a subnet is its primary
 *   link states   up, after which the kernel's routes are there
 *   routes        deleted that links and addresses have brought along; then those to what is on
 *                 the links; then those over a gateway
 *   rules         after the routes, whose gateways must be found whatever they say
 *   routes        over a gateway that is only found as the rules say
 *   neighbours    the permanent ones
 *   filter        rules, then policies: while it loads, nothing is refused that a rule accepts
 *   limits        that were lowered below what there is
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include <rte_ip.h>

#include "control/config.h"
#include "control/show_filter.h"
#include "control/show_route.h"
#include "control/show_rule.h"
#include "control/words.h"
#include "core/sysctl.h"
#include "core/worker.h"
#include "ipv4/filter.h"
#include "link/link.h"
#include "neigh/neigh.h"

/* Whom a setting is for. */
enum owner { OWNER_ROUTER, OWNER_FUTURE_LINKS, OWNER_LINK };

/* One line after another; `line` is text and becomes a member of the array where o is JSON. */
struct writer {
	struct output *o;
	struct output line;
	enum owner owner;           /* the settings to write now */
	bool moved;                 /* of these those that the range of the start would not take */
	bool exceeded;              /* and the limits below what there is, or all others */
	bool forwarding_is_off;
	unsigned int queues;        /* of the links before */
	int64_t priority;           /* of the rule before; -1: none */
	bool rules_written;
	enum hook_point point;      /* whose rules to write now */
};

static void end_line(struct writer *w)
{
	const char *line = out_finish(&w->line);

	if (line) {
		out_string(w->o, NULL, "", line);
		out_text(w->o, "\n");
	}
	w->line.len = 0;
}

void show_word(struct output *o, const char *word)
{
	const char *p;

	if (!word_needs_quotes(word)) {
		out_text(o, word);
		return;
	}
	out_text(o, "\"");
	for (p = word; *p; p++) {
		if (*p == '"' || *p == '\\')
			out_text(o, "\\");
		out_raw(o, p, 1);
	}
	out_text(o, "\"");
}

static void write_number(struct writer *w, const char *before, unsigned int value)
{
	if (value)
		out_number(&w->line, NULL, before, value);
}

static void write_device(struct writer *w, const struct link *l)
{
	bool mtu = l->asked_mtu || l->mtu != RTE_ETHER_MTU;

	out_string(&w->line, NULL, "link add ", l->name);
	out_string(&w->line, NULL, " type ", l->type);
	out_text(&w->line, " devargs ");
	show_word(&w->line, l->devargs);
	write_number(w, " rxq ", l->asked_rxq);
	write_number(w, " rxd ", l->asked_rxd);
	write_number(w, " txd ", l->asked_txd);
	write_number(w, " mtu ", mtu ? l->mtu : 0);
	if (l->mac_set)
		out_lladdr(&w->line, NULL, " address ", &l->mac);
	if (l->promisc)
		out_text(&w->line, " promisc on");
	end_line(w);
}

/* lo is there and up without a command. */
static void write_lo(struct writer *w, const struct link *l)
{
	if (!l->asked_mtu)
		return;
	out_number(&w->line, NULL, "link set lo mtu ", l->mtu);
	end_line(w);
}

static void write_state(struct writer *w, const struct link *l)
{
	bool usual = l->id == LINK_LO;

	if (l->up == usual)
		return;
	out_string(&w->line, NULL, "link set ", l->name);
	out_text(&w->line, l->up ? " up" : " down");
	end_line(w);
}

/* Receive queues that are not with the workers that they would come to by themselves: one after
 * the other, as the links come. */
static void write_queues(struct writer *w, const struct link *l)
{
	for (unsigned int q = 0; q < l->n_rxq && workers_count > 1; q++) {
		struct link_queue_stats s;
		unsigned int worker;

		link_rxq_stats_get(l, q, &s, &worker);
		if (worker == (w->queues + q) % workers_count)
			continue;
		out_number(&w->line, NULL, "worker set ", worker);
		out_string(&w->line, NULL, " dev ", l->name);
		out_number(&w->line, NULL, " rxq ", q);
		end_line(w);
	}
	w->queues += l->n_rxq;
}

static void write_address(struct writer *w, const char *before, const struct link_addr *a,
			  const struct link *l)
{
	out_address(&w->line, NULL, before, a->local);
	out_number(&w->line, NULL, "/", a->len);
	out_string(&w->line, NULL, " dev ", l->name);
	end_line(w);
}

static void write_addresses(struct writer *w, const struct link *l)
{
	static const struct link_addr at_start = {.local = RTE_BE32(RTE_IPV4_LOOPBACK), .len = 8};
	const struct link_addrs *addrs = rcu_read(l->addrs);
	unsigned int i = 0, n = addrs ? addrs->n : 0;

	if (l->id == LINK_LO) {
		if (n && addrs->a[0].local == at_start.local && addrs->a[0].len == at_start.len)
			i = 1;
		else
			write_address(w, "addr del ", &at_start, l);
	}
	for (; i < n; i++)
		write_address(w, "addr add ", &addrs->a[i], l);
}

/* net.ipv4.conf.LINK.x and net.ipv4.neigh.LINK.x are a link's, and come from those of `default`,
 * whose name is written to from. */
static enum owner owner_of(const struct sysctl *s, char *from, size_t size)
{
	static const char *const families[] = {"net.ipv4.conf.", "net.ipv4.neigh."};
	const char *last = strrchr(s->name, '.'), *who;
	unsigned int i;

	for (i = 0; i < RTE_DIM(families); i++) {
		who = s->name + strlen(families[i]);
		if (strncmp(s->name, families[i], strlen(families[i])) != 0 || last < who)
			continue;
		snprintf(from, size, "%sdefault%s", families[i], last);
		if (last == who + 3 && strncmp(who, "all", 3) == 0)
			return OWNER_ROUTER;
		return last == who + 7 && strncmp(who, "default", 7) == 0 ? OWNER_FUTURE_LINKS :
									    OWNER_LINK;
	}
	return OWNER_ROUTER;
}

/* At the point that has the most. */
static unsigned int count_filters(void)
{
	unsigned int most = 0;

	for (enum hook_point point = 0; point < HOOK_POINTS; point++)
		most = RTE_MAX(most, filter_count(point));
	return most;
}

/* Is it a limit that was lowered below what there is? */
static bool is_exceeded(const struct sysctl *s)
{
	static const struct {
		const char *name;
		unsigned int (*count)(void);
	} limits[] = {
		{"net.millrace.rules_max", rule_count},
		{"net.millrace.route_tables_max", route_count_tables},
		{"net.millrace.filter_rules_max", count_filters},
	};

	for (unsigned int i = 0; i < RTE_DIM(limits); i++)
		if (strcmp(s->name, limits[i].name) == 0)
			return sysctl_value(s) < limits[i].count();
	return false;
}

/* Would it have another value where this list is loaded? Of neighbours those of links go with
 * default's until they are set themselves. */
static bool is_changed(const struct sysctl *s, enum owner owner, const char *from)
{
	const struct sysctl *d = owner == OWNER_LINK ? sysctl_find(from) : NULL;

	if (d && strncmp(s->name, "net.ipv4.neigh.", 15) == 0)
		return neigh_parms_own(s);
	return sysctl_value(s) != (d ? d->preset : s->preset);
}

/* Writing ip_forward also writes these. */
static bool is_overwritten(const struct writer *w, const struct sysctl *s)
{
	return w->forwarding_is_off &&
	       (fnmatch("net.ipv4.conf.*.forwarding", s->name, 0) == 0 ||
		strcmp(s->name, "net.ipv4.conf.all.accept_redirects") == 0);
}

static void write_setting(struct writer *w, const struct sysctl *s)
{
	out_string(&w->line, NULL, "sysctl ", s->name);
	if (s->wide)
		out_number(&w->line, NULL, "=", (uint64_t)sysctl_value(s));
	else
		out_signed(&w->line, NULL, "=", sysctl_value(s));
	end_line(w);
}

static int write_owned(struct sysctl *s, void *arg)
{
	struct writer *w = arg;
	char from[256];
	enum owner owner = owner_of(s, from, sizeof(from));

	if (owner != w->owner || s->read_only || strcmp(s->name, "net.ipv4.ip_forward") == 0 ||
	    is_exceeded(s) != w->exceeded)
		return 0;
	if (w->moved == sysctl_within(s, sysctl_value(s), s->first_min, s->first_max))
		return 0;
	if (is_changed(s, owner, from) || is_overwritten(w, s))
		write_setting(w, s);
	return 0;
}

static void write_forwarding(struct writer *w)
{
	const struct sysctl *s = sysctl_find("net.ipv4.ip_forward");

	w->forwarding_is_off = s && *s->value != s->preset;
	if (w->forwarding_is_off)
		write_setting(w, s);
}

/* Where one setting bounds another (ipfrag_low_thresh and ipfrag_high_thresh) a value may lie
 * outside of the range that it has at the start: it comes behind the one that makes room for it. */
static void write_settings(struct writer *w, enum owner owner)
{
	w->owner = owner;
	w->moved = false;
	sysctl_foreach(NULL, write_owned, w);
	w->moved = true;
	sysctl_foreach(NULL, write_owned, w);
}

static int write_route(const struct replay_step *s, void *arg)
{
	struct writer *w = arg;

	show_route_words(s, &w->line);
	end_line(w);
	return w->o->full;
}

static void write_routes(struct writer *w, struct replay *p, enum replay_part part)
{
	replay_foreach(p, part, write_route, w);
}

static int write_rule(const struct rule_info *r, void *arg)
{
	struct writer *w = arg;
	bool first = w->priority != r->p.priority;

	w->priority = r->p.priority;
	if (first && rule_is_preset(&r->p))
		return 0;
	show_rule_words(r, &w->line);
	end_line(w);
	w->rules_written = true;
	return w->o->full;
}

enum { NO_RULE, OTHER_FIRST, PRESET_FIRST };

static int find_rule(const struct rule_info *r, void *arg)
{
	const uint32_t *priority = arg;

	if (r->p.priority != *priority)
		return NO_RULE;
	return rule_is_preset(&r->p) ? PRESET_FIRST : OTHER_FIRST;
}

/* Those that are there at the start and are not any more, or not first of their priority. */
static void write_missing_rules(struct writer *w)
{
	static const uint32_t presets[] = {RULE_PRIORITY_LOCAL, RULE_PRIORITY_MAIN,
					   RULE_PRIORITY_DEFAULT};

	for (unsigned int i = 0; i < RTE_DIM(presets); i++) {
		uint32_t priority = presets[i];

		if (rule_foreach(find_rule, &priority) == PRESET_FIRST)
			continue;
		out_number(&w->line, NULL, "rule del priority ", priority);
		end_line(w);
		w->rules_written = true;
	}
}

/* Those of the start again, but they were others some time: from then on table local is asked
 * before main, and there are routes of which the longest prefix would answer otherwise. */
static void write_changed_rules(struct writer *w)
{
	if (w->rules_written || !route_has_rules())
		return;
	out_number(&w->line, NULL, "rule del priority ", RULE_PRIORITY_DEFAULT);
	end_line(w);
	out_number(&w->line, NULL, "rule add priority ", RULE_PRIORITY_DEFAULT);
	out_text(&w->line, " table default");
	end_line(w);
}

static int write_neigh(const struct neigh_info *n, void *arg)
{
	struct writer *w = arg;

	if (n->state != NUD_PERMANENT || !n->has_lladdr)
		return 0;
	out_address(&w->line, NULL, "neigh add ", n->addr);
	out_lladdr(&w->line, NULL, " lladdr ", &n->lladdr);
	out_string(&w->line, NULL, " dev ", n->link->name);
	out_text(&w->line, " nud permanent");
	end_line(w);
	return w->o->full;
}

static void write_filter_point(struct writer *w, const char *before)
{
	out_string(&w->line, NULL, before, hook_point_name(w->point));
	out_text(&w->line, " ");
}

static int write_filter(const struct filter_info *info, void *arg)
{
	struct writer *w = arg;

	write_filter_point(w, "filter add ");
	filter_show_rule(info->rule, NULL, &w->line);
	end_line(w);
	return w->o->full;
}

static void write_filters(struct writer *w)
{
	for (w->point = 0; w->point < HOOK_POINTS; w->point++)
		filter_foreach(w->point, write_filter, w);
	for (w->point = 0; w->point < HOOK_POINTS; w->point++) {
		if (filter_policy(w->point))
			continue;
		write_filter_point(w, "filter policy ");
		out_text(&w->line, "drop");
		end_line(w);
	}
}

static void each_link(struct writer *w, void (*fn)(struct writer *w, const struct link *l))
{
	const struct link *l;
	unsigned int i;

	for (i = 0; i < LINKS_MAX; i++) {
		l = link_get(i);
		if (l)
			fn(w, l);
	}
}

static void write_link(struct writer *w, const struct link *l)
{
	if (l->id == LINK_LO)
		write_lo(w, l);
	else
		write_device(w, l);
	write_queues(w, l);
}

void config_show(struct output *o)
{
	struct writer w = {.o = o, .priority = -1};
	struct replay *replay = replay_new();

	if (!replay) {
		o->full = true;
		return;
	}
	out_array(o, NULL);
	write_forwarding(&w);
	write_settings(&w, OWNER_ROUTER);
	each_link(&w, write_link);
	write_settings(&w, OWNER_FUTURE_LINKS);
	write_settings(&w, OWNER_LINK);
	each_link(&w, write_addresses);
	each_link(&w, write_state);
	write_routes(&w, replay, REPLAY_DELETED);
	write_routes(&w, replay, REPLAY_ON_LINKS);
	write_routes(&w, replay, REPLAY_GATEWAYS);
	write_missing_rules(&w);
	rule_foreach(write_rule, &w);
	write_changed_rules(&w);
	write_routes(&w, replay, REPLAY_AFTER_RULES);
	neigh_foreach(NULL, write_neigh, &w);
	write_filters(&w);
	w.exceeded = true;
	write_settings(&w, OWNER_ROUTER);
	out_array_end(o);
	out_free(&w.line);
	replay_free(replay);
}
