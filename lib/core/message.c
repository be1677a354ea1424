/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages over rings; see message.h. */
#include "core/message.h"

#include "core/dpdk.h"
#include "core/worker.h"

#define BATCH 32

static message_control_fn on_control[MSG_KINDS];
static message_worker_fn on_worker[MSG_KINDS];

void message_on_control(enum message_kind kind, message_control_fn fn)
{
	on_control[kind] = fn;
}

void message_on_worker(enum message_kind kind, message_worker_fn fn)
{
	on_worker[kind] = fn;
}

bool message_to_control(struct worker *w, const struct message *msg)
{
	return rte_ring_sp_enqueue_elem(w->to_control, (void *)(uintptr_t)msg, sizeof(*msg)) == 0;
}

bool message_to_worker(unsigned int worker, const struct message *msg)
{
	return rte_ring_sp_enqueue_elem(workers[worker]->from_control, (void *)(uintptr_t)msg,
					sizeof(*msg)) == 0;
}

/* Take up to BATCH messages; a ring's worth of batches bounds a poll. */
static unsigned int take(struct rte_ring *r, struct message *batch)
{
	return rte_ring_sc_dequeue_burst_elem(r, batch, sizeof(*batch), BATCH, NULL);
}

static unsigned int poll_one(unsigned int worker)
{
	struct message batch[BATCH];
	unsigned int n, sum = 0;

	while (sum < MESSAGE_RING_SIZE && (n = take(workers[worker]->to_control, batch)) > 0) {
		for (unsigned int i = 0; i < n; i++)
			on_control[batch[i].kind](worker, &batch[i]);
		sum += n;
	}
	return sum;
}

unsigned int message_poll_control(void)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < workers_count; i++)
		sum += poll_one(i);
	return sum;
}

unsigned int message_poll_worker(struct worker *w)
{
	struct message batch[BATCH];
	unsigned int n, sum = 0;

	while (sum < MESSAGE_RING_SIZE && (n = take(w->from_control, batch)) > 0) {
		for (unsigned int i = 0; i < n; i++)
			on_worker[batch[i].kind](w, &batch[i]);
		sum += n;
	}
	return sum;
}
