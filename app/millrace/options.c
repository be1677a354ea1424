/* SPDX-License-Identifier: BSD-3-Clause */
/* Arguments of the daemon; see options.h. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_version.h>

#include "core/worker.h"

static const char usage[] =
	"usage: millrace [-c FILE] [-s SOCKET] [-w WORKERS] [--until-idle] [--time wall|packet]\n"
	"                [--no-fast-path] [-v] [-- EAL-ARGUMENTS]\n"
	"\n"
	"A software router that treats IPv4 packets as Linux does. It is driven with millctl.\n"
	"\n"
	"  -c, --config FILE        run the commands in FILE before the first packet is received\n"
	"  -s, --socket SOCKET      listen for millctl (default: /run/millrace/millrace.sock,\n"
	"                           as an ordinary user in $XDG_RUNTIME_DIR or /tmp)\n"
	"      --socket-mode MODE   access to the socket (default 0600)\n"
	"      --socket-owner U:G   owner and group of the socket\n"
	"  -w, --workers N          number of workers, 1 to 64 (default 1)\n"
	"      --until-idle         leave when every capture file is read, what was held has been\n"
	"                           sent or has expired, and the outputs are written\n"
	"      --time wall|packet   take time from the clock (default) or from the packets' own\n"
	"                           timestamps, so that a replay gives the same every time\n"
	"      --no-fast-path       every packet takes the general path\n"
	"  -v, --verbose            show DPDK's log as well\n"
	"  -V, --version            print the version, and DPDK's\n"
	"  -h, --help               print this\n"
	"\n"
	"What follows -- goes to DPDK's EAL and wins over what millrace would choose: the main\n"
	"lcore is the control thread, the others are the workers.\n"
	"\n"
	"SIGTERM, SIGINT and SIGHUP stop it, SIGHUP not where it was started with that ignored\n"
	"(nohup). Exit status: 0 done, 1 refused (stderr says why), 2 wrong usage.\n";

enum { OPT_UNTIL_IDLE = 256, OPT_TIME, OPT_NO_FAST_PATH, OPT_SOCKET_MODE, OPT_SOCKET_OWNER };

static const struct option longs[] = {
	{"config", required_argument, NULL, 'c'},
	{"socket", required_argument, NULL, 's'},
	{"socket-mode", required_argument, NULL, OPT_SOCKET_MODE},
	{"socket-owner", required_argument, NULL, OPT_SOCKET_OWNER},
	{"workers", required_argument, NULL, 'w'},
	{"until-idle", no_argument, NULL, OPT_UNTIL_IDLE},
	{"time", required_argument, NULL, OPT_TIME},
	{"no-fast-path", no_argument, NULL, OPT_NO_FAST_PATH},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int workers_parse(struct options *o, const char *text, struct error *err)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 1 || n > WORKERS_MAX)
		return error_set(err, EINVAL, "-w: \"%s\" is not a number of workers (1 to %d)",
				 text, WORKERS_MAX);
	o->workers = (unsigned int)n;
	return 0;
}

static int time_parse(struct options *o, const char *text, struct error *err)
{
	if (!strcmp(text, "wall"))
		o->time = CLOCK_WALL;
	else if (!strcmp(text, "packet"))
		o->time = CLOCK_PACKET;
	else
		return error_set(err, EINVAL, "--time: \"%s\" is not wall or packet", text);
	return 0;
}

static int one(struct options *o, int opt, char *word, struct error *err)
{
	switch (opt) {
	case 'c':
		if (o->config)
			return error_set(err, EINVAL, "-c: there can be but one configuration "
					 "file; lines in it may load others (config load FILE)");
		o->config = optarg;
		return 0;
	case 's':
		o->server.path = optarg;
		return 0;
	case 'w':
		return workers_parse(o, optarg, err);
	case 'v':
		o->verbose = true;
		return 0;
	case OPT_UNTIL_IDLE:
		o->until_idle = true;
		return 0;
	case OPT_TIME:
		return time_parse(o, optarg, err);
	case OPT_NO_FAST_PATH:
		o->fast_path = false;
		return 0;
	case OPT_SOCKET_MODE:
		return server_parse_mode(&o->server, optarg, err);
	case OPT_SOCKET_OWNER:
		return server_parse_owner(&o->server, optarg, err);
	case 'V':
		printf("millrace %s, %s\n", MILLRACE_VERSION, rte_version());
		return 1;
	case 'h':
		fputs(usage, stdout);
		return 1;
	case ':':
		return error_set(err, EINVAL, "%s needs a value; see millrace --help", word);
	default:
		return error_set(err, EINVAL, "\"%s\" is not an argument; see millrace --help",
				 word);
	}
}

int options_parse(struct options *o, int argc, char **argv, struct error *err)
{
	int opt, rc;

	*o = (struct options){.fast_path = true};
	opterr = 0;
	for (;;) {
		int word = optind;

		opt = getopt_long(argc, argv, "+:c:s:w:vVh", longs, NULL);
		if (opt == -1)
			break;
		rc = one(o, opt, argv[word], err);
		if (rc)
			return rc;
	}
	if (optind < argc && strcmp(argv[optind - 1], "--"))
		return error_set(err, EINVAL, "\"%s\" is not an argument; see millrace --help",
				 argv[optind]);
	o->eal_argc = argc - optind;
	o->eal_argv = argv + optind;
	if (o->time == CLOCK_PACKET && o->workers > 1)
		return error_set(err, EINVAL,
				 "--time packet replays on one worker; -w %u does not go with it",
				 o->workers);
	return 0;
}
