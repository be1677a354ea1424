/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: JSON-RPC 2.0 over a Unix stream socket, one object a line (rpc.h).
 *
 * Nobody who connects can hold up the router or another client: lines, clients, unsent answers
 * and idle time are bounded, a client that does not read is not read from and then closed, and
 * after some milliseconds of commands in a row the event loop has its turn. Where there are as many
 * clients as may be, the one that has been idle longest makes room for the next.
 */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include <stddef.h>
#include <sys/types.h>

#include "core/error.h"

struct event_base;

/* What is 0 is left to its default. */
struct server_options {
	const char *path;            /* socket_path_default() */
	mode_t mode;                 /* 0600 */
	uid_t uid;                   /* owner of the socket: the process's */
	gid_t gid;                   /* group of the socket: the process's */
	unsigned int max_clients;    /* 32 */
	size_t max_line_bytes;       /* 1 MiB */
	size_t max_output_bytes;     /* answers not read yet, of all clients: 256 MiB */
	unsigned int idle_timeout_s; /* without a word from a client: 3600 */
	unsigned int write_timeout_s; /* without a client reading: 30 */
};

/* "0660"; "USER", "USER:GROUP" or ":GROUP" into the options. */
int server_parse_mode(struct server_options *o, const char *text, struct error *err);
int server_parse_owner(struct server_options *o, const char *text, struct error *err);

/* Refused if another process listens there. */
int server_check(const struct server_options *o, struct error *err);

/* Listen. Refused if another process listens there; a socket that nobody listens on is replaced.
 * SIGPIPE is ignored from here on. */
int server_start(struct event_base *base, const struct server_options *o, struct error *err);

/* Close all clients, sending what they take at once, and remove the socket. */
void server_stop(void);

#endif
