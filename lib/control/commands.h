/* SPDX-License-Identifier: BSD-3-Clause */
/* The nouns of the command table, one a file, and what few of them have in common. */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include "control/command.h"

struct link;
struct route;

extern const struct noun noun_addr;
extern const struct noun noun_config;
extern const struct noun noun_drops;
extern const struct noun noun_filter;
extern const struct noun noun_frag;
extern const struct noun noun_help;
extern const struct noun noun_hook;
extern const struct noun noun_link;
extern const struct noun noun_mempool;
extern const struct noun noun_neigh;
extern const struct noun noun_nstat;
extern const struct noun noun_ping;
extern const struct noun noun_route;
extern const struct noun noun_rule;
extern const struct noun noun_shutdown;
extern const struct noun noun_sysctl;
extern const struct noun noun_traceroute;
extern const struct noun noun_worker;

/* The first line of `link show` and `addr show`: "2: p0: <UP,...> mtu 1500 state UP", and in JSON
 * the members ifindex, ifname, flags, mtu and operstate. */
void show_link_head(const struct link *l, struct output *o);

/* A number by its name if it has one. */
void show_named(struct output *o, const char *key, const char *before,
		const struct arg_name *names, uint32_t number);

/* Linux's names for route tables, protocols, scopes and TOS; NULL-terminated. */
extern const struct arg_name route_tables[];
extern const struct arg_name route_tos[];
extern const struct arg_name route_protocols[];
extern const struct arg_name route_scopes[];
/* How a way was found that is not looked for again. */
extern const struct arg_name route_resolved[];

/* Measure the load of the workers since the last call; once a second. */
void worker_sample(void);

/* An address that only text shows. */
static inline void out_text_address(struct output *o, const char *before, rte_be32_t addr)
{
	if (!o->json)
		out_address(o, NULL, before, addr);
}

/* What `shutdown` calls. */
extern void (*shutdown_request)(void *arg);
extern void *shutdown_arg;

#endif
