/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes of a link: what only lib/link needs; the rest is in link.h. */
#ifndef LINK_CHANGE_H
#define LINK_CHANGE_H

#include "link/link.h"

int link_mtu_check(const struct link *l, unsigned int mtu, struct error *err);
int link_set_down(struct link *l, struct error *err);

#endif
