/* SPDX-License-Identifier: BSD-3-Clause */
/* See control.h. */
#include "control/control.h"

#include <errno.h>

#include <event2/event.h>

#include "control/commands.h"
#include "control/tick.h"

static struct event *sampling;

static void on_sample(evutil_socket_t fd, short what, void *arg)
{
	worker_sample();
}

static int start_sampling(struct event_base *base, struct error *err)
{
	static const struct timeval second = {.tv_sec = 1};

	sampling = event_new(base, -1, EV_PERSIST, on_sample, NULL);
	if (!sampling || event_add(sampling, &second) < 0)
		return error_set(err, ENOMEM, "there is no memory for a timer");
	worker_sample();
	return 0;
}

int control_init(struct event_base *base, const struct control_options *o, struct error *err)
{
	int rc;

	shutdown_request = o->shutdown;
	shutdown_arg = o->arg;
	tick_duties = o->tick;
	tick_arg = o->arg;
	rc = start_sampling(base, err);
	if (rc == 0)
		rc = server_start(base, &o->server, err);
	if (rc < 0)
		control_fini();
	return rc;
}

void control_fini(void)
{
	server_stop();
	if (sampling)
		event_free(sampling);
	sampling = NULL;
	shutdown_request = NULL;
	tick_duties = NULL;
}
