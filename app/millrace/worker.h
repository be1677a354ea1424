/* SPDX-License-Identifier: BSD-3-Clause */
/* The lcore loop of a worker. */
#ifndef MILLRACE_WORKER_H
#define MILLRACE_WORKER_H

#include "core/worker.h"

/* For rte_eal_remote_launch: loop until worker_stop is set. arg: the struct worker. */
int worker_main(void *arg);

/* One turn: messages, one burst of each receive queue, transmit. Returns how many messages and
 * packets there were. For the lcore that is control thread and worker in one. */
unsigned int worker_turn(struct worker *w);

/* The same in replayed time: the next packet alone. */
unsigned int worker_turn_replay(struct worker *w);

extern bool worker_stop;

#endif
