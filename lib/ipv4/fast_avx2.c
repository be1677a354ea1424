/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path on vectors of 32 bytes; see fast_body.h. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include <rte_common.h>

#define LANES 8
#define HEADER_LOAD_AT 2
typedef uint32_t lanes_t __attribute__((vector_size(32)));

static __rte_always_inline uint32_t lanes_mask(lanes_t true_lanes)
{
	return (uint32_t)_mm256_movemask_ps((__m256)true_lanes);
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
	const lanes_t bit = {1, 2, 4, 8, 16, 32, 64, 128};

	return (lanes_t)((bit & bits) == bit);
}

static __rte_always_inline lanes_t lanes_swap(lanes_t v)
{
	return (lanes_t)_mm256_shuffle_epi8(
		(__m256i)v, _mm256_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203,
					     0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
}

static __rte_always_inline uint32_t lanes_sum(lanes_t v)
{
	__m128i sum = _mm_add_epi32(_mm256_castsi256_si128((__m256i)v),
				    _mm256_extracti128_si256((__m256i)v, 1));

	sum = _mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum));
	return (uint32_t)_mm_cvtsi128_si32(sum) + (uint32_t)_mm_extract_epi32(sum, 1);
}

static __rte_always_inline void lanes_bytes(uint8_t *to, lanes_t v)
{
	__m128i words, low;

	v &= 0xffu;
	words = _mm_packus_epi32(_mm256_castsi256_si128((__m256i)v),
				 _mm256_extracti128_si256((__m256i)v, 1));
	low = _mm_packus_epi16(words, words);
	_mm_storel_epi64((void *)to, low);
}

static __rte_always_inline uint32_t bytes_eq(const uint8_t *b, uint8_t x)
{
	uint64_t part[4];

	memcpy(part, b, sizeof(part));
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(
		_mm256_set_epi64x((long long)part[3], (long long)part[2], (long long)part[1],
				  (long long)part[0]),
		_mm256_set1_epi8((char)x)));
}

/* Of 16 words, by the lower three bits from each half, then by the fourth. */
static __rte_always_inline lanes_t lanes_pick(const uint32_t *t, lanes_t i)
{
	__m256i low = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const void *)t), (__m256i)i);
	__m256i high = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const void *)(t + 8)),
						   (__m256i)i);

	return (lanes_t)_mm256_blendv_ps((__m256)low, (__m256)high, (__m256)(i << 28));
}

static __rte_always_inline lanes_t lanes_gather(const uint16_t *t, lanes_t i)
{
	return (lanes_t)_mm256_i32gather_epi32((const void *)t, (__m256i)i, sizeof(*t));
}

static __rte_always_inline lanes_t lanes_words(const uint32_t *t, lanes_t i)
{
	return (lanes_t)_mm256_i32gather_epi32((const void *)t, (__m256i)i, sizeof(*t));
}

static __rte_always_inline __m256i load_one(const void *p)
{
	return _mm256_loadu_si256((const void *)((const uint8_t *)p + HEADER_LOAD_AT));
}

/* Of four frames, word by word, four words together: 3 and 7, (2 and) 6, (0 and) 4, (1 and) 5. */
static __rte_always_inline void load_four(const void **p, __m256i *v)
{
	__m256i a = load_one(p[0]), b = load_one(p[1]), c = load_one(p[2]), d = load_one(p[3]);
	__m256i ab = _mm256_unpackhi_epi32(a, b), cd = _mm256_unpackhi_epi32(c, d);

	v[0] = _mm256_unpackhi_epi64(ab, cd);
	v[1] = _mm256_unpacklo_epi64(ab, cd);
	ab = _mm256_unpacklo_epi32(a, b);
	cd = _mm256_unpacklo_epi32(c, d);
	v[2] = _mm256_unpacklo_epi64(ab, cd);
	v[3] = _mm256_unpackhi_epi64(ab, cd);
}

static __rte_always_inline void lanes_header(const void **p, lanes_t *h)
{
	__m256i a[4], b[4];

	load_four(p, a);
	load_four(p + 4, b);
	h[0] = (lanes_t)_mm256_permute2x128_si256(a[0], b[0], 0x20);
	h[1] = (lanes_t)_mm256_permute2x128_si256(a[2], b[2], 0x31);
	h[2] = (lanes_t)_mm256_permute2x128_si256(a[3], b[3], 0x31);
	h[3] = (lanes_t)_mm256_permute2x128_si256(a[1], b[1], 0x31);
	h[4] = (lanes_t)_mm256_permute2x128_si256(a[0], b[0], 0x31);
}

#define FAST_PATH ip_fast_avx2
#include "ipv4/fast_body.h"
