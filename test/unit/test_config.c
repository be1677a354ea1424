/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of a line, files of commands, and that what is saved loads again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "commands.h"
#include "control/config.h"
#include "control/tick.h"
#include "control/words.h"
#include "stub_rooms.h"

static char path[] = "/tmp/millrace-test-XXXXXX";
static struct error err;

static void write_file(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fwrite(text, 1, len, f);
	fclose(f);
}

static int load(const char *text)
{
	write_file(text, strlen(text));
	err.text[0] = 0;
	return config_load_file(path, &err);
}

static void assert_load_fails(const char *text, const char *sentence)
{
	char expected[600];

	assert_true(load(text) < 0);
	snprintf(expected, sizeof(expected), "%s:%s", path, sentence);
	assert_string_equal(err.text, expected);
}

/* The state as text; the caller's. */
static char *state_text(void)
{
	struct output o = {.limit = 0};
	char *text;

	config_show(&o);
	text = strdup(out_finish(&o));
	out_free(&o);
	return text;
}

static int setup(void **state)
{
	stub_reset();
	return 0;
}

static void test_words(void **state)
{
	static const struct {
		const char *line;
		int n;
		const char *words[4];
	} cases[] = {
		{"", 0, {NULL}},
		{"  \t\r", 0, {NULL}},
		{"# all of it", 0, {NULL}},
		{"a b  c", 3, {"a", "b", "c"}},
		{" a\tb # c", 2, {"a", "b"}},
		{"a b#c d", 2, {"a", "b"}},
		{"'a b' \"c#d\"", 2, {"a b", "c#d"}},
		{"a'b c'd\"e f\"", 1, {"ab cde f"}},
		{"'' \"\"", 2, {"", ""}},
		{"\"a\\\"b\\\\c\" 'd\\'", 2, {"a\"b\\c", "d\\"}},
		{"a\\b", 1, {"a\\b"}},
	};
	const char *argv[WORDS_MAX];
	char line[256];
	unsigned int i;
	int j, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "%s", cases[i].line);
		n = words_split(line, argv);
		assert_int_equal(n, cases[i].n);
		for (j = 0; j < n; j++)
			assert_string_equal(argv[j], cases[i].words[j]);
	}
}

static void test_bad_words(void **state)
{
	char open_single[] = "a 'b c", open_double[] = "a \"b\\\"", backslash[] = "\"\\";
	const char *argv[WORDS_MAX];
	char many[2 * WORDS_MAX + 3] = "";
	int i;

	assert_int_equal(words_split(open_single, argv), WORDS_OPEN_QUOTE);
	assert_int_equal(words_split(open_double, argv), WORDS_OPEN_QUOTE);
	assert_int_equal(words_split(backslash, argv), WORDS_OPEN_QUOTE);
	for (i = 0; i < WORDS_MAX + 1; i++)
		strcat(many, "a ");
	assert_int_equal(words_split(many, argv), WORDS_TOO_MANY);
	assert_string_equal(words_error_text(WORDS_TOO_MANY),
			    "there are more than " RTE_STR(WORDS_MAX) " words on the line");
}

static void test_errors_name_file_and_line(void **state)
{
	assert_int_equal(load("\n# nothing\n"), 0);
	assert_int_equal(load(""), 0);
	assert_load_fails("\n# x\nroute add x via 1.1.1.1\n",
			  "3: route add: \"x\" is not a prefix (length 0 to 32)");
	assert_load_fails("link add 'p0", "1: a quote is not closed");
	assert_load_fails("link show\r\nlnik show\r\n",
			  "2: \"lnik\" is not a command; try one of: " COMMANDS);
	write_file("link show\nli\0nk\n", 16);
	assert_int_equal(config_load_file(path, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":2: there is a 0 byte on the line"));
	assert_int_equal(config_load_file("/tmp", &err), -EISDIR);
	assert_string_equal(err.text, "can not read \"/tmp\": Is a directory");
}

static void test_a_file_that_loads_itself(void **state)
{
	char text[64];

	snprintf(text, sizeof(text), "config load %s\n", path);
	assert_int_equal(load(text), -ELOOP);
	assert_non_null(strstr(err.text, "more than 8 files load one another"));
}

static const char sample[] =
	"sysctl net.ipv4.ip_forward=0\n"
	"link add p0 type dpdk devargs \"net_pcap0,rx_pcap=a \\\"b\\\".pcap#1\" rxq 2 rxd 512 "
	"txd 256 mtu 2000 address 02:00:00:00:00:01 promisc on\n"
	"sysctl net.ipv4.conf.default.rp_filter=2\n"
	"link add p1 type dpdk devargs net_null1 # takes rp_filter from default\n"
	"link add p2 devargs net_null2 type dpdk\n"
	"sysctl net.ipv4.conf.p2.rp_filter=0\n"
	"sysctl net.ipv4.conf.p2.forwarding=1\n"
	"link set p2 mtu 1300\n"
	"addr add 10.0.0.1/24 dev p0\n"
	"addr add 10.0.0.9/24 dev p0\n"
	"addr add 10.9.9.9 dev lo\n"
	"link set p0 up\n"
	"route add default via 10.1.0.2 dev p0\n"
	"route add 10.1.0.0/16 dev p0 metric 7\n"
	"route add blackhole 10.2.0.0/16\n"
	"route add throw 10.3.0.0/16 table 9\n"
	"route add local 10.4.0.1 dev lo\n"
	"route add 10.5.0.0/16 via 10.0.0.2 dev p0 onlink proto static src 10.0.0.9 mtu lock 1400\n"
	"route add 10.6.0.0/16 dev p0 proto kernel\n"
	"rule add table 9 iif p0 fwmark 020/255 from 10.0.0.0/24 priority 5 tos 8\n"
	"neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev p0\n"
	"neigh add 10.0.0.3 lladdr 02:00:00:00:00:03 dev p0 nud stale\n";

static const char expected[] =
	"sysctl net.ipv4.ip_forward=0\n"
	"sysctl net.ipv4.conf.all.forwarding=0\n"
	"link add p0 type dpdk devargs \"net_pcap0,rx_pcap=a \\\"b\\\".pcap#1\" rxq 2 rxd 512 "
	"txd 256 mtu 2000 address 02:00:00:00:00:01 promisc on\n"
	"link add p1 type dpdk devargs net_null1\n"
	"link add p2 type dpdk devargs net_null2 mtu 1300\n"
	"sysctl net.ipv4.conf.default.forwarding=0\n"
	"sysctl net.ipv4.conf.default.rp_filter=2\n"
	"sysctl net.ipv4.conf.lo.forwarding=0\n"
	"sysctl net.ipv4.conf.p0.forwarding=0\n"
	"sysctl net.ipv4.conf.p1.forwarding=0\n"
	"sysctl net.ipv4.conf.p1.rp_filter=2\n"
	"sysctl net.ipv4.conf.p2.forwarding=1\n"
	"addr add 10.9.9.9/32 dev lo\n"
	"addr add 10.0.0.1/24 dev p0\n"
	"addr add 10.0.0.9/24 dev p0\n"
	"link set p0 up\n"
	"route add 10.1.0.0/16 dev p0 metric 7\n"
	"route add blackhole 10.2.0.0/16\n"
	"route add throw 10.3.0.0/16 table 9\n"
	"route add local 10.4.0.1 dev lo\n"
	"route add 10.6.0.0/16 dev p0 proto kernel\n"
	"route add default via 10.1.0.2 dev p0\n"
	"route add 10.5.0.0/16 via 10.0.0.2 dev p0 proto static src 10.0.0.9 mtu lock 1400 onlink\n"
	"rule add from 10.0.0.0/24 tos 0x08 fwmark 0x10/0xff iif p0 priority 5 table 9\n"
	"neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev p0 nud permanent\n";

static void test_round_trip(void **state)
{
	char *text;

	if (load(sample) < 0)
		fail_msg("%s", err.text);
	text = state_text();
	assert_string_equal(text, expected);
	free(text);
	assert_int_equal(config_save_file(path, &err), 0);
	stub_reset();
	if (config_load_file(path, &err) < 0)
		fail_msg("%s", err.text);
	text = state_text();
	assert_string_equal(text, expected);
	free(text);
}

static void test_save_replaces_as_a_whole(void **state)
{
	char inside[128];
	struct stat st;

	write_file("old", 3);
	chmod(path, 0640);
	assert_int_equal(config_save_file(path, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_true(st.st_size > 3);
	snprintf(inside, sizeof(inside), "%s/x", path);
	assert_true(config_save_file(inside, &err) < 0);
	assert_non_null(strstr(err.text, "can not write \""));
}

static unsigned int ticks;

static bool on_tick(void *arg)
{
	ticks++;
	return arg != NULL;
}

/* A million routes go in quickly, and the rest of the thread's duties with them. */
static void test_a_million_routes(void **state)
{
	FILE *f = fopen(path, "w");
	unsigned int i;

	assert_non_null(f);
	fprintf(f, "link add p0 type dpdk devargs net_null0\n");
	for (i = 0; i < 1000000; i++)
		fprintf(f, "route add %u.%u.%u.0/24 via 10.0.0.2 dev lo\n", i >> 16, i >> 8 & 255,
			i & 255);
	fclose(f);
	tick_duties = on_tick;
	tick_arg = &ticks;
	if (config_load_file(path, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(ticks > 1);
	/* the program is to end */
	tick_arg = NULL;
	ticks = 0;
	setup(state);
	assert_int_equal(config_load_file(path, &err), -EINTR);
	assert_int_equal(ticks, 1);
	tick_duties = NULL;
}

static int make_path(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 || close(fd) < 0;
}

static int remove_path(void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test_setup(test_errors_name_file_and_line, setup),
		cmocka_unit_test_setup(test_a_file_that_loads_itself, setup),
		cmocka_unit_test_setup(test_round_trip, setup),
		cmocka_unit_test_setup(test_save_replaces_as_a_whole, setup),
		cmocka_unit_test_setup(test_a_million_routes, setup),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
