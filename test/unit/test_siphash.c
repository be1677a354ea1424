/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash against the vectors of its authors, and many at once against one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/siphash_many.h"
#include "random.h"

static void siphash(void **state)
{
	const struct siphash_key key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	uint64_t first[16], last[16], hash[16];
	struct siphash s;

	/* the vectors of 8 and 15 bytes that come with the reference implementation */
	siphash_begin(&s, &key);
	siphash_word(&s, key.k0, 2);
	siphash_word(&s, 8ULL << 56, 2);
	assert_true(siphash_end(&s, 4) == 0x93f5f5799a932462ULL);
	siphash_begin(&s, &key);
	siphash_word(&s, key.k0, 2);
	siphash_word(&s, (key.k1 & 0x00ffffffffffffffULL) | 15ULL << 56, 2);
	assert_true(siphash_end(&s, 4) == 0xa129ca6149be45e5ULL);
	for (unsigned int round = 0; round < 1000; round++) {
		for (unsigned int i = 0; i < 16; i++) {
			first[i] = (uint64_t)rnd() << 32 | rnd();
			last[i] = (uint64_t)rnd() << 32 | rnd();
		}
		siphash_many(&key, first, last, hash, 1 + rnd() % 16);
		assert_true(hash[0] == siphash_one(&key, first[0], last[0]));
		siphash_many(&key, first, last, hash, 16);
		for (unsigned int i = 0; i < 16; i++)
			assert_true(hash[i] == siphash_one(&key, first[i], last[i]));
		if (round == 500)
			siphash_many_init();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
