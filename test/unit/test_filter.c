/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/ipv4/filter: terms in order, counters, limits, links that come and go; then rules and packets
 * at random, one by one and classified, which must decide and count alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <netinet/in.h>

#include <cmocka.h>

#include <rte_eal.h>

#include "core/clock.h"
#include "core/sysctl.h"
#include "ipv4/filter_table.h"
#include "ipv4/internal.h"
#include "ipv4/reject.h"
#include "link/link.h"

#define SECOND ((int64_t)NSEC_PER_SEC)

static struct counters counters;
static struct worker worker = {.counters = &counters};
static struct {
	struct rte_mbuf m;
	struct packet p;
	uint8_t bytes[64];
} box;
static struct link p1 = {.id = 1, .name = "p1"}, p2 = {.id = 2, .name = "p2"};
static link_notifier_fn notifier;
unsigned int workers_count = 1;
static int rejected;            /* the ICMP code, 255 for a reset; -1: not */

/* ---- stand-ins ---- */

struct link *links[LINKS_MAX];

void link_notifier_register(link_notifier_fn fn)
{
	notifier = fn;
}

uint64_t clock_now_ns(void)
{
	return worker.now_ns;
}

void ip_reject(struct worker *w, struct rte_mbuf *m, enum hook_point point, uint8_t icmp_code)
{
	rejected = icmp_code;
}

void ip_reject_reset(struct worker *w, struct rte_mbuf *m, enum hook_point point)
{
	rejected = 255;
}

void packet_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
}

void packet_read(const struct rte_mbuf *m, uint32_t offset, uint32_t len, void *buf)
{
	memcpy(buf, box.bytes + offset, len);
}

void filter_log(struct worker *w, const struct rte_mbuf *m, enum hook_point point,
		uint32_t handle)
{
}

int filter_log_init(void)
{
	return 0;
}

#define STAND_IN(name) \
	void name(struct worker *w, struct rte_mbuf *m) \
	{ \
	}
STAND_IN(ip_rcv_finish)
STAND_IN(ip_local_deliver_finish)
STAND_IN(ip_forward_finish)
STAND_IN(ip_output)
STAND_IN(ip_finish_output)

/* ---- rules and packets ---- */

#define IS(field, value) {.kind = FILTER_##field, .lo = (value), .hi = (value)}
#define IS_NOT(field, value) {.kind = FILTER_##field, .not = true, .lo = (value), .hi = (value)}
#define RANGE(field, from, to) {.kind = FILTER_##field, .lo = (from), .hi = (to)}
#define COUNT {.kind = FILTER_COUNTER}
#define LINK(field, name) {.kind = FILTER_##field, .text = name}
#define TERM(make, ...) (struct filter_term)make(__VA_ARGS__)

static void add_terms(enum filter_verdict verdict, const struct filter_term *term, unsigned int n)
{
	struct filter_rule r = {.n = n, .verdict = verdict};
	struct error err;

	memcpy(r.term, term, n * sizeof(*term));
	assert_int_equal(filter_add(HOOK_FORWARD, &r, FILTER_LAST, 0, &err), 0);
}
#define ADD(verdict, ...) \
	add_terms(FILTER_##verdict, (const struct filter_term[]){__VA_ARGS__}, \
		  RTE_DIM(((const struct filter_term[]){__VA_ARGS__})))

static void packet_make(uint8_t protocol, uint32_t src, uint32_t dst, uint16_t sport,
			uint16_t dport, unsigned int payload)
{
	struct rte_ipv4_hdr *ip = (void *)box.bytes;
	rte_be16_t ports[2] = {rte_cpu_to_be_16(sport), rte_cpu_to_be_16(dport)};

	memset(&box, 0, sizeof(box));
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45, .next_proto_id = protocol, .time_to_live = 64,
		.src_addr = rte_cpu_to_be_32(src), .dst_addr = rte_cpu_to_be_32(dst),
	};
	memcpy(ip + 1, ports, sizeof(ports));
	box.m.buf_addr = box.bytes;
	box.m.pkt_len = (uint32_t)sizeof(*ip) + payload;
	box.p.link = 1;
	box.p.out_link = 2;
	rejected = -1;
}

static void udp(uint16_t dport)
{
	packet_make(IPPROTO_UDP, 0x0a000002, 0x0a000102, 4000, dport, 20);
}

static bool passes(void)
{
	return hook_run(&worker, &box.m, HOOK_FORWARD);
}

static int collect(const struct filter_info *info, void *arg)
{
	uint64_t **next = arg;

	*(*next)++ = info->packets;
	return 0;
}

static uint64_t counted(unsigned int rule)
{
	uint64_t packets[1024], *next = packets;

	filter_foreach(HOOK_FORWARD, collect, &next);
	assert_in_range(rule, 0, next - packets - 1);
	return packets[rule];
}

static int teardown(void **state)
{
	struct error err;

	for (unsigned int i = 0; i < HOOK_POINTS; i++) {
		filter_flush(i, &err);
		filter_policy_set(i, true, &err);
		assert_false(hooked(i));
	}
	assert_int_equal(sysctl_set("net.millrace.filter_linear_max", "16", &err), 0);
	links[2] = &p2;
	return 0;
}

/* ---- tests ---- */

static void test_order(void **state)
{
	udp(53);
	assert_false(hooked(HOOK_FORWARD));
	ADD(CONTINUE, COUNT, IS(DPORT, 53), COUNT);
	ADD(ACCEPT, IS(DPORT, 54));
	ADD(DROP, IS(PROTOCOL, IPPROTO_UDP), COUNT);
	ADD(ACCEPT, COUNT);
	assert_true(hooked(HOOK_FORWARD));
	assert_false(passes());
	assert_int_equal(counted(0), 2);
	assert_int_equal(counted(2), 1);
	assert_int_equal(counted(3), 0);
	udp(54);
	assert_true(passes());
	packet_make(IPPROTO_TCP, 1, 2, 3, 4, 20);
	assert_true(passes());
	assert_int_equal(counted(3), 1);
}

static void test_missing_fields(void **state)
{
	ADD(DROP, IS_NOT(DPORT, 1));
	ADD(REJECT, IS_NOT(SPORT, 1));
	udp(53);
	assert_false(passes());
	assert_int_equal(rejected, -1);
	packet_make(IPPROTO_UDP, 1, 2, 3, 4, 3);
	assert_false(passes());
	assert_int_equal(rejected, 0);
	packet_make(IPPROTO_UDP, 1, 2, 3, 4, 1);
	assert_true(passes());
}

static void test_policy_and_refusals(void **state)
{
	struct filter_rule r = {.verdict = FILTER_RESET};
	struct error err;

	assert_int_equal(filter_policy_set(HOOK_FORWARD, false, &err), 0);
	assert_false(filter_policy(HOOK_FORWARD));
	udp(1);
	assert_false(passes());
	assert_int_equal(filter_add(HOOK_FORWARD, &r, FILTER_LAST, 0, &err), 0);
	assert_false(passes());
	assert_int_equal(rejected, 255);
	assert_int_equal(filter_add(HOOK_POSTROUTING, &r, FILTER_LAST, 0, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "postrouting can not reject");
	assert_int_equal(filter_del(HOOK_FORWARD, 999, &err), -ENOENT);
	assert_string_equal(err.text, "forward has no rule with handle 999");
	assert_int_equal(sysctl_set("net.millrace.filter_rules_max", "1", &err), 0);
	assert_int_equal(filter_add(HOOK_FORWARD, &r, FILTER_LAST, 0, &err), -ENOSPC);
	assert_int_equal(sysctl_set("net.millrace.filter_rules_max", "4096", &err), 0);
}

static void test_links(void **state)
{
	ADD(CONTINUE, LINK(IIF, "p1"), COUNT);
	ADD(CONTINUE, LINK(OIF, "p2"), COUNT);
	links[2] = NULL;
	notifier(LINK_DELETED, &p2, NULL);
	udp(1);
	passes();
	links[2] = &p2;
	notifier(LINK_ADDED, &p2, NULL);
	passes();
	assert_int_equal(counted(0), 2);
	assert_int_equal(counted(1), 1);
}

/* Two a second, three at once. */
static void test_limit(void **state)
{
	worker.now_ns = 1000 * SECOND;
	ADD(ACCEPT, {.kind = FILTER_LIMIT, .lo = 2, .hi = 3, .unit_s = 1});
	ADD(DROP, COUNT);
	udp(1);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(passes(), i < 3);
	worker.now_ns += SECOND / 2 - 1;
	assert_false(passes());
	worker.now_ns++;
	assert_true(passes());
	assert_false(passes());
	worker.now_ns += 1000 * SECOND;
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(passes(), i < 3);
}

/* 1000 bytes a second, 100 more at once; packets have 40. */
static void test_limit_bytes(void **state)
{
	unsigned int n = 0;

	worker.now_ns = 5000 * SECOND;
	ADD(ACCEPT, {.kind = FILTER_LIMIT, .lo = 1000, .hi = 100, .unit_s = 1, .bytes = true});
	ADD(DROP, COUNT);
	udp(1);
	while (passes())
		n++;
	assert_int_equal(n, 1100 / 40);
	worker.now_ns += SECOND / 10;
	for (n = 0; passes();)
		n++;
	assert_int_equal(n, (1100 % 40 + 100) / 40);
}

static void test_limit_over(void **state)
{
	worker.now_ns = 9000 * SECOND;
	ADD(DROP, {.kind = FILTER_LIMIT, .lo = 2, .hi = 3, .unit_s = 1, .over = true}, COUNT);
	udp(1);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(passes(), i < 3);
	assert_int_equal(counted(0), 2);
}

/* Each alone in the chain: does it match? */
static bool matches_alone(struct filter_term t, const struct filter_range *r, unsigned int n)
{
	struct filter_rule rule = {.n = 1, .term = {t}, .verdict = FILTER_DROP, .range = r,
				   .n_ranges = n};
	struct error err;
	bool matched;

	assert_int_equal(filter_add(HOOK_FORWARD, &rule, FILTER_LAST, 0, &err), 0);
	matched = !passes();
	filter_flush(HOOK_FORWARD, &err);
	return matched;
}

static void test_sets_and_masks(void **state)
{
	static const struct filter_range r[] = {{1, 3}, {7, 7}, {53, 60}, {1000, 65535}};
	struct filter_term in = {.kind = FILTER_DPORT, .set = 1, .n_set = 3}, out = in;

	out.not = true;
	for (unsigned int port = 0; port < 1100; port++) {
		bool there = port == 7 || (port >= 53 && port <= 60) || port >= 1000;

		udp((uint16_t)port);
		assert_int_equal(matches_alone(in, r, RTE_DIM(r)), there);
		assert_int_equal(matches_alone(out, r, RTE_DIM(r)), !there);
	}
	udp(0x1234);
	assert_true(matches_alone((struct filter_term){.kind = FILTER_DPORT, .mask = 0xff,
						       .lo = 0x34, .hi = 0x34}, NULL, 0));
	assert_false(matches_alone((struct filter_term){.kind = FILTER_DPORT, .mask = 0xf0,
							.lo = 0x34, .hi = 0x34}, NULL, 0));
	assert_true(matches_alone((struct filter_term)LINK(IIF, "p2 p1"), NULL, 0));
	assert_true(matches_alone((struct filter_term)LINK(IIF, "p*"), NULL, 0));
	assert_true(matches_alone((struct filter_term)LINK(OIF, "x p2"), NULL, 0));
	assert_false(matches_alone((struct filter_term)LINK(OIF, "p1 x*"), NULL, 0));
	assert_false(matches_alone((struct filter_term)LINK(OIF, "p"), NULL, 0));
}

static void test_mark(void **state)
{
	ADD(CONTINUE, IS(DPORT, 5), {.kind = FILTER_MARK_SET, .lo = 77});
	ADD(DROP, IS(MARK, 77), COUNT);
	ADD(RETURN, COUNT);
	ADD(DROP, COUNT);
	udp(6);
	assert_true(passes());
	udp(5);
	assert_false(passes());
	assert_int_equal(box.p.mark, 77);
	assert_int_equal(counted(2), 1);
	assert_int_equal(counted(3), 0);
}

/* The mark that is left of 0x1234 by a term that has it made of the one before. */
static uint32_t mark_made(uint32_t mask, uint32_t bits)
{
	struct error err;

	udp(5);
	box.p.mark = 0x1234;
	ADD(CONTINUE, {.kind = FILTER_MARK_SET, .mask = mask, .lo = bits});
	assert_true(passes());
	filter_flush(HOOK_FORWARD, &err);
	return box.p.mark;
}

static void test_mark_made_of_mark(void **state)
{
	assert_int_equal(mark_made(0, 7), 7);
	assert_int_equal(mark_made(0xff, 0), 0x34);
	assert_int_equal(mark_made(0xff, 0x101), 0x135);
	assert_int_equal(mark_made(UINT32_MAX, 0x1234), 0);
}

/* The bits of a packet from a place on, one by one, two by two ... in every way. */
static bool bits_are(bool transport, unsigned int offset, unsigned int bits, uint32_t value)
{
	return matches_alone((struct filter_term){
		.kind = FILTER_PAYLOAD, .lo = value, .hi = value,
		.payload = {.transport = transport, .offset = (uint16_t)offset,
			    .bits = (uint8_t)bits}}, NULL, 0);
}

static uint32_t bits_at(unsigned int offset, unsigned int n)
{
	uint32_t value = 0;

	for (unsigned int i = offset; i < offset + n; i++)
		value = value << 1 | (box.bytes[i / 8] >> (7 - i % 8) & 1);
	return value;
}

static void test_bits(void **state)
{
	struct rte_ipv4_hdr *ip = (void *)box.bytes;

	udp(0xabcd);
	for (unsigned int i = 20; i < 40; i++)
		box.bytes[i] = (uint8_t)(i * 73);
	for (unsigned int n = 1; n <= 32; n++)
		for (unsigned int at = 0; at < 8 * 20; at++) {
			bool there = at + n <= 8 * 20;

			assert_true(bits_are(false, at, n, bits_at(at, n)));
			assert_false(bits_are(false, at, n, bits_at(at, n) ^ 1));
			assert_int_equal(bits_are(true, at, n, bits_at(160 + at, n)), there);
		}
	/* what is not there fails, negated or not */
	assert_false(matches_alone((struct filter_term){
		.kind = FILTER_PAYLOAD, .not = true, .lo = 1, .hi = 1,
		.payload = {.transport = true, .offset = 153, .bits = 8}}, NULL, 0));
	/* of later fragments only what lies as numbers do */
	ip->fragment_offset = RTE_BE16(3);
	assert_true(bits_are(true, 32, 32, bits_at(192, 32)));
	assert_true(bits_are(true, 19, 5, bits_at(179, 5)));
	assert_false(bits_are(true, 24, 32, bits_at(184, 32)));
	assert_false(bits_are(true, 0, 24, bits_at(160, 24)));
	assert_true(bits_are(false, 0, 24, bits_at(0, 24)));
}

static void test_counter_begins(void **state)
{
	struct filter_rule r = {.n = 1, .term = {COUNT}, .packets = 100, .bytes = 5000};
	struct error err;

	assert_int_equal(filter_add(HOOK_FORWARD, &r, FILTER_LAST, 0, &err), 0);
	udp(1);
	assert_true(passes());
	assert_int_equal(counted(0), 101);
	filter_reset(HOOK_FORWARD);
	assert_int_equal(counted(0), 0);
}

static int collect_handle(const struct filter_info *info, void *arg)
{
	uint32_t **next = arg;

	*(*next)++ = info->handle;
	return 0;
}

static unsigned int handles(uint32_t *to)
{
	uint32_t *next = to;

	filter_foreach(HOOK_FORWARD, collect_handle, &next);
	return (unsigned int)(next - to);
}

static int enter(enum filter_place place, uint32_t handle)
{
	struct filter_rule r = {.verdict = FILTER_ACCEPT};
	struct error err;

	return filter_add(HOOK_FORWARD, &r, place, handle, &err);
}

#define HANDLES(...) \
	do { \
		const uint32_t expected[] = {__VA_ARGS__}; \
		uint32_t got[16]; \
		assert_int_equal(handles(got), RTE_DIM(expected)); \
		for (unsigned int h = 0; h < RTE_DIM(expected); h++) \
			assert_int_equal(got[h] - first, expected[h]); \
	} while (0)

static void test_places(void **state)
{
	uint32_t first, at;
	struct error err;

	enter(FILTER_LAST, 0);
	assert_int_equal(handles(&first), 1);
	enter(FILTER_LAST, 0);
	enter(FILTER_FIRST, 0);
	HANDLES(2, 0, 1);
	enter(FILTER_BEFORE, first);
	enter(FILTER_AFTER, first);
	HANDLES(2, 3, 0, 4, 1);
	enter(FILTER_INSTEAD, first + 4);
	HANDLES(2, 3, 0, 4, 1);
	assert_int_equal(enter(FILTER_AFTER, first + 9), -ENOENT);
	assert_int_equal(enter(FILTER_INSTEAD, first + 9), -ENOENT);
	assert_int_equal(filter_handle_at(HOOK_FORWARD, 3, &at, &err), 0);
	assert_int_equal(at, first + 4);
	assert_int_equal(filter_handle_at(HOOK_FORWARD, 5, &at, &err), -ENOENT);
}

/* Nothing shows before the end, and nothing stays where it is given up. */
static void test_transaction(void **state)
{
	uint32_t first;
	struct error err;

	udp(1);
	enter(FILTER_LAST, 0);
	enter(FILTER_LAST, 0);
	for (unsigned int keep = 0; keep < 2; keep++) {
		uint32_t now[2];

		assert_int_equal(handles(now), 2);
		first = now[0];
		assert_int_equal(filter_begin(&err), 0);
		assert_int_equal(filter_policy_set(HOOK_FORWARD, false, &err), 0);
		assert_int_equal(enter(FILTER_BEFORE, first), 0);
		assert_int_equal(enter(FILTER_INSTEAD, first + 2), 0);
		assert_int_equal(enter(FILTER_INSTEAD, first + 1), 0);
		assert_int_equal(filter_del(HOOK_FORWARD, first, &err), 0);
		assert_int_equal(filter_flush(HOOK_FORWARD, &err), 0);
		assert_true(passes());
		assert_false(hooked(HOOK_INPUT));
		ADD(CONTINUE, COUNT);
		filter_policy_set(HOOK_INPUT, false, &err);
		assert_int_equal(filter_end(keep, &err), 0);
		assert_int_equal(hooked(HOOK_INPUT), keep);
		assert_int_equal(passes(), !keep);
		if (keep)
			HANDLES(3);
		else
			HANDLES(0, 1);
	}
}

/* What is held shows at the end, or where a transaction begins inside. */
static void test_held(void **state)
{
	uint32_t now[4];
	struct error err;

	udp(1);
	filter_hold();
	filter_hold();
	ADD(DROP, COUNT);
	enter(FILTER_FIRST, 0);
	assert_false(hooked(HOOK_FORWARD));
	assert_int_equal(filter_release(&err), 0);
	assert_true(passes());
	assert_int_equal(filter_release(&err), 0);
	assert_true(hooked(HOOK_FORWARD));
	assert_true(passes());

	filter_hold();
	assert_int_equal(handles(now), 2);
	assert_int_equal(filter_del(HOOK_FORWARD, now[0], &err), 0);
	assert_true(passes());
	assert_int_equal(filter_begin(&err), 0);
	assert_false(passes());
	filter_flush(HOOK_FORWARD, &err);
	assert_int_equal(filter_end(false, &err), 0);
	assert_false(passes());
	assert_int_equal(filter_policy_set(HOOK_FORWARD, false, &err), 0);
	assert_int_equal(filter_flush(HOOK_FORWARD, &err), 0);
	assert_int_equal(filter_policy_set(HOOK_FORWARD, true, &err), 0);
	assert_true(hooked(HOOK_FORWARD));
	assert_int_equal(filter_release(&err), 0);
	assert_false(hooked(HOOK_FORWARD));
	assert_true(passes());
}

static uint32_t draw(uint32_t n)
{
	return (uint32_t)rand() % n;
}

static void random_rule(void)
{
	struct filter_term t[FILTER_TERMS_MAX];
	unsigned int n = 0;
	uint32_t bits = draw(3), at = draw(200), net = 0x0a000000 + (at % 8 >> bits << bits);
	uint32_t to = 0x0a000100 + draw(4);

	if (draw(2))
		t[n++] = TERM(RANGE, SADDR, net, net + (1u << bits) - 1);
	if (draw(2))
		t[n++] = TERM(IS, DADDR, to);
	if (!draw(3))
		t[n++] = TERM(IS, PROTOCOL, bits ? IPPROTO_UDP : IPPROTO_ICMP);
	if (!draw(4))
		t[n++] = TERM(RANGE, SPORT, at, at + draw(100));
	if (!draw(4))
		t[n++] = TERM(RANGE, DPORT, at, at + draw(100));
	if (!draw(6))
		t[n++] = TERM(IS, ICMP_TYPE, bits);
	if (!draw(6))
		t[n++] = TERM(LINK, IIF, "p1");
	if (!draw(6))
		t[n++] = TERM(LINK, OIF, "p2");
	if (!draw(8))
		t[n++] = TERM(IS, FRAGMENT, 1);
	if (!draw(20))
		t[n++] = TERM(IS_NOT, DADDR, 0x0a000101);
	if (!draw(20))
		t[n++] = TERM(RANGE, TTL, 0, 63);
	t[n++] = (struct filter_term)COUNT;
	add_terms(draw(30) ? draw(2) ? FILTER_ACCEPT : FILTER_DROP : FILTER_CONTINUE, t, n);
}

static void random_packet(void)
{
	struct rte_ipv4_hdr *ip = (void *)box.bytes;

	packet_make(draw(3) ? IPPROTO_UDP : IPPROTO_ICMP, 0x0a000000 + draw(8),
		    0x0a000100 + draw(4), (uint16_t)draw(800), (uint16_t)draw(300), draw(8));
	ip->time_to_live = (uint8_t)(62 + draw(4));
	box.p.link = (uint16_t)(1 + draw(2));
	box.p.out_link = (uint16_t)(1 + draw(2));
	if (!draw(4))
		ip->fragment_offset = draw(2) ? FRAG_MF : RTE_BE16(5);
}

#define PACKETS 400

static void decide_all(unsigned int seed, bool *verdict)
{
	srand(seed);
	for (unsigned int i = 0; i < PACKETS; i++) {
		random_packet();
		verdict[i] = passes();
	}
}

static void test_random(void **state)
{
	static const unsigned int sizes[] = {1, 5, 17, 60, 300};
	bool one_by_one[PACKETS], classified[PACKETS];
	uint64_t before[512], after[512], *next;
	struct error err;

	for (unsigned int k = 0; k < 4 * RTE_DIM(sizes); k++) {
		unsigned int n = sizes[k % RTE_DIM(sizes)];

		srand(k);
		assert_int_equal(sysctl_set("net.millrace.filter_linear_max", "100000", &err), 0);
		for (unsigned int i = 0; i < n; i++)
			random_rule();
		decide_all(1000 + k, one_by_one);
		next = before;
		filter_foreach(HOOK_FORWARD, collect, &next);
		assert_int_equal(sysctl_set("net.millrace.filter_linear_max", "0", &err), 0);
		decide_all(1000 + k, classified);
		next = after;
		filter_foreach(HOOK_FORWARD, collect, &next);
		assert_memory_equal(one_by_one, classified, sizeof(classified));
		for (unsigned int i = 0; i < n; i++)
			assert_int_equal(after[i], 2 * before[i]);
		filter_flush(HOOK_FORWARD, &err);
	}
}

static int start(void **state)
{
	char *argv[] = {(char *)"test_filter", (char *)"--no-huge", (char *)"--no-pci",
			(char *)"--no-shconf", (char *)"--no-telemetry",
			(char *)"-m", (char *)"64", (char *)"--lcores", (char *)"0"};

	links[1] = &p1;
	links[2] = &p2;
	assert_true(rte_eal_init(RTE_DIM(argv), argv) >= 0);
	return filter_init();
}

static int stop(void **state)
{
	hook_fini();
	filter_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_order, teardown),
		cmocka_unit_test_teardown(test_missing_fields, teardown),
		cmocka_unit_test_teardown(test_policy_and_refusals, teardown),
		cmocka_unit_test_teardown(test_links, teardown),
		cmocka_unit_test_teardown(test_limit, teardown),
		cmocka_unit_test_teardown(test_limit_bytes, teardown),
		cmocka_unit_test_teardown(test_limit_over, teardown),
		cmocka_unit_test_teardown(test_sets_and_masks, teardown),
		cmocka_unit_test_teardown(test_mark, teardown),
		cmocka_unit_test_teardown(test_mark_made_of_mark, teardown),
		cmocka_unit_test_teardown(test_bits, teardown),
		cmocka_unit_test_teardown(test_counter_begins, teardown),
		cmocka_unit_test_teardown(test_places, teardown),
		cmocka_unit_test_teardown(test_transaction, teardown),
		cmocka_unit_test_teardown(test_held, teardown),
		cmocka_unit_test_teardown(test_random, teardown),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
