/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables and their hashes of prefixes; see table.h.
 *
 * Routes come by the million and are looked up by exact prefix (a routing daemon adds, replaces
 * and deletes), rarely by address and rarely in order. So this is a hash and not a trie: open
 * addressing with linear probing, one cache miss a search where a trie of this size has eight.
 * Removal shifts the following entries back, so that there are no tombstones. The rare rest is
 * done with more work: a search by address tries the lengths in use, a listing sorts.
 *
 * Routes come from slabs, and a freed one is the next to be used. A table comes with its first
 * route or rule and goes with the last, but for the three that are always there.
 */
#include "route/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/rcu.h"
#include "core/sysctl.h"
#include "route/pages.h"
#include "route/table_fib.h"

#define SLOTS_MIN 64u
#define SLOTS_ON_HEAP 65536u    /* up to here, so that a small table takes no 2 MB page */
#define SLAB_ROUTES 2048
#define TABLES_PRESET 256

struct table_slot {
	uint64_t key;           /* 0: empty */
	struct route *first;
};

struct slab {
	struct slab *next;
	struct route routes[SLAB_ROUTES];
};

struct table *table_local, *table_main, *table_default;

static struct table *tables;    /* by rising id */
static unsigned int tables_n;
static int32_t tables_max;
static struct slab *slabs;
static struct route *free_routes;

/* Never 0; sorts by prefix, the longest of the same base first, as in Linux. */
static uint64_t key_of(uint32_t prefix, unsigned int len)
{
	return 1ULL << 40 | (uint64_t)prefix << 8 | (32 - len);
}

static uint32_t home_of(const struct table *t, uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ULL;
	key ^= key >> 32;
	key *= 0xd6e8feb86659fd93ULL;
	return (uint32_t)(key >> 32) & (t->slots_n - 1);
}

/* The slot that holds the key, else the empty one that it belongs into. */
static struct table_slot *slot_of(const struct table *t, uint64_t key)
{
	uint32_t i = home_of(t, key);

	while (t->slots[i].key && t->slots[i].key != key)
		i = (i + 1) & (t->slots_n - 1);
	return &t->slots[i];
}

static struct table_slot *slots_new(uint32_t n)
{
	size_t bytes = n * sizeof(struct table_slot);

	return n <= SLOTS_ON_HEAP ? calloc(1, bytes) : pages_map(bytes, false, -1);
}

static void slots_free(struct table_slot *slots, uint32_t n)
{
	if (n <= SLOTS_ON_HEAP)
		free(slots);
	else
		pages_unmap(slots, n * sizeof(*slots));
}

static bool grow(struct table *t)
{
	struct table_slot *old = t->slots;
	uint32_t old_n = t->slots_n;
	struct table_slot *bigger = slots_new(2 * old_n);

	if (!bigger)
		return false;
	t->slots = bigger;
	t->slots_n = 2 * old_n;
	for (uint32_t i = 0; i < old_n; i++)
		if (old[i].key)
			*slot_of(t, old[i].key) = old[i];
	slots_free(old, old_n);
	return true;
}

/* Empty a slot: each following entry that may not stand behind a gap moves into it. */
static void slot_clear(struct table *t, struct table_slot *s)
{
	uint32_t gap = (uint32_t)(s - t->slots), last = t->slots_n - 1;

	for (uint32_t i = (gap + 1) & last; t->slots[i].key; i = (i + 1) & last) {
		uint32_t from_home = (i - home_of(t, t->slots[i].key)) & last;
		uint32_t from_gap = (i - gap) & last;

		if (from_home >= from_gap) {
			t->slots[gap] = t->slots[i];
			gap = i;
		}
	}
	t->slots[gap] = (struct table_slot){ 0 };
	t->slots_used--;
}

/* ---- tables ---- */

const char *table_name(uint32_t id)
{
	static char number[16];

	switch (id) {
	case ROUTE_TABLE_MAIN:
		return "main";
	case ROUTE_TABLE_LOCAL:
		return "local";
	case ROUTE_TABLE_DEFAULT:
		return "default";
	default:
		snprintf(number, sizeof(number), "%u", id);
		return number;
	}
}

struct table *table_get(uint32_t id)
{
	struct table *t = tables;

	if (id == ROUTE_TABLE_MAIN)
		return table_main;
	while (t && t->id < id)
		t = t->next;
	return t && t->id == id ? t : NULL;
}

unsigned int route_count_tables(void)
{
	return tables_n;
}

struct table *table_first(void)
{
	return tables;
}

static struct table *table_new(uint32_t id)
{
	struct table **at = &tables;
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->id = id;
	t->slots_n = SLOTS_MIN;
	t->slots = slots_new(t->slots_n);
	if (!t->slots) {
		free(t);
		return NULL;
	}
	while (*at && (*at)->id < id)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	tables_n++;
	return t;
}

struct table *table_make(uint32_t id, struct error *err)
{
	struct table *t = table_get(id);

	if (t)
		return t;
	if (tables_n >= (unsigned int)tables_max) {
		error_set(err, ENOSPC, "table %u: there are %u tables, as many as "
			  "net.millrace.route_tables_max allows", id, tables_n);
		return NULL;
	}
	t = table_new(id);
	if (!t)
		error_set(err, ENOMEM, "no memory for table %u", id);
	return t;
}

static void table_free(void *arg)
{
	struct table *t = arg;

	slots_free(t->slots, t->slots_n);
	free(t);
}

static void table_unlink(struct table *t)
{
	struct table **at = &tables;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	tables_n--;
}

void table_drop_unused(struct table *t)
{
	if (t->slots_used || t->users || t == table_main || t == table_local || t == table_default)
		return;
	table_unlink(t);
	table_fib_drop(t);
	rcu_defer(table_free, t);
}

int table_init(void)
{
	int rc = sysctl_register(&(struct sysctl){
		.name = "net.millrace.route_tables_max", .value = &tables_max, .min = 3,
		.max = 65536, .preset = TABLES_PRESET,
		.help = "routing tables that can be in use, local, main and default among them"});

	if (rc)
		return rc;
	table_local = table_new(ROUTE_TABLE_LOCAL);
	table_main = table_new(ROUTE_TABLE_MAIN);
	table_default = table_new(ROUTE_TABLE_DEFAULT);
	return table_local && table_main && table_default ? 0 : -ENOMEM;
}

void table_fini(void)
{
	while (tables) {
		struct table *t = tables;

		table_unlink(t);
		table_fib_drop(t);
		trie_clear(&t->trie, false);
		trie_clear(&t->others, true);
		rcu_defer(table_free, t);
	}
	table_local = table_main = table_default = NULL;
	rcu_synchronize();
	while (slabs) {
		struct slab *next = slabs->next;

		free(slabs);
		slabs = next;
	}
	free_routes = NULL;
	sysctl_unregister("net.millrace.route_tables_max");
}

/* ---- routes ---- */

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

struct route *table_find(const struct table *t, uint32_t prefix, unsigned int len)
{
	return t->prefixes_n[len] ? slot_of(t, key_of(prefix, len))->first : NULL;
}

/* Does a stand before b, or, if they are equal and b wants to be behind, beside it? */
static bool precedes(const struct route *a, const struct route *b, bool or_equal)
{
	if (a->tos != b->tos)
		return a->tos > b->tos;
	return a->metric < b->metric || (or_equal && a->metric == b->metric);
}

struct route *table_insert(struct table *t, const struct route *like, bool in_front)
{
	struct route *r = route_alloc();
	struct route **at;
	struct table_slot *s;

	if (!r)
		return NULL;
	*r = *like;
	r->next = NULL;
	if (t->slots_used >= t->slots_n / 2 && !grow(t)) {
		r->next = free_routes;
		free_routes = r;
		return NULL;
	}
	s = slot_of(t, key_of(r->prefix, r->len));
	if (!s->key) {
		s->key = key_of(r->prefix, r->len);
		t->slots_used++;
		t->prefixes_n[r->len]++;
	}
	for (at = &s->first; *at && precedes(*at, r, !in_front); at = &(*at)->next)
		;
	r->next = *at;
	*at = r;
	return r;
}

void table_remove(struct table *t, struct route *r)
{
	struct table_slot *s = slot_of(t, key_of(r->prefix, r->len));
	struct route **at = &s->first;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	if (!s->first) {
		slot_clear(t, s);
		t->prefixes_n[r->len]--;
	}
	r->next = free_routes;
	free_routes = r;
}

void table_sweep_one(struct table *t, void (*fn)(struct table *t, struct route *r, void *arg),
		     void *arg)
{
	for (uint32_t i = 0; i < t->slots_n;) {
		uint64_t key = t->slots[i].key;
		struct route *next;

		for (struct route *r = t->slots[i].first; r; r = next) {
			next = r->next;
			fn(t, r, arg);
		}
		/* else the last one was removed and another entry has moved here */
		if (t->slots[i].key == key)
			i++;
	}
}

void table_sweep(void (*fn)(struct table *t, struct route *r, void *arg), void *arg)
{
	struct table *next;

	for (struct table *t = tables; t; t = next) {
		next = t->next;
		t->users++;     /* it stays while its last route goes */
		table_sweep_one(t, fn, arg);
		t->users--;
		table_drop_unused(t);
	}
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = ((const struct table_slot *)a)->key, y = ((const struct table_slot *)b)->key;

	return x < y ? -1 : x > y;
}

static int foreach(const struct table *t, int (*fn)(const struct route *r, void *arg), void *arg)
{
	struct table_slot *sorted = malloc((t->slots_used + 1) * sizeof(*sorted));
	uint32_t n = 0;
	int rc = 0;

	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->slots_n; i++)
		if (t->slots[i].key)
			sorted[n++] = t->slots[i];
	qsort(sorted, n, sizeof(*sorted), by_key);
	for (uint32_t i = 0; i < n && !rc; i++)
		for (const struct route *r = sorted[i].first; r && !rc; r = r->next)
			rc = fn(r, arg);
	free(sorted);
	return rc;
}

int table_foreach(uint32_t id, int (*fn)(const struct route *r, void *arg), void *arg)
{
	int rc = 0;

	for (const struct table *t = tables; t && !rc; t = t->next)
		if (id == 0 || t->id == id)
			rc = foreach(t, fn, arg);
	return rc;
}
