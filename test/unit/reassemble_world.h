/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of reassembly stand on: one link, fragments as short descriptions, workers on a clock
 * that the test moves, and what was put together or told of.
 */
#ifndef TEST_REASSEMBLE_WORLD_H
#define TEST_REASSEMBLE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipv4/internal.h"
#include "ipv4/reassemble.h"

#define DATA_MAX 140000

extern struct link link_1;
/* What route lookups say. */
extern enum route_verdict verdict;

/* ICMP errors: how many, about which datagrams, and the last one's packet. */
#define TOLD_IDS 64                  /* the latest */
extern struct told {
	unsigned int n;
	uint16_t ids[TOLD_IDS];
	uint32_t len;
	uint16_t id;
	uint8_t first[64];
} told;

/* What was put together: how many, and the last one. */
extern struct whole {
	unsigned int n;
	uint32_t len;
	uint16_t max_size;
	bool pmtu;
	unsigned int worker;
	uint8_t data[65536];
} whole;

struct frag {
	uint16_t id;
	uint32_t offset, bytes;
	uint16_t flags;              /* RTE_IPV4_HDR_*_FLAG */
	uint8_t tos;
};

/* The bytes of every datagram. */
extern uint8_t pattern[DATA_MAX];

/* Less than n, and the same in every run. */
uint32_t chance(uint32_t n);
/* A fragment of one of few datagrams, mostly small and often overlapping with others. */
#define RANDOM_IDS 32                /* at most */
extern uint32_t random_ids;
struct frag random_frag(void);
void shuffle(struct frag *f, uint32_t n);

struct rte_mbuf *frag_make(struct worker *w, const struct frag *f);
/* One fragment is received. */
void input(struct worker *w, const struct frag *f);
/* The first one of a datagram is received by the first worker. */
void first_of(uint16_t id);

void set(const char *name, unsigned int value);
const struct counters *counters_of(unsigned int worker);
/* All that was received is accounted for. */
void balance(void);
/* n turns of every worker. */
void ticks(unsigned int n);
unsigned int mbufs_used(void);

/* n workers with settings as they are preset, and all gone again, with nothing left behind. */
void start(unsigned int n);
void stop(void);

/* Of the group of tests. */
int start_all(void **state);

#endif
