/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link add|set|del|show. Printed as `ip link` and `ip -s link` do; -d adds a line on the device.
 * JSON has it all, under the keys of `ip -j -d -s link`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/commands.h"
#include "link/link.h"

static const struct arg_name on_off[] = {{"on", 1}, {"off", 0}, {NULL}};
static const struct arg_name up_down[] = {{"up", 1}, {"down", 0}, {NULL}};
static const struct arg_name link_types[] = {{"dpdk", 0}, {NULL}};

#define QUEUES_MAX 1024
#define DESCRIPTORS_MAX 32768
#define MTU_MIN 68

enum {
	ADD_NAME, ADD_TYPE, ADD_DEVARGS, ADD_RXQ, ADD_RXD, ADD_TXD, ADD_MTU, ADD_ADDRESS,
	ADD_PROMISC
};

static const struct arg add_args[] = {
	[ADD_NAME] = {.word = "name", .name = "NAME", .type = ARG_NEW_LINK, .bare = true,
		      .required = true, .help = "what the link is to be called"},
	[ADD_TYPE] = {.word = "type", .type = ARG_NAMED, .names = link_types,
		      .required = true, .help = "the kind of link; a DPDK device is the only one"},
	[ADD_DEVARGS] = {.word = "devargs", .name = "DEVARGS", .type = ARG_TEXT, .required = true,
			 .help = "the device, as DPDK's --vdev or --allow takes it: "
				 "0000:3b:00.0, net_af_packet0,iface=eth1, "
				 "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap; relative paths in it "
				 "begin where millrace was started"},
	[ADD_RXQ] = {.word = "rxq", .name = "N", .type = ARG_NUMBER, .min = 1, .max = QUEUES_MAX,
		     .help = "receive queues"},
	[ADD_RXD] = {.word = "rxd", .name = "N", .type = ARG_NUMBER, .min = 1,
		     .max = DESCRIPTORS_MAX, .help = "descriptors a receive queue"},
	[ADD_TXD] = {.word = "txd", .name = "N", .type = ARG_NUMBER, .min = 1,
		     .max = DESCRIPTORS_MAX, .help = "descriptors a transmit queue"},
	[ADD_MTU] = {.word = "mtu", .name = "N", .type = ARG_NUMBER, .min = MTU_MIN,
		     .max = UINT16_MAX, .help = "largest IP packet, in bytes"},
	[ADD_ADDRESS] = {.word = "address", .name = "LLADDR", .type = ARG_LLADDR,
			 .help = "link-layer address instead of the device's own"},
	[ADD_PROMISC] = {.word = "promisc", .type = ARG_NAMED, .names = on_off,
			 .help = "receive what is for others, too"},
};

enum { SET_NAME, SET_STATE, SET_MTU, SET_ADDRESS, SET_PROMISC };

static const struct arg set_args[] = {
	[SET_NAME] = {.word = "dev", .name = "NAME", .type = ARG_LINK, .bare = true,
		      .required = true, .help = "the link"},
	[SET_STATE] = {.type = ARG_NAMED, .names = up_down,
		       .help = "let it receive and send, or not"},
	[SET_MTU] = {.word = "mtu", .name = "N", .type = ARG_NUMBER, .min = MTU_MIN,
		     .max = UINT16_MAX, .help = "largest IP packet, in bytes"},
	[SET_ADDRESS] = {.word = "address", .name = "LLADDR", .type = ARG_LLADDR,
			 .help = "link-layer address"},
	[SET_PROMISC] = {.word = "promisc", .type = ARG_NAMED, .names = on_off,
			 .help = "receive what is for others, too"},
};

static const struct arg del_args[] = {
	{.word = "dev", .name = "NAME", .type = ARG_LINK, .bare = true, .required = true,
	 .help = "the link"},
};

enum { SHOW_NAME, SHOW_UP, SHOW_STATS, SHOW_DETAILS };

static const struct arg show_args[] = {
	[SHOW_NAME] = {.word = "dev", .name = "NAME", .type = ARG_LINK, .bare = true,
		       .help = "this link only"},
	[SHOW_UP] = {.word = "up", .type = ARG_FLAG, .help = "those that are up only"},
	[SHOW_STATS] = {.word = "-s", .type = ARG_FLAG, .help = "with packets and bytes"},
	[SHOW_DETAILS] = {.word = "-d", .type = ARG_FLAG, .help = "with the device behind it"},
};

/* `link set mtu up` must not mean two things. */
static bool is_own_word(const char *name)
{
	unsigned int i;

	if (strcmp(name, "up") == 0 || strcmp(name, "down") == 0)
		return true;
	for (i = 0; i < RTE_DIM(add_args); i++)
		if (strcmp(add_args[i].word, name) == 0)
			return true;
	return strcmp(name, "dev") == 0;
}

static int check_address(const struct value *v, struct error *err)
{
	if (!v->given || rte_is_valid_assigned_ether_addr(&v->lladdr))
		return 0;
	return error_set(err, EINVAL, "address: \"%s\" is zero or multicast, which a link's can "
			 "not be", v->text);
}

static int run_add(const struct value *v, struct output *o, struct error *err)
{
	struct link_params p = {
		.name = v[ADD_NAME].text,
		.devargs = v[ADD_DEVARGS].text,
		.rxq = v[ADD_RXQ].number,
		.rxd = v[ADD_RXD].number,
		.txd = v[ADD_TXD].number,
		.mtu = v[ADD_MTU].number,
		.address = v[ADD_ADDRESS].given ? &v[ADD_ADDRESS].lladdr : NULL,
		.promisc = v[ADD_PROMISC].given ? (int)v[ADD_PROMISC].number : -1,
	};

	if (p.name[0] == '-')
		return error_set(err, EINVAL, "\"%s\" can not be a name, as it begins with \"-\"",
				 p.name);
	if (is_own_word(p.name))
		return error_set(err, EINVAL,
				 "\"%s\" is a word of the link commands and can not be a name",
				 p.name);
	if (link_find(p.name))
		return error_set(err, EEXIST, "there is a link \"%s\" already", p.name);
	if (check_address(&v[ADD_ADDRESS], err))
		return -EINVAL;
	return link_add(&p, err);
}

static int run_set(const struct value *v, struct output *o, struct error *err)
{
	struct link *l = v[SET_NAME].link;
	struct link_change c = {
		.mtu = v[SET_MTU].given ? v[SET_MTU].number : 0,
		.address = v[SET_ADDRESS].given ? &v[SET_ADDRESS].lladdr : NULL,
		.promisc = v[SET_PROMISC].given ? (int)v[SET_PROMISC].number : -1,
		.up = v[SET_STATE].given ? (int)v[SET_STATE].number : -1,
	};

	if (!v[SET_STATE].given && !v[SET_MTU].given && !v[SET_ADDRESS].given &&
	    !v[SET_PROMISC].given)
		return error_set(err, EINVAL, "what to set is missing: up, down, mtu, address or "
				 "promisc");
	if (v[SET_MTU].given && v[SET_MTU].number > l->mtu_max && l->mtu_max)
		return error_set(err, EINVAL, "mtu: \"%s\" is more than the %u that %s can have",
				 v[SET_MTU].text, l->mtu_max, l->name);
	if (check_address(&v[SET_ADDRESS], err))
		return -EINVAL;
	return link_change(l, &c, err);
}

static int run_del(const struct value *v, struct output *o, struct error *err)
{
	if (v[0].link->id == LINK_LO)
		return error_set(err, EOPNOTSUPP, "\"%s\" is built in and stays", v[0].text);
	return link_del(v[0].link, err);
}

static void show_flags(const struct link *l, struct output *o)
{
	bool lo = l->id == LINK_LO;
	const char *const flags[] = {
		l->up && !l->running ? "NO-CARRIER" : NULL,
		lo ? "LOOPBACK" : NULL,
		lo ? NULL : "BROADCAST",
		lo ? NULL : "MULTICAST",
		l->promisc ? "PROMISC" : NULL,
		l->up ? "UP" : NULL,
		l->up && l->running ? "LOWER_UP" : NULL,
	};
	const char *before = "";
	unsigned int i;

	out_text(o, ": <");
	out_array(o, "flags");
	for (i = 0; i < RTE_DIM(flags); i++) {
		if (!flags[i])
			continue;
		out_string(o, NULL, before, flags[i]);
		before = ",";
	}
	out_array_end(o);
	out_text(o, ">");
}

static const char *operstate(const struct link *l)
{
	if (!l->up || !l->running)
		return "DOWN";
	return l->id == LINK_LO ? "UNKNOWN" : "UP";
}

void show_link_head(const struct link *l, struct output *o)
{
	out_number(o, "ifindex", "", l->id + 1u);
	out_string(o, "ifname", ": ", l->name);
	show_flags(l, o);
	out_number(o, "mtu", " mtu ", l->mtu);
	out_string(o, "operstate", " state ", operstate(l));
	out_text(o, "\n");
}

static void show_addresses(const struct link *l, struct output *o)
{
	static const struct rte_ether_addr everyone = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	static const struct rte_ether_addr nobody;
	bool lo = l->id == LINK_LO;

	out_string(o, "link_type", "    link/", lo ? "loopback" : "ether");
	out_lladdr(o, "address", " ", &l->mac);
	out_lladdr(o, "broadcast", " brd ", lo ? &nobody : &everyone);
	out_text(o, "\n");
}

/* The device; nothing for lo. */
static void show_details(const struct link *l, struct output *o)
{
	unsigned int mbps = 0;
	const char *duplex = "unknown";

	if (l->id == LINK_LO)
		return;
	link_speed_get(l, &mbps, &duplex);
	out_number(o, "promiscuity", "    promiscuity ", l->promisc);
	out_number(o, "max_mtu", " maxmtu ", l->mtu_max);
	out_number(o, "num_tx_queues", " numtxqueues ", l->n_txq);
	out_number(o, "num_rx_queues", " numrxqueues ", l->n_rxq);
	out_object(o, "linkinfo");
	out_string(o, "info_kind", "\n    ", l->type);
	out_object(o, "info_data");
	out_string(o, "device", " ", l->device);
	out_string(o, "driver", " driver ", l->driver);
	out_number(o, "rxd", " rxd ", l->n_rxd);
	out_number(o, "txd", " txd ", l->n_txd);
	out_number(o, "speed", " speed ", mbps);
	out_string(o, "duplex", "Mb/s duplex ", duplex);
	out_string(o, "devargs", "\n    devargs ", l->devargs);
	out_object_end(o);
	out_object_end(o);
	out_text(o, "\n");
}

static void show_stats_json(const struct link_stats *s, struct output *o)
{
	out_object(o, "stats64");
	out_object(o, "rx");
	out_number(o, "bytes", NULL, s->rx_bytes);
	out_number(o, "packets", NULL, s->rx_packets);
	out_number(o, "errors", NULL, s->rx_errors);
	out_number(o, "dropped", NULL, s->rx_dropped);
	out_number(o, "over_errors", NULL, s->rx_nombuf);
	out_number(o, "multicast", NULL, s->rx_multicast);
	out_number(o, "missed_errors", NULL, s->rx_missed);
	out_object_end(o);
	out_object(o, "tx");
	out_number(o, "bytes", NULL, s->tx_bytes);
	out_number(o, "packets", NULL, s->tx_packets);
	out_number(o, "errors", NULL, s->tx_errors);
	out_number(o, "dropped", NULL, s->tx_dropped);
	out_number(o, "carrier_errors", NULL, 0);
	out_number(o, "collisions", NULL, 0);
	out_object_end(o);
	out_object_end(o);
}

static void show_stats_text(const struct link_stats *s, struct output *o)
{
	out_printf(o, "    RX: %12s %11s %6s %7s %7s %7s\n", "bytes", "packets", "errors",
		   "dropped", "missed", "mcast");
	out_printf(o, "    %16ju %11ju %6ju %7ju %7ju %7ju\n", (uintmax_t)s->rx_bytes,
		   (uintmax_t)s->rx_packets, (uintmax_t)s->rx_errors,
		   (uintmax_t)(s->rx_dropped + s->rx_nombuf), (uintmax_t)s->rx_missed,
		   (uintmax_t)s->rx_multicast);
	out_printf(o, "    TX: %12s %11s %6s %7s %7s %7s\n", "bytes", "packets", "errors",
		   "dropped", "carrier", "collsns");
	out_printf(o, "    %16ju %11ju %6ju %7ju %7u %7u\n", (uintmax_t)s->tx_bytes,
		   (uintmax_t)s->tx_packets, (uintmax_t)s->tx_errors, (uintmax_t)s->tx_dropped, 0,
		   0);
}

static void show_link(const struct link *l, const struct value *v, struct output *o)
{
	struct link_stats s;

	out_object(o, NULL);
	show_link_head(l, o);
	show_addresses(l, o);
	if (o->json || v[SHOW_DETAILS].given)
		show_details(l, o);
	if (o->json || v[SHOW_STATS].given) {
		link_stats_get(l, &s);
		if (o->json)
			show_stats_json(&s, o);
		else
			show_stats_text(&s, o);
	}
	out_object_end(o);
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	const struct link *l;
	unsigned int i;

	out_array(o, NULL);
	for (i = 0; i < LINKS_MAX; i++) {
		l = link_get(i);
		if (l && (!v[SHOW_NAME].given || l == v[SHOW_NAME].link) &&
		    (!v[SHOW_UP].given || l->up))
			show_link(l, v, o);
	}
	out_array_end(o);
	return 0;
}

static const struct command commands[] = {
	{"add", "Open a device and make a link of it, which starts down.", run_add,
	 COMMAND_ARGS(add_args)},
	{"set", "Change a link; several changes may be given at once.", run_set,
	 COMMAND_ARGS(set_args)},
	{"del", "Close a device; the link's addresses and routes go with it.", run_del,
	 COMMAND_ARGS(del_args)},
	{"show", "List links.", run_show, COMMAND_ARGS(show_args)},
};

const struct noun noun_link = {
	"link", "network interfaces", NOUN_COMMANDS(commands),
};
