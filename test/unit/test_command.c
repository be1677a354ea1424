/* SPDX-License-Identifier: BSD-3-Clause */
/* The command table and its parser: which command it is, words in any order, help, completion. */
#include "command_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "control/commands.h"
#include "control/words.h"
#include "link/link.h"

static const struct refusal refused[] = {
	{"", "a command is missing"},
	{"foo", "\"foo\" is not a command; try one of: " COMMANDS},
	{"route foo", "route: \"foo\" is not a command; try one of: add, append, change, prepend, "
	"replace, del, show, get, flush"},
	{"rout add", "\"rout\" is not a command; try one of: " COMMANDS},
	{"route ad", "route: \"ad\" is not a command; try one of: add, append, change, prepend, "
	"replace, del, show, get, flush"},
	{"route add", "route add: PREFIX is missing"},
	{"route add via 10.0.0.2", "route add: PREFIX is missing"},
	{"route add 10.0.0.0/8 via", "route add: nothing stands after \"via\""},
	{"route add 10.0.0.0/8 via 1.1.1.1 via 2.2.2.2", "route add: via is given twice"},
	{"route add 10.0.0.0/8 onlink onlink", "route add: onlink is given twice"},
	{"route add blackhole throw 10.0.0.0/8", "route add: TYPE is given twice"},
	{"route add 10.0.0.0/8 11.0.0.0/8",
	 "route add: \"11.0.0.0/8\" is not a word of this command; what may stand there: TYPE, "
	 "via, dev, metric, mtu, hoplimit, src, tos, table, proto, scope, onlink, resolved, "
	 "nexthop"},
	{"route add 10.0.0.0/8", "route add: no way is given: via or dev"},
	{"route get", "route get: ADDRESS is missing"},
	{"route show to match", "route show: nothing stands after \"match\""},
	{"route show 10.0.0.0/8 root 10.0.0.0/8",
	 "route show: \"10.0.0.0/8\" alone says which prefix: root can not be added"},
	{"route show cache metric 5", "route show: metric: what is in the cache has none"},
	{"route flush", "route flush: say which: a prefix, a table (all for all), or another "
			"selector"},
	{"neigh get 10.0.0.2", "neigh get: dev is missing"},
	{"route get 9.9.9.9", "route get: no route to \"9.9.9.9\""},
	{"link add p5 type dpdk", "link add: devargs is missing"},
	{"link add p5 devargs x", "link add: type is missing"},
	{"link add type dpdk devargs x", "link add: NAME is missing"},
	{"link add p5 type dpdk devargs broken", "link add: no such device"},
	{"link set p0", "link set: what to set is missing: up, down, mtu, address or promisc"},
	{"link set p0 up down", "link set: up|down is given twice"},
	{"link set p0 upp",
	 "link set: \"upp\" is not a word of this command; what may stand there: up|down, mtu, "
	 "address, promisc"},
	{"link set p0 mtu 9001", "link set: mtu: \"9001\" is more than the 9000 that p0 can have"},
	{"link del lo", "link del: \"lo\" is built in and stays"},
	{"addr add 10.0.0.1/24", "addr add: dev is missing"},
	{"addr add dev p0", "addr add: ADDRESS/LEN is missing"},
	{"addr del 10.0.0.1/24 dev p0", "addr del: there is no such address"},
	{"neigh add 10.0.0.2 dev p0", "neigh add: lladdr is missing"},
	{"sysctl", "sysctl: KEY[=VALUE] is missing"},
	{"sysctl net.nothing", "sysctl: there is no setting \"net.nothing\""},
	{"sysctl net.nothing=1", "sysctl: there is no setting \"net.nothing\""},
	{"sysctl -w net.ipv4.ip_forward", "sysctl: \"net.ipv4.ip_forward\" has no =VALUE to write"},
	{"shutdown now", "shutdown: \"now\" is one word too many"},
	{"shutdown", "shutdown: not possible here"},
	{"drops some", "drops: \"some\" is not a word of this command; what may stand there: all"},
	{"rule add", "rule add: say what: a selector, a priority, a table or an action"},
	{"rule add fwmark", "rule add: nothing stands after \"fwmark\""},
	{"sysctl net.ipv4.ip_forward = 1",
	 "sysctl: \"=\": there are no blanks around \"=\", as in KEY=VALUE"},
	{"nstat -aq",
	 "nstat: \"-aq\" is not a word of this command; what may stand there: PATTERN, -a, "
	 "-z"},
	{"nstat -q",
	 "nstat: \"-q\" is not a word of this command; what may stand there: PATTERN, -a, "
	 "-z"},
	{"ping -c0 10.0.0.2", "ping: -c: \"0\" is not a number from 1 to 1000"},
	{"ping -c1 -c2 10.0.0.2", "ping: -c is given twice"},
	{"help foo", "help: \"foo\" is not a command; help without a word lists them"},
	{"help route foo", "help: \"route foo\" is not a command"},
	{"help route add x", "help: \"x\" is one word too many"},
	{"config save", "config save: FILE is missing"},
	{"config load /no/such/file",
	 "config load: can not read \"/no/such/file\": No such file or directory"},
};

static void test_refused(void **state)
{
	assert_refused(refused, RTE_DIM(refused));
}

static void test_any_order(void **state)
{
	static const char *const lines[] = {
		"route add 10.1.0.0/16 via 10.0.0.2 dev p1 metric 5",
		"route add via 10.0.0.2 dev p1 metric 5 10.1.0.0/16",
		"route add metric 5 unicast dev p1 to 10.1.0.0/16 via 10.0.0.2",
		"route add dev p1 10.1.0.0/16 unicast via 10.0.0.2 metric 5",
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(lines); i++) {
		done(lines[i]);
		assert_string_equal(printed("route show", false),
				    "10.1.0.0/16 via 10.0.0.2 dev p1 metric 5 \n");
		done("route del 10.1.0.0/16");
	}
	done("addr add dev p0 10.0.0.1/24");
	done("addr del 10.0.0.1/24 dev p0");
	done("link set mtu 1400 down dev p0 promisc on");
	assert_int_equal(link_find("p0")->mtu, 1400);
	assert_true(link_find("p0")->promisc);
	assert_false(link_find("p0")->up);
}

static void test_iproute2_words(void **state)
{
	done("address add 10.0.0.1 dev p0");
	assert_non_null(strstr(printed("addr list", false), "inet 10.0.0.1/32 scope global p0"));
	done("addr delete 10.0.0.1/32 dev p0");
	assert_null(strstr(printed("addr list", false), "inet 10.0.0.1"));
	done("route add default via 10.0.0.2");
	assert_string_equal(printed("route", false), "default via 10.0.0.2 dev p0 \n");
	done("neighbour add 10.0.0.2 lladdr 02:00:00:00:00:01 dev p0");
	assert_string_equal(printed("neigh ls", false),
			    "10.0.0.2 dev p0 lladdr 02:00:00:00:00:01 PERMANENT \n");
	done("rule add from all to any dsfield 0x10 lookup 5 pref 77");
	assert_non_null(strstr(printed("rule list", false), "77:\tfrom all tos 0x10 lookup 5\n"));
	done("rule del pref 77");
	done("rule flush");
	done("route add 10.9.0.0/16 via 10.0.0.2 preference 3 protocol static");
	assert_non_null(strstr(printed("route", false),
			       "10.9.0.0/16 via 10.0.0.2 dev p0 proto static metric 3"));
	assert_non_null(strstr(printed("-s link show p0", false), "RX:"));
	assert_non_null(strstr(printed("link show -s dev p0", false), "RX:"));
	assert_null(strstr(printed("link show p0", false), "RX:"));
	assert_non_null(strstr(printed("-sd link show p0", false), "RX:"));
	assert_non_null(strstr(printed("nstat -az", false), "IpInReceives"));
	assert_string_equal(printed("sysctl -n net.ipv4.ip_forward", false), "1\n");
	assert_string_equal(printed("sysctl -n net.ipv4.ip_forward=0", false), "0\n");
	assert_string_equal(printed("sysctl -an ip_forward", false), "0\n");
	done("sysctl net.ipv4.ip_forward=1");
}

static void test_help_of_every_command(void **state)
{
	const struct command *c;
	char line[128];
	unsigned int i, j, k;

	for (i = 0; i < nouns_count; i++) {
		if (i)
			assert_true(strcmp(nouns[i - 1]->name, nouns[i]->name) < 0);
		for (j = 0; j < nouns[i]->n_commands; j++) {
			c = &nouns[i]->commands[j];
			snprintf(line, sizeof(line), "help %s %s", nouns[i]->name,
				 c->verb ? c->verb : "");
			assert_non_null(strstr(printed(line, false), c->help));
			assert_true(c->n_args <= ARGS_MAX);
			for (k = 0; k < c->n_args; k++)
				assert_non_null(strstr(out_finish(&said), c->args[k].help));
			printed(line, true);
		}
	}
	assert_non_null(strstr(printed("route help", false), "route get ADDRESS"));
}

/* What is documented is what there is. */
static void test_manual(void **state)
{
	const char *manual = printed("help --markdown", false);
	FILE *f = fopen(MILLRACE_SOURCE "/docs/commands.md", "r");
	char *page = calloc(1, said.len + 2);
	size_t n;

	assert_non_null(f);
	n = fread(page, 1, said.len + 1, f);
	fclose(f);
	if (n != said.len || strcmp(page, manual) != 0)
		fail_msg("docs/commands.md is not what `millctl help --markdown` prints");
	free(page);
}

static void collect(const char *word, const char *help, void *arg)
{
	char *list = arg;

	assert_non_null(help);
	strcat(list, word);
	strcat(list, " ");
}

/* The candidates for a line; a blank at its end begins a new word. */
static const char *candidates(const char *line)
{
	static char list[8192];
	const char *argv[WORDS_MAX];
	char copy[256];
	int argc;

	snprintf(copy, sizeof(copy), "%s", line);
	argc = words_split(copy, argv);
	if (!*line || line[strlen(line) - 1] == ' ')
		argv[argc++] = "";
	list[0] = 0;
	command_complete(argc, argv, collect, list);
	return list;
}

static void test_completion(void **state)
{
	assert_string_equal(candidates("ne"), "neigh ");
	assert_string_equal(candidates("n"), "neigh nstat ");
	assert_string_equal(candidates("route "),
			    "add append change prepend replace del show get flush ");
	assert_string_equal(candidates("route g"), "get ");
	assert_string_equal(candidates("foo "), "");
	assert_string_equal(candidates("route foo "), "");
	assert_string_equal(candidates("link set "), "lo p0 p1 up down mtu address promisc ");
	assert_string_equal(candidates("link set p0 "), "up down mtu address promisc ");
	assert_string_equal(candidates("link set p0 up mtu 5 "), "address promisc ");
	assert_string_equal(candidates("link set p0 promisc "), "on off ");
	assert_string_equal(candidates("route add 10.0.0.0/8 dev "), "lo p0 p1 ");
	assert_string_equal(candidates("route add d"), "default dev ");
	assert_string_equal(candidates("route add 10.0.0.0/8 m"), "metric mtu ");
	assert_string_equal(candidates("route add 10.0.0.0/8 nexthop "),
			    "via dev weight onlink resolved dead ");
	assert_string_equal(candidates("route add 10.0.0.0/8 nexthop via 10.0.0.1 nexthop dev "),
			    "lo p0 p1 ");
	assert_string_equal(candidates("route add 10.0.0.0/8 nexthop via 10.0.0.1 "),
			    "dev weight onlink resolved dead nexthop ");
	assert_string_equal(candidates("route show to r"), "");
	assert_string_equal(candidates("route show r"), "root ");
	assert_string_equal(candidates("route show to root 10.0.0.0/8 m"), "match metric ");
	assert_string_equal(candidates("neigh show nud p"), "probe permanent ");
	assert_string_equal(candidates("neigh flush nud p"), "probe permanent ");
	assert_string_equal(candidates("route flush to root 10.0.0.0/8 m"), "match metric ");
	assert_string_equal(candidates("route get 10.0.0.1 oif "), "lo p0 p1 ");
	assert_string_equal(candidates("sysctl net.ipv4.ip_"),
			    "net.ipv4.ip_default_ttl net.ipv4.ip_forward ");
	assert_string_equal(candidates("help ro"), "route ");
	assert_string_equal(candidates("help route a"), "add append ");
	assert_string_equal(candidates("shutdown "), "");
}

/* Options and values in one word count as the same apart. */
static void test_completion_of_letters(void **state)
{
	char apart[8192];

	snprintf(apart, sizeof(apart), "%s", candidates("ping -c 1 "));
	assert_null(strstr(apart, "-c "));
	assert_string_equal(candidates("ping -c1 "), apart);
	assert_string_equal(candidates("nstat -az -"), "");
	assert_string_equal(candidates("nstat -z -"), "-a ");
}

static const char *abbreviated(int argc, const char *const *argv)
{
	static struct call call;

	if (command_parse(argc, argv, true, &call, &err) < 0)
		return err.text;
	return call.command->verb;
}

static void test_abbreviations(void **state)
{
	assert_string_equal(abbreviated(2, (const char *[]){"ro", "sh"}), "show");
	assert_string_equal(abbreviated(4, (const char *[]){"l", "set", "p0", "pro"}),
			    "link set: nothing stands after \"pro\"");
	assert_string_equal(abbreviated(4, (const char *[]){"ro", "sh", "t", "x"}),
			    "route show: table: \"x\" is not a number from 1 to 4294967295, nor "
			    "all, default, main or local");
	assert_string_equal(abbreviated(4, (const char *[]){"ro", "sh", "m", "1"}),
			    "route show: \"m\" is not a prefix (length 0 to 32)");
	assert_string_equal(abbreviated(2, (const char *[]){"n", "show"}),
			    "\"n\" is ambiguous: neigh, nstat");
	assert_string_equal(abbreviated(1, (const char *[]){"r"}),
			    "\"r\" is ambiguous: route, rule");
	assert_string_equal(abbreviated(2, (const char *[]){"link", "s"}),
			    "link: \"s\" is ambiguous: set, show");
	assert_string_equal(abbreviated(1, (const char *[]){"x"}),
			    "\"x\" is not a command; try one of: " COMMANDS);
	done("link add m type dpdk devargs net_null2");
	assert_string_equal(abbreviated(4, (const char *[]){"link", "set", "m", "up"}), "set");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_refused, command_world_setup),
		cmocka_unit_test_setup(test_any_order, command_world_setup),
		cmocka_unit_test_setup(test_iproute2_words, command_world_setup),
		cmocka_unit_test_setup(test_help_of_every_command, command_world_setup),
		cmocka_unit_test_setup(test_manual, command_world_setup),
		cmocka_unit_test_setup(test_completion, command_world_setup),
		cmocka_unit_test_setup(test_completion_of_letters, command_world_setup),
		cmocka_unit_test_setup(test_abbreviations, command_world_setup),
	};

	return cmocka_run_group_tests(tests, NULL, command_world_teardown);
}
