/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The FIB against a plain reference: the set of prefixes as 33 arrays, searched from the longest.
 */
#include "fib_world.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <sys/mman.h>

#include "route/fib_lookup.h"
#include "random.h"

#define PAGE_BYTES 4096

/* ---- the reference ---- */

#define PER_LEN_MAX 4096

static struct {
	uint32_t prefix[PER_LEN_MAX];
	uint16_t index[PER_LEN_MAX];
	unsigned int n;
} ref[33];

static void ref_clear(void)
{
	for (unsigned int len = 0; len <= 32; len++)
		ref[len].n = 0;
}

static int ref_find(uint32_t prefix, unsigned int len)
{
	for (unsigned int i = 0; i < ref[len].n; i++)
		if (ref[len].prefix[i] == prefix)
			return (int)i;
	return -1;
}

static void ref_set(uint32_t prefix, unsigned int len, uint16_t index)
{
	int i = ref_find(prefix, len);

	if (i < 0) {
		assert_true(ref[len].n < PER_LEN_MAX);
		i = (int)ref[len].n++;
		ref[len].prefix[i] = prefix;
	}
	ref[len].index[i] = index;
}

static bool ref_unset(uint32_t prefix, unsigned int len)
{
	int i = ref_find(prefix, len);

	if (i < 0)
		return false;
	ref[len].n--;
	ref[len].prefix[i] = ref[len].prefix[ref[len].n];
	ref[len].index[i] = ref[len].index[ref[len].n];
	return true;
}

static uint16_t ref_lookup(uint32_t addr)
{
	for (int len = 32; len >= 0; len--) {
		int i = ref_find(masked(addr, (unsigned int)len), (unsigned int)len);

		if (i >= 0)
			return ref[len].index[i];
	}
	return FIB_NONE;
}

/* Every third index. */
static uint32_t some(uint16_t index, unsigned int len, const void *remainder)
{
	return index % 3 == *(const unsigned int *)remainder ? index << 8 | len : 0;
}

static uint32_t ref_lookup_some(uint32_t addr, unsigned int remainder)
{
	for (int len = 32; len >= 0; len--) {
		int i = ref_find(masked(addr, (unsigned int)len), (unsigned int)len);

		if (i >= 0 && some(ref[len].index[i], 0, &remainder))
			return some(ref[len].index[i], (unsigned int)len, &remainder);
	}
	return FIB_NONE;
}

static unsigned int ref_count(void)
{
	unsigned int n = 0;

	for (unsigned int len = 0; len <= 32; len++)
		n += ref[len].n;
	return n;
}

/* How many /24 have longer prefixes. */
static unsigned int ref_blocks(void)
{
	static bool seen[1 << 24];
	unsigned int n = 0;

	memset(seen, 0, sizeof(seen));
	for (unsigned int len = 25; len <= 32; len++) {
		for (unsigned int i = 0; i < ref[len].n; i++) {
			n += !seen[ref[len].prefix[i] >> 8];
			seen[ref[len].prefix[i] >> 8] = true;
		}
	}
	return n;
}

/* The edges of every prefix, just outside of them too, by single and by bulk lookup. */
static void check_edges(const struct fib *fib)
{
	uint32_t addrs[4];
	uint16_t got[4];

	for (unsigned int len = 0; len <= 32; len++) {
		unsigned int remainder = len % 3;

		for (unsigned int i = 0; i < ref[len].n; i++) {
			uint32_t first = ref[len].prefix[i];
			uint32_t last = first | ~prefix_mask(len);

			assert_int_equal(fib_get(fib, first, len), ref[len].index[i]);
			addrs[0] = first;
			addrs[1] = last;
			addrs[2] = first - 1;
			addrs[3] = last + 1;
			fib_lookup_bulk(fib, addrs, got, 4);
			for (unsigned int k = 0; k < 4; k++) {
				assert_int_equal(got[k], ref_lookup(addrs[k]));
				assert_int_equal(got[k], fib_lookup(fib, addrs[k]));
				assert_int_equal(fib_lookup_where(fib, addrs[k], some, &remainder),
						 ref_lookup_some(addrs[k], remainder));
			}
		}
	}
}

/* The bits of the /16 that prefixes have a part of, and of no others. */
static void check_held(const struct fib *fib)
{
	static uint32_t expected[1 << 16 >> 5];
	const struct fib_view *view = fib_view(fib);

	memset(expected, 0, sizeof(expected));
	for (unsigned int len = 1; len <= 32; len++)
		for (unsigned int i = 0; i < ref[len].n; i++) {
			uint32_t first = ref[len].prefix[i] >> 16;
			uint32_t last = (ref[len].prefix[i] | ~prefix_mask(len)) >> 16;

			for (uint32_t part = first; part <= last; part++)
				expected[part / 32] |= 1u << part % 32;
		}
	assert_memory_equal(view->held, expected, sizeof(expected));
}

/* ---- tests ---- */

static void test_empty(void **state)
{
	struct fib *fib = fib_create(0, true, -1);

	assert_non_null(fib);
	assert_int_equal(fib_lookup(fib, 0), FIB_NONE);
	assert_int_equal(fib_lookup(fib, UINT32_MAX), FIB_NONE);
	assert_int_equal(fib_get(fib, 0, 0), FIB_NONE);
	assert_int_equal(fib_unset(fib, 0, 0), -ENOENT);
	assert_int_equal(fib_unset(fib, 0x0a000000, 8), -ENOENT);
	assert_int_equal(fib_unset(fib, 0x0a000001, 32), -ENOENT);
	check_stats(fib, 0, 0);
	fib_destroy(fib);
	fib_destroy(NULL);
}

/* A worker does not wait for the kernel to find memory where nobody has written. */
static void test_mapped(void **state)
{
	static unsigned char mapped[FIB_BLOCKS_AT * sizeof(uint16_t) / PAGE_BYTES];

	for (int reserved = 0; reserved < 2; reserved++) {
		struct fib *fib = fib_create(0, reserved, -1);
		void *slots = (void *)(uintptr_t)fib_view(fib)->slots;
		unsigned int some = 0;

		assert_int_equal(fib_set(fib, 0x0a000000, 8, 1), 0);
		assert_int_equal(mincore(slots, sizeof(mapped) * PAGE_BYTES, mapped), 0);
		for (unsigned int i = 0; i < sizeof(mapped); i++)
			assert_int_equal(mapped[i] & 1, 1);
		for (uint64_t addr = 0; addr <= UINT32_MAX; addr += 1u << 16)
			some += fib_lookup(fib, (uint32_t)addr);
		assert_int_equal(some, 256);
		fib_destroy(fib);
	}
}

static void test_refuses(void **state)
{
	struct fib *fib = fib_create(1, true, -1);

	assert_int_equal(fib_set(fib, 0x0a000001, 8, 1), -EINVAL);
	assert_int_equal(fib_set(fib, 0, 33, 1), -EINVAL);
	assert_int_equal(fib_set(fib, 1, 0, 1), -EINVAL);
	assert_int_equal(fib_set(fib, 0x0a000000, 8, FIB_NONE), -EINVAL);
	assert_int_equal(fib_set(fib, 0x0a000000, 8, FIB_INDEX_MAX + 1), -EINVAL);
	assert_int_equal(fib_set(fib, 0x0a000000, 8, FIB_INDEX_MAX), 0);
	assert_int_equal(fib_lookup(fib, 0x0affffff), FIB_INDEX_MAX);
	assert_null(fib_create(32769, true, -1));
	fib_destroy(fib);
}

static void test_every_length(void **state)
{
	struct fib *fib = fib_create(0, true, -1);
	uint32_t addr = 0xc0a80181;

	for (unsigned int len = 0; len <= 32; len++) {
		assert_int_equal(fib_set(fib, masked(addr, len), len, (uint16_t)(len + 1)), 0);
		assert_int_equal(fib_lookup(fib, addr), len + 1);
		for (unsigned int bit = 0; bit < len; bit++)
			assert_int_equal(fib_lookup(fib, addr ^ 1u << (31 - bit)), bit + 1);
	}
	check_stats(fib, 33, 1);
	/* from the middle: the covering route shows, longer ones stay */
	for (unsigned int len = 0; len < 32; len++) {
		assert_int_equal(fib_unset(fib, masked(addr, len), len), 0);
		assert_int_equal(fib_lookup(fib, addr), 33);
		assert_int_equal(fib_lookup(fib, addr ^ 1), len < 31 ? 32 : FIB_NONE);
	}
	check_stats(fib, 1, 1);
	assert_int_equal(fib_unset(fib, addr, 32), 0);
	check_stats(fib, 0, 0);
	fib_destroy(fib);
	deferred_n = 0;
}

/* Random changes to prefixes that nest a lot: half of them within a few /16. */
static void test_random(void **state)
{
	struct fib *fib = fib_create(0, true, -1);

	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int len = rnd() % 8 ? 8 + rnd() % 25 : rnd() % 33;
		uint32_t addr = rnd() % 2 ? rnd() : 0x0a000000 | (rnd() & 0x0003070f);
		uint32_t prefix = masked(addr, len);

		if (rnd() % 3) {
			uint16_t index = (uint16_t)(1 + rnd() % FIB_INDEX_MAX);

			assert_int_equal(fib_set(fib, prefix, len, index), 0);
			ref_set(prefix, len, index);
		} else {
			if (rnd() % 2 && ref[len].n)
				prefix = ref[len].prefix[rnd() % ref[len].n];
			assert_int_equal(fib_unset(fib, prefix, len),
					 ref_unset(prefix, len) ? 0 : -ENOENT);
		}
		assert_int_equal(fib_lookup(fib, addr), ref_lookup(addr));
		if (i % 5000 == 4999)
			check_edges(fib);
		if (i % 100 == 99)
			check_held(fib);
		if (i % 1000 == 0)
			grace();
	}
	check_stats(fib, ref_count(), ref_blocks());
	for (unsigned int len = 0; len <= 32; len++)
		while (ref[len].n) {
			assert_int_equal(fib_unset(fib, ref[len].prefix[0], len), 0);
			ref_unset(ref[len].prefix[0], len);
		}
	check_stats(fib, 0, 0);
	check_held(fib);
	for (unsigned int i = 0; i < 100000; i++)
		assert_int_equal(fib_lookup(fib, rnd()), FIB_NONE);
	ref_clear();
	fib_destroy(fib);
}

static void bulk_sizes(void)
{
	struct fib *fib = fib_create(0, true, -1);
	uint32_t addrs[200];
	uint16_t got[201];

	fib_set(fib, 0, 0, 7);
	fib_set(fib, 0x80000000, 1, 8);
	fib_set(fib, 0x80000001, 32, 9);
	for (unsigned int n = 0; n <= 200; n++) {
		for (unsigned int i = 0; i < n; i++)
			addrs[i] = i % 3 ? rnd() : 0x80000001;
		got[n] = 0xabcd;
		fib_lookup_bulk(fib, addrs, got, n);
		for (unsigned int i = 0; i < n; i++)
			assert_int_equal(got[i], fib_lookup(fib, addrs[i]));
		assert_int_equal(got[n], 0xabcd);
	}
	fib_destroy(fib);
}

static void test_bulk_sizes(void **state)
{
	assert_true(with_each_version(bulk_sizes) > 0);
	assert_int_equal(fib_lookup_choose("none"), -EINVAL);
}

/* Half of the addresses have blocks, in any lane and in all. */
static void bulk_blocks(void)
{
	struct fib *fib = fib_create(0, true, -1);
	uint32_t addrs[64];
	uint16_t got[64];

	fib_set(fib, 0, 0, FIB_INDEX_MAX);
	for (unsigned int i = 0; i < 512; i++)
		fib_set(fib, 0x0a000000 | i << 9 | (i & 0x80), 25, (uint16_t)(1 + i));
	for (unsigned int i = 0; i < 256; i++)
		fib_set(fib, 0x0a000100 | i << 9, 24, (uint16_t)(1000 + i));
	for (unsigned int round = 0; round < 10000; round++) {
		uint32_t mask = round % 4 ? 0x0003ffff : 0x0003feff;

		for (unsigned int i = 0; i < 64; i++)
			addrs[i] = 0x0a000000 | (rnd() & mask);
		fib_lookup_bulk(fib, addrs, got, 64);
		for (unsigned int i = 0; i < 64; i++)
			assert_int_equal(got[i], fib_lookup(fib, addrs[i]));
	}
	fib_destroy(fib);
}

static void test_bulk_blocks(void **state)
{
	assert_true(with_each_version(bulk_blocks) > 0);
}

static void test_no_block_changes_nothing(void **state)
{
	struct fib *fib = fib_create(2, true, -1);

	fib_set(fib, 0x0a000000, 8, 1);
	assert_int_equal(fib_set(fib, 0x0a000001, 32, 2), 0);
	assert_int_equal(fib_set(fib, 0x0a000100, 25, 3), 0);
	assert_int_equal(fib_set(fib, 0x0a000201, 32, 4), -ENOSPC);
	assert_int_equal(fib_get(fib, 0x0a000201, 32), FIB_NONE);
	assert_int_equal(fib_lookup(fib, 0x0a000201), 1);
	assert_int_equal(fib_set(fib, 0x0a000002, 31, 5), 0);
	assert_int_equal(fib_lookup(fib, 0x0a000003), 5);
	check_stats(fib, 4, 2);
	fib_destroy(fib);
}

static void test_block_reuse_after_grace(void **state)
{
	struct fib *fib = fib_create(1, true, -1);
	unsigned int before;

	deferred_n = 0;
	assert_int_equal(fib_set(fib, 0x0a000001, 32, 1), 0);
	assert_int_equal(fib_unset(fib, 0x0a000001, 32), 0);
	assert_int_equal(deferred_n, 1);
	/* the only block waits: rather than refuse, wait for it */
	before = synchronized;
	assert_int_equal(fib_set(fib, 0x0b000001, 32, 2), 0);
	assert_int_equal(synchronized, before + 1);
	assert_int_equal(fib_lookup(fib, 0x0b000001), 2);
	assert_int_equal(fib_lookup(fib, 0x0b000002), FIB_NONE);
	assert_int_equal(fib_lookup(fib, 0x0a000001), FIB_NONE);
	/* after its grace period it is there at once */
	assert_int_equal(fib_unset(fib, 0x0b000001, 32), 0);
	grace();
	assert_int_equal(fib_set(fib, 0x0c000001, 32, 3), 0);
	assert_int_equal(synchronized, before + 1);
	/* destroyed while one waits */
	assert_int_equal(fib_unset(fib, 0x0c000001, 32), 0);
	fib_destroy(fib);
	assert_int_equal(deferred_n, 0);
}

/* Covering routes change under a block's longer prefixes. */
static void test_block_under_changes(void **state)
{
	struct fib *fib = fib_create(0, true, -1);

	fib_set(fib, 0x0a000080, 25, 10);
	fib_set(fib, 0x0a0000c0, 26, 11);
	fib_set(fib, 0x0a000000, 8, 1);
	assert_int_equal(fib_lookup(fib, 0x0a000001), 1);
	assert_int_equal(fib_lookup(fib, 0x0a000081), 10);
	fib_set(fib, 0x0a000000, 24, 2);
	assert_int_equal(fib_lookup(fib, 0x0a000001), 2);
	fib_set(fib, 0x0a000000, 16, 3);
	assert_int_equal(fib_lookup(fib, 0x0a000001), 2);
	assert_int_equal(fib_lookup(fib, 0x0a000101), 3);
	fib_unset(fib, 0x0a000000, 24);
	assert_int_equal(fib_lookup(fib, 0x0a000001), 3);
	fib_unset(fib, 0x0a000080, 25);
	assert_int_equal(fib_lookup(fib, 0x0a000081), 3);
	assert_int_equal(fib_lookup(fib, 0x0a0000c1), 11);
	fib_unset(fib, 0x0a000000, 16);
	fib_unset(fib, 0x0a000000, 8);
	assert_int_equal(fib_lookup(fib, 0x0a000081), FIB_NONE);
	fib_unset(fib, 0x0a0000c0, 26);
	check_stats(fib, 0, 0);
	fib_destroy(fib);
}

/* ---- a reader beside the writer ---- */

/* Each /24 of 10.x has an even and an odd index of its own, whatever length gives it; so any
 * other answer is a torn, stale-block or foreign one. Indexes 1 and 2 are covering routes. */
static struct fib *shared;
static bool stop;
static uint64_t quiescent, reads;

static bool plausible(uint32_t addr, uint16_t index)
{
	uint16_t own = (uint16_t)(16 + 2 * (addr >> 8 & 0xff));

	return index == 1 || index == 2 || index == own || index == own + 1;
}

static void *reader(void *arg)
{
	uint32_t addrs[64];
	uint16_t got[64];
	uint64_t seed = 0x9e3779b97f4a7c15ULL, bad = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		for (unsigned int i = 0; i < 64; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			addrs[i] = 0x0a000000 | (uint32_t)(seed >> 40 & 0xffff);
		}
		fib_lookup_bulk(shared, addrs, got, 64);
		for (unsigned int i = 0; i < 64; i++)
			bad += !plausible(addrs[i], got[i]);
		reads += 64;
		__atomic_fetch_add(&quiescent, 1, __ATOMIC_ACQ_REL);
	}
	return (void *)(uintptr_t)bad;
}

/* Two rounds of the reader, as the one under way may have begun before the change. */
static void wait_for_reader(void)
{
	uint64_t from = __atomic_load_n(&quiescent, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&quiescent, __ATOMIC_ACQUIRE) < from + 2)
		sched_yield();
}

static void reader_sees_old_or_new(void)
{
	struct timespec from, now;
	pthread_t thread;
	void *bad;

	shared = fib_create(64, true, -1); /* few blocks: they are reused all the time */
	fib_set(shared, 0x0a000000, 8, 1);
	stop = false;
	assert_int_equal(pthread_create(&thread, NULL, reader, NULL), 0);
	before_grace = wait_for_reader;
	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		for (unsigned int i = 0; i < 1000; i++) {
			uint32_t addr = 0x0a000000 | (rnd() & 0xffff);
			unsigned int len = rnd() % 16 ? 24 + rnd() % 9 : 9 + rnd() % 15;
			uint16_t index = (uint16_t)(16 + 2 * (addr >> 8 & 0xff) + rnd() % 2);

			if (len < 24)
				index = 1 + rnd() % 2;
			if (rnd() % 2)
				fib_set(shared, masked(addr, len), len, index);
			else
				fib_unset(shared, masked(addr, len), len);
		}
		grace();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec * 1000 + now.tv_nsec / 1000000 <
		 from.tv_sec * 1000 + from.tv_nsec / 1000000 + 500);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, &bad);
	before_grace = NULL;
	fib_destroy(shared);
	assert_true(reads > 0);
	assert_null(bad);
}

static void test_reader_sees_old_or_new(void **state)
{
	assert_true(with_each_version(reader_sees_old_or_new) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_bulk_sizes),
		cmocka_unit_test(test_bulk_blocks),
		cmocka_unit_test(test_no_block_changes_nothing),
		cmocka_unit_test(test_block_reuse_after_grace),
		cmocka_unit_test(test_block_under_changes),
		cmocka_unit_test(test_reader_sees_old_or_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
