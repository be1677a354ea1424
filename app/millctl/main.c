/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * millctl: runs commands in millrace, over its control socket. It knows no command itself; the
 * words go to the router as they are. Exit status: 0 done, 1 refused, 2 wrong usage of millctl.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "batch.h"
#include "client.h"
#include "control/socket_path.h"
#include "core/std_fds.h"
#include "shell.h"

enum { DONE = 0, REFUSED = 1, WRONG_USAGE = 2 };

struct options {
	const char *socket;
	const char *batch;
	bool force;
	enum format format;
};

static const char usage[] =
	"Usage: millctl [OPTIONS] WORDS     run a command; `millctl help` lists them\n"
	"       millctl [OPTIONS] -b FILE   run the commands of a file (- is standard input)\n"
	"       millctl [OPTIONS]           interactive shell\n"
	"\n"
	"  -s, --socket PATH   the control socket (default %s)\n"
	"  -j, --json          print JSON\n"
	"  -p, --pretty        print JSON that people can read\n"
	"  -b, --batch FILE    commands from a file, up to the first that is refused\n"
	"  -f, --force         with -b: go on after a command that is refused\n"
	"  -4                  nothing, as there is but IPv4; for habits from ip\n"
	"  -h, --help          print this\n"
	"  -V, --version       print the version\n"
	"\n"
	"Ctrl-C ends a command that takes a while, such as ping; it prints what it has.\n"
	"Exit status: 0 done, 1 refused (stderr says why), 2 wrong usage.\n";

static const struct option long_options[] = {
	{"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
	{"pretty", no_argument, NULL, 'p'},       {"batch", required_argument, NULL, 'b'},
	{"force", no_argument, NULL, 'f'},        {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},      {NULL},
};

static void print_usage(void)
{
	char path[4096];

	printf(usage, socket_path_default(path, sizeof(path)));
}

static int wrong_usage(const char *message)
{
	fprintf(stderr, "Error: %s\nTry: millctl --help\n", message);
	return WRONG_USAGE;
}

/* Returns the exit status, -1 to go on. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	/* -force and -json as iproute2's tools have them, too */
	while ((c = getopt_long_only(argc, argv, "+s:jpb:f4hV", long_options, NULL)) != -1) {
		switch (c) {
		case 's':
			o->socket = optarg;
			break;
		case 'j':
			o->format = o->format == FORMAT_TEXT ? FORMAT_JSON : o->format;
			break;
		case 'p':
			o->format = FORMAT_PRETTY;
			break;
		case 'b':
			o->batch = optarg;
			break;
		case 'f':
			o->force = true;
			break;
		case '4':
			break;
		case 'h':
			print_usage();
			return DONE;
		case 'V':
			puts("millctl, millrace " MILLRACE_VERSION);
			return DONE;
		default:
			fputs("Try: millctl --help\n", stderr);
			return WRONG_USAGE;
		}
	}
	if (o->batch && optind < argc)
		return wrong_usage("-b takes its commands from a file; there are words, too");
	return -1;
}

static bool run_words(struct client *c, int argc, char **argv, enum format format)
{
	json_t *words = words_to_json(argc, (const char *const *)argv);

	if (words)
		return client_run(c, words, false, format);
	fputs("Error: the words are not UTF-8 text\n", stderr);
	return false;
}

static bool run(struct client *c, const struct options *o, int argc, char **argv)
{
	if (argc)
		return run_words(c, argc, argv, o->format);
	if (o->batch)
		return batch_run(c, o->batch, o->force, o->format);
	if (!isatty(STDIN_FILENO))
		return batch_run(c, "-", o->force, o->format);
	shell_run(c, o->format);
	return true;
}

int main(int argc, char **argv)
{
	char path[4096];
	struct options o = {.socket = socket_path_default(path, sizeof(path))};
	struct client c = {.fd = -1};
	bool done;
	int status;

	std_fds_open();
	status = parse_options(argc, argv, &o);
	if (status >= 0)
		return status;
	if (!client_connect(&c, o.socket))
		return REFUSED;
	done = run(&c, &o, argc - optind, argv + optind);
	client_close(&c);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("Error: can not write to standard output\n", stderr);
		return REFUSED;
	}
	return done ? DONE : REFUSED;
}
