/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages between workers and the control thread: one bounded ring each way per worker.
 *
 * A message is a small value, copied into the ring; what it points to changes owner with it.
 * Handlers are registered by kind, so that core need not know the rooms that use it. A full ring
 * is the sender's to count and to survive: message_to_*() returns false and changes no owner.
 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

struct rte_mbuf;
struct worker;

enum message_kind {
	/* worker -> control */
	MSG_ARP_INPUT,       /* mbuf: an ARP frame, at the ARP header; link: where it came in */
	MSG_NEIGH_RESOLVE,   /* addr on link is wanted; src: source address of the packet */
	MSG_NEIGH_USED,      /* the entry addr on link was used while not REACHABLE */
	MSG_PMTU,            /* from src to addr no more than arg bytes fit; link: TOS; mark */
	MSG_REDIRECT,        /* mbuf: an ICMP redirect, at the IP header */
	MSG_PROBE_ANSWER,    /* mbuf: ICMP about an echo request of ours, at the IP header */
	MSG_PROBE_FAILED,    /* link: identifier, addr: number of one that was not sent; arg: errno;
			      * src: MTU */
	MSG_FILTER_LOG,      /* mbuf: the beginning of a packet, arg: point and rule that log it */
	MSG_MARTIAN,         /* from src to addr came in by link; arg: why it was dropped */
	/* control -> worker */
	MSG_XMIT,            /* mbuf: a finished Ethernet frame to send on link */
	MSG_NEIGH_DONE,      /* addr on link is resolved: flush what is held for it */
	MSG_NEIGH_FAILED,    /* addr on link has failed: report what is held for it */
	MSG_NEIGH_DROP,      /* drop what is held for addr; arg: the drop reason */
	MSG_FRAG_FLUSH,      /* drop the fragments that are held */
	MSG_PROBE,           /* mbuf: an echo request that is to be sent (ipv4/probe.c) */
	MSG_KINDS
};

struct message {
	uint16_t kind;      /* enum message_kind */
	uint16_t link;      /* link id */
	rte_be32_t addr;
	rte_be32_t src;
	uint32_t arg;
	uint32_t mark;
	struct rte_mbuf *mbuf;
};

#define MESSAGE_RING_SIZE 8192

/* Handlers. The control one runs on the control thread with the sending worker's number; the
 * worker one runs on worker w at the top of its loop, before it receives. */
typedef void (*message_control_fn)(unsigned int worker, const struct message *msg);
typedef void (*message_worker_fn)(struct worker *w, const struct message *msg);
void message_on_control(enum message_kind kind, message_control_fn fn);
void message_on_worker(enum message_kind kind, message_worker_fn fn);

/* Send. false: the ring is full, nothing was sent and the mbuf is still the caller's. */
bool message_to_control(struct worker *w, const struct message *msg);
bool message_to_worker(unsigned int worker, const struct message *msg);

/* Receive and handle up to a bounded number (a ring's worth). Return how many. */
unsigned int message_poll_control(void);            /* control thread, all workers' rings */
unsigned int message_poll_worker(struct worker *w); /* a worker */

#endif
