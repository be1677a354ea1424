/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings of links as sysctls: net.ipv4.conf.{all,default,LINK}.*, and those of the room. */
#ifndef LINK_CONF_H
#define LINK_CONF_H

#include "link/link.h"

int link_conf_init(void);
int link_conf_register(struct link *l);
void link_conf_unregister(struct link *l);

/* The packet pools, made with the first link that needs them, of the size that the setting
 * millrace.mbufs has then. */
int link_pool_make(struct error *err);

#endif
