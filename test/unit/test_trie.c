/* SPDX-License-Identifier: BSD-3-Clause */
/* The trie against a plain reference: a list of prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/prefix.h"
#include "core/rcu.h"
#include "route/trie.h"
#include "random.h"

#define PREFIXES 400
#define STEPS 20000

static struct {
	uint32_t prefix;
	unsigned int len;
	uint16_t index;
} reference[PREFIXES];

/* Few bits are drawn, so that prefixes nest and share paths. */
static uint32_t draw(void)
{
	return (rnd() & 0xe0000007u) | (rnd() % 4 ? 0 : rnd() & 0x00ffff00u);
}

static void same_as_reference(const struct trie *t, uint32_t addr)
{
	uint16_t found[TRIE_DEPTH], expected[33] = {0};
	unsigned int n = trie_match(t, addr, found), at = 0;

	for (unsigned int i = 0; i < PREFIXES; i++)
		if (reference[i].index &&
		    !((reference[i].prefix ^ addr) & prefix_mask(reference[i].len)))
			expected[reference[i].len] = reference[i].index;
	for (unsigned int len = 0; len <= 32; len++)
		if (expected[len])
			assert_int_equal(at < n ? found[at++] : 0, expected[len]);
	assert_int_equal(at, n);
}

static void put(struct trie *t, unsigned int i)
{
	uint32_t prefix;
	unsigned int len = rnd() % 33;

	if (reference[i].index) {
		trie_unset(t, reference[i].prefix, reference[i].len);
		assert_int_equal(trie_get(t, reference[i].prefix, reference[i].len), 0);
		reference[i].index = 0;
		return;
	}
	prefix = draw() & prefix_mask(len);
	if (trie_get(t, prefix, len))
		return;
	reference[i].prefix = prefix;
	reference[i].len = len;
	reference[i].index = (uint16_t)(1 + rnd() % 32767);
	assert_int_equal(trie_set(t, prefix, len, reference[i].index), 0);
	assert_int_equal(trie_get(t, prefix, len), reference[i].index);
}

static void test_random(void **state)
{
	struct trie t = {0};

	for (unsigned int step = 0; step < STEPS; step++) {
		put(&t, rnd() % PREFIXES);
		same_as_reference(&t, draw());
		same_as_reference(&t, reference[rnd() % PREFIXES].prefix);
	}
	trie_clear(&t);
	rcu_synchronize();
}

static void test_edges(void **state)
{
	uint16_t found[TRIE_DEPTH];
	struct trie t = {0};

	assert_int_equal(trie_match(&t, 0, found), 0);
	trie_unset(&t, 0, 0);
	for (unsigned int len = 0; len <= 32; len++)
		assert_int_equal(trie_set(&t, prefix_mask(len), len, (uint16_t)(len + 1)), 0);
	assert_int_equal(trie_match(&t, UINT32_MAX, found), 33);
	assert_int_equal(found[0], 1);
	assert_int_equal(found[32], 33);
	assert_int_equal(trie_match(&t, UINT32_MAX - 1, found), 32);
	assert_int_equal(trie_match(&t, 0, found), 1);
	assert_int_equal(trie_set(&t, 0, 0, 99), 0);
	assert_int_equal(trie_get(&t, 0, 0), 99);
	for (unsigned int len = 0; len <= 32; len += 2)
		trie_unset(&t, UINT32_MAX & prefix_mask(len), len);
	assert_int_equal(trie_match(&t, UINT32_MAX, found), 16);
	for (unsigned int len = 1; len <= 32; len += 2)
		trie_unset(&t, UINT32_MAX & prefix_mask(len), len);
	assert_null(t.root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
