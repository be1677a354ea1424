/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IPv4 layer: what the daemon and the rooms to the left use of it.
 *
 * Inside, an mbuf's data begins at the IP header, and packet_of(m) holds what is known of it.
 * Functions named as in Linux do what Linux's do; the code is our own.
 */
#ifndef IPV4_IPV4_H
#define IPV4_IPV4_H

#include <stdbool.h>
#include <stdint.h>

#include "core/worker.h"
#include "link/link.h"
#include "packet/packet.h"

/* Settings, handlers, tables; after the init of link, route and neigh. 0 or a negative errno. */
int ip_init(void);
void ip_fini(void);
int ip_worker_init(struct worker *w);
void ip_worker_fini(struct worker *w);

/* Once in a worker's loop: timers and what other workers hand over. Returns how much there was.
 * When the next timer runs out; UINT64_MAX: none runs. */
unsigned int ip_worker_tick(struct worker *w);
uint64_t ip_next_expiry_ns(const struct worker *w);

/* Fragments that wait for the rest of their datagram, of all workers. Any thread, a moment old. */
uint64_t ip_held(void);

/* A burst of received packets from one link, data at the IP header. Consumes all. Rule A. */
void ip_rcv(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n);

/* An IP protocol above: takes packets for the router itself (not fragments), data still at the IP
 * header, lengths checked. Consumes m: packet_deliver() or packet_drop(). */
typedef void (*ip_protocol_fn)(struct worker *w, struct rte_mbuf *m);

/* Register the handler of a protocol number. 0, or -EEXIST when it has one. Control thread,
 * before the workers start. */
int ip_protocol_register(uint8_t protocol, ip_protocol_fn fn);

#endif
