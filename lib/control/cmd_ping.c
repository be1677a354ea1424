/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ping: echo requests from the router, and what came of each, printed as iputils' ping does. It
 * takes a while (job.h): a timer sends, answers are noted as they come, and printed at once if
 * the client wants to see them come, else at the end.
 */
#include <errno.h>
#include <stdlib.h>

#include <arpa/inet.h>

#include "control/commands.h"
#include "control/probe_job.h"
#include "core/clock.h"

#define COUNT_MAX 1000
#define COUNT_PRESET 5
#define INTERVAL_MIN_S 0.01
#define INTERVAL_MAX_S 60.0
#define DURATION_MAX_S 600.0
#define WAIT_PRESET_S 2
#define DATA_PRESET 56
#define HEADERS 28
#define LINES_MAX (2 * COUNT_MAX)

/* What came for one request. */
struct line {
	struct probe_answer a;
	uint64_t took_ns;
	bool duplicate;
};

struct ping {
	struct probe_job job;            /* first */
	unsigned int count, sent, received, duplicates, errors, n_lines;
	uint64_t interval_ns;
	uint64_t sent_ns[COUNT_MAX];
	bool answered[COUNT_MAX];        /* by a reply or an error */
	bool replied[COUNT_MAX];
	struct line lines[LINES_MAX];
};

enum { PING_ADDR, PING_COUNT, PING_INTERVAL, PING_SIZE, PING_DF, PING_SOURCE, PING_TTL, PING_WAIT };

static const struct arg_name df_names[] = {{"dont", 0}, {"want", 1}, {"do", 2}, {NULL}};

static const struct arg args[] = {
	[PING_ADDR] = {.name = "ADDR", .type = ARG_HOST, .required = true,
		       .help = "whom to ask"},
	[PING_COUNT] = {.word = "-c", .name = "N", .type = ARG_NUMBER, .min = 1, .max = COUNT_MAX,
			.help = "how many requests (5)"},
	[PING_INTERVAL] = {.word = "-i", .name = "SECONDS", .type = ARG_TEXT,
			   .help = "between two requests, 0.01 to 60 (1); ten minutes at most "
				   "in all"},
	[PING_SIZE] = {.word = "-s", .name = "BYTES", .type = ARG_NUMBER, .min = 0,
		       .max = PROBE_DATA_MAX, .help = "of data in each (56)"},
	[PING_DF] = {.word = "-M", .type = ARG_NAMED, .names = df_names,
		     .help = "DF: on none, on those that fit the path (preset, but if "
			     "ip_no_pmtu_disc is set), or on all; then those that do not fit are "
			     "not sent"},
	[PING_SOURCE] = {.word = "-I", .name = "SRC", .type = ARG_HOST,
			 .help = "an address of the router to send from"},
	[PING_TTL] = {.word = "-t", .name = "TTL", .type = ARG_NUMBER, .min = 1, .max = 255,
		      .help = "time to live"},
	[PING_WAIT] = {.word = "-W", .name = "SECONDS", .type = ARG_NUMBER, .min = 1, .max = 30,
		       .help = "to wait for answers to the last (2)"},
};

/* ---- asking ---- */

static unsigned int answered(const struct ping *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->sent; i++)
		n += p->answered[i];
	return n;
}

static void waited(struct timer *t, uint64_t now_ns)
{
	probe_job_end(RTE_PTR_SUB(t, offsetof(struct probe_job, timer)));
}

static void on_answer(const struct probe_answer *a, void *arg)
{
	unsigned int i = a->seq - 1u;
	struct ping *p = arg;
	bool reply = !a->local_error && a->type == 0;

	if (i >= p->sent || p->job.done)
		return;
	if (p->n_lines < LINES_MAX)
		p->lines[p->n_lines++] = (struct line){
			.a = *a,
			.took_ns = a->at_ns > p->sent_ns[i] ? a->at_ns - p->sent_ns[i] : 0,
			.duplicate = reply && p->replied[i],
		};
	if (!reply)
		p->errors++;
	else if (p->replied[i])
		p->duplicates++;
	else
		p->received++;
	p->replied[i] |= reply;
	p->answered[i] = true;
	if (p->sent == p->count && answered(p) == p->count)
		probe_job_end(&p->job);
}

static void send_next(struct timer *t, uint64_t now_ns)
{
	struct ping *p = RTE_PTR_SUB(t, offsetof(struct ping, job.timer));

	p->sent_ns[p->sent++] = clock_now_ns();
	p->job.probe.seq = (uint16_t)p->sent;
	if (probe_send(p->job.session, &p->job.probe))
		on_answer(&(struct probe_answer){.seq = (uint16_t)p->sent, .local_error = true}, p);
	if (p->job.done)
		return;
	if (p->sent < p->count)
		timer_set(t, now_ns + p->interval_ns, send_next);
	else
		timer_set(t, now_ns + p->job.wait_ns, waited);
}

/* ---- printing ---- */

/* Milliseconds as ping prints them. */
static void out_ms(struct output *o, const char *key, const char *before, uint64_t ns)
{
	double ms = (double)ns / NSEC_PER_MSEC;

	if (o->json)
		out_number(o, key, NULL, ns / NSEC_PER_USEC);
	else
		out_printf(o, "%s%.*f", before, ms < 1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
}

static void show_error(const struct probe_answer *a, struct output *o)
{
	if (a->local_error) {
		out_string(o, "error", "ping: local error: ",
			   a->info ? "message too long" : "no way or no buffers");
		if (a->info)
			out_number(o, "mtu", ", mtu: ", a->info);
		out_number(o, "icmp_seq", NULL, a->seq);
		return;
	}
	out_address(o, "from", "From ", a->from);
	out_number(o, "icmp_seq", " icmp_seq=", a->seq);
	out_string(o, "error", " ", probe_error_text(a));
	if (a->type == 3 && a->code == 4) {
		out_number(o, "mtu", " (mtu = ", a->info);
		out_text(o, ")");
	}
}

static unsigned int n_lines(const struct probe_job *j)
{
	return ((const struct ping *)j)->n_lines;
}

static void show_line(const struct probe_job *j, unsigned int i, struct output *o)
{
	const struct line *l = &((const struct ping *)j)->lines[i];
	const struct probe_answer *a = &l->a;

	out_object(o, NULL);
	if (a->local_error || a->type) {
		show_error(a, o);
	} else {
		out_number(o, "bytes", "", a->bytes);
		out_address(o, "from", " bytes from ", a->from);
		out_number(o, "icmp_seq", ": icmp_seq=", a->seq);
		out_number(o, "ttl", " ttl=", a->ttl);
		out_ms(o, "time_us", " time=", l->took_ns);
		out_text(o, l->duplicate ? " ms (DUP!)" : " ms");
		out_bool(o, "duplicate", l->duplicate);
	}
	out_text(o, "\n");
	out_object_end(o);
}

/* By Newton's way, from above; exact to far less than what is printed. */
static double root(double square)
{
	double r = square > 1 ? square : 1;

	for (unsigned int i = 0; i < 64; i++)
		r = (r + square / r) / 2;
	return square > 0 ? r : 0;
}

static void show_rtt(const struct ping *p, struct output *o)
{
	double sum = 0, squares = 0, mean, deviation;
	uint64_t min = UINT64_MAX, max = 0;
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n_lines; i++) {
		const struct line *l = &p->lines[i];

		if (l->a.local_error || l->a.type)
			continue;
		n++;
		min = RTE_MIN(min, l->took_ns);
		max = RTE_MAX(max, l->took_ns);
		sum += (double)l->took_ns;
		squares += (double)l->took_ns * (double)l->took_ns;
	}
	if (!n)
		return;
	mean = sum / n;
	deviation = root(squares / n - mean * mean);
	out_number(o, "rtt_min_us", NULL, min / NSEC_PER_USEC);
	out_number(o, "rtt_avg_us", NULL, (uint64_t)(mean / NSEC_PER_USEC));
	out_number(o, "rtt_max_us", NULL, max / NSEC_PER_USEC);
	out_number(o, "rtt_mdev_us", NULL, (uint64_t)(deviation / NSEC_PER_USEC));
	if (!o->json)
		out_printf(o, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", (double)min / 1e6,
			   mean / 1e6, (double)max / 1e6, deviation / 1e6);
}

static void show_sum(const struct probe_job *j, struct output *o)
{
	const struct ping *p = (const struct ping *)j;
	unsigned int lost = p->sent - p->received;

	out_text_address(o, "\n--- ", j->probe.dst);
	out_text(o, " ping statistics ---\n");
	out_number(o, "transmitted", "", p->sent);
	out_number(o, "received", " packets transmitted, ", p->received);
	out_text(o, " received");
	if (p->duplicates || o->json)
		out_number(o, "duplicates", ", +", p->duplicates);
	if (p->duplicates)
		out_text(o, " duplicates");
	if (p->errors || o->json)
		out_number(o, "errors", ", +", p->errors);
	if (p->errors)
		out_text(o, " errors");
	out_number(o, "loss_percent", NULL, 100 * lost / p->sent);
	if (!o->json)
		out_printf(o, ", %g", 100.0 * lost / p->sent);
	out_number(o, "time_ms", "% packet loss, time ",
		   (j->ended_ns - j->began_ns) / NSEC_PER_MSEC);
	out_text(o, "ms\n");
	show_rtt(p, o);
}

static void show_head(const struct probe_job *j, struct output *o)
{
	out_address(o, "dst", "PING ", j->probe.dst);
	out_text_address(o, " (", j->probe.dst);
	out_text(o, ")");
	if (j->probe.src || o->json)
		out_address(o, "src", " from ", j->src);
	if (j->probe.src)
		out_text(o, " :");
	out_number(o, "size", " ", j->probe.data_bytes);
	if (!o->json)
		out_printf(o, "(%u) bytes of data.\n", j->probe.data_bytes + HEADERS);
}

static int verdict(const struct probe_job *j, struct error *err)
{
	char address[INET_ADDRSTRLEN];

	if (((const struct ping *)j)->received)
		return 0;
	return error_set(err, ENODATA, "\"%s\" does not answer",
			 inet_ntop(AF_INET, &j->probe.dst, address, sizeof(address)));
}

/* ---- */

static int take_interval(const struct value *v, struct ping *p, struct error *err)
{
	char *end = NULL;
	double seconds = v->given ? strtod(v->text, &end) : 1;

	if (v->given && (*end || !(seconds >= INTERVAL_MIN_S && seconds <= INTERVAL_MAX_S)))
		return error_set(err, EINVAL,
				 "-i: \"%s\" is not a number of seconds from 0.01 to 60", v->text);
	if (seconds * (p->count - 1) > DURATION_MAX_S)
		return error_set(err, EINVAL, "-c %u: that would take longer than ten minutes",
				 p->count);
	p->interval_ns = (uint64_t)(seconds * NSEC_PER_SEC);
	return 0;
}

static const struct probe_job_kind kind = {
	.on_answer = on_answer, .lines = "answers", .show_head = show_head, .n_lines = n_lines,
	.show_line = show_line, .show_sum = show_sum, .verdict = verdict,
};

static int take(const struct value *v, struct ping *p, struct output *o, struct error *err)
{
	int rc;

	p->count = v[PING_COUNT].given ? v[PING_COUNT].number : COUNT_PRESET;
	p->job.kind = &kind;
	p->job.wait_ns = (v[PING_WAIT].given ? v[PING_WAIT].number : WAIT_PRESET_S) * NSEC_PER_SEC;
	p->job.probe = (struct probe){
		.dst = v[PING_ADDR].address,
		.src = v[PING_SOURCE].given ? v[PING_SOURCE].address : 0,
		.data_bytes = (uint16_t)(v[PING_SIZE].given ? v[PING_SIZE].number : DATA_PRESET),
		.ttl = (uint8_t)(v[PING_TTL].given ? v[PING_TTL].number : 0),
		.pmtudisc = v[PING_DF].given ? (uint8_t)v[PING_DF].number : probe_pmtudisc(),
	};
	rc = take_interval(&v[PING_INTERVAL], p, err);
	return rc ? rc : probe_job_begin(&p->job, o, err);
}

static int begin(const struct value *v, struct output *o, struct error *err)
{
	struct ping *p = calloc(1, sizeof(*p));
	int rc = p ? take(v, p, o, err) : error_set(err, ENOMEM, "there is no memory");

	if (rc == 0)
		send_next(&p->job.timer, p->job.began_ns);
	else
		free(p);
	return rc;
}

static int run(const struct value *v, struct output *o, struct error *err)
{
	int rc = o && o->job && *o->job ? 0 : begin(v, o, err);

	return rc ? rc : probe_job_run(o, err);
}

static const struct command commands[] = {
	{NULL, "Ask an address for echoes, from the router. It ends by itself, or at Ctrl-C in "
	       "millctl, whose exit status is 1 if nobody answered.", run, COMMAND_ARGS(args)},
};

const struct noun noun_ping = {
	"ping", "echo requests from the router", NOUN_COMMANDS(commands),
};
