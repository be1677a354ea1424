/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of links, lo, their states and who is told of changes; see link.h. What has to do
 * with the DPDK device is in port.c, with addresses in addr.c, with settings in conf.c, with
 * changes of a link in change.c.
 */
#include "link/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "core/dpdk.h"
#include "core/message.h"
#include "link/addr.h"
#include "link/change.h"
#include "link/conf.h"
#include "link/driver.h"
#include "link/port.h"
#include "link/queue.h"
#include "link/txbuf.h"
#include "packet/packet.h"

#define NOTIFIERS_MAX 8
#define LO_MTU 65535 /* Linux says 65536, which no IPv4 packet can have */

struct link *links[LINKS_MAX];
bool link_files_read;
bool link_outputs_lack;

static link_notifier_fn notifiers[NOTIFIERS_MAX];
static unsigned int n_notifiers;

void link_notifier_register(link_notifier_fn fn)
{
	if (n_notifiers < NOTIFIERS_MAX)
		notifiers[n_notifiers++] = fn;
}

void link_notify(enum link_event event, struct link *l, const struct link_addr *a)
{
	bool reverse = event == LINK_DELETED || event == LINK_DOWN || event == LINK_ADDR_DELETED;

	for (unsigned int i = 0; i < n_notifiers; i++)
		notifiers[reverse ? n_notifiers - 1 - i : i](event, l, a);
}

/* A frame that the control thread sends through this worker. */
static void xmit_message(struct worker *w, const struct message *msg)
{
	struct link *l = link_get(msg->link);

	if (l)
		link_xmit(w, l, msg->mbuf);
	else
		packet_drop(w, msg->mbuf, DROP_LINK_GONE);
}

static int lo_make(void)
{
	struct link *lo = rte_zmalloc("link", sizeof(*lo), RTE_CACHE_LINE_SIZE);

	if (!lo)
		return -ENOMEM;
	lo->id = LINK_LO;
	lo->port = RTE_MAX_ETHPORTS;
	lo->mtu = LO_MTU;
	lo->mtu_max = LO_MTU;
	snprintf(lo->name, sizeof(lo->name), "lo");
	snprintf(lo->type, sizeof(lo->type), "loopback");
	rcu_assign(links[LINK_LO], lo);
	if (link_conf_register(lo))
		return -ENOMEM;
	link_notify(LINK_ADDED, lo, NULL);
	lo->up = lo->running = true;
	link_notify(LINK_UP, lo, NULL);
	return addr_add(lo, RTE_BE32(RTE_IPV4_LOOPBACK), 8, NULL);
}

int link_init(void)
{
	int rc = link_conf_init();

	if (rc)
		return rc;
	message_on_worker(MSG_XMIT, xmit_message);
	return 0;
}

int link_start(void)
{
	return lo_make();
}

static void link_free(void *arg)
{
	struct link *l = arg;

	free(l->addrs);
	rte_free(l->rxq);
	rte_free(l);
}

void link_fini(void)
{
	for (unsigned int i = LINKS_MAX; i-- > 0;) {
		if (!links[i])
			continue;
		if (i != LINK_LO) {
			link_del(links[i], NULL);
			continue;
		}
		addrs_flush(links[i]);
		rcu_synchronize();
		link_free(links[i]);
		links[i] = NULL;
	}
	rcu_synchronize();
	driver_profiles_free();
	n_notifiers = 0;
}

struct link *link_find(const char *name)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++)
		if (links[i] && !strcmp(links[i]->name, name))
			return links[i];
	return NULL;
}

static int name_check(const char *name, struct error *err)
{
	size_t len = strlen(name);

	if (!len || len >= LINK_NAME_SIZE)
		return error_set(err, EINVAL, "\"%s\" is not a link name (1 to %d characters)",
				 name, LINK_NAME_SIZE - 1);
	for (size_t i = 0; i < len; i++)
		if (name[i] == '/' || name[i] == ':' || name[i] <= ' ' || name[i] > '~')
			return error_set(err, EINVAL,
					 "\"%s\" is not a link name (\"/\", \":\" and blanks can "
					 "not be in it)", name);
	if (link_name_means_others(name))
		return error_set(err, EINVAL, "\"%s\" has another meaning; choose another name",
				 name);
	if (link_find(name))
		return error_set(err, EEXIST, "link \"%s\" exists", name);
	return 0;
}

/* In turn, so that what knows a link that is gone by its id does not take the next one for it. */
static int id_free(void)
{
	static int last;

	for (int i = 1; i < LINKS_MAX; i++) {
		int id = 1 + (last + i - 1) % (LINKS_MAX - 1);

		if (!links[id]) {
			last = id;
			return id;
		}
	}
	return -1;
}

static int link_make(const struct link_params *p, struct link *l, struct error *err)
{
	int rc;

	snprintf(l->name, sizeof(l->name), "%s", p->name);
	snprintf(l->type, sizeof(l->type), "dpdk");
	snprintf(l->devargs, sizeof(l->devargs), "%s", p->devargs);
	l->asked_rxq = (uint16_t)p->rxq;
	l->asked_rxd = (uint16_t)p->rxd;
	l->asked_txd = (uint16_t)p->txd;
	l->asked_mtu = (uint16_t)p->mtu;
	l->promisc = p->promisc == 1;
	rc = port_open(l, err);
	if (rc)
		return rc;
	rc = p->mtu ? link_mtu_check(l, p->mtu, err) : 0;
	if (!rc && p->mtu)
		rc = port_set_mtu(l, p->mtu, err);
	if (!rc && p->address)
		rc = port_set_address(l, p->address, err);
	if (!rc && txbufs_make(l))
		rc = error_set(err, ENOMEM, "no memory for transmit buffers");
	if (!rc && link_conf_register(l))
		rc = error_set(err, ENOMEM, "no memory for settings");
	if (rc) {
		txbufs_free(l);
		link_conf_unregister(l);
		port_close(l);
	}
	return rc;
}

int link_add(const struct link_params *p, struct error *err)
{
	struct link *l;
	int id, rc;

	rc = name_check(p->name, err);
	if (rc)
		return rc;
	if (strlen(p->devargs) >= sizeof(l->devargs))
		return error_set(err, EINVAL, "devargs are longer than %zu characters",
				 sizeof(l->devargs) - 1);
	id = id_free();
	if (id < 0)
		return error_set(err, ENOSPC, "there are %d links already", LINKS_MAX - 1);
	rc = link_pool_make(err);
	if (rc)
		return rc;
	l = rte_zmalloc("link", sizeof(*l), RTE_CACHE_LINE_SIZE);
	if (!l)
		return error_set(err, ENOMEM, "no memory for another link");
	l->id = (uint16_t)id;
	rc = link_make(p, l, err);
	if (rc) {
		link_free(l);
		return rc;
	}
	rcu_assign(links[id], l);
	link_notify(LINK_ADDED, l, NULL);
	return 0;
}

int link_del(struct link *l, struct error *err)
{
	int rc;

	if (l->id == LINK_LO)
		return error_set(err, EPERM, "lo is built in");
	rc = link_set_down(l, err);
	if (rc)
		return rc;
	addrs_flush(l);
	link_notify(LINK_DELETED, l, NULL);
	link_conf_unregister(l);
	rcu_assign(links[l->id], NULL);
	txbufs_free(l);
	port_close(l);
	rcu_defer(link_free, l);
	return 0;
}

/* Nobody's for a grace period: the old worker goes round its loop and sends what it has. */
int link_rxq_assign(struct link *l, unsigned int queue, unsigned int worker, struct error *err)
{
	uint16_t before;

	if (queue >= l->n_rxq)
		return error_set(err, EINVAL, "%s has no receive queue %u: there are %u, from 0",
				 l->name, queue, l->n_rxq);
	if (worker >= workers_count)
		return error_set(err, ENXIO, "there is no worker %u: there are %u, from 0", worker,
				 workers_count);
	before = l->rxq[queue].worker;
	if (before == worker)
		return 0;
	l->rxq[queue].worker = NOBODY;
	if (!poll_lists_publish(err)) {
		rcu_synchronize();
		l->rxq[queue].worker = (uint16_t)worker;
		if (!poll_lists_publish(err))
			return 0;
	}
	l->rxq[queue].worker = before;
	poll_lists_publish(NULL);
	return -ENOMEM;
}

void link_poll_state(void)
{
	for (unsigned int i = 1; i < LINKS_MAX; i++) {
		struct link *l = links[i];
		bool carrier;

		if (!l || !l->up)
			continue;
		carrier = port_carrier(l);
		if (carrier == l->running)
			continue;
		l->running = carrier;
		link_notify(carrier ? LINK_CARRIER_ON : LINK_CARRIER_OFF, l, NULL);
	}
}

static bool reads_file(const struct link *l)
{
	return l && l->up && l->rx_file;
}

bool link_files_any(void)
{
	for (unsigned int i = 1; i < LINKS_MAX; i++)
		if (reads_file(links[i]))
			return true;
	return false;
}

bool link_files_drained(void)
{
	bool any = false;

	for (unsigned int i = 1; i < LINKS_MAX; i++) {
		const struct link *l = links[i];

		if (!reads_file(l))
			continue;
		any = true;
		for (uint16_t q = 0; q < l->n_rxq; q++)
			if (__atomic_load_n(&l->rxq[q].empty, __ATOMIC_RELAXED) < 2 ||
			    l->rxq[q].ahead)
				return false;
	}
	return any;
}
