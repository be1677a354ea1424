/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets: allocation, drops and the few operations on chains; see packet.h. */
#include "packet/packet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_memzone.h>

#define FREE_BATCH 64
#define POOL_CACHE 512

/* Buffers that hold more than the ordinary ones are for devices that want a whole large frame in
 * one; there are fewer of them, as each takes so much more. */
#define LARGE_SHARE 8
#define WAITING_SHARE 4

static struct rte_mempool *pools[RTE_MAX_NUMA_NODES];
static struct rte_mempool *large_pools[RTE_MAX_NUMA_NODES];
static unsigned int pool_mbufs, pool_bytes;
static unsigned int pool_share;        /* a quarter of the smallest */

static void memzone_free(struct rte_mempool_memhdr *header, void *zone)
{
	rte_memzone_free(zone);
}

/* All buffers side by side in one piece of memory. False: there is none of that size. */
static bool fill_packed(struct rte_mempool *pool)
{
	const struct rte_memzone *zone;
	size_t chunk, align;
	ssize_t bytes = rte_mempool_op_calc_mem_size_default(pool, pool->size, 0, &chunk, &align);
	int n;

	if (bytes < 0)
		return false;
	zone = rte_memzone_reserve_aligned(pool->name, (size_t)bytes, pool->socket_id,
					   RTE_MEMZONE_IOVA_CONTIG, (unsigned int)align);
	if (!zone)
		return false;
	n = rte_mempool_populate_iova(pool, zone->addr, zone->iova, zone->len, memzone_free,
				      (void *)(uintptr_t)zone);
	if (n < 1)
		rte_memzone_free(zone);
	return n == (int)pool->size;
}

/* Without huge pages DPDK has no buffer lie across two pages, so that each has one of its own:
 * twice the memory, and all headers want the same few sets of the CPU's caches. But then memory
 * is contiguous for devices, too. For kinds that have no wishes of their own about their memory.
 * Returns NULL if there is not enough of it in one piece. */
static struct rte_mempool *pool_make_packed(const char *name, int socket, unsigned int n_mbufs,
					    uint16_t room, const char *kind)
{
	struct rte_pktmbuf_pool_private own = {
		.mbuf_data_room_size = room,
		.mbuf_priv_size = sizeof(struct packet),
	};
	unsigned int bytes = (unsigned int)(sizeof(struct rte_mbuf) + sizeof(struct packet)) + room;
	struct rte_mempool *pool = rte_mempool_create_empty(name, n_mbufs, bytes, POOL_CACHE,
							    sizeof(own), socket,
							    RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (!pool)
		return NULL;
	rte_pktmbuf_pool_init(pool, &own);
	if (rte_mempool_set_ops_byname(pool, kind, NULL) || !fill_packed(pool)) {
		rte_mempool_free(pool);
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

/* What lies below the workers' caches is a stack, not DPDK's usual ring: so the buffers in use are
 * the ones used last, and still in the CPU's caches, however many others there are. (With a ring
 * all of them come round, and an attacker who has fragments held and dropped makes each packet
 * a cold one.) The operator may want another kind (EAL's --mbuf-pool-ops-name),
 * and where there is no lock-free stack, it is the ring. */
static struct rte_mempool *pool_make(const char *what, int socket, unsigned int n_mbufs,
				     unsigned int data_bytes)
{
	const char *kinds[] = {rte_mbuf_user_mempool_ops() ? NULL : "lf_stack", NULL};
	struct rte_mempool *pool = NULL;
	uint16_t room = (uint16_t)(RTE_PKTMBUF_HEADROOM + data_bytes);
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%d", what, socket);
	if (!rte_eal_has_hugepages() && kinds[0])
		pool = pool_make_packed(name, socket, n_mbufs, room, kinds[0]);
	for (unsigned int i = 0; !pool && i < RTE_DIM(kinds); i++)
		pool = rte_pktmbuf_pool_create_by_ops(name, n_mbufs, POOL_CACHE,
						      sizeof(struct packet), room, socket,
						      kinds[i]);
	return pool;
}

static void share_update(void)
{
	unsigned int least = 0;

	for (unsigned int i = 0; i < 2 * RTE_DIM(pools); i++) {
		const struct rte_mempool *pool = i % 2 ? large_pools[i / 2] : pools[i / 2];

		if (pool && (!least || pool->size < least))
			least = pool->size;
	}
	__atomic_store_n(&pool_share, least / WAITING_SHARE, __ATOMIC_RELAXED);
}

int packet_pool_init(unsigned int n_mbufs, unsigned int data_bytes)
{
	unsigned int nodes = rte_socket_count();

	pool_mbufs = n_mbufs;
	pool_bytes = data_bytes;
	for (unsigned int i = 0; i < nodes; i++) {
		int socket = rte_socket_id_by_idx(i);

		if (socket < 0 || pools[socket])
			continue;
		pools[socket] = pool_make("packets", socket, n_mbufs, data_bytes);
		if (!pools[socket]) {
			int rc = -rte_errno;

			packet_pool_fini();
			return rc;
		}
	}
	share_update();
	return 0;
}

void packet_pool_fini(void)
{
	for (unsigned int i = 0; i < RTE_DIM(pools); i++) {
		rte_mempool_free(pools[i]);
		rte_mempool_free(large_pools[i]);
		pools[i] = large_pools[i] = NULL;
	}
	share_update();
}

/* A NUMA node that has a pool. */
static int node_of(int socket)
{
	return socket >= 0 && socket < (int)RTE_DIM(pools) && pools[socket]
		       ? socket : rte_socket_id_by_idx(0);
}

struct rte_mempool *packet_pool(int socket)
{
	return pools[node_of(socket)];
}

unsigned int packet_pool_share(void)
{
	return __atomic_load_n(&pool_share, __ATOMIC_RELAXED);
}

struct rte_mempool *packet_pool_holding(int socket, unsigned int data_bytes)
{
	int node = node_of(socket);

	if (data_bytes <= pool_bytes)
		return pools[node];
	if (large_pools[node])
		return rte_pktmbuf_data_room_size(large_pools[node]) >=
				       RTE_PKTMBUF_HEADROOM + data_bytes
			       ? large_pools[node] : NULL;
	if (data_bytes > UINT16_MAX - RTE_PKTMBUF_HEADROOM)
		return NULL;
	large_pools[node] = pool_make("large_packets", node,
				      RTE_MAX(pool_mbufs / LARGE_SHARE, 2u * POOL_CACHE),
				      data_bytes);
	share_update();
	return large_pools[node];
}

static struct rte_mbuf *alloc(int socket, struct counters *c)
{
	struct rte_mempool *pool = packet_pool(socket);
	struct rte_mbuf *m = pool ? rte_pktmbuf_alloc(pool) : NULL;

	if (!m)
		return NULL;
	*packet_of(m) = (struct packet){.type = PACKET_OUTGOING, .flags = PACKET_F_LOCAL};
	c->originated++;
	return m;
}

struct rte_mbuf *packet_alloc(struct worker *w)
{
	struct rte_mbuf *m = alloc(w->socket, w->counters);

	if (m)
		packet_of(m)->arrival_ns = w->now_ns;
	return m;
}

struct rte_mbuf *packet_alloc_control(void)
{
	return alloc((int)rte_socket_id(), control_counters);
}

/* Any packets, segment by segment. DPDK's own function does the same, but as the library was
 * compiled it takes 14 cycles a fragment of a datagram of two where this takes 6 (on a Zen 4). */
static __rte_noinline void free_segments(struct rte_mbuf **m, unsigned int n)
{
	struct rte_mbuf *batch[FREE_BATCH], *seg, *next;
	struct rte_mempool *pool = m[0]->pool;
	unsigned int held = 0;

	for (unsigned int i = 0; i < n; i++) {
		for (seg = m[i]; seg; seg = next) {
			next = seg->next;
			seg = rte_pktmbuf_prefree_seg(seg);
			if (unlikely(!seg))
				continue;
			if (unlikely(held == FREE_BATCH || seg->pool != pool)) {
				rte_mempool_put_bulk(pool, (void **)batch, held);
				pool = seg->pool;
				held = 0;
			}
			batch[held++] = seg;
		}
	}
	rte_mempool_put_bulk(pool, (void **)batch, held);
}

void packet_free_bulk(struct rte_mbuf **m, unsigned int n)
{
	struct rte_mempool *pool;
	uint64_t special = 0;

	if (unlikely(!n))
		return;
	pool = m[0]->pool;
	for (unsigned int i = 0; i < n; i++) {
		special |= m[i]->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
		special |= (rte_mbuf_refcnt_read(m[i]) ^ 1u) | (m[i]->nb_segs ^ 1u);
		special |= (uintptr_t)m[i]->pool ^ (uintptr_t)pool;
	}
	if (likely(!special))
		rte_mempool_put_bulk(pool, (void **)m, n);
	else
		free_segments(m, n);
}

/* Long chains do not wait: buffers may be short. */
static inline void spend(struct worker *w, struct rte_mbuf *m)
{
	w->spent[w->n_spent++] = m;
	if (unlikely(w->n_spent == WORKER_SPENT || m->nb_segs > WORKER_SPENT))
		packet_free_spent(w);
}

void packet_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	w->counters->drop[reason]++;
	spend(w, m);
}

void packet_drop_bulk(struct worker *w, struct rte_mbuf **m, unsigned int n,
		      enum drop_reason reason)
{
	w->counters->drop[reason] += n;
	packet_free_bulk(m, n);
}

void packet_drop_control(struct rte_mbuf *m, enum drop_reason reason)
{
	control_counters->drop[reason]++;
	rte_pktmbuf_free(m);
}

struct rte_mbuf *packet_copy(struct worker *w, const struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, packet_pool(w->socket), 0, UINT32_MAX);

	if (!copy)
		return NULL;
	w->counters->originated++;
	*packet_of(copy) = *packet_of(m);
	packet_of(copy)->frag_max_size = 0;
	return copy;
}

void packet_deliver(struct worker *w, struct rte_mbuf *m)
{
	w->counters->delivered++;
	spend(w, m);
}

void packet_free_spent(struct worker *w)
{
	packet_free_bulk(w->spent, w->n_spent);
	w->n_spent = 0;
}

/* Let a segment end so many bytes before the end of its buffer, at the cost of headroom; what a
 * link header needs of that stays. Headers lie on 4 bytes as they did. */
static bool tailroom_make(struct rte_mbuf *m, uint32_t bytes)
{
	uint32_t tailroom = rte_pktmbuf_tailroom(m), by;

	if (bytes <= tailroom)
		return true;
	by = RTE_ALIGN_CEIL(bytes - tailroom, (uint32_t)sizeof(uint32_t));
	if (rte_pktmbuf_headroom(m) < by + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
		return false;
	m->data_off -= (uint16_t)by;
	memmove(rte_pktmbuf_mtod(m, void *), rte_pktmbuf_mtod_offset(m, void *, by), m->data_len);
	return true;
}

bool packet_pull_chain(struct rte_mbuf *m, uint32_t len)
{
	uint32_t missing = len - m->data_len;

	if (len > m->pkt_len || !tailroom_make(m, missing))
		return false;
	packet_read(m, m->data_len, missing, rte_pktmbuf_mtod_offset(m, void *, m->data_len));
	m->data_len = (uint16_t)len;
	while (missing) {
		struct rte_mbuf *next = m->next;
		uint16_t part = RTE_MIN(missing, next->data_len);

		next->data_off += part;
		next->data_len -= part;
		missing -= part;
		if (next->data_len)
			break;
		m->next = next->next;
		m->nb_segs--;
		next->next = NULL;
		next->nb_segs = 1;
		rte_pktmbuf_free_seg(next);
	}
	return true;
}

void packet_trim(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *seg = m;
	uint32_t left = len;
	uint16_t segs = 1;

	if (len >= m->pkt_len)
		return;
	m->pkt_len = len;
	while (left > seg->data_len) {
		left -= seg->data_len;
		seg = seg->next;
		segs++;
	}
	seg->data_len = (uint16_t)left;
	m->nb_segs = segs;
	if (seg->next) {
		rte_pktmbuf_free(seg->next);
		seg->next = NULL;
	}
}

void packet_read(const struct rte_mbuf *m, uint32_t offset, uint32_t len, void *buf)
{
	uint8_t *to = buf;

	while (len && offset >= m->data_len) {
		offset -= m->data_len;
		m = m->next;
	}
	while (len) {
		uint32_t part = RTE_MIN(len, m->data_len - offset);

		memcpy(to, rte_pktmbuf_mtod_offset(m, const void *, offset), part);
		to += part;
		len -= part;
		offset = 0;
		m = m->next;
	}
}
