/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of nouns; each is described in the file that has its name. */
#include "control/commands.h"

#include <stdio.h>

#include "control/value.h"

const struct noun *const nouns[] = {
	&noun_addr, &noun_config, &noun_drops, &noun_filter, &noun_frag, &noun_help, &noun_hook,
	&noun_link, &noun_mempool, &noun_neigh, &noun_nstat, &noun_ping, &noun_route, &noun_rule,
	&noun_shutdown, &noun_sysctl, &noun_traceroute, &noun_worker,
};

const unsigned int nouns_count = RTE_DIM(nouns);

void show_named(struct output *o, const char *key, const char *before,
		const struct arg_name *names, uint32_t number)
{
	const char *name = value_name(names, number);
	char buf[16];

	if (!name) {
		snprintf(buf, sizeof(buf), "%u", number);
		name = buf;
	}
	out_string(o, key, before, name);
}
