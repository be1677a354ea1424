/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker show: where the workers run and how busy they are. The load is that of the last second
 * (a share of the time in which a loop found packets); the other figures are since the start. A
 * worker whose queues give full bursts can't keep up. worker set: which queues it polls.
 */
#include <sched.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

#include "control/commands.h"
#include "core/worker.h"
#include "link/link.h"

/* Of each worker, when it was last looked at and what it did in the time before. */
static struct {
	uint64_t at_cycles, busy_cycles;
	double busy_percent;
} samples[WORKERS_MAX];

void worker_sample(void)
{
	uint64_t now = rte_rdtsc(), busy, elapsed;
	unsigned int i;

	for (i = 0; i < workers_count; i++) {
		busy = __atomic_load_n(&workers[i]->busy_cycles, __ATOMIC_RELAXED);
		elapsed = now - samples[i].at_cycles;
		if (samples[i].at_cycles && elapsed)
			samples[i].busy_percent =
				100.0 * (double)(busy - samples[i].busy_cycles) / (double)elapsed;
		samples[i].at_cycles = now;
		samples[i].busy_cycles = busy;
	}
}

/* The first CPU that the worker's lcore may run on. */
static unsigned int cpu_of(const struct worker *w)
{
	rte_cpuset_t cpus = rte_lcore_cpuset(w->lcore);
	unsigned int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			return cpu;
	return 0;
}

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void show_queue(const struct link *l, unsigned int q, const struct link_queue_stats *s,
		       struct output *o)
{
	out_object(o, NULL);
	out_string(o, "dev", "    ", l->name);
	out_number(o, "queue", " rx queue ", q);
	out_number(o, "packets", " packets ", s->packets);
	out_number(o, "bytes", " bytes ", s->bytes);
	out_number(o, "bursts", "\n        bursts ", s->bursts);
	out_decimal(o, "mean_burst", " packets/burst ", ratio(s->packets, s->bursts));
	out_decimal(o, "full_percent", " full ", 100 * ratio(s->full, s->bursts));
	out_text(o, "%");
	out_text(o, "\n");
	out_object_end(o);
}

static void show_queues(unsigned int id, struct output *o)
{
	struct link_queue_stats s;
	unsigned int i, q, owner;
	const struct link *l;

	out_array(o, "queues");
	for (i = 0; i < LINKS_MAX; i++) {
		l = link_get(i);
		if (!l || i == LINK_LO)
			continue;
		for (q = 0; q < l->n_rxq; q++) {
			link_rxq_stats_get(l, q, &s, &owner);
			if (owner == id)
				show_queue(l, q, &s, o);
		}
	}
	out_array_end(o);
}

static void show_worker(const struct worker *w, struct output *o)
{
	out_object(o, NULL);
	out_number(o, "id", "worker ", w->id);
	out_number(o, "lcore", ": lcore ", w->lcore);
	out_number(o, "cpu", " cpu ", cpu_of(w));
	out_signed(o, "socket", " socket ", w->socket);
	out_decimal(o, "busy_percent", " busy ", samples[w->id].busy_percent);
	out_number(o, "loops", "%\n    loops ", w->loops);
	out_number(o, "busy_loops", " with packets ", w->busy_loops);
	out_number(o, "packets", "\n    packets ", w->packets);
	out_decimal(o, "cycles_per_packet", " cycles/packet ", ratio(w->busy_cycles, w->packets));
	out_decimal(o, "packets_per_loop", " packets/loop ", ratio(w->packets, w->busy_loops));
	out_text(o, "\n");
	show_queues(w->id, o);
	out_object_end(o);
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	unsigned int i;

	out_array(o, NULL);
	for (i = 0; i < workers_count; i++)
		show_worker(workers[i], o);
	out_array_end(o);
	return 0;
}

enum { SET_WORKER, SET_DEV, SET_RXQ };

static const struct arg set_args[] = {
	[SET_WORKER] = {.word = "worker", .name = "N", .type = ARG_NUMBER, .bare = true,
			.required = true, .max = WORKERS_MAX - 1, .help = "the worker, from 0"},
	[SET_DEV] = {.word = "dev", .name = "NAME", .type = ARG_LINK, .required = true,
		     .help = "the link"},
	[SET_RXQ] = {.word = "rxq", .name = "QUEUE", .type = ARG_NUMBER, .required = true,
		     .max = UINT16_MAX, .help = "its receive queue, from 0"},
};

static int run_set(const struct value *v, struct output *o, struct error *err)
{
	return link_rxq_assign(v[SET_DEV].link, v[SET_RXQ].number, v[SET_WORKER].number, err);
}

static const struct command commands[] = {
	{"set", "Have a worker poll a receive queue, which another does not any more.", run_set,
	 COMMAND_ARGS(set_args)},
	{"show", "List the workers, their load and the queues that they poll.", run_show},
};

const struct noun noun_worker = {
	"worker", "the threads that forward packets", NOUN_COMMANDS(commands),
};
