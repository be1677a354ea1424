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
	uintptr_t value;
} reference[PREFIXES];

/* Few bits are drawn, so that prefixes nest and share paths. */
static uint32_t draw(void)
{
	return (rnd() & 0xe0000007u) | (rnd() % 4 ? 0 : rnd() & 0x00ffff00u);
}

static void same_as_reference(const struct trie *t, uint32_t addr)
{
	struct trie_found found[TRIE_DEPTH];
	uintptr_t expected[33] = {0};
	unsigned int n = trie_match(t, addr, found), at = 0;

	for (unsigned int i = 0; i < PREFIXES; i++)
		if (reference[i].value &&
		    !((reference[i].prefix ^ addr) & prefix_mask(reference[i].len)))
			expected[reference[i].len] = reference[i].value;
	for (unsigned int len = 0; len <= 32; len++) {
		if (!expected[len])
			continue;
		assert_true(at < n);
		assert_int_equal(found[at].len, len);
		assert_int_equal(found[at++].value, expected[len]);
	}
	assert_int_equal(at, n);
	assert_int_equal(trie_longest(t, addr), n ? found[n - 1].value : 0);
}

static void put(struct trie *t, unsigned int i)
{
	uint32_t prefix;
	unsigned int len = rnd() % 33;

	if (reference[i].value) {
		trie_unset(t, reference[i].prefix, reference[i].len);
		assert_int_equal(trie_get(t, reference[i].prefix, reference[i].len), 0);
		reference[i].value = 0;
		return;
	}
	prefix = draw() & prefix_mask(len);
	if (trie_get(t, prefix, len))
		return;
	reference[i].prefix = prefix;
	reference[i].len = len;
	reference[i].value = 1 + ((uintptr_t)rnd() << 24);
	assert_int_equal(trie_set(t, prefix, len, reference[i].value), 0);
	assert_int_equal(trie_get(t, prefix, len), reference[i].value);
}

static void test_random(void **state)
{
	struct trie t = {0};

	for (unsigned int step = 0; step < STEPS; step++) {
		put(&t, rnd() % PREFIXES);
		same_as_reference(&t, draw());
		same_as_reference(&t, reference[rnd() % PREFIXES].prefix);
	}
	trie_clear(&t, false);
	rcu_synchronize();
}

static void test_edges(void **state)
{
	struct trie_found found[TRIE_DEPTH];
	struct trie t = {0};

	assert_int_equal(trie_match(&t, 0, found), 0);
	trie_unset(&t, 0, 0);
	for (unsigned int len = 0; len <= 32; len++)
		assert_int_equal(trie_set(&t, prefix_mask(len), len, len + 1), 0);
	assert_int_equal(trie_match(&t, UINT32_MAX, found), 33);
	assert_int_equal(found[0].value, 1);
	assert_int_equal(found[32].value, 33);
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
