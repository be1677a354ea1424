/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When reassembly gives a datagram up: the timers' slots, their order, and a worker that is late.
 */
#include "reassemble_world.h"

#include "core/clock.h"
#include "core/sysctl.h"
#include "ipv4/reassemble_table.h"

/* The time in jiffies, and then as many milliseconds more. */
static void clock_to(uint64_t jiffy, unsigned int ms)
{
	clock_set(jiffy * JIFFY_NS + ms * NSEC_PER_MSEC);
	ticks(1);
}

/* A jiffy that is not past, where slots of all lengths begin that can be told apart here. */
static uint64_t clock_round(void)
{
	uint64_t jiffy = RTE_ALIGN_CEIL(clock_now_ns() / JIFFY_NS + 1, 1ULL << 24);

	clock_to(jiffy, 0);
	return jiffy;
}

static void time_set(uint32_t seconds)
{
	set("net.ipv4.ipfrag_time", seconds);
	ticks(1);
}

static uint64_t next_jiffy(void)
{
	uint64_t ns = defrag_next_expiry_ns(workers[0]);

	assert_int_equal(ns % JIFFY_NS, 0);
	return ns / JIFFY_NS;
}

static void assert_told(unsigned int n, const uint16_t *ids)
{
	assert_int_equal(told.n, n);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(told.ids[i], ids[i]);
	told.n = 0;
}

#define ASSERT_TOLD(...) \
	assert_told(sizeof((uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t), (uint16_t[]){__VA_ARGS__})

static void timer_keeps_its_length(void **state)
{
	static const uint16_t lengths[] = {30, 5, 60, 10, 20, 7};
	uint64_t round;

	start(1);
	round = clock_round();
	for (uint16_t i = 0; i < RTE_DIM(lengths); i++) {
		time_set(lengths[i]);
		first_of(i);
	}
	assert_int_equal(next_jiffy(), round + 1280);
	clock_to(round + 1279, 3);
	assert_int_equal(told.n, 0);
	clock_to(round + 1280, 0);
	ASSERT_TOLD(1);
	assert_int_equal(told.len, 52);
	assert_int_equal(next_jiffy(), round + 1792);
	clock_to(round + 16000, 0);
	ASSERT_TOLD(5, 3, 4, 0, 2);
	assert_int_equal(defrag_next_expiry_ns(workers[0]), UINT64_MAX);
	stop();
}

/* How much later than after so many seconds a datagram may expire depends on how many they are. */
static void timers_are_late(void **state)
{
	static const struct {
		uint32_t seconds, slot;
	} all[] = {{0, 1}, {1, 8}, {2, 8}, {3, 64}, {16, 64}, {17, 512}, {30, 512}, {129, 512},
		   {130, 4096}, {1000, 4096}, {1100, 32768}, {8000, 32768}, {9000, 262144},
		   {60000, 262144}, {70000, 2097152}, {600000, 16777216}, {4000000, 16777216}};

	start(1);
	for (unsigned int i = 0; i < RTE_DIM(all); i++) {
		uint64_t begin = clock_round() + chance(100000), end = begin + all[i].seconds * 250;

		clock_to(begin, chance(4));
		time_set(all[i].seconds);
		first_of(1);
		end += all[i].slot - end % all[i].slot;
		assert_int_equal(next_jiffy(), end);
		clock_to(end - 1, 3);
		assert_int_equal(told.n, 0);
		clock_to(end, 0);
		ASSERT_TOLD(1);
	}
	stop();
}

/* Nothing waits longer than the wheel reaches, which is 48 days. */
static void timers_end_in_the_end(void **state)
{
	uint64_t round;

	start(1);
	round = clock_round();
	time_set(8589934);
	first_of(1);
	first_of(2);
	assert_int_equal(next_jiffy(), round + (63ULL << 24));
	clock_to(round + (63ULL << 24), 0);
	ASSERT_TOLD(2, 1);
	stop();
}

/* Less than no time is none. */
static void negative_time(void **state)
{
	struct error err;

	start(1);
	assert_int_equal(sysctl_set("net.ipv4.ipfrag_time", "-8589934", &err), 0);
	assert_int_not_equal(sysctl_set("net.ipv4.ipfrag_time", "-8589935", &err), 0);
	clock_to(clock_round(), 1);
	first_of(1);
	ticks(1);
	assert_int_equal(told.n, 0);
	clock_to(next_jiffy(), 0);
	ASSERT_TOLD(1);
	stop();
}

/* What runs out together does so from the youngest to the oldest, whatever has gone meanwhile. */
static void youngest_first(void **state)
{
	uint64_t round;

	start(1);
	round = clock_round();
	time_set(3);                 /* 750 jiffies, which with 64 a slot is 11 slots and 46 more */
	clock_to(round + 17, 3);
	for (uint16_t id = 1; id <= 6; id++) {
		first_of(id);
		clock_set(clock_now_ns() + NSEC_PER_USEC);
		ticks(1);
	}
	/* a slot later */
	clock_to(round + 18, 0);
	first_of(11);
	first_of(12);
	/* complete, or killed */
	input(workers[0], &(struct frag){.id = 6, .offset = 32, .bytes = 8});
	input(workers[0], &(struct frag){.id = 3, .offset = 32, .bytes = 8});
	input(workers[0], &(struct frag){.id = 1, .flags = RTE_IPV4_HDR_MF_FLAG});
	assert_int_equal(next_jiffy(), round + 768);
	clock_to(round + 768, 0);
	ASSERT_TOLD(5, 4, 2);
	clock_to(round + 831, 3);
	assert_int_equal(told.n, 0);
	clock_to(round + 832, 0);
	ASSERT_TOLD(12, 11);
	stop();
}

/* Of what runs out at once, those go first that had longer to run. */
static void longest_first(void **state)
{
	uint64_t round;

	start(1);
	round = clock_round();
	time_set(3);
	first_of(1);
	clock_to(round + 510, 0);    /* 760, in slots of 8: 768 */
	time_set(1);
	first_of(2);
	clock_to(round + 767, 0);
	time_set(0);
	first_of(3);
	first_of(4);
	clock_to(round + 768, 0);
	ASSERT_TOLD(1, 2, 4, 3);
	stop();
}

static void restarted(uint16_t id)
{
	for (uint16_t other = 100; other < 103; other++)
		first_of(other);
	first_of(id);
}

/* A new start for which the timer need not be put elsewhere leaves it where it is. */
static void new_start(void **state)
{
	uint64_t round;

	start(1);
	set("net.ipv4.ipfrag_max_dist", 2);
	time_set(3);
	round = clock_round();
	clock_to(round + 1, 0);
	first_of(1);
	first_of(2);
	clock_to(round + 10, 0);
	restarted(1);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_TOO_FAR], 1);
	clock_to(round + 768, 0);
	ASSERT_TOLD(102, 101, 100, 2, 1);

	round = clock_round();
	clock_to(round + 1, 0);
	first_of(1);
	first_of(2);
	clock_to(round + 20, 0);
	restarted(1);
	assert_int_equal(counters_of(0)->drop[DROP_FRAG_TOO_FAR], 2);
	clock_to(round + 768, 0);
	ASSERT_TOLD(2);
	clock_to(round + 832, 0);
	ASSERT_TOLD(1, 102, 101, 100);
	stop();
}

/* Where a worker is late, nothing is lost, and nothing is early. */
static void late_worker(void **state)
{
	uint64_t round;

	start(1);
	time_set(2);                 /* 500 jiffies: nearly all that slots of 8 can reach */
	round = clock_round();
	for (uint16_t id = 0; id < 1000; id++)
		first_of(id);
	for (unsigned int late = 0; late < 600; late += 8) {
		/* as in a turn in which the worker looks at its queues first */
		clock_set((round + 505 + late) * JIFFY_NS);
		workers[0]->now_ns = clock_now_ns();
		first_of((uint16_t)(1000 + late / 8));
	}
	assert_int_equal(next_jiffy(), round + 504);
	ticks(40);
	/* seen from where the wheel stood all but one of the late ones went to slots of 64 */
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMTIMEOUT], 1000 + 11);
	for (unsigned int late = 11 * 8; late < 600; late += 8) {
		clock_to(round + 505 + late + 500, 0);
		assert_in_range(counters_of(0)->c[CNT_IP_REASMTIMEOUT], 1011, 1000 + late / 8);
	}
	clock_to(round + 505 + 600 + 500 + 64, 0);
	ticks(3);
	assert_int_equal(defrag_held(), 0);
	stop();
}

static void nobody_told(void **state)
{
	start(1);
	first_of(1);
	links[1] = NULL;
	clock_set(clock_now_ns() + 33 * NSEC_PER_SEC);
	ticks(1);
	links[1] = &link_1;
	first_of(2);
	verdict = VERDICT_DROP;
	clock_set(clock_now_ns() + 33 * NSEC_PER_SEC);
	ticks(1);
	assert_int_equal(told.n, 0);
	assert_int_equal(counters_of(0)->c[CNT_IP_REASMTIMEOUT], 2);
	stop();
}

/* Many expire at once: a bounded number a turn, and all in the end. */
static void many_expire(void **state)
{
	start(1);
	for (uint16_t id = 0; id < 3000; id++)
		first_of(id);
	ticks(1);
	assert_int_equal(defrag_held(), 3000);
	clock_set(defrag_next_expiry_ns(workers[0]));
	ticks(1);
	assert_in_range(told.n, 1, 100);
	ticks(100);
	assert_int_equal(told.n, 3000);
	assert_int_equal(defrag_held(), 0);
	assert_int_equal(mbufs_used(), 0);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timer_keeps_its_length),
		cmocka_unit_test(timers_are_late),
		cmocka_unit_test(timers_end_in_the_end),
		cmocka_unit_test(negative_time),
		cmocka_unit_test(youngest_first),
		cmocka_unit_test(longest_first),
		cmocka_unit_test(new_start),
		cmocka_unit_test(late_worker),
		cmocka_unit_test(nobody_told),
		cmocka_unit_test(many_expire),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
