/* SPDX-License-Identifier: BSD-3-Clause */
/* Sources that may be refused; see fast_sources.h. Control thread. */
#include "ipv4/fast_sources.h"

#include <stdlib.h>
#include <string.h>

#include "link/link.h"
#include "route/route.h"

#define TABLE_WORDS_MIN 256u
#define TABLE_WORDS_MAX (1u << 16)

struct fast_sources fast_sources;

/* All addresses, some of them perhaps several times. */
static void each(void (*fn)(rte_be32_t addr, void *arg), void *arg)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		const struct link *l = link_get(i);
		const struct link_addrs *addrs = l ? rcu_read(l->addrs) : NULL;

		for (unsigned int j = 0; addrs && j < addrs->n; j++)
			fn(addrs->a[j].local, arg);
	}
	if (route_sources_custom())
		route_local_hosts(fn, arg);
}

static void count_one(rte_be32_t addr, void *arg)
{
	uint32_t *n = arg;

	(*n)++;
}

static void words_add(rte_be32_t addr, void *arg)
{
	uint32_t hash = fast_sources_hash(addr), *word = arg;

	for (unsigned int shift = 23; shift >= 14; shift -= 9) {
		uint32_t bit = hash >> shift & 511;

		word[bit / 32] |= 1u << bit % 32;
	}
}

static void table_add(rte_be32_t addr, void *arg)
{
	struct fast_source_table *table = arg;
	uint32_t hash = fast_sources_hash(addr);

	table->word[hash >> table->shift] |= fast_source_bits(table, hash);
}

/* NULL: they are few, or there is no memory. */
static struct fast_source_table *table_make(void)
{
	struct fast_source_table *table;
	uint32_t n = 0, words;

	each(count_one, &n);
	if (n <= FAST_SOURCES_FEW)
		return NULL;
	words = RTE_MAX(rte_align32pow2(2 * n), TABLE_WORDS_MIN);
	words = RTE_MIN(words, TABLE_WORDS_MAX);
	table = calloc(1, sizeof(*table) + words * sizeof(table->word[0]));
	if (!table)
		return NULL;
	table->shift = 32 - rte_bsf32(words);
	each(table_add, table);
	return table;
}

/* The words are used by who has not seen a table, so they stay as they are while there is one. */
void fast_sources_refresh(void)
{
	struct fast_source_table *table = table_make();
	const struct fast_source_table *old = fast_sources.table;
	uint32_t word[FAST_SOURCES_WORDS] = {0};

	if (!table) {
		each(words_add, word);
		for (unsigned int i = 0; i < FAST_SOURCES_WORDS; i++)
			__atomic_store_n(&fast_sources.word[i], word[i], __ATOMIC_RELAXED);
	}
	rcu_assign(fast_sources.table, table);
	if (old)
		rcu_defer(free, (void *)(uintptr_t)old);
}

void fast_sources_init(void)
{
	memset(&fast_sources, 0, sizeof(fast_sources));
}

void fast_sources_fini(void)
{
	free((void *)(uintptr_t)fast_sources.table);
	fast_sources.table = NULL;
}
