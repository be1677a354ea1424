/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * traceroute: which routers a packet passes, found by echo requests (as traceroute -I sends
 * them) whose time to live is over at each in turn. It takes a while (job.h); all requests of a
 * hop go out together, the next hop's when they are answered or a second is over.
 */
#include <errno.h>
#include <stdlib.h>

#include "control/commands.h"
#include "control/probe_job.h"
#include "core/clock.h"

#define HOPS_MAX 64
#define HOPS_PRESET 30
#define QUERIES_MAX 5
#define QUERIES_PRESET 3
#define DATA_PRESET 32           /* 60 bytes of packet, as traceroute */
#define HEADERS 28

struct query {
	uint64_t sent_ns, took_ns;
	struct probe_answer a;
	bool answered;
};

struct trace {
	struct probe_job job;            /* first */
	unsigned int hops_max, queries, hop;     /* hop: begun */
	struct query q[HOPS_MAX][QUERIES_MAX];
};

enum { TR_ADDR, TR_HOPS, TR_QUERIES, TR_WAIT, TR_SOURCE };

static const struct arg args[] = {
	[TR_ADDR] = {.name = "ADDR", .type = ARG_HOST, .required = true, .help = "where to"},
	[TR_HOPS] = {.word = "-m", .name = "N", .type = ARG_NUMBER, .min = 1, .max = HOPS_MAX,
		     .help = "hops at most (30)"},
	[TR_QUERIES] = {.word = "-q", .name = "N", .type = ARG_NUMBER, .min = 1, .max = QUERIES_MAX,
			.help = "requests a hop (3)"},
	[TR_WAIT] = {.word = "-w", .name = "SECONDS", .type = ARG_NUMBER, .min = 1, .max = 5,
		     .help = "to wait for a hop's answers (1)"},
	[TR_SOURCE] = {.word = "-s", .name = "SRC", .type = ARG_HOST,
		       .help = "an address of the router to send from"},
};

/* Did the destination, or somebody who says that there is no way to it, answer at this hop? */
static bool is_end(const struct trace *t, unsigned int hop)
{
	for (unsigned int i = 0; i < t->queries; i++)
		if (t->q[hop][i].answered && t->q[hop][i].a.type != 11)
			return true;
	return false;
}

static void next_hop(struct trace *t);

static void waited(struct timer *timer, uint64_t now_ns)
{
	next_hop(RTE_PTR_SUB(timer, offsetof(struct trace, job.timer)));
}

static void next_hop(struct trace *t)
{
	timer_stop(&t->job.timer);
	if (t->hop == t->hops_max || (t->hop && is_end(t, t->hop - 1))) {
		probe_job_end(&t->job);
		return;
	}
	t->job.probe.ttl = (uint8_t)++t->hop;
	for (unsigned int i = 0; i < t->queries; i++) {
		t->job.probe.seq = (uint16_t)((t->hop - 1) * QUERIES_MAX + i + 1);
		t->q[t->hop - 1][i].sent_ns = clock_now_ns();
		probe_send(t->job.session, &t->job.probe);
	}
	timer_set(&t->job.timer, clock_now_ns() + t->job.wait_ns, waited);
}

static bool hop_answered(const struct trace *t, unsigned int hop)
{
	for (unsigned int i = 0; i < t->queries; i++)
		if (!t->q[hop][i].answered)
			return false;
	return true;
}

static void on_answer(const struct probe_answer *a, void *arg)
{
	unsigned int at = a->seq - 1u, hop = at / QUERIES_MAX;
	struct trace *t = arg;
	struct query *q;

	if (hop >= t->hop || at % QUERIES_MAX >= t->queries || t->job.done || a->local_error)
		return;
	q = &t->q[hop][at % QUERIES_MAX];
	if (q->answered)
		return;
	q->answered = true;
	q->a = *a;
	q->took_ns = a->at_ns > q->sent_ns ? a->at_ns - q->sent_ns : 0;
	if (hop + 1 == t->hop && hop_answered(t, hop))
		next_hop(t);
}

/* ---- printing ---- */

/* "!H" and its like, as traceroute marks what is no ordinary answer. */
static const char *mark(const struct probe_answer *a)
{
	static const char *const marks[] = {" !N", " !H", " !P", "", " !F", " !S"};

	if (a->type == 3)
		return a->code < RTE_DIM(marks) ? marks[a->code] : a->code == 13 ? " !X" : " !?";
	return a->type == 12 ? " !?" : "";
}

static void show_query(const struct query *q, rte_be32_t *before, struct output *o)
{
	out_object(o, NULL);
	if (!q->answered) {
		out_text(o, " *");
		out_bool(o, "answered", false);
		out_object_end(o);
		return;
	}
	if (o->json || q->a.from != *before)
		out_address(o, "from", " ", q->a.from);
	*before = q->a.from;
	out_number(o, "time_us", NULL, q->took_ns / NSEC_PER_USEC);
	if (q->a.type && q->a.type != 11)
		out_string(o, "error", NULL, probe_error_text(&q->a));
	if (!o->json)
		out_printf(o, "  %.3f ms%s", (double)q->took_ns / NSEC_PER_MSEC, mark(&q->a));
	out_object_end(o);
}

static void show_head(const struct probe_job *j, struct output *o)
{
	out_address(o, "dst", "traceroute to ", j->probe.dst);
	out_text_address(o, " (", j->probe.dst);
	out_address(o, "src", NULL, j->src);
	out_number(o, "hops_max", "), ", ((const struct trace *)j)->hops_max);
	if (!o->json)
		out_printf(o, " hops max, %u byte packets\n", j->probe.data_bytes + HEADERS);
}

static unsigned int n_hops(const struct probe_job *j)
{
	return ((const struct trace *)j)->hop - !j->done;
}

static void show_hop(const struct probe_job *j, unsigned int hop, struct output *o)
{
	const struct trace *t = (const struct trace *)j;
	rte_be32_t before = 0;

	out_object(o, NULL);
	if (!o->json)
		out_printf(o, "%2u ", hop + 1);
	out_number(o, "hop", NULL, hop + 1);
	out_array(o, "answers");
	for (unsigned int i = 0; i < t->queries; i++)
		show_query(&t->q[hop][i], &before, o);
	out_array_end(o);
	out_text(o, "\n");
	out_object_end(o);
}

/* ---- */

static const struct probe_job_kind kind = {
	.on_answer = on_answer, .lines = "hops", .show_head = show_head, .n_lines = n_hops,
	.show_line = show_hop,
};

static int take(const struct value *v, struct trace *t, struct output *o, struct error *err)
{
	t->hops_max = v[TR_HOPS].given ? v[TR_HOPS].number : HOPS_PRESET;
	t->queries = v[TR_QUERIES].given ? v[TR_QUERIES].number : QUERIES_PRESET;
	t->job.kind = &kind;
	t->job.wait_ns = (v[TR_WAIT].given ? v[TR_WAIT].number : 1) * NSEC_PER_SEC;
	t->job.probe = (struct probe){
		.dst = v[TR_ADDR].address,
		.src = v[TR_SOURCE].given ? v[TR_SOURCE].address : 0,
		.data_bytes = DATA_PRESET,
	};
	return probe_job_begin(&t->job, o, err);
}

static int begin(const struct value *v, struct output *o, struct error *err)
{
	struct trace *t = calloc(1, sizeof(*t));
	int rc = t ? take(v, t, o, err) : error_set(err, ENOMEM, "there is no memory");

	if (rc == 0)
		next_hop(t);
	else
		free(t);
	return rc;
}

static int run(const struct value *v, struct output *o, struct error *err)
{
	int rc = o && o->job && *o->job ? 0 : begin(v, o, err);

	return rc ? rc : probe_job_run(o, err);
}

static const struct command commands[] = {
	{NULL, "Show the routers on the way to an address, found by echo requests. It ends by "
	       "itself, or at Ctrl-C in millctl.", run, COMMAND_ARGS(args)},
};

const struct noun noun_traceroute = {
	"traceroute", "the way to an address", NOUN_COMMANDS(commands),
};
