/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path on vectors of 32 bytes; see fast_body.h. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "ipv4/fast.h"

#define LANES 8
#define HEADER_LOAD_AT 2
typedef uint32_t lanes_t __attribute__((vector_size(32)));
typedef uint64_t begin_t __attribute__((vector_size(16)));

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

/* Of two mbufs every other 8 bytes, in pairs: buf_addr, rearm_data. */
static __rte_always_inline __m256i mbuf_pair(struct rte_mbuf *const *m)
{
	return _mm256_unpacklo_epi64(_mm256_loadu_si256((const void *)m[0]),
				     _mm256_loadu_si256((const void *)m[1]));
}

/* Packet types and lengths of two mbufs. */
static __rte_always_inline __m128i lengths_pair(struct rte_mbuf *const *m)
{
	return _mm_unpacklo_epi32(_mm_loadu_si128((const void *)&m[0]->packet_type),
				  _mm_loadu_si128((const void *)&m[1]->packet_type));
}

/* Of four: where their data are; *rearm is added to. Returns how long they are. */
static __rte_always_inline __m128i point_four(uint8_t **data, struct rte_mbuf *const *m,
					      __m256i *rearm)
{
	__m256i a = mbuf_pair(m), b = mbuf_pair(m + 2);
	__m256i set = _mm256_permute2x128_si256(a, b, 0x31);
	__m256i offset = _mm256_and_si256(set, _mm256_set1_epi64x(UINT16_MAX));

	*rearm = _mm256_or_si256(*rearm, set);
	_mm256_storeu_si256((void *)data, _mm256_add_epi64(
				_mm256_permute2x128_si256(a, b, 0x20), offset));
	return _mm_unpackhi_epi64(lengths_pair(m), lengths_pair(m + 2));
}

_Static_assert(offsetof(struct rte_mbuf, buf_addr) == 0 &&
	       offsetof(struct rte_mbuf, rearm_data) == 16 &&
	       offsetof(struct rte_mbuf, pkt_len) ==
	       offsetof(struct rte_mbuf, packet_type) + sizeof(uint32_t),
	       "what is loaded of an mbuf");

#define FRAMES_POINT
static __rte_always_inline bool frames_point(uint8_t **data, uint32_t *len,
					     struct rte_mbuf *const *m)
{
	__m256i rearm = _mm256_setzero_si256(), l;
	__m128i low = point_four(data, m, &rearm), high = point_four(data + 4, m + 4, &rearm);

	l = _mm256_set_m128i(high, low);
	_mm256_storeu_si256((void *)len, l);
	return lanes_lt((lanes_t)l, (lanes_t){0} + (uint32_t)FRAME_MIN) |
	       !_mm256_testz_si256(rearm, _mm256_set1_epi64x((long long)SEVERAL_SEGS));
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

static __rte_always_inline __m256i load_one(const void *p, begin_t begin, begin_t *differ)
{
	*differ |= (begin_t)_mm_loadu_si128(p) ^ begin;
	return _mm256_loadu_si256((const void *)((const uint8_t *)p + HEADER_LOAD_AT));
}

/* Of four frames, word by word, four words together: 3 and 7, (2 and) 6, (0 and) 4, (1 and) 5. */
static __rte_always_inline void load_four(const void **p, begin_t begin, begin_t *differ,
					  __m256i *v)
{
	__m256i a = load_one(p[0], begin, differ), b = load_one(p[1], begin, differ);
	__m256i c = load_one(p[2], begin, differ), d = load_one(p[3], begin, differ);
	__m256i ab = _mm256_unpackhi_epi32(a, b), cd = _mm256_unpackhi_epi32(c, d);

	v[0] = _mm256_unpackhi_epi64(ab, cd);
	v[1] = _mm256_unpacklo_epi64(ab, cd);
	ab = _mm256_unpacklo_epi32(a, b);
	cd = _mm256_unpacklo_epi32(c, d);
	v[2] = _mm256_unpacklo_epi64(ab, cd);
	v[3] = _mm256_unpackhi_epi64(ab, cd);
}

static __rte_always_inline begin_t lanes_header(const void **p, begin_t begin, lanes_t *h)
{
	begin_t differ = {0};
	__m256i a[4], b[4];

	load_four(p, begin, &differ, a);
	load_four(p + 4, begin, &differ, b);
	h[0] = (lanes_t)_mm256_permute2x128_si256(a[0], b[0], 0x20);
	h[1] = (lanes_t)_mm256_permute2x128_si256(a[2], b[2], 0x31);
	h[2] = (lanes_t)_mm256_permute2x128_si256(a[3], b[3], 0x31);
	h[3] = (lanes_t)_mm256_permute2x128_si256(a[1], b[1], 0x31);
	h[4] = (lanes_t)_mm256_permute2x128_si256(a[0], b[0], 0x31);
	return differ;
}

#define FAST_PATH ip_fast_avx2
#include "ipv4/fast_body.h"
