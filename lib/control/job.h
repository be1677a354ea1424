/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that take a while, on a thread that must not wait.
 *
 * Such a command begins its work when it is run first, leaves a job in *o->job and returns
 * -EINPROGRESS. The same words are run again every few milliseconds, until the command finds its
 * job done, prints, takes the job away and returns what it has to. Meanwhile the client's
 * further lines wait, and nobody else's do. Where o->job is NULL (a batch, an array of requests,
 * a configuration file) such commands are refused.
 */
#ifndef CONTROL_JOB_H
#define CONTROL_JOB_H

struct job {
	void (*free)(struct job *job);   /* the client has gone: stop and free */
};

#endif
