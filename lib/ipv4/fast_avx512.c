/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path on vectors of 64 bytes; see fast_body.h. */
#include <immintrin.h>
#include <stdint.h>

#include <rte_common.h>

struct rte_mbuf;

#define LANES 16
#define HEADER_LOAD_AT 2
typedef uint32_t lanes_t __attribute__((vector_size(64)));

static __rte_always_inline uint32_t lanes_eq(lanes_t a, lanes_t b)
{
	return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b);
}

static __rte_always_inline uint32_t lanes_lt(lanes_t a, lanes_t b)
{
	return _mm512_cmplt_epu32_mask((__m512i)a, (__m512i)b);
}

static __rte_always_inline lanes_t lanes_of(uint32_t bits)
{
	return (lanes_t)_mm512_movm_epi32((__mmask16)bits);
}

static __rte_always_inline lanes_t lanes_swap(lanes_t v)
{
	return (lanes_t)_mm512_shuffle_epi8(
		(__m512i)v, _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
}

static __rte_always_inline uint32_t lanes_sum(lanes_t v)
{
	return (uint32_t)_mm512_reduce_add_epi32((__m512i)v);
}

static __rte_always_inline void lanes_bytes(uint8_t *to, lanes_t v)
{
	_mm_storeu_si128((void *)to, _mm512_cvtepi32_epi8((__m512i)v));
}

static __rte_always_inline uint32_t bytes_eq(const uint8_t *b, uint8_t x)
{
	__m128i low = _mm_loadu_si128((const void *)b);
	__m128i high = _mm_loadu_si128((const void *)(b + LANES));

	return _mm256_cmpeq_epi8_mask(_mm256_set_m128i(high, low), _mm256_set1_epi8((char)x));
}

#define FRAMES_OR
static __rte_always_inline void frames_or(uint8_t **to, uint8_t *const *from, uint32_t bits,
					  uint8_t *other)
{
	for (unsigned int i = 0; i < LANES; i += 8)
		_mm512_storeu_si512(to + i, _mm512_mask_loadu_epi64(
					_mm512_set1_epi64((long long)(uintptr_t)other),
					(__mmask8)(bits >> i), from + i));
}

#define FRAMES_PICK 8
static __rte_always_inline unsigned int frames_pick(struct rte_mbuf **to, struct rte_mbuf **m,
						    uint32_t bits)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 32; i += 8) {
		__mmask8 some = (__mmask8)(bits >> i);

		_mm512_storeu_si512(to + n, _mm512_maskz_compress_epi64(
					some, _mm512_maskz_loadu_epi64(some, m + i)));
		n += (unsigned int)__builtin_popcount(some);
	}
	return n;
}

static __rte_always_inline lanes_t lanes_pick(const uint32_t *t, lanes_t i)
{
	return (lanes_t)_mm512_permutexvar_epi32((__m512i)i, _mm512_loadu_si512(t));
}

static __rte_always_inline lanes_t lanes_gather(const uint16_t *t, lanes_t i)
{
	return (lanes_t)_mm512_i32gather_epi32((__m512i)i, t, sizeof(*t));
}

static __rte_always_inline lanes_t lanes_words(const uint32_t *t, lanes_t i)
{
	return (lanes_t)_mm512_i32gather_epi32((__m512i)i, t, sizeof(*t));
}

/* 32 bytes each of a frame and the fourth after it. */
static __rte_always_inline __m512i load_pair(const void **p)
{
	return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(
					  (const void *)((const uint8_t *)p[0] + HEADER_LOAD_AT))),
				  _mm256_loadu_si256((const void *)((const uint8_t *)p[4] +
								    HEADER_LOAD_AT)), 1);
}

/* Of eight frames, word by word, four words together: 3 and 7, (2 and) 6, (0 and) 4, (1 and) 5. */
static __rte_always_inline void load_eight(const void **p, __m512i *v)
{
	__m512i a = load_pair(p), b = load_pair(p + 1), c = load_pair(p + 2), d = load_pair(p + 3);
	__m512i ab = _mm512_unpackhi_epi32(a, b), cd = _mm512_unpackhi_epi32(c, d);

	v[0] = _mm512_unpackhi_epi64(ab, cd);
	v[1] = _mm512_unpacklo_epi64(ab, cd);
	ab = _mm512_unpacklo_epi32(a, b);
	cd = _mm512_unpacklo_epi32(c, d);
	v[2] = _mm512_unpacklo_epi64(ab, cd);
	v[3] = _mm512_unpackhi_epi64(ab, cd);
}

static __rte_always_inline void lanes_header(const void **p, lanes_t *h)
{
	__m512i a[4], b[4];

	load_eight(p, a);
	load_eight(p + 8, b);
	h[0] = (lanes_t)_mm512_shuffle_i64x2(a[0], b[0], _MM_SHUFFLE(2, 0, 2, 0));
	h[1] = (lanes_t)_mm512_shuffle_i64x2(a[2], b[2], _MM_SHUFFLE(3, 1, 3, 1));
	h[2] = (lanes_t)_mm512_shuffle_i64x2(a[3], b[3], _MM_SHUFFLE(3, 1, 3, 1));
	h[3] = (lanes_t)_mm512_shuffle_i64x2(a[1], b[1], _MM_SHUFFLE(3, 1, 3, 1));
	h[4] = (lanes_t)_mm512_shuffle_i64x2(a[0], b[0], _MM_SHUFFLE(3, 1, 3, 1));
}

#define FAST_PATH ip_fast_avx512
#include "ipv4/fast_body.h"
