/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending a datagram in pieces: rules D and K. */
#ifndef IPV4_FRAGMENT_H
#define IPV4_FRAGMENT_H

#include "core/worker.h"
#include "link/link.h"
#include "packet/packet.h"

/* Where pieces go on to; consumes m. */
typedef void (*ip_output_fn)(struct worker *w, struct rte_mbuf *m, struct link *out);

/* Send a routed packet that is larger than packet_of(m)->mtu, or was put together by a hook, in
 * pieces, each to output(); or say to its sender that it is too big. All pieces or none: where
 * mbufs run out nothing is sent. Consumes m. */
void ip_fragment(struct worker *w, struct rte_mbuf *m, struct link *out, ip_output_fn output);

/* Put NOPs in the place of options that do not belong into every fragment; the checksum stays. */
void fragment_blank_options(struct rte_ipv4_hdr *ip);

/* From how many bytes of payload on pieces that leave by this link refer to it instead of being
 * copies; UINT32_MAX: never. */
uint32_t fragment_refer_bytes(const struct link *out);

#endif
