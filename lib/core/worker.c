/* SPDX-License-Identifier: BSD-3-Clause */
/* Worker structs, made once before the workers start; see worker.h. */
#include "core/worker.h"

#include <errno.h>
#include <stdio.h>

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_random.h>

#include "core/dpdk.h"
#include "core/message.h"

struct worker *workers[WORKERS_MAX];
unsigned int workers_count;

static struct rte_ring *ring_make(const char *what, unsigned int id, int socket)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%u", what, id);
	return rte_ring_create_elem(name, RTE_ALIGN(sizeof(struct message), 4), MESSAGE_RING_SIZE,
				    socket, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static void worker_free(struct worker *w)
{
	if (!w)
		return;
	rte_ring_free(w->to_control);
	rte_ring_free(w->from_control);
	rte_free(w->counters);
	rte_free(w);
}

static struct worker *worker_make(unsigned int id)
{
	struct worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);

	if (!w)
		return NULL;
	w->id = id;
	w->socket = SOCKET_ID_ANY;
	w->random_state = rte_rand() | 1;
	w->counters = rte_zmalloc("counters", sizeof(*w->counters), RTE_CACHE_LINE_SIZE);
	w->to_control = ring_make("to_control", id, SOCKET_ID_ANY);
	w->from_control = ring_make("from_control", id, SOCKET_ID_ANY);
	if (w->counters && w->to_control && w->from_control)
		return w;
	worker_free(w);
	return NULL;
}

int workers_init(unsigned int n)
{
	if (n < 1 || n > WORKERS_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		workers[i] = worker_make(i);
		if (!workers[i]) {
			workers_fini();
			return -ENOMEM;
		}
		workers_count = i + 1;
	}
	return 0;
}

void workers_fini(void)
{
	unsigned int n = workers_count;

	workers_count = 0;      /* first: telemetry has a thread of its own */
	while (n--) {
		worker_free(workers[n]);
		workers[n] = NULL;
	}
}

struct rte_ring *worker_ring_create(const char *name, unsigned int size, int socket)
{
	struct rte_ring *ring = rte_ring_create(name, size, socket,
						RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);

	if (ring)
		rte_ring_set_prod_htd_max(ring, rte_ring_get_capacity(ring));
	return ring;
}
