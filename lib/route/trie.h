/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A routing table as workers look it up, for tables other than main: a binary trie with paths
 * compressed (Sklower, "A tree-based packet routing table for Berkeley Unix", 1991). What it holds
 * for a prefix is a word: an index, or a pointer.
 *
 * main may hold the whole Internet, and its FIB (fib.h) takes 32 MB whatever is in it. Other tables
 * mostly have a handful of routes, and there may be hundreds of them: here a prefix costs one or
 * two nodes of 48 bytes, and a search at most 33 steps. Those that have many get a FIB as well
 * (table_fib.h).
 *
 * Invariants. A node's prefix is a proper part of its parent's; the bit after the parent's prefix
 * says which child it is. A node without an answer (value 0) has two children, so nodes number
 * less than twice the prefixes. One writer, any number of readers: a node is complete before a
 * pointer leads to it, a value is stored whole, and what is unlinked is freed after a grace
 * period with its pointers as they were; so a reader sees each prefix before or after a change.
 */
#ifndef ROUTE_TRIE_H
#define ROUTE_TRIE_H

#include <stdbool.h>
#include <stdint.h>

#define TRIE_DEPTH 33           /* prefix lengths, and thus prefixes that can cover an address */

struct trie_node;

struct trie {
	struct trie_node *root;         /* rcu_read() */
};

/* Give every node back after a grace period, and with values: what its value points to, of
 * malloc(). The trie is empty then. */
void trie_clear(struct trie *t, bool values);

/* prefix in host byte order, bits below len 0; value not 0. 0 or -ENOMEM (nothing changed), which
 * can not be where there is a value already. */
int trie_set(struct trie *t, uint32_t prefix, unsigned int len, uintptr_t value);
void trie_unset(struct trie *t, uint32_t prefix, unsigned int len);
/* What is stored for exactly this prefix, 0 if nothing. */
uintptr_t trie_get(const struct trie *t, uint32_t prefix, unsigned int len);

/* Readers: what is stored for the longest prefix that covers an address (host byte order), 0 if
 * there is none. */
uintptr_t trie_longest(const struct trie *t, uint32_t addr);

struct trie_found {
	uintptr_t value;
	unsigned int len;               /* of its prefix */
};

/* Readers: the same for all prefixes that cover it, from the shortest to the longest. Returns how
 * many. */
unsigned int trie_match(const struct trie *t, uint32_t addr, struct trie_found found[TRIE_DEPTH]);

#endif
