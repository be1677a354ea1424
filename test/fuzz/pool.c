/* SPDX-License-Identifier: BSD-3-Clause */
/* The poisoned pool; see pool.h. One thread. */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_mbuf_pool_ops.h>

#include <sanitizer/asan_interface.h>

#include "fail.h"

#define OPS_NAME "fuzz"

/* What lies at each LINE bytes of the pool's memory. */
#define LINE 64
enum place { NOTHING, IN, OUT };

struct store {
	void **free;
	unsigned int n, size;
	uint8_t *place;
	char *first;
	size_t lines;
	bool armed;
};

static struct store *store_of(const struct rte_mempool *mp)
{
	return mp->pool_data;
}

static uint8_t *place(const struct rte_mempool *mp, const void *object)
{
	struct store *s = store_of(mp);
	size_t at = (size_t)((const char *)object - s->first);

	if ((const char *)object < s->first || at % LINE || at / LINE >= s->lines ||
	    s->place[at / LINE] == NOTHING)
		fail("%p is no mbuf of the pool", object);
	return &s->place[at / LINE];
}

static int store_alloc(struct rte_mempool *mp)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->size = mp->size;
	s->free = calloc(s->size, sizeof(*s->free));
	mp->pool_data = s;
	return s->free ? 0 : -ENOMEM;
}

static void store_free(struct rte_mempool *mp)
{
	struct store *s = store_of(mp);

	free(s->free);
	free(s->place);
	free(s);
}

/* Comes back: was it out, and is it as an mbuf must be that nobody has? */
static void come_back(struct rte_mempool *mp, void *object)
{
	struct rte_mbuf *m = object;

	if (*place(mp, object) == IN)
		fail("mbuf %p was freed twice", object);
	*place(mp, object) = IN;
	if (rte_mbuf_refcnt_read(m) != 1 || m->next || m->nb_segs != 1)
		fail("mbuf %p came back with %u references and %u segments", object,
		     rte_mbuf_refcnt_read(m), m->nb_segs);
	m->buf_len = (uint16_t)(rte_pktmbuf_data_room_size(mp));
	ASAN_POISON_MEMORY_REGION(object, mp->elt_size);
}

static int store_put(struct rte_mempool *mp, void *const *objects, unsigned int n)
{
	struct store *s = store_of(mp);

	if (s->n + n > s->size)
		fail("more mbufs came back than there are");
	for (unsigned int i = 0; i < n; i++) {
		if (s->armed)
			come_back(mp, objects[i]);
		s->free[s->n++] = objects[i];
	}
	return 0;
}

/* Goes out: has nobody written to it while it was here? */
static void go_out(const struct rte_mempool *mp, const struct rte_mbuf *m)
{
	if (rte_mbuf_refcnt_read(m) != 1 || m->next || m->nb_segs != 1 || m->pool != mp ||
	    m->buf_len != rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)mp))
		fail("mbuf %p was changed while it was free: %u references, %u segments, next %p, "
		     "buffer of %u", (const void *)m, rte_mbuf_refcnt_read(m), m->nb_segs,
		     (void *)m->next, m->buf_len);
}

static int store_take(struct rte_mempool *mp, void **objects, unsigned int n)
{
	struct store *s = store_of(mp);

	if (s->n < n)
		return -ENOBUFS;
	for (unsigned int i = 0; i < n; i++) {
		objects[i] = s->free[--s->n];
		if (!s->armed)
			continue;
		*place(mp, objects[i]) = OUT;
		ASAN_UNPOISON_MEMORY_REGION(objects[i], mp->elt_size);
		go_out(mp, objects[i]);
	}
	return 0;
}

static unsigned int store_count(const struct rte_mempool *mp)
{
	return store_of(mp)->n;
}

static const struct rte_mempool_ops ops = {
	.name = OPS_NAME,
	.alloc = store_alloc,
	.free = store_free,
	.enqueue = store_put,
	.dequeue = store_take,
	.get_count = store_count,
};

RTE_MEMPOOL_REGISTER_OPS(ops);

void pool_use(void)
{
	if (rte_mbuf_set_user_mempool_ops(OPS_NAME))
		fail("DPDK does not take the mempool operations");
}

void pool_arm(struct rte_mempool *pool)
{
	struct store *s = store_of(pool);
	char *last;

	if (s->n != s->size)
		fail("the pool is in use already");
	for (unsigned int i = 0; i < RTE_MAX_LCORE; i++)
		pool->local_cache[i].size = pool->local_cache[i].flushthresh = 0;
	s->first = last = s->free[0];
	for (unsigned int i = 1; i < s->n; i++) {
		s->first = RTE_MIN(s->first, (char *)s->free[i]);
		last = RTE_MAX(last, (char *)s->free[i]);
	}
	s->lines = (size_t)(last + pool->elt_size + pool->trailer_size - s->first) / LINE;
	s->place = calloc(s->lines, 1);
	if (!s->place)
		fail("no memory");
	for (unsigned int i = 0; i < s->n; i++) {
		char *object = s->free[i];

		s->place[(size_t)(object - s->first) / LINE] = IN;
		ASAN_POISON_MEMORY_REGION(object, pool->elt_size + pool->trailer_size);
	}
	s->armed = true;
}

void pool_disarm(struct rte_mempool *pool)
{
	struct store *s = store_of(pool);

	ASAN_UNPOISON_MEMORY_REGION(s->first, s->lines * LINE);
	s->armed = false;
}

void pool_tighten(struct rte_mbuf *m)
{
	char *end = rte_pktmbuf_mtod_offset(m, char *, m->data_len);

	ASAN_POISON_MEMORY_REGION(end, rte_pktmbuf_tailroom(m));
	m->buf_len = m->data_off + m->data_len;
}

void pool_check(struct rte_mempool *pool, unsigned int n_out)
{
	struct store *s = store_of(pool);

	if (s->size - s->n != n_out)
		fail("%u mbufs are in use, not %u", s->size - s->n, n_out);
}

void pool_check_mbuf(const struct rte_mbuf *m, const char *what)
{
	const struct store *s = store_of(m->pool);
	const char *why;

	for (const struct rte_mbuf *seg = m; seg; seg = seg->next)
		if (s->armed && *place(m->pool, seg) != OUT)
			fail("%s: mbuf %p is in the pool", what, (const void *)seg);
	if (rte_mbuf_check(m, 1, &why)) {
		print_mbuf(what, m);
		fail("%s: %s", what, why);
	}
	if (rte_pktmbuf_headroom(m) + m->data_len > m->buf_len)
		fail("%s: the data is longer than the buffer", what);
}
