/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frag show|flush: fragments that wait for the rest of their datagram, by worker. Bytes are those
 * that Linux would need for them, which is what net.ipv4.ipfrag_high_thresh limits.
 */
#include <errno.h>

#include "control/commands.h"
#include "core/clock.h"
#include "core/counters.h"
#include "ipv4/reassemble.h"

static const struct arg show_args[] = {
	{.word = "-s", .type = ARG_FLAG,
	 .help = "with what became of all fragments since the start"},
};

static void show_info(const struct defrag_info *info, struct output *o)
{
	uint64_t now = clock_now_ns();
	double age = info->oldest_ns && now > info->oldest_ns
			     ? (double)(now - info->oldest_ns) / NSEC_PER_SEC : 0;

	out_number(o, "queues", " datagrams ", info->queues);
	out_number(o, "fragments", " fragments ", info->fragments);
	out_number(o, "bytes", " bytes ", info->bytes);
	out_number(o, "mbufs", " mbufs ", info->mbufs);
	out_number(o, "ring", " in its ring ", info->ring);
	out_decimal(o, "oldest_seconds", " oldest ", age);
	out_text(o, "s\n");
}

/* What happened to fragments: counters by Linux's names, and drop reasons. */
static void show_statistics(const struct counters *c, uint64_t handed_over, struct output *o)
{
	static const struct {
		enum counter which;
		const char *key, *before;
	} results[] = {
		{CNT_IP_REASMREQDS, "reasm_reqds", "    fragments "},
		{CNT_IP_REASMOKS, "reasm_oks", " put together "},
		{CNT_IP_REASMFAILS, "reasm_fails", " failures "},
		{CNT_IP_REASMTIMEOUT, "reasm_timeout", " timeouts "},
		{CNT_IPEXT_REASMOVERLAPS, "reasm_overlaps", " overlaps "},
	};
	static const struct {
		enum drop_reason reason;
		const char *key, *before;
	} drops[] = {
		{DROP_DUP_FRAG, "duplicates", "\n    dropped: duplicates "},
		{DROP_FRAG_OVERLAP, "overlapping", " overlapping "},
		{DROP_FRAG_INVALID, "invalid", " invalid "},
		{DROP_FRAG_TOO_FAR, "too_far", " too far "},
		{DROP_FRAG_REASM_TIMEOUT, "timed_out", " timed out "},
		{DROP_FRAG_ECN, "ecn", " ECN "},
		{DROP_FRAG_OVERSIZE, "oversize", " oversize "},
		{DROP_FRAG_FLUSHED, "flushed", " flushed "},
		{DROP_FRAG_HIGH_THRESH, "over_high_thresh", "\n    over limits: high_thresh "},
		{DROP_FRAG_MBUFS_MAX, "over_mbufs_max", " mbufs_max "},
		{DROP_FRAG_TABLE_FULL, "table_full", " table "},
		{DROP_FRAG_QUEUE_FULL, "queue_full", " queue "},
		{DROP_FRAG_OVERLOAD, "overload", " overload "},
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(results); i++)
		out_number(o, results[i].key, results[i].before, c->c[results[i].which]);
	for (i = 0; i < RTE_DIM(drops); i++)
		out_number(o, drops[i].key, drops[i].before, c->drop[drops[i].reason]);
	out_number(o, "to_other_workers", " to other workers ", handed_over);
	out_text(o, "\n");
}

static void show_worker(const struct worker *w, bool statistics, struct output *o)
{
	struct defrag_info info;

	defrag_info_get(w, &info);
	out_object(o, NULL);
	out_number(o, "worker", "worker ", w->id);
	out_text(o, ":");
	show_info(&info, o);
	if (statistics || o->json)
		show_statistics(w->counters, info.handed_over, o);
	out_object_end(o);
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	unsigned int i;

	out_object(o, NULL);
	out_number(o, "bytes_max", "limits: bytes ", defrag_bytes_max());
	out_number(o, "mbufs_max", " mbufs ", defrag_mbufs_max());
	out_text(o, "\n");
	out_array(o, "workers");
	for (i = 0; i < workers_count; i++)
		show_worker(workers[i], v[0].given, o);
	out_array_end(o);
	out_object_end(o);
	return 0;
}

static int run_flush(const struct value *v, struct output *o, struct error *err)
{
	if (defrag_flush())
		return 0;
	return error_set(err, EAGAIN, "a worker is too busy to be told");
}

static const struct command commands[] = {
	{"show", "Show how many fragments are waiting for the rest of their datagram.", run_show,
	 COMMAND_ARGS(show_args)},
	{"flush", "Drop the fragments that are waiting.", run_flush},
};

const struct noun noun_frag = {
	"frag", "fragments to be put together", NOUN_COMMANDS(commands),
};
