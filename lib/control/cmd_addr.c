/* SPDX-License-Identifier: BSD-3-Clause */
/* addr add|replace|change|del|show|flush. Printed as `ip -4 addr` does. */
#include <errno.h>
#include <string.h>

#include "control/commands.h"
#include "control/value.h"
#include "link/link.h"

enum { ADDR_LOCAL, ADDR_DEV };

static const struct arg change_args[] = {
	[ADDR_LOCAL] = {.word = "local", .name = "ADDRESS/LEN", .type = ARG_CIDR, .bare = true,
			.required = true,
			.help = "the address and the length of its subnet's prefix (if left out, "
				"32 to add, and any to delete)"},
	[ADDR_DEV] = {.word = "dev", .name = "NAME", .type = ARG_LINK, .required = true,
		      .help = "the link"},
};

enum { SHOW_NAME, SHOW_PREFIX, SHOW_UP };

static const struct arg show_args[] = {
	[SHOW_NAME] = {.word = "dev", .name = "NAME", .type = ARG_LINK, .bare = true,
		       .help = "of this link only"},
	[SHOW_PREFIX] = {.word = "to", .name = "PREFIX", .type = ARG_PREFIX,
			 .help = "those in this prefix only"},
	[SHOW_UP] = {.word = "up", .type = ARG_FLAG, .help = "of links that are up only"},
};

static int run_add(const struct value *v, struct output *o, struct error *err)
{
	return addr_add(v[ADDR_DEV].link, rte_cpu_to_be_32(v[ADDR_LOCAL].prefix),
			v[ADDR_LOCAL].len, err);
}

/* Of an address nothing can be changed, so it need only be there; as Linux does for both words. */
static int run_replace(const struct value *v, struct output *o, struct error *err)
{
	int rc = run_add(v, o, err);

	return rc == -EEXIST ? 0 : rc;
}

/* Where no length is given any will do, as in iproute2; of several the first. */
static unsigned int len_to_del(const struct value *v)
{
	const struct link_addrs *addrs = rcu_read(v[ADDR_DEV].link->addrs);

	for (unsigned int i = 0; addrs && i < addrs->n && !strchr(v[ADDR_LOCAL].text, '/'); i++)
		if (addrs->a[i].local == rte_cpu_to_be_32(v[ADDR_LOCAL].prefix))
			return addrs->a[i].len;
	return v[ADDR_LOCAL].len;
}

static int run_del(const struct value *v, struct output *o, struct error *err)
{
	return addr_del(v[ADDR_DEV].link, rte_cpu_to_be_32(v[ADDR_LOCAL].prefix), len_to_del(v),
			err);
}

static void show_address(const struct link *l, const struct link_addr *a, struct output *o)
{
	out_object(o, NULL);
	out_string(o, "family", "    ", "inet");
	out_address(o, "local", " ", a->local);
	out_number(o, "prefixlen", "/", a->len);
	if (a->broadcast)
		out_address(o, "broadcast", " brd ", a->broadcast);
	show_named(o, "scope", " scope ", route_scopes, a->scope);
	if (a->secondary) {
		out_bool(o, "secondary", true);
		out_text(o, " secondary");
	}
	out_string(o, "label", " ", l->name);
	out_text(o, "\n");
	out_object_end(o);
}

static bool is_shown(const struct value *prefix, const struct link_addr *a)
{
	return !prefix->given || value_covers(prefix, rte_be_to_cpu_32(a->local));
}

static bool has_shown(const struct value *prefix, const struct link_addrs *addrs)
{
	for (unsigned int i = 0; addrs && i < addrs->n; i++)
		if (is_shown(prefix, &addrs->a[i]))
			return true;
	return false;
}

/* Among the links that are asked for? */
static bool is_asked(const struct value *v, const struct link *l)
{
	return (!v[SHOW_NAME].given || l == v[SHOW_NAME].link) && (!v[SHOW_UP].given || l->up);
}

/* A link without addresses is there only for who asks for it, and for no certain addresses. */
static void show_link(const struct link *l, const struct value *v, struct output *o)
{
	const struct link_addrs *addrs = rcu_read(l->addrs);
	bool asked = v[SHOW_NAME].given && !v[SHOW_PREFIX].given;

	if (!asked && !has_shown(&v[SHOW_PREFIX], addrs))
		return;
	out_object(o, NULL);
	show_link_head(l, o);
	out_array(o, "addr_info");
	for (unsigned int i = 0; addrs && i < addrs->n; i++)
		if (is_shown(&v[SHOW_PREFIX], &addrs->a[i]))
			show_address(l, &addrs->a[i], o);
	out_array_end(o);
	out_object_end(o);
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	const struct link *l;
	unsigned int i;

	out_array(o, NULL);
	for (i = 0; i < LINKS_MAX; i++) {
		l = link_get(i);
		if (l && is_asked(v, l))
			show_link(l, v, o);
	}
	out_array_end(o);
	return 0;
}

/* The first address of those that are to go; false: there is none. */
static bool to_flush(const struct value *v, struct link **link, struct link_addr *found)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		struct link *l = link_get(i);
		const struct link_addrs *addrs = l ? rcu_read(l->addrs) : NULL;

		for (unsigned int j = 0; addrs && is_asked(v, l) && j < addrs->n; j++) {
			if (is_shown(&v[SHOW_PREFIX], &addrs->a[j])) {
				*link = l;
				*found = addrs->a[j];
				return true;
			}
		}
	}
	return false;
}

/* An address may take others along, or make another one primary, so they go one by one. */
static int run_flush(const struct value *v, struct output *o, struct error *err)
{
	struct link_addr found;
	struct link *l;
	int rc = 0;

	if (!v[SHOW_NAME].given && !v[SHOW_PREFIX].given && !v[SHOW_UP].given)
		return error_set(err, EINVAL, "say which: a link, or another selector");
	while (!rc && to_flush(v, &l, &found))
		rc = addr_del(l, found.local, found.len, err);
	return rc;
}

static const struct command commands[] = {
	{"add", "Give a link an address, and with it the route to its subnet.", run_add,
	 COMMAND_ARGS(change_args)},
	{"replace", "Give a link an address, if it does not have it.", run_replace,
	 COMMAND_ARGS(change_args)},
	{"change", "The same; as in Linux, the address need not be there.", run_replace,
	 COMMAND_ARGS(change_args)},
	{"del", "Take an address from a link.", run_del, COMMAND_ARGS(change_args)},
	{"show", "List the addresses of links.", run_show, COMMAND_ARGS(show_args)},
	{"flush", "Take the addresses from links that show lists for the same words.", run_flush,
	 COMMAND_ARGS(show_args)},
};

const struct noun noun_addr = {
	"addr", "IPv4 addresses of links", NOUN_COMMANDS(commands),
};
