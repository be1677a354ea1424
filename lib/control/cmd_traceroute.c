/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * traceroute: which routers a packet passes, found by echo requests (as traceroute -I sends
 * them) whose time to live is over at each in turn. It takes a while (job.h); all requests of a
 * hop go out together, the next hop's when they are answered or a second is over.
 */
#include <errno.h>
#include <stdlib.h>

#include "control/commands.h"
#include "control/job.h"
#include "core/clock.h"
#include "core/timer.h"
#include "ipv4/probe.h"

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
	struct job job;                  /* first */
	int session;
	struct probe probe;
	unsigned int hops_max, queries, hop;     /* hop: begun */
	uint64_t wait_ns;
	struct timer timer;
	bool done, begun_showing;
	unsigned int n_shown;            /* of the hops */
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
	next_hop(RTE_PTR_SUB(timer, offsetof(struct trace, timer)));
}

static void next_hop(struct trace *t)
{
	timer_stop(&t->timer);
	if (t->hop == t->hops_max || (t->hop && is_end(t, t->hop - 1))) {
		t->done = true;
		return;
	}
	t->probe.ttl = (uint8_t)++t->hop;
	for (unsigned int i = 0; i < t->queries; i++) {
		t->probe.seq = (uint16_t)((t->hop - 1) * QUERIES_MAX + i + 1);
		t->q[t->hop - 1][i].sent_ns = clock_now_ns();
		probe_send(t->session, &t->probe);
	}
	timer_set(&t->timer, clock_now_ns() + t->wait_ns, waited);
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

	if (hop >= t->hop || at % QUERIES_MAX >= t->queries || t->done || a->local_error)
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

static void trace_free(struct job *job)
{
	struct trace *t = (struct trace *)job;

	timer_stop(&t->timer);
	probe_close(t->session);
	free(t);
}

static void trace_stop(struct job *job)
{
	struct trace *t = (struct trace *)job;

	timer_stop(&t->timer);
	t->done = true;
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

static void show_head(const struct trace *t, struct output *o)
{
	out_address(o, "dst", "traceroute to ", t->probe.dst);
	out_text_address(o, " (", t->probe.dst);
	out_address(o, "src", NULL, t->probe.src);
	out_number(o, "hops_max", "), ", t->hops_max);
	if (!o->json)
		out_printf(o, " hops max, %u byte packets\n", t->probe.data_bytes + HEADERS);
}

static void show_hop(const struct trace *t, unsigned int hop, struct output *o)
{
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

/* What was not shown yet; of hops those to which nothing more can come. */
static void show_news(struct trace *t, struct output *o)
{
	unsigned int end = t->done ? t->hop : t->hop - 1;

	if (!t->begun_showing)
		show_head(t, o);
	t->begun_showing = true;
	out_array(o, "hops");
	while (t->n_shown < end)
		show_hop(t, t->n_shown++, o);
	out_array_end(o);
}

/* ---- */

static int take(const struct value *v, struct trace *t, const struct output *o, struct error *err)
{
	int rc;

	t->job.free = trace_free;
	t->job.stop = trace_stop;
	t->hops_max = v[TR_HOPS].given ? v[TR_HOPS].number : HOPS_PRESET;
	t->queries = v[TR_QUERIES].given ? v[TR_QUERIES].number : QUERIES_PRESET;
	t->wait_ns = (v[TR_WAIT].given ? v[TR_WAIT].number : 1) * NSEC_PER_SEC;
	t->probe = (struct probe){
		.dst = v[TR_ADDR].address,
		.src = v[TR_SOURCE].given ? v[TR_SOURCE].address : 0,
		.data_bytes = DATA_PRESET,
	};
	rc = probe_begin(t->probe.dst, &t->probe.src, o, err);
	if (rc)
		return rc;
	t->session = probe_open(on_answer, t);
	return t->session < 0 ? error_set(err, EBUSY, "too many are asking already") : 0;
}

static int begin(const struct value *v, struct output *o, struct error *err)
{
	struct trace *t = calloc(1, sizeof(*t));
	int rc = t ? take(v, t, o, err) : error_set(err, ENOMEM, "there is no memory");

	if (rc) {
		free(t);
		return rc;
	}
	*o->job = &t->job;
	next_hop(t);
	if (o->live)
		show_news(t, o);
	return -EINPROGRESS;
}

static int run(const struct value *v, struct output *o, struct error *err)
{
	struct trace *t;

	if (!o || !o->job || !*o->job)
		return begin(v, o, err);
	t = (struct trace *)*o->job;
	if (!t->done) {
		if (o->live)
			show_news(t, o);
		return -EINPROGRESS;
	}
	out_object(o, NULL);
	show_news(t, o);
	out_object_end(o);
	*o->job = NULL;
	trace_free(&t->job);
	return 0;
}

static const struct command commands[] = {
	{NULL, "Show the routers on the way to an address, found by echo requests. It ends by "
	       "itself, or at Ctrl-C in millctl.", run, COMMAND_ARGS(args)},
};

const struct noun noun_traceroute = {
	"traceroute", "the way to an address", NOUN_COMMANDS(commands),
};
