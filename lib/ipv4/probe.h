/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Echo requests that the router sends by itself, for the commands ping and traceroute, and what
 * comes of them. The control thread decides; requests leave through a worker, as all packets do,
 * and what a worker receives about them goes back to the control thread: echo replies, ICMP
 * errors that quote them, and word that one could not be sent. As in Linux an identifier tells
 * who is meant.
 */
#ifndef IPV4_PROBE_H
#define IPV4_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

#define PROBE_DATA_MAX 65507     /* bytes behind the ICMP header: what a datagram holds */
#define PROBE_SESSIONS 16        /* at a time */

struct probe {
	rte_be32_t dst, src;
	uint16_t seq, data_bytes;
	uint8_t ttl;             /* 0: as everything that the router sends */
	uint8_t pmtudisc;        /* enum ip_pmtudisc: 0 no DF, 1 DF on what fits, 2 DF always */
};

struct probe_answer {
	uint64_t at_ns;          /* when it came */
	rte_be32_t from;         /* an error's sender may be another than the probe's destination */
	uint16_t seq;
	uint8_t type, code;      /* of ICMP */
	uint8_t ttl;
	bool local_error;        /* it could not be sent: larger than the MTU, which info is */
	uint32_t info;           /* an error's MTU, host order */
	uint32_t bytes;          /* of the ICMP message */
};

typedef void (*probe_answer_fn)(const struct probe_answer *a, void *arg);

/* All on the control thread. */

int probe_init(void);

/* Begin a session, whose answers go to fn from now on. Returns its number, or -EBUSY. */
int probe_open(probe_answer_fn fn, void *arg);
void probe_close(int session);

/* The pmtudisc of a probe that nobody has asked for another, as ip_no_pmtu_disc is now. */
uint8_t probe_pmtudisc(void);

/* Is there a way to dst? Finds the source where it is 0. Returns 0, -EADDRNOTAVAIL where *src is
 * not an own address, or what else ip_route_output() forbids it with. */
int probe_route(rte_be32_t dst, rte_be32_t *src);

/* Send one. 0, -ENOBUFS or -EAGAIN (a worker is too busy to be told). */
int probe_send(int session, const struct probe *p);

#endif
