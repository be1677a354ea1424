/* SPDX-License-Identifier: BSD-3-Clause */
/* Images of next hops; see fast_nexthop.h. Control thread. */
#include "ipv4/fast_nexthop.h"

#include <errno.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>

#include "core/rcu.h"
#include "ipv4/exception.h"
#include "ipv4/fast_sources.h"
#include "ipv4/internal.h"
#include "link/link.h"
#include "neigh/neigh.h"
#include "route/nexthop.h"
#include "route/pages.h"

#define IMAGES_BYTES (NEXTHOPS_MAX * sizeof(struct fast_nexthop))
#define BUCKETS 8192u

#define HEAD_TYPE 12             /* where in the frame */
#define HEAD_TTL 22
#define HEAD_CHECKSUM 24

struct fast_nexthop *fast_nexthops;

/* Next hops by link and gateway, so that a neighbour's are found. 0 ends a chain. */
static uint16_t bucket[BUCKETS], chain[NEXTHOPS_MAX];
static bool chained[NEXTHOPS_MAX];
static bool refresh_due[NEXTHOPS_MAX];   /* a grace period is awaited */
static uint32_t highest;                 /* index seen */

static uint16_t *bucket_of(unsigned int link, rte_be32_t gateway)
{
	return &bucket[((uint64_t)gateway << 8 | link) * 0x9e3779b97f4a7c15ULL >> 51];
}

/* ---- what an image should be ---- */

/* head, without the neighbour's address. */
static void head_fill(struct fast_nexthop *to, const struct link *out)
{
	static const uint8_t type[] = {RTE_ETHER_TYPE_IPV4 >> 8, RTE_ETHER_TYPE_IPV4 & 0xff};
	const uint16_t ttl = 0xffff, checksum = 1;

	memset(to->head, 0, sizeof(to->head));
	memcpy(to->head_bytes + RTE_ETHER_ADDR_LEN, &out->mac, RTE_ETHER_ADDR_LEN);
	memcpy(to->head_bytes + HEAD_TYPE, type, sizeof(type));
	memcpy(to->head_bytes + HEAD_TTL, &ttl, sizeof(ttl));
	memcpy(to->head_bytes + HEAD_CHECKSUM, &checksum, sizeof(checksum));
}

static struct fast_nexthop image_of(const struct nexthop *nh)
{
	struct fast_nexthop image = {.way = FATE_GENERAL};
	const struct link *out = link_get(nh->link);
	uint64_t mac;

	if (!nh->refs)
		return image;
	if (nh->type == ROUTE_LOCAL)
		image.way = FATE_LOCAL << 16;
	if (nh->type != ROUTE_UNICAST || !out || out->id == LINK_LO ||
	    ip_exception_slows((uint32_t)(nh - nexthops)))
		return image;
	image.link = (uint8_t)out->id;
	image.mtu = (uint16_t)ip_nexthop_mtu(nh, out);
	head_fill(&image, out);
	if (!nh->gateway) {
		image.way = FATE_CONNECTED << 16;
		return image;
	}
	mac = neigh_mac(nh->link, nh->gateway);
	if (mac == NEIGH_MAC_NONE)
		return image;
	image.head[0] |= mac;
	image.way = (uint32_t)image.link << 16 | image.mtu;
	return image;
}

/* ---- keeping in step ---- */

static void way_store(struct fast_nexthop *to, const struct fast_nexthop *image)
{
	__atomic_store_n(&to->mtu, image->mtu, __ATOMIC_RELAXED);
	__atomic_store_n(&to->way, image->way, __ATOMIC_RELEASE);
}

static void refresh_later(void *arg)
{
	uint32_t index = (uint32_t)(uintptr_t)arg;
	struct fast_nexthop *to = &fast_nexthops[index];
	struct fast_nexthop image;

	if (!fast_nexthops)
		return;
	refresh_due[index] = false;
	image = image_of(nexthop_get(index));
	memcpy(to->head, image.head, sizeof(to->head));
	to->link = image.link;
	way_store(to, &image);
}

/* Out of use at once; what can't be changed by a single store comes after a grace period, when no
 * worker reads the image. */
static void refresh(uint32_t index)
{
	struct fast_nexthop *to = &fast_nexthops[index];
	struct fast_nexthop image = image_of(nexthop_get(index));

	if (to->way == FATE_GENERAL && image.way == FATE_GENERAL)
		return;
	if (to->way >> 16 == image.way >> 16 && to->link == image.link &&
	    !memcmp(to->head + 1, image.head + 1, sizeof(to->head) - sizeof(to->head[0]))) {
		__atomic_store_n(&to->head[0], image.head[0], __ATOMIC_RELAXED);
		way_store(to, &image);
		return;
	}
	way_store(to, &(struct fast_nexthop){.way = FATE_GENERAL});
	if (refresh_due[index])
		return;
	refresh_due[index] = true;
	rcu_defer(refresh_later, (void *)(uintptr_t)index);
}

void fast_nexthop_refresh(uint32_t index)
{
	if (fast_nexthops)
		refresh(index);
}

/* A next hop was made, or is no longer used. */
static void on_nexthop(uint32_t index)
{
	const struct nexthop *nh = nexthop_get(index);
	uint16_t *at = bucket_of(nh->link, nh->gateway);

	ip_exception_nexthop(index);
	highest = RTE_MAX(highest, index);
	if (chained[index]) {
		while (*at != index)
			at = &chain[*at];
		*at = chain[index];
		chained[index] = false;
	}
	if (nh->refs && nh->type == ROUTE_UNICAST && nh->gateway) {
		at = bucket_of(nh->link, nh->gateway);
		chain[index] = *at;
		*at = (uint16_t)index;
		chained[index] = true;
	}
	refresh(index);
}

static void on_neighbour(uint16_t link, rte_be32_t addr)
{
	for (uint16_t i = *bucket_of(link, addr); i; i = chain[i])
		if (nexthop_get(i)->link == link && nexthop_get(i)->gateway == addr)
			refresh(i);
}

static void refresh_link(const struct link *l)
{
	for (uint32_t i = 1; i <= highest; i++)
		if (nexthop_get(i)->refs && nexthop_get(i)->link == l->id)
			refresh(i);
}

/* ---- */

static void on_link(enum link_event event, struct link *l, const struct link_addr *a)
{
	switch (event) {
	case LINK_ADDR_ADDED:
	case LINK_ADDR_DELETED:
		fast_sources_refresh();
		break;
	case LINK_MTU:
	case LINK_ADDRESS:
	case LINK_DELETED:
		refresh_link(l);
		break;
	default:
		break;
	}
}

int fast_nexthop_init(void)
{
	fast_nexthops = pages_map(IMAGES_BYTES, true, -1);
	if (!fast_nexthops)
		return -ENOMEM;
	highest = 0;
	memset(bucket, 0, sizeof(bucket));
	memset(chained, 0, sizeof(chained));
	memset(refresh_due, 0, sizeof(refresh_due));
	fast_sources_init();
	nexthop_changed = on_nexthop;
	neigh_changed = on_neighbour;
	route_local_changed = fast_sources_refresh;
	link_notifier_register(on_link);
	return 0;
}

void fast_nexthop_fini(void)
{
	nexthop_changed = NULL;
	neigh_changed = NULL;
	route_local_changed = NULL;
	fast_sources_fini();
	pages_unmap(fast_nexthops, IMAGES_BYTES);
	fast_nexthops = NULL;
}
