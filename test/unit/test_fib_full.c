/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The FIB with a full Internet table, where there is one (MILLRACE_DATA, else ../shared/data),
 * against a hash of the same prefixes.
 */
#include "fib_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "random.h"

/* ---- the table ---- */

#define FULL_MAX 2000000
#define LONGER_N 5000

static uint32_t *full_prefix;
static uint8_t *full_len;
static unsigned int full_n;

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static unsigned int read_table(void)
{
	const char *dir = getenv("MILLRACE_DATA");
	char command[1024];
	unsigned int a, b, c, d, len, n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "gzip -dc %s/bgp/rib4-*.txt.gz 2>/dev/null",
		 dir ? dir : MILLRACE_SOURCE "/../shared/data");
	f = popen(command, "r");
	if (!f)
		return 0;
	full_prefix = malloc(FULL_MAX * sizeof(*full_prefix));
	full_len = malloc(FULL_MAX);
	while (n < FULL_MAX - LONGER_N && fscanf(f, "%u.%u.%u.%u/%u", &a, &b, &c, &d, &len) == 5) {
		full_prefix[n] = a << 24 | b << 16 | c << 8 | d;
		full_len[n++] = (uint8_t)len;
	}
	pclose(f);
	/* no longer ones in a public table: add some, as a real router has */
	for (unsigned int i = 0, listed = n; listed && i < LONGER_N; i++) {
		full_len[n] = (uint8_t)(25 + i % 8);
		full_prefix[n] = masked(full_prefix[rnd() % listed] | (rnd() & 0xff),
					full_len[n]);
		n++;
	}
	return n;
}

/* ---- the reference ---- */

/* Longest-prefix match by a hash of (prefix, length), sharing nothing with the FIB. */
static uint64_t *hash_keys;
static uint16_t *hash_values;

#define HASH_N (1u << 22)

static uint32_t hash_slot(uint32_t prefix, unsigned int len)
{
	uint64_t key = (uint64_t)prefix << 8 | len | 1ULL << 40;
	uint32_t i = (uint32_t)(key * 0x9e3779b97f4a7c15ULL >> 42);

	while (hash_keys[i] && hash_keys[i] != key)
		i = (i + 1) & (HASH_N - 1);
	return i;
}

static uint16_t hash_lookup(uint32_t addr)
{
	for (int len = 32; len >= 0; len--) {
		uint16_t v = hash_values[hash_slot(masked(addr, (unsigned int)len),
						   (unsigned int)len)];

		if (v)
			return v;
	}
	return FIB_NONE;
}

/* ---- the test ---- */

static const struct fib *full;

static void full_bulk(void)
{
	uint32_t addrs[64];
	uint16_t got[64];

	for (unsigned int round = 0; round < 4000; round++) {
		for (unsigned int i = 0; i < 64; i++)
			addrs[i] = i % 2 ? rnd() : full_prefix[rnd() % full_n] + (rnd() & 0xff);
		fib_lookup_bulk(full, addrs, got, 64);
		for (unsigned int i = 0; i < 64; i++)
			assert_int_equal(got[i], hash_lookup(addrs[i]));
	}
}

static void test_full_table(void **state)
{
	unsigned int n = read_table();
	uint64_t created, start, loaded, unloaded;
	struct fib_stats s;
	struct fib *fib;

	if (!n) {
		print_message("skipped: no full table (MILLRACE_DATA/bgp/rib4-*.txt.gz)\n");
		skip();
	}
	start = now_us();
	fib = fib_create(0, true, -1);
	created = now_us();
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(fib_set(fib, full_prefix[i], full_len[i],
					 (uint16_t)(1 + i % 1000)), 0);
	loaded = now_us();

	hash_keys = calloc(HASH_N, sizeof(*hash_keys));
	hash_values = calloc(HASH_N, sizeof(*hash_values));
	for (unsigned int i = 0; i < n; i++) {
		uint32_t slot = hash_slot(full_prefix[i], full_len[i]);

		hash_keys[slot] = (uint64_t)full_prefix[i] << 8 | full_len[i] | 1ULL << 40;
		hash_values[slot] = (uint16_t)(1 + i % 1000);
	}
	for (unsigned int i = 0; i < 1000000; i++) {
		uint32_t addr = i % 2 ? rnd() : full_prefix[rnd() % n] + (rnd() & 0xff);

		assert_int_equal(fib_lookup(fib, addr), hash_lookup(addr));
	}
	full = fib;
	full_n = n;
	assert_true(with_each_version(full_bulk) > 0);
	fib_stats_get(fib, &s);
	print_message("%u prefixes: created in %u us, loaded in %u ms; %u second-level blocks, "
		      "%u MB lookup, %u MB control\n", s.prefixes,
		      (unsigned int)(created - start), (unsigned int)((loaded - created) / 1000),
		      s.blocks_used, (unsigned int)(s.lookup_bytes >> 20),
		      (unsigned int)(s.control_bytes >> 20));
	start = now_us();
	for (unsigned int i = 0; i < n; i++)
		fib_unset(fib, full_prefix[i], full_len[i]);
	unloaded = now_us();
	print_message("unloaded in %u ms\n", (unsigned int)((unloaded - start) / 1000));
	check_stats(fib, 0, 0);
	fib_destroy(fib);
	free(hash_keys);
	free(hash_values);
	free(full_prefix);
	free(full_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
