/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers: order, stopping, rearming, against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <rte_common.h>

#include "core/clock.h"
#include "core/timer.h"

#define TIMERS 500

static struct timer timers[TIMERS];
static uint64_t last_ns, fired;

static void in_order(struct timer *t, uint64_t now_ns)
{
	assert_true(t->at_ns >= last_ns);
	assert_true(t->at_ns <= now_ns);
	assert_false(timer_pending(t));
	last_ns = t->at_ns;
	fired++;
}

static void test_random_order(void **state)
{
	uint64_t pending = 0, now_ns = 0;

	for (int round = 0; round < 20000; round++) {
		struct timer *t = &timers[rand() % TIMERS];

		switch (rand() % 4) {
		case 0:
			pending -= timer_pending(t);
			timer_stop(t);
			break;
		case 1:
			last_ns = 0;
			fired = 0;
			now_ns += (uint64_t)rand() % 100;
			timers_run(now_ns);
			pending -= fired;
			break;
		default:
			pending += !timer_pending(t);
			timer_set(t, now_ns + (uint64_t)rand() % 1000, in_order);
		}
		assert_true((timers_next_ns() == UINT64_MAX) == (pending == 0));
	}
	last_ns = 0;
	fired = 0;
	timers_run(UINT64_MAX - 1);
	assert_int_equal(fired, pending);
}

static unsigned int again_left;

static void again(struct timer *t, uint64_t now_ns)
{
	if (--again_left)
		timer_set(t, now_ns, again);
}

static void test_rearmed_from_itself(void **state)
{
	again_left = 3;
	timer_set(&timers[0], 5, again);
	assert_int_equal(timers_run(5), 3);
	assert_int_equal(again_left, 0);
}

static struct timer *first_fired;

static void remember(struct timer *t, uint64_t now_ns)
{
	if (!first_fired)
		first_fired = t;
}

static void test_equal_times_in_order_set(void **state)
{
	for (int i = TIMERS - 1; i >= 0; i--)
		timer_set(&timers[i], 7, remember);
	first_fired = NULL;
	assert_int_equal(timers_run(7), TIMERS);
	assert_ptr_equal(first_fired, &timers[TIMERS - 1]);
}

static unsigned int fired_at[TIMERS], n_order;
static struct timer *order[TIMERS];

static void note(struct timer *t, uint64_t now_ns)
{
	fired_at[n_order] = (unsigned int)(now_ns / JIFFY_NS);
	order[n_order++] = t;
}

static void run_all(void)
{
	while (timers_next_ns() != UINT64_MAX)
		timers_run(timers_next_ns());
}

/* What runs out within one slot fires when that is over, the youngest first; of those that end at
 * once, the longest slot goes first. In jiffies. */
static void test_order_of_the_wheel(void **state)
{
	static const struct {
		unsigned int from, run;
	} set[] = {{1006, 250}, {1008, 250}, {1013, 250}, {1000, 1}, {1400, 135}, {1000, 500},
		   {1014, 250}};
	static const struct {
		unsigned int timer, at;
	} expected[] = {{3, 1002}, {2, 1264}, {1, 1264}, {0, 1264}, {6, 1272}, {5, 1504},
			{4, 1536}};
	const unsigned int n = RTE_DIM(set);

	n_order = 0;
	for (unsigned int i = 0; i < n; i++)
		timer_set_on_wheel(&timers[i], set[i].from * JIFFY_NS + 5,
				   (set[i].from + set[i].run) * JIFFY_NS + 5, note);
	run_all();
	assert_int_equal(n_order, n);
	for (unsigned int i = 0; i < n; i++) {
		assert_ptr_equal(order[i], &timers[expected[i].timer]);
		assert_int_equal(fired_at[i], expected[i].at);
	}

	/* slots of 8 jiffies and of 64 */
	n_order = 0;
	timer_set_on_wheel(&timers[0], 1100 * JIFFY_NS, 1531 * JIFFY_NS, note);
	timer_set_on_wheel(&timers[1], 1000 * JIFFY_NS, 1510 * JIFFY_NS, note);
	timer_set_on_wheel(&timers[2], 1100 * JIFFY_NS, 1532 * JIFFY_NS, note);
	run_all();
	assert_ptr_equal(order[0], &timers[1]);
	assert_ptr_equal(order[1], &timers[2]);
	assert_ptr_equal(order[2], &timers[0]);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(fired_at[i], 1536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_order),
		cmocka_unit_test(test_rearmed_from_itself),
		cmocka_unit_test(test_equal_times_in_order_set),
		cmocka_unit_test(test_order_of_the_wheel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
