/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes of every length, beside a bit by bit account of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/prefix.h"

static void masks(void **state)
{
	uint32_t mask = 0;

	for (unsigned int len = 0; len <= 32; len++) {
		assert_int_equal(prefix_mask(len), mask);
		mask = mask >> 1 | 0x80000000;
	}
	assert_int_equal(prefix_mask(24), 0xffffff00);
}

static void agreement(void **state)
{
	const uint32_t addr = 0xc0000281;

	for (unsigned int len = 0; len <= 32; len++) {
		assert_true(prefix_agree(addr, addr, len));
		for (unsigned int bit = 0; bit < 32; bit++)
			assert_int_equal(prefix_agree(addr, addr ^ 0x80000000 >> bit, len),
					 bit >= len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks),
		cmocka_unit_test(agreement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
