/* SPDX-License-Identifier: BSD-3-Clause */
/* mempool show: how much of each pool of packet buffers is in use. */
#include <rte_mempool.h>

#include "control/commands.h"

static void show_pool(struct rte_mempool *mp, void *arg)
{
	struct output *o = arg;
	unsigned int available = rte_mempool_avail_count(mp);
	unsigned int in_use = mp->size - RTE_MIN(available, mp->size);

	out_object(o, NULL);
	if (o->json) {
		out_string(o, "name", NULL, mp->name);
		out_number(o, "size", NULL, mp->size);
		out_number(o, "in_use", NULL, in_use);
		out_number(o, "available", NULL, available);
		out_number(o, "element_bytes", NULL, mp->elt_size);
		out_signed(o, "socket", NULL, mp->socket_id);
	} else {
		out_printf(o, "%-26s %10u %10u %10u %10u\n", mp->name, mp->size, in_use, available,
			   mp->elt_size);
	}
	out_object_end(o);
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	out_array(o, NULL);
	out_printf(o, "%-26s %10s %10s %10s %10s\n", "NAME", "SIZE", "IN USE", "AVAILABLE",
		   "BYTES EACH");
	rte_mempool_walk(show_pool, o);
	out_array_end(o);
	return 0;
}

static const struct command commands[] = {
	{"show", "List the pools of packet buffers.", run_show},
};

const struct noun noun_mempool = {
	"mempool", "packet buffers", NOUN_COMMANDS(commands),
};
