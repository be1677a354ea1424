/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See rpc.h. Requests are read by jansson; answers are written straight into the output, in which
 * a command's JSON stands as the command wrote it, so that a table of a million routes is not
 * built a second time as a tree. What a refused command had written is cut off again.
 */
#include "control/rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "control/command.h"
#include "control/file_path.h"
#include "control/tick.h"
#include "control/words.h"
#include "ipv4/filter.h"

#define ID_LENGTH_MAX 128

/* How a command's output is wanted. */
struct form {
	bool text;
	bool abbreviated;
	bool live;
	const char *directory;   /* of relative paths, "": not told */
	struct output *partial;  /* takes what is to be shown while the command goes on */
};

static void put(struct output *o, const char *text)
{
	out_raw(o, text, strlen(text));
}

static void put_error(struct output *o, int code, const char *text, int errno_value)
{
	o->comma = false;
	out_object(o, NULL);
	out_signed(o, "code", NULL, code);
	out_string(o, "message", NULL, text);
	if (errno_value) {
		out_object(o, "data");
		out_signed(o, "errno", NULL, errno_value);
		out_object_end(o);
	}
	out_object_end(o);
}

/* The id as it was given; null if there is none. */
static void put_id(struct output *o, const json_t *id)
{
	char buf[8 * ID_LENGTH_MAX];
	size_t n = 0;

	if (id)
		n = json_dumpb(id, buf, sizeof(buf), JSON_ENCODE_ANY | JSON_COMPACT);
	if (n == 0 || n > sizeof(buf))
		put(o, "null");
	else
		out_raw(o, buf, n);
}

static void put_head(struct output *o, const json_t *id, const char *member)
{
	put(o, "{\"jsonrpc\":\"2.0\",\"id\":");
	put_id(o, id);
	put(o, ",\"");
	put(o, member);
	put(o, "\":");
}

static void answer_error(struct output *o, const json_t *id, int code, const char *text)
{
	put_head(o, id, "error");
	put_error(o, code, text, 0);
	put(o, "}");
}

/* The words of a JSON array. Returns how many, -1 if it is not an array of few enough strings
 * without a 0 byte in them. */
static int take_words(const json_t *array, const char *argv[WORDS_MAX])
{
	size_t i, n = json_array_size(array);
	const json_t *word;

	if (!json_is_array(array) || n == 0 || n > WORDS_MAX)
		return -1;
	for (i = 0; i < n; i++) {
		word = json_array_get(array, i);
		argv[i] = json_string_value(word);
		if (!argv[i] || strlen(argv[i]) != json_string_length(word))
			return -1;
	}
	return (int)n;
}

static int call_text(const struct call *call, const struct form *form, struct output *o,
		     struct error *err)
{
	struct output text = {.limit = o->limit ? o->limit : OUTPUT_LIMIT, .job = o->job,
			      .live = form->live && o->job};
	int rc;

	text.limit -= o->len < text.limit ? o->len : text.limit;
	rc = command_call(call, &text, err);
	if (rc == 0 || rc == -ENODATA)
		out_quoted(o, text.data, text.len);
	else if (rc == -EINPROGRESS && text.live)
		out_quoted(form->partial, text.data, text.len);
	out_free(&text);
	return rc;
}

static int call_json(const struct call *call, struct output *o, struct error *err)
{
	size_t start = o->len;
	int rc;

	o->comma = false;
	rc = command_call(call, o, err);
	if (rc == 0 && o->len == start)
		put(o, "null");
	return rc;
}

/* Run a command and append its result, also where *errno_value is ENODATA. Else -1,
 * and *code and err say why. */
static int run_words(int argc, const char *const *argv, const struct form *form,
		     struct output *o, int *code, int *errno_value, struct error *err)
{
	struct call call;
	int rc = command_parse(argc, argv, form->abbreviated, &call, err);

	*code = RPC_USAGE;
	*errno_value = 0;
	if (rc < 0)
		return -1;
	*code = RPC_REFUSED;
	file_directory = form->directory;
	rc = form->text ? call_text(&call, form, o, err) : call_json(&call, o, err);
	file_directory = NULL;
	*errno_value = -rc;
	return rc < 0 ? -1 : 0;
}

/* "format", "directory" and the like. */
static bool take_form(const json_t *params, struct form *form)
{
	const json_t *format = json_object_get(params, "format");
	const char *name = format ? json_string_value(format) : "json";
	const char *directory = json_string_value(json_object_get(params, "directory"));

	if (!name || (strcmp(name, "json") != 0 && strcmp(name, "text") != 0))
		return false;
	form->directory = directory && directory[0] == '/' ? directory : "";
	form->text = name[0] == 't';
	form->abbreviated = json_is_true(json_object_get(params, "abbreviate"));
	form->live = json_is_true(json_object_get(params, "live"));
	return true;
}

/* What there is of an answer to come; nothing if that is an empty string. */
static void put_partial(struct output *o, const json_t *id, const struct output *partial)
{
	if (partial->len <= strlen("\"\""))
		return;
	put(o, "{\"jsonrpc\":\"2.0\",\"method\":\"output\",\"params\":{\"id\":");
	put_id(o, id);
	put(o, ",\"text\":");
	out_raw(o, partial->data, partial->len);
	put(o, "}}");
}

/* Where the result begins that was written there is an error instead, which has it in its data. */
static void put_result_in_error(struct output *o, const json_t *id, size_t start, size_t result,
				const char *text)
{
	size_t len = o->len - result;
	char *copy = o->full ? NULL : malloc(len);

	if (copy)
		memcpy(copy, o->data + result, len);
	o->len = start;
	put_head(o, id, "error");
	o->comma = false;
	out_object(o, NULL);
	out_signed(o, "code", NULL, RPC_REFUSED);
	out_string(o, "message", NULL, text);
	out_object(o, "data");
	out_signed(o, "errno", NULL, ENODATA);
	if (copy) {
		put(o, ",\"result\":");
		out_raw(o, copy, len);
	}
	out_object_end(o);
	out_object_end(o);
	put(o, "}");
	free(copy);
}

static void method_run(const json_t *id, const json_t *params, struct output *o)
{
	const char *argv[WORDS_MAX];
	int argc = take_words(json_object_get(params, "argv"), argv);
	size_t start = o->len, result;
	int code, errno_value;
	struct output partial = {0};
	struct form form = {.partial = &partial};
	struct error err;

	if (argc < 0 || !take_form(params, &form)) {
		answer_error(o, id, RPC_INVALID_PARAMS,
			     "params must be an object with \"argv\", an array of 1 to "
			     RTE_STR(WORDS_MAX) " strings, and may have "
			     "\"format\", \"json\" or \"text\"");
		return;
	}
	put_head(o, id, "result");
	result = o->len;
	if (run_words(argc, argv, &form, o, &code, &errno_value, &err) == 0) {
		put(o, "}");
		return;
	}
	if (errno_value == ENODATA) {
		put_result_in_error(o, id, start, result, err.text);
		return;
	}
	o->len = start;
	if (errno_value == EINPROGRESS) {
		put_partial(o, id, &partial);
		out_free(&partial);
		return;
	}
	put_head(o, id, "error");
	put_error(o, code, err.text, errno_value);
	put(o, "}");
}

/* One command of a batch. Returns whether another may follow. */
static bool batch_one(const json_t *words, const struct form *form, bool force, struct output *o)
{
	int code = RPC_INVALID_PARAMS, errno_value = 0;
	const char *argv[WORDS_MAX];
	size_t start = o->len;
	struct error err;
	int argc = take_words(words, argv);

	put(o, "{\"result\":");
	if (argc < 0)
		error_set(&err, 0, "a command must be an array of 1 to " RTE_STR(WORDS_MAX)
			  " strings");
	else if (run_words(argc, argv, form, o, &code, &errno_value, &err) == 0) {
		put(o, "}");
		return true;
	}
	o->len = start;
	put(o, "{\"error\":");
	put_error(o, code, err.text, errno_value);
	put(o, "}");
	return force && errno_value != EFBIG;
}

static void method_batch(const json_t *id, const json_t *params, struct output *o)
{
	const json_t *commands = json_object_get(params, "commands");
	bool force = json_is_true(json_object_get(params, "force"));
	size_t i, n = json_array_size(commands), start = o->len;
	struct form form = {0};
	struct error err;
	struct tick t;

	if (!json_is_array(commands) || n > RPC_COMMANDS_MAX || !take_form(params, &form)) {
		answer_error(o, id, RPC_INVALID_PARAMS,
			     "params must be an object with \"commands\", an array of up to 1024 "
			     "arrays of strings, and may have \"format\", \"json\" or \"text\"");
		return;
	}
	o->job = NULL;
	put_head(o, id, "result");
	put(o, "[");
	tick_start(&t);
	filter_hold();
	for (i = 0; i < n; i++) {
		if (i)
			put(o, ",");
		if (!batch_one(json_array_get(commands, i), &form, force, o) || !tick(&t))
			break;
	}
	put(o, "]}");
	if (!filter_release(&err))
		return;
	o->len = start;
	answer_error(o, id, RPC_REFUSED, err.text);
}

static void put_candidate(const char *word, const char *help, void *arg)
{
	struct output *o = arg;

	out_object(o, NULL);
	out_string(o, "word", NULL, word);
	out_string(o, "help", NULL, help);
	out_object_end(o);
}

static void method_complete(const json_t *id, const json_t *params, struct output *o)
{
	const char *argv[WORDS_MAX];
	int argc = take_words(json_object_get(params, "argv"), argv);

	if (argc < 0) {
		answer_error(o, id, RPC_INVALID_PARAMS,
			     "params must be an object with \"argv\", an array of 1 to "
			     RTE_STR(WORDS_MAX) " strings");
		return;
	}
	put_head(o, id, "result");
	o->comma = false;
	out_object(o, NULL);
	out_array(o, "candidates");
	command_complete(argc, argv, put_candidate, o);
	out_array_end(o);
	out_object_end(o);
	put(o, "}");
}

static void method_stop(const json_t *id, const json_t *params, struct output *o)
{
	put_head(o, id, "result");
	put(o, "null}");
}

static const struct {
	const char *name;
	void (*fn)(const json_t *id, const json_t *params, struct output *o);
} methods[] = {
	{"run", method_run}, {"batch", method_batch}, {"complete", method_complete},
	{"stop", method_stop},
};

static void dispatch(const char *method, const json_t *id, const json_t *params, struct output *o)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(methods); i++) {
		if (strcmp(methods[i].name, method) != 0)
			continue;
		methods[i].fn(id, params, o);
		return;
	}
	answer_error(o, id, RPC_NO_METHOD,
		     "there is no such method; try one of: run, batch, complete, stop");
}

static bool is_id(const json_t *id)
{
	return (json_is_string(id) && json_string_length(id) <= ID_LENGTH_MAX) ||
	       json_is_number(id) || json_is_null(id);
}

/* One request object. An answer that outgrows the limit becomes an error that fits. */
static void handle_request(const json_t *request, struct output *o)
{
	const json_t *id = json_object_get(request, "id");
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));
	const char *method = json_string_value(json_object_get(request, "method"));
	struct output unseen = {.json = true, .limit = o->limit, .job = o->job};
	size_t start = o->len;

	if (!json_is_object(request) || !version || strcmp(version, "2.0") != 0 || !method ||
	    (id && !is_id(id))) {
		answer_error(o, is_id(id) ? id : NULL, RPC_INVALID_REQUEST,
			     "not a JSON-RPC 2.0 request: {\"jsonrpc\":\"2.0\",\"id\":1,"
			     "\"method\":\"run\",\"params\":{\"argv\":[...]}}");
		return;
	}
	dispatch(method, id, json_object_get(request, "params"), id ? o : &unseen);
	out_free(&unseen);
	if (!o->full)
		return;
	o->full = false;
	o->len = start;
	answer_error(o, id, RPC_LIMIT, "the answer would be too long; ask for less");
}

static void handle_array(const json_t *requests, struct output *o)
{
	size_t i, before, start = o->len, n = json_array_size(requests);

	if (n == 0 || n > RPC_REQUESTS_MAX) {
		answer_error(o, NULL, RPC_INVALID_REQUEST,
			     "an array must have 1 to 64 requests in it");
		return;
	}
	o->job = NULL;
	put(o, "[");
	for (i = 0; i < n; i++) {
		before = o->len;
		if (before > start + 1)
			put(o, ",");
		handle_request(json_array_get(requests, i), o);
		if (o->len == before + 1 && before > start + 1)
			o->len = before;
	}
	if (o->len == start + 1)
		o->len = start;
	else
		put(o, "]");
}

void rpc_handle(const char *line, size_t len, struct output *o)
{
	size_t start = o->len;
	json_error_t why;
	json_t *json = json_loadb(line, len, JSON_DECODE_ANY, &why);

	o->json = true;
	if (!json)
		answer_error(o, NULL, RPC_PARSE_ERROR, "the line is not JSON");
	else if (json_is_array(json))
		handle_array(json, o);
	else
		handle_request(json, o);
	json_decref(json);
	if (o->len > start)
		put(o, "\n");
}

bool rpc_is_stop(const char *line, size_t len)
{
	json_error_t why;
	json_t *json = json_loadb(line, len, JSON_DECODE_ANY, &why);
	const char *method = json_string_value(json_object_get(json, "method"));
	bool stop = method && strcmp(method, "stop") == 0;

	json_decref(json);
	return stop;
}

void rpc_answer_error(struct output *o, enum rpc_error code, const char *text)
{
	o->json = true;
	answer_error(o, NULL, code, text);
	put(o, "\n");
}
