/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that take a while, on a thread that must not wait.
 *
 * Such a command begins its work when it is run first, leaves a job in *o->job and returns
 * -EINPROGRESS. The same words are run again every few milliseconds, until the command finds its
 * job done, prints, takes the job away and returns what it has to. Where o->live says that the
 * client wants to see it come, what it writes to o before it is done is shown at once, and it
 * writes only the rest at the end. Meanwhile the client's further lines wait, and nobody else's
 * do; but if the next one is `stop` the job is told to come to its end. Where o->job is NULL (a
 * batch, an array of requests, a configuration file) such commands are refused.
 */
#ifndef CONTROL_JOB_H
#define CONTROL_JOB_H

struct job {
	void (*free)(struct job *job);   /* the client has gone: stop and free */
	void (*stop)(struct job *job);   /* be done as soon as may be */
};

#endif
