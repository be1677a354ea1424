/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking up by a link that is to be left by. Within this room. */
#ifndef ROUTE_LOOKUP_H
#define ROUTE_LOOKUP_H

#include <stdint.h>

/* What a next hop is to those who must leave by a certain link, or ANY_LINK: itself, 0 if it leads
 * elsewhere; of a group the first member there that is usable. What refuses packets does so
 * whichever link they are to leave by. */
#define ANY_LINK (-1)
uint32_t lookup_by_link(uint32_t index, int link);

#endif
