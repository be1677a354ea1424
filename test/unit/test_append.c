/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/ipv4/append: for every MTU and length, however the bytes come (copied, as mbufs, in odd
 * parts), the pieces are those of rule G3, the bytes are right, and each piece has room for its
 * headers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_random.h>

#include "ipv4/append.h"
#include "ipv4/fragment.h"
#include "packet/chain.h"

#define MBUFS 4095
#define BYTES_MAX 65535
#define HEADER 20u

static struct counters counters;
static struct worker worker = {.counters = &counters};
static uint8_t data[BYTES_MAX], got[BYTES_MAX];
static struct rte_mbuf *sent;
static bool sent_several;
static uint32_t refer_from;
struct link *links[LINKS_MAX];

void ip_build_and_send_pkt(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f,
			   bool several)
{
	assert_null(sent);
	sent = m;
	sent_several = several;
}

uint32_t fragment_refer_bytes(const struct link *out)
{
	return refer_from;
}

static void get(void *from, uint32_t offset, uint32_t len, void *to)
{
	memcpy(to, (const uint8_t *)from + offset, len);
}

/* An mbuf chain of some bytes of data, in segments of at most so many bytes. */
static struct rte_mbuf *packet_of_data(uint32_t offset, uint32_t len, uint32_t segment)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(packet_pool(0)), *tail = m;

	memset(packet_of(m), 0, sizeof(struct packet));
	while (len) {
		struct rte_mbuf *seg = m->pkt_len ? rte_pktmbuf_alloc(packet_pool(0)) : m;
		uint32_t n = RTE_MIN(len, segment);

		memcpy(rte_pktmbuf_append(seg, (uint16_t)n), data + offset, n);
		if (seg != m)
			chain_append(m, &tail, seg);
		offset += n;
		len -= n;
	}
	return m;
}

/* The frag_list is as rule G3 has it, and goes the fast way. */
static void check(const struct ip_flow *f, uint32_t len)
{
	uint32_t whole = f->mtu - HEADER, left = len;

	assert_non_null(sent);
	assert_int_equal(sent->pkt_len, len);
	assert_int_equal(rte_mbuf_check(sent, 1, &(const char *){NULL}), 0);
	packet_read(sent, 0, len, got);
	assert_memory_equal(got, data, len);
	assert_int_equal(sent_several, len > whole);
	for (const struct rte_mbuf *seg = sent; seg; seg = chain_next_fragment(seg)) {
		uint32_t piece = left <= whole ? left : whole & ~7u;

		assert_int_equal(packet_of(seg)->frag_bytes, piece);
		assert_true(chain_headroom(seg, HEADER + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN));
		assert_int_equal(packet_of(seg)->frag_header, HEADER);
		left -= piece;
	}
	assert_int_equal(left, 0);
	rte_pktmbuf_free(sent);
	sent = NULL;
	assert_int_equal(rte_mempool_in_use_count(packet_pool(0)), 0);
}

/* In parts of at most so many bytes, each copied or as mbufs. */
static void one(uint32_t mtu, uint32_t len, uint32_t parts, unsigned int mbufs, uint32_t segment)
{
	const struct ip_flow f = {.mtu = mtu, .out_link = 1};
	struct ip_cork c;

	ip_cork_init(&c, &f);
	for (uint32_t done = 0; done < len;) {
		uint32_t n = RTE_MIN(len - done, 1 + (uint32_t)rte_rand_max(parts));

		if (mbufs == 1 || (mbufs == 2 && (rte_rand() & 1)))
			assert_true(ip_append_mbuf(&worker, &c, packet_of_data(done, n, segment)));
		else
			assert_true(ip_append_data(&worker, &c, get, data + done, n));
		done += n;
	}
	ip_push_pending_frames(&worker, &c);
	check(&f, len);
}

static void test_geometry(void **state)
{
	for (uint32_t mtu = 1493; mtu <= 1501; mtu++)
		for (uint32_t len = 1460; len <= 1500; len++)
			for (unsigned int mbufs = 0; mbufs < 2; mbufs++) {
				one(mtu, len, len, mbufs, 2000);
				one(mtu, 2 * len, 2 * len, mbufs, 700);
			}
	one(1501, 1481, 5000, 0, 1);
	one(9000, 30000, 30000, 0, 1);
	one(68, 3000, 3000, 1, 2000);
}

static void test_parts_at_random(void **state)
{
	for (unsigned int i = 0; i < 3000; i++) {
		uint32_t mtu = 68 + (uint32_t)rte_rand_max(2000);
		uint32_t len = 1 + (uint32_t)rte_rand_max(6000);

		one(mtu, len, 8 + (uint32_t)rte_rand_max(3000), i % 3, 64 + i % 1900);
	}
}

static void test_gathered(void **state)
{
	const struct ip_flow f = {.mtu = 1500, .out_link = 1};
	static struct link out = {.id = 1};

	links[1] = &out;
	for (refer_from = 0; refer_from < 4000; refer_from += 2000)
		for (uint32_t len = 1481; len < 6000; len += 97) {
			ip_send_gathered(&worker, packet_of_data(0, len, 900), &f);
			check(&f, len);
		}
}

/* What came in such fragments already leaves in the same mbufs. */
static void test_boundaries_serve(void **state)
{
	const struct ip_flow f = {.mtu = 1500, .out_link = 1};
	struct rte_mbuf *m = packet_of_data(0, 3000, 1480), *first = m, *second = m->next;

	refer_from = UINT32_MAX;
	packet_of(m)->frag_max_size = 1500;
	for (struct rte_mbuf *seg = m; seg; seg = seg->next)
		packet_of(seg)->frag_bytes = seg->data_len;
	ip_send_gathered(&worker, m, &f);
	assert_ptr_equal(sent, first);
	assert_ptr_equal(sent->next, second);
	assert_int_equal(sent->nb_segs, 3);
	check(&f, 3000);
}

static void test_too_much(void **state)
{
	struct ip_flow f = {.mtu = 1500, .out_link = 1};
	struct ip_cork c;

	ip_cork_init(&c, &f);
	assert_true(ip_append_data(&worker, &c, get, data, 65515));
	assert_false(ip_append_data(&worker, &c, get, data, 1));
	ip_flush_pending_frames(&c);
	f.pmtudisc = IP_PMTU_DO;
	ip_cork_init(&c, &f);
	assert_false(ip_append_mbuf(&worker, &c, packet_of_data(0, 1481, 2000)));
	assert_true(ip_append_mbuf(&worker, &c, packet_of_data(0, 1480, 2000)));
	ip_flush_pending_frames(&c);
	f.mtu = 27;
	f.pmtudisc = IP_PMTU_DONT;
	ip_cork_init(&c, &f);
	assert_false(ip_append_data(&worker, &c, get, data, 10));
	ip_flush_pending_frames(&c);
	assert_int_equal(rte_mempool_in_use_count(packet_pool(0)), 0);
}

static int setup(void **state)
{
	char *argv[] = {"test_append", "--no-huge", "-m", "64", "--no-pci", "--no-telemetry",
			"--no-shconf", "--log-level", "lib.eal:error"};

	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return -1;
	for (unsigned int i = 0; i < BYTES_MAX; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	return packet_pool_init(MBUFS, 2048);
}

static int teardown(void **state)
{
	packet_pool_fini();
	return rte_eal_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_geometry),
		cmocka_unit_test(test_parts_at_random),
		cmocka_unit_test(test_gathered),
		cmocka_unit_test(test_boundaries_serve),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
