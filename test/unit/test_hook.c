/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/ipv4/hook: order, verdicts, coming and going, and where a stolen packet goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "ipv4/internal.h"

/* ---- stand-ins ---- */

static struct counters counters;
static struct worker worker = {.counters = &counters};
static struct {
	struct rte_mbuf m;
	struct packet p;
} box;
static int dropped;             /* the reason; -1: not */
static const char *went;        /* where the packet went on */
static char asked[16];          /* the hooks that were asked, by letter */

void packet_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	dropped = (int)reason;
}

#define STAND_IN(name) \
	void name(struct worker *w, struct rte_mbuf *m) \
	{ \
		went = #name; \
	}
STAND_IN(ip_rcv_finish)
STAND_IN(ip_local_deliver_finish)
STAND_IN(ip_forward_finish)
STAND_IN(ip_output)
STAND_IN(ip_finish_output)

/* ---- hooks ---- */

struct test_hook {
	char letter;
	enum hook_verdict verdict;
};

static struct test_hook a = {'a', HOOK_ACCEPT}, b = {'b', HOOK_ACCEPT}, c = {'c', HOOK_ACCEPT};

static enum hook_verdict hook(struct worker *w, struct rte_mbuf *m, enum hook_point point,
			      void *arg)
{
	struct test_hook *h = arg;

	assert_ptr_equal(m, &box.m);
	asked[strlen(asked)] = h->letter;
	return h->verdict;
}

static int put(enum hook_point point, int32_t priority, struct test_hook *h)
{
	return hook_register(point, priority, "test", hook, h);
}

/* Which hooks are asked, in which order; whether the packet goes on, or why not. */
static void assert_run(enum hook_point point, const char *letters, bool goes_on, int reason)
{
	memset(asked, 0, sizeof(asked));
	dropped = -1;
	assert_int_equal(hook_run(&worker, &box.m, point), goes_on);
	assert_string_equal(asked, letters);
	assert_int_equal(dropped, reason);
}

static void assert_resume(enum hook_point point, int32_t priority, const char *letters,
			  const char *where)
{
	memset(asked, 0, sizeof(asked));
	dropped = -1;
	went = "";
	hook_resume(&worker, &box.m, point, priority);
	assert_string_equal(asked, letters);
	assert_string_equal(went, where);
}

static int setup(void **state)
{
	a.verdict = b.verdict = c.verdict = HOOK_ACCEPT;
	counters = (struct counters){0};
	box.p = (struct packet){0};
	return 0;
}

static int teardown(void **state)
{
	hook_fini();
	return 0;
}

/* ---- tests ---- */

static void test_order(void **state)
{
	assert_false(hooked(HOOK_INPUT));
	assert_run(HOOK_INPUT, "", true, -1);
	assert_int_equal(put(HOOK_INPUT, HOOK_PRI_FILTER, &b), 0);
	assert_int_equal(put(HOOK_INPUT, HOOK_PRI_CONNTRACK_DEFRAG, &a), 0);
	assert_int_equal(put(HOOK_INPUT, HOOK_PRI_FILTER, &c), 0);
	assert_int_equal(put(HOOK_INPUT, HOOK_PRI_LAST, &c), -EEXIST);
	assert_true(hooked(HOOK_INPUT));
	assert_run(HOOK_INPUT, "abc", true, -1);
	hook_unregister(HOOK_INPUT, hook, &b);
	hook_unregister(HOOK_INPUT, hook, &b);
	hook_unregister(HOOK_FORWARD, hook, &a);
	assert_run(HOOK_INPUT, "ac", true, -1);
	assert_int_equal(put(HOOK_INPUT, HOOK_PRI_FIRST, &b), 0);
	assert_run(HOOK_INPUT, "bac", true, -1);
}

static void test_verdicts(void **state)
{
	put(HOOK_FORWARD, 1, &a);
	put(HOOK_FORWARD, 2, &b);
	put(HOOK_FORWARD, 3, &c);
	b.verdict = HOOK_DROP;
	assert_run(HOOK_FORWARD, "ab", false, DROP_NETFILTER_DROP);
	b.verdict = HOOK_STOLEN;
	assert_run(HOOK_FORWARD, "ab", false, -1);
}

static void test_resume(void **state)
{
	static const char *const where[HOOK_POINTS] = {
		"ip_rcv_finish", "ip_local_deliver_finish", "ip_forward_finish", "ip_output",
		"ip_finish_output",
	};

	for (unsigned int i = 0; i < HOOK_POINTS; i++) {
		assert_resume(i, 2, "", where[i]);
		put(i, 1, &a);
		put(i, 2, &b);
		put(i, 3, &c);
		assert_resume(i, 2, "c", where[i]);
		assert_resume(i, 3, "", where[i]);
		assert_resume(i, 0, "abc", where[i]);
		c.verdict = HOOK_DROP;
		assert_resume(i, 2, "c", "");
		assert_int_equal(dropped, DROP_NETFILTER_DROP);
		c.verdict = HOOK_ACCEPT;
	}
}

/* Of what the router made itself Linux counts it as not sent. */
static void test_discards(void **state)
{
	a.verdict = HOOK_DROP;
	for (unsigned int i = 0; i < HOOK_POINTS; i++)
		put(i, 0, &a);
	assert_run(HOOK_POSTROUTING, "a", false, DROP_NETFILTER_DROP);
	assert_run(HOOK_INPUT, "a", false, DROP_NETFILTER_DROP);
	assert_int_equal(counters.c[CNT_IP_OUTDISCARDS], 0);
	box.p.flags = PACKET_F_LOCAL;
	assert_run(HOOK_POSTROUTING, "a", false, DROP_NETFILTER_DROP);
	assert_run(HOOK_OUTPUT, "a", false, DROP_NETFILTER_DROP);
	assert_int_equal(counters.c[CNT_IP_OUTDISCARDS], 2);
}

/* The fast path asks one word. */
static void test_forward_word(void **state)
{
	static const bool forward[HOOK_POINTS] = {true, false, true, false, true};

	for (unsigned int i = 0; i < HOOK_POINTS; i++) {
		put(i, 0, &a);
		assert_int_equal(ip_hooks.forward != 0, forward[i]);
		hook_unregister(i, hook, &a);
		assert_int_equal(ip_hooks.forward, 0);
	}
}

static int collect(const struct hook_info *info, void *arg)
{
	struct hook_info **next = arg;

	*(*next)++ = *info;
	return 0;
}

static void test_info(void **state)
{
	struct hook_info info[4], *next = info;

	put(HOOK_OUTPUT, 5, &b);
	put(HOOK_OUTPUT, -5, &a);
	put(HOOK_PREROUTING, 0, &c);
	for (unsigned int i = 0; i < 3; i++) {
		b.verdict = i;
		hook_run(&worker, &box.m, HOOK_OUTPUT);
	}
	assert_int_equal(hook_foreach(collect, &next), 0);
	assert_ptr_equal(next, info + 3);
	assert_int_equal(info[0].point, HOOK_PREROUTING);
	assert_int_equal(info[0].packets, 0);
	assert_int_equal(info[1].priority, -5);
	assert_int_equal(info[1].packets, 3);
	assert_int_equal(info[2].priority, 5);
	assert_string_equal(info[2].owner, "test");
	assert_int_equal(info[2].packets, 3);
	assert_int_equal(info[2].dropped, 1);
	assert_int_equal(info[2].stolen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verdicts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
		cmocka_unit_test_setup_teardown(test_discards, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forward_word, setup, teardown),
		cmocka_unit_test_setup_teardown(test_info, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
