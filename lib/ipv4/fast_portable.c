/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path in the compiler's vectors of 16 bytes, on any CPU; see fast_body.h. */
#include <stdint.h>
#include <string.h>

#include "ipv4/fast.h"

#define LANES 4
typedef uint32_t lanes_t __attribute__((vector_size(16)));
typedef uint64_t begin_t __attribute__((vector_size(16)));

static __rte_always_inline uint32_t lanes_mask(lanes_t true_lanes)
{
	true_lanes &= (lanes_t){1, 2, 4, 8};
	return true_lanes[0] | true_lanes[1] | true_lanes[2] | true_lanes[3];
}

static __rte_always_inline uint32_t lanes_eq(lanes_t a, lanes_t b)
{
	return lanes_mask((lanes_t)(a == b));
}

static __rte_always_inline uint32_t lanes_lt(lanes_t a, lanes_t b)
{
	return lanes_mask((lanes_t)(a < b));
}

static __rte_always_inline lanes_t lanes_of(uint32_t bits)
{
	const lanes_t bit = {1, 2, 4, 8};

	return (lanes_t)((bit & bits) == bit);
}

static __rte_always_inline lanes_t lanes_swap(lanes_t v)
{
	v = (v & 0x00ff00ffu) << 8 | (v >> 8 & 0x00ff00ffu);
	return v << 16 | v >> 16;
}

static __rte_always_inline uint32_t lanes_sum(lanes_t v)
{
	return v[0] + v[1] + v[2] + v[3];
}

static __rte_always_inline void lanes_bytes(uint8_t *to, lanes_t v)
{
	for (unsigned int i = 0; i < LANES; i++)
		to[i] = (uint8_t)v[i];
}

/* The sum of a byte's lower seven bits with 0x7f has the top bit if there are any. */
static __rte_always_inline uint32_t bytes_eq(const uint8_t *b, uint8_t x)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7fULL, like = x * 0x0101010101010101ULL;
	uint32_t bits = 0;

	for (unsigned int i = 0; i < 4; i++) {
		uint64_t differ;

		memcpy(&differ, b + 8 * i, sizeof(differ));
		differ ^= like;
		differ = ~(((differ & low) + low) | differ | low);
		bits |= (uint32_t)((differ >> 7) * 0x0102040810204080ULL >> 56) << 8 * i;
	}
	return bits;
}

static __rte_always_inline lanes_t lanes_pick(const uint32_t *t, lanes_t i)
{
	return (lanes_t){t[i[0]], t[i[1]], t[i[2]], t[i[3]]};
}

static __rte_always_inline lanes_t lanes_gather(const uint16_t *t, lanes_t i)
{
	return (lanes_t){t[i[0]], t[i[1]], t[i[2]], t[i[3]]};
}

static __rte_always_inline lanes_t lanes_words(const uint32_t *t, lanes_t i)
{
	return (lanes_t){t[i[0]], t[i[1]], t[i[2]], t[i[3]]};
}

/* 16 bytes from each p[], a word in each vector. */
static __rte_always_inline void lanes_load(const void **p, unsigned int offset, lanes_t *v)
{
	lanes_t a, b, c, d;

	memcpy(&a, (const uint8_t *)p[0] + offset, sizeof(a));
	memcpy(&b, (const uint8_t *)p[1] + offset, sizeof(b));
	memcpy(&c, (const uint8_t *)p[2] + offset, sizeof(c));
	memcpy(&d, (const uint8_t *)p[3] + offset, sizeof(d));
	for (unsigned int i = 0; i < 4; i++)
		v[i] = (lanes_t){a[i], b[i], c[i], d[i]};
}

static __rte_always_inline begin_t lanes_header(const void **p, begin_t begin, lanes_t *h)
{
	begin_t differ = {0}, b;
	lanes_t start[4];

	for (unsigned int i = 0; i < LANES; i++) {
		memcpy(&b, p[i], sizeof(b));
		differ |= b ^ begin;
	}
	lanes_load(p, 2, start);
	h[0] = start[3];
	lanes_load(p, 18, h + 1);
	return differ;
}

#define FAST_PATH ip_fast_portable
#include "ipv4/fast_body.h"
