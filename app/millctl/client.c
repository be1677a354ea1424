/* SPDX-License-Identifier: BSD-3-Clause */
/* See client.h. */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_BYTES (64u << 10)

static bool not_connected(struct client *c, int code)
{
	if (code == ENOENT || code == ECONNREFUSED)
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

/* Nothing follows an answer before the next request, so its newline is the last byte. */
static bool receive_line(struct client *c)
{
	ssize_t n;

	c->len = 0;
	for (;;) {
		if (c->len == c->size && !grow(c))
			return false;
		n = recv(c->fd, c->line + c->len, c->size - c->len, 0);
		if (n <= 0)
			return false;
		c->len += (size_t)n;
		if (c->line[c->len - 1] == '\n') {
			c->len--;
			return true;
		}
	}
}

bool client_request(struct client *c, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id",
				    (json_int_t)++c->id, "method", method, "params", params);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;

	/* if it can not be sent there may still be a farewell to read */
	if (text && send_all(c, text, strlen(text)))
		send_all(c, "\n", 1);
	free(text);
	json_decref(request);
	return receive_line(c) || lost(c);
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
	size_t flags = JSON_ENCODE_ANY | (format == FORMAT_PRETTY ? JSON_INDENT(4) : JSON_COMPACT);

	if (json_is_null(result))
		return;
	if (format == FORMAT_TEXT && json_is_string(result)) {
		fwrite(json_string_value(result), 1, json_string_length(result), stdout);
		return;
	}
	json_dumpf(result, stdout, flags);
	putchar('\n');
}

/* A long table need not be read and written again to be passed on. */
static bool print_as_it_came(const struct client *c)
{
	char head[64];
	size_t n = (size_t)snprintf(head, sizeof(head),
				    "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":", c->id);

	if (c->len <= n || memcmp(c->line, head, n) != 0)
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

	if (!client_request(c, "run", json_pack("{s:o, s:s, s:b}", "argv", argv, "format",
						format == FORMAT_TEXT ? "text" : "json",
						"abbreviate", abbreviate)))
		return false;
	if (format == FORMAT_JSON && print_as_it_came(c))
		return true;
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
