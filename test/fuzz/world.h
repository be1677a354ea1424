/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A router in one process for tests that put frames into it: three links on net_null, addresses,
 * a route of every type, groups, neighbours of several states, rules and filters that come and go;
 * one worker, driven by hand, in replayed time, so that timeouts take none.
 *
 * After each input world_check() sees that the account is even and that no mbuf is lost, and
 * world_rest() lets everything that is held expire and puts the router back as it was.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "link/link.h"

#define WORLD_LINKS 3              /* ids 1, 2, 3 */
#define WORLD_SETTINGS 32
#define WORLD_SWITCHES 55
#define WORLD_RULES 36             /* from this switch on all are of rules */
#define WORLD_MTUS 4

extern struct worker *world_worker;
extern struct rte_mempool *world_pool;

/* EAL, rooms, configuration; mbufs: how many there are in all. Exits with 77 when DPDK does not
 * start. */
void world_init(const char *name, unsigned int mbufs);
#define WORLD_MBUFS 4096           /* so few that they run out at times */
void world_fini(void);

/* Say something more to the router; it must be taken. */
void world_command(const char *text);

/* Each bit turns a setting to its other value; 0: all as preset. */
void world_settings(uint32_t bits);
/* Two bits a link choose from four MTUs. */
void world_mtus(unsigned int bits);
/* Take something away (a link, an address, a route, a neighbour) or add something (a rule, a
 * filter, a way), or put it back as it was. */
void world_switch(unsigned int i);
/* May that be a rule or a local route? From the first one on sources are looked up, for good. */
extern bool world_custom;

/* A frame as it comes from a device; cut: 0 one segment, else segments of so many bytes (the
 * sizes vary if odd); tight: no room behind the data. NULL: no mbuf. */
struct rte_mbuf *world_frame(const void *bytes, uint32_t len, unsigned int cut, bool tight);

/* Frames of one link that came in one burst. Consumes them. */
void world_input(unsigned int link, struct rte_mbuf **m, unsigned int n);

/* Messages, lo and what is to be sent, until nothing moves any more. */
void world_settle(void);
/* Let time pass, timer by timer. */
void world_pass(uint64_t ns);
/* Forget neighbours, which answers what waits for them. */
void world_flush_neighbours(void);

/* Fail if the account is not even or, when nothing is held, an mbuf is lost. */
void world_check(void);
/* Let what is held expire, put everything back, and check that all mbufs are home. */
void world_rest(void);

#endif
