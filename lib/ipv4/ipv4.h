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

/* False: every packet takes the general path, until net.millrace.fast_path_lanes says otherwise. To
 * be set before ip_init(). */
extern bool ip_fast_path;

/* Settings, handlers, tables; after the init of link, route and neigh. 0 or a negative errno. */
int ip_init(void);
void ip_fini(void);
int ip_worker_init(struct worker *w);
void ip_worker_fini(struct worker *w);

/* Forget what was learned of paths. Control thread. */
void ip_exception_flush(void);

/* What was learned of the way to a destination by a next hop. */
struct ip_exception_info {
	uint32_t nexthop;
	rte_be32_t dst;
	rte_be32_t gateway;      /* of a redirect; 0: none */
	uint16_t mtu;            /* 0: none */
	bool locked;
	uint64_t seconds;        /* for which it will still be believed */
};
/* false: nothing. Control thread. */
bool ip_exception_info(uint32_t nexthop, rte_be32_t dst, struct ip_exception_info *info);
/* All, in no order. Stops when fn returns non-zero and returns that. Control thread. */
int ip_exception_foreach(int (*fn)(const struct ip_exception_info *info, void *arg), void *arg);

/* A packet that is only thought of, and its way. */
struct ip_way {
	rte_be32_t dst, src;     /* src 0: not known yet */
	uint8_t tos, protocol;   /* protocol: as the ports, what chooses one of several ways */
	rte_be16_t sport, dport;
	uint32_t mark;
	int iif;                 /* link that it comes in by; -1: the router itself sends it */
	int oif;                 /* link that the router itself must send it by; -1: any */
	/* answers of ip_route_get() */
	uint8_t type;            /* enum route_type */
	uint32_t nexthop;        /* of several ways this packet's; 0: it needs none */
	uint16_t out_link;       /* lo: it is for the router itself */
	rte_be32_t gateway;      /* 0: none */
	rte_be32_t prefsrc;      /* the source that the router itself takes */
	bool local;              /* the router itself is among those that get it */
	bool redirect;           /* its sender is told of a better way */
	bool assumed;            /* there is no route by oif, or src says the link to
				  * many: dst is taken to be on it */
	bool dropped;            /* with -EINVAL: it is, silently, for this reason */
	enum drop_reason reason;
};
/* Where would it go? 0, or -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL (blackhole, or impossible
 * addresses), -ENODEV. Control thread. */
int ip_route_get(struct ip_way *way);

/* Once in a worker's loop: timers and what other workers hand over. Returns how much there was.
 * When the next timer runs out; UINT64_MAX: none runs. */
unsigned int ip_worker_tick(struct worker *w);
uint64_t ip_next_expiry_ns(const struct worker *w);

/* Fragments that wait for the rest of their datagram, of all workers. Any thread, a moment old. */
uint64_t ip_held(void);

/* A burst of received packets from one link, data at the IP header. Consumes all. Rule A. */
void ip_rcv(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n);

/* ---- local delivery: rule F. What is built on it is told of in docs/services.md ---- */

/* An IP protocol above: takes packets for the router itself (never fragments, but what was put
 * together from them, which is a chain), data still at the IP header, lengths checked, on any
 * worker. Consumes m: packet_deliver() or packet_drop(), or by sending it. */
typedef void (*ip_protocol_fn)(struct worker *w, struct rte_mbuf *m);

/* Register the handler of a protocol number. 0, or -EEXIST when it has one. Control thread,
 * before the workers start. */
int ip_protocol_register(uint8_t protocol, ip_protocol_fn fn);

/* Register a raw handler, which gets a copy of each packet of a protocol before its handler gets
 * the packet; with a raw handler a protocol is known, and nobody is told that it is unreachable.
 * IP_RAW_ANY: of every protocol. 0, or -ENOSPC if the protocol (or any) has IP_RAW_MAX. Control
 * thread, before the workers start. Linux's raw sockets. */
#define IP_RAW_ANY (-1)
#define IP_RAW_MAX 3
int ip_raw_register(int protocol, ip_protocol_fn fn);

/* Ask for packets of a protocol that are only passing through, but carry the router alert option
 * (RFC 2113): fn gets them, whole, as an ip_protocol_fn does, and they are not forwarded. Of
 * several who ask each gets one. 0, or -ENOSPC where there are IP_ROUTER_ALERT_MAX. Control thread,
 * before the workers start. Linux's IP_ROUTER_ALERT on a raw socket. */
#define IP_ROUTER_ALERT_MAX 8
int ip_router_alert_register(uint8_t protocol, ip_protocol_fn fn);

/* A service on a UDP port: takes datagrams whose header and checksum are right, data still at the
 * IP header, the UDP header contiguous with it; also those to broadcast and group addresses
 * (packet_of(m)->route_type). Consumes m, as an ip_protocol_fn does. */
typedef ip_protocol_fn udp_port_fn;

/* Open a port, host byte order, for all addresses of the router: 0, or -EADDRINUSE; and close it.
 * Control thread, at any time: a datagram meets the old state or the new one. */
int udp_port_register(uint16_t port, udp_port_fn fn);
void udp_port_unregister(uint16_t port);

/* Answer a datagram that a service was given with so much of its own payload, changed in place or
 * not, from the address that it was sent to, or, if that is not one host's, from the one that is
 * nearest to the sender. One that claims to come from a broadcast address gets none, as from a
 * socket in Linux that has not asked to broadcast. Consumes m. */
void udp_reply(struct worker *w, struct rte_mbuf *m);

#endif
