/* SPDX-License-Identifier: BSD-3-Clause */
/* A burst's lookup on vectors of 64 bytes; see fib_lookup_body.h. */
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#define LANES 16
typedef uint32_t lanes_t __attribute__((vector_size(64)));

static __rte_always_inline lanes_t lanes_gather(const uint16_t *t, lanes_t i)
{
	return (lanes_t)_mm512_i32gather_epi32((__m512i)i, t, sizeof(*t));
}

static __rte_always_inline lanes_t lanes_gather_where(lanes_t v, const uint16_t *t, lanes_t i,
						      lanes_t where)
{
	return (lanes_t)_mm512_mask_i32gather_epi32(
		(__m512i)v, _mm512_movepi32_mask((__m512i)where), (__m512i)i, t, sizeof(*t));
}

static __rte_always_inline bool lanes_any(lanes_t v)
{
	return _mm512_test_epi32_mask((__m512i)v, (__m512i)v);
}

static __rte_always_inline void lanes_store(uint16_t *to, lanes_t v)
{
	_mm256_storeu_si256((void *)to, _mm512_cvtepi32_epi16((__m512i)v));
}

#define FIB_LOOKUP fib_lookup_avx512
#include "route/fib_lookup_body.h"
