/* SPDX-License-Identifier: BSD-3-Clause */
/* What commands print: text, JSON, and what does not fit. */
#include "command_world.h"

#include <errno.h>
#include <string.h>

static void test_json(void **state)
{
	done("addr add 10.0.0.1/24 dev p0");
	done("route add 10.5.0.0/16 via 10.0.0.2 metric 5 mtu 1400 src 10.0.0.1");
	done("route add throw 10.6.0.0/16 table 7");
	assert_string_equal(printed("route show table all", true),
			    "[{\"dst\":\"10.5.0.0/16\",\"gateway\":\"10.0.0.2\",\"dev\":\"p0\","
			    "\"prefsrc\":\"10.0.0.1\",\"metric\":5,\"flags\":[],"
			    "\"metrics\":[{\"mtu\":1400}]},"
			    "{\"type\":\"throw\",\"dst\":\"10.6.0.0/16\",\"table\":\"7\","
			    "\"flags\":[]}]");
	assert_non_null(strstr(printed("addr show dev p0", true),
			       "\"addr_info\":[{\"family\":\"inet\",\"local\":\"10.0.0.1\","
			       "\"prefixlen\":24,\"broadcast\":\"10.0.0.255\","
			       "\"scope\":\"global\",\"label\":\"p0\"}]"));
	assert_string_equal(printed("sysctl net.ipv4.ip_forward", true),
			    "{\"net.ipv4.ip_forward\":1}");
	assert_string_equal(printed("nstat Ip.InRec*", true), "{\"Ip.InReceives\":5}");
	assert_string_equal(printed("nstat IcmpMsg*", true), "{\"IcmpMsg.InType8\":2}");
	assert_non_null(strstr(printed("nstat", true), "\"Ip.Forwarding\":1,\"Ip.DefaultTTL\":64"));
	assert_string_equal(printed("drops", true),
			    "{\"received\":10,\"originated\":0,\"transmitted\":7,\"delivered\":0,"
			    "\"dropped\":3,\"held\":0,\"balance\":0,\"reasons\":[{\"reason\":"
			    "\"IP_CSUM\",\"packets\":3,\"help\":\"the IP header checksum is "
			    "wrong\"}]}");
	assert_string_equal(printed("hook show", true),
			    "[{\"hook\":\"prerouting\",\"priority\":-400,\"owner\":\"defrag\","
			    "\"packets\":10,\"dropped\":0,\"stolen\":4},"
			    "{\"hook\":\"forward\",\"priority\":7,\"owner\":\"other\","
			    "\"packets\":5,\"dropped\":2,\"stolen\":0}]");
	assert_string_equal(printed("hook show", false),
			    "prerouting priority -400 (defrag) owner defrag packets 10 dropped 0 "
			    "stolen 4\n"
			    "forward priority 7 owner other packets 5 dropped 2 stolen 0\n");
	assert_string_equal(printed("worker show", true), "[]");
	assert_non_null(strstr(printed("link show p0", true), "\"stats64\":{\"rx\":{\"bytes\":0,"
							      "\"packets\":7"));
}

static void test_nstat_text(void **state)
{
	assert_string_equal(printed("nstat", false),
			    "#millrace\n"
			    "IpInReceives                    5                  0.0\n"
			    "IcmpMsgInType8                  2                  0.0\n");
	assert_non_null(strstr(printed("nstat -z", false), "IpInHdrErrors                   0 "));
}

/* What is written is cut off again when the command is refused or the output is too long. */
static void test_output_limit(void **state)
{
	int i;

	for (i = 0; i < 100; i++)
		done("route add 10.0.0.0/8 via 10.0.0.2");
	said.limit = 1000;
	assert_int_equal(run("route show", true), -EFBIG);
	assert_int_equal(said.len, 0);
	said.limit = 0;
	done("route show");
}

static void test_quoting(void **state)
{
	out_reset(&said, true);
	out_quoted(&said, "a\"b\\c\n\x01\xc3\xa4\xff", 10);
	assert_string_equal(out_finish(&said), "\"a\\\"b\\\\c\\n\\u0001\xc3\xa4\\ufffd\"");
	out_reset(&said, true);
	out_quoted(&said, "\xe2\x82", 2);
	assert_string_equal(out_finish(&said), "\"\\ufffd\\ufffd\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_json, command_world_setup),
		cmocka_unit_test_setup(test_nstat_text, command_world_setup),
		cmocka_unit_test_setup(test_output_limit, command_world_setup),
		cmocka_unit_test_setup(test_quoting, command_world_setup),
	};

	return cmocka_run_group_tests(tests, NULL, command_world_teardown);
}
