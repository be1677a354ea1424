/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of links, with the semantics of Linux's devinet.c: an address in the subnet of an
 * earlier one of the same prefix length is secondary, and goes when that primary goes
 * (promote_secondaries is 0); inet_select_addr chooses the source address.
 */
#include "link/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRS_MAX 1024

static void addrs_replace(struct link *l, struct link_addrs *list)
{
	struct link_addrs *old = l->addrs;

	rcu_assign(l->addrs, list);
	if (old)
		rcu_defer(free, old);
}

static unsigned int addrs_n(const struct link *l)
{
	return l->addrs ? l->addrs->n : 0;
}

struct text {
	char s[INET_ADDRSTRLEN + 4];
};

static struct text addr_text(rte_be32_t local, unsigned int len)
{
	struct text t;
	char addr[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &local, addr, sizeof(addr));
	snprintf(t.s, sizeof(t.s), "%s/%u", addr, len);
	return t;
}

static int addr_check(const struct link *l, rte_be32_t local, unsigned int len,
		      struct error *err)
{
	uint32_t host = rte_be_to_cpu_32(local);

	if (len > 32)
		return error_set(err, EINVAL, "prefix length %u is not from 0 to 32", len);
	if (host == 0 || host == UINT32_MAX || (host >> 28) == 0xe)
		return error_set(err, EINVAL, "%s can not be a host's address",
				 addr_text(local, len).s);
	for (unsigned int i = 0; i < addrs_n(l); i++)
		if (l->addrs->a[i].local == local && l->addrs->a[i].len == len)
			return error_set(err, EEXIST, "link %s has %s already", l->name,
					 addr_text(local, len).s);
	if (addrs_n(l) >= ADDRS_MAX)
		return error_set(err, ENOSPC, "link %s has %d addresses already", l->name,
				 ADDRS_MAX);
	return 0;
}

/* Linux's order: a primary goes behind the last primary of the same or a wider scope, a secondary
 * to the end. */
static unsigned int place(const struct link *l, const struct link_addr *a)
{
	unsigned int at = 0;

	if (a->secondary)
		return addrs_n(l);
	for (unsigned int i = 0; i < addrs_n(l); i++)
		if (!l->addrs->a[i].secondary && a->scope <= l->addrs->a[i].scope)
			at = i + 1;
	return at;
}

int addr_add(struct link *l, rte_be32_t local, unsigned int len, struct error *err)
{
	struct link_addr a = {.local = local, .len = (uint8_t)len};
	struct link_addrs *list;
	unsigned int at, n = addrs_n(l);
	int rc = addr_check(l, local, len, err);

	if (rc)
		return rc;
	if (len < 31)
		a.broadcast = local | ~rte_cpu_to_be_32(prefix_mask(len));
	if (*(const uint8_t *)&local == 127)
		a.scope = SCOPE_HOST;   /* as iproute2 has it */
	if (l->id == LINK_LO && a.scope == SCOPE_HOST)
		a.broadcast = 0;
	for (unsigned int i = 0; i < n; i++)
		if (l->addrs->a[i].len == len && addr_in_subnet(&l->addrs->a[i], local))
			a.secondary = true;
	list = malloc(sizeof(*list) + (n + 1) * sizeof(list->a[0]));
	if (!list)
		return error_set(err, ENOMEM, "no memory for another address");
	at = place(l, &a);
	list->n = n + 1;
	if (at)
		memcpy(list->a, l->addrs->a, at * sizeof(list->a[0]));
	list->a[at] = a;
	if (n > at)
		memcpy(&list->a[at + 1], &l->addrs->a[at], (n - at) * sizeof(list->a[0]));
	addrs_replace(l, list);
	link_notify(LINK_ADDR_ADDED, l, &a);
	return 0;
}

/* Take number i out and tell. */
static int addr_remove(struct link *l, unsigned int i)
{
	struct link_addr a = l->addrs->a[i];
	unsigned int n = l->addrs->n;
	struct link_addrs *list = malloc(sizeof(*list) + n * sizeof(list->a[0]));

	if (!list)
		return -ENOMEM;
	list->n = n - 1;
	memcpy(list->a, l->addrs->a, i * sizeof(list->a[0]));
	memcpy(&list->a[i], &l->addrs->a[i + 1], (n - 1 - i) * sizeof(list->a[0]));
	addrs_replace(l, list);
	link_notify(LINK_ADDR_DELETED, l, &a);
	return 0;
}

/* A primary takes its secondaries with it, and they go first. */
static int primary_remove(struct link *l, unsigned int i)
{
	struct link_addr a = l->addrs->a[i];

	for (unsigned int j = l->addrs->n; !a.secondary && j-- > 0;) {
		const struct link_addr *s = &l->addrs->a[j];

		if (s->secondary && s->len == a.len && addr_in_subnet(&a, s->local) &&
		    addr_remove(l, j))
			return -ENOMEM;
	}
	for (i = 0; i < l->addrs->n; i++)
		if (l->addrs->a[i].local == a.local && l->addrs->a[i].len == a.len)
			return addr_remove(l, i);
	return 0;
}

int addr_del(struct link *l, rte_be32_t local, unsigned int len, struct error *err)
{
	for (unsigned int i = 0; i < addrs_n(l); i++) {
		const struct link_addr *a = &l->addrs->a[i];

		if (a->local != local || a->len != len)
			continue;
		if (primary_remove(l, i))
			return error_set(err, ENOMEM, "no memory");
		return 0;
	}
	return error_set(err, EADDRNOTAVAIL, "link %s does not have %s", l->name,
			 addr_text(local, len).s);
}

void addrs_flush(struct link *l)
{
	while (addrs_n(l))
		if (primary_remove(l, addrs_n(l) - 1))
			break;
}

struct link *addr_owner(rte_be32_t addr)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		struct link *l = link_get(i);
		const struct link_addrs *list = l ? rcu_read(l->addrs) : NULL;

		for (unsigned int j = 0; list && j < list->n; j++)
			if (list->a[j].local == addr)
				return l;
	}
	return NULL;
}

/* On one link: the primary whose subnet has dst, else the first that the scope allows; 0: none.
 * With route_localnet those of 127/8 are not of the host alone. */
static rte_be32_t select_on(const struct link *l, rte_be32_t dst, unsigned int scope)
{
	const struct link_addrs *list = rcu_read(l->addrs);
	unsigned int most = LINK_CONF_OR(l, route_localnet) ? SCOPE_LINK : SCOPE_HOST;
	rte_be32_t first = 0;

	for (unsigned int i = 0; list && i < list->n; i++) {
		const struct link_addr *a = &list->a[i];

		if (a->secondary || RTE_MIN(a->scope, most) > scope)
			continue;
		if (!dst || addr_in_subnet(a, dst))
			return a->local;
		if (!first)
			first = a->local;
	}
	return first;
}

rte_be32_t addr_select(const struct link *l, rte_be32_t dst, unsigned int scope)
{
	rte_be32_t addr = l ? select_on(l, dst, scope) : 0;

	for (unsigned int i = 0; !addr && i < LINKS_MAX; i++) {
		const struct link *other = link_get(i);
		const struct link_addrs *list = other ? rcu_read(other->addrs) : NULL;

		for (unsigned int j = 0; list && j < list->n && !addr; j++)
			if (!list->a[j].secondary && list->a[j].scope != SCOPE_LINK &&
			    list->a[j].scope <= scope)
				addr = list->a[j].local;
	}
	return addr;
}

bool addr_onlink(const struct link *l, rte_be32_t addr, rte_be32_t other)
{
	const struct link_addrs *list = rcu_read(l->addrs);

	for (unsigned int i = 0; list && i < list->n; i++)
		if (!list->a[i].secondary && addr_in_subnet(&list->a[i], addr) &&
		    (!other || addr_in_subnet(&list->a[i], other)))
			return true;
	return false;
}
