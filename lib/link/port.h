/* SPDX-License-Identifier: BSD-3-Clause */
/* The DPDK device behind a link; inside lib/link only. Control thread. */
#ifndef LINK_PORT_H
#define LINK_PORT_H

#include "link/link.h"

/* Probe l->devargs, and set up the device with its queues as its driver's profile and the asked
 * numbers say; fills in port, driver, device, mac, mtu, queues and offloads. On error nothing is
 * left behind. */
int port_open(struct link *l, struct error *err);
/* Stop if it runs, close, and remove the device. */
void port_close(struct link *l);

/* Stop leaves a device running whose profile says so; workers do not use it then. */
int port_start(struct link *l, struct error *err);
void port_stop(struct link *l);

int port_set_mtu(struct link *l, unsigned int mtu, struct error *err);
int port_set_address(struct link *l, const struct rte_ether_addr *mac, struct error *err);
/* What l->promisc and l->mac_soft ask for. */
int port_set_promisc(struct link *l, struct error *err);

bool port_carrier(const struct link *l);

#endif
