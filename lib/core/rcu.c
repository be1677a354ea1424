/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read-copy-update on rte_rcu_qsbr; see rcu.h. Deferred calls stand in a ring buffer with the
 * token of their grace period; as tokens only rise, the buffer is in order and only its head is
 * ever tested.
 */
#include "core/rcu.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

struct deferred {
	uint64_t token;
	void (*fn)(void *arg);
	void *arg;
};

static struct rte_rcu_qsbr *qsbr;
static struct deferred *queue;
static unsigned int head, waiting, size; /* size: a power of two */

int rcu_init(unsigned int readers)
{
	size_t bytes = rte_rcu_qsbr_get_memsize(readers);

	qsbr = rte_zmalloc("rcu", bytes, RTE_CACHE_LINE_SIZE);
	if (!qsbr)
		return -ENOMEM;
	if (rte_rcu_qsbr_init(qsbr, readers))
		return -EINVAL;
	for (unsigned int i = 0; i < readers; i++)
		rte_rcu_qsbr_thread_register(qsbr, i);
	return 0;
}

void rcu_fini(void)
{
	if (qsbr)
		rcu_synchronize();
	rte_free(qsbr);
	free(queue);
	qsbr = NULL;
	queue = NULL;
	head = waiting = size = 0;
}

void rcu_online(unsigned int reader)
{
	rte_rcu_qsbr_thread_online(qsbr, reader);
}

void rcu_offline(unsigned int reader)
{
	rte_rcu_qsbr_thread_offline(qsbr, reader);
}

void rcu_quiescent(unsigned int reader)
{
	rte_rcu_qsbr_quiescent(qsbr, reader);
}

static int grow(void)
{
	unsigned int bigger = size ? 2 * size : 1024;
	struct deferred *q = malloc(bigger * sizeof(*q));

	if (!q)
		return -ENOMEM;
	for (unsigned int i = 0; i < waiting; i++)
		q[i] = queue[(head + i) & (size - 1)];
	free(queue);
	queue = q;
	size = bigger;
	head = 0;
	return 0;
}

void rcu_defer(void (*fn)(void *arg), void *arg)
{
	if (!qsbr || (waiting == size && grow())) {
		rcu_synchronize();
		fn(arg);
		return;
	}
	queue[(head + waiting++) & (size - 1)] =
		(struct deferred){.token = rte_rcu_qsbr_start(qsbr), .fn = fn, .arg = arg};
}

unsigned int rcu_poll(void)
{
	while (waiting) {
		struct deferred d = queue[head];

		if (rte_rcu_qsbr_check(qsbr, d.token, false) != 1)
			break;
		head = (head + 1) & (size - 1);
		waiting--;
		d.fn(d.arg);
	}
	return waiting;
}

void rcu_synchronize(void)
{
	if (!qsbr)
		return;
	rte_rcu_qsbr_synchronize(qsbr, RTE_QSBR_THRID_INVALID);
	rcu_poll();
}
