/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash of prefixes; see table.h.
 *
 * Routes come by the million and are looked up by exact prefix (a routing daemon adds, replaces
 * and deletes), rarely by address and rarely in order. So this is a hash and not a trie: open
 * addressing with linear probing, one cache miss a search where a trie of this size has eight.
 * Removal shifts the following entries back, so that there are no tombstones. The rare rest is
 * done with more work: a search by address tries the lengths in use, a listing sorts.
 *
 * Routes come from slabs, and a freed one is the next to be used.
 */
#include "route/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "route/pages.h"

#define SLOTS_MIN 4096u
#define SLAB_ROUTES 2048

struct slot {
	uint64_t key;           /* 0: empty */
	struct route *first;
};

struct slab {
	struct slab *next;
	struct route routes[SLAB_ROUTES];
};

static struct slot *slots;
static uint32_t slots_n;        /* a power of two, at most half of them used */
static uint32_t slots_used;
static struct slab *slabs;
static struct route *free_routes;
static uint32_t prefixes_n[ROUTE_TABLE_LOCAL + 1][33];

/* Never 0, for there is no table 0; sorts by table, prefix, length. */
static uint64_t key_of(unsigned int table, uint32_t prefix, unsigned int len)
{
	return (uint64_t)table << 40 | (uint64_t)prefix << 8 | len;
}

static uint32_t home_of(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ULL;
	key ^= key >> 32;
	key *= 0xd6e8feb86659fd93ULL;
	return (uint32_t)(key >> 32) & (slots_n - 1);
}

/* The slot that holds the key, else the empty one that it belongs into. */
static struct slot *slot_of(uint64_t key)
{
	uint32_t i = home_of(key);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (slots_n - 1);
	return &slots[i];
}

static bool grow(void)
{
	struct slot *old = slots;
	uint32_t old_n = slots_n;
	struct slot *bigger = pages_map(2 * (size_t)old_n * sizeof(*bigger), false, -1);

	if (!bigger)
		return false;
	slots = bigger;
	slots_n = 2 * old_n;
	for (uint32_t i = 0; i < old_n; i++)
		if (old[i].key)
			*slot_of(old[i].key) = old[i];
	pages_unmap(old, old_n * sizeof(*old));
	return true;
}

/* Empty a slot: each following entry that may not stand behind a gap moves into it. */
static void slot_clear(struct slot *s)
{
	uint32_t gap = (uint32_t)(s - slots);

	for (uint32_t i = (gap + 1) & (slots_n - 1); slots[i].key; i = (i + 1) & (slots_n - 1)) {
		uint32_t from_home = (i - home_of(slots[i].key)) & (slots_n - 1);
		uint32_t from_gap = (i - gap) & (slots_n - 1);

		if (from_home >= from_gap) {
			slots[gap] = slots[i];
			gap = i;
		}
	}
	slots[gap] = (struct slot){ 0 };
	slots_used--;
}

int table_init(void)
{
	slots_n = SLOTS_MIN;
	slots = pages_map(slots_n * sizeof(*slots), false, -1);
	return slots ? 0 : -ENOMEM;
}

void table_fini(void)
{
	while (slabs) {
		struct slab *next = slabs->next;

		free(slabs);
		slabs = next;
	}
	pages_unmap(slots, slots_n * sizeof(*slots));
	slots = NULL;
	slots_used = 0;
	free_routes = NULL;
	for (unsigned int t = 0; t <= ROUTE_TABLE_LOCAL; t++)
		for (unsigned int len = 0; len <= 32; len++)
			prefixes_n[t][len] = 0;
}

static struct route *route_alloc(void)
{
	struct slab *s;
	struct route *r;

	if (!free_routes) {
		s = malloc(sizeof(*s));
		if (!s)
			return NULL;
		s->next = slabs;
		slabs = s;
		for (unsigned int i = SLAB_ROUTES; i-- > 0;) {
			s->routes[i].next = free_routes;
			free_routes = &s->routes[i];
		}
	}
	r = free_routes;
	free_routes = r->next;
	return r;
}

struct route *table_find(unsigned int table, uint32_t prefix, unsigned int len)
{
	return prefixes_n[table][len] ? slot_of(key_of(table, prefix, len))->first : NULL;
}

struct route *table_insert(const struct route *like)
{
	struct route *r = route_alloc();
	struct route **at;
	struct slot *s;

	if (!r)
		return NULL;
	*r = *like;
	r->next = NULL;
	if (slots_used >= slots_n / 2 && !grow()) {
		r->next = free_routes;
		free_routes = r;
		return NULL;
	}
	s = slot_of(key_of(r->table, r->prefix, r->len));
	if (!s->key) {
		s->key = key_of(r->table, r->prefix, r->len);
		slots_used++;
		prefixes_n[r->table][r->len]++;
	}
	for (at = &s->first; *at && (*at)->metric <= r->metric; at = &(*at)->next)
		;
	r->next = *at;
	*at = r;
	return r;
}

void table_remove(struct route *r)
{
	struct slot *s = slot_of(key_of(r->table, r->prefix, r->len));
	struct route **at = &s->first;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	if (!s->first) {
		slot_clear(s);
		prefixes_n[r->table][r->len]--;
	}
	r->next = free_routes;
	free_routes = r;
}

void table_sweep(void (*fn)(struct route *r, void *arg), void *arg)
{
	for (uint32_t i = 0; i < slots_n;) {
		uint64_t key = slots[i].key;
		struct route *next;

		for (struct route *r = slots[i].first; r; r = next) {
			next = r->next;
			fn(r, arg);
		}
		/* else the last one was removed and another entry has moved here */
		if (slots[i].key == key)
			i++;
	}
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = ((const struct slot *)a)->key, y = ((const struct slot *)b)->key;

	return x < y ? -1 : x > y;
}

int table_foreach(unsigned int table, int (*fn)(const struct route *r, void *arg), void *arg)
{
	struct slot *sorted = malloc((slots_used + 1) * sizeof(*sorted));
	uint32_t n = 0;
	int rc = 0;

	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < slots_n; i++)
		if (slots[i].key && (table == 0 || slots[i].key >> 40 == table))
			sorted[n++] = slots[i];
	qsort(sorted, n, sizeof(*sorted), by_key);
	for (uint32_t i = 0; i < n && !rc; i++)
		for (const struct route *r = sorted[i].first; r && !rc; r = r->next)
			rc = fn(r, arg);
	free(sorted);
	return rc;
}
