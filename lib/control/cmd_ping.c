/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ping: echo requests from the router, and what came of each, printed as iputils' ping does. It
 * takes a while (job.h): a timer sends, answers are noted as they come, and printed at once if
 * the client wants to see them come, else at the end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "control/commands.h"
#include "control/job.h"
#include "core/clock.h"
#include "core/timer.h"
#include "ipv4/probe.h"

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
	struct job job;                  /* first */
	int session;
	struct probe probe;
	rte_be32_t src;                  /* as asked, for the head */
	unsigned int count, sent, received, duplicates, errors, n_lines;
	uint64_t interval_ns, wait_ns, began_ns, ended_ns;
	struct timer timer;
	bool done, begun_showing;
	unsigned int n_shown;            /* of the lines */
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
		       .max = PROBE_DATA_MAX - 8, .help = "of data in each (56)"},
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

static void finish(struct ping *p)
{
	timer_stop(&p->timer);
	p->ended_ns = clock_now_ns();
	p->done = true;
}

static unsigned int answered(const struct ping *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->sent; i++)
		n += p->answered[i];
	return n;
}

static void waited(struct timer *t, uint64_t now_ns)
{
	finish(RTE_PTR_SUB(t, offsetof(struct ping, timer)));
}

static void on_answer(const struct probe_answer *a, void *arg)
{
	unsigned int i = a->seq - 1u;
	struct ping *p = arg;
	bool reply = !a->local_error && a->type == 0;

	if (i >= p->sent || p->done)
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
		finish(p);
}

static void send_next(struct timer *t, uint64_t now_ns)
{
	struct ping *p = RTE_PTR_SUB(t, offsetof(struct ping, timer));

	p->sent_ns[p->sent++] = clock_now_ns();
	p->probe.seq = (uint16_t)p->sent;
	if (probe_send(p->session, &p->probe))
		on_answer(&(struct probe_answer){.seq = p->probe.seq, .local_error = true}, p);
	if (p->done)
		return;
	if (p->sent < p->count)
		timer_set(t, now_ns + p->interval_ns, send_next);
	else
		timer_set(t, now_ns + p->wait_ns, waited);
}

static void ping_free(struct job *job)
{
	struct ping *p = (struct ping *)job;

	timer_stop(&p->timer);
	probe_close(p->session);
	free(p);
}

static void ping_stop(struct job *job)
{
	struct ping *p = (struct ping *)job;

	if (!p->done)
		finish(p);
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

const char *probe_error_text(const struct probe_answer *a)
{
	static const char *const unreachable[] = {
		"Destination Net Unreachable", "Destination Host Unreachable",
		"Destination Protocol Unreachable", "Destination Port Unreachable",
		"Frag needed and DF set", "Source Route Failed", "Destination Net Unknown",
		"Destination Host Unknown", "Source Host Isolated", "Destination Net Prohibited",
		"Destination Host Prohibited", "Destination Net Unreachable for Type of Service",
		"Destination Host Unreachable for Type of Service", "Packet filtered",
		"Precedence Violation", "Precedence Cutoff",
	};

	if (a->type == 3)
		return a->code < RTE_DIM(unreachable) ? unreachable[a->code]
						      : "Destination Unreachable";
	if (a->type == 11)
		return a->code ? "Frag reassembly time exceeded" : "Time to live exceeded";
	return a->type == 12 ? "Parameter problem" : "Error";
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

static void show_line(const struct line *l, struct output *o)
{
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

static void show_sum(const struct ping *p, struct output *o)
{
	unsigned int lost = p->sent - p->received;

	out_text_address(o, "\n--- ", p->probe.dst);
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
		   (p->ended_ns - p->began_ns) / NSEC_PER_MSEC);
	out_text(o, "ms\n");
	show_rtt(p, o);
}

static void show_head(const struct ping *p, struct output *o)
{
	out_address(o, "dst", "PING ", p->probe.dst);
	out_text_address(o, " (", p->probe.dst);
	out_text(o, ")");
	if (p->src || o->json)
		out_address(o, "src", " from ", p->probe.src);
	if (p->src)
		out_text(o, " :");
	out_number(o, "size", " ", p->probe.data_bytes);
	if (!o->json)
		out_printf(o, "(%u) bytes of data.\n", p->probe.data_bytes + HEADERS);
}

/* What was not shown yet. */
static void show_news(struct ping *p, struct output *o)
{
	if (!p->begun_showing)
		show_head(p, o);
	p->begun_showing = true;
	out_array(o, "answers");
	while (p->n_shown < p->n_lines)
		show_line(&p->lines[p->n_shown++], o);
	out_array_end(o);
}

/* ---- */

int probe_begin(rte_be32_t dst, rte_be32_t *src, const struct output *o, struct error *err)
{
	char address[INET_ADDRSTRLEN];
	int rc;

	if (!o || !o->job)
		return error_set(err, EOPNOTSUPP, "this takes a while; it can not be done in a "
						  "batch, an array or a configuration file");
	if (clock_mode() == CLOCK_PACKET)
		return error_set(err, EOPNOTSUPP, "nobody answers where time is replayed "
						  "(--time packet)");
	rc = probe_route(dst, src);
	if (rc == -EADDRNOTAVAIL)
		return error_set(err, -rc, "\"%s\" is not an address of this router",
				 inet_ntop(AF_INET, src, address, sizeof(address)));
	return rc ? error_set(err, -rc, "connect: %s: %s", strerror(-rc),
			      inet_ntop(AF_INET, &dst, address, sizeof(address))) : 0;
}

static int take_interval(const struct value *v, struct ping *p, struct error *err)
{
	char *end = NULL;
	double seconds = v->given ? strtod(v->text, &end) : 1;

	if (v->given && (*end || !(seconds >= INTERVAL_MIN_S && seconds <= INTERVAL_MAX_S)))
		return error_set(err, EINVAL, "-i: \"%s\" is not a number of seconds from 0.01 to 60",
				 v->text);
	if (seconds * (p->count - 1) > DURATION_MAX_S)
		return error_set(err, EINVAL, "-c %u: that would take longer than ten minutes",
				 p->count);
	p->interval_ns = (uint64_t)(seconds * NSEC_PER_SEC);
	return 0;
}

static int take(const struct value *v, struct ping *p, const struct output *o, struct error *err)
{
	int rc;

	p->job.free = ping_free;
	p->job.stop = ping_stop;
	p->count = v[PING_COUNT].given ? v[PING_COUNT].number : COUNT_PRESET;
	p->wait_ns = (v[PING_WAIT].given ? v[PING_WAIT].number : WAIT_PRESET_S) * NSEC_PER_SEC;
	p->src = v[PING_SOURCE].given ? v[PING_SOURCE].address : 0;
	p->probe = (struct probe){
		.dst = v[PING_ADDR].address,
		.src = p->src,
		.data_bytes = (uint16_t)(v[PING_SIZE].given ? v[PING_SIZE].number : DATA_PRESET),
		.ttl = (uint8_t)(v[PING_TTL].given ? v[PING_TTL].number : 0),
		.pmtudisc = v[PING_DF].given ? (uint8_t)v[PING_DF].number : probe_pmtudisc(),
	};
	rc = take_interval(&v[PING_INTERVAL], p, err);
	if (rc)
		return rc;
	rc = probe_begin(p->probe.dst, &p->probe.src, o, err);
	if (rc)
		return rc;
	p->session = probe_open(on_answer, p);
	return p->session < 0 ? error_set(err, EBUSY, "too many are asking already") : 0;
}

static int begin(const struct value *v, struct output *o, struct error *err)
{
	struct ping *p = calloc(1, sizeof(*p));
	int rc = p ? take(v, p, o, err) : error_set(err, ENOMEM, "there is no memory");

	if (rc) {
		free(p);
		return rc;
	}
	p->began_ns = clock_now_ns();
	*o->job = &p->job;
	if (o->live)
		show_news(p, o);
	send_next(&p->timer, p->began_ns);
	return -EINPROGRESS;
}

static int run(const struct value *v, struct output *o, struct error *err)
{
	struct ping *p;

	if (!o || !o->job || !*o->job)
		return begin(v, o, err);
	p = (struct ping *)*o->job;
	if (!p->done) {
		if (o->live)
			show_news(p, o);
		return -EINPROGRESS;
	}
	out_object(o, NULL);
	show_news(p, o);
	show_sum(p, o);
	out_object_end(o);
	*o->job = NULL;
	ping_free(&p->job);
	return 0;
}

static const struct command commands[] = {
	{NULL, "Ask an address for echoes, from the router. It ends by itself, or at Ctrl-C in "
	       "millctl.", run, COMMAND_ARGS(args)},
};

const struct noun noun_ping = {
	"ping", "echo requests from the router", NOUN_COMMANDS(commands),
};
