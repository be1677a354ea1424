/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-1-3 of many short messages at once, a message a vector lane: with eight lanes that is
 * several times as fast as one after another. The CPU's widest vectors are used.
 */
#ifndef CORE_SIPHASH_MANY_H
#define CORE_SIPHASH_MANY_H

#include <stdint.h>

#include "core/siphash.h"

#define SIPHASH_LANES 8

/* hash[i] = SipHash-1-3 of the message of two words {first[i], last[i]}, for i < n. What stands in
 * the arrays from there up to the next multiple of SIPHASH_LANES, which they must have room for,
 * is hashed as well. */
void siphash_many(const struct siphash_key *key, const uint64_t *first, const uint64_t *last,
		  uint64_t *hash, unsigned int n);

static inline uint64_t siphash_one(const struct siphash_key *key, uint64_t first, uint64_t last)
{
	struct siphash s;

	siphash_begin(&s, key);
	siphash_word(&s, first, 1);
	siphash_word(&s, last, 1);
	return siphash_end(&s, 3);
}

/* Choose by CPU; before that, and where there is nothing to choose, a version runs that any CPU
 * can. */
void siphash_many_init(void);

#endif
