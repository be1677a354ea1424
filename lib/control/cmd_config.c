/* SPDX-License-Identifier: BSD-3-Clause */
/* config show|save|load. */
#include "control/commands.h"
#include "control/config.h"
#include "control/file_path.h"

static const struct arg load_args[] = {
	{.name = "FILE", .type = ARG_TEXT, .required = true,
	 .help = "the file, one command a line; a relative path begins where millctl runs"},
};

static const struct arg save_args[] = {
	{.name = "FILE", .type = ARG_TEXT, .required = true,
	 .help = "the file, which is replaced as a whole; a relative path begins where millctl "
		 "runs"},
};

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	config_show(o);
	return 0;
}

static int run_save(const struct value *v, struct output *o, struct error *err)
{
	char path[PATH_MAX];
	int rc = file_path(v[0].text, path, err);

	return rc ? rc : config_save_file(path, err);
}

static int run_load(const struct value *v, struct output *o, struct error *err)
{
	char path[PATH_MAX];
	int rc = file_path(v[0].text, path, err);

	return rc ? rc : config_load_file(path, err);
}

static const struct command commands[] = {
	{"show", "Print the running state as the commands that lead to it.", run_show},
	{"save", "Write what `config show` prints to a file, below a line of comment.", run_save,
	 COMMAND_ARGS(save_args)},
	{"load", "Run the commands of a file, up to the first that is refused.", run_load,
	 COMMAND_ARGS(load_args)},
};

const struct noun noun_config = {
	"config", "the running state as commands", NOUN_COMMANDS(commands),
};
