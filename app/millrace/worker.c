/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lcore loop: poll, run each packet to completion, transmit, report a quiescent state. The
 * only system call is the short sleep of a worker that shares its CPU and has nothing to do. (Not
 * sched_yield: Linux's EEVDF charges each yield a whole slice, and a worker that yielded for a
 * second would be starved for minutes.)
 */
#include "worker.h"

#include <time.h>

#include <rte_cycles.h>

#include "core/clock.h"
#include "core/message.h"
#include "core/rcu.h"
#include "ipv4/ipv4.h"
#include "link/link.h"

#define IDLE_TURNS 64
#define IDLE_SLEEP_NS 50000

bool worker_stop;

unsigned int worker_turn(struct worker *w)
{
	uint64_t start = rte_rdtsc();
	unsigned int n;

	if (w->busy)
		w->busy_cycles += start - w->turn_tsc;
	w->turn_tsc = start;
	w->now_ns = clock_at_ns(start);
	n = message_poll_worker(w);
	n += link_poll(w);
	n += ip_worker_tick(w);
	link_flush(w);
	w->loops++;
	w->busy = n != 0;
	w->busy_loops += w->busy;
	return n;
}

unsigned int worker_turn_replay(struct worker *w)
{
	unsigned int n;

	w->now_ns = clock_now_ns();
	n = link_poll_one(w);
	ip_worker_tick(w);
	link_flush(w);
	w->loops++;
	w->busy_loops += n != 0;
	return n;
}

int worker_main(void *arg)
{
	struct worker *w = arg;
	const struct timespec nap = {0, IDLE_SLEEP_NS};
	unsigned int idle = 0;

	rcu_online(w->id);
	while (!__atomic_load_n(&worker_stop, __ATOMIC_RELAXED)) {
		idle = worker_turn(w) ? 0 : idle + 1;
		rcu_quiescent(w->id);
		if (unlikely(w->shares_cpu && idle >= (w->files_wait ? 1 : IDLE_TURNS))) {
			nanosleep(&nap, NULL);
			idle = 0;
		}
	}
	rcu_offline(w->id);
	return 0;
}
