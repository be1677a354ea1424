/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: answers, errors as JSON-RPC has them, and clients that mean no good. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "commands.h"
#include "control/control.h"
#include "control/rpc.h"
#include "control/words.h"
#include "stub_rooms.h"

#define TURNS_MAX 20000
#define SHOW "\"method\":\"run\",\"params\":{\"argv\":[\"route\",\"show\"]}"
#define RPC "{\"jsonrpc\":\"2.0\","

static char directory[] = "/tmp/millrace-test-XXXXXX";
static char path[64];
static struct event_base *base;
static struct error err;
static char answer[1 << 20];
static bool was_shut_down;

static void on_shutdown(void *arg)
{
	was_shut_down = true;
}

static void start(const struct server_options *server)
{
	struct control_options o = {.server = *server, .shutdown = on_shutdown};

	o.server.path = path;
	stub_reset();
	base = event_base_new();
	if (control_init(base, &o, &err) < 0)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	start(&(struct server_options){
		.max_clients = 3,
		.max_line_bytes = 4096,
		.max_output_bytes = 1 << 20,
		.idle_timeout_s = 1,
		.write_timeout_s = 1,
	});
	return 0;
}

static int teardown(void **state)
{
	control_fini();
	event_base_free(base);
	assert_int_equal(access(path, F_OK), -1);
	return 0;
}

static int connect_client(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What comes in up to a newline, or up to the end ("" then, if nothing was left). */
static const char *receive(int fd)
{
	size_t len = 0;
	ssize_t n;
	int i;

	for (i = 0; i < TURNS_MAX; i++) {
		turn();
		n = recv(fd, answer + len, 1, 0);
		while (n == 1 && answer[len++] != '\n' && len < sizeof(answer) - 1)
			n = recv(fd, answer + len, 1, 0);
		answer[len] = 0;
		if (n == 0 || (len && answer[len - 1] == '\n'))
			return answer;
		if (n < 0 && errno != EAGAIN)
			return answer;
	}
	return NULL;
}

static void assert_answer(const char *question, const char *expected)
{
	int fd = connect_client();

	send_text(fd, question);
	send_text(fd, "\n");
	assert_string_equal(receive(fd), expected);
	close(fd);
}

static void assert_closed(int fd)
{
	const char *rest = receive(fd);

	assert_non_null(rest);
	assert_string_equal(rest, "");
	close(fd);
}

static void test_run(void **state)
{
	assert_answer(RPC "\"id\":1," SHOW "}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}\n");
	assert_answer(RPC "\"id\":\"a\\\"b\",\"method\":\"run\",\"params\":{\"argv\":[\"link\","
			  "\"set\",\"lo\",\"mtu\",\"9000\"]}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"result\":null}\n");
	assert_answer(RPC "\"id\":null,\"method\":\"run\",\"params\":{\"argv\":[\"addr\"],"
			  "\"format\":\"text\"}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":\"1: lo: "
		      "<LOOPBACK,UP,LOWER_UP> mtu 9000 state UNKNOWN\\n    inet 127.0.0.1/8 brd "
		      "127.255.255.255 scope host lo\\n\"}\n");
	assert_answer(RPC "\"id\":2,\"method\":\"run\",\"params\":{\"argv\":[\"foo\"]}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32001,\"message\":"
		      "\"\\\"foo\\\" is not a command; try one of: " COMMANDS "\"}}\n");
	assert_answer(RPC "\"id\":3,\"method\":\"run\",\"params\":{\"argv\":[\"route\",\"get\","
			  "\"9.9.9.9\"]}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32000,\"message\":"
		      "\"route get: no route to \\\"9.9.9.9\\\"\",\"data\":{\"errno\":101}}}\n");
}

/* With nothing that takes a while there is nothing to stop. */
static void test_stop(void **state)
{
	static const char stop[] = RPC "\"id\":7,\"method\":\"stop\"}";

	assert_answer(RPC "\"id\":7,\"method\":\"stop\"}",
		      RPC "\"id\":7,\"result\":null}\n");
	assert_true(rpc_is_stop(stop, strlen(stop)));
	assert_false(rpc_is_stop(stop, strlen(stop) - 1));
	assert_false(rpc_is_stop("[\"stop\"]", 8));
	assert_false(rpc_is_stop(RPC SHOW "}", strlen(RPC SHOW "}")));
}

static void test_complete(void **state)
{
	assert_answer(RPC "\"id\":1,\"method\":\"complete\",\"params\":{\"argv\":[\"rou\"]}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"candidates\":[{\"word\":"
		      "\"route\",\"help\":\"IPv4 routes\"}]}}\n");
}

static void test_batch(void **state)
{
	assert_answer(RPC "\"id\":1,\"method\":\"batch\",\"params\":{\"commands\":[[\"route\"],"
			  "[\"foo\"],[\"neigh\"]]}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[{\"result\":[]},{\"error\":{"
		      "\"code\":-32001,\"message\":\"\\\"foo\\\" is not a command; try one of: "
		      COMMANDS "\"}}]}\n");
	assert_answer(RPC "\"id\":1,\"method\":\"batch\",\"params\":{\"force\":true,\"format\":"
			  "\"text\",\"commands\":[[],[\"neigh\"]]}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[{\"error\":{\"code\":-32602,"
		      "\"message\":\"a command must be an array of 1 to " RTE_STR(WORDS_MAX)
		      " strings\"}},"
		      "{\"result\":\"\"}]}\n");
}

static void test_wrong_requests(void **state)
{
	static const struct {
		const char *question;
		int code;
	} cases[] = {
		{"hello", -32700},
		{"{", -32700},
		{"\x01\xff\x80", -32700},
		{"1", -32600},
		{"{}", -32600},
		{"[]", -32600},
		{"{\"jsonrpc\":\"1.0\",\"id\":1," SHOW "}", -32600},
		{RPC "\"id\":[1]," SHOW "}", -32600},
		{RPC "\"id\":1,\"method\":5}", -32600},
		{RPC "\"id\":1,\"method\":\"fly\"}", -32601},
		{RPC "\"id\":1,\"method\":\"run\"}", -32602},
		{RPC "\"id\":1,\"method\":\"run\",\"params\":[]}", -32602},
		{RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":[]}}", -32602},
		{RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":[1]}}", -32602},
		{RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":\"route\"}}", -32602},
		{RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":[\"a\\u0000b\"]}}", -32700},
		{RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":[\"route\"],"
		     "\"format\":\"xml\"}}", -32602},
		{RPC "\"id\":1,\"method\":\"batch\",\"params\":{\"commands\":{}}}", -32602},
		{RPC "\"id\":1,\"method\":\"complete\",\"params\":{}}", -32602},
	};
	int fd = connect_client();
	char code[32];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		send_text(fd, cases[i].question);
		send_text(fd, "\r\n");
		snprintf(code, sizeof(code), "\"code\":%d,", cases[i].code);
		if (!strstr(receive(fd), code))
			fail_msg("%s: %s", cases[i].question, answer);
	}
	close(fd);
}

static void test_arrays_and_notifications(void **state)
{
	int fd = connect_client();

	send_text(fd, RPC SHOW "}\n\n\r\n[" RPC SHOW "}]\n" RPC "\"id\":7," SHOW "}\n");
	assert_string_equal(receive(fd), "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":[]}\n");
	send_text(fd, "[" RPC "\"id\":1," SHOW "}," RPC SHOW "},1," RPC "\"id\":2," SHOW "}]\n");
	assert_string_equal(receive(fd),
			    "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]},{\"jsonrpc\":\"2.0\","
			    "\"id\":null,\"error\":{\"code\":-32600,\"message\":\"not a JSON-RPC "
			    "2.0 request: {\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":1,"
			    "\\\"method\\\":\\\"run\\\",\\\"params\\\":{\\\"argv\\\":[...]}}\"}},"
			    "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[]}]\n");
	close(fd);
}

static void test_line_in_pieces(void **state)
{
	static const char line[] = RPC "\"id\":1," SHOW "}\n";
	int fd = connect_client();
	size_t i;

	for (i = 0; i < sizeof(line) - 1; i++) {
		assert_int_equal(send(fd, line + i, 1, 0), 1);
		turn();
	}
	assert_string_equal(receive(fd), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}\n");
	close(fd);
}

/* Whoever shuts his side down after asking still gets all answers. */
static void test_half_closed(void **state)
{
	int fd = connect_client();

	send_text(fd, RPC "\"id\":1," SHOW "}\n" RPC "\"id\":2," SHOW "}");
	shutdown(fd, SHUT_WR);
	assert_string_equal(receive(fd), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}\n");
	assert_string_equal(receive(fd), "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":[]}\n");
	assert_closed(fd);
}

static void test_line_too_long(void **state)
{
	static const char refusal[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32002,"
				      "\"message\":\"the line is too long\"}}\n";
	static char blanks[8192];
	int fd = connect_client();

	memset(blanks, ' ', sizeof(blanks));
	assert_int_equal(send(fd, blanks, sizeof(blanks), 0), sizeof(blanks));
	assert_string_equal(receive(fd), refusal);
	close(fd);
	blanks[4100] = '\n';
	fd = connect_client();
	assert_int_equal(send(fd, blanks, 4102, 0), 4102);
	assert_string_equal(receive(fd), refusal);
	close(fd);
	blanks[4094] = '1';
	blanks[4095] = '\n';
	fd = connect_client();
	assert_int_equal(send(fd, blanks, 4096, 0), 4096);
	assert_non_null(strstr(receive(fd), "-32600"));
	close(fd);
}

static const char too_many[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32002,"
			       "\"message\":\"there are too many clients\"}}\n";

/* The one that has said nothing for longest makes room. */
static void test_too_many_clients(void **state)
{
	int fd[4], i;

	for (i = 0; i < 3; i++) {
		fd[i] = connect_client();
		turn();
	}
	send_text(fd[0], RPC "\"id\":1," SHOW "}\n");
	assert_string_equal(receive(fd[0]), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}\n");
	fd[3] = connect_client();
	turn();
	assert_string_equal(receive(fd[1]), too_many);
	assert_closed(fd[1]);
	send_text(fd[0], "\n");
	assert_answer(RPC "\"id\":1," SHOW "}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}\n");
	assert_string_equal(receive(fd[2]), too_many);
	close(fd[0]);
	close(fd[2]);
	close(fd[3]);
}

/* Those whose answers are under way stay. */
static void test_too_many_busy_clients(void **state)
{
	int fd[3], late, i, j;

	for (i = 0; i < 3; i++) {
		fd[i] = connect_client();
		for (j = 0; j < 16; j++)
			send_text(fd[i], RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":"
				  "[\"help\"]}}\n");
		turn();
		turn();
	}
	late = connect_client();
	turn();
	assert_string_equal(receive(late), too_many);
	close(late);
	for (i = 0; i < 3; i++) {
		assert_non_null(strstr(receive(fd[i]), "\"id\":1,\"result\""));
		close(fd[i]);
	}
}

static void command(const char *a, const char *b, const char *c, const char *d, const char *e)
{
	const char *argv[] = {a, b, c, d, e};

	if (command_run(5, argv, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* It asks and asks and never reads: it is held, then closed, and nobody else notices. */
static void test_client_that_never_reads(void **state)
{
	static const char line[] = RPC "\"id\":1," SHOW "}\n";
	int fd = connect_client(), i;
	size_t sent = 0;
	ssize_t n;

	for (i = 0; i < 100; i++)
		command("route", "add", "10.0.0.0/8", "via", "10.0.0.2");
	for (i = 0; i < TURNS_MAX; i++) {
		n = send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		if (n < (ssize_t)sizeof(line) - 1)
			break;
		turn();
	}
	assert_true(i < TURNS_MAX && sent > 0);
	assert_answer(RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":[\"neigh\"]}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}\n");
	for (i = 0; i < 400; i++) {
		turn();
		if (send(fd, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE)
			break;
		usleep(10000);
	}
	assert_true(i < 400);
	close(fd);
}

/* The same, but it reads in the end: every answer is there. */
static void test_slow_client(void **state)
{
	static const char line[] = RPC "\"id\":1," SHOW "}\n";
	int fd = connect_client(), i, asked = 0;

	for (i = 0; i < 100; i++)
		command("route", "add", "10.0.0.0/8", "via", "10.0.0.2");
	for (i = 0; i < 300; i++) {
		asked += send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) == sizeof(line) - 1;
		turn();
	}
	for (i = 0; i < asked; i++) {
		assert_non_null(receive(fd));
		assert_non_null(strstr(answer, "\"id\":1,\"result\":[{\"dst\":"));
		assert_string_equal(answer + strlen(answer) - 4, "}]}\n");
	}
	close(fd);
}

static void test_answer_too_long(void **state)
{
	int i;

	for (i = 0; i < 20000; i++)
		command("route", "add", "10.0.0.0/8", "via", "10.0.0.2");
	assert_answer(RPC "\"id\":1," SHOW "}",
		      "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":"
		      "\"route show: the answer would be longer than 1 MiB; ask for less\","
		      "\"data\":{\"errno\":27}}}\n");
	assert_answer(RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":[\"neigh\"]}}",
		      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}\n");
}

static void test_silent_clients(void **state)
{
	int silent = connect_client(), half = connect_client(), i;
	char byte;
	int closed = 0;

	send_text(half, "{\"jsonrpc\"");
	for (i = 0; i < 300 && closed != 2; i++) {
		turn();
		closed = (recv(silent, &byte, 1, 0) == 0) + (recv(half, &byte, 1, 0) == 0);
		usleep(10000);
	}
	assert_int_equal(closed, 2);
	close(silent);
	close(half);
}

/* A long pipeline does not keep the event loop from its other events. */
static void test_turns_are_short(void **state)
{
	static const char line[] = RPC "\"id\":1," SHOW "}\n";
	int busy = connect_client(), other = connect_client(), i;

	for (i = 0; i < 100; i++)
		command("route", "add", "10.0.0.0/8", "via", "10.0.0.2");
	for (i = 0; i < 200; i++)
		if (send(busy, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
			break;
	send_text(other, RPC "\"id\":5,\"method\":\"run\",\"params\":{\"argv\":[\"neigh\"]}}\n");
	assert_string_equal(receive(other), "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":[]}\n");
	close(busy);
	close(other);
}

static void test_shutdown_is_answered(void **state)
{
	int fd = connect_client(), i;

	was_shut_down = false;
	send_text(fd, RPC "\"id\":1,\"method\":\"run\",\"params\":{\"argv\":[\"shutdown\"]}}\n");
	for (i = 0; i < TURNS_MAX && !was_shut_down; i++)
		event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
	assert_true(was_shut_down);
	control_fini();
	assert_string_equal(receive(fd), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}\n");
	close(fd);
}

static void test_path_is_taken(void **state)
{
	struct server_options o = {.path = path};
	struct control_options c = {.server = o};
	char expected[128];
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		snprintf(expected, sizeof(expected), "another millrace is listening on %s", path);
		_exit(control_init(event_base_new(), &c, &err) == -EADDRINUSE &&
		      strcmp(err.text, expected) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_stale_socket_is_replaced(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	start(&(struct server_options){.mode = 0620});
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0620);
	teardown(NULL);
	start(&(struct server_options){.mode = 0});
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	teardown(NULL);
}

static void test_bad_paths(void **state)
{
	struct control_options o = {.server = {.path = directory}};
	char sentence[128];

	base = event_base_new();
	assert_int_equal(control_init(base, &o, &err), -EEXIST);
	snprintf(sentence, sizeof(sentence), "\"%s\" is there and is not a socket", directory);
	assert_string_equal(err.text, sentence);
	o.server.path = "/no/such/place/sock";
	assert_true(control_init(base, &o, &err) < 0);
	assert_string_equal(err.text,
			    "can not make the directory \"/no/such/place\": No such file or "
			    "directory");
	event_base_free(base);
}

static void test_owner_and_mode(void **state)
{
	struct server_options o = {.mode = 0};

	assert_int_equal(server_parse_mode(&o, "0660", &err), 0);
	assert_int_equal(o.mode, 0660);
	assert_true(server_parse_mode(&o, "rw", &err) < 0);
	assert_string_equal(err.text, "\"rw\" is not a mode (such as 0660)");
	assert_int_equal(server_parse_owner(&o, "root:daemon", &err), 0);
	assert_int_equal(o.uid, 0);
	assert_true(o.gid > 0);
	assert_true(server_parse_owner(&o, ":no-such-group", &err) < 0);
	assert_string_equal(err.text, "there is no group \"no-such-group\"");
	assert_int_equal(server_parse_owner(&o, "64999:64998", &err), 0);
	assert_int_equal(o.uid, 64999);
	assert_int_equal(o.gid, 64998);
	assert_true(server_parse_owner(&o, "4294967295", &err) < 0);
	assert_true(server_parse_owner(&o, "-1", &err) < 0);
}

static int make_directory(void **state)
{
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/sock", directory);
	return 0;
}

static int remove_directory(void **state)
{
	return rmdir(directory);
}

#define with_server(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_server(test_run),
		with_server(test_complete),
		with_server(test_stop),
		with_server(test_batch),
		with_server(test_wrong_requests),
		with_server(test_arrays_and_notifications),
		with_server(test_line_in_pieces),
		with_server(test_half_closed),
		with_server(test_line_too_long),
		with_server(test_too_many_clients),
		with_server(test_too_many_busy_clients),
		with_server(test_client_that_never_reads),
		with_server(test_slow_client),
		with_server(test_answer_too_long),
		with_server(test_silent_clients),
		with_server(test_turns_are_short),
		with_server(test_shutdown_is_answered),
		with_server(test_path_is_taken),
		cmocka_unit_test(test_stale_socket_is_replaced),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_owner_and_mode),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
