/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path on vectors of 64 bytes; see fast_body.h. */
#include <immintrin.h>
#include <stdint.h>

#include "ipv4/fast.h"

#define LANES 16
#define HEADER_LOAD_AT 2
typedef uint32_t lanes_t __attribute__((vector_size(64)));
typedef uint64_t begin_t __attribute__((vector_size(16)));

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

_Static_assert(offsetof(struct rte_mbuf, buf_addr) == 0 &&
	       offsetof(struct rte_mbuf, rearm_data) == 16 &&
	       offsetof(struct rte_mbuf, pkt_len) == 36, "what is loaded of an mbuf");

/* Of two mbufs' first lines every other 8 bytes, in pairs: buf_addr, rearm_data, packet_type with
 * pkt_len, and what nobody asks for. */
static __rte_always_inline __m512i mbuf_pair(struct rte_mbuf *const *m)
{
	return _mm512_unpacklo_epi64(_mm512_loadu_si512(m[0]), _mm512_loadu_si512(m[1]));
}

/* Of eight: where their data are; *rearm is added to. Returns their packet types with pkt_len. */
static __rte_always_inline __m512i point_eight(uint8_t **data, struct rte_mbuf *const *m,
					       __m512i *rearm)
{
	__m512i a = mbuf_pair(m), b = mbuf_pair(m + 2), c = mbuf_pair(m + 4), d = mbuf_pair(m + 6);
	__m512i ab = _mm512_shuffle_i64x2(a, b, _MM_SHUFFLE(1, 0, 1, 0));
	__m512i cd = _mm512_shuffle_i64x2(c, d, _MM_SHUFFLE(1, 0, 1, 0));
	__m512i addr = _mm512_shuffle_i64x2(ab, cd, _MM_SHUFFLE(2, 0, 2, 0));
	__m512i set = _mm512_shuffle_i64x2(ab, cd, _MM_SHUFFLE(3, 1, 3, 1));

	*rearm = _mm512_or_si512(*rearm, set);
	_mm512_storeu_si512(data, _mm512_add_epi64(
				addr, _mm512_and_si512(set, _mm512_set1_epi64(UINT16_MAX))));
	ab = _mm512_shuffle_i64x2(a, b, _MM_SHUFFLE(2, 2, 2, 2));
	cd = _mm512_shuffle_i64x2(c, d, _MM_SHUFFLE(2, 2, 2, 2));
	return _mm512_shuffle_i64x2(ab, cd, _MM_SHUFFLE(2, 0, 2, 0));
}

#define FRAMES_POINT
static __rte_always_inline bool frames_point(uint8_t **data, uint32_t *len,
					     struct rte_mbuf *const *m)
{
	const __m512i odd_words = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7,
						   5, 3, 1);
	__m512i rearm = _mm512_setzero_si512(), low, high, l;

	low = point_eight(data, m, &rearm);
	high = point_eight(data + 8, m + 8, &rearm);
	l = _mm512_permutex2var_epi32(low, odd_words, high);
	_mm512_storeu_si512(len, l);
	return _mm512_cmplt_epu32_mask(l, _mm512_set1_epi32(FRAME_MIN)) |
	       _mm512_test_epi64_mask(rearm, _mm512_set1_epi64((long long)SEVERAL_SEGS));
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

static __rte_always_inline __m128i differing(__m128i differ, __m128i begin, const void *p)
{
	return _mm_ternarylogic_epi64(differ, begin, _mm_loadu_si128(p), 0xf6);      /* | (^) */
}

/* 32 bytes each of a frame and the fourth after it. */
static __rte_always_inline __m512i load_pair(const void **p, __m128i begin, __m128i *differ)
{
	*differ = differing(differing(*differ, begin, p[0]), begin, p[4]);
	return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(
					  (const void *)((const uint8_t *)p[0] + HEADER_LOAD_AT))),
				  _mm256_loadu_si256((const void *)((const uint8_t *)p[4] +
								    HEADER_LOAD_AT)), 1);
}

/* Of eight frames, word by word, four words together: 3 and 7, (2 and) 6, (0 and) 4, (1 and) 5. */
static __rte_always_inline void load_eight(const void **p, __m128i begin, __m128i *differ,
					   __m512i *v)
{
	__m512i a = load_pair(p, begin, differ), b = load_pair(p + 1, begin, differ);
	__m512i c = load_pair(p + 2, begin, differ), d = load_pair(p + 3, begin, differ);
	__m512i ab = _mm512_unpackhi_epi32(a, b), cd = _mm512_unpackhi_epi32(c, d);

	v[0] = _mm512_unpackhi_epi64(ab, cd);
	v[1] = _mm512_unpacklo_epi64(ab, cd);
	ab = _mm512_unpacklo_epi32(a, b);
	cd = _mm512_unpacklo_epi32(c, d);
	v[2] = _mm512_unpacklo_epi64(ab, cd);
	v[3] = _mm512_unpackhi_epi64(ab, cd);
}

static __rte_always_inline begin_t lanes_header(const void **p, begin_t begin, lanes_t *h)
{
	__m128i differ = _mm_setzero_si128();
	__m512i a[4], b[4];

	load_eight(p, (__m128i)begin, &differ, a);
	load_eight(p + 8, (__m128i)begin, &differ, b);
	h[0] = (lanes_t)_mm512_shuffle_i64x2(a[0], b[0], _MM_SHUFFLE(2, 0, 2, 0));
	h[1] = (lanes_t)_mm512_shuffle_i64x2(a[2], b[2], _MM_SHUFFLE(3, 1, 3, 1));
	h[2] = (lanes_t)_mm512_shuffle_i64x2(a[3], b[3], _MM_SHUFFLE(3, 1, 3, 1));
	h[3] = (lanes_t)_mm512_shuffle_i64x2(a[1], b[1], _MM_SHUFFLE(3, 1, 3, 1));
	h[4] = (lanes_t)_mm512_shuffle_i64x2(a[0], b[0], _MM_SHUFFLE(3, 1, 3, 1));
	return (begin_t)differ;
}

#define FAST_PATH ip_fast_avx512
#include "ipv4/fast_body.h"
