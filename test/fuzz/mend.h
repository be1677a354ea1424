/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Make fields of a frame right that depend on others, so that random bytes get past the first
 * checks.
 */
#ifndef FUZZ_MEND_H
#define FUZZ_MEND_H

#include <stdint.h>

#include <rte_ether.h>

#define MEND_MAC 0x01        /* to the link's own address */
#define MEND_TYPE 0x02       /* IPv4, version 4 */
#define MEND_LENGTH 0x04     /* total length, and UDP's */
#define MEND_PAYLOAD 0x08    /* checksum of ICMP, TCP, UDP */
#define MEND_HEADER 0x10     /* checksum of the IP header; last, as it covers the others */
#define MEND_ALL 0x1f

void mend(uint8_t *frame, uint32_t len, unsigned int what, const struct rte_ether_addr *mac);

#endif
