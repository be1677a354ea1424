/* SPDX-License-Identifier: BSD-3-Clause */
/* The plain reference of `millbench fib`; it shares nothing with the FIB. See fib.h. */
#include <stdlib.h>

#include "fib.h"

struct fib_plain {
	uint64_t *keys;                /* 1 << 40 | prefix << 8 | length; 0: free */
	uint16_t *values;              /* 0: withdrawn */
	size_t mask;
	uint64_t lengths;              /* that there are, a bit each */
};

struct fib_plain *fib_plain_create(size_t prefixes_max)
{
	struct fib_plain *plain = calloc(1, sizeof(*plain));
	size_t size = 1024;

	while (size < 2 * prefixes_max)
		size *= 2;
	if (!plain)
		return NULL;
	plain->keys = calloc(size, sizeof(*plain->keys));
	plain->values = calloc(size, sizeof(*plain->values));
	plain->mask = size - 1;
	if (plain->keys && plain->values)
		return plain;
	fib_plain_free(plain);
	return NULL;
}

void fib_plain_free(struct fib_plain *plain)
{
	if (!plain)
		return;
	free(plain->keys);
	free(plain->values);
	free(plain);
}

static size_t find(const struct fib_plain *plain, uint32_t addr, unsigned int len)
{
	uint64_t key = 1ULL << 40 | (uint64_t)addr << 8 | len;
	size_t i = (key * 0x9e3779b97f4a7c15ULL >> 32) & plain->mask;

	while (plain->keys[i] && plain->keys[i] != key)
		i = (i + 1) & plain->mask;
	return i;
}

void fib_plain_set(struct fib_plain *plain, uint32_t addr, unsigned int len, uint16_t index)
{
	size_t i = find(plain, addr, len);

	plain->keys[i] = 1ULL << 40 | (uint64_t)addr << 8 | len;
	plain->values[i] = index;
	plain->lengths |= 1ULL << len;
}

uint16_t fib_plain_lookup(const struct fib_plain *plain, uint32_t addr)
{
	for (int len = 32; len >= 0; len--) {
		uint16_t value;

		if (!(plain->lengths >> len & 1))
			continue;
		value = plain->values[find(plain, addr & prefix_mask((unsigned int)len),
					   (unsigned int)len)];
		if (value)
			return value;
	}
	return FIB_NONE;
}
