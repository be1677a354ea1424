/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to packets that a hook drops: Linux's nf_reject_ipv4. m is only read, but for what is
 * known of its route; on PREROUTING it has none yet. */
#ifndef IPV4_REJECT_H
#define IPV4_REJECT_H

#include "ipv4/hook.h"

/* ICMP destination unreachable, unless the packet is damaged or must not be answered. */
void ip_reject(struct worker *w, struct rte_mbuf *m, enum hook_point point, uint8_t icmp_code);

/* A TCP reset in the name of the destination, to a segment that is none. */
void ip_reject_reset(struct worker *w, struct rte_mbuf *m, enum hook_point point);

#endif
