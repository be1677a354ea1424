/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules, tables and routes by TOS, over the make-believe links of route_world.h. What is expected
 * was taken from `ip rule` in a network namespace of a live kernel.
 */
#include "route_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/sysctl.h"
#include "route/rule.h"
#include "route/rule_set.h"

static struct rule_params rule(uint32_t priority, uint32_t table_id)
{
	return (struct rule_params){ .priority_given = true, .priority = priority,
				     .table = table_id };
}

static void added(struct rule_params p)
{
	if (rule_add(&p, &err))
		fail_msg("%s", err.text);
}

static void gone(struct rule_params p)
{
	if (rule_del(&p, &err))
		fail_msg("%s", err.text);
}

static int list_one(const struct rule_info *r, void *arg)
{
	append("%u:%u%s ", r->p.priority, r->p.table, r->detached ? "-" : "");
	return 0;
}

static const char *list(void)
{
	text_begin();
	rule_foreach(list_one, NULL);
	return text();
}

static struct route_flow flow(const char *dst, const char *src, unsigned int iif, uint8_t tos)
{
	return (struct route_flow){ .dst = ip(dst), .src = ip(src), .iif = (uint16_t)iif,
				    .tos = tos };
}

static rte_be32_t way(const char *dst, const char *src, unsigned int iif, uint8_t tos)
{
	struct route_flow f = flow(dst, src, iif, tos);

	return get_for(&f)->gateway;
}

static void test_list(void **state)
{
	struct rule_params p = rule(100, 10);

	assert_string_equal(list(), "0:255 32766:254 32767:253 ");
	added(p);
	assert_int_equal(rule_add(&p, &err), -EEXIST);
	added((struct rule_params){ .table = 11 });
	added((struct rule_params){ .table = 12 });
	added(rule(98, 13));
	assert_string_equal(list(), "0:255 98:12 98:13 99:11 100:10 32766:254 32767:253 ");
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 98 });
	gone((struct rule_params){ .action = RULE_TABLE, .table = 11 });
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 0 });
	assert_string_equal(list(), "98:13 100:10 32766:254 32767:253 ");
	p = rule(5, 77);
	p.action = RULE_TABLE;
	assert_int_equal(rule_del(&p, &err), -ENOENT);
	p.tos = 3;
	assert_int_equal(rule_add(&p, &err), -EINVAL);
	p.tos = 0x20;
	assert_int_equal(rule_add(&p, &err), -EINVAL);
	gone(rule(98, 13));
	gone(rule(100, 10));
	gone(rule(32766, 254));
	gone(rule(32767, 253));
	assert_string_equal(list(), "");
	assert_int_equal(get("10.1.0.1")->type, ROUTE_NONE);
	added((struct rule_params){ .table = 254 });
	added((struct rule_params){ .table = 255 });
	assert_string_equal(list(), "0:254 0:255 ");
	leads_to("10.1.0.1", ROUTE_UNICAST, v0, NULL, "10.1.0.1");
}

static void test_selectors(void **state)
{
	struct rule_params p;

	ok(route_add, "default via 10.1.0.9 table 10");
	ok(route_add, "default via 10.2.0.9 table 4294967295");
	p = rule(10, 10);
	p.from = 0x0a010000;
	p.from_len = 16;
	added(p);
	p = rule(20, UINT32_MAX);
	p.iif = "v1";
	p.tos = 0x10;
	added(p);
	p = rule(30, 10);
	p.iif = "later";
	added(p);
	p = rule(40, UINT32_MAX);
	p.not = true;
	p.to = 0x14000000;
	p.to_len = 8;
	added(p);
	assert_int_equal(way("20.0.0.1", "10.1.2.3", 1, 0), ip("10.1.0.9"));
	assert_int_equal(way("20.0.0.1", "10.2.2.3", 1, 0), 0);
	assert_int_equal(way("20.0.0.1", "10.2.2.3", 2, 0x10), ip("10.2.0.9"));
	assert_int_equal(way("20.0.0.1", "10.2.2.3", 2, 0xf3), ip("10.2.0.9"));
	assert_int_equal(way("20.0.0.1", "10.2.2.3", 2, 0x14), 0);
	assert_int_equal(way("21.0.0.1", "10.2.2.3", 1, 0), ip("10.2.0.9"));
	assert_int_equal(way("10.1.0.1", "10.1.2.3", 1, 0), 0);
}

static void test_marks(void **state)
{
	struct route_flow f = flow("20.0.0.1", "10.1.2.3", 1, 0);
	struct rule_params p = rule(10, 10), q;

	ok(route_add, "default via 10.1.0.9 table 10");
	p.mark = 0x10;
	p.mark_mask = 0xff;
	added(p);
	assert_int_equal(rule_add(&p, &err), -EEXIST);
	assert_int_equal(get_for(&f)->type, ROUTE_NONE);
	f.mark = 0x10;
	assert_int_equal(get_for(&f)->gateway, ip("10.1.0.9"));
	f.mark = 0x110;
	assert_int_equal(get_for(&f)->gateway, ip("10.1.0.9"));
	f.mark = 0x11;
	assert_int_equal(get_for(&f)->type, ROUTE_NONE);
	q = (struct rule_params){ .action = RULE_ANY, .mark = 0x10, .mark_mask = UINT32_MAX };
	assert_int_equal(rule_del(&q, &err), -ENOENT);
	p.mark_mask = UINT32_MAX;
	added(p);
	gone(q);
	q.mark_mask = 0xff;
	gone(q);
	assert_int_equal(rule_del(&q, &err), -ENOENT);
	p.mark = 0;
	p.mark_mask = 0xf;
	added(p);
	assert_int_equal(get_for(&f)->type, ROUTE_NONE);
	f.mark = 0x110;
	assert_int_equal(get_for(&f)->gateway, ip("10.1.0.9"));
}

static void flushed(struct rule_params which, const char *left)
{
	which.action = RULE_ANY;
	if (rule_flush(&which, &err))
		fail_msg("%s", err.text);
	assert_string_equal(list(), left);
}

static void test_flush(void **state)
{
	struct rule_params p;

	flushed((struct rule_params){ .table = 99 }, "0:255 32766:254 32767:253 ");
	assert_null(route_rules);
	ok(route_add, "default via 10.1.0.9 table 10");
	p = rule(10, 10);
	p.from = 0x0a010200;
	p.from_len = 24;
	added(p);
	p = rule(11, 11);
	p.not = true;
	p.to = 0x14000000;
	p.to_len = 8;
	added(p);
	p = rule(12, 12);
	p.mark = 1;
	p.mark_mask = UINT32_MAX;
	p.iif = "v1";
	added(p);
	p = rule(13, 0);
	p.action = RULE_BLACKHOLE;
	p.tos = 0x10;
	added(p);
	flushed((struct rule_params){ .from = 0x0a010200, .from_len = 25 },
		"0:255 10:10 11:11 12:12 13:0 32766:254 32767:253 ");
	flushed((struct rule_params){ .mark = 1, .mark_mask = 1 },
		"0:255 10:10 11:11 12:12 13:0 32766:254 32767:253 ");
	flushed((struct rule_params){ .iif = "v2" },
		"0:255 10:10 11:11 12:12 13:0 32766:254 32767:253 ");
	assert_int_equal(way("30.0.0.1", "10.1.2.3", 1, 0), ip("10.1.0.9"));
	flushed((struct rule_params){ .from = 0x0a010000, .from_len = 16 },
		"0:255 11:11 12:12 13:0 32766:254 32767:253 ");
	assert_int_equal(way("30.0.0.1", "10.1.2.3", 1, 0), 0);
	flushed((struct rule_params){ .not = true }, "0:255 12:12 13:0 32766:254 32767:253 ");
	flushed((struct rule_params){ .mark = 1 }, "0:255 13:0 32766:254 32767:253 ");
	flushed((struct rule_params){ .tos = 0x10 }, "0:255 32766:254 32767:253 ");
	flushed((struct rule_params){ .table = 254 }, "0:255 32767:253 ");
	added(rule(0, 254));
	added(rule(7, 254));
	flushed((struct rule_params){ 0 }, "0:255 0:254 ");
	leads_to("10.1.0.1", ROUTE_LOCAL, v0, NULL, "10.1.0.1");
}

static void test_actions(void **state)
{
	struct rule_params p = rule(10, 0);
	struct route_answer a;
	struct route_flow f = flow("20.0.0.1", "0.0.0.0", 0, 0);

	ok(route_add, "default via 10.1.0.9");
	p.to = 0x14000000;
	p.to_len = 8;
	p.action = RULE_PROHIBIT;
	added(p);
	assert_int_equal(get("20.0.0.1")->type, ROUTE_PROHIBIT);
	p.priority = 9;
	p.action = RULE_BLACKHOLE;
	added(p);
	assert_int_equal(get("20.0.0.1")->type, ROUTE_BLACKHOLE);
	p.priority = 8;
	p.action = RULE_UNREACHABLE;
	added(p);
	assert_int_equal(get("20.0.0.1")->type, ROUTE_NONE);
	route_explain(&f, -1, &a);
	assert_true(a.by_rule && !a.route);
	assert_int_equal(a.priority, 8);
	assert_int_equal(get("21.0.0.1")->gateway, ip("10.1.0.9"));
}

/* The FIB holds local and main together, until a rule is touched. */
static void test_split(void **state)
{
	ok(route_add, "local 20.0.0.0/16 dev lo");
	ok(route_add, "20.0.1.0/24 via 10.1.0.9");
	ok(route_add, "20.0.0.0/16 via 10.2.0.9");
	ok(route_add, "default via 10.1.0.7 table 253");
	assert_null(route_rules);
	assert_int_equal(get("20.0.1.1")->type, ROUTE_UNICAST);
	assert_int_equal(get("20.0.2.1")->type, ROUTE_LOCAL);
	assert_int_equal(get("30.0.0.1")->gateway, ip("10.1.0.7"));
	added(rule(32000, 99));
	assert_int_equal(get("20.0.1.1")->type, ROUTE_LOCAL);
	assert_int_equal(get("20.0.2.1")->type, ROUTE_LOCAL);
	gone(rule(32000, 99));
	assert_non_null(route_rules);
	assert_int_equal(route_lookup_local(ip("20.0.1.1"))->type, ROUTE_LOCAL);
	assert_int_equal(route_lookup_local(ip("30.0.1.1"))->type, ROUTE_NONE);
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 0 });
	assert_int_equal(get("20.0.2.1")->gateway, ip("10.2.0.9"));
	assert_int_equal(get("20.0.1.1")->gateway, ip("10.1.0.9"));
	addr_on(v0, "10.1.0.77", 24);
	leads_to("10.1.0.77", ROUTE_UNICAST, v0, NULL, "10.1.0.1");
	assert_int_equal(route_lookup_local(ip("10.1.0.77"))->type, ROUTE_LOCAL);
	assert_int_equal(get("30.0.0.1")->gateway, ip("10.1.0.7"));
}

static unsigned int told;

static void on_local(void)
{
	told++;
}

/* Once the rules are those of the start again, the FIB holds both again, unless some route has
 * another answer then; it takes no other way to see that than adding and removing one. */
static void test_merge(void **state)
{
	route_local_changed = on_local;
	ok(route_add, "20.0.0.0/16 via 10.2.0.9");
	ok(route_add, "10.1.0.1 via 10.2.0.9");
	assert_int_equal(route_sources, ROUTE_SOURCES_CONFIGURED);
	added(rule(32000, 99));
	assert_non_null(route_rules);
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);
	assert_int_equal(fib_get(route_fib, rte_be_to_cpu_32(ip("10.1.0.255")), 32), 0);
	gone(rule(32000, 99));
	assert_null(route_rules);
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);
	assert_int_equal(get("10.1.0.1")->type, ROUTE_LOCAL);
	assert_int_equal(get("10.1.0.255")->type, ROUTE_BROADCAST);
	told = 0;
	addr_on(v0, "10.1.0.77", 24);
	assert_int_not_equal(told, 0);
	leads_to("10.1.0.77", ROUTE_LOCAL, v0, NULL, "10.1.0.1");

	ok(route_add, "local 20.0.0.0/16 dev lo");
	assert_non_null(route_rules);
	assert_int_equal(route_sources, ROUTE_SOURCES_PREFIXES);
	ok(route_add, "20.0.1.0/24 via 10.1.0.9");
	assert_int_equal(get("20.0.1.1")->type, ROUTE_LOCAL);
	ok(route_add, "127.1.0.0/16 via 10.1.0.9");
	ok(route_del, "local 20.0.0.0/16 dev lo");
	assert_non_null(route_rules);
	assert_int_equal(get("20.0.1.1")->gateway, ip("10.1.0.9"));
	ok(route_del, "127.1.0.0/16");
	assert_null(route_rules);
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);

	added(rule(7, 99));
	ok(route_replace, "broadcast 20.0.3.0/24 dev v0");
	gone(rule(7, 99));
	assert_non_null(route_rules);
	assert_int_equal(get("20.0.3.9")->type, ROUTE_BROADCAST);
	ok(route_replace, "20.0.3.0/24 via 10.1.0.9 table 255");
	assert_non_null(route_rules);
	ok(route_del, "20.0.3.0/24 table 255");
	assert_null(route_rules);
	assert_int_equal(get("20.0.3.9")->gateway, ip("10.2.0.9"));
	flushed((struct rule_params){ .table = 99 }, "0:255 32766:254 32767:253 ");
	assert_null(route_rules);
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 0 });
	assert_non_null(route_rules);
	assert_int_equal(get("10.1.0.1")->gateway, ip("10.2.0.9"));
	added(rule(0, 255));
	assert_null(route_rules);
	assert_int_equal(get("10.1.0.1")->type, ROUTE_LOCAL);
}

/* Links by which something comes in that may not go where the FIB says. */
static uint64_t diverted(void)
{
	return route_rules && route_rules->merged ? route_rules->diverted_links : UINT64_MAX;
}

/* The quick answer is the rule's where it leads to a gateway, and where it doesn't nobody cares. */
static void quick_answers(const struct rule *r)
{
	static const char *const names[] = {"20.0.0.1", "20.1.0.1", "20.9.0.1", "30.1.0.1"};
	uint32_t dst[RTE_DIM(names)], index;
	uint16_t longest[RTE_DIM(names)];
	unsigned int sure = 0;

	for (unsigned int i = 0; i < RTE_DIM(names); i++)
		dst[i] = rte_be_to_cpu_32(ip(names[i]));
	rule_longest(r, dst, longest, RTE_DIM(names));
	for (unsigned int i = 0; i < RTE_DIM(names); i++) {
		if (!nexthop_get(longest[i])->gateway)
			continue;
		sure++;
		index = fib_lookup(route_fib, dst[i]);
		assert_true(rule_diverts(r, ip(names[i]), 0, &index));
		assert_int_equal(index, longest[i]);
	}
	assert_true(sure > 0);
}

/* With rules behind that for local the FIB still holds both, and it is known which rules matter. */
static void test_diverting(void **state)
{
	struct rule_params p = rule(100, 10);
	uint32_t index = 0;

	ok(route_add, "20.0.0.0/16 via 10.2.0.9");
	ok(route_add, "20.0.0.0/8 via 10.1.0.9 table 10");
	ok(route_add, "throw 20.1.0.0/16 table 10");
	p.mark = 5;
	p.mark_mask = UINT32_MAX;
	added(p);
	assert_true(route_rules->merged);
	assert_int_not_equal(fib_get(route_fib, rte_be_to_cpu_32(ip("10.1.0.1")), 32), 0);
	assert_int_equal(diverted(), 0);
	p = rule(110, 10);
	p.iif = "later";
	added(p);
	assert_int_equal(diverted(), 0);
	p.iif = "v1";
	added(p);
	assert_int_equal(diverted(), 1u << v1->id);
	p.not = true;
	p.priority = 120;
	added(p);
	assert_int_equal(diverted(), UINT64_MAX);
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 110 });
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 110 });
	assert_int_equal(diverted(), ~(1ULL << v1->id));
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 120 });

	p = rule(130, 10);
	p.not = true;
	added(p);       /* never matches */
	assert_int_equal(diverted(), 0);
	added(rule(33000, 10));         /* behind main */
	assert_int_equal(diverted(), 0);
	assert_int_equal(route_rules->n_diverting, 0);
	p = rule(140, 10);
	p.from = 0x0a010000;
	p.from_len = 16;
	added(p);
	assert_int_equal(diverted(), UINT64_MAX);
	assert_int_equal(route_rules->n_diverting, 1);
	assert_int_equal(way("20.0.0.1", "10.1.2.3", 1, 0), ip("10.1.0.9"));
	assert_int_equal(way("20.0.0.1", "10.3.2.3", 1, 0), ip("10.2.0.9"));
	assert_true(rule_diverts(route_rules->diverting, ip("20.0.0.1"), 0, &index));
	assert_int_equal(nexthop_get(index)->gateway, ip("10.1.0.9"));
	assert_false(rule_diverts(route_rules->diverting, ip("20.1.0.1"), 0, &index));
	assert_false(rule_diverts(route_rules->diverting, ip("30.1.0.1"), 0, &index));
	quick_answers(route_rules->diverting);
	assert_null(rule_slots(route_rules->diverting));
	assert_int_equal(sysctl_set("net.millrace.table_fib_prefixes", "2", &err), 0);
	assert_non_null(rule_slots(route_rules->diverting));
	quick_answers(route_rules->diverting);
	assert_int_equal(sysctl_set("net.millrace.table_fib_prefixes", "0", &err), 0);
	assert_null(rule_slots(route_rules->diverting));
	index = fib_lookup(route_fib, rte_be_to_cpu_32(ip("10.1.0.1")));
	assert_true(rule_diverts(route_rules->diverting, ip("10.1.0.1"), 0, &index));
	assert_int_equal(nexthop_get(index)->type, ROUTE_LOCAL);
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 32766 });
	assert_int_equal(diverted(), UINT64_MAX);
	assert_int_equal(get("20.9.0.1")->gateway, ip("10.1.0.9"));
	assert_int_equal(get("20.1.0.1")->type, ROUTE_NONE);
	added(rule(32766, 254));
	assert_true(route_rules->merged);
	gone((struct rule_params){ .action = RULE_ANY, .priority_given = true, .priority = 0 });
	assert_false(route_rules->merged);
	assert_int_equal(route_sources, ROUTE_SOURCES_PREFIXES);
	assert_int_equal(fib_get(route_fib, rte_be_to_cpu_32(ip("10.1.0.1")), 32), 0);
	added(rule(0, 255));
	assert_true(route_rules->merged);
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);
	leads_to("10.1.0.1", ROUTE_LOCAL, v0, NULL, "10.1.0.1");
}

/* What makes sources be looked up, or local and main be looked up apart, while there are rules. */
static void test_apart(void **state)
{
	struct route_flow f = flow("10.1.0.1", "10.2.2.3", 1, 0);

	ok(route_add, "local 20.0.0.1 dev lo table 10");
	added(rule(100, 10));
	assert_true(route_rules->merged);
	assert_int_equal(route_sources, ROUTE_SOURCES_PREFIXES);
	ok(route_del, "local 20.0.0.1 dev lo table 10");
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);
	ok(route_add, "broadcast 20.0.0.0/24 dev v0 table 10");
	assert_int_equal(route_sources, ROUTE_SOURCES_PREFIXES);
	gone(rule(100, 10));
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);
	added(rule(101, 11));
	assert_int_equal(route_sources, ROUTE_SOURCES_PREFIXES);
	ok(route_del, "broadcast 20.0.0.0/24 table 10");

	assert_true(route_rules->merged);
	ok(route_add, "10.1.0.1 via 10.2.0.9");
	assert_false(route_rules->merged);
	leads_to("10.1.0.1", ROUTE_LOCAL, v0, NULL, "10.1.0.1");
	assert_int_equal(nexthop_get(route_lookup_over(&f, v1->id))->gateway, ip("10.2.0.9"));
	ok(route_add, "10.1.0.1 via 10.2.0.8 metric 7");
	ok(route_del, "10.1.0.1 via 10.2.0.9");
	assert_false(route_rules->merged);
	ok(route_replace, "10.1.0.1 via 10.2.0.7 metric 7");
	assert_false(route_rules->merged);
	ok(route_del, "10.1.0.1");
	assert_true(route_rules->merged);
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);
}

/* Of a local route's prefix, though no rule was ever there. */
static void test_custom_local(void **state)
{
	assert_int_equal(route_sources, ROUTE_SOURCES_CONFIGURED);
	ok(route_add, "local 20.0.0.1 dev lo");
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);
	ok(route_add, "local 20.0.1.0/24 dev lo");
	assert_int_equal(route_sources, ROUTE_SOURCES_PREFIXES);
	assert_null(route_rules);
	ok(route_del, "local 20.0.1.0/24 dev lo");
	ok(route_del, "local 20.0.0.1 dev lo");
	assert_int_equal(route_sources, ROUTE_SOURCES_HOSTS);
}

static void test_throw(void **state)
{
	ok(route_add, "throw 20.1.0.0/16 table 10");
	ok(route_add, "20.0.0.0/8 via 10.1.0.9 table 10");
	ok(route_add, "20.0.0.0/8 via 10.2.0.9");
	ok(route_add, "unreachable 20.2.0.0/16 table 10");
	added(rule(10, 10));
	assert_int_equal(get("20.1.0.1")->gateway, ip("10.2.0.9"));
	assert_int_equal(get("20.2.0.1")->type, ROUTE_UNREACHABLE);
	assert_int_equal(get("20.3.0.1")->gateway, ip("10.1.0.9"));
}

static void tos_answers(const char *dst, const char *expected)
{
	static const uint8_t tos[] = { 0, 0x04, 0x08, 0x10, 0x12, 0x30, 0xf0, 0x20 };

	text_begin();
	for (unsigned int i = 0; i < sizeof(tos); i++) {
		rte_be32_t gateway = way(dst, "0.0.0.0", 0, tos[i]);

		append("%u ", gateway ? rte_be_to_cpu_32(gateway) & 0xff : 0);
	}
	assert_string_equal(text(), expected);
}

/* In main (the FIB) and in another table (a trie) alike. */
static void tos_in(const char *where)
{
	char words[128];

#define ADD(text) \
	do { \
		snprintf(words, sizeof(words), text "%s", where); \
		ok(route_add, words); \
	} while (0)
#define DEL(text) \
	do { \
		snprintf(words, sizeof(words), text "%s", where); \
		ok(route_del, words); \
	} while (0)
	ADD("20.0.0.0/8 via 10.1.0.2");
	ADD("20.0.0.0/8 via 10.1.0.3 tos 0x10");
	ADD("20.1.0.0/16 via 10.1.0.4 tos 0x08");
	ADD("20.1.1.0/25 via 10.1.0.5 tos 0x04 metric 9");
	ADD("20.1.1.0/25 via 10.1.0.6 tos 0x10");
	ADD("20.1.1.0/25 via 10.1.0.7 tos 0x10 metric 3");
	tos_answers("20.2.0.1", "2 2 2 3 3 3 3 2 ");
	tos_answers("20.1.2.1", "2 2 4 3 3 3 3 2 ");
	tos_answers("20.1.1.1", "2 5 4 6 6 6 6 2 ");
	tos_answers("20.1.1.200", "2 2 4 3 3 3 3 2 ");
	DEL("20.1.1.0/25 tos 0x10");
	tos_answers("20.1.1.1", "2 5 4 7 7 7 7 2 ");
	ADD("20.1.1.0/25 via 10.1.0.8");
	tos_answers("20.1.1.1", "8 5 8 7 7 7 7 8 ");
	DEL("20.0.0.0/8");
	tos_answers("20.2.0.1", "0 0 0 3 3 3 3 0 ");
	DEL("20.1.1.0/25");
	DEL("20.1.1.0/25 tos 0x10");
	tos_answers("20.1.1.1", "0 5 4 3 3 3 3 0 ");
	ADD("default via 10.1.0.9 tos 0x04");
	tos_answers("30.1.1.1", "0 9 0 0 0 0 0 0 ");
	DEL("default tos 0x04");
	DEL("20.0.0.0/8 tos 0x10");
	DEL("20.1.0.0/16 tos 0x08");
	DEL("20.1.1.0/25 tos 0x04");
	tos_answers("20.1.1.1", "0 0 0 0 0 0 0 0 ");
	assert_int_equal(nexthop_used(), SETUP_NEXTHOPS);
}

static void test_tos(void **state)
{
	tos_in("");
	refused(route_add, "20.0.0.0/8 via 10.1.0.2 tos 0x01", EINVAL, "ECN");
	added(rule(10, 10));
	tos_in("");
	tos_in(" table 10");
}

static void test_limits(void **state)
{
	assert_int_equal(sysctl_set("net.millrace.route_tables_max", "4", &err), 0);
	ok(route_add, "20.0.0.0/8 via 10.1.0.2 table 10");
	refused(route_add, "20.0.0.0/8 via 10.1.0.2 table 11", ENOSPC, "route_tables_max");
	ok(route_del, "20.0.0.0/8 table 10");
	ok(route_add, "20.0.0.0/8 via 10.1.0.2 table 11");
	assert_int_equal(sysctl_set("net.millrace.rules_max", "4", &err), 0);
	added(rule(10, 11));
	assert_int_equal(rule_add(&(struct rule_params){ .table = 254 }, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "rules_max"));
	ok(route_del, "20.0.0.0/8 table 11");
	refused(route_add, "20.0.0.0/8 via 10.1.0.2 table 10", ENOSPC, "route_tables_max");
	gone(rule(10, 11));
	ok(route_add, "20.0.0.0/8 via 10.1.0.2 table 10");
}

/* Removing a route needs no next hop: what is left is found, or if that needs one, left out. What
 * is gone is not found any more. */
static void test_no_room(void **state)
{
	struct nexthop like = { .type = ROUTE_BLACKHOLE, .table = 99 };
	struct route_flow f = flow("30.0.0.1", "10.1.0.9", v0->id, 0x10);

	ok(route_add, "20.0.0.0/8 via 10.1.0.2");
	ok(route_add, "20.0.0.0/8 via 10.1.0.3 tos 0x10");
	ok(route_add, "20.0.0.0/8 via 10.1.0.4 tos 0x08");
	ok(route_add, "30.0.0.1 via 10.1.0.5 tos 0x10");
	ok(route_add, "local 30.0.0.1 dev v0 table 255");
	while (nexthop_hold(&like))
		like.metric++;
	refused(route_add, "40.0.0.0/8 via 10.1.0.2 metric 7", ENOSPC, "next hops");
	ok(route_del, "20.0.0.0/8 tos 0x08");
	assert_int_equal(way("20.1.1.1", "10.1.0.9", v0->id, 0x08), ip("10.1.0.2"));
	assert_int_equal(way("20.1.1.1", "10.1.0.9", v0->id, 0x10), ip("10.1.0.3"));
	ok(route_del, "20.0.0.0/8 tos 0");
	assert_int_equal(way("20.1.1.1", "10.1.0.9", v0->id, 0x08), 0);
	assert_int_equal(way("20.1.1.1", "10.1.0.9", v0->id, 0x10), ip("10.1.0.3"));
	while (nexthop_hold(&like))
		like.metric++;
	ok(route_del, "local 30.0.0.1 dev v0 table 255");
	assert_int_equal(nexthop_get(route_lookup(&f))->type, ROUTE_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_two, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list),
		TEST(test_selectors),
		TEST(test_marks),
		TEST(test_flush),
		TEST(test_actions),
		TEST(test_split),
		TEST(test_merge),
		TEST(test_diverting),
		TEST(test_apart),
		TEST(test_custom_local),
		TEST(test_throw),
		TEST(test_tos),
		TEST(test_no_room),
		TEST(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
