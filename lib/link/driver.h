/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Driver profiles: what is known of a DPDK driver that it does not say of itself.
 *
 * A profile is an INI file named after the driver (drivers-config/net_pcap.ini). What a driver
 * reports (offloads, queues, descriptors) is read from it; a profile only sets defaults and
 * corrects. drivers-config/README.md documents each key.
 */
#ifndef LINK_DRIVER_H
#define LINK_DRIVER_H

#include <stdbool.h>

#include "core/error.h"

#define RXQ_WORKERS 0   /* as many queues as there are workers, within what the device has */
#define RXQ_ALL 0xffff  /* every queue the device has: each is a source of its own */

enum profile_choice { CHOICE_AUTO, CHOICE_YES, CHOICE_NO };

struct driver_profile {
	char driver[64];
	unsigned int rxq;                     /* a number, RXQ_WORKERS or RXQ_ALL */
	unsigned int rxd, txd;                /* descriptors a queue; 0: the driver's preference */
	unsigned int tx_queue_len;            /* frames kept while the device is full */
	enum profile_choice multi_seg;        /* can send chains */
	unsigned int tx_segs;                 /* of a chain, at most; 0: what the driver says */
	enum profile_choice shared_mbufs;     /* can send indirect and shared mbufs */
	unsigned int refer_bytes;             /* fragments with less payload are copied */
	enum profile_choice rx_checksum;      /* trust the device's IP checksum verdict */
	bool soft_mtu;                        /* the device has no MTU of its own to set */
	unsigned int mtu_max;                 /* 0: what the driver says */
	char rx_buffer_arg[32];               /* devargs key that says how much a buffer must hold*/
	bool keep_running;                    /* not stopped while its link is down */
	bool rx_file;                         /* rx_pcap= arguments are files with an end */
};

/* The profile of a driver; when there is no file, one with defaults. The first call reads it.
 * NULL with a sentence when the file is there and wrong. Control thread. */
const struct driver_profile *driver_profile_get(const char *driver, struct error *err);

void driver_profiles_free(void);

#endif
