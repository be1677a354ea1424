/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources that may be refused for what they are: the router's own addresses, and broadcast
 * addresses where the tables say what to believe (route_sources). They are for the general path.
 *
 * Two bits of a hash say what an address is not: where one is not set, it is none of these. While
 * the addresses are few, all bits are 16 words, which vectors hold; where they are many, there is a
 * table of at least two words an address, and both bits are of one word.
 *
 * The control thread replaces tables, by grace periods, and writes the 16 words one by one: each
 * has the bits of all addresses that are there before and after.
 */
#ifndef IPV4_FAST_SOURCES_H
#define IPV4_FAST_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "core/rcu.h"

#define FAST_SOURCES_WORDS 16
#define FAST_SOURCES_FEW 32              /* so many fit the words without being a nuisance */
#define FAST_SOURCES_FACTOR 0x9e3779b1u

struct fast_source_table {
	unsigned int shift;              /* of the hash: what is left is the word's number */
	uint32_t word[];
};

struct fast_sources {
	uint32_t word[FAST_SOURCES_WORDS];
	const struct fast_source_table *table;   /* NULL: they are few */
} __rte_cache_aligned;

extern struct fast_sources fast_sources;

/* Of an address, in host byte order: a factor carries upwards only, and what comes is mostly from
 * the hosts of a link, which differ in their last bits. Among the words: bits 23 to 31 and 14 to 22
 * are numbers of bits. In a table: the highest are the word's number, then come two bits'. */
static inline uint32_t fast_sources_hash(rte_be32_t addr)
{
	return rte_be_to_cpu_32(addr) * FAST_SOURCES_FACTOR;
}

/* The two bits of an address in its word of a table. */
static inline uint32_t fast_source_bits(const struct fast_source_table *table, uint32_t hash)
{
	return 1u << (hash >> (table->shift - 5) & 31) | 1u << (hash >> (table->shift - 10) & 31);
}

/* Is the address perhaps one of them? false: certainly not. */
static inline bool fast_sources_maybe(rte_be32_t addr)
{
	const struct fast_source_table *table = rcu_read(fast_sources.table);
	uint32_t hash = fast_sources_hash(addr), first, second;

	if (unlikely(table))
		return !(fast_source_bits(table, hash) & ~table->word[hash >> table->shift]);
	first = fast_sources.word[hash >> 28] >> (hash >> 23 & 31);
	second = fast_sources.word[hash >> 19 & 15] >> (hash >> 14 & 31);
	return first & second & 1;
}

/* The addresses are others now. Control thread. */
void fast_sources_refresh(void);

/* No addresses; fini() is for when no worker runs any more. Control thread. */
void fast_sources_init(void);
void fast_sources_fini(void);

#endif
