/* SPDX-License-Identifier: BSD-3-Clause */
/* The capture files that devargs name, rx_pcap=FILE and tx_pcap=FILE; inside lib/link only. */
#ifndef LINK_PCAP_FILE_H
#define LINK_PCAP_FILE_H

#include <stdint.h>

#include "link/link.h"

/* May a link read and write these files? Refused: one that is written and also read or written
 * elsewhere, and one that holds no Ethernet frames. What is cut short is warned of. */
int pcap_files_check(const char *devargs, struct error *err);

/* Are so many packets and bytes in the files that devargs say are written? Logs what is not. */
bool pcap_files_complete(const char *devargs, uint64_t packets, uint64_t bytes);

#endif
