/* SPDX-License-Identifier: BSD-3-Clause */
/* See probe_job.h. */
#include "control/probe_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_common.h>

#include "core/clock.h"

/* May it begin here, and is there a way? Finds the source, in *src, where none is asked for. */
static int check(const struct probe *p, rte_be32_t *src, const struct output *o, struct error *err)
{
	char address[INET_ADDRSTRLEN];
	int rc;

	if (!o || !o->job)
		return error_set(err, EOPNOTSUPP, "this takes a while; it can not be done in a "
						  "batch, an array or a configuration file");
	if (clock_mode() == CLOCK_PACKET)
		return error_set(err, EOPNOTSUPP, "nobody answers where time is replayed "
						  "(--time packet)");
	*src = p->src;
	rc = probe_route(p->dst, src);
	if (rc == -EADDRNOTAVAIL)
		return error_set(err, -rc, "\"%s\" is not an address of this router",
				 inet_ntop(AF_INET, &p->src, address, sizeof(address)));
	return rc ? error_set(err, -rc, "connect: %s: %s", strerror(-rc),
			      inet_ntop(AF_INET, &p->dst, address, sizeof(address))) : 0;
}

void probe_job_end(struct probe_job *j)
{
	timer_stop(&j->timer);
	j->ended_ns = clock_now_ns();
	j->done = true;
}

static void job_stop(struct job *job)
{
	struct probe_job *j = (struct probe_job *)job;

	if (!j->done)
		probe_job_end(j);
}

static void job_free(struct job *job)
{
	struct probe_job *j = (struct probe_job *)job;

	timer_stop(&j->timer);
	probe_close(j->session);
	free(j);
}

int probe_job_begin(struct probe_job *j, struct output *o, struct error *err)
{
	int rc = check(&j->probe, &j->src, o, err);

	if (rc)
		return rc;
	j->session = probe_open(j->kind->on_answer, j);
	if (j->session < 0)
		return error_set(err, EBUSY, "too many are asking already");
	j->job = (struct job){.free = job_free, .stop = job_stop};
	j->began_ns = clock_now_ns();
	*o->job = &j->job;
	return 0;
}

/* What was not shown yet. */
static void show_news(struct probe_job *j, struct output *o)
{
	if (!j->head_shown)
		j->kind->show_head(j, o);
	j->head_shown = true;
	out_array(o, j->kind->lines);
	while (j->n_shown < j->kind->n_lines(j))
		j->kind->show_line(j, j->n_shown++, o);
	out_array_end(o);
}

int probe_job_run(struct output *o, struct error *err)
{
	struct probe_job *j = (struct probe_job *)*o->job;
	int rc = 0;

	if (!j->done) {
		if (o->live)
			show_news(j, o);
		return -EINPROGRESS;
	}
	out_object(o, NULL);
	show_news(j, o);
	if (j->kind->show_sum)
		j->kind->show_sum(j, o);
	out_object_end(o);
	if (j->kind->verdict)
		rc = j->kind->verdict(j, err);
	*o->job = NULL;
	job_free(&j->job);
	return rc;
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
