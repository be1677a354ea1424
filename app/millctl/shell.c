/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See shell.h. libedit reads the lines; the router completes them, for only it knows the commands,
 * links and settings. Words may be abbreviated here, and nowhere else.
 */
#include "shell.h"

#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/words.h"

#define HISTORY_LINES 1000

struct shell {
	struct client *client;
	enum format format;
	History *history;
	char history_path[4096];
};

static const char *prompt(EditLine *el)
{
	return "millrace> ";
}

/* The words up to the cursor, the last one empty where a new one would begin. */
static json_t *words_before(const LineInfo *li)
{
	size_t len = (size_t)(li->cursor - li->buffer);
	char *text = strndup(li->buffer, len);
	const char *argv[WORDS_MAX];
	bool new_word = len == 0 || strchr(" \t", li->cursor[-1]);
	int argc = text ? words_split(text, argv) : -1;
	json_t *words = NULL;

	if (argc >= 0 && argc < WORDS_MAX) {
		if (new_word || argc == 0)
			argv[argc++] = "";
		words = words_to_json(argc, argv);
	}
	free(text);
	return words;
}

static const char *candidate_text(const json_t *candidates, size_t i, const char *key)
{
	const char *text = json_string_value(
		json_object_get(json_array_get(candidates, i), key));

	return text ? text : "";
}

/* How many characters all candidates have in common. */
static size_t common_length(const json_t *candidates)
{
	const char *first = candidate_text(candidates, 0, "word"), *word;
	size_t i, j, len = strlen(first);

	for (i = 1; i < json_array_size(candidates); i++) {
		word = candidate_text(candidates, i, "word");
		for (j = 0; j < len && word[j] == first[j]; j++)
			;
		len = j;
	}
	return len;
}

static void list_candidates(const json_t *candidates)
{
	size_t i;

	putchar('\n');
	for (i = 0; i < json_array_size(candidates); i++)
		printf("  %-20s %s\n", candidate_text(candidates, i, "word"),
		       candidate_text(candidates, i, "help"));
}

/* Put in what is certain; show what there is to choose from if nothing is. */
static unsigned char apply(EditLine *el, const json_t *candidates, size_t typed)
{
	size_t n = json_array_size(candidates), common;
	char text[256];

	if (n == 0)
		return CC_ERROR;
	common = common_length(candidates);
	if (n > 1 && common <= typed) {
		list_candidates(candidates);
		return CC_REDISPLAY;
	}
	snprintf(text, sizeof(text), "%.*s%s", (int)(common - typed),
		 candidate_text(candidates, 0, "word") + typed, n == 1 ? " " : "");
	return el_insertstr(el, text) == 0 ? CC_REFRESH : CC_ERROR;
}

static unsigned char complete(EditLine *el, int key)
{
	unsigned char done = CC_ERROR;
	struct shell *s;
	json_t *words, *result = NULL;
	size_t typed;

	el_get(el, EL_CLIENTDATA, &s);
	words = words_before(el_line(el));
	if (!words || s->client->fd < 0)
		return CC_ERROR;
	typed = json_string_length(json_array_get(words, json_array_size(words) - 1));
	if (client_request(s->client, "complete", json_pack("{s:o}", "argv", words)))
		result = client_result(s->client);
	if (result)
		done = apply(el, json_object_get(result, "candidates"), typed);
	json_decref(result);
	return done;
}

/* Returns false when the shell is to be left. */
static bool run_line(struct shell *s, char *line)
{
	const char *argv[WORDS_MAX];
	int argc = words_split(line, argv);
	json_t *words;

	if (argc < 0)
		fprintf(stderr, "Error: %s\n", words_error_text(argc));
	if (argc <= 0)
		return true;
	if (strcmp(argv[0], "exit") == 0 || strcmp(argv[0], "quit") == 0)
		return false;
	words = words_to_json(argc, argv);
	if (!words) {
		fputs("Error: the line is not UTF-8 text\n", stderr);
		return true;
	}
	if (s->client->fd < 0 && !client_connect(s->client, s->client->path)) {
		json_decref(words);
		return true;
	}
	client_run(s->client, words, true, s->format);
	fflush(stdout);
	return true;
}

static void open_history(struct shell *s)
{
	const char *home = getenv("HOME");
	HistEvent ev;

	s->history = history_init();
	if (!s->history)
		return;
	history(s->history, &ev, H_SETSIZE, HISTORY_LINES);
	history(s->history, &ev, H_SETUNIQUE, 1);
	if (!home)
		return;
	snprintf(s->history_path, sizeof(s->history_path), "%s/.millctl_history", home);
	history(s->history, &ev, H_LOAD, s->history_path);
}

static void close_history(struct shell *s)
{
	HistEvent ev;

	if (!s->history)
		return;
	if (s->history_path[0])
		history(s->history, &ev, H_SAVE, s->history_path);
	history_end(s->history);
}

static EditLine *open_editor(struct shell *s)
{
	EditLine *el;

	/* what is typed is UTF-8, also where no locale is set */
	setlocale(LC_CTYPE, "");
	if (MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
	el = el_init("millctl", stdin, stdout, stderr);
	if (!el)
		return NULL;
	el_set(el, EL_PROMPT, prompt);
	el_set(el, EL_EDITOR, "emacs");
	el_set(el, EL_SIGNAL, 1);
	el_set(el, EL_CLIENTDATA, s);
	if (s->history)
		el_set(el, EL_HIST, history, s->history);
	el_set(el, EL_ADDFN, "complete", "complete the word", complete);
	el_set(el, EL_BIND, "^I", "complete", NULL);
	el_source(el, NULL);
	return el;
}

static volatile sig_atomic_t interrupted;

/* libedit may be about to wait for a key, and would not see that this was called before it does:
 * the alarm calls again, and then the wait ends. */
static void on_interrupt(int number)
{
	interrupted = 1;
	alarm(1);
}

/* A line, NULL at the end. As in shells Ctrl-C drops the line, and another is asked for. */
static const char *get_line(EditLine *el, int *n)
{
	const struct sigaction drop = {.sa_handler = on_interrupt};
	struct sigaction before;
	const char *line;
	bool dropped;

	sigaction(SIGALRM, &drop, NULL);
	sigaction(SIGINT, &drop, &before);
	do {
		line = el_gets(el, n);
		dropped = interrupted;
		if (dropped) {
			interrupted = 0;
			alarm(0);
			el_reset(el);
			putchar('\n');
		}
	} while (!line && dropped);
	sigaction(SIGINT, &before, NULL);
	alarm(0);       /* one that came behind the line */
	interrupted = 0;
	return line;
}

static void read_lines(struct shell *s, EditLine *el)
{
	const char *line;
	char *copy;
	HistEvent ev;
	bool more = true;
	int n;

	while (more && (line = get_line(el, &n)) && n > 0) {
		if (s->history && line[0] != '\n')
			history(s->history, &ev, H_ENTER, line);
		copy = strdup(line);
		more = copy && run_line(s, copy);
		free(copy);
	}
}

void shell_run(struct client *c, enum format format)
{
	struct shell s = {.client = c, .format = format};
	EditLine *el;

	open_history(&s);
	el = open_editor(&s);
	if (el) {
		read_lines(&s, el);
		el_end(el);
	}
	close_history(&s);
}
