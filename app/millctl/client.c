/* SPDX-License-Identifier: BSD-3-Clause */
/* See client.h. */
#include "client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_BYTES (64u << 10)
#define REAL_DIGITS 15 /* with more, 1.4 is not printed as it came */

static bool is_other_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

static bool not_connected(struct client *c, int code)
{
	if (is_other_file(c->path))
		fprintf(stderr, "Error: %s is not a socket\n", c->path);
	else if (code == ENOENT || code == ECONNREFUSED)
		fprintf(stderr, "Error: no millrace is listening on %s (is it running?)\n",
			c->path);
	else
		fprintf(stderr, "Error: can not connect to %s: %s\n", c->path, strerror(code));
	client_close(c);
	return false;
}

bool client_connect(struct client *c, const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	c->path = path;
	c->fd = -1;
	if (strlen(path) >= sizeof(sun.sun_path))
		return not_connected(c, ENAMETOOLONG);
	strcpy(sun.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		return not_connected(c, errno);
	return true;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	free(c->line);
	c->line = NULL;
	c->len = 0;
	c->size = 0;
	c->filled = 0;
}

static bool lost(struct client *c)
{
	fprintf(stderr, "Error: the connection to millrace on %s is lost\n", c->path);
	client_close(c);
	return false;
}

static bool send_all(struct client *c, const char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= (size_t)n) {
		n = send(c->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return false;
	}
	return true;
}

static bool grow(struct client *c)
{
	size_t size = c->size ? c->size * 2 : FIRST_BYTES;
	char *line = realloc(c->line, size);

	if (!line)
		return false;
	c->line = line;
	c->size = size;
	return true;
}

/* Ctrl-C while an answer is waited for: the router is asked to come to its end, once; the next one
 * ends millctl as usual. Where the command does not take long the answer comes anyway. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = 1;
}

struct patience {
	struct sigaction before;
	sigset_t mask;
};

static void patience_begin(struct patience *p)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	sigset_t block;

	interrupted = 0;
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &p->mask);
	sigaction(SIGINT, NULL, &p->before);
	if (p->before.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
}

static void patience_end(const struct patience *p)
{
	sigaction(SIGINT, &p->before, NULL);
	sigprocmask(SIG_SETMASK, &p->mask, NULL);
}

static bool ask_to_stop(struct client *c, const struct patience *p)
{
	static const char stop[] = "{\"jsonrpc\":\"2.0\",\"method\":\"stop\"}\n";

	interrupted = 0;
	sigaction(SIGINT, &p->before, NULL);
	return send_all(c, stop, sizeof(stop) - 1);
}

/* Wait for something to come. */
static bool wait_for_more(struct client *c, const struct patience *p)
{
	struct pollfd fd = {.fd = c->fd, .events = POLLIN};

	while (ppoll(&fd, 1, NULL, &p->mask) < 0)
		if (errno != EINTR || (interrupted && !ask_to_stop(c, p)))
			return false;
	return true;
}

/* The next line, in place of the last one. */
static bool receive_line(struct client *c, const struct patience *p)
{
	size_t scanned = 0;
	const char *newline;
	ssize_t n;

	if (c->filled) {
		c->filled -= c->len + 1;
		memmove(c->line, c->line + c->len + 1, c->filled);
	}
	for (;;) {
		newline = c->filled > scanned ? memchr(c->line + scanned, '\n', c->filled - scanned)
					      : NULL;
		if (newline) {
			c->len = (size_t)(newline - c->line);
			return true;
		}
		scanned = c->filled;
		if ((c->filled == c->size && !grow(c)) || !wait_for_more(c, p))
			return false;
		n = recv(c->fd, c->line + c->filled, c->size - c->filled, 0);
		if (n <= 0)
			return false;
		c->filled += (size_t)n;
	}
}

/* Is the line no answer yet but what there is of it? Print that. */
static bool print_partial(const struct client *c)
{
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"method\":\"output\",";
	json_t *line, *text;

	if (c->len < sizeof(head) || memcmp(c->line, head, sizeof(head) - 1) != 0)
		return false;
	line = json_loadb(c->line, c->len, 0, NULL);
	text = json_object_get(json_object_get(line, "params"), "text");
	if (text)
		fwrite(json_string_value(text), 1, json_string_length(text), stdout);
	fflush(stdout);
	json_decref(line);
	return true;
}

static bool receive_answer(struct client *c)
{
	struct patience p;
	bool received;

	patience_begin(&p);
	do
		received = receive_line(c, &p);
	while (received && print_partial(c));
	patience_end(&p);
	return received;
}

bool client_request(struct client *c, const char *method, json_t *params)
{
	char directory[PATH_MAX];
	json_t *request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id",
				    (json_int_t)++c->id, "method", method, "params", params);
	char *text;

	if (getcwd(directory, sizeof(directory)))
		json_object_set_new(params, "directory", json_string(directory));
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	/* if it can not be sent there may still be a farewell to read */
	if (text && send_all(c, text, strlen(text)))
		send_all(c, "\n", 1);
	free(text);
	json_decref(request);
	return receive_answer(c) || lost(c);
}

json_t *client_result(struct client *c)
{
	json_t *answer = json_loadb(c->line, c->len, 0, NULL);
	json_t *result = json_incref(json_object_get(answer, "result"));
	const char *message = json_string_value(
		json_object_get(json_object_get(answer, "error"), "message"));

	if (!result)
		fprintf(stderr, "Error: %s\n", message ? message : "the answer is not understood");
	json_decref(answer);
	return result;
}

void print_result(const json_t *result, enum format format)
{
	size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS) |
		       (format == FORMAT_PRETTY ? JSON_INDENT(4) : JSON_COMPACT);

	if (!result || json_is_null(result))
		return;
	if (format == FORMAT_TEXT && json_is_string(result)) {
		fwrite(json_string_value(result), 1, json_string_length(result), stdout);
		return;
	}
	json_dumpf(result, stdout, flags);
	putchar('\n');
}

/* Does the answer have this member? Returns where its value begins, else 0. */
static size_t answer_has(const struct client *c, const char *member)
{
	char head[64];
	size_t n = (size_t)snprintf(head, sizeof(head), "{\"jsonrpc\":\"2.0\",\"id\":%u,\"%s\":",
				    c->id, member);

	return c->len > n && memcmp(c->line, head, n) == 0 ? n : 0;
}

/* An error may have a result with it. */
static void print_result_in_error(const struct client *c, enum format format)
{
	json_t *answer = json_loadb(c->line, c->len, 0, NULL);
	const json_t *data = json_object_get(json_object_get(answer, "error"), "data");

	print_result(json_object_get(data, "result"), format);
	fflush(stdout);
	json_decref(answer);
}

/* A long table need not be read and written again to be passed on. */
static bool print_as_it_came(const struct client *c)
{
	size_t n = answer_has(c, "result");

	if (!n)
		return false;
	if (c->len - n == strlen("null}") && memcmp(c->line + n, "null}", 5) == 0)
		return true;
	fwrite(c->line + n, 1, c->len - n - 1, stdout);
	putchar('\n');
	return true;
}

bool client_run(struct client *c, json_t *argv, bool abbreviate, enum format format)
{
	json_t *result;

	if (!client_request(c, "run", json_pack("{s:o, s:s, s:b, s:b}", "argv", argv, "format",
						format == FORMAT_TEXT ? "text" : "json",
						"abbreviate", abbreviate, "live",
						format == FORMAT_TEXT)))
		return false;
	if (format == FORMAT_JSON && print_as_it_came(c))
		return true;
	if (answer_has(c, "error"))
		print_result_in_error(c, format);
	result = client_result(c);
	if (!result)
		return false;
	print_result(result, format);
	json_decref(result);
	return true;
}

json_t *words_to_json(int argc, const char *const *argv)
{
	json_t *array = json_array();
	int i;

	for (i = 0; i < argc; i++) {
		if (json_array_append_new(array, json_string(argv[i])) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}
