/* SPDX-License-Identifier: BSD-3-Clause */
/* See route_world.h. */
#include "route_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sysctl.h"
#include "route/group.h"

/* ---- the links ---- */

struct link *links[LINKS_MAX];
struct link_conf link_conf_all, link_conf_default;

static link_notifier_fn notifier;
struct link link_mem[3];

void link_notifier_register(link_notifier_fn fn)
{
	notifier = fn;
}

struct link *link_find(const char *name)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++)
		if (links[i] && !strcmp(links[i]->name, name))
			return links[i];
	return NULL;
}

static bool in_subnet(const struct link_addr *a, rte_be32_t addr)
{
	return a->len == 0 || !(rte_be_to_cpu_32(a->local ^ addr) >> (32 - a->len));
}

static rte_be32_t select_on(const struct link *l, rte_be32_t dst, unsigned int scope)
{
	rte_be32_t first = 0;

	for (unsigned int i = 0; i < l->addrs->n; i++) {
		const struct link_addr *a = &l->addrs->a[i];

		if (a->secondary || a->scope > scope)
			continue;
		if (!dst || in_subnet(a, dst))
			return a->local;
		if (!first)
			first = a->local;
	}
	return first;
}

rte_be32_t addr_select(const struct link *l, rte_be32_t dst, unsigned int scope)
{
	rte_be32_t addr = select_on(l, dst, scope);

	for (unsigned int i = 0; i < LINKS_MAX && !addr; i++)
		if (links[i])
			addr = select_on(links[i], 0, scope);
	return addr;
}

rte_be32_t ip(const char *text)
{
	struct in_addr a;

	assert_int_equal(inet_pton(AF_INET, text, &a), 1);
	return a.s_addr;
}

void addr_on(struct link *l, const char *text, unsigned int len)
{
	struct link_addrs *list = l->addrs;
	struct link_addr a = { .local = ip(text), .len = (uint8_t)len };

	a.scope = l->id == LINK_LO ? 254 : 0;
	for (unsigned int i = 0; i < list->n; i++)
		if (list->a[i].len == len && in_subnet(&list->a[i], a.local))
			a.secondary = true;
	list->a[list->n++] = a;
	notifier(LINK_ADDR_ADDED, l, &a);
}

void addr_off(struct link *l, const char *text, unsigned int len)
{
	struct link_addrs *list = l->addrs;

	for (unsigned int i = 0; i < list->n; i++) {
		struct link_addr a = list->a[i];

		if (a.local != ip(text) || a.len != len)
			continue;
		memmove(&list->a[i], &list->a[i + 1], (list->n - i - 1) * sizeof(a));
		list->n--;
		notifier(LINK_ADDR_DELETED, l, &a);
		return;
	}
	fail();
}

void up(struct link *l)
{
	l->up = true;
	notifier(LINK_UP, l, NULL);
}

void down(struct link *l)
{
	l->up = false;
	notifier(LINK_DOWN, l, NULL);
}

void carrier(struct link *l, bool on)
{
	l->running = on;
	notifier(on ? LINK_CARRIER_ON : LINK_CARRIER_OFF, l, NULL);
}

void deleted(struct link *l)
{
	notifier(LINK_DELETED, l, NULL);
}

struct link *const lo = &link_mem[0], *const v0 = &link_mem[1], *const v1 = &link_mem[2];

static void rule_register(const char *who, struct link_conf *conf)
{
	char name[64];

	snprintf(name, sizeof(name), "net.ipv4.conf.%s.ignore_routes_with_linkdown", who);
	assert_int_equal(sysctl_register(&(struct sysctl){
		.name = name, .value = &conf->ignore_routes_with_linkdown, .max = 1,
		.help = ""}), 0);
}

int setup(void **state)
{
	static const char *const names[] = { "lo", "v0", "v1" };

	memset(&link_conf_all, 0, sizeof(link_conf_all));
	rule_register("all", &link_conf_all);
	for (uint16_t i = 0; i < 3; i++) {
		struct link *l = &link_mem[i];

		memset(l, 0, sizeof(*l));
		l->id = i;
		l->running = true;
		snprintf(l->name, sizeof(l->name), "%s", names[i]);
		l->addrs = calloc(1, sizeof(*l->addrs) + 16 * sizeof(l->addrs->a[0]));
		links[i] = l;
		rule_register(l->name, &l->conf);
	}
	/* lo was there first */
	lo->up = true;
	lo->addrs->n = 1;
	lo->addrs->a[0] = (struct link_addr){ .local = ip("127.0.0.1"), .len = 8, .scope = 254 };
	return route_init();
}

int teardown(void **state)
{
	route_fini();
	sysctl_unregister("net.");
	for (unsigned int i = 0; i < 3; i++)
		free(link_mem[i].addrs);
	return 0;
}

int setup_two(void **state)
{
	int rc = setup(state);

	up(v0);
	up(v1);
	addr_on(v0, "10.1.0.1", 24);
	addr_on(v1, "10.2.0.1", 24);
	return rc;
}

/* ---- routes as words ---- */

struct error err;

int route_add(const struct route_params *p, struct error *e)
{
	return route_enter(p, ROUTE_ADD, e);
}

int route_replace(const struct route_params *p, struct error *e)
{
	return route_enter(p, ROUTE_REPLACE, e);
}

static void parse_prefix(struct route_params *p, char *word)
{
	char *slash = strchr(word, '/');

	p->len = 32;
	if (!strcmp(word, "default")) {
		p->len = 0;
		return;
	}
	if (slash) {
		*slash = 0;
		p->len = (unsigned int)atoi(slash + 1);
	}
	p->prefix = rte_be_to_cpu_32(ip(word));
}

static int link_id(const char *name)
{
	for (int i = 0; i < 3; i++)
		if (!strcmp(link_mem[i].name, name))
			return i;
	return 63;
}

int do_route(int (*fn)(const struct route_params *p, struct error *e), const char *words)
{
	struct route_params p = { .link = -1 };
	struct route_hop hops[GROUP_MEMBERS_MAX + 1], *hop = NULL;
	char copy[16384], *at, *word;

	snprintf(copy, sizeof(copy), "%s", words);
	word = strtok_r(copy, " ", &at);
	if (route_type_parse(word) > 0) {
		p.type = (unsigned int)route_type_parse(word);
		word = strtok_r(NULL, " ", &at);
	}
	parse_prefix(&p, word);
	while ((word = strtok_r(NULL, " ", &at))) {
		const char *value;

		if (!strcmp(word, "nexthop")) {
			hop = &hops[p.n_hops++];
			*hop = (struct route_hop){ .link = -1, .weight = 1 };
			continue;
		}
		if (!strcmp(word, "onlink")) {
			*(hop ? &hop->onlink : &p.onlink) = true;
			continue;
		}
		if (!strcmp(word, "dead")) {
			hop->dead = true;
			continue;
		}
		value = strtok_r(NULL, " ", &at);
		if (!strcmp(word, "resolved"))
			*(hop ? &hop->resolved : &p.resolved) = !strcmp(value, "gateway") ?
				ROUTE_RESOLVED_GATEWAY : ROUTE_RESOLVED_DIRECT;
		else if (!strcmp(word, "via"))
			*(hop ? &hop->gateway : &p.gateway) = ip(value);
		else if (!strcmp(word, "dev"))
			*(hop ? &hop->link : &p.link) = link_id(value);
		else if (!strcmp(word, "weight"))
			hop->weight = (unsigned int)strtoul(value, NULL, 10);
		else if (!strcmp(word, "tos"))
			p.tos = (uint8_t)strtoul(value, NULL, 16);
		else if (!strcmp(word, "hoplimit"))
			p.hoplimit = (unsigned int)strtoul(value, NULL, 10);
		else if (!strcmp(word, "src"))
			p.src = ip(value);
		else if (!strcmp(word, "metric"))
			p.metric = (uint32_t)strtoul(value, NULL, 10);
		else if (!strcmp(word, "mtu"))
			p.mtu = (uint32_t)strtoul(value, NULL, 10);
		else if (!strcmp(word, "table"))
			p.table = (unsigned int)strtoul(value, NULL, 10);
		else if (!strcmp(word, "proto"))
			p.protocol = (unsigned int)strtoul(value, NULL, 10);
		else
			fail_msg("what is %s?", word);
	}
	err.text[0] = 0;
	p.hops = hops;
	return fn(&p, &err);
}


void refused(int (*fn)(const struct route_params *p, struct error *e), const char *words,
		    int code, const char *text)
{
	int rc = do_route(fn, words);

	if (rc != -code || !strstr(err.text, text))
		fail_msg("%s: %d '%s', expected %d '%s'", words, rc, err.text, -code, text);
}

static char dump_text[8192];

void text_begin(void)
{
	dump_text[0] = 0;
}

const char *text(void)
{
	return dump_text;
}

void append(const char *fmt, ...)
{
	size_t n = strlen(dump_text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(dump_text + n, sizeof(dump_text) - n, fmt, ap);
	va_end(ap);
}

void append_addr(const char *word, rte_be32_t addr)
{
	char s[INET_ADDRSTRLEN];

	if (addr)
		append(" %s %s", word, inet_ntop(AF_INET, &addr, s, sizeof(s)));
}

static void append_members(const struct group *g)
{
	for (unsigned int i = 0; i < g->n; i++) {
		const struct nexthop *nh = nexthop_get(g->members[i].nexthop);

		append(" nexthop");
		append_addr("via", nh->via);
		append(" dev %s weight %u bound %d", link_mem[nh->link].name,
		       g->members[i].weight, g->members[i].bound);
		append("%s%s", nh->flags & NEXTHOP_F_DEAD ? " dead" : "",
		       nh->flags & NEXTHOP_F_LINKDOWN ? " linkdown" : "");
	}
}

static int dump_one(const struct route *r, void *arg)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);
	rte_be32_t prefix = rte_cpu_to_be_32(r->prefix);
	char s[INET_ADDRSTRLEN];

	if (r->type != ROUTE_UNICAST)
		append("%s ", route_type_name(r->type));
	append("%s/%u", inet_ntop(AF_INET, &prefix, s, sizeof(s)), r->len);
	if (r->tos)
		append(" tos 0x%02x", r->tos);
	append_addr("via", nh->via);
	if (nh->type == ROUTE_UNICAST || nh->type == ROUTE_LOCAL || nh->type == ROUTE_BROADCAST)
		append(" dev %s", link_mem[nh->link].name);
	append_addr("src", nh->asked_src);
	if (r->metric)
		append(" metric %u", r->metric);
	if (nh->mtu)
		append(" mtu %u", nh->mtu);
	if (nh->flags & NEXTHOP_F_LINKDOWN)
		append(" linkdown");
	if (nh->flags & NEXTHOP_F_ONLINK)
		append(" onlink");
	if (nh->type == ROUTE_GROUP)
		append_members(nh->group);
	append("\n");
	return 0;
}

const char *table(unsigned int id)
{
	text_begin();
	assert_int_equal(route_foreach(id, dump_one, NULL), 0);
	return dump_text;
}


const struct nexthop *get_for(const struct route_flow *f)
{
	uint32_t index = route_lookup(f);
	struct route_answer a;

	route_explain(f, -1, &a);
	assert_int_equal(index, a.nexthop);
	return nexthop_get(index);
}

const struct nexthop *get(const char *addr)
{
	return get_for(&(struct route_flow){ .dst = ip(addr) });
}

void leads_to(const char *addr, unsigned int type, const struct link *l,
		     const char *gateway, const char *src)
{
	const struct nexthop *nh = get(addr);

	assert_int_equal(nh->type, type);
	assert_int_equal(nh->link, l->id);
	assert_int_equal(nh->gateway, gateway ? ip(gateway) : 0);
	assert_int_equal(nexthop_src(nh), ip(src));
}
