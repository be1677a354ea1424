/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nstat: the counters under Linux's names. Text is what `nstat -a` prints; JSON has every counter,
 * also those that are zero, under its group and name: "Ip.InReceives".
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "control/commands.h"
#include "core/counters.h"
#include "core/sysctl.h"

enum { NSTAT_PATTERN, NSTAT_ALL, NSTAT_ZEROS };

static const struct arg args[] = {
	[NSTAT_PATTERN] = {.name = "PATTERN", .type = ARG_TEXT,
			   .help = "counters whose names match only, such as 'Ip*' or "
				   "Icmp.OutMsgs"},
	[NSTAT_ALL] = {.word = "-a", .type = ARG_FLAG,
		       .help = "since the start; always so, kept for habit"},
	[NSTAT_ZEROS] = {.word = "-z", .type = ARG_FLAG,
			 .help = "in text, too, show counters that are zero"},
};

struct show {
	struct output *o;
	const char *pattern;
	bool zeros;
};

/* "Ip.InReceives" to nstat's "IpInReceives". */
static void join(const char *name, char *joined, size_t size)
{
	const char *dot = strchrnul(name, '.');

	snprintf(joined, size, "%.*s%s", (int)(dot - name), name, *dot ? dot + 1 : "");
}

static void show(const struct show *s, const char *name, uint64_t value)
{
	char joined[64];

	join(name, joined, sizeof(joined));
	if (s->pattern && fnmatch(s->pattern, name, FNM_CASEFOLD) != 0 &&
	    fnmatch(s->pattern, joined, FNM_CASEFOLD) != 0)
		return;
	if (s->o->json)
		out_number(s->o, name, NULL, value);
	else if (value || s->zeros)
		out_printf(s->o, "%-32s%-16ju%6.1f\n", joined, (uintmax_t)value, 0.0);
}

/* Two that Linux puts among the counters; as there, text leaves them out. */
static void show_settings(const struct show *s)
{
	const struct sysctl *forwarding = sysctl_find("net.ipv4.ip_forward");
	const struct sysctl *ttl = sysctl_find("net.ipv4.ip_default_ttl");

	if (!s->o->json)
		return;
	if (forwarding)
		show(s, "Ip.Forwarding", *forwarding->value ? 1 : 2);
	if (ttl)
		show(s, "Ip.DefaultTTL", (uint64_t)*ttl->value);
}

static void show_types(const struct show *s, const char *direction, const uint64_t *types)
{
	unsigned int i;
	char name[32];

	for (i = 0; i < 256; i++) {
		if (!types[i])
			continue;
		snprintf(name, sizeof(name), "IcmpMsg.%sType%u", direction, i);
		show(s, name, types[i]);
	}
}

static int run(const struct value *v, struct output *o, struct error *err)
{
	static struct counters sum;
	struct show s = {
		.o = o,
		.pattern = v[NSTAT_PATTERN].text,
		.zeros = v[NSTAT_ZEROS].given,
	};
	unsigned int i;

	counters_sum(&sum);
	out_object(o, NULL);
	out_text(o, "#millrace\n");
	show_settings(&s);
	for (i = 0; i < CNT_COUNT; i++)
		show(&s, counter_name(i), sum.c[i]);
	show_types(&s, "In", sum.icmp_in_type);
	show_types(&s, "Out", sum.icmp_out_type);
	out_object_end(o);
	return 0;
}

static const struct command commands[] = {
	{NULL, "Show the counters.", run, COMMAND_ARGS(args)},
};

const struct noun noun_nstat = {
	"nstat", "counters under Linux's names", NOUN_COMMANDS(commands),
};
