/* SPDX-License-Identifier: BSD-3-Clause */
/* See trie.h. */
#include "route/trie.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/prefix.h"
#include "core/rcu.h"

struct trie_node {
	struct trie_node *child[2];     /* rcu_read() */
	uintptr_t value;                /* 0: only where two paths part */
	uint32_t prefix;
	uint8_t len;
};

/* The bit behind the first len. */
static unsigned int bit_at(uint32_t addr, unsigned int len)
{
	return addr >> (31 - len) & 1;
}

static bool covers(const struct trie_node *n, uint32_t prefix, unsigned int len)
{
	return n->len <= len && prefix_agree(n->prefix, prefix, n->len);
}

/* How many leading bits two prefixes share, at most max. */
static unsigned int shared_bits(uint32_t a, uint32_t b, unsigned int max)
{
	unsigned int n = a == b ? 32 : (unsigned int)__builtin_clz(a ^ b);

	return n < max ? n : max;
}

/* The pointer to the node of this prefix; if there is none, to where it belongs: to nothing or to
 * a node that it does not lie under. up: the pointer to the node above, NULL if there is none. */
static struct trie_node **find(struct trie *t, uint32_t prefix, unsigned int len,
			       struct trie_node ***up)
{
	struct trie_node **at = &t->root;

	*up = NULL;
	while (*at && (*at)->len < len && covers(*at, prefix, len)) {
		*up = at;
		at = &(*at)->child[bit_at(prefix, (*at)->len)];
	}
	return at;
}

static bool is_exactly(const struct trie_node *n, uint32_t prefix, unsigned int len)
{
	return n && n->len == len && n->prefix == prefix;
}

static struct trie_node *node_new(uint32_t prefix, unsigned int len, uintptr_t value)
{
	struct trie_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->prefix = prefix;
	n->len = (uint8_t)len;
	n->value = value;
	return n;
}

int trie_set(struct trie *t, uint32_t prefix, unsigned int len, uintptr_t value)
{
	struct trie_node **up, **at = find(t, prefix, len, &up);
	struct trie_node *below = *at, *n, *fork;
	unsigned int shared;

	if (is_exactly(below, prefix, len)) {
		__atomic_store_n(&below->value, value, __ATOMIC_RELEASE);
		return 0;
	}
	n = node_new(prefix, len, value);
	if (!n)
		return -ENOMEM;
	if (!below) {
		rcu_assign(*at, n);
		return 0;
	}
	shared = shared_bits(prefix, below->prefix, len < below->len ? len : below->len);
	if (shared == len) {
		n->child[bit_at(below->prefix, len)] = below;
		rcu_assign(*at, n);
		return 0;
	}
	fork = node_new(prefix & prefix_mask(shared), shared, 0);
	if (!fork) {
		free(n);
		return -ENOMEM;
	}
	fork->child[bit_at(prefix, shared)] = n;
	fork->child[bit_at(below->prefix, shared)] = below;
	rcu_assign(*at, fork);
	return 0;
}

/* Take out a node that has no answer and at most one child. */
static void unlink_node(struct trie_node **at)
{
	struct trie_node *n = *at;

	if (n->value || (n->child[0] && n->child[1]))
		return;
	rcu_assign(*at, n->child[0] ? n->child[0] : n->child[1]);
	rcu_defer(free, n);
}

void trie_unset(struct trie *t, uint32_t prefix, unsigned int len)
{
	struct trie_node **up, **at = find(t, prefix, len, &up);

	if (!is_exactly(*at, prefix, len))
		return;
	__atomic_store_n(&(*at)->value, 0, __ATOMIC_RELEASE);
	unlink_node(at);
	if (up)
		unlink_node(up);
}

uintptr_t trie_get(const struct trie *t, uint32_t prefix, unsigned int len)
{
	const struct trie_node *n = t->root;

	while (n && n->len < len && covers(n, prefix, len))
		n = n->child[bit_at(prefix, n->len)];
	return is_exactly(n, prefix, len) ? n->value : 0;
}

/* ---- readers: from one prefix that covers an address to the next longer one ---- */

static const struct trie_node *if_covers(const struct trie_node *n, uint32_t addr)
{
	return n && covers(n, addr, 32) ? n : NULL;
}

static const struct trie_node *longer(const struct trie_node *n, uint32_t addr)
{
	return n->len == 32 ? NULL : if_covers(rcu_read(n->child[bit_at(addr, n->len)]), addr);
}

unsigned int trie_match(const struct trie *t, uint32_t addr, struct trie_found found[TRIE_DEPTH])
{
	const struct trie_node *n;
	unsigned int count = 0;

	for (n = if_covers(rcu_read(t->root), addr); n; n = longer(n, addr)) {
		uintptr_t value = __atomic_load_n(&n->value, __ATOMIC_ACQUIRE);

		if (value)
			found[count++] = (struct trie_found){ value, n->len };
	}
	return count;
}

uintptr_t trie_longest(const struct trie *t, uint32_t addr)
{
	const struct trie_node *n;
	uintptr_t longest = 0;

	for (n = if_covers(rcu_read(t->root), addr); n; n = longer(n, addr)) {
		uintptr_t value = __atomic_load_n(&n->value, __ATOMIC_ACQUIRE);

		longest = value ? value : longest;
	}
	return longest;
}

static void clear_below(struct trie_node *n, bool values)
{
	if (!n)
		return;
	clear_below(n->child[0], values);
	clear_below(n->child[1], values);
	if (values && n->value)
		rcu_defer(free, (void *)n->value);
	rcu_defer(free, n);
}

void trie_clear(struct trie *t, bool values)
{
	struct trie_node *root = t->root;

	rcu_assign(t->root, NULL);
	clear_below(root, values);
}
