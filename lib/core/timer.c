/* SPDX-License-Identifier: BSD-3-Clause */
/* A binary heap of timers; see timer.h. */
#include "core/timer.h"

#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/wheel.h"

#define LEVEL_SHIFT 56               /* in an order on the wheel; timers set are fewer */

static struct timer **heap; /* heap[1] is the earliest */
static unsigned int n_timers, heap_size;
static uint64_t n_set;                       /* ever */

static bool earlier(const struct timer *a, const struct timer *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void put(struct timer *t, unsigned int slot)
{
	heap[slot] = t;
	t->slot = slot;
}

static void sift_up(struct timer *t, unsigned int slot)
{
	for (; slot > 1 && earlier(t, heap[slot / 2]); slot /= 2)
		put(heap[slot / 2], slot);
	put(t, slot);
}

static void sift_down(struct timer *t, unsigned int slot)
{
	unsigned int child;

	for (; (child = 2 * slot) <= n_timers; slot = child) {
		if (child < n_timers && earlier(heap[child + 1], heap[child]))
			child++;
		if (!earlier(heap[child], t))
			break;
		put(heap[child], slot);
	}
	put(t, slot);
}

static int grow(void)
{
	unsigned int size = heap_size ? 2 * heap_size : 256;
	struct timer **bigger;

	if (n_timers + 1 < heap_size)
		return 0;
	bigger = realloc(heap, size * sizeof(*heap));
	if (!bigger)
		return -ENOMEM;
	heap = bigger;
	heap_size = size;
	return 0;
}

static int set(struct timer *t, uint64_t at_ns, uint64_t order,
	       void (*fn)(struct timer *t, uint64_t now_ns))
{
	timer_stop(t);
	if (grow())
		return -ENOMEM;
	t->at_ns = at_ns;
	t->fn = fn;
	t->order = order;
	sift_up(t, ++n_timers);
	return 0;
}

int timer_set(struct timer *t, uint64_t at_ns, void (*fn)(struct timer *t, uint64_t now_ns))
{
	return set(t, at_ns, n_set++, fn);
}

int timer_set_on_wheel(struct timer *t, uint64_t now_ns, uint64_t at_ns,
		       void (*fn)(struct timer *t, uint64_t now_ns))
{
	uint64_t now = now_ns / JIFFY_NS;
	struct wheel_slot slot = wheel_slot(now, at_ns > now_ns ? at_ns / JIFFY_NS - now : 0);
	uint64_t order = (uint64_t)(WHEEL_LEVELS - slot.level) << LEVEL_SHIFT;

	return set(t, slot.expires * JIFFY_NS, order - n_set++, fn);
}

void timer_stop(struct timer *t)
{
	unsigned int slot = t->slot;
	struct timer *last;

	if (!slot)
		return;
	t->slot = 0;
	last = heap[n_timers--];
	if (last == t)
		return;
	if (slot > 1 && earlier(last, heap[slot / 2]))
		sift_up(last, slot);
	else
		sift_down(last, slot);
}

unsigned int timers_run(uint64_t now_ns)
{
	unsigned int fired = 0;

	while (n_timers && heap[1]->at_ns <= now_ns) {
		struct timer *t = heap[1];

		timer_stop(t);
		t->fn(t, now_ns);
		fired++;
	}
	return fired;
}

uint64_t timers_next_ns(void)
{
	return n_timers ? heap[1]->at_ns : UINT64_MAX;
}
