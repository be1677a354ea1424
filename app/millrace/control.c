/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control thread: the socket, what workers ask, timers, link state, what waits for a grace
 * period. Workers can not wake it (that would be a system call), so it looks at their rings every
 * fraction of a millisecond.
 *
 * On one lcore it is also worker 0, turn by turn. In replayed time (--time packet) it is always
 * so, and everything that a packet sets off, timers that were due before it included, is done
 * before the next one is taken: that is what makes a replay repeatable.
 */
#include "control.h"

#include <errno.h>
#include <signal.h>

#include <event2/event.h>

#include <rte_ring.h>

#include "control/control.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/message.h"
#include "core/rcu.h"
#include "core/timer.h"
#include "ipv4/ipv4.h"
#include "link/link.h"
#include "neigh/neigh.h"
#include "worker.h"

#define POLL_BUSY_US 100
#define POLL_IDLE_US 500
#define LINK_STATE_NS (500 * NSEC_PER_MSEC)
#define IDLE_CHECK_NS (10 * NSEC_PER_MSEC)
#define TURNS_PER_EVENT_LOOP 64
#define TIMERS_PER_EVENT_LOOP 4096
#define SETTLE_MAX 10000

static struct event_base *base;
static struct event *poll_timer;
static volatile sig_atomic_t stopping;
static uint64_t next_link_state_ns, next_idle_check_ns;
static unsigned int idle_checks;

void control_loop_stop(void)
{
	stopping = 1;
}

bool control_loop_stopping(void)
{
	return stopping;
}

static void shutdown_asked(void *arg)
{
	control_loop_stop();
	event_base_loopbreak(base);
}

/* What the control thread does besides serving the socket; returns how much there was. */
static unsigned int duties(void)
{
	uint64_t now;
	unsigned int n = message_poll_control();

	clock_calibrate();
	now = clock_now_ns();
	n += timers_run(now);
	rcu_poll();
	if (now >= next_link_state_ns) {
		next_link_state_ns = now + LINK_STATE_NS;
		link_poll_state();
	}
	return n;
}

static bool tick_fired(void *arg)
{
	duties();
	return !stopping;
}

/* Nothing is left to do: files read, nothing held, nothing under way. */
static bool all_idle(void)
{
	if (!link_files_drained() || neigh_held() || ip_held() || link_held())
		return false;
	for (unsigned int i = 0; i < workers_count; i++)
		if (!rte_ring_empty(workers[i]->to_control) ||
		    !rte_ring_empty(workers[i]->from_control))
			return false;
	return true;
}

/* Idle twice in a row, so that nothing was just between two places. */
static void until_idle(void)
{
	uint64_t now = clock_now_ns();

	if (now < next_idle_check_ns)
		return;
	next_idle_check_ns = now + IDLE_CHECK_NS;
	idle_checks = all_idle() ? idle_checks + 1 : 0;
	if (idle_checks > 1)
		control_loop_stop();
}

static void poll_fired(evutil_socket_t fd, short what, void *arg)
{
	const struct options *o = arg;
	struct timeval again = {0, duties() ? POLL_BUSY_US : POLL_IDLE_US};

	if (o->until_idle)
		until_idle();
	if (stopping)
		event_base_loopbreak(base);
	else
		event_add(poll_timer, &again);
}

int control_loop_init(const struct options *o, struct error *err)
{
	struct control_options c = {.server = o->server, .shutdown = shutdown_asked,
				    .tick = tick_fired};
	struct event_config *cfg = event_config_new();
	int rc;

	if (!cfg)
		return error_set(err, ENOMEM, "no memory");
	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	/* commands may take long, and what clients are given in time begins after them */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (!base)
		return error_set(err, ENOMEM, "no memory for the event loop");
	rc = control_init(base, &c, err);
	if (rc)
		return rc;
	return o->config ? config_load_file(o->config, err) : 0;
}

static void run_beside_workers(const struct options *o)
{
	struct timeval now = {0, 0};

	poll_timer = evtimer_new(base, poll_fired, (void *)(uintptr_t)o);
	if (!poll_timer || event_add(poll_timer, &now)) {
		log_error("no memory for the event loop");
		return;
	}
	while (!stopping)
		event_base_loop(base, 0);
}

/* Worker 0 and the control thread, in turn. A reader at rest while control runs. */
static void run_alone(const struct options *o)
{
	struct worker *w = workers[0];

	while (!stopping) {
		rcu_online(0);
		for (unsigned int i = 0; i < TURNS_PER_EVENT_LOOP; i++) {
			worker_turn(w);
			rcu_quiescent(0);
		}
		rcu_offline(0);
		duties();
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (o->until_idle)
			until_idle();
	}
}

/* Until nothing moves any more between control and worker; each pass of a chain of messages is
 * one round, so the bound is never met but by a fault. */
static void settle(struct worker *w)
{
	for (unsigned int i = 0; i < SETTLE_MAX; i++) {
		w->now_ns = clock_now_ns();
		if (!(message_poll_control() + message_poll_worker(w) + link_loop_poll(w)))
			break;
	}
	link_flush(w);
	rcu_poll();
}

/* When the next timer is due, of the control thread or of the worker. */
static uint64_t next_timer_ns(const struct worker *w)
{
	return RTE_MIN(timers_next_ns(), ip_next_expiry_ns(w));
}

/* Let replayed time pass, timer by timer. From one packet to the next it may be years, where a
 * capture begins before its clock was set. */
static void pass_time(struct worker *w, uint64_t to_ns)
{
	for (unsigned int n = 1; next_timer_ns(w) <= to_ns && !stopping; n++) {
		clock_set(next_timer_ns(w));
		timers_run(clock_now_ns());
		w->now_ns = clock_now_ns();
		ip_worker_tick(w);
		settle(w);
		if (n % TIMERS_PER_EVENT_LOOP == 0)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	clock_set(to_ns);
}

/* All captures are read: let what is held expire, then it is over. */
static void replay_end(struct worker *w)
{
	while ((neigh_held() || ip_held()) && next_timer_ns(w) != UINT64_MAX && !stopping)
		pass_time(w, next_timer_ns(w));
	if (all_idle())
		control_loop_stop();
}

static void run_replay(const struct options *o)
{
	struct worker *w = workers[0];
	uint64_t at_ns;

	for (unsigned int turn = 0; !stopping; turn++) {
		if (link_next_time(w, &at_ns)) {
			pass_time(w, at_ns);
			worker_turn_replay(w);
			settle(w);
		} else if (o->until_idle && link_files_drained()) {
			replay_end(w);
		}
		if (turn % TURNS_PER_EVENT_LOOP == 0)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
}

void control_loop_run(const struct options *o, bool alone)
{
	if (o->until_idle && !link_files_any())
		log_warning("--until-idle waits for the end of capture files, and no link that is "
			    "up reads one (rx_pcap=FILE)");
	if (o->time == CLOCK_PACKET)
		run_replay(o);
	else if (alone)
		run_alone(o);
	else
		run_beside_workers(o);
}

void control_loop_fini(void)
{
	control_fini();
	if (poll_timer)
		event_free(poll_timer);
	if (base)
		event_base_free(base);
	poll_timer = NULL;
	base = NULL;
}
