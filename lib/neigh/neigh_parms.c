/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Settings of neighbours: net.ipv4.neigh.{default,LINK}.*.
 *
 * As in Linux a link starts with the values of `default`, and a later change of `default` reaches
 * every link on which that setting was not changed by itself. The reachable time is drawn from
 * its base when the link is made, whenever the base is written, and every 300 s (neigh.c).
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include <rte_random.h>

#include "core/sysctl.h"
#include "neigh/neigh_table.h"

#define PREFIX "net.ipv4.neigh."

struct neigh_parms neigh_parms_default;
struct neigh_parms neigh_parms[LINKS_MAX];
int32_t neigh_waiting_max, neigh_held_max;

static const struct sysctl_field fields[] = {
#define X(name, ...) SYSCTL_FIELD(struct neigh_parms, name, __VA_ARGS__),
	NEIGH_PARMS(X)
#undef X
};

/* Of which field is this variable in p? */
static unsigned int field_index(const struct neigh_parms *p, const int32_t *value)
{
	size_t offset = (size_t)((const char *)value - (const char *)p);
	unsigned int i = 0;

	while (fields[i].offset != offset)
		i++;
	return i;
}

uint64_t neigh_random(uint64_t n)
{
	static uint64_t replay_state = 1;

	if (n == 0)
		return 0;
	if (clock_mode() != CLOCK_PACKET)
		return rte_rand_max(n);
	replay_state = replay_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (replay_state >> 16) % n;
}

static void draw(struct neigh_parms *p)
{
	uint64_t base_ns = (uint64_t)p->base_reachable_time_ms * NSEC_PER_MSEC;

	p->reachable_ns = base_ns / 2 + neigh_random(base_ns);
}

void neigh_parms_draw(void)
{
	draw(&neigh_parms_default);
	for (unsigned int i = 0; i < LINKS_MAX; i++)
		if (link_get(i))
			draw(&neigh_parms[i]);
}

static bool is_base(const struct neigh_parms *p, const int32_t *value)
{
	return value == &p->base_reachable_time_ms;
}

static void link_changed(struct sysctl *s, int32_t old)
{
	struct neigh_parms *p = s->arg;

	(void)old;
	p->own |= 1U << field_index(p, s->value);
	if (is_base(p, s->value))
		draw(p);
}

bool neigh_parms_own(const struct sysctl *s)
{
	const struct neigh_parms *p = s->arg;

	return p->own & 1U << field_index(p, s->value);
}

static void default_changed(struct sysctl *s, int32_t old)
{
	struct neigh_parms *d = s->arg;
	unsigned int f = field_index(d, s->value);

	(void)old;
	if (is_base(d, s->value))
		draw(d);
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		struct neigh_parms *p = &neigh_parms[i];

		if (!link_get(i) || p->own & 1U << f)
			continue;
		__atomic_store_n(sysctl_field_in(p, &fields[f]), *s->value, __ATOMIC_RELAXED);
	}
}

static int register_fields(const char *who, struct neigh_parms *p,
			   const struct neigh_parms *presets,
			   void (*changed)(struct sysctl *s, int32_t old))
{
	char name[96];

	for (unsigned int i = 0; i < RTE_DIM(fields); i++) {
		const struct sysctl_field *f = &fields[i];
		struct sysctl s = {
			.name = name, .value = sysctl_field_in(p, f), .min = f->min, .max = f->max,
			.preset = sysctl_field_preset(presets, f),
			.help = f->help, .changed = changed, .arg = p,
		};
		int rc;

		snprintf(name, sizeof(name), PREFIX "%s.%s", who, f->name);
		rc = sysctl_register(&s);
		if (rc < 0)
			return rc;
	}
	draw(p);
	return 0;
}

int neigh_parms_link_add(const struct link *l)
{
	struct neigh_parms *p = &neigh_parms[l->id];

	p->own = 0;
	p->proxy_waiting = 0;
	return register_fields(l->name, p, &neigh_parms_default, link_changed);
}

void neigh_parms_link_del(const struct link *l)
{
	char prefix[96];

	snprintf(prefix, sizeof(prefix), PREFIX "%s.", l->name);
	sysctl_unregister_words(prefix);
}

int neigh_parms_init(void)
{
	static const struct sysctl bounds[] = {
		{.name = "net.millrace.neigh_waiting_max", .value = &neigh_waiting_max,
		 .min = 1, .max = 4096, .preset = 1024,
		 .help = "unresolved neighbours for which a worker holds packets at a time"},
		{.name = "net.millrace.neigh_held_max", .value = &neigh_held_max,
		 .min = 0, .max = INT32_MAX, .preset = 0,
		 .help = "packet buffers that a worker holds for unresolved neighbours in all; 0: "
			 "its part of a quarter of the smallest pool"},
	};

	for (unsigned int i = 0; i < RTE_DIM(bounds); i++) {
		int rc = sysctl_register(&bounds[i]);

		if (rc < 0)
			return rc;
	}
	return register_fields("default", &neigh_parms_default, NULL, default_changed);
}
