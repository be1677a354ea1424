/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of datagrams that fragments are waiting for; see reassemble_table.h. */
#include "ipv4/reassemble_table.h"

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

/* ---- senders ---- */

static uint32_t free_way(const struct frag_sources *s)
{
	uint32_t way = 0;

	while (way < FRAG_SOURCE_WAYS && s->refs[way])
		way++;
	return way;
}

/* Where it is already it stays, though there may be room by now in its first set. */
uint16_t frag_source_new(struct frag_table *t, uint32_t addr)
{
	uint32_t first = frag_source_set(t, addr), second = frag_source_2nd(t, addr), set = first;
	uint32_t way = frag_source_way(&t->sources[first], addr);

	if (way == FRAG_SOURCE_WAYS && t->sources[first].overflowed && second != first) {
		set = second;
		way = frag_source_way(&t->sources[second], addr);
	}
	if (way == FRAG_SOURCE_WAYS) {
		set = first;
		way = free_way(&t->sources[first]);
	}
	if (way == FRAG_SOURCE_WAYS && second != first) {
		set = second;
		way = free_way(&t->sources[second]);
	}
	if (way == FRAG_SOURCE_WAYS)
		return FRAG_NONE;
	if (set != first && !t->sources[set].refs[way])
		t->sources[first].overflowed++;
	t->sources[set].addr[way] = addr;
	t->sources[set].refs[way]++;
	return (uint16_t)(set * FRAG_SOURCE_STRIDE + way);
}

/* ---- timers ---- */

struct frag_queue *frag_queue_next(struct frag_table *t, uint64_t *due_ns)
{
	const struct frag_slot *slot = t->n_queues ? frag_wheel_first(&t->wheel) : NULL;

	*due_ns = slot ? frag_slot_due_ns(slot) : UINT64_MAX;
	return slot ? &t->queues[slot->youngest] : NULL;
}

struct frag_queue *frag_queue_oldest(const struct frag_table *t)
{
	struct frag_queue *oldest = NULL;

	if (!t->n_queues)
		return NULL;
	for (unsigned int level = 0; level < WHEEL_LEVELS; level++) {
		uint64_t used = t->wheel.used[level];

		for (; used; used &= used - 1) {
			const struct frag_slot *slot =
				&t->wheel.slots[level * WHEEL_SLOTS + rte_bsf64(used)];
			struct frag_queue *q = &t->queues[slot->oldest];

			if (slot->oldest != FRAG_NONE && (!oldest || q->born_ns < oldest->born_ns))
				oldest = q;
		}
	}
	return oldest;
}

/* ---- start and stop ---- */

static void *array(size_t n, size_t size, int socket)
{
	return rte_zmalloc_socket("reassembly", n * size, RTE_CACHE_LINE_SIZE, socket);
}

int frag_table_init(struct frag_table *t, const struct siphash_key *key, int socket)
{
	memset(t, 0, sizeof(*t));
	t->key = *key;
	t->source_key = key->k0 ^ siphash_rotl(key->k1, 32);
	t->source_key |= 1;
	t->buckets = array(FRAG_BUCKETS, sizeof(*t->buckets), socket);
	t->queues = array(FRAG_QUEUES, sizeof(*t->queues), socket);
	t->wheel.places = array(FRAG_QUEUES, sizeof(*t->wheel.places), socket);
	t->free = array(FRAG_QUEUES, sizeof(*t->free), socket);
	t->sources = array(1u << FRAG_SOURCE_SET_BITS, sizeof(*t->sources), socket);
	t->chunks = array(FRAG_CHUNKS, sizeof(*t->chunks), socket);
	t->free_chunks = array(FRAG_CHUNKS, sizeof(*t->free_chunks), socket);
	t->maps = array(FRAG_MAPS, sizeof(*t->maps), socket);
	t->free_maps = array(FRAG_MAPS, sizeof(*t->free_maps), socket);
	t->order = array(FRAG_UNITS, sizeof(*t->order), socket);
	t->dead_runs = array(FRAG_MBUFS_MAX, sizeof(*t->dead_runs), socket);
	if (!t->buckets || !t->queues || !t->wheel.places || !t->free || !t->sources ||
	    !t->chunks || !t->free_chunks || !t->maps || !t->free_maps || !t->order ||
	    !t->dead_runs) {
		frag_table_fini(t);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < FRAG_QUEUES; i++)
		t->free[i] = (uint16_t)i;
	for (uint32_t i = 0; i < FRAG_CHUNKS; i++)
		t->free_chunks[i] = (uint16_t)i;
	t->dead_chunk = FRAG_NONE;
	for (uint32_t i = 0; i < FRAG_MAPS; i++)
		t->free_maps[i] = (uint16_t)i;
	frag_wheel_init(&t->wheel);
	return 0;
}

void frag_table_fini(struct frag_table *t)
{
	rte_free(t->buckets);
	rte_free(t->queues);
	rte_free(t->wheel.places);
	rte_free(t->free);
	rte_free(t->sources);
	rte_free(t->chunks);
	rte_free(t->free_chunks);
	rte_free(t->maps);
	rte_free(t->free_maps);
	rte_free(t->order);
	rte_free(t->dead_runs);
	memset(t, 0, sizeof(*t));
}
