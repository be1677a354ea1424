/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/packet/chain: every operation against a plain array of bytes, on chains whose segments have
 * every awkward length, and the mbufs counted afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_mempool.h>

#include "core/counters.h"
#include "packet/chain.h"
#include "packet/checksum.h"

#define BYTES_MAX 65535
#define MBUFS 4096u
#define ROUNDS 3000

static struct counters counters;
static struct worker worker = {.counters = &counters};
static uint8_t bytes[BYTES_MAX];
static uint32_t seed = 4711;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)(seed >> 8) * below) >> 24);
}

static unsigned int in_use(void)
{
	return rte_mempool_in_use_count(packet_pool(0));
}

/* ---- chains to try things on ---- */

static const uint16_t lengths[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 20, 63, 64, 65, 255, 1480, 2000};

/* A chain of segments of chosen lengths whose bytes are those of bytes[] from `from` on. Marks of
 * later segments are garbage, as a device leaves them. */
static struct rte_mbuf *chain_of(const uint16_t *length, unsigned int n, uint32_t from)
{
	struct rte_mbuf *m = NULL, *last = NULL;

	for (unsigned int i = 0; i < n; i++) {
		struct rte_mbuf *seg = packet_alloc(&worker);

		assert_non_null(seg);
		packet_of(seg)->frag_bytes = 77;
		memcpy(rte_pktmbuf_append(seg, length[i]), bytes + from, length[i]);
		from += length[i];
		if (!m) {
			m = last = seg;
			continue;
		}
		last->next = seg;
		last = seg;
		m->nb_segs++;
		m->pkt_len += length[i];
	}
	return m;
}

static struct rte_mbuf *any_chain(uint32_t from)
{
	uint16_t length[8];
	unsigned int n = 1 + any(RTE_DIM(length));

	for (unsigned int i = 0; i < n; i++)
		length[i] = lengths[any(RTE_DIM(lengths))];
	return chain_of(length, n, from);
}

/* Is the chain well formed, and are its bytes these? */
static void check(const struct rte_mbuf *m, const uint8_t *expected, uint32_t len)
{
	static uint8_t got[BYTES_MAX];
	const char *why;

	if (rte_mbuf_check(m, 1, &why))
		fail_msg("%s", why);
	assert_int_equal(m->pkt_len, len);
	packet_read(m, 0, len, got);
	assert_memory_equal(got, expected, len);
	if (len)
		assert_int_equal(checksum_chain(m, 0, len), rte_raw_cksum(expected, len));
}

/* ---- joining and cutting ---- */

static void append_joins(void **state)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rte_mbuf *m = any_chain(0), *tail = chain_tail(m);
		uint16_t segs = m->nb_segs;

		for (unsigned int i = any(5); i; i--) {
			struct rte_mbuf *piece = any_chain(m->pkt_len);

			segs += piece->nb_segs;
			chain_append(m, &tail, piece);
			assert_ptr_equal(tail, chain_tail(m));
		}
		assert_int_equal(m->nb_segs, segs);
		check(m, bytes, m->pkt_len);
		rte_pktmbuf_free(m);
	}
}

static void trim_front_drops_segments(void **state)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rte_mbuf *m = any_chain(0);
		uint32_t len = m->pkt_len, n = any(len + 1);
		uint16_t segs = m->nb_segs;

		packet_of(m)->spec_dst = 12345;
		chain_trim_front(m, n);
		check(m, bytes + n, len - n);
		assert_int_equal(packet_of(m)->spec_dst, 12345);
		assert_true(m->nb_segs <= segs);
		rte_pktmbuf_free(m);
	}
}

static void trim_end_drops_segments(void **state)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rte_mbuf *m = any_chain(0);
		uint32_t n = any(m->pkt_len + 1);

		packet_trim(m, n);
		check(m, bytes, n);
		rte_pktmbuf_free(m);
	}
}

/* Move a segment's data, so that so much is free behind it. */
static void tailroom_leave(struct rte_mbuf *seg, uint16_t room)
{
	uint16_t off = (uint16_t)(seg->buf_len - seg->data_len - room);

	memmove((uint8_t *)seg->buf_addr + off, rte_pktmbuf_mtod(seg, void *), seg->data_len);
	seg->data_off = off;
}

static void pull_makes_contiguous(void **state)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rte_mbuf *m = any_chain(0);
		uint32_t len = m->pkt_len, n = any(len + 40), headroom, data = m->data_len;
		uint16_t segs = m->nb_segs, room = (uint16_t)any(70);
		bool done, fits;

		tailroom_leave(m, RTE_MIN(room, rte_pktmbuf_tailroom(m)));
		room = rte_pktmbuf_tailroom(m);
		headroom = rte_pktmbuf_headroom(m);
		fits = n <= data + room + headroom - RTE_ETHER_HDR_LEN - RTE_VLAN_HLEN ||
		       n <= data + room;
		done = packet_pull(m, n);
		assert_int_equal(done, n <= len && fits);
		if (done)
			assert_true(m->data_len >= n);
		else
			assert_int_equal(m->data_len, data);
		if (done && n <= data + room)
			assert_int_equal(rte_pktmbuf_headroom(m), headroom);
		assert_true(rte_pktmbuf_headroom(m) >=
			    RTE_MIN(headroom, (uint32_t)RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN));
		assert_true(m->nb_segs <= segs);
		check(m, bytes, len);
		rte_pktmbuf_free(m);
	}
}

static void cut_makes_two(void **state)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rte_mbuf *m = any_chain(0), *rest;
		uint32_t len = m->pkt_len, at;

		if (len < 2) {
			rte_pktmbuf_free(m);
			continue;
		}
		at = 1 + any(len - 1);
		packet_of(m)->spec_dst = round;
		packet_of(m)->frag_max_size = 9;
		rest = chain_cut(&worker, m, at);
		check(m, bytes, at);
		check(rest, bytes + at, len - at);
		assert_int_equal(packet_of(rest)->spec_dst, round);
		assert_int_equal(packet_of(rest)->frag_max_size, 0);
		assert_int_equal(packet_of(m)->frag_max_size, 0);
		if (round % 2) {
			rte_pktmbuf_free(m);
			check(rest, bytes + at, len - at);
			rte_pktmbuf_free(rest);
		} else {
			struct rte_mbuf *tail = chain_tail(m);

			chain_append(m, &tail, rest);
			check(m, bytes, len);
			rte_pktmbuf_free(m);
		}
	}
}

/* Cut again and again: indirect segments are cut as others. */
static void cut_to_crumbs(void **state)
{
	static const uint16_t length[] = {100, 0, 1, 300};
	struct rte_mbuf *crumb[401];
	unsigned int n = 1;

	crumb[0] = chain_of(length, RTE_DIM(length), 0);
	while (n < RTE_DIM(crumb) && crumb[n - 1]->pkt_len > 1) {
		crumb[n] = chain_cut(&worker, crumb[n - 1], 1);
		assert_non_null(crumb[n]);
		n++;
	}
	assert_int_equal(n, 401);
	for (unsigned int i = 0; i < n; i++) {
		check(crumb[(i * 7) % n], bytes + (i * 7) % n, 1);
		rte_pktmbuf_free(crumb[(i * 7) % n]);
	}
}

static void cut_without_mbufs_changes_nothing(void **state)
{
	static const uint16_t length[] = {10, 10};
	struct rte_mbuf *m = chain_of(length, 2, 0), *all[MBUFS], *rest;
	unsigned int n = 0;

	while (n < MBUFS && (all[n] = rte_pktmbuf_alloc(packet_pool(0))))
		n++;
	assert_null(chain_cut(&worker, m, 5));
	check(m, bytes, 20);
	rest = chain_cut(&worker, m, 10);
	check(m, bytes, 10);
	check(rest, bytes + 10, 10);
	rte_pktmbuf_free_bulk(all, n);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(rest);
}

/* ---- fragments ---- */

#define HEADER 24

static void fragments_are_found_and_parted(void **state)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int n = 1 + any(10), i;
		uint32_t begins[11] = {0};
		struct rte_mbuf *m = NULL, *tail = NULL, *seg, *next;

		for (i = 0; i < n; i++) {
			static const uint8_t header[HEADER];
			struct rte_mbuf *one = any_chain(begins[i]);

			if (!one->pkt_len) {
				rte_pktmbuf_free(one);
				i--;
				continue;
			}
			begins[i + 1] = begins[i] + one->pkt_len;
			memcpy(rte_pktmbuf_prepend(one, HEADER), header, HEADER);
			chain_mark(one, HEADER);
			assert_int_equal(packet_of(one)->frag_header, HEADER);
			chain_strip(one);
			if (m)
				chain_append(m, &tail, one);
			else
				tail = chain_tail(m = one);
		}
		check(m, bytes, begins[n]);
		for (i = 0, seg = m; seg; seg = chain_next_fragment(seg), i++) {
			assert_int_equal(packet_of(seg)->frag_bytes, begins[i + 1] - begins[i]);
			assert_true(chain_headroom(seg, RTE_PKTMBUF_HEADROOM));
			assert_false(chain_headroom(seg, RTE_MBUF_DEFAULT_BUF_SIZE));
		}
		assert_int_equal(i, n);
		for (i = 0, seg = m; seg; seg = next, i++) {
			next = chain_unlink(seg);
			check(seg, bytes + begins[i], begins[i + 1] - begins[i]);
			rte_pktmbuf_free(seg);
		}
		assert_int_equal(i, n);
	}
}

/* A device that split the header from the data leaves a segment without a byte; its headroom is
 * what the next header needs. */
static void strip_keeps_an_empty_head(void **state)
{
	static const uint16_t length[] = {20, 30, 0, 8};
	struct rte_mbuf *m = chain_of(length, RTE_DIM(length), 0);

	chain_mark(m, 20);
	assert_int_equal(packet_of(m)->frag_bytes, 38);
	chain_strip(m);
	assert_int_equal(m->data_len, 0);
	assert_int_equal(rte_pktmbuf_headroom(m), RTE_PKTMBUF_HEADROOM + 20);
	check(m, bytes + 20, 38);
	assert_null(chain_next_fragment(m));
	rte_pktmbuf_free(m);
}

static void shared_buffers_take_no_header(void **state)
{
	static const uint16_t length[] = {20};
	struct rte_mbuf *m = chain_of(length, 1, 0), *rest;

	assert_true(chain_headroom(m, RTE_PKTMBUF_HEADROOM));
	assert_false(chain_headroom(m, RTE_PKTMBUF_HEADROOM + 1));
	rest = chain_cut(&worker, m, 10);
	assert_false(chain_headroom(m, 1));
	assert_false(chain_headroom(rest, 1));
	rte_pktmbuf_free(rest);
	assert_true(chain_headroom(m, 1));
	rte_pktmbuf_free(m);
}

/* ---- bytes ---- */

static void read_and_write(void **state)
{
	static uint8_t flat[BYTES_MAX], got[BYTES_MAX], other[BYTES_MAX];

	for (uint32_t i = 0; i < sizeof(other); i++)
		other[i] = (uint8_t)any(256);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rte_mbuf *m = any_chain(0);
		uint32_t len = m->pkt_len, at = any(len + 1), n = any(len - at + 1), part;
		struct chain_cursor c = chain_at(m, at);

		part = any(n + 1);
		chain_read(&c, part, got);
		chain_read(&c, n - part, got + part);
		assert_memory_equal(got, bytes + at, n);
		memcpy(flat, bytes, len);
		memcpy(flat + at, other, n);
		chain_write(m, at, n, other);
		check(m, flat, len);
		rte_pktmbuf_free(m);
	}
}

/* ---- new chains of another's payload ---- */

/* A packet of a header and a range of another, referred to and copied in turns. */
static void refer_and_copy(void **state)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rte_mbuf *m = any_chain(0), *to = packet_alloc(&worker);
		uint32_t at = any(m->pkt_len + 1), n = any(m->pkt_len - at + 1), left = n;
		struct chain_cursor c = chain_at(m, at);
		struct chain_supply s;

		chain_supply_init(&s, packet_pool(0), any(10));
		packet_of(to)->spec_dst = 99;
		while (left) {
			uint32_t part = 1 + any(left);

			assert_true(any(2) ? chain_refer(&s, &c, part, to)
					   : chain_copy(&s, &c, part, to));
			left -= part;
		}
		chain_supply_done(&s);
		check(to, bytes + at, n);
		assert_int_equal(packet_of(to)->spec_dst, 99);
		check(m, bytes, m->pkt_len);
		if (round % 2)
			rte_pktmbuf_free(m);
		check(to, bytes + at, n);
		rte_pktmbuf_free(to);
		if (round % 2 == 0) {
			check(m, bytes, m->pkt_len);
			rte_pktmbuf_free(m);
		}
	}
}

/* Private data of a segment that refers to another are its own, and neither's is touched. */
static void private_data_stay_own(void **state)
{
	static const uint16_t length[] = {500};
	struct rte_mbuf *m = chain_of(length, 1, 0), *to = packet_alloc(&worker), *again;
	struct chain_cursor c = chain_at(m, 100);
	struct chain_supply s;

	chain_supply_init(&s, packet_pool(0), 1);
	packet_of(m)->spec_dst = 1;
	assert_true(chain_refer(&s, &c, 200, to));
	packet_of(to->next)->spec_dst = 2;
	assert_int_equal(to->next->priv_size, sizeof(struct packet));
	assert_int_equal(packet_of(m)->spec_dst, 1);
	/* refer to what refers */
	again = packet_alloc(&worker);
	c = chain_at(to, 50);
	assert_true(chain_refer(&s, &c, 100, again));
	chain_supply_done(&s);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(to);
	check(again, bytes + 150, 100);
	rte_pktmbuf_free(again);
}

static void large_copies_take_more_segments(void **state)
{
	struct rte_mbuf *m = NULL, *tail = NULL, *to = packet_alloc(&worker);
	struct chain_supply s;
	struct chain_cursor c;

	for (unsigned int i = 0; i < 32; i++) {
		static const uint16_t length[] = {2000, 47};
		struct rte_mbuf *part = chain_of(length, 2, i * 2047);

		if (m)
			chain_append(m, &tail, part);
		else
			tail = chain_tail(m = part);
	}
	c = chain_at(m, 1);
	chain_supply_init(&s, packet_pool(0), 1);
	assert_true(chain_copy(&s, &c, m->pkt_len - 1, to));
	chain_supply_done(&s);
	check(to, bytes + 1, 32 * 2047 - 1);
	assert_true(to->nb_segs < 40);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(to);
}

static void supply_runs_dry(void **state)
{
	static const uint16_t length[] = {9, 9, 9, 9, 9};
	struct rte_mbuf *m = chain_of(length, 5, 0), *to = packet_alloc(&worker), *all[MBUFS];
	struct chain_cursor c = chain_at(m, 0);
	struct chain_supply s;
	unsigned int n = 0;

	while (n < MBUFS && (all[n] = rte_pktmbuf_alloc(packet_pool(0))))
		n++;
	rte_pktmbuf_free_bulk(all, 3);
	chain_supply_init(&s, packet_pool(0), 1);
	assert_false(chain_refer(&s, &c, 45, to));
	chain_supply_done(&s);
	check(to, bytes, 27);
	rte_pktmbuf_free(to);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free_bulk(all + 3, n - 3);
}

/* ---- freeing ---- */

static int by_address(const void *a, const void *b)
{
	uintptr_t left = *(const uintptr_t *)a, right = *(const uintptr_t *)b;

	return (left > right) - (left < right);
}

/* All that a pool has, in the order in which they lie there. Returns how many. */
static unsigned int take_all(struct rte_mempool *pool, struct rte_mbuf **all)
{
	unsigned int n = 0;

	while (n < MBUFS && (all[n] = rte_pktmbuf_alloc(pool)))
		n++;
	assert_int_equal(n, pool->size);
	qsort(all, n, sizeof(all[0]), by_address);
	return n;
}

/* What was freed twice would be given out twice. */
static void each_is_there_once(struct rte_mempool *pool)
{
	struct rte_mbuf *all[MBUFS];
	unsigned int n = take_all(pool, all);

	for (unsigned int i = 1; i < n; i++)
		assert_ptr_not_equal(all[i - 1], all[i]);
	rte_pktmbuf_free_bulk(all, n);
}

/* Without huge pages, as here, no buffer has a page of its own. */
static void buffers_are_side_by_side(void **state)
{
	struct rte_mempool *pool = packet_pool(0);
	struct rte_mbuf *all[MBUFS];
	size_t stride = pool->header_size + pool->elt_size + pool->trailer_size;
	unsigned int n = take_all(pool, all);

	for (unsigned int i = 1; i < n; i++) {
		assert_int_equal((uint8_t *)all[i] - (uint8_t *)all[i - 1], stride);
		assert_true(all[i]->buf_iova - all[i - 1]->buf_iova == stride);
	}
	rte_pktmbuf_free_bulk(all, n);
}

/* Packets of one segment and several, of two pools, direct and indirect, some with two users. */
static void all_kinds_are_freed_together(void **state)
{
	static const uint16_t length[] = {100, 200, 300, 400};
	struct rte_mempool *large = packet_pool_holding(0, 9000);
	struct rte_mbuf *all[100], *shared = NULL, *below = NULL;

	assert_non_null(large);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int n = 1 + any(RTE_DIM(all));

		for (unsigned int i = 0; i < n; i++) {
			switch (any(6)) {
			case 0:
				all[i] = rte_pktmbuf_alloc(large);
				break;
			case 1:
				all[i] = chain_of(length, 2, 0);
				all[i]->next->next = rte_pktmbuf_alloc(large);
				all[i]->nb_segs = 3;
				break;
			case 2:
				all[i] = packet_alloc(&worker);
				if (below)
					rte_pktmbuf_attach(all[i], below);
				else
					below = packet_alloc(&worker);
				break;
			case 3:
				if (shared)
					rte_pktmbuf_refcnt_update(shared, 1);
				else
					shared = packet_alloc(&worker);
				all[i] = shared;
				break;
			default:
				all[i] = chain_of(length, 1 + any(4), 0);
			}
			assert_non_null(all[i]);
		}
		packet_free_bulk(all, n);
		if (below)
			rte_pktmbuf_free(below);
		shared = below = NULL;
		assert_int_equal(in_use(), 0);
		assert_int_equal(rte_mempool_in_use_count(large), 0);
	}
	each_is_there_once(packet_pool(0));
	each_is_there_once(large);
}

/* ---- */

static int start(void **state)
{
	char *argv[] = {(char *)"test_chain", (char *)"--no-huge", (char *)"--no-pci",
			(char *)"--no-shconf", (char *)"--no-telemetry",
			(char *)"-m", (char *)"64", (char *)"--lcores", (char *)"0"};

	assert_true(rte_eal_init(RTE_DIM(argv), argv) >= 0);
	assert_int_equal(packet_pool_init(MBUFS, 2048), 0);
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)any(256);
	return 0;
}

static int nothing_leaked(void **state)
{
	return in_use() != 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, nothing_leaked)
	const struct CMUnitTest tests[] = {
		TEST(append_joins),
		TEST(trim_front_drops_segments),
		TEST(trim_end_drops_segments),
		TEST(pull_makes_contiguous),
		TEST(cut_makes_two),
		TEST(cut_to_crumbs),
		TEST(cut_without_mbufs_changes_nothing),
		TEST(fragments_are_found_and_parted),
		TEST(strip_keeps_an_empty_head),
		TEST(shared_buffers_take_no_header),
		TEST(read_and_write),
		TEST(refer_and_copy),
		TEST(private_data_stay_own),
		TEST(large_copies_take_more_segments),
		TEST(supply_runs_dry),
		TEST(buffers_are_side_by_side),
		TEST(all_kinds_are_freed_together),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
