/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes that follow addresses and the state of links. Within this room. */
#ifndef ROUTE_CONNECTED_H
#define ROUTE_CONNECTED_H

/* Take in the links that are there and register for what happens to them from now on. */
void connected_init(void);

#endif
