/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/ipv4/local: who gets a packet for the router, and what is counted; and the example of
 * docs/services.md, which is a protocol and a UDP service.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>

#include "../../docs/examples/protocol.h"
#include "ipv4/hook.h"
#include "ipv4/internal.h"
#include "ipv4/reassemble.h"
#include "packet/packet.h"

#define EXAMPLE 253
#define EXAMPLE_PORT 4253
#define WITH_RAW 200
#define WITH_BOTH 201
#define UNKNOWN 202
#define FULL 203
#define WITH_ALERT 204
#define OTHER_ALERT 205

static struct counters counters;
static struct worker worker = {.counters = &counters};
static unsigned int raw_calls, handled, told;

struct ip_hooks ip_hooks;        /* nobody has registered */
struct ip_settings ip_settings;

bool hook_run(struct worker *w, struct rte_mbuf *m, enum hook_point point)
{
	fail_msg("a hook ran");
	return true;
}

void ip_defrag_run(struct worker *w)
{
	fail();
}

static enum defrag_user defrag_for;
static defrag_done_fn defrag_done;

void defrag_register(enum defrag_user user, defrag_done_fn done)
{
	assert_int_equal(user, DEFRAG_ROUTER_ALERT);
	defrag_done = done;
}

void ip_defrag(struct worker *w, struct rte_mbuf *m, enum defrag_user user)
{
	defrag_for = user;
	packet_deliver(w, m);
}

void icmp_send(struct worker *w, const struct rte_mbuf *m, uint8_t type, uint8_t code,
	       rte_be32_t info)
{
	told++;
}

static void raw_rcv(struct worker *w, struct rte_mbuf *m)
{
	assert_int_equal(m->pkt_len, rte_be_to_cpu_16(packet_ip(m)->total_length));
	raw_calls++;
	packet_deliver(w, m);
}

static void rcv(struct worker *w, struct rte_mbuf *m)
{
	handled++;
	packet_deliver(w, m);
}

/* A received packet of a protocol. */
static struct rte_mbuf *packet_make(uint8_t protocol, const char *payload)
{
	struct rte_mbuf *m = packet_alloc(&worker);
	uint16_t len = (uint16_t)(sizeof(struct rte_ipv4_hdr) + strlen(payload));
	struct rte_ipv4_hdr *ip = (void *)rte_pktmbuf_append(m, len);

	counters.originated--;
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45, .next_proto_id = protocol,
				    .total_length = rte_cpu_to_be_16(len)};
	memcpy(ip + 1, payload, strlen(payload));
	return m;
}

static void deliver(uint8_t protocol, const char *payload)
{
	memset(&counters, 0, sizeof(counters));
	raw_calls = handled = told = 0;
	ip_local_deliver(&worker, packet_make(protocol, payload));
}

static uint64_t count_of(enum counter c)
{
	return counters.c[c];
}

static void test_register(void **state)
{
	assert_int_equal(ip_protocol_register(WITH_BOTH, rcv), 0);
	assert_int_equal(ip_protocol_register(WITH_BOTH, rcv), -EEXIST);
	assert_int_equal(ip_raw_register(WITH_BOTH, raw_rcv), 0);
	assert_int_equal(ip_raw_register(WITH_RAW, raw_rcv), 0);
	for (unsigned int i = 0; i < IP_RAW_MAX; i++)
		assert_int_equal(ip_raw_register(FULL, raw_rcv), 0);
	assert_int_equal(ip_raw_register(FULL, raw_rcv), -ENOSPC);
	assert_int_equal(ip_raw_register(IP_RAW_ANY, raw_rcv), -ENOSPC);
}

static void test_unknown(void **state)
{
	deliver(UNKNOWN, "x");
	assert_int_equal(told, 1);
	assert_int_equal(count_of(CNT_IP_INUNKNOWNPROTOS), 1);
	assert_int_equal(count_of(CNT_IP_INDELIVERS), 0);
	assert_int_equal(counters.drop[DROP_IP_NOPROTO], 1);
}

static void test_raw_alone(void **state)
{
	deliver(WITH_RAW, "abc");
	assert_int_equal(raw_calls, 1);
	assert_int_equal(told, 0);
	assert_int_equal(count_of(CNT_IP_INDELIVERS), 1);
	assert_int_equal(count_of(CNT_IP_INUNKNOWNPROTOS), 0);
	assert_int_equal(counters.originated, 1);
	assert_int_equal(counters.delivered, 2);
}

static void test_raw_and_handler(void **state)
{
	deliver(WITH_BOTH, "abc");
	assert_int_equal(raw_calls, 1);
	assert_int_equal(handled, 1);
	assert_int_equal(count_of(CNT_IP_INDELIVERS), 1);
	assert_int_equal(counters.delivered, 2);
}

static void test_several_raw(void **state)
{
	deliver(FULL, "abc");
	assert_int_equal(raw_calls, IP_RAW_MAX);
	assert_int_equal(counters.originated, IP_RAW_MAX);
}

static void test_example(void **state)
{
	assert_int_equal(example_init(), 0);
	assert_int_equal(example_init(), -EEXIST);
	assert_int_equal(udp_port_register(EXAMPLE_PORT, rcv), -EADDRINUSE);
	deliver(EXAMPLE, "ping");
	assert_int_equal(counters.delivered, 1);
	deliver(EXAMPLE, "pong");
	assert_int_equal(counters.drop[DROP_INVALID_PROTO], 1);
	deliver(EXAMPLE, "pings");
	assert_int_equal(counters.drop[DROP_INVALID_PROTO], 1);
	assert_int_equal(told, 0);
}

/* ip_no_pmtu_disc counts when a port is opened. */
static void test_pmtudisc_kept(void **state)
{
	const uint16_t port = 4254;

	for (int i = 0; i < 4; i++) {
		ip_settings.no_pmtu_disc = i;
		assert_int_equal(udp_port_register(port, rcv), 0);
		ip_settings.no_pmtu_disc = !i;
		assert_int_equal(udp_port_pmtudisc(rte_cpu_to_be_16(port)),
				 i ? IP_PMTU_DONT : IP_PMTU_WANT);
		udp_port_unregister(port);
	}
}

static void test_router_alert(void **state)
{
	struct rte_mbuf *m = packet_make(WITH_ALERT, "abc");

	memset(&counters, 0, sizeof(counters));
	raw_calls = handled = 0;
	ip_router_alert_init();
	assert_false(ip_router_alert(&worker, m));
	assert_int_equal(ip_router_alert_register(WITH_ALERT, rcv), 0);
	assert_true(ip_router_alert(&worker, m));
	assert_int_equal(handled, 1);

	/* both get one, and one of them is a copy */
	assert_int_equal(ip_router_alert_register(WITH_ALERT, raw_rcv), 0);
	assert_true(ip_router_alert(&worker, packet_make(WITH_ALERT, "abc")));
	assert_int_equal(handled, 2);
	assert_int_equal(raw_calls, 1);
	assert_int_equal(count_of(CNT_IP_INDELIVERS), 0);

	/* fragments are put together for them, and are nobody else's */
	m = packet_make(WITH_ALERT, "abcdefgh");
	packet_ip(m)->fragment_offset = RTE_BE16(RTE_IPV4_HDR_MF_FLAG);
	assert_true(ip_router_alert(&worker, m));
	assert_int_equal(defrag_for, DEFRAG_ROUTER_ALERT);
	assert_int_equal(handled, 2);
	defrag_done(&worker, packet_make(WITH_ALERT, "abcdefghi"));
	assert_int_equal(handled, 3);
	assert_int_equal(raw_calls, 2);

	for (unsigned int i = 2; i < IP_ROUTER_ALERT_MAX; i++)
		assert_int_equal(ip_router_alert_register(OTHER_ALERT, rcv), 0);
	assert_int_equal(ip_router_alert_register(OTHER_ALERT, rcv), -ENOSPC);
}

static int setup(void **state)
{
	char *argv[] = {"test_local", "--no-huge", "-m", "64", "--no-pci", "--no-telemetry",
			"--no-shconf", "--log-level", "lib.eal:error"};

	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return -1;
	return packet_pool_init(1023, 2048);
}

static int teardown(void **state)
{
	packet_pool_fini();
	return rte_eal_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_raw_alone),
		cmocka_unit_test(test_raw_and_handler),
		cmocka_unit_test(test_several_raw),
		cmocka_unit_test(test_router_alert),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_pmtudisc_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
