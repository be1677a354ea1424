/* SPDX-License-Identifier: BSD-3-Clause */
/* route add|append|change|prepend|replace|del|show|get|flush. */
#include <errno.h>
#include <netinet/in.h>

#include "control/commands.h"
#include "control/show_route.h"
#include "control/value.h"
#include "ipv4/ipv4.h"
#include "link/link.h"
#include "route/group.h"

#define TABLE_ALL 0

static const struct arg_name route_types[] = {
	{"unicast", ROUTE_UNICAST},         {"local", ROUTE_LOCAL},
	{"broadcast", ROUTE_BROADCAST},     {"blackhole", ROUTE_BLACKHOLE},
	{"unreachable", ROUTE_UNREACHABLE}, {"prohibit", ROUTE_PROHIBIT},
	{"throw", ROUTE_THROW},             {NULL},
};

static const struct arg_name shown_tables[] = {
	{"all", TABLE_ALL}, {"default", ROUTE_TABLE_DEFAULT}, {"main", ROUTE_TABLE_MAIN},
	{"local", ROUTE_TABLE_LOCAL}, {NULL},
};

enum {
	ROUTE_ARG_TYPE, ROUTE_ARG_PREFIX, ROUTE_ARG_VIA, ROUTE_ARG_DEV, ROUTE_ARG_METRIC,
	ROUTE_ARG_MTU, ROUTE_ARG_HOPLIMIT, ROUTE_ARG_SRC, ROUTE_ARG_TOS, ROUTE_ARG_TABLE,
	ROUTE_ARG_PROTO, ROUTE_ARG_SCOPE, ROUTE_ARG_ONLINK, ROUTE_ARG_RESOLVED, ROUTE_ARG_NEXTHOP
};

enum { HOP_VIA, HOP_DEV, HOP_WEIGHT, HOP_ONLINK, HOP_RESOLVED, HOP_DEAD, HOP_ARGS };

static const struct arg hop_args[] = {
	[HOP_VIA] = {.word = "via", .name = "ADDRESS", .type = ARG_ADDRESS, .help = "the gateway"},
	[HOP_DEV] = {.word = "dev", .name = "NAME", .type = ARG_LINK,
		     .help = "the link that packets leave by"},
	[HOP_WEIGHT] = {.word = "weight", .name = "N", .type = ARG_NUMBER, .min = 1,
			.max = GROUP_WEIGHT_MAX, .help = "its share of the flows; 1 if left out"},
	[HOP_ONLINK] = {.word = "onlink", .type = ARG_FLAG,
			.help = "take the gateway to be on the link, whatever its address"},
	[HOP_RESOLVED] = {.word = "resolved", .type = ARG_NAMED, .names = route_resolved,
			  .help = "as for a route"},
	[HOP_DEAD] = {.word = "dead", .type = ARG_FLAG,
		      .help = "no flow goes this way until the link comes up or gets an address"},
};

static const struct arg change_args[] = {
	[ROUTE_ARG_TYPE] = {.name = "TYPE", .type = ARG_NAMED, .names = route_types,
			    .help = "what becomes of packets; unicast if left out"},
	[ROUTE_ARG_PREFIX] = {.word = "to", .name = "PREFIX", .type = ARG_NETWORK, .bare = true,
			      .required = true,
			      .help = "destinations: A.B.C.D/LEN, A.B.C.D or default"},
	[ROUTE_ARG_VIA] = {.word = "via", .name = "ADDRESS", .type = ARG_ADDRESS,
			   .help = "the gateway"},
	[ROUTE_ARG_DEV] = {.word = "dev", .name = "NAME", .type = ARG_LINK,
			   .help = "the link that packets leave by"},
	[ROUTE_ARG_METRIC] = {.word = "metric", .name = "N", .type = ARG_NUMBER,
			      .max = UINT32_MAX,
			      .help = "of routes to the same prefix the lowest metric wins"},
	[ROUTE_ARG_MTU] = {.word = "mtu", .name = "[lock] N", .type = ARG_NUMBER, .min = 68,
			   .max = UINT16_MAX, .lockable = true,
			   .help = "largest packet instead of the link's MTU; lock: whatever hosts "
				   "report of the path, and no DF for its sake"},
	[ROUTE_ARG_HOPLIMIT] = {.word = "hoplimit", .name = "N", .type = ARG_NUMBER, .min = 1,
				.max = UINT8_MAX,
				.help = "time to live of what the router itself sends this way"},
	[ROUTE_ARG_SRC] = {.word = "src", .name = "ADDRESS", .type = ARG_ADDRESS,
			   .help = "source address of what the router itself sends this way"},
	[ROUTE_ARG_TOS] = {.word = "tos", .name = "N", .type = ARG_TOS, .names = route_tos,
			   .help = "for packets with this TOS only: hexadecimal, or a name such "
				   "as AF11; of a packet's TOS the bits 0x1c are compared"},
	[ROUTE_ARG_TABLE] = {.word = "table", .name = "N", .type = ARG_NUMBER, .min = 1,
			     .max = UINT32_MAX, .names = route_tables,
			     .help = "the table: a number, main, local or default"},
	[ROUTE_ARG_PROTO] = {.word = "proto", .name = "N", .type = ARG_NUMBER, .min = 1,
			     .max = UINT8_MAX, .names = route_protocols,
			     .help = "who made the route: a number, or a name such as static"},
	[ROUTE_ARG_SCOPE] = {.word = "scope", .name = "N", .type = ARG_NUMBER, .max = UINT8_MAX,
			     .names = route_scopes,
			     .help = "how far destinations are: global, site, link or host; if "
				     "left out, what follows from the rest"},
	[ROUTE_ARG_ONLINK] = {.word = "onlink", .type = ARG_FLAG,
			      .help = "take the gateway to be on the link, whatever its address"},
	[ROUTE_ARG_RESOLVED] = {.word = "resolved", .type = ARG_NAMED, .names = route_resolved,
				.help = "the way is as said, whatever routes and addresses say "
					"now: packets go to the gateway, or direct to their "
					"destination, as where the gateway was an address of this "
					"router; `config show` prints it where that was found "
					"by what is no more"},
	[ROUTE_ARG_NEXTHOP] = {.word = "nexthop", .type = ARG_GROUP,
			       .name = "[via ADDRESS] [dev NAME] [weight N] [onlink] "
				       "[resolved gateway|direct] [dead]...",
			       .group = hop_args, .n_group = HOP_ARGS,
			       .help = "one of several ways, at the end of the line; a hash of "
				       "each flow chooses"},
};

enum {
	PICK_EXACT, PICK_ROOT, PICK_MATCH, PICK_TABLE, PICK_DEV, PICK_VIA, PICK_TYPE, PICK_PROTO,
	PICK_SCOPE, PICK_SRC, PICK_METRIC, PICK_TOS, PICK_CACHE
};

static const struct arg pick_args[] = {
	[PICK_EXACT] = {.word = "exact", .name = "PREFIX", .type = ARG_PREFIX, .bare = true,
			.after_to = true, .help = "to this prefix only"},
	[PICK_ROOT] = {.word = "root", .name = "PREFIX", .type = ARG_PREFIX, .after_to = true,
		       .help = "to this prefix and those within it"},
	[PICK_MATCH] = {.word = "match", .name = "PREFIX", .type = ARG_PREFIX, .after_to = true,
			.help = "to this prefix and those that contain it: of an address all "
				"that fit"},
	[PICK_TABLE] = {.word = "table", .name = "N", .type = ARG_NUMBER, .min = 1,
			.max = UINT32_MAX, .names = shown_tables, .preferred = true,
			.help = "the table: a number, main, local, default or all; "
				"main if left out"},
	[PICK_DEV] = {.word = "dev", .name = "NAME", .type = ARG_LINK,
		      .help = "whose only way is by this link"},
	[PICK_VIA] = {.word = "via", .name = "PREFIX", .type = ARG_PREFIX,
		      .help = "whose only gateway is this address, or in this prefix"},
	[PICK_TYPE] = {.word = "type", .type = ARG_NAMED, .names = route_types,
		       .help = "of this type only"},
	[PICK_PROTO] = {.word = "proto", .name = "N", .type = ARG_NUMBER, .max = UINT8_MAX,
			.names = route_protocols, .help = "that were made so only"},
	[PICK_SCOPE] = {.word = "scope", .name = "N", .type = ARG_NUMBER, .max = UINT8_MAX,
			.names = route_scopes, .help = "of this scope: global, site, link or host"},
	[PICK_SRC] = {.word = "src", .name = "PREFIX", .type = ARG_PREFIX,
		      .help = "whose source address is this, or in this prefix"},
	[PICK_METRIC] = {.word = "metric", .name = "N", .type = ARG_NUMBER, .max = UINT32_MAX,
			 .help = "with this metric"},
	[PICK_TOS] = {.word = "tos", .name = "N", .type = ARG_TOS, .names = route_tos,
		      .help = "for this TOS; 0: for any"},
	[PICK_CACHE] = {.word = "cache", .type = ARG_FLAG,
			.help = "what was learned of the ways to single destinations instead"},
};

enum {
	GET_ADDRESS, GET_FROM, GET_IIF, GET_OIF, GET_TOS, GET_MARK, GET_IPPROTO, GET_SPORT,
	GET_DPORT
};

/* Those that Linux can think of a packet of. */
static const struct arg_name ipprotos[] = {
	{"icmp", IPPROTO_ICMP}, {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {NULL},
};

static const struct arg get_args[] = {
	[GET_ADDRESS] = {.word = "to", .name = "ADDRESS", .type = ARG_ADDRESS_32, .bare = true,
			 .required = true, .help = "the destination, to which /32 may be added"},
	[GET_FROM] = {.word = "from", .name = "ADDRESS", .type = ARG_ADDRESS,
		      .help = "the source address that the packet would have"},
	[GET_IIF] = {.word = "iif", .name = "NAME", .type = ARG_LINK,
		     .help = "the link that it would come in by; if left out the router itself "
			     "sends it"},
	[GET_OIF] = {.word = "oif", .name = "NAME", .type = ARG_LINK,
		     .help = "the link that it must leave by, where the router itself sends it"},
	[GET_TOS] = {.word = "tos", .name = "N", .type = ARG_TOS, .names = route_tos,
		     .help = "the TOS that it would have"},
	[GET_MARK] = {.word = "mark", .name = "N", .type = ARG_MARK,
		      .help = "the mark that it would have"},
	[GET_IPPROTO] = {.word = "ipproto", .type = ARG_NAMED, .names = ipprotos,
			 .help = "its protocol; udp if left out"},
	[GET_SPORT] = {.word = "sport", .name = "PORT", .type = ARG_NUMBER, .max = UINT16_MAX,
		       .help = "its ports, by which one of several ways may be chosen"},
	[GET_DPORT] = {.word = "dport", .name = "PORT", .type = ARG_NUMBER, .max = UINT16_MAX,
		       .help = "(likewise)"},
};

static int take_hops(const struct value *v, struct route_hop hops[], unsigned int *n,
		     struct error *err)
{
	struct value hop[HOP_ARGS];
	int taken;

	for (int i = 0; v->given && i < v->n_words; i += taken) {
		taken = command_parse_group(&change_args[ROUTE_ARG_NEXTHOP], v->n_words - i,
					    v->words + i, hop, err);
		if (taken < 0)
			return taken;
		if (*n == GROUP_MEMBERS_MAX)
			return error_set(err, ENOSPC, "nexthop: a route can not have more than "
					 "%d", GROUP_MEMBERS_MAX);
		hops[(*n)++] = (struct route_hop){
			.gateway = hop[HOP_VIA].address,
			.link = hop[HOP_DEV].given ? hop[HOP_DEV].link->id : -1,
			.weight = hop[HOP_WEIGHT].given ? hop[HOP_WEIGHT].number : 1,
			.onlink = hop[HOP_ONLINK].given,
			.resolved = hop[HOP_RESOLVED].number,
			.dead = hop[HOP_DEAD].given,
		};
	}
	return 0;
}

static struct route_params params(const struct value *v, unsigned int type, unsigned int protocol)
{
	return (struct route_params){
		.prefix = v[ROUTE_ARG_PREFIX].prefix,
		.len = v[ROUTE_ARG_PREFIX].len,
		.type = v[ROUTE_ARG_TYPE].given ? v[ROUTE_ARG_TYPE].number : type,
		.gateway = v[ROUTE_ARG_VIA].address,
		.link = v[ROUTE_ARG_DEV].given ? v[ROUTE_ARG_DEV].link->id : -1,
		.src = v[ROUTE_ARG_SRC].address,
		.metric = v[ROUTE_ARG_METRIC].number,
		.mtu = v[ROUTE_ARG_MTU].number,
		.mtu_locked = v[ROUTE_ARG_MTU].locked,
		.hoplimit = v[ROUTE_ARG_HOPLIMIT].number,
		.tos = (uint8_t)v[ROUTE_ARG_TOS].number,
		.table = v[ROUTE_ARG_TABLE].number,
		.protocol = v[ROUTE_ARG_PROTO].given ? v[ROUTE_ARG_PROTO].number : protocol,
		.onlink = v[ROUTE_ARG_ONLINK].given,
		.resolved = v[ROUTE_ARG_RESOLVED].number,
		.scope_given = v[ROUTE_ARG_SCOPE].given,
		.scope = (uint8_t)v[ROUTE_ARG_SCOPE].number,
	};
}

static int enter(const struct value *v, enum route_how how, struct error *err)
{
	struct route_params p = params(v, ROUTE_UNICAST, ROUTE_PROTO_BOOT);
	struct route_hop hops[GROUP_MEMBERS_MAX];
	int rc = take_hops(&v[ROUTE_ARG_NEXTHOP], hops, &p.n_hops, err);

	p.hops = hops;
	return rc ? rc : route_enter(&p, how, err);
}

static int run_add(const struct value *v, struct output *o, struct error *err)
{
	return enter(v, ROUTE_ADD, err);
}

static int run_append(const struct value *v, struct output *o, struct error *err)
{
	return enter(v, ROUTE_APPEND, err);
}

static int run_prepend(const struct value *v, struct output *o, struct error *err)
{
	return enter(v, ROUTE_PREPEND, err);
}

static int run_change(const struct value *v, struct output *o, struct error *err)
{
	return enter(v, ROUTE_CHANGE, err);
}

static int run_replace(const struct value *v, struct output *o, struct error *err)
{
	return enter(v, ROUTE_REPLACE, err);
}

/* What is not given matches any; the table is main then, as in iproute2. */
static int run_del(const struct value *v, struct output *o, struct error *err)
{
	struct route_params p = params(v, ROUTE_NONE, 0);
	struct route_hop hops[GROUP_MEMBERS_MAX];
	int rc = take_hops(&v[ROUTE_ARG_NEXTHOP], hops, &p.n_hops, err);

	p.hops = hops;
	return rc ? rc : route_del(&p, err);
}

struct show {
	const struct value *v;
	struct output *o;
	bool with_table;
};

/* Is it a prefix that is asked for? */
static bool is_asked(const struct value *v, uint32_t prefix, unsigned int len)
{
	const struct value *exact = &v[PICK_EXACT], *root = &v[PICK_ROOT], *match = &v[PICK_MATCH];

	if (exact->given && (len != exact->len || !value_covers(exact, prefix)))
		return false;
	if (root->given && (len < root->len || !value_covers(root, prefix)))
		return false;
	return !match->given || (len <= match->len && prefix_agree(prefix, match->prefix, len));
}

static bool has_number(const struct value *v, uint32_t number)
{
	return !v->given || v->number == number;
}

static bool is_in(const struct value *v, rte_be32_t addr)
{
	return !v->given || value_covers(v, rte_be_to_cpu_32(addr));
}

/* By this link? As with iproute2, and as with gateways, not where it is one of several ways. */
static bool is_over(const struct value *v, uint32_t nexthop)
{
	return !v->given || (nexthop_get(nexthop)->type != ROUTE_GROUP &&
			     nexthop_over(nexthop, v->link->id));
}

static bool is_picked(const struct value *v, const struct route *r)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	return is_asked(v, r->prefix, r->len) && is_over(&v[PICK_DEV], r->nexthop) &&
	       is_in(&v[PICK_VIA], nh->via) && is_in(&v[PICK_SRC], nh->asked_src) &&
	       has_number(&v[PICK_TYPE], r->type) && has_number(&v[PICK_PROTO], r->protocol) &&
	       has_number(&v[PICK_SCOPE], nh->scope) && has_number(&v[PICK_METRIC], r->metric) &&
	       has_number(&v[PICK_TOS], r->tos);
}

static int show_one(const struct route *r, void *arg)
{
	const struct show *s = arg;

	if (is_picked(s->v, r))
		show_route(r, s->with_table, s->o);
	return s->o->full;
}

static int show_learned(const struct ip_exception_info *learned, void *arg)
{
	const struct show *s = arg;
	const struct nexthop *nh = nexthop_get(learned->nexthop);

	if (!is_asked(s->v, rte_be_to_cpu_32(learned->dst), 32) ||
	    !is_over(&s->v[PICK_DEV], learned->nexthop) ||
	    !is_in(&s->v[PICK_VIA], learned->gateway ? learned->gateway : nh->gateway) ||
	    !has_number(&s->v[PICK_TYPE], nh->type))
		return 0;
	return show_route_learned(learned, s->o);
}

static int check_picks(const struct value *v, struct error *err)
{
	static const unsigned int of_routes[] = {
		PICK_TABLE, PICK_PROTO, PICK_SCOPE, PICK_SRC, PICK_METRIC, PICK_TOS
	};

	if (v[PICK_EXACT].given && (v[PICK_ROOT].given || v[PICK_MATCH].given))
		return error_set(err, EINVAL, "\"%s\" alone says which prefix: %s can not be added",
				 v[PICK_EXACT].text, v[PICK_ROOT].given ? "root" : "match");
	for (unsigned int i = 0; v[PICK_CACHE].given && i < RTE_DIM(of_routes); i++)
		if (v[of_routes[i]].given)
			return error_set(err, EINVAL, "%s: what is in the cache has none",
					 pick_args[of_routes[i]].word);
	return 0;
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	unsigned int table = v[PICK_TABLE].given ? v[PICK_TABLE].number : ROUTE_TABLE_MAIN;
	struct show s = {.v = v, .o = o, .with_table = table == TABLE_ALL};
	int rc = check_picks(v, err);

	if (rc)
		return rc;
	out_array(o, NULL);
	if (v[PICK_CACHE].given)
		ip_exception_foreach(show_learned, &s);
	else
		route_foreach(table, show_one, &s);
	out_array_end(o);
	return 0;
}

/* What an application on Linux is told when there is no way. */
static int no_way(const struct show_get *g, int rc, const struct value *v, struct error *err)
{
	const char *dst = v[GET_ADDRESS].text;
	const struct link *in = g->way.iif < 0 ? NULL : link_get((unsigned int)g->way.iif);
	const struct route_answer *a = &g->answer;
	unsigned int type = nexthop_get(a->nexthop)->type;

	if (g->way.dropped)
		return error_set(err, -rc, "no route to \"%s\": the packet would be dropped: %s",
				 dst, drop_text(g->way.reason));
	if (in && !in->conf.forwarding)
		return error_set(err, -rc, "no route to \"%s\": %s does not forward", dst,
				 in->name);
	if (a->by_rule && !a->route)
		return error_set(err, -rc, "no route to \"%s\": %s by rule %u", dst,
				 rc == -EACCES ? "prohibited" : rc == -EINVAL ? "blackhole" :
				 "unreachable", a->priority);
	if (type >= ROUTE_BLACKHOLE && type <= ROUTE_PROHIBIT)
		return error_set(err, -rc, "no route to \"%s\": %s", dst,
				 rc == -EHOSTUNREACH ? "unreachable"
				 : rc == -EACCES     ? "prohibited"
						     : "blackhole");
	if (g->way.src && !in)
		return error_set(err, -rc, "no route to \"%s\" from \"%s\"", dst,
				 v[GET_FROM].text);
	return error_set(err, -rc, "no route to \"%s\"", dst);
}

static int run_get(const struct value *v, struct output *o, struct error *err)
{
	struct show_get g = {
		.way = {
			.dst = v[GET_ADDRESS].address,
			.src = v[GET_FROM].address,
			.iif = v[GET_IIF].given ? v[GET_IIF].link->id : -1,
			.oif = v[GET_OIF].given ? v[GET_OIF].link->id : -1,
			.tos = (uint8_t)v[GET_TOS].number,
			.mark = v[GET_MARK].mark,
			.protocol = v[GET_IPPROTO].given ? (uint8_t)v[GET_IPPROTO].number
							 : IPPROTO_UDP,
			.sport = rte_cpu_to_be_16((uint16_t)v[GET_SPORT].number),
			.dport = rte_cpu_to_be_16((uint16_t)v[GET_DPORT].number),
		},
	};
	int rc = ip_route_get(&g.way);

	route_explain(&(struct route_flow){
		.dst = g.way.dst, .src = g.way.src, .tos = g.way.tos, .mark = g.way.mark,
		.iif = g.way.iif < 0 ? LINK_LO : (uint16_t)g.way.iif },
		g.way.iif < 0 ? g.way.oif : -1, &g.answer);
	if (rc)
		return no_way(&g, rc, v, err);
	if (g.way.assumed)
		g.answer = (struct route_answer){0};
	show_route_get(&g, o);
	return 0;
}

static bool is_flushed(const struct route *r, void *arg)
{
	const struct show *s = arg;

	return is_picked(s->v, r);
}

/* As in Linux the cache goes as a whole. */
static int run_flush(const struct value *v, struct output *o, struct error *err)
{
	struct show s = {.v = v};
	unsigned int given = 0;
	int rc = check_picks(v, err);

	for (unsigned int i = 0; i < RTE_DIM(pick_args); i++)
		given += v[i].given;
	if (rc)
		return rc;
	if (!given)
		return error_set(err, EINVAL, "say which: a prefix, a table (all for all), or "
				 "another selector");
	if (v[PICK_CACHE].given)
		ip_exception_flush();
	else
		route_flush(v[PICK_TABLE].given ? v[PICK_TABLE].number : ROUTE_TABLE_MAIN,
			    is_flushed, &s);
	return 0;
}

static const struct command commands[] = {
	{"add", "Enter a route.", run_add, COMMAND_ARGS(change_args)},
	{"append", "Enter a route behind those to the same prefix with the same TOS and metric.",
	 run_append, COMMAND_ARGS(change_args)},
	{"change", "Change the first route to the same prefix with the same TOS and metric.",
	 run_change, COMMAND_ARGS(change_args)},
	{"prepend", "Enter a route before those to the same prefix with the same TOS and metric.",
	 run_prepend, COMMAND_ARGS(change_args)},
	{"replace", "Enter a route, or change the first to the same prefix with the same TOS and "
	 "metric.", run_replace, COMMAND_ARGS(change_args)},
	{"del", "Remove the first route that has all that is given.", run_del,
	 COMMAND_ARGS(change_args)},
	{"show", "List routes.", run_show, COMMAND_ARGS(pick_args)},
	{"get", "Show the route that a packet to an address takes, and why.", run_get,
	 COMMAND_ARGS(get_args)},
	{"flush", "Remove the routes that show lists for the same words, or forget what was "
	 "learned.", run_flush, COMMAND_ARGS(pick_args)},
};

const struct noun noun_route = {
	"route", "IPv4 routes", NOUN_COMMANDS(commands),
};
