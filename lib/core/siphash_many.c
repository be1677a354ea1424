/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash in vector lanes; see siphash_many.h. It is written once, with the compiler's vectors of
 * 64 bytes, and compiled for CPUs with vectors of 64, of 32 and of whatever size.
 */
#include "core/siphash_many.h"

#include <string.h>

#include <rte_common.h>

#include "core/cpu.h"

typedef uint64_t lanes_t __attribute__((vector_size(SIPHASH_LANES * sizeof(uint64_t))));

struct lanes {
	lanes_t v0, v1, v2, v3;
};

static __rte_always_inline void rotate(lanes_t *x, unsigned int bits)
{
	*x = *x << bits | *x >> (64 - bits);
}

static __rte_always_inline void lanes_round(struct lanes *s)
{
	s->v0 += s->v1;
	rotate(&s->v1, 13);
	s->v1 ^= s->v0;
	rotate(&s->v0, 32);
	s->v2 += s->v3;
	rotate(&s->v3, 16);
	s->v3 ^= s->v2;
	s->v0 += s->v3;
	rotate(&s->v3, 21);
	s->v3 ^= s->v0;
	s->v2 += s->v1;
	rotate(&s->v1, 17);
	s->v1 ^= s->v2;
	rotate(&s->v2, 32);
}

static __rte_always_inline void lanes_hash(const struct siphash_key *key, const uint64_t *first,
					   const uint64_t *last, uint64_t *hash)
{
	const lanes_t zero = {0};
	lanes_t word[2], result;
	struct siphash one;
	struct lanes s;

	siphash_begin(&one, key);
	s = (struct lanes){zero + one.v0, zero + one.v1, zero + one.v2, zero + one.v3};
	memcpy(&word[0], first, sizeof(word[0]));
	memcpy(&word[1], last, sizeof(word[1]));
	for (unsigned int i = 0; i < RTE_DIM(word); i++) {
		s.v3 ^= word[i];
		lanes_round(&s);
		s.v0 ^= word[i];
	}
	s.v2 ^= zero + 0xff;
	for (unsigned int i = 0; i < 3; i++)
		lanes_round(&s);
	result = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	memcpy(hash, &result, sizeof(result));
}

static __rte_always_inline void lanes_many(const struct siphash_key *key, const uint64_t *first,
					   const uint64_t *last, uint64_t *hash, unsigned int n)
{
	for (unsigned int i = 0; i < n; i += SIPHASH_LANES)
		lanes_hash(key, first + i, last + i, hash + i);
}

static void many_plain(const struct siphash_key *key, const uint64_t *first, const uint64_t *last,
		       uint64_t *hash, unsigned int n)
{
	lanes_many(key, first, last, hash, n);
}

static void (*many)(const struct siphash_key *key, const uint64_t *first, const uint64_t *last,
		    uint64_t *hash, unsigned int n) = many_plain;

void siphash_many(const struct siphash_key *key, const uint64_t *first, const uint64_t *last,
		  uint64_t *hash, unsigned int n)
{
	many(key, first, last, hash, n);
}

#ifdef RTE_ARCH_X86_64
__attribute__((target("avx2")))
static void many_avx2(const struct siphash_key *key, const uint64_t *first, const uint64_t *last,
		      uint64_t *hash, unsigned int n)
{
	lanes_many(key, first, last, hash, n);
}

__attribute__((target("avx512f")))
static void many_avx512(const struct siphash_key *key, const uint64_t *first,
			const uint64_t *last, uint64_t *hash, unsigned int n)
{
	lanes_many(key, first, last, hash, n);
}

void siphash_many_init(void)
{
	if (cpu_has_avx512())
		many = many_avx512;
	else if (cpu_has_avx2())
		many = many_avx2;
}
#else
void siphash_many_init(void)
{
}
#endif
