/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection to millrace: requests out, answers in, one line each. */
#ifndef MILLCTL_CLIENT_H
#define MILLCTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct client {
	const char *path;
	int fd;             /* -1: not connected */
	unsigned int id;    /* of the last request */
	char *line;         /* the last answer */
	size_t len, size;
	size_t filled;      /* bytes received, which may be more than the line */
};

/* How results are printed. */
enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_PRETTY };

/* Says on stderr what went wrong and returns false. */
bool client_connect(struct client *c, const char *path);
void client_close(struct client *c);

/* Send a request (takes over params, and tells where relative paths begin) and wait for its answer,
 * which stays in c->line until the next. Says on stderr what went wrong and returns false. */
bool client_request(struct client *c, const char *method, json_t *params);

/* The result in the answer, NULL after an error, which is said on stderr. The caller's. */
json_t *client_result(struct client *c);

/* Run one command and print its result. Says on stderr why it was refused and returns false. */
bool client_run(struct client *c, json_t *argv, bool abbreviate, enum format format);

/* Print the result of one command. */
void print_result(const json_t *result, enum format format);

/* argc words as a JSON array; NULL if they are not UTF-8 text. */
json_t *words_to_json(int argc, const char *const *argv);

#endif
