/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Settings of links; see conf.h. As in Linux, a new link starts with what `default` says, and
 * net.ipv4.ip_forward is conf.all.forwarding under another name that, when written, sets all
 * links, default, and turns accept_redirects of all off (rule F).
 */
#include "link/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>

#include "core/sysctl.h"
#include "packet/packet.h"

struct link_conf link_conf_all, link_conf_default;

static int32_t ip_forward;
static int32_t mbufs, mbuf_bytes;
static bool pool_made;

static const struct sysctl_field fields[] = {
#define X(name, ...) SYSCTL_FIELD(struct link_conf, name, __VA_ARGS__),
	LINK_CONF(X)
#undef X
};

/* inet_forward_change */
static void forward_all(int32_t on)
{
	ip_forward = on;
	link_conf_all.forwarding = on;
	link_conf_default.forwarding = on;
	link_conf_all.accept_redirects = !on;
	for (unsigned int i = 0; i < LINKS_MAX; i++)
		if (links[i])
			__atomic_store_n(&links[i]->conf.forwarding, on, __ATOMIC_RELAXED);
}

static void forwarding_changed(struct sysctl *s, int32_t old)
{
	if (*s->value != old)
		forward_all(*s->value);
}

static int conf_register(const char *who, struct link_conf *c, const struct link_conf *presets)
{
	char name[96];

	for (unsigned int i = 0; i < RTE_DIM(fields); i++) {
		const struct sysctl_field *f = &fields[i];
		struct sysctl s = {
			.name = name,
			.value = sysctl_field_in(c, f),
			.min = f->min,
			.max = f->max,
			.preset = sysctl_field_preset(presets, f),
			.help = f->help,
		};
		int rc;

		if (c == &link_conf_all && !strcmp(f->name, "forwarding"))
			s.changed = forwarding_changed;
		snprintf(name, sizeof(name), "net.ipv4.conf.%s.%s", who, f->name);
		rc = sysctl_register(&s);
		if (rc)
			return rc;
	}
	return 0;
}

int link_conf_init(void)
{
	/* what Linux has once ip_forward was set; source routes are off for all */
	struct link_conf all;
	int rc;

	rc = conf_register("default", &link_conf_default, NULL);
	if (rc)
		return rc;
	all = link_conf_default;
	all.accept_source_route = 0;
	all.accept_redirects = 0;
	all.secure_redirects = 1;
	rc = conf_register("all", &link_conf_all, &all);
	if (rc)
		return rc;
	rc = sysctl_register(&(struct sysctl){
		.name = "net.ipv4.ip_forward", .value = &ip_forward, .min = 0, .max = 1,
		.preset = 1, .changed = forwarding_changed,
		.help = "forward packets between links"});
	if (rc)
		return rc;
	rc = sysctl_register(&(struct sysctl){
		.name = "millrace.mbufs", .value = &mbufs, .min = 1024, .max = 16 * 1024 * 1024,
		.preset = 32768,
		.help = "packet buffers a NUMA node; settled when the first link is added"});
	if (rc)
		return rc;
	return sysctl_register(&(struct sysctl){
		.name = "millrace.mbuf_bytes", .value = &mbuf_bytes, .min = 2048,
		.max = UINT16_MAX - RTE_PKTMBUF_HEADROOM, .preset = 2048,
		.help = "data bytes of a packet buffer; settled when the first link is added"});
}

int link_conf_register(struct link *l)
{
	return conf_register(l->name, &l->conf, &link_conf_default);
}

void link_conf_unregister(struct link *l)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "net.ipv4.conf.%s.", l->name);
	sysctl_unregister_words(prefix);
}

static void settle(const char *name)
{
	struct sysctl *s = sysctl_find(name);

	if (s)
		s->settled = "the packet buffers were made when the first link was added";
}

int link_pool_make(struct error *err)
{
	int rc;

	if (pool_made)
		return 0;
	rc = packet_pool_init((unsigned int)mbufs, (unsigned int)mbuf_bytes);
	if (rc)
		return error_set(err, -rc,
				 "no memory for %d packet buffers: %s (ask for fewer with sysctl "
				 "millrace.mbufs=N before the first link, or give the EAL more: "
				 "-- -m MEGABYTES)", mbufs, rte_strerror(-rc));
	pool_made = true;
	settle("millrace.mbufs");
	settle("millrace.mbuf_bytes");
	return 0;
}
