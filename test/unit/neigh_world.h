/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of lib/neigh stand on: two links with an address each, a FIB that knows their subnets,
 * two workers, and a clock that the test moves. What the code under test sends ends up in sent[],
 * with the time.
 */
#ifndef TEST_NEIGH_WORLD_H
#define TEST_NEIGH_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rte_arp.h>

#include "core/clock.h"
#include "neigh/neigh.h"
#include "packet/packet.h"

#define SENT_MAX 2048
#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

#define OUR_0 IP(10, 0, 0, 1)
#define OUR_1 IP(10, 0, 1, 1)
#define HOST_0 IP(10, 0, 0, 2)
#define HOST_1 IP(10, 0, 1, 2)
#define HOST_2 IP(10, 0, 1, 8)

/* p0 with OUR_0, and p1 with OUR_1. */
extern struct link link_1, link_2;
/* What lib/neigh wants to be told of links. */
extern link_notifier_fn notify;

struct sent {
	uint64_t at_ns;
	unsigned int worker, link, len;
	uint8_t frame[128];
};
extern struct sent sent[SENT_MAX];
extern unsigned int n_sent;

/* Everything that can be done now, and everything that time brings. */
void settle(void);
void pass_ms(uint64_t ms);
void pass_until(uint64_t ns);
/* When a neighbour's timer fires that is set at from_ns, to run for so long. */
uint64_t fires_ns(uint64_t from_ns, uint64_t ms);
void set(const char *name, const char *value);

/* Packets have a mark that mark_of() finds again. They go out on link_2. */
struct rte_mbuf *packet_new(struct worker *w, rte_be32_t src, uint16_t ip_bytes, uint32_t mark);
void output_from(struct worker *w, rte_be32_t src, rte_be32_t to, uint16_t ip_bytes,
		 uint32_t mark);
void output(rte_be32_t to, uint32_t mark);
uint16_t mark_of(const struct sent *s);

extern const struct rte_ether_addr mac_a, mac_b, mac_zero, mac_all;

/* The ARP packet that was sent; the test fails if it is none. */
const struct rte_arp_hdr *arp_of(const struct sent *s);
bool to_mac(const struct sent *s, const struct rte_ether_addr *mac);

/* An ARP packet is received: link_2, mac_a and mac_zero where nothing is said. */
struct arp_in {
	const struct link *link;
	uint16_t op;
	enum packet_type type;
	rte_be32_t sip, tip;
	const struct rte_ether_addr *sha, *tha;
};
void arp_in(struct arp_in in);
void reply_from(rte_be32_t addr, const struct rte_ether_addr *mac);

/* 0xff: there is no entry. */
unsigned int state_of(rte_be32_t addr);
unsigned int entries(void);
uint64_t drops(enum drop_reason reason);
/* There is an entry with mac_a, and nothing in sent[]. */
void resolve(rte_be32_t addr);

/* The marks of packets whose neighbour did not answer; if error_goes_to is not 0, each sets off one
 * to there. */
extern uint16_t failed[SENT_MAX];
extern unsigned int n_failed;
extern rte_be32_t error_goes_to;

/* Of a test. Every test leaves an empty table, nothing held, no buffer lost and a balanced
 * account. */
int setup(void **state);
int teardown(void **state);
/* Of the group. */
int start(void **state);
int stop(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

#endif
