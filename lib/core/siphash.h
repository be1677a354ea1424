/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), for messages that are
 * made of 64-bit words. Without the key nobody can tell which messages collide, even if they see
 * which ones did. SipHash-2-4 is the original; SipHash-1-3 is the variant that hash tables use.
 *
 * Words are taken as numbers. A message of bytes whose length is no multiple of 8 is to be given
 * as the paper has it: the last word holds the bytes that are left and the length in its top byte.
 */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotl(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void siphash_rounds(struct siphash *s, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = siphash_rotl(s->v1, 13) ^ s->v0;
		s->v3 = siphash_rotl(s->v3, 16) ^ s->v2;
		s->v0 = siphash_rotl(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = siphash_rotl(s->v1, 17) ^ s->v2;
		s->v3 = siphash_rotl(s->v3, 21) ^ s->v0;
		s->v2 = siphash_rotl(s->v2, 32);
	}
}

static inline void siphash_begin(struct siphash *s, const struct siphash_key *key)
{
	s->v0 = key->k0 ^ 0x736f6d6570736575ULL;
	s->v1 = key->k1 ^ 0x646f72616e646f6dULL;
	s->v2 = key->k0 ^ 0x6c7967656e657261ULL;
	s->v3 = key->k1 ^ 0x7465646279746573ULL;
}

/* rounds: 2 of SipHash-2-4, 1 of SipHash-1-3. */
static inline void siphash_word(struct siphash *s, uint64_t word, unsigned int rounds)
{
	s->v3 ^= word;
	siphash_rounds(s, rounds);
	s->v0 ^= word;
}

/* rounds: 4 of SipHash-2-4, 3 of SipHash-1-3. */
static inline uint64_t siphash_end(struct siphash *s, unsigned int rounds)
{
	s->v2 ^= 0xff;
	siphash_rounds(s, rounds);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif
