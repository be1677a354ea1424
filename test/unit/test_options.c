/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/ipv4/options on crafted headers: rule B's errors with their pointers, what is entered, source
 * routes, forwarding, the options of answers. Then headers at random: nothing beyond the header is
 * touched, and what is noted lies within it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipv4/exception.h"
#include "ipv4/options.h"
#include "ipv4/reassemble.h"
#include "packet/checksum.h"

#define US 10, 0, 0, 1
#define OUT 10, 0, 1, 1         /* our address on the other link */
#define HOST 10, 0, 0, 2
#define FAR 10, 0, 1, 2
#define FAR_2 10, 0, 1, 3
#define ZEROS 0, 0, 0, 0
#define NOON 0x02, 0x93, 0x2e, 0x00
#define NOON_NS (12 * 3600 * NSEC_PER_SEC)

#define LOOSE OPTION_LSRR
#define STRICT OPTION_SSRR
#define MAGIC 0xa5

/* ---- stand-ins ---- */

static struct counters counters;
static struct ip_worker ip_worker;
static struct worker worker = {.counters = &counters, .now_ns = NOON_NS, .ip = &ip_worker};
static struct link in = {.id = 1}, out = {.id = 2};
static struct nexthop hops[4] = {
	[1] = {.type = ROUTE_LOCAL, .link = 1, .src = RTE_BE32(0x0a000001)},
	[2] = {.type = ROUTE_UNICAST, .link = 2, .src = RTE_BE32(0x0a000101)},
	[3] = {.type = ROUTE_LOCAL, .link = 2, .src = RTE_BE32(0x0a000101)},
};
struct nexthop *nexthops = hops;
struct fib *route_fib;
struct link *links[LINKS_MAX] = {[1] = &in, [2] = &out};
struct link_conf link_conf_all;

static int dropped;             /* the reason; -1: not */
static struct {
	int type, code, pointer;
	unsigned int defragged; /* was reassembly run before? */
} told;

static rte_be32_t redirected;   /* to this gateway; 0: not */
uint32_t ip_exceptions;

bool ip_exception_find(uint32_t nexthop, rte_be32_t dst, struct ip_exception *e)
{
	*e = (struct ip_exception){.gateway = redirected};
	return true;
}

uint16_t fib_lookup(const struct fib *fib, uint32_t addr)
{
	return addr == 0x0a000001 ? 1 : addr == 0x0a000101 ? 3 : addr >> 8 == 0x0a0001 ? 2 : 0;
}

struct rule_set *route_rules;

const struct nexthop *route_lookup_local_open(rte_be32_t addr)
{
	return &hops[fib_lookup(NULL, rte_be_to_cpu_32(addr))];
}

uint32_t route_lookup_over(const struct route_flow *f, unsigned int link)
{
	uint16_t index = fib_lookup(NULL, rte_be_to_cpu_32(f->dst));

	return hops[index].link == link ? index : 0;
}

rte_be32_t addr_select(const struct link *l, rte_be32_t dst, unsigned int scope)
{
	assert_ptr_equal(l, &out);
	return RTE_BE32(0x0a000101);
}

rte_be32_t ip_spec_dst(const struct rte_mbuf *m)
{
	return RTE_BE32(0x0a000001);
}

uint64_t clock_utc(uint64_t ns)
{
	return ns;
}

enum route_verdict ip_route_input_hop(struct worker *w, const struct link *l, struct rte_mbuf *m,
				      rte_be32_t hop, enum drop_reason *reason)
{
	struct packet *p = packet_of(m);

	p->nexthop = fib_lookup(NULL, rte_be_to_cpu_32(hop));
	p->route_type = hops[p->nexthop].type;
	p->out_link = hops[p->nexthop].link;
	return p->route_type == ROUTE_LOCAL ? VERDICT_LOCAL
					    : p->route_type == ROUTE_UNICAST ? VERDICT_FORWARD
									     : VERDICT_ERROR;
}

enum route_verdict ip_route_input(struct worker *w, const struct link *l, struct rte_mbuf *m,
				  enum drop_reason *reason)
{
	return ip_route_input_hop(w, l, m, packet_ip(m)->dst_addr, reason);
}

void icmp_send(struct worker *w, const struct rte_mbuf *m, uint8_t type, uint8_t code,
	       rte_be32_t info)
{
	told.type = type;
	told.code = code;
	told.pointer = (int)(rte_be_to_cpu_32(info) >> 24);
}

void ip_defrag_run(struct worker *w)
{
	assert_int_equal(told.type, -1);
	told.defragged = w->ip->frags.n;
	w->ip->frags.n = 0;
}

void packet_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	dropped = (int)reason;
}

/* ---- packets ---- */

static struct {
	struct rte_mbuf m;
	struct packet p;
	uint8_t before[64];
	uint8_t header[60];
	uint8_t after[64];
} box;

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* A packet from HOST to us with these options, padded with EOL. */
static struct rte_mbuf *packet_make(const uint8_t *options, size_t len)
{
	struct rte_ipv4_hdr *ip = (void *)box.header;
	enum drop_reason reason;

	memset(&box, MAGIC, sizeof(box));
	memset(&box.m, 0, sizeof(box.m));
	memset(&box.p, 0, sizeof(box.p));
	memset(box.header, 0, sizeof(box.header));
	len = RTE_ALIGN_CEIL(len, 4);
	memcpy(box.header + 20, options, len);
	ip->version_ihl = (uint8_t)(0x45 + len / 4);
	ip->src_addr = RTE_BE32(0x0a000002);
	ip->dst_addr = RTE_BE32(0x0a000001);
	box.m.buf_addr = box.header;
	box.m.data_len = (uint16_t)(20 + len);
	box.m.pkt_len = box.m.data_len;
	box.p.link = 1;
	ip_route_input(&worker, &in, &box.m, &reason);
	link_conf_all.accept_source_route = in.conf.accept_source_route = 1;
	counters = (struct counters){0};
	dropped = -1;
	told.type = -1;
	told.defragged = 0;
	return &box.m;
}

/* The same for options that do not come as a multiple of 4. */
#define PACKET(...) \
	packet_make((const uint8_t[40]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void check_options(const uint8_t *options, size_t len)
{
	assert_memory_equal(box.header + 20, options, len);
}

/* ---- compile ---- */

#define WRONG(pointer, ...) \
	assert_int_equal(ip_options_compile(&worker, PACKET(__VA_ARGS__)), pointer)

static void test_pointers(void **state)
{
	WRONG(20, 7);
	WRONG(20, 7, 0, 0, 0);
	WRONG(20, 7, 1, 0, 0);
	WRONG(23, 1, 1, 1, 30);
	WRONG(21, 1, 30, 4, 0);
	WRONG(20, 30, 5, 0, 0);

	WRONG(21, LOOSE, 2, 0, 0);
	WRONG(22, LOOSE, 7, 3, US);
	WRONG(27, LOOSE, 7, 4, US, STRICT, 7, 4, US);
	WRONG(28, LOOSE, 7, 4, US, STRICT, 2, 4, US);

	WRONG(21, 7, 2, 0, 0);
	WRONG(22, 7, 7, 3, ZEROS);
	WRONG(22, 7, 7, 5, ZEROS);
	WRONG(22, 7, 7, 7, ZEROS);
	WRONG(27, 7, 7, 4, ZEROS, 7, 2);

	WRONG(21, 68, 3, 5, 0);
	WRONG(22, 68, 8, 4, 0, ZEROS);
	WRONG(22, 68, 8, 6, 0, ZEROS);
	WRONG(22, 68, 8, 5, 1, ZEROS);
	WRONG(22, 68, 8, 5, 3, ZEROS);
	WRONG(23, 68, 8, 9, 0xf0, ZEROS);
	WRONG(23, 68, 8, 9, 0xf1, ZEROS);
	WRONG(23, 68, 8, 9, 0xf2, ZEROS);
	WRONG(28, 68, 8, 5, 0, ZEROS, 68, 3);

	WRONG(21, 148, 3, 0, 0);
	WRONG(21, 134, 7, 0, 0, 0, 1, 0, 0);
	WRONG(22, 134, 8, 0, 0, 0, 1, 1, 2);
}

#define GOOD(...) WRONG(0, __VA_ARGS__)
#define CHECK(...) check_options(BYTES(__VA_ARGS__))

static void test_harmless(void **state)
{
	GOOD(1, 1, 1, 1);
	GOOD(30, 2, 148, 4, 0, 1, 255, 2);
	assert_int_equal(ip_options_compile(&worker, packet_make((const uint8_t[40]){30, 40}, 40)),
			 0);
	GOOD(0, 0, 0, 0);
	assert_int_equal(box.p.options.flags, 0);
	GOOD(1, 0, 7, 1);
	CHECK(1, 0, 0, 0);
	assert_int_equal(box.p.options.flags, OPTIONS_F_CHANGED);
}

static void test_record_route(void **state)
{
	GOOD(1, 7, 11, 8, HOST, ZEROS);
	CHECK(1, 7, 11, 12, HOST, US);
	assert_int_equal(box.p.options.rr, 21);
	assert_int_equal(box.p.options.flags, OPTIONS_F_CHANGED | OPTIONS_F_RR_ADDR);
	GOOD(7, 7, 8, HOST, 1);
	CHECK(7, 7, 8, HOST, 1);
	assert_int_equal(box.p.options.flags, 0);
	assert_int_equal(box.p.options.rr, 20);
}

static void test_timestamp(void **state)
{
	GOOD(68, 8, 5, 0, ZEROS);
	CHECK(68, 8, 9, 0, NOON);
	GOOD(68, 12, 5, 0x21, ZEROS, ZEROS);
	CHECK(68, 12, 13, 0x21, US, NOON);
	GOOD(68, 12, 5, 3, OUT, ZEROS);
	CHECK(68, 12, 13, 3, OUT, NOON);
	GOOD(68, 12, 5, 3, FAR, ZEROS);
	CHECK(68, 12, 5, 3, FAR, ZEROS);
	assert_int_equal(box.p.options.flags, 0);
	GOOD(68, 12, 5, 3, 224, 0, 0, 1, ZEROS);
	CHECK(68, 12, 13, 3, 224, 0, 0, 1, NOON);
	GOOD(68, 12, 5, 2, ZEROS, ZEROS);
	CHECK(68, 12, 5, 2, ZEROS, ZEROS);
	GOOD(68, 8, 9, 0xe0, HOST);
	CHECK(68, 8, 9, 0xf0, HOST);
	GOOD(68, 8, 9, 0xf3, HOST);
	CHECK(68, 8, 9, 0xf3, HOST);
}

/* ---- source routes ---- */

static bool receive(struct rte_mbuf *m)
{
	enum route_verdict verdict = VERDICT_LOCAL;
	bool goes_on;

	if (box.p.route_type != ROUTE_LOCAL)
		verdict = box.p.route_type == ROUTE_UNICAST ? VERDICT_FORWARD : VERDICT_ERROR;
	goes_on = ip_rcv_options(&worker, &in, m, &verdict);
	assert_int_equal(goes_on, dropped < 0);
	if (goes_on)
		assert_int_equal(verdict, box.p.route_type == ROUTE_LOCAL ? VERDICT_LOCAL
									  : VERDICT_FORWARD);
	return goes_on;
}

static void set_dst(uint32_t dst)
{
	enum drop_reason reason;

	packet_ip(&box.m)->dst_addr = rte_cpu_to_be_32(dst);
	ip_route_input(&worker, &in, &box.m, &reason);
}

static void test_source_route(void **state)
{
	assert_true(receive(PACKET(LOOSE, 15, 4, US, OUT, FAR)));
	assert_int_equal(packet_ip(&box.m)->dst_addr, RTE_BE32(0x0a000101));
	assert_int_equal(box.p.source_hop, RTE_BE32(0x0a000102));
	assert_true(box.p.options.flags & OPTIONS_F_SRR_HIT);
	ip_forward_options(&box.m);
	CHECK(LOOSE, 15, 16, US, OUT, OUT);
	assert_int_equal(packet_ip(&box.m)->dst_addr, RTE_BE32(0x0a000102));
	assert_true(checksum_header_good(packet_ip(&box.m), 9));

	/* to its end */
	assert_true(receive(PACKET(LOOSE, 7, 8, FAR)));
	assert_int_equal(box.p.route_type, ROUTE_LOCAL);
	assert_true(receive(PACKET(STRICT, 7, 4, OUT)));
	assert_int_equal(box.p.route_type, ROUTE_LOCAL);
	assert_int_equal(packet_ip(&box.m)->dst_addr, RTE_BE32(0x0a000101));

	/* not to us */
	PACKET(LOOSE, 7, 4, FAR_2);
	set_dst(0x0a000102);
	assert_true(receive(&box.m));
	assert_false(box.p.options.flags & OPTIONS_F_SRR_HIT);
}

static void test_source_route_refused(void **state)
{
	PACKET(LOOSE, 7, 4, FAR);
	link_conf_all.accept_source_route = 0;
	assert_false(receive(&box.m));
	assert_int_equal(dropped, DROP_IP_SOURCE_ROUTE);
	assert_int_equal(told.type, -1);

	PACKET(LOOSE, 7, 4, FAR);
	box.p.type = PACKET_BROADCAST;
	assert_false(receive(&box.m));
	assert_int_equal(dropped, DROP_IP_NOT_HOST);

	PACKET(STRICT, 7, 4, FAR_2);
	set_dst(0x0a000102);
	assert_false(receive(&box.m));
	assert_int_equal(told.pointer, 16);
	assert_int_equal(counters.c[CNT_IP_INHDRERRORS], 0);

	assert_false(receive(PACKET(LOOSE, 7, 4, 9, 9, 9, 9)));
	assert_int_equal(dropped, DROP_IP_SR_FAILED);
	assert_int_equal(told.type, -1);

	assert_false(receive(PACKET(1, LOOSE, 9, 4, OUT, 10, 0)));
	assert_int_equal(told.type, ICMP_PARAMETERPROB);
	assert_int_equal(told.pointer, 23);
	assert_int_equal(counters.c[CNT_IP_INHDRERRORS], 0);
}

static void test_strict(void **state)
{
	assert_true(receive(PACKET(STRICT, 7, 4, FAR)));
	assert_false(ip_options_strict_failed(&box.m));
	hops[2].gateway = RTE_BE32(0x0a0001fe);
	assert_true(ip_options_strict_failed(&box.m));
	assert_true(receive(PACKET(LOOSE, 7, 4, FAR)));
	assert_false(ip_options_strict_failed(&box.m));
	hops[2].gateway = 0;
	assert_true(receive(PACKET(STRICT, 7, 4, FAR)));
	ip_exceptions = 1;
	assert_false(ip_options_strict_failed(&box.m));
	redirected = RTE_BE32(0x0a0001fe);
	assert_true(ip_options_strict_failed(&box.m));
	ip_exceptions = 0;
	redirected = 0;
}

/* What came before is answered before. */
static void test_order(void **state)
{
	PACKET(7, 3, 1, 0);
	ip_worker.frags.n = 3;
	assert_false(receive(&box.m));
	assert_int_equal(told.defragged, 3);
	assert_int_equal(told.type, ICMP_PARAMETERPROB);
	assert_int_equal(told.pointer, 22);
	assert_int_equal(dropped, DROP_IP_OPTIONS);
	assert_int_equal(counters.c[CNT_IP_INHDRERRORS], 1);
}

static void test_forward(void **state)
{
	PACKET(7, 7, 4, ZEROS, 68, 12, 5, 1, ZEROS, ZEROS, 0);
	set_dst(0x0a000102);
	assert_true(receive(&box.m));
	CHECK(7, 7, 8, US, 68, 12, 13, 1, US, NOON, 0);
	ip_forward_options(&box.m);
	CHECK(7, 7, 8, OUT, 68, 12, 13, 1, US, NOON, 0);
	assert_true(checksum_header_good(packet_ip(&box.m), 10));

	/* with a source route both take the outgoing address */
	assert_true(receive(PACKET(68, 12, 5, 1, ZEROS, ZEROS, 7, 7, 4, ZEROS, LOOSE, 7, 4, FAR)));
	ip_forward_options(&box.m);
	CHECK(68, 12, 13, 1, OUT, NOON, 7, 7, 8, OUT, LOOSE, 7, 8, OUT);

	/* nothing was changed, nor is the checksum */
	PACKET(1, 1, 1, 1);
	set_dst(0x0a000102);
	packet_ip(&box.m)->hdr_checksum = 0x1234;
	assert_true(receive(&box.m));
	ip_forward_options(&box.m);
	assert_int_equal(packet_ip(&box.m)->hdr_checksum, 0x1234);
}

/* ---- answers ---- */

/* The options of an answer from us to HOST, in a header. */
static uint8_t answer[60];

static bool echo(struct rte_mbuf *m, size_t *len)
{
	struct ip_options o;
	struct rte_ipv4_hdr *ip = (void *)answer;

	if (!ip_options_echo(&o, m))
		return false;
	memset(answer, 0, sizeof(answer));
	ip->src_addr = RTE_BE32(0x0a000001);
	m->buf_addr = answer;
	ip_options_build(&o, m, RTE_BE32(0x0a000002), NOON_NS);
	m->buf_addr = box.header;
	if (o.at.srr)
		assert_int_equal(o.first_hop, RTE_BE32(0x0a000102));
	*len = o.len;
	return true;
}

static void check_answer(const uint8_t *options, size_t n)
{
	size_t len;

	assert_int_equal(ip_options_compile(&worker, &box.m), 0);
	assert_true(echo(&box.m, &len));
	assert_int_equal(len, n);
	assert_memory_equal(answer + 20, options, n);
}

#define ANSWER(...) check_answer(BYTES(__VA_ARGS__))

static void test_echo(void **state)
{
	size_t len;

	PACKET(1, 148, 4, 0, 0, 30, 3, 1);
	check_answer(NULL, 0);
	PACKET(1, 7, 11, 4, ZEROS, ZEROS);
	ANSWER(7, 11, 12, US, US, 0);
	PACKET(7, 7, 4, ZEROS);
	ANSWER(7, 7, 8, US, 0);
	PACKET(68, 12, 5, 0, ZEROS, ZEROS);
	ANSWER(68, 12, 13, 0, NOON, NOON);
	PACKET(68, 20, 5, 1, ZEROS, ZEROS, ZEROS, ZEROS);
	ANSWER(68, 20, 21, 1, US, NOON, US, NOON);
	PACKET(68, 20, 5, 3, US, ZEROS, OUT, ZEROS);
	ANSWER(68, 20, 21, 3, US, NOON, OUT, NOON);
	PACKET(68, 20, 5, 3, US, ZEROS, FAR, ZEROS);
	ANSWER(68, 20, 13, 3, US, NOON, FAR, ZEROS);

	/* record route comes before the timestamp */
	PACKET(68, 8, 9, 0, HOST, 7, 7, 8, HOST);
	ANSWER(7, 7, 8, HOST, 68, 8, 9, 0x10, HOST, 0);

	/* room for less than an entry */
	assert_int_equal(ip_options_compile(&worker, PACKET(7, 9, 4, ZEROS, 0, 0)), 0);
	assert_false(echo(&box.m, &len));
	assert_int_equal(ip_options_compile(&worker, PACKET(68, 16, 5, 1, ZEROS, ZEROS, ZEROS)), 0);
	assert_false(echo(&box.m, &len));

	/* what could not be read to its end */
	assert_int_equal(ip_options_compile(&worker, PACKET(7, 7, 4, ZEROS, 134, 8, 0, 0, 0, 1, 0,
							    0)), 29);
	assert_true(echo(&box.m, &len));
	assert_memory_equal(answer + 20, ((uint8_t[]){7, 7, 8, US, 134, 8, 0, 0, 0, 1, 0, 0, 0}),
			    len);
	assert_int_equal(len, 16);
}

static void test_echo_source_route(void **state)
{
	PACKET(LOOSE, 7, 8, FAR);
	ANSWER(LOOSE, 7, 4, HOST, 0);
	PACKET(STRICT, 15, 16, 1, 1, 1, 1, 2, 2, 2, 2, FAR);
	ANSWER(STRICT, 15, 4, 2, 2, 2, 2, 1, 1, 1, 1, HOST, 0);
	/* not all of it was passed */
	PACKET(LOOSE, 11, 8, FAR, OUT);
	ANSWER(LOOSE, 7, 4, HOST, 0);
	PACKET(LOOSE, 11, 255, 1, 1, 1, 1, FAR);
	ANSWER(LOOSE, 11, 4, 1, 1, 1, 1, HOST, 0);
	/* the sender put itself on it */
	PACKET(LOOSE, 11, 12, HOST, FAR);
	ANSWER(LOOSE, 7, 4, HOST, 0);
	PACKET(LOOSE, 7, 8, HOST);
	check_answer(NULL, 0);
	PACKET(LOOSE, 7, 4, FAR);
	check_answer(NULL, 0);
}

/* ---- at random ---- */

static uint64_t random_state = 7;

static uint8_t any(unsigned int n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint8_t)((random_state >> 33) % n);
}

static void fill(uint8_t *options, size_t len)
{
	static const uint8_t types[] = {0, 1, 7, 7, 68, 68, 131, 137, 148, 134, 30};

	for (size_t i = 0; i < len; i++)
		options[i] = any(3) ? any(45) : any(256);
	for (size_t at = 0; at < len; at += RTE_MAX(options[at] < 2 ? 1 : options[at + 1], 1)) {
		options[at] = types[any(sizeof(types))];
		if (options[at] < 2 || at + 4 > len)
			continue;
		options[at + 1] = any(20) ? 3 + 4 * any(5) + (options[at] == 68) : any(45);
		options[at + 2] = any(10) ? 4 + 4 * any(5) + (options[at] == 68) : any(45);
		if (options[at] == 68)
			options[at + 3] = any(4);
	}
}

static void check_edges(void)
{
	for (unsigned int i = 0; i < sizeof(box.before); i++)
		assert_true(box.before[i] == MAGIC && box.after[i] == MAGIC);
	for (unsigned int i = box.m.data_len; i < sizeof(box.header); i++)
		assert_int_equal(box.header[i], 0);
}

static void check_noted(unsigned int at, uint8_t type)
{
	if (!at)
		return;
	assert_true(at >= 20 && at + 3u <= box.m.data_len);
	assert_true(box.header[at] == type || (type == LOOSE && box.header[at] == STRICT));
	assert_true(at + box.header[at + 1] <= box.m.data_len);
}

static void test_random(void **state)
{
	unsigned int good = 0, echoed = 0;

	for (unsigned int round = 0; round < 300000; round++) {
		uint8_t options[64] = {0};
		size_t n = 4 + 4 * any(10), len;

		fill(options, n);
		memset(options + n, 0, sizeof(options) - n);
		packet_make(options, n);
		good += receive(&box.m);
		check_noted(box.p.options.srr, LOOSE);
		check_noted(box.p.options.rr, OPTION_RR);
		check_noted(box.p.options.ts, OPTION_TS);
		if (dropped < 0 && box.p.route_type == ROUTE_UNICAST)
			ip_forward_options(&box.m);
		check_edges();
		box.p.options.srr = 0;
		if (echo(&box.m, &len)) {
			echoed++;
			assert_true(len % 4 == 0 && len <= n);
		}
	}
	assert_true(good > 1000 && echoed > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_record_route),
		cmocka_unit_test(test_timestamp),
		cmocka_unit_test(test_source_route),
		cmocka_unit_test(test_source_route_refused),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_source_route),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
