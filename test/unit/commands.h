/* SPDX-License-Identifier: BSD-3-Clause */
/* What a refusal lists: the commands' first words, in their order. */
#ifndef TEST_COMMANDS_H
#define TEST_COMMANDS_H

#define COMMANDS \
	"addr, config, drops, filter, frag, help, hook, link, mempool, neigh, nstat, ping, " \
	"route, rule, shutdown, sysctl, traceroute, worker"

#endif
