/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See batch.h. Commands travel in bunches: what one read() brought, up to a number of them. So a
 * large file goes fast, and whoever writes a command to our standard input and waits for its
 * answer gets it. The router stops a bunch at the first error, as if they had come one by one.
 */
#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/words.h"

#define BUNCH_COMMANDS 512
#define BUNCH_BYTES (256u << 10)
#define LINE_BYTES_MAX (256u << 10)

struct batch {
	struct client *client;
	const char *name;
	bool force;
	enum format format;
	bool refused;                      /* one was, up to now */
	unsigned int line;                 /* of the file */
	json_t *bunch;
	unsigned int lines[BUNCH_COMMANDS]; /* where the commands of the bunch stood */
	size_t bytes;                      /* of the bunch */
};

/* Returns whether to go on. */
static bool refuse(struct batch *b, unsigned int line, const char *message)
{
	fflush(stdout);
	fprintf(stderr, "Error: %s:%u: %s\n", b->name, line, message);
	b->refused = true;
	return b->force;
}

static bool take_one(struct batch *b, unsigned int line, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");
	const char *message = json_string_value(
		json_object_get(json_object_get(answer, "error"), "message"));

	if (!result)
		return refuse(b, line, message ? message : "the answer is not understood");
	print_result(result, b->format);
	return true;
}

/* Send the bunch. Returns whether to go on. */
static bool send_bunch(struct batch *b)
{
	json_t *bunch = b->bunch, *answers, *answer;
	size_t i, sent = json_array_size(bunch);
	bool go_on;

	b->bunch = json_array();
	b->bytes = 0;
	if (sent == 0) {
		json_decref(bunch);
		return true;
	}
	answers = client_request(b->client, "batch",
				 json_pack("{s:o, s:s, s:b}", "commands", bunch, "format",
					   b->format == FORMAT_TEXT ? "text" : "json", "force",
					   b->force)) ?
			  client_result(b->client) :
			  NULL;
	if (!answers) {
		b->refused = true;
		return false;
	}
	go_on = json_array_size(answers) == sent;
	json_array_foreach(answers, i, answer)
		go_on = i < sent && take_one(b, b->lines[i], answer) && go_on;
	json_decref(answers);
	fflush(stdout);
	return go_on;
}

/* A line that can not be sent; those before it go first. Returns whether to go on. */
static bool refuse_line(struct batch *b, const char *message)
{
	return send_bunch(b) && refuse(b, b->line, message);
}

static bool take_line(struct batch *b, char *line, size_t len)
{
	const char *argv[WORDS_MAX];
	json_t *words;
	int argc;

	b->line++;
	if (strlen(line) != len)
		return refuse_line(b, "there is a 0 byte on the line");
	argc = words_split(line, argv);
	if (argc < 0)
		return refuse_line(b, words_error_text(argc));
	if (argc == 0)
		return true;
	words = words_to_json(argc, argv);
	if (!words)
		return refuse_line(b, "the line is not UTF-8 text");
	b->lines[json_array_size(b->bunch)] = b->line;
	json_array_append_new(b->bunch, words);
	b->bytes += len;
	if (json_array_size(b->bunch) < BUNCH_COMMANDS && b->bytes < BUNCH_BYTES)
		return true;
	return send_bunch(b);
}

/* All whole lines in the buffer; moves the rest to its beginning. Returns whether to go on. */
static bool take_lines(struct batch *b, char *data, size_t *len)
{
	char *line = data, *end = data + *len, *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
		*newline = 0;
		if (!take_line(b, line, (size_t)(newline - line)))
			return false;
		line = newline + 1;
	}
	*len = (size_t)(end - line);
	memmove(data, line, *len);
	return send_bunch(b);
}

/* Returns false when reading failed. */
static bool read_all(struct batch *b, int fd, char *data)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, data + len, LINE_BYTES_MAX - len)) > 0) {
		len += (size_t)n;
		if (!take_lines(b, data, &len))
			return true;
		if (len == LINE_BYTES_MAX) {
			b->line++;
			refuse(b, b->line, "the line is too long");
			return true;
		}
	}
	data[len] = 0;
	if (n == 0 && len && take_line(b, data, len))
		send_bunch(b);
	return n == 0;
}

bool batch_run(struct client *c, const char *path, bool force, enum format format)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct batch b = {.client = c, .name = is_stdin ? "stdin" : path, .force = force,
			  .format = format, .bunch = json_array()};
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char *data = malloc(LINE_BYTES_MAX + 1);

	if (fd < 0 || !data || !read_all(&b, fd, data)) {
		fprintf(stderr, "Error: can not read \"%s\": %s\n", b.name, strerror(errno));
		b.refused = true;
	}
	if (fd > STDIN_FILENO)
		close(fd);
	free(data);
	json_decref(b.bunch);
	return !b.refused;
}
