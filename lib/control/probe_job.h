/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ping and traceroute have in common: a job (job.h) that sends probes, notes what comes of
 * them, and shows that as lines, at once if the client wants to see it come, else at the end.
 */
#ifndef CONTROL_PROBE_JOB_H
#define CONTROL_PROBE_JOB_H

#include "control/job.h"
#include "control/output.h"
#include "core/error.h"
#include "core/timer.h"
#include "ipv4/probe.h"

struct probe_job {
	struct job job;                  /* first */
	const struct probe_job_kind *kind;
	struct probe probe;
	rte_be32_t src;                  /* probe.src, or the one that the way chose */
	int session;
	struct timer timer;
	uint64_t wait_ns, began_ns, ended_ns;
	bool done;
	bool head_shown;
	unsigned int n_shown;            /* of the lines */
};

struct probe_job_kind {
	probe_answer_fn on_answer;       /* its arg is the job */
	const char *lines;               /* what they are called in JSON */
	void (*show_head)(const struct probe_job *j, struct output *o);
	/* How many lines there are to which nothing more can come? */
	unsigned int (*n_lines)(const struct probe_job *j);
	void (*show_line)(const struct probe_job *j, unsigned int i, struct output *o);
	void (*show_sum)(const struct probe_job *j, struct output *o);  /* NULL: none */
	/* Did nothing come of it? Then -ENODATA, and why; NULL: something always does. */
	int (*verdict)(const struct probe_job *j, struct error *err);
};

/* Begin, if that is possible here and there is a way; kind and probe are set, and all else is zero.
 * The job is on *o->job then, which frees it. */
int probe_job_begin(struct probe_job *j, struct output *o, struct error *err);

/* Nothing more is sent or waited for. */
void probe_job_end(struct probe_job *j);

/* What a command returns that has begun or finds its job: shows what is to be shown, and takes the
 * job away if it is done, else -EINPROGRESS. */
int probe_job_run(struct output *o, struct error *err);

/* What an ICMP error says, in ping's words. */
const char *probe_error_text(const struct probe_answer *a);

#endif
