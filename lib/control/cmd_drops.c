/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drops: the account of packets, and why packets were dropped. The balance is what the account
 * says is missing: received + originated - transmitted - delivered - dropped - held. It is 0 when
 * the router is at rest, and may be off by what moves while it is read.
 */
#include "control/commands.h"
#include "core/counters.h"
#include "ipv4/ipv4.h"
#include "link/link.h"
#include "neigh/neigh.h"

static const struct arg_name all_names[] = {{"all", 1}, {NULL}};

static const struct arg args[] = {
	{.type = ARG_NAMED, .names = all_names, .help = "also the reasons that never occurred"},
};

struct account {
	uint64_t dropped, held;
	int64_t balance;
};

static struct account account(const struct counters *sum)
{
	struct account a = {.held = neigh_held() + ip_held() + link_held()};
	unsigned int i;

	for (i = 0; i < DROP_COUNT; i++)
		a.dropped += sum->drop[i];
	a.balance = (int64_t)(sum->received + sum->originated - sum->transmitted -
			      sum->delivered - a.dropped - a.held);
	return a;
}

static void show_account(const struct counters *sum, const struct account *a, struct output *o)
{
	out_number(o, "received", "received    ", sum->received);
	out_number(o, "originated", "\noriginated  ", sum->originated);
	out_number(o, "transmitted", "\ntransmitted ", sum->transmitted);
	out_number(o, "delivered", "\ndelivered   ", sum->delivered);
	out_number(o, "dropped", "\ndropped     ", a->dropped);
	out_number(o, "held", "\nheld        ", a->held);
	out_signed(o, "balance", "\nbalance     ", a->balance);
	out_text(o, "\n");
}

static void show_reason(enum drop_reason reason, uint64_t packets, struct output *o)
{
	out_object(o, NULL);
	if (o->json) {
		out_string(o, "reason", NULL, drop_name(reason));
		out_number(o, "packets", NULL, packets);
		out_string(o, "help", NULL, drop_text(reason));
	} else {
		out_printf(o, "%-20s %12ju  %s\n", drop_name(reason), (uintmax_t)packets,
			   drop_text(reason));
	}
	out_object_end(o);
}

static int run(const struct value *v, struct output *o, struct error *err)
{
	static struct counters sum;
	struct account a;
	unsigned int i;

	counters_sum(&sum);
	a = account(&sum);
	out_object(o, NULL);
	show_account(&sum, &a, o);
	out_array(o, "reasons");
	if (a.dropped || v[0].given)
		out_text(o, "\nREASON                    PACKETS\n");
	for (i = 0; i < DROP_COUNT; i++)
		if (sum.drop[i] || v[0].given)
			show_reason(i, sum.drop[i], o);
	out_array_end(o);
	out_object_end(o);
	return 0;
}

static const struct command commands[] = {
	{NULL, "Show the account of packets, and why some were dropped.", run, COMMAND_ARGS(args)},
};

const struct noun noun_drops = {
	"drops", "the account of packets", NOUN_COMMANDS(commands),
};
