/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of links: what only lib/link needs; the rest is in link.h. */
#ifndef LINK_ADDR_H
#define LINK_ADDR_H

#include "link/link.h"

/* Take all addresses of a link away, the last added first. */
void addrs_flush(struct link *l);

/* Tell the rooms; link.c. */
void link_notify(enum link_event event, struct link *l, const struct link_addr *a);

#endif
