/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millrace, the daemon: start, run, stop. The rooms are started from right to left, so that each
 * finds what it stands on, and stopped the other way round.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_random.h>

#include "control.h"
#include "control/telemetry.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/log.h"
#include "core/message.h"
#include "core/rcu.h"
#include "core/std_fds.h"
#include "eal.h"
#include "ipv4/ipv4.h"
#include "link/link.h"
#include "neigh/neigh.h"
#include "options.h"
#include "packet/packet.h"
#include "route/route.h"
#include "worker.h"

enum { DONE = 0, REFUSED = 1, WRONG_USAGE = 2 };

static void on_signal(int sig)
{
	control_loop_stop();
}

static void signals_init(void)
{
	const struct sigaction stop = {.sa_handler = on_signal};
	struct sigaction hangup;

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, NULL, &hangup);
	if (hangup.sa_handler != SIG_IGN)       /* as nohup leaves it */
		sigaction(SIGHUP, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The rooms' state of each worker, and where it runs. */
static int workers_start(const unsigned int *lcores, unsigned int n, bool alone)
{
	int rc = workers_init(n);

	for (unsigned int i = 0; !rc && i < n; i++) {
		struct worker *w = workers[i];

		w->lcore = alone ? rte_get_main_lcore() : lcores[i];
		w->socket = (int)rte_lcore_to_socket_id(w->lcore);
		w->shares_cpu = eal_shares_cpu(w->lcore);
		rc = link_worker_init(w);
		if (!rc)
			rc = neigh_worker_init(w);
		if (!rc)
			rc = ip_worker_init(w);
	}
	return rc ? rc : rcu_init(n);
}

static int rooms_start(const struct options *o, const unsigned int *lcores, unsigned int n,
		       bool alone, struct error *err)
{
	static const struct {
		const char *name;
		int (*init)(void);
	} rooms[] = {
		{"link", link_init}, {"route", route_init},
		{"neigh", neigh_init}, {"ipv4", ip_init}, {"lo", link_start},
	};
	int rc;

	clock_init(o->time);
	ip_fast_path = o->fast_path;
	if (o->time == CLOCK_PACKET)
		rte_srand(1); /* a replay gives the same every time, identifications included */
	rc = counters_init();
	if (!rc)
		rc = workers_start(lcores, n, alone);
	if (!rc && o->time == CLOCK_PACKET)
		rc = link_timestamps_init();
	if (rc)
		return error_set(err, -rc, "no memory for %u workers", n);
	for (unsigned int i = 0; i < RTE_DIM(rooms); i++) {
		rc = rooms[i].init();
		if (rc)
			return error_set(err, -rc, "%s can not be started: %s", rooms[i].name,
					 strerror(-rc));
	}
	return 0;
}

static void workers_launch(void)
{
	for (unsigned int i = 0; i < workers_count; i++)
		rte_eal_remote_launch(worker_main, workers[i], workers[i]->lcore);
}

/* The workers stop; what is still under way between them and control is handled here. */
static void workers_halt(bool alone)
{
	__atomic_store_n(&worker_stop, true, __ATOMIC_RELAXED);
	if (!alone)
		rte_eal_mp_wait_lcore();
	message_poll_control();
	for (unsigned int i = 0; i < workers_count; i++) {
		message_poll_worker(workers[i]);
		link_flush(workers[i]);
	}
}

static void pool_check(struct rte_mempool *pool, void *arg)
{
	if (rte_mempool_in_use_count(pool))
		log_warning("%u buffers of %s were never returned",
			    rte_mempool_in_use_count(pool), pool->name);
}

static void rooms_stop(void)
{
	for (unsigned int i = 0; i < workers_count; i++)
		if (workers[i]->neigh)
			neigh_worker_fini(workers[i]);
	link_fini();
	message_poll_control();
	ip_fini();
	neigh_fini();
	route_fini();
	for (unsigned int i = 0; i < workers_count; i++) {
		ip_worker_fini(workers[i]);
		link_worker_fini(workers[i]);
	}
	rte_mempool_walk(pool_check, NULL);
	packet_pool_fini();
	rcu_fini();
	workers_fini();
}

static int run(const struct options *o, struct error *err)
{
	unsigned int lcores[WORKERS_MAX];
	unsigned int n = eal_worker_lcores(lcores, o->workers ? o->workers : WORKERS_MAX);
	bool alone = n == 0 || o->time == CLOCK_PACKET;
	int rc;

	if (o->workers > 1 && n < o->workers)
		return error_set(err, EINVAL,
				 "-w %u: the EAL arguments leave %u lcores for workers", o->workers,
				 n);
	rc = rooms_start(o, lcores, alone ? 1 : n, alone, err);
	if (!rc && telemetry_init())
		log_warning("the counters can not be had by DPDK's telemetry");
	if (!rc)
		rc = control_loop_init(o, err);
	if (!rc && !control_loop_stopping()) {
		if (!alone)
			workers_launch();
		control_loop_run(o, alone);
		workers_halt(alone);
	}
	control_loop_fini();
	telemetry_fini();
	rooms_stop();
	if (rc == -EINTR && control_loop_stopping())
		return 0;       /* a signal came while the configuration was loaded */
	if (!rc && o->until_idle && link_outputs_lack)
		rc = error_set(err, EIO, "not all that was sent is in the capture files");
	return rc;
}

int main(int argc, char **argv)
{
	struct options o;
	struct error err = {""};
	int rc, status = WRONG_USAGE;

	std_fds_open();
	rc = options_parse(&o, argc, argv, &err);
	if (rc > 0)
		return DONE;
	if (!rc) {
		status = REFUSED;
		signals_init();
		rc = server_check(&o.server, &err);
		if (!rc)
			rc = eal_start(&o, &err);
		if (!rc) {
			rc = run(&o, &err);
			eal_stop();
		}
	}
	if (!rc)
		return DONE;
	fprintf(stderr, "Error: %s\n", err.text);
	return status;
}
