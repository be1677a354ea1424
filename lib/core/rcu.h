/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read-copy-update between the control thread (the only writer) and the workers (readers), on
 * DPDK's rte_rcu_qsbr. A worker is a reader from rcu_online() on and reports a quiescent state
 * once a loop; pointers it read before that must not be used after it.
 *
 * The control thread publishes with a release store and hands what it replaced to rcu_defer();
 * rcu_poll() runs the deferred calls whose grace period has passed. rcu_synchronize() waits
 * (a loop's time) and is for the rare places where the control thread must know, such as before
 * a device is stopped; when control and worker share one lcore, both return at once, for then
 * the worker is at rest whenever control runs.
 */
#ifndef CORE_RCU_H
#define CORE_RCU_H

#include <stdint.h>

/* Control thread, once: for reader ids 0..readers-1. Returns 0 or a negative errno. */
int rcu_init(unsigned int readers);
void rcu_fini(void);

/* Worker: become / cease to be a reader; report a quiescent state. */
void rcu_online(unsigned int reader);
void rcu_offline(unsigned int reader);
void rcu_quiescent(unsigned int reader);

/* Control thread: call fn(arg) after a grace period from now. Falls back to synchronising if
 * there is no memory to remember the call, so it never fails. */
void rcu_defer(void (*fn)(void *arg), void *arg);

/* Control thread: run what is due; returns how many calls are still waiting. */
unsigned int rcu_poll(void);

/* Control thread: wait until every reader has passed a quiescent state, then run what is due. */
void rcu_synchronize(void);

#define rcu_assign(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define rcu_read(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)

#endif
