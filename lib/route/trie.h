/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A routing table as workers look it up, for tables other than main: a binary trie with paths
 * compressed (Sklower, "A tree-based packet routing table for Berkeley Unix", 1991).
 *
 * main may hold the whole Internet, and its FIB (fib.h) takes 32 MB whatever is in it. Other tables
 * mostly have a handful of routes, and there may be hundreds of them: here a prefix costs one or
 * two nodes of 32 bytes, and a search at most 33 steps.
 *
 * Invariants. A node's prefix is a proper part of its parent's; the bit after the parent's prefix
 * says which child it is. A node without an answer (index 0) has two children, so nodes number
 * less than twice the prefixes. One writer, any number of readers: a node is complete before a
 * pointer leads to it, an index is stored whole, and what is unlinked is freed after a grace
 * period with its pointers as they were; so a reader sees each prefix before or after a change.
 */
#ifndef ROUTE_TRIE_H
#define ROUTE_TRIE_H

#include <stdint.h>

#define TRIE_DEPTH 33           /* prefix lengths, and thus prefixes that can cover an address */

struct trie_node;

struct trie {
	struct trie_node *root;         /* rcu_read() */
};

/* Give every node back after a grace period; the trie is empty then. */
void trie_clear(struct trie *t);

/* prefix in host byte order, bits below len 0; index not 0. 0 or -ENOMEM (nothing changed). */
int trie_set(struct trie *t, uint32_t prefix, unsigned int len, uint16_t index);
void trie_unset(struct trie *t, uint32_t prefix, unsigned int len);
/* What is stored for exactly this prefix, 0 if nothing. */
uint16_t trie_get(const struct trie *t, uint32_t prefix, unsigned int len);

/* Readers: what is stored for the prefixes that cover an address (host byte order), from the
 * shortest to the longest. Returns how many. */
unsigned int trie_match(const struct trie *t, uint32_t addr, uint16_t found[TRIE_DEPTH]);

#endif
