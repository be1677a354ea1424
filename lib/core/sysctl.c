/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registry of settings; see sysctl.h. A sorted array of pointers: settings come and go with
 * links only, so finding must be quick and changing need not be.
 */
#include "core/sysctl.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 128

static struct sysctl **table;
static size_t n_settings, table_size;

/* Where name is, or where it would stand. */
static size_t position(const char *name, bool *found)
{
	size_t lo = 0, hi = n_settings;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(name, table[mid]->name);

		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static int make_room(void)
{
	size_t size = table_size ? 2 * table_size : 256;
	struct sysctl **bigger;

	if (n_settings < table_size)
		return 0;
	bigger = realloc(table, size * sizeof(*table));
	if (!bigger)
		return -ENOMEM;
	table = bigger;
	table_size = size;
	return 0;
}

static void store(struct sysctl *s, int64_t value)
{
	if (s->wide)
		__atomic_store_n(s->wide, (uint64_t)value, __ATOMIC_RELAXED);
	else
		__atomic_store_n(s->value, (int32_t)value, __ATOMIC_RELAXED);
}

int sysctl_register(const struct sysctl *s)
{
	struct sysctl *copy;
	bool found;
	size_t at = position(s->name, &found);

	if (found)
		return -EEXIST;
	if (make_room())
		return -ENOMEM;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *s;
	copy->first_min = s->min;
	copy->first_max = s->max;
	copy->name = strdup(s->name);
	if (!copy->name) {
		free(copy);
		return -ENOMEM;
	}
	memmove(&table[at + 1], &table[at], (n_settings - at) * sizeof(*table));
	table[at] = copy;
	n_settings++;
	store(copy, copy->preset);
	return 0;
}

static void unregister(const char *prefix, bool words)
{
	size_t kept = 0, len = strlen(prefix);

	for (size_t i = 0; i < n_settings; i++) {
		if (strncmp(table[i]->name, prefix, len) ||
		    (words && strchr(table[i]->name + len, '.'))) {
			table[kept++] = table[i];
			continue;
		}
		free((char *)(uintptr_t)table[i]->name);
		free(table[i]);
	}
	n_settings = kept;
}

void sysctl_unregister(const char *prefix)
{
	unregister(prefix, false);
}

void sysctl_unregister_words(const char *prefix)
{
	unregister(prefix, true);
}

struct sysctl *sysctl_find(const char *name)
{
	char dotted[NAME_BYTES];
	bool found;
	size_t at, len = strlen(name);

	if (len >= sizeof(dotted))
		return NULL;
	for (size_t i = 0; i <= len; i++)
		dotted[i] = name[i] == '/' ? '.' : name[i];
	at = position(dotted, &found);
	return found ? table[at] : NULL;
}

/* A number of the setting's kind. As in Linux one that can't be negative has no sign at all. */
static bool read_number(const struct sysctl *s, const char *text, int64_t *number)
{
	char *end;

	if (strchr(text, '+') || (s->wide && strchr(text, '-')))
		return false;
	errno = 0;
	*number = s->wide ? (int64_t)strtoull(text, &end, 0) : strtoll(text, &end, 0);
	return !errno && end != text && !*end;
}

static int refuse(const struct sysctl *s, const char *value, struct error *err)
{
	if (s->wide)
		return error_set(err, EINVAL, "%s: \"%s\" is not a number from %" PRIu64
				 " to %" PRIu64, s->name, value, (uint64_t)s->min,
				 (uint64_t)s->max);
	return error_set(err, EINVAL, "%s: \"%s\" is not a number from %" PRId64 " to %" PRId64,
			 s->name, value, s->min, s->max);
}

int sysctl_set(const char *name, const char *value, struct error *err)
{
	struct sysctl *s = sysctl_find(name);
	int64_t number;
	int32_t old;

	if (!s)
		return error_set(err, ENOENT, "there is no setting \"%s\"", name);
	if (s->read_only)
		return error_set(err, EPERM, "%s can only be read", s->name);
	if (!read_number(s, value, &number) || !sysctl_within(s, number, s->min, s->max))
		return refuse(s, value, err);
	if (s->settled && number != sysctl_value(s))
		return error_set(err, EBUSY, "%s: \"%s\": it stays %" PRId64 ", as %s", s->name,
				 value, sysctl_value(s), s->settled);
	old = s->wide ? 0 : *s->value;
	store(s, number);
	if (s->changed)
		s->changed(s, old);
	return 0;
}

int sysctl_foreach(const char *pattern, int (*fn)(struct sysctl *s, void *arg), void *arg)
{
	for (size_t i = 0; i < n_settings; i++) {
		int rc;

		if (pattern && fnmatch(pattern, table[i]->name, 0))
			continue;
		rc = fn(table[i], arg);
		if (rc)
			return rc;
	}
	return 0;
}
