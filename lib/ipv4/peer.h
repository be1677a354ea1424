/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is remembered of a remote address to limit what is sent to it: rules C7, C9, C10; and the
 * global limit of C8.
 *
 * Linux keeps one bucket an address in a tree (inetpeer.c), used by three limiters at once; so
 * does this, in a fixed table shared by all workers. An entry is two 64-bit words, address and
 * state, each changed by compare-and-swap; there is no lock, and losing a race costs at most one
 * message more or less. An address that finds no room takes the place of the one that was idle
 * longest in its set: after a minute's idleness an entry equals a fresh one, so nothing is lost
 * unless more than the table's size are active within a minute.
 */
#ifndef IPV4_PEER_H
#define IPV4_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

int peer_init(void);
void peer_fini(void);

/* C7: one token bucket an address: capacity 6 * cost_ms, a message costs cost_ms. */
bool peer_icmp_allow(rte_be32_t addr, uint64_t now_ns, uint32_t cost_ms);

/* C10: errors for lack of a route cost 1 s of the same bucket, capped at 5 s. */
bool peer_error_allow(rte_be32_t addr, uint64_t now_ns);

/* C9: may a redirect go to this address now? */
bool peer_redirect_allow(rte_be32_t addr, uint64_t now_ns);

/* C8: is there credit, and take what one message costs (random is any random number). */
bool icmp_global_allow(uint64_t now_ns, int32_t per_sec, int32_t burst);
void icmp_global_consume(uint32_t random);

#endif
