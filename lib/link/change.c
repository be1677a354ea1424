/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of a link that is there, several at once: all or none. What is known to be impossible is
 * looked for first; where the device refuses one, those before it are taken back. A link that goes
 * down is at rest while the others are made, and the rooms hear of it when nothing can be refused
 * any more: the routes that they take away would not come back.
 */
#include "link/change.h"

#include <errno.h>

#include "core/rcu.h"
#include "link/addr.h"
#include "link/port.h"
#include "link/queue.h"

#define MTU_MIN 68 /* RFC 791 */

/* What is taken back. */
struct before {
	struct rte_ether_addr mac;
	uint16_t mtu, asked_mtu;
	bool mac_set, promisc;
};

int link_mtu_check(const struct link *l, unsigned int mtu, struct error *err)
{
	if (mtu < MTU_MIN || mtu > l->mtu_max)
		return error_set(err, EINVAL, "mtu %u is not from %d to %u, which %s takes", mtu,
				 MTU_MIN, l->mtu_max, l->driver[0] ? l->driver : "lo");
	return 0;
}

/* Neither receive nor send any more. */
static int rest(struct link *l, struct error *err)
{
	l->up = false;
	if (l->id == LINK_LO)
		return 0;
	if (poll_lists_publish(err)) {
		l->up = true;
		return -ENOMEM;
	}
	rcu_synchronize();
	port_stop(l);
	return 0;
}

static int resume(struct link *l, struct error *err)
{
	int rc = l->id == LINK_LO ? 0 : port_start(l, err);

	if (rc)
		return rc;
	l->up = true;
	if (l->id != LINK_LO && poll_lists_publish(err)) {
		l->up = false;
		port_stop(l);
		return -ENOMEM;
	}
	return 0;
}

static void tell_down(struct link *l)
{
	link_notify(LINK_DOWN, l, NULL);
	l->running = false;
}

static int set_up(struct link *l, struct error *err)
{
	int rc = resume(l, err);

	if (rc)
		return rc;
	l->running = l->id == LINK_LO || port_carrier(l);
	link_notify(LINK_UP, l, NULL);
	if (!l->running)
		link_notify(LINK_CARRIER_OFF, l, NULL);
	return 0;
}

int link_set_down(struct link *l, struct error *err)
{
	int rc;

	if (!l->up)
		return 0;
	rc = rest(l, err);
	if (!rc)
		tell_down(l);
	return rc;
}

static int set_mtu(struct link *l, unsigned int mtu, struct error *err)
{
	int rc = l->id == LINK_LO ? 0 : port_set_mtu(l, mtu, err);

	if (rc)
		return rc;
	l->mtu = (uint16_t)mtu;
	l->asked_mtu = (uint16_t)mtu;
	link_notify(LINK_MTU, l, NULL);
	return 0;
}

static int set_address(struct link *l, const struct rte_ether_addr *mac, struct error *err)
{
	int rc = port_set_address(l, mac, err);

	if (!rc)
		link_notify(LINK_ADDRESS, l, NULL);
	return rc;
}

static int set_promisc(struct link *l, bool on, struct error *err)
{
	l->promisc = on;
	return port_set_promisc(l, err);
}

static int check(const struct link *l, const struct link_change *c, struct error *err)
{
	if (c->address && l->id == LINK_LO)
		return error_set(err, EPERM, "lo has no address to set");
	if (c->promisc >= 0 && l->id == LINK_LO)
		return error_set(err, EPERM, "lo has no promiscuous mode");
	return c->mtu ? link_mtu_check(l, c->mtu, err) : 0;
}

static int apply(struct link *l, const struct link_change *c, struct error *err)
{
	int rc = c->mtu ? set_mtu(l, c->mtu, err) : 0;

	if (!rc && c->address)
		rc = set_address(l, c->address, err);
	if (!rc && c->promisc >= 0)
		rc = set_promisc(l, c->promisc, err);
	if (!rc && c->up == 1 && !l->up)
		rc = set_up(l, err);
	return rc;
}

static void take_back(struct link *l, const struct before *b)
{
	if (l->mtu != b->mtu)
		set_mtu(l, b->mtu, NULL);
	if (!rte_is_same_ether_addr(&l->mac, &b->mac))
		set_address(l, &b->mac, NULL);
	if (l->promisc != b->promisc)
		set_promisc(l, b->promisc, NULL);
	l->asked_mtu = b->asked_mtu;
	l->mac_set = b->mac_set;
}

int link_change(struct link *l, const struct link_change *c, struct error *err)
{
	const struct before b = {.mac = l->mac, .mtu = l->mtu, .asked_mtu = l->asked_mtu,
				 .mac_set = l->mac_set, .promisc = l->promisc};
	bool goes_down = c->up == 0 && l->up;
	int rc = check(l, c, err);

	if (!rc && goes_down)
		rc = rest(l, err);
	if (rc)
		return rc;
	rc = apply(l, c, err);
	if (rc)
		take_back(l, &b);
	if (goes_down && (!rc || resume(l, NULL)))
		tell_down(l);
	return rc;
}
