/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many neighbours there may be (gc_thresh1 to 3), and which go to make room.
 *
 * What is collected and when is Linux's neighbour.c: above gc_thresh2 entries (at most every 5 s)
 * or at gc_thresh3 a forced collection takes, oldest first, what has failed or has not changed
 * for 5 s; every base_reachable_time / 2 a periodic one, above gc_thresh1, what has failed or was
 * unused for gc_stale_time. Permanent entries are outside of all this.
 */
#include "core/sysctl.h"
#include "neigh/neigh_table.h"

#define GC_PAUSE_NS (5 * NSEC_PER_SEC)
#define DRAW_NS (300 * NSEC_PER_SEC)
#define PERIOD_MIN_NS (100 * NSEC_PER_MSEC)

static int32_t gc_interval, gc_thresh1, gc_thresh2, gc_thresh3;
static TAILQ_HEAD(, neigh) gc_list = TAILQ_HEAD_INITIALIZER(gc_list);
static unsigned int n_gc_entries;
static uint64_t last_gc_ns, last_draw_ns;
static uint64_t forced_gc_next_ns;       /* until then there is nothing to take */
static struct timer period_timer;

void neigh_gc_list_update(struct neigh *n)
{
	bool on = n->state != NUD_PERMANENT && n->link != LINK_LO;

	if (on == n->on_gc_list)
		return;
	if (!on) {
		neigh_gc_forget(n);
		return;
	}
	TAILQ_INSERT_TAIL(&gc_list, n, gc);
	n->on_gc_list = true;
	n_gc_entries++;
}

void neigh_gc_forget(struct neigh *n)
{
	if (!n->on_gc_list)
		return;
	TAILQ_REMOVE(&gc_list, n, gc);
	n->on_gc_list = false;
	n_gc_entries--;
}

/* From when on it may go, if it stays as it is. */
static uint64_t forced_gc_ns(const struct neigh *n)
{
	if (n->state & NUD_IN_TIMER)
		return UINT64_MAX;
	return n->state & (NUD_FAILED | NUD_NOARP) ? 0 : n->updated_ns + GC_PAUSE_NS + 1;
}

void neigh_gc_changed(const struct neigh *n)
{
	forced_gc_next_ns = RTE_MIN(forced_gc_next_ns, forced_gc_ns(n));
}

/* Returns whether any entry went. Where not all went that were wanted to, none will before one
 * changes or is old enough, so nothing is looked at again before: the table may be large, and those
 * who fill it many. */
static bool forced_gc(uint64_t now_ns)
{
	int64_t wanted = (int64_t)n_gc_entries + 1 - gc_thresh2;
	uint64_t next_ns = UINT64_MAX;
	struct neigh *n, *next;
	int64_t taken = 0;

	last_gc_ns = now_ns;
	if (now_ns < forced_gc_next_ns)
		return false;
	for (n = TAILQ_FIRST(&gc_list); n; n = next) {
		next = TAILQ_NEXT(n, gc);
		if (forced_gc_ns(n) > now_ns) {
			next_ns = RTE_MIN(next_ns, forced_gc_ns(n));
			continue;
		}
		neigh_remove(n, MSG_NEIGH_DROP, DROP_NEIGH_FLUSHED);
		if (++taken >= wanted)
			break;
	}
	if (taken < wanted)
		forced_gc_next_ns = next_ns;
	return taken > 0;
}

bool neigh_gc_make_room(uint64_t now_ns)
{
	bool full = (int64_t)n_gc_entries >= gc_thresh3;

	if (!full && ((int64_t)n_gc_entries < gc_thresh2 ||
		      !neigh_later(now_ns, last_gc_ns + GC_PAUSE_NS)))
		return true;
	return forced_gc(now_ns) || !full;
}

static void periodic_gc_one(struct neigh *n, void *arg)
{
	uint64_t now_ns = *(const uint64_t *)arg;
	uint64_t stale_ns = (uint64_t)neigh_parms_of(n)->gc_stale_time * NSEC_PER_SEC;

	if (n->state & (NUD_PERMANENT | NUD_IN_TIMER))
		return;
	if (neigh_later(n->confirmed_ns, n->used_ns))
		n->used_ns = n->confirmed_ns;
	if (n->state == NUD_FAILED || !neigh_later(n->used_ns + stale_ns, now_ns))
		neigh_remove(n, MSG_NEIGH_DROP, DROP_NEIGH_FLUSHED);
}

static void on_period(struct timer *t, uint64_t now_ns)
{
	uint64_t period_ns =
		(uint64_t)neigh_parms_default.base_reachable_time_ms * NSEC_PER_MSEC / 2;

	if (neigh_later(now_ns, last_draw_ns + DRAW_NS)) {
		last_draw_ns = now_ns;
		neigh_parms_draw();
	}
	if ((int64_t)neigh_entries >= gc_thresh1)
		neigh_each(NULL, periodic_gc_one, &now_ns);
	(void)timer_set(t, now_ns + RTE_MAX(period_ns, PERIOD_MIN_NS), on_period);
}

/* ---- start and stop ---- */

static int bounds_register(void)
{
	static const struct sysctl bounds[] = {
		{.name = "net.ipv4.neigh.default.gc_interval", .value = &gc_interval,
		 .min = 0, .max = INT32_MAX, .preset = 30,
		 .help = "kept for compatibility; Linux no longer uses it either"},
		{.name = "net.ipv4.neigh.default.gc_thresh1", .value = &gc_thresh1,
		 .min = 0, .max = INT32_MAX, .preset = 128,
		 .help = "neighbours below which nothing is collected periodically"},
		{.name = "net.ipv4.neigh.default.gc_thresh2", .value = &gc_thresh2,
		 .min = 0, .max = INT32_MAX, .preset = 512,
		 .help = "neighbours above which old ones go before another is added"},
		{.name = "net.ipv4.neigh.default.gc_thresh3", .value = &gc_thresh3,
		 .min = 0, .max = INT32_MAX, .preset = 1024,
		 .help = "neighbours at most, without permanent ones"},
	};

	for (unsigned int i = 0; i < RTE_DIM(bounds); i++) {
		int rc = sysctl_register(&bounds[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int neigh_gc_init(void)
{
	uint64_t now_ns = clock_now_ns();
	int rc = bounds_register();

	last_gc_ns = last_draw_ns = now_ns;
	return rc ? rc : timer_set(&period_timer, now_ns + neigh_parms_default.reachable_ns,
				   on_period);
}

void neigh_gc_stop(void)
{
	timer_stop(&period_timer);
}

void neigh_gc_fini(void)
{
	TAILQ_INIT(&gc_list);
	n_gc_entries = 0;
	forced_gc_next_ns = 0;
}
