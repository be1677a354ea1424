/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK telemetry; see telemetry.h. The callbacks run on DPDK's own thread, so they show only what
 * any thread may read at any time: counters and the workers' load.
 */
#include "control/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include "core/counters.h"
#include "core/dpdk.h"
#include "core/worker.h"

static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
static bool over = true;

static int sum_all(struct counters *sum)
{
	bool there;

	pthread_mutex_lock(&reading);
	there = !over;
	if (there)
		counters_sum(sum);
	pthread_mutex_unlock(&reading);
	return there ? 0 : -ESHUTDOWN;
}

static int nstat(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct counters sum;
	int rc = sum_all(&sum);

	if (rc)
		return rc;
	rte_tel_data_start_dict(d);
	for (unsigned int i = 0; i < CNT_COUNT; i++) {
		char name[RTE_TEL_MAX_STRING_LEN];

		snprintf(name, sizeof(name), "%s", counter_name((enum counter)i));
		*strchr(name, '.') = '_'; /* telemetry allows no points in names */
		dpdk_tel_dict_u64(d, name, sum.c[i]);
	}
	return 0;
}

static int drops(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct counters sum;
	int rc = sum_all(&sum);

	if (rc)
		return rc;
	rte_tel_data_start_dict(d);
	dpdk_tel_dict_u64(d, "received", sum.received);
	dpdk_tel_dict_u64(d, "originated", sum.originated);
	dpdk_tel_dict_u64(d, "transmitted", sum.transmitted);
	dpdk_tel_dict_u64(d, "delivered", sum.delivered);
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		dpdk_tel_dict_u64(d, drop_name((enum drop_reason)i), sum.drop[i]);
	return 0;
}

/* Without a parameter the numbers of the workers there are; with one, that worker's load. */
static int worker_load(const char *params, struct rte_tel_data *d)
{
	char *end;
	unsigned long id;
	const struct worker *w;

	if (!params || !*params) {
		rte_tel_data_start_array(d, RTE_TEL_INT_VAL);
		for (unsigned int i = 0; i < workers_count; i++)
			rte_tel_data_add_array_int(d, (int)i);
		return 0;
	}
	id = strtoul(params, &end, 10);
	if (*end || id >= workers_count)
		return -EINVAL;
	w = workers[id];
	rte_tel_data_start_dict(d);
	dpdk_tel_dict_u64(d, "lcore", w->lcore);
	dpdk_tel_dict_u64(d, "loops", w->loops);
	dpdk_tel_dict_u64(d, "busy_loops", w->busy_loops);
	dpdk_tel_dict_u64(d, "busy_cycles", w->busy_cycles);
	dpdk_tel_dict_u64(d, "packets", w->packets);
	return 0;
}

static int worker(const char *cmd, const char *params, struct rte_tel_data *d)
{
	int rc = -ESHUTDOWN;

	pthread_mutex_lock(&reading);
	if (!over)
		rc = worker_load(params, d);
	pthread_mutex_unlock(&reading);
	return rc;
}

int telemetry_init(void)
{
	static const struct {
		const char *path;
		telemetry_cb fn;
		const char *help;
	} endpoints[] = {
		{"/millrace/nstat", nstat, "Counters under Linux's names. No parameters"},
		{"/millrace/drops", drops, "The account of packets and drops. No parameters"},
		{"/millrace/worker", worker,
		 "Workers, or one's load. Parameters: worker (optional)"},
	};

	for (unsigned int i = 0; i < RTE_DIM(endpoints); i++) {
		int rc = rte_telemetry_register_cmd(endpoints[i].path, endpoints[i].fn,
						    endpoints[i].help);

		if (rc)
			return rc;
	}
	over = false;
	return 0;
}

void telemetry_fini(void)
{
	pthread_mutex_lock(&reading);
	over = true;
	pthread_mutex_unlock(&reading);
}
