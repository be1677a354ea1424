/* SPDX-License-Identifier: BSD-3-Clause */
/* See router.h. */
#include "router.h"

#include <stdio.h>

#include <rte_lcore.h>

#include "control/command.h"
#include "control/words.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/rcu.h"
#include "ipv4/ipv4.h"
#include "link/link.h"
#include "neigh/neigh.h"
#include "route/route.h"

static int rooms_init(void)
{
	struct worker *w;

	clock_init(CLOCK_PACKET);
	if (counters_init() || workers_init(1))
		return -1;
	w = workers[0];
	w->lcore = rte_get_main_lcore();
	w->socket = 0;
	if (link_worker_init(w) || neigh_worker_init(w) || ip_worker_init(w) || rcu_init(1))
		return -1;
	return link_init() || route_init() || neigh_init() || ip_init() || link_start() ? -1 : 0;
}

struct worker *router_start(void)
{
	if (!rooms_init())
		return workers[0];
	fprintf(stderr, "millbench: the router does not start\n");
	return NULL;
}

int router_command(const char *text)
{
	const char *argv[WORDS_MAX];
	struct error err = {""};
	char line[128];

	snprintf(line, sizeof(line), "%s", text);
	if (!command_run(words_split(line, argv), argv, NULL, &err))
		return 0;
	fprintf(stderr, "millbench: %s: %s\n", text, err.text);
	return -1;
}
