/* SPDX-License-Identifier: BSD-3-Clause */
/* A burst's lookup on vectors of 32 bytes; see fib_lookup_body.h. */
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#define LANES 8
typedef uint32_t lanes_t __attribute__((vector_size(32)));

static __rte_always_inline lanes_t lanes_gather(const uint16_t *t, lanes_t i)
{
	return (lanes_t)_mm256_i32gather_epi32((const void *)t, (__m256i)i, sizeof(*t));
}

static __rte_always_inline lanes_t lanes_gather_where(lanes_t v, const uint16_t *t, lanes_t i,
						      lanes_t where)
{
	return (lanes_t)_mm256_mask_i32gather_epi32((__m256i)v, (const void *)t, (__m256i)i,
						    (__m256i)where, sizeof(*t));
}

static __rte_always_inline bool lanes_any(lanes_t v)
{
	return !_mm256_testz_si256((__m256i)v, (__m256i)v);
}

static __rte_always_inline void lanes_store(uint16_t *to, lanes_t v)
{
	_mm_storeu_si128((void *)to,
			 _mm_packus_epi32(_mm256_castsi256_si128((__m256i)v),
					  _mm256_extracti128_si256((__m256i)v, 1)));
}

#define FIB_LOOKUP fib_lookup_avx2
#include "route/fib_lookup_body.h"
