/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Settings under Linux's names. A room registers each of its settings once, with the variable it
 * lives in, its range and a sentence of help; the `sysctl` command, the configuration file and
 * the documentation are fed from that.
 *
 * Three families, as in Linux:
 *   plain        net.ipv4.ip_forward
 *   per link     net.ipv4.conf.{all,default,LINK}.rp_filter
 *   per link     net.ipv4.neigh.{default,LINK}.retrans_time_ms
 * A value is a 32-bit int that workers read directly (relaxed); it is changed in place. What is an
 * unsigned long in Linux is `wide`, a uint64_t; its range and preset are meant so, too, and have
 * the same fields.
 */
#ifndef CORE_SYSCTL_H
#define CORE_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct sysctl {
	const char *name;              /* full dotted name; owned by the registry */
	int32_t *value;                /* or */
	uint64_t *wide;
	int64_t min, max, preset;      /* preset: the value it starts with */
	int64_t first_min, first_max;  /* the range as registered, by sysctl_register(): another
					* setting's changed() may move min and max */
	const char *help;              /* one sentence */
	void (*changed)(struct sysctl *s, int32_t old); /* control thread; may be NULL; of wide
							 * ones the old value is not told */
	void *arg;                     /* for changed() */
	bool read_only;
	const char *settled;           /* why it can not change any more; NULL: it can */
};

/* One setting of those that a struct holds for each link, from a line of an X-macro. */
struct sysctl_field {
	const char *name;              /* the last word of the full one */
	size_t offset;
	int32_t preset, min, max;
	const char *help;
};

#define SYSCTL_FIELD(type, name, preset, lo, hi, help) \
	{#name, offsetof(type, name), preset, lo, hi, help}

/* Where it is in such a struct. */
static inline int32_t *sysctl_field_in(void *in, const struct sysctl_field *f)
{
	return (int32_t *)(void *)((char *)in + f->offset);
}

/* What it starts with: what it is in another such struct, or (NULL) its own preset. */
static inline int32_t sysctl_field_preset(const void *in, const struct sysctl_field *f)
{
	return in ? *(const int32_t *)(const void *)((const char *)in + f->offset) : f->preset;
}

/* Register; the name is copied, *value is set to preset. Returns 0, -EEXIST or -ENOMEM. */
int sysctl_register(const struct sysctl *s);

/* Take out every setting whose name starts with the prefix; or those alone whose name is the prefix
 * and one word, for a link that goes away: there may be another whose name begins as its does. */
void sysctl_unregister(const char *prefix);
void sysctl_unregister_words(const char *prefix);

/* Find by name ('/' is taken for '.'), NULL if there is none. */
struct sysctl *sysctl_find(const char *name);

/* The value, of whichever kind. */
static inline int64_t sysctl_value(const struct sysctl *s)
{
	return s->wide ? (int64_t)__atomic_load_n(s->wide, __ATOMIC_RELAXED)
		       : __atomic_load_n(s->value, __ATOMIC_RELAXED);
}

/* Is a value of the setting's kind in a range? */
static inline bool sysctl_within(const struct sysctl *s, int64_t value, int64_t min, int64_t max)
{
	if (s->wide)
		return (uint64_t)value >= (uint64_t)min && (uint64_t)value <= (uint64_t)max;
	return value >= min && value <= max;
}

/* Set after checking the range: "net.ipv4.x: 300 is not a number from 0 to 255". As in Linux a
 * number has no plus before it. */
int sysctl_set(const char *name, const char *value, struct error *err);

/* All, sorted by name; pattern is a shell pattern (fnmatch) or NULL. Stops when fn returns
 * non-zero and returns that. */
int sysctl_foreach(const char *pattern, int (*fn)(struct sysctl *s, void *arg), void *arg);

#endif
