/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/ipv4/fragment against a plain model of rules D and K: headers and payload of every piece,
 * counters, and mbufs. Packets come in one segment and scattered over many, pieces are copied and
 * referred to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_mempool.h>

#include "ipv4/fragment.h"
#include "ipv4/internal.h"
#include "link/driver.h"
#include "packet/chain.h"
#include "packet/checksum.h"

#define MBUFS 20000u
#define BYTES_MAX 65535u
#define PIECES_MAX 8192

static struct counters counters;
static struct worker worker = {.counters = &counters};
static struct driver_profile profile;
static struct link out = {.id = 1, .profile = &profile};
static uint32_t seed = 815;

/* ---- what comes out ---- */

static struct {
	unsigned int n;
	struct rte_mbuf *m[PIECES_MAX];
} sent;

static struct {
	unsigned int n;
	rte_be32_t info;
} icmp;

static void output(struct worker *w, struct rte_mbuf *m, struct link *l)
{
	assert_ptr_equal(l, &out);
	assert_true(sent.n < PIECES_MAX);
	sent.m[sent.n++] = m;
}

void icmp_send(struct worker *w, const struct rte_mbuf *m, uint8_t type, uint8_t code,
	       rte_be32_t info)
{
	assert_int_equal(type, ICMP_DEST_UNREACH);
	assert_int_equal(code, ICMP_FRAG_NEEDED);
	icmp.n++;
	icmp.info = info;
}

static void forget(void)
{
	rte_pktmbuf_free_bulk(sent.m, sent.n);
	packet_free_spent(&worker);
	sent.n = 0;
	icmp.n = 0;
	counters = (struct counters){0};
}

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)(seed >> 8) * below) >> 24);
}

/* ---- packets ---- */

static uint8_t bytes[BYTES_MAX];   /* of the packet under test, header and all */
static uint32_t size;

static struct rte_ipv4_hdr *header(void)
{
	return (struct rte_ipv4_hdr *)bytes;
}

/* options: as many bytes as words say, whatever they are. */
static void packet_bytes(uint32_t total, unsigned int words, uint16_t word, const void *options)
{
	size = total;
	for (uint32_t i = 0; i < total; i++)
		bytes[i] = (uint8_t)any(256);
	*header() = (struct rte_ipv4_hdr){
		.version_ihl = (uint8_t)(0x40 | words),
		.type_of_service = (uint8_t)any(256),
		.total_length = rte_cpu_to_be_16((uint16_t)total),
		.packet_id = (rte_be16_t)any(65536),
		.fragment_offset = rte_cpu_to_be_16(word),
		.time_to_live = (uint8_t)any(256),
		.next_proto_id = (uint8_t)any(256),
		.src_addr = any(1u << 24) * 251u,
		.dst_addr = any(1u << 24) * 241u,
	};
	if (options)
		memcpy(bytes + 20, options, words * 4 - 20);
	checksum_header_set(header());
}

static struct rte_mbuf *segment(uint32_t from, uint32_t len)
{
	struct rte_mbuf *m = packet_alloc(&worker);

	assert_non_null(m);
	packet_of(m)->frag_bytes = 55;
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), bytes + from, len);
	return m;
}

/* Segments of at most so many bytes, the first with the whole header. */
static struct rte_mbuf *packet_make(uint32_t most, uint16_t mtu)
{
	uint32_t at = size < 60 || size < most ? size : RTE_MAX(most, 60u);
	struct rte_mbuf *m = segment(0, at), *tail = m;

	while (at < size) {
		uint32_t len = any(RTE_MIN(size - at, most) + 1);

		chain_append(m, &tail, segment(at, len));
		at += len;
	}
	packet_of(m)->mtu = mtu;
	packet_of(m)->spec_dst = 4242;
	packet_of(m)->frag_bytes = 0;
	counters = (struct counters){0};
	return m;
}

/* ---- what should come out ---- */

/* Non-copied options become NOPs, for a header in later pieces. */
static void blank(uint8_t *option, unsigned int len)
{
	while (len && *option) {
		unsigned int one = *option == 1 ? 1 : len > 1 ? option[1] : 0;

		if (*option != 1 && (one < 2 || one > len))
			return;
		if (*option != 1 && *option < 128)
			memset(option, 1, one);
		option += one;
		len -= one;
	}
}

static void check_piece(const struct rte_mbuf *m, uint32_t offset, uint32_t len, uint16_t word,
			bool blanked)
{
	static uint8_t expected[BYTES_MAX], got[BYTES_MAX];
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)expected;
	uint32_t ihl = rte_ipv4_hdr_len(header());
	const char *why;

	if (rte_mbuf_check(m, 1, &why))
		fail_msg("%s", why);
	memcpy(expected, bytes, ihl);
	if (blanked)
		blank(expected + 20, ihl - 20);
	ip->total_length = rte_cpu_to_be_16((uint16_t)(ihl + len));
	ip->fragment_offset = rte_cpu_to_be_16(word);
	checksum_header_set(ip);
	memcpy(expected + ihl, bytes + ihl + offset, len);
	assert_int_equal(m->pkt_len, ihl + len);
	assert_true(m->data_len >= ihl);
	packet_read(m, 0, m->pkt_len, got);
	assert_memory_equal(got, expected, ihl + len);
	assert_int_equal(packet_of(m)->spec_dst, 4242);
	assert_int_equal(packet_of(m)->frag_max_size, 0);
	assert_null(packet_of(m)->next);
	assert_true(rte_pktmbuf_headroom(m) >= RTE_ETHER_HDR_LEN);
}

static void check_counters(void)
{
	assert_int_equal(counters.c[CNT_IP_FRAGCREATES], sent.n);
	assert_int_equal(counters.c[CNT_IP_FRAGOKS], 1);
	assert_int_equal(counters.c[CNT_IP_FRAGFAILS], 0);
	assert_int_equal(counters.originated, sent.n - 1);
	assert_int_equal(icmp.n, 0);
}

/* Rule D. */
static void check_cut(uint32_t mtu, bool df)
{
	uint16_t was = rte_be_to_cpu_16(header()->fragment_offset);
	uint32_t ihl = rte_ipv4_hdr_len(header()), left = size - ihl, done = 0;
	unsigned int i;

	for (i = 0; left; i++) {
		uint32_t len = RTE_MIN(left, mtu - ihl);
		uint16_t word = (uint16_t)((was & 0x1fff) + done / 8);

		if (len < left)
			len &= ~7u;
		left -= len;
		word |= (left || was & 0x2000 ? 0x2000 : 0) | (df ? 0x4000 : 0);
		assert_true(i < sent.n);
		check_piece(sent.m[i], done, len, word, i && !(was & 0x1fff));
		done += len;
	}
	assert_int_equal(i, sent.n);
	check_counters();
}

static void cut(uint32_t segment_bytes, uint16_t mtu)
{
	ip_fragment(&worker, packet_make(segment_bytes, mtu), &out, output);
	check_cut(mtu, false);
	forget();
}

/* The same packet in all shapes, by all ways. */
static void cut_all_ways(uint16_t mtu)
{
	static const uint32_t segments[] = {2048, 700, 100, 9};
	static const unsigned int refer[] = {0, 1, 100, UINT32_MAX};

	for (unsigned int i = 0; i < RTE_DIM(segments); i++)
		for (unsigned int j = 0; j < RTE_DIM(refer); j++) {
			profile.refer_bytes = refer[j];
			cut(segments[i], mtu);
		}
}

/* ---- cutting ---- */

static void sizes_and_mtus(void **state)
{
	static const uint16_t mtus[] = {68, 69, 75, 76, 77, 576, 1000, 1400, 1500, 1501};

	for (unsigned int i = 0; i < RTE_DIM(mtus); i++) {
		uint32_t part = (mtus[i] - 20) & ~7u;

		for (int d = -2; d <= 10; d++) {
			packet_bytes(20 + 2 * part + (uint32_t)d, 5, 0, NULL);
			cut_all_ways(mtus[i]);
			packet_bytes(mtus[i] + 3u + (uint32_t)d, 5, 0, NULL);
			cut_all_ways(mtus[i]);
		}
	}
}

static void fragments_again(void **state)
{
	static const uint16_t words[] = {0x0001, 0x2000, 0x2001, 0x8000, 0xa000, 0x00b9, 0x20b9,
					 0x1fff, 0x3fff, 0x1f40, 0x3ff0};

	for (unsigned int i = 0; i < RTE_DIM(words); i++) {
		packet_bytes(1500, 5, words[i], NULL);
		cut_all_ways(700);
	}
}

static void options(void **state)
{
	static const uint8_t kinds[][40] = {
		{7, 39, 4},                                     /* record route */
		{148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 1, 68, 12, 5},
		{1, 1, 1, 1, 30, 6, 1, 2, 3, 4, 158, 6, 1, 2, 3, 4},
		{30, 6, 1, 2, 3, 4, 0, 30, 6, 1, 2, 3, 4},      /* nothing behind the end */
		{30, 4, 1, 1, 30, 1, 30, 4},                    /* too short */
		{30, 4, 1, 1, 30, 41, 30, 4},                   /* too long */
	};

	for (unsigned int i = 0; i < RTE_DIM(kinds); i++)
		for (unsigned int words = 6; words <= 15; words++)
			for (uint16_t offset = 0; offset < 2; offset++) {
				packet_bytes(400, words, offset, kinds[i]);
				cut_all_ways(68);
				cut_all_ways(300);
			}
}

static void any_options(void **state)
{
	for (unsigned int round = 0; round < 3000; round++) {
		uint16_t word = (uint16_t)(any(2) ? any(65536) & ~0x4000u : 0);

		packet_bytes(100 + any(600), 5 + any(11), word, NULL);
		profile.refer_bytes = any(200);
		cut(9 + any(300), (uint16_t)(68 + any(32)));
	}
}

static void the_longest(void **state)
{
	packet_bytes(65535, 5, 0, NULL);
	for (unsigned int refer = 0; refer < 2; refer++) {
		profile.refer_bytes = refer ? 0 : UINT32_MAX;
		cut(2048, 68);
		cut(2048, 1500);
		cut(500, 9000);
		cut(2048, 65534);
	}
	packet_bytes(65535, 15, 0, NULL);
	profile.refer_bytes = 0;
	cut(2048, 68);
	profile.refer_bytes = UINT32_MAX;
	cut(2048, 68);
}

/* Narrower than any link: the mtu of a route. */
static void no_room_for_payload(void **state)
{
	packet_bytes(100, 5, 0, NULL);
	profile.refer_bytes = 0;
	cut(2048, 28);
	ip_fragment(&worker, packet_make(2048, 27), &out, output);
	assert_int_equal(sent.n, 0);
	assert_int_equal(counters.c[CNT_IP_FRAGFAILS], 1);
	assert_int_equal(counters.drop[DROP_PKT_TOO_BIG], 1);
	forget();
}

static void links_that_send_no_chains(void **state)
{
	profile.refer_bytes = 0;
	for (unsigned int i = 0; i < 3; i++) {
		out.tx_segs = i & 1 ? UINT16_MAX : 1;
		out.shared_mbufs = i & 2;
		packet_bytes(1500, 5, 0, NULL);
		ip_fragment(&worker, packet_make(2048, 600), &out, output);
		for (unsigned int j = 0; j < sent.n; j++) {
			assert_int_equal(sent.m[j]->nb_segs, 1);
			assert_true(chain_headroom(sent.m[j], 0));
		}
		check_cut(600, false);
		forget();
	}
	out.tx_segs = UINT16_MAX;
	out.shared_mbufs = true;
}

/* ---- refusing ---- */

static void dont_fragment(void **state)
{
	struct rte_mbuf *m;

	packet_bytes(1500, 5, 0x4000, NULL);
	ip_fragment(&worker, packet_make(2048, 1400), &out, output);
	assert_int_equal(sent.n, 0);
	assert_int_equal(icmp.n, 1);
	assert_int_equal(icmp.info, RTE_BE32(1400));
	assert_int_equal(counters.c[CNT_IP_FRAGFAILS], 1);
	assert_int_equal(counters.drop[DROP_PKT_TOO_BIG], 1);
	forget();

	m = packet_make(2048, 1400);
	packet_of(m)->flags |= PACKET_F_IGNORE_DF;
	ip_fragment(&worker, m, &out, output);
	check_cut(1400, false);
	forget();

	m = packet_make(2048, 1400);
	packet_of(m)->flags |= PACKET_F_IGNORE_DF;
	packet_of(m)->frag_max_size = 1401;
	ip_fragment(&worker, m, &out, output);
	assert_int_equal(icmp.n, 1);
	forget();
}

/* With so many mbufs left, a datagram leaves whole or not at all. */
static void out_of_mbufs(void **state)
{
	static struct rte_mbuf *all[MBUFS];
	unsigned int whole = 0, none = 0, n = 0;

	packet_bytes(9000, 5, 0, NULL);
	for (unsigned int left = 0; left < 400; left += left < 20 ? 1 : 13) {
		struct rte_mbuf *m = packet_make(2048, 68);

		profile.refer_bytes = left % 2 ? 0 : UINT32_MAX;
		while (n < MBUFS && (all[n] = rte_pktmbuf_alloc(packet_pool(0))))
			n++;
		n -= left;
		rte_pktmbuf_free_bulk(all + n, left);
		ip_fragment(&worker, m, &out, output);
		if (sent.n) {
			check_cut(68, false);
			whole++;
		} else {
			assert_int_equal(counters.c[CNT_IP_FRAGFAILS], 1);
			assert_int_equal(counters.c[CNT_IP_FRAGCREATES], 0);
			assert_int_equal(counters.drop[DROP_NOMEM], 1);
			none++;
		}
		forget();
		rte_pktmbuf_free_bulk(all, n);
		n = 0;
	}
	assert_true(whole && none);
}

/* ---- datagrams put together from fragments ---- */

struct geometry {
	uint16_t most;                 /* payload of a fragment, at most */
	unsigned int own_header;       /* words; of later fragments */
	unsigned int n;
	uint32_t begins[64];           /* of fragments, and the end */
	const void *data[64];          /* where each one's payload lay */
};

/* bytes[] as a chain of fragments, the last of which may have any length. */
static struct rte_mbuf *datagram_make(struct geometry *g, uint16_t mtu, uint32_t segment_bytes)
{
	uint32_t ihl = rte_ipv4_hdr_len(header()), at = ihl;
	struct rte_mbuf *m = NULL, *tail = NULL;
	uint32_t largest = 0;

	for (g->n = 0; at < size; g->n++) {
		uint32_t len = RTE_MIN(size - at, (1 + any(g->most / 8u)) * 8);
		uint32_t own = m ? g->own_header * 4 : ihl;
		struct rte_mbuf *one = segment(at, RTE_MIN(len, segment_bytes)), *end = one;

		g->begins[g->n] = at - ihl;
		g->data[g->n] = rte_pktmbuf_mtod(one, void *);
		memcpy(rte_pktmbuf_prepend(one, (uint16_t)own), bytes, own);
		for (uint32_t done = one->data_len - own; done < len;) {
			uint32_t part = RTE_MIN(len - done, segment_bytes);

			chain_append(one, &end, segment(at + done, part));
			done += part;
		}
		largest = RTE_MAX(largest, one->pkt_len);
		chain_mark(one, (uint16_t)own);
		if (m) {
			chain_strip(one);
			chain_append(m, &tail, one);
		} else {
			tail = chain_tail(m = one);
		}
		at += len;
	}
	g->begins[g->n] = size - ihl;
	packet_of(m)->mtu = mtu;
	packet_of(m)->spec_dst = 4242;
	packet_of(m)->flags = PACKET_F_IGNORE_DF;
	packet_of(m)->frag_max_size = (uint16_t)largest;
	counters = (struct counters){0};
	return m;
}

/* Rule K: each fragment leaves as it came, DF cleared. */
static void check_boundaries(const struct geometry *g)
{
	uint32_t ihl = rte_ipv4_hdr_len(header());

	assert_int_equal(sent.n, g->n);
	for (unsigned int i = 0; i < g->n; i++) {
		uint16_t word = (uint16_t)(g->begins[i] / 8) | (i + 1 < g->n ? 0x2000 : 0);

		check_piece(sent.m[i], g->begins[i], g->begins[i + 1] - g->begins[i], word, i);
		assert_ptr_equal(rte_pktmbuf_mtod_offset(sent.m[i], void *, ihl), g->data[i]);
	}
	check_counters();
}

static void boundaries_are_kept(void **state)
{
	for (unsigned int round = 0; round < 2000; round++) {
		unsigned int words = 5 + any(11);
		struct geometry g = {.most = 200, .own_header = words};

		packet_bytes(words * 4 + 100 + any(1000), words, (uint16_t)(any(2) * 0x4000), NULL);
		ip_fragment(&worker, datagram_make(&g, (uint16_t)(260 + any(2000)),
						   any(2) ? 2000 : 1 + any(50)), &out, output);
		check_boundaries(&g);
		forget();
	}
}

/* MTU too small, or a later fragment came with a shorter header than it would need. */
static void boundaries_that_do_not_fit(void **state)
{
	for (unsigned int round = 0; round < 2000; round++) {
		struct geometry g = {.most = 400, .own_header = 5};
		bool df = any(2), narrow = any(2);
		uint16_t mtu, limit;
		struct rte_mbuf *m;

		packet_bytes(1000 + any(500), narrow ? 5 : 6, df ? 0x4000 : 0, NULL);
		m = datagram_make(&g, 1500, any(2) ? 2000 : 1 + any(50));
		limit = packet_of(m)->frag_max_size;
		mtu = narrow && !df ? limit - 1 : 1500;
		if (narrow && df) {
			/* cut in spite of DF only if the fragments fitted */
			packet_of(m)->mtu = limit - 1;
			ip_fragment(&worker, m, &out, output);
			assert_int_equal(icmp.n, 1);
			forget();
			continue;
		}
		packet_of(m)->mtu = mtu;
		packet_of(m)->flags |= df ? PACKET_F_FRAG_PMTU : 0;
		profile.refer_bytes = any(2) * 100;
		ip_fragment(&worker, m, &out, output);
		if (g.n > 1)
			check_cut(RTE_MIN(mtu, limit), df);
		forget();
	}
}

/* Even one that fits the MTU as a whole leaves in its fragments. */
static void fits_but_is_sent_in_pieces(void **state)
{
	struct geometry g = {.most = 100, .own_header = 5};

	packet_bytes(500, 5, 0, NULL);
	ip_fragment(&worker, datagram_make(&g, 1500, 2000), &out, output);
	assert_true(sent.n > 1);
	check_boundaries(&g);
	forget();
}

/* Someone else has a fragment's buffer: its header must not be written into it. */
static void shared_fragments_are_cut(void **state)
{
	struct geometry g = {.most = 8, .own_header = 5};
	struct rte_mbuf *m, *second, *other;

	packet_bytes(20 + 32, 5, 0, NULL);
	m = datagram_make(&g, 1500, 2000);
	second = chain_next_fragment(m);
	other = packet_alloc(&worker);
	counters = (struct counters){0};
	rte_pktmbuf_attach(other, second);
	ip_fragment(&worker, m, &out, output);
	check_cut(28, false);
	forget();
	rte_pktmbuf_free(other);
}

/* ---- */

static int start(void **state)
{
	char *argv[] = {(char *)"test_fragment", (char *)"--no-huge", (char *)"--no-pci",
			(char *)"--no-shconf", (char *)"--no-telemetry",
			(char *)"-m", (char *)"128", (char *)"--lcores", (char *)"0"};

	assert_true(rte_eal_init(RTE_DIM(argv), argv) >= 0);
	out.tx_segs = UINT16_MAX;
	out.shared_mbufs = true;
	return packet_pool_init(MBUFS, 2048);
}

static int nothing_leaked(void **state)
{
	return rte_mempool_in_use_count(packet_pool(0)) != 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, nothing_leaked)
	const struct CMUnitTest tests[] = {
		TEST(sizes_and_mtus),
		TEST(fragments_again),
		TEST(options),
		TEST(any_options),
		TEST(the_longest),
		TEST(no_room_for_payload),
		TEST(links_that_send_no_chains),
		TEST(dont_fragment),
		TEST(out_of_mbufs),
		TEST(boundaries_are_kept),
		TEST(boundaries_that_do_not_fit),
		TEST(fits_but_is_sent_in_pieces),
		TEST(shared_fragments_are_cut),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
