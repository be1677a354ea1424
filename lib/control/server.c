/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See server.h. A client is a bufferevent. Lines are handled in turns: a turn ends after some
 * milliseconds or when enough answers wait to be sent, and goes on when the event loop comes by
 * again or when the client has read. Between the two watermarks of its buffers a client costs at
 * most a line of input, and all clients together at most the limit of output.
 */
#include "control/server.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "control/job.h"
#include "control/listener.h"
#include "control/rpc.h"
#include "control/socket_path.h"
#include "core/clock.h"

#define TURN_NS (2 * NSEC_PER_MSEC)
#define UNSENT_HIGH_BYTES (256u << 10)  /* beyond this a client has to read first */
#define UNSENT_LOW_BYTES (64u << 10)
#define READ_BYTES (64u << 10)
#define STOP_BYTES 256                  /* a line that says `stop` is no longer */
#define JOB_US 10000                    /* between two looks at a job */

struct client {
	LIST_ENTRY(client) entry;
	struct bufferevent *bev;
	struct event *resume;       /* the next turn */
	struct job *job;            /* of the command in the first line, which goes on */
	size_t scanned;             /* input bytes without a newline */
	uint64_t last_ns;           /* when something came, or the last answer was sent */
	uint64_t partial_since_ns;  /* when the line now coming in began; 0: none */
	unsigned int timeout_s;     /* how long it may be silent */
	bool ended;                 /* will send no more */
	bool closing;               /* goes when the answers are sent */
};

static struct {
	struct event_base *base;
	struct server_options options;
	char path[PATH_MAX];
	struct evconnlistener *listener;
	struct event *listen_again;
	LIST_HEAD(, client) clients;
	unsigned int n_clients;
	struct output answer;
} server;

static size_t unsent(const struct client *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

static size_t unsent_of_all(void)
{
	const struct client *c;
	size_t sum = 0;

	LIST_FOREACH(c, &server.clients, entry)
		sum += unsent(c);
	return sum;
}

static void client_free(struct client *c)
{
	LIST_REMOVE(c, entry);
	server.n_clients--;
	if (c->job)
		c->job->free(c->job);
	event_free(c->resume);
	bufferevent_free(c->bev);
	free(c);
}

/* Close once what is written has been sent. Returns false if the client is gone already. */
static bool client_close(struct client *c)
{
	if (unsent(c) == 0) {
		client_free(c);
		return false;
	}
	c->closing = true;
	bufferevent_disable(c->bev, EV_READ);
	return true;
}

static void free_data(const void *data, size_t len, void *arg)
{
	free((void *)(uintptr_t)data);
}

/* Give the answers of a turn to the client; long ones without copying them. */
static bool send_answers(struct client *c)
{
	struct output *o = &server.answer;
	struct evbuffer *out = bufferevent_get_output(c->bev);
	int rc;

	if (o->full)
		return false;
	if (o->len == 0)
		return true;
	if (o->len < UNSENT_LOW_BYTES)
		return evbuffer_add(out, o->data, o->len) == 0;
	rc = evbuffer_add_reference(out, o->data, o->len, free_data, NULL);
	if (rc == 0)
		memset(o, 0, sizeof(*o));
	return rc == 0;
}

/* Bytes of the next line without its newline; -1: it has not come in whole. */
static ssize_t next_line(struct client *c, struct evbuffer *in)
{
	struct evbuffer_ptr at;
	size_t len = evbuffer_get_length(in);

	if (evbuffer_ptr_set(in, &at, c->scanned, EVBUFFER_PTR_SET) == 0)
		at = evbuffer_search(in, "\n", 1, &at);
	else
		at.pos = -1;
	if (at.pos >= 0)
		return at.pos;
	if (c->ended && len)
		return (ssize_t)len;
	c->scanned = len;
	return -1;
}

static bool is_empty(const char *line, size_t len)
{
	return len == 0 || (len == 1 && line[0] == '\r');
}

/* Handle one line. false: there is none that could be handled. */
static bool handle_line(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	ssize_t len = next_line(c, in);
	const char *line;

	if (len < 0 || (size_t)len > server.options.max_line_bytes)
		return false;
	c->scanned = 0;
	c->partial_since_ns = 0;
	line = (const char *)evbuffer_pullup(in, len);
	server.answer.job = &c->job;
	if (len && line && !is_empty(line, (size_t)len))
		rpc_handle(line, (size_t)len, &server.answer);
	server.answer.job = NULL;
	if (c->job)
		return false;
	evbuffer_drain(in, (size_t)len + 1);
	return true;
}

/* Behind the line whose command goes on: does the next one say that it is to end? */
static void look_for_stop(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer_ptr first = evbuffer_search(in, "\n", 1, NULL), next;
	char line[STOP_BYTES];
	ssize_t len;

	if (first.pos < 0 || !c->job->stop || evbuffer_ptr_set(in, &first, 1, EVBUFFER_PTR_ADD))
		return;
	next = evbuffer_search(in, "\n", 1, &first);
	if (next.pos < 0 || next.pos - first.pos > STOP_BYTES)
		return;
	len = evbuffer_copyout_from(in, &first, line, (size_t)(next.pos - first.pos));
	if (len > 0 && rpc_is_stop(line, (size_t)len))
		c->job->stop(c->job);
}

/* Who sends no more may still read; who has closed the connection does not. */
static bool is_gone(const struct client *c)
{
	struct pollfd p = {.fd = bufferevent_getfd(c->bev)};

	return c->ended && poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR);
}

static void set_timeouts(struct client *c, unsigned int read_s)
{
	struct timeval idle = {.tv_sec = read_s};
	struct timeval writing = {.tv_sec = server.options.write_timeout_s};

	if (c->timeout_s == read_s)
		return;
	c->timeout_s = read_s;
	bufferevent_set_timeouts(c->bev, &idle, &writing);
}

/* Is what has come in of a line too much, or too old? */
static bool line_is_hopeless(struct client *c)
{
	size_t len = evbuffer_get_length(bufferevent_get_input(c->bev));
	uint64_t now = clock_monotonic_ns();
	uint64_t limit_ns = server.options.write_timeout_s * NSEC_PER_SEC;

	if (len == 0) {
		set_timeouts(c, server.options.idle_timeout_s);
		return false;
	}
	if (len > server.options.max_line_bytes) {
		rpc_answer_error(&server.answer, RPC_LIMIT, "the line is too long");
		return true;
	}
	if (!c->partial_since_ns) {
		c->partial_since_ns = now;
		set_timeouts(c, server.options.write_timeout_s);
	}
	return now - c->partial_since_ns > limit_ns;
}

/* One turn: lines until there is none, time is over, or the client has to read first. */
static void client_turn(struct client *c)
{
	static const struct timeval at_once, job_later = {.tv_usec = JOB_US};
	uint64_t end_ns = clock_monotonic_ns() + TURN_NS;
	bool more = true, hopeless = false;
	size_t waiting = unsent(c), others = unsent_of_all();

	if (c->closing)
		return;
	out_reset(&server.answer, true);
	server.answer.limit = server.options.max_output_bytes -
			      (others < server.options.max_output_bytes ? others : 0);
	if (waiting < UNSENT_HIGH_BYTES) {
		do {
			more = handle_line(c);
		} while (more && waiting + server.answer.len < UNSENT_HIGH_BYTES &&
			 clock_monotonic_ns() < end_ns);
		hopeless = !more && !c->job && line_is_hopeless(c);
	}
	if (!send_answers(c)) {
		client_free(c);
		return;
	}
	if (c->job && is_gone(c)) {
		client_free(c);
		return;
	}
	if (c->job) {
		look_for_stop(c);
		if (!c->ended)
			bufferevent_enable(c->bev, EV_READ);
		event_add(c->resume, &job_later);
		return;
	}
	if (hopeless || (!more && c->ended)) {
		client_close(c);
		return;
	}
	if (!more)
		bufferevent_enable(c->bev, EV_READ);
	else if (unsent(c) < UNSENT_HIGH_BYTES)
		event_add(c->resume, &at_once);
	else
		bufferevent_disable(c->bev, EV_READ);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	client_turn(arg);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	c->last_ns = clock_monotonic_ns();
	client_turn(c);
}

/* The client has read what waited for it. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	c->last_ns = clock_monotonic_ns();
	if (!c->closing)
		client_turn(c);
	else if (unsent(c) == 0)
		client_free(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	if (!(what & BEV_EVENT_EOF)) {
		client_free(c);
		return;
	}
	c->ended = true;
	client_turn(c);
}

static struct client *client_new(int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->resume = evtimer_new(server.base, on_resume, c);
	c->bev = bufferevent_socket_new(server.base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->resume && c->bev)
		return c;
	if (c->resume)
		event_free(c->resume);
	if (c->bev)
		bufferevent_free(c->bev);
	else
		close(fd);
	free(c);
	return NULL;
}

static void refuse(int fd)
{
	struct output o = {.limit = 0};

	rpc_answer_error(&o, RPC_LIMIT, "there are too many clients");
	send(fd, o.data, o.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	out_free(&o);
	close(fd);
}

/* Is no command of this client under way, nor an answer, nor a line that was not read yet? */
static bool is_idle(const struct client *c)
{
	char byte;

	return !c->job && !c->ended && unsent(c) == 0 && !evtimer_pending(c->resume, NULL) &&
	       recv(bufferevent_getfd(c->bev), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

/* Close the client that has been idle longest. False: all are busy. */
static bool make_room(void)
{
	struct client *c, *longest = NULL;

	LIST_FOREACH(c, &server.clients, entry)
		if (is_idle(c) && (!longest || c->last_ns < longest->last_ns))
			longest = c;
	if (!longest)
		return false;
	refuse(dup(bufferevent_getfd(longest->bev)));
	client_free(longest);
	return true;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *arg)
{
	struct client *c;

	if (server.n_clients >= server.options.max_clients && !make_room()) {
		refuse(fd);
		return;
	}
	c = client_new(fd);
	if (!c)
		return;
	c->last_ns = clock_monotonic_ns();
	LIST_INSERT_HEAD(&server.clients, c, entry);
	server.n_clients++;
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, server.options.max_line_bytes + 2);
	bufferevent_setwatermark(c->bev, EV_WRITE, UNSENT_LOW_BYTES, 0);
	bufferevent_set_max_single_read(c->bev, READ_BYTES);
	bufferevent_set_max_single_write(c->bev, UNSENT_HIGH_BYTES);
	set_timeouts(c, server.options.idle_timeout_s);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* No file descriptors, for one: rest a second instead of asking again at once. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	static const struct timeval second = {.tv_sec = 1};

	evconnlistener_disable(listener);
	event_add(server.listen_again, &second);
}

static void on_listen_again(evutil_socket_t fd, short what, void *arg)
{
	evconnlistener_enable(server.listener);
}

static void set_defaults(struct server_options *o)
{
	if (o->path)
		snprintf(server.path, sizeof(server.path), "%s", o->path);
	else
		socket_path_default(server.path, sizeof(server.path));
	o->path = server.path;
	o->mode = o->mode ? o->mode : 0600;
	o->max_clients = o->max_clients ? o->max_clients : 32;
	o->max_line_bytes = o->max_line_bytes ? o->max_line_bytes : 1 << 20;
	o->max_output_bytes = o->max_output_bytes ? o->max_output_bytes : OUTPUT_LIMIT;
	o->idle_timeout_s = o->idle_timeout_s ? o->idle_timeout_s : 3600;
	o->write_timeout_s = o->write_timeout_s ? o->write_timeout_s : 30;
}

int server_check(const struct server_options *options, struct error *err)
{
	char path[PATH_MAX];

	return listener_check(options->path ? options->path
					    : socket_path_default(path, sizeof(path)), err);
}

int server_start(struct event_base *base, const struct server_options *options, struct error *err)
{
	int fd;

	server.base = base;
	server.options = *options;
	set_defaults(&server.options);
	LIST_INIT(&server.clients);
	fd = listener_open(&server.options, err);
	if (fd < 0)
		return fd;
	signal(SIGPIPE, SIG_IGN);
	server.listen_again = evtimer_new(base, on_listen_again, NULL);
	server.listener = evconnlistener_new(base, on_accept, NULL,
					     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!server.listener || !server.listen_again) {
		if (!server.listener)
			close(fd);
		server_stop();
		return error_set(err, ENOMEM, "there is no memory for the control socket");
	}
	evconnlistener_set_error_cb(server.listener, on_accept_error);
	return 0;
}

/* What the client takes at once: the answer to `shutdown`, most of all. */
static void send_last_words(struct client *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	evbuffer_unfreeze(out, 1);
	evbuffer_write(out, bufferevent_getfd(c->bev));
}

void server_stop(void)
{
	struct client *c;

	if (server.options.path)
		listener_remove(server.options.path);
	while ((c = LIST_FIRST(&server.clients))) {
		send_last_words(c);
		client_free(c);
	}
	if (server.listener)
		evconnlistener_free(server.listener);
	if (server.listen_again)
		event_free(server.listen_again);
	out_free(&server.answer);
	memset(&server, 0, sizeof(server));
}
