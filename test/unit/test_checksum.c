/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum: header, TTL step (exhaustively), chains cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/checksum.h"

static void header_random(struct rte_ipv4_hdr *ip)
{
	uint8_t *bytes = (uint8_t *)ip;

	for (size_t i = 0; i < sizeof(*ip); i++)
		bytes[i] = (uint8_t)rand();
	ip->version_ihl = 0x45;
	checksum_header_set(ip);
}

static void test_header(void **state)
{
	struct rte_ipv4_hdr ip;

	for (int i = 0; i < 100000; i++) {
		uint8_t *bytes = (uint8_t *)&ip;
		int bit = rand() % 160;

		header_random(&ip);
		assert_true(checksum_header_good(&ip, 5));
		assert_int_equal(checksum_header_new(&ip), ip.hdr_checksum);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(checksum_header_good(&ip, 5));
	}
}

/* RFC 1071, a word at a time. */
static bool good_by_words(const uint16_t *word, unsigned int n)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		sum += word[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum == 0xffff;
}

/* Headers of every length whose words are such that sums carry, and as often good as not. */
static void test_header_carries(void **state)
{
	static const uint16_t some[] = {0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff};
	unsigned int good = 0, n = 0;
	uint16_t word[30];
	bool right;

	for (unsigned int ihl = 5; ihl <= 15; ihl++)
		for (int i = 0; i < 20000; i++) {
			for (unsigned int k = 0; k < 2 * ihl; k++)
				word[k] = rand() % 4 ? some[rand() % 6] : (uint16_t)rand();
			if (i % 2) {    /* the last word makes it good */
				uint32_t sum = 0;

				for (unsigned int k = 0; k < 2 * ihl - 1; k++)
					sum += word[k];
				word[2 * ihl - 1] = (uint16_t)~checksum_fold(sum);
			}
			right = good_by_words(word, 2 * ihl);
			assert_int_equal(checksum_header_good((const void *)word, ihl), right);
			good += right;
			n++;
		}
	assert_in_range(good, n / 2 - 100, n * 3 / 4);
}

/* Rule C2: for every checksum and TTL the step leaves a good header good, and gives what a full
 * computation gives. */
static void test_ttl_every_checksum(void **state)
{
	for (unsigned int ttl = 1; ttl < 256; ttl++)
		for (unsigned int id = 0; id < 65536; id++) {
			struct rte_ipv4_hdr ip = {.version_ihl = 0x45, .time_to_live = (uint8_t)ttl,
						  .packet_id = (rte_be16_t)id,
						  .src_addr = 0x01020304, .dst_addr = 0x0a0b0c0d};
			struct rte_ipv4_hdr full;

			checksum_header_set(&ip);
			full = ip;
			full.time_to_live--;
			checksum_header_set(&full);
			checksum_ttl_down(&ip);
			if (ip.hdr_checksum != full.hdr_checksum || ip.time_to_live != ttl - 1)
				fail_msg("ttl %u id %u: %04x, not %04x", ttl, id, ip.hdr_checksum,
					 full.hdr_checksum);
		}
}

/* A received 0xffff, the other form of zero, becomes what Linux makes of it. */
static void test_ttl_other_zero(void **state)
{
	struct rte_ipv4_hdr ip = {.version_ihl = 0x45, .time_to_live = 64, .hdr_checksum = 0xffff};

	checksum_ttl_down(&ip);
	assert_int_equal(ip.hdr_checksum, rte_cpu_to_be_16(0x0100));
	ip.hdr_checksum = rte_cpu_to_be_16(0xfeff);
	checksum_ttl_down(&ip);
	assert_int_equal(ip.hdr_checksum, 0);
}

/* Of every length and from every address, also where all carries. */
static void test_bytes(void **state)
{
	uint8_t data[256];

	for (unsigned int kind = 0; kind < 300; kind++)
		for (unsigned int len = 0; len <= 200; len++) {
			const uint8_t *from = data + kind % 9;

			for (size_t i = 0; i < sizeof(data); i++)
				data[i] = kind % 3 == 0 ? (uint8_t)rand()
							: kind % 3 == 1 ? 0xff : 0;
			if (kind % 3 && kind > 9)
				data[rand() % 200] = (uint8_t)rand();
			assert_int_equal(checksum_bytes(from, len), rte_raw_cksum(from, len));
		}
}

static void test_chain_cut_anywhere(void **state)
{
	uint8_t data[64];
	struct rte_mbuf seg[3];
	uint16_t whole;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rand();
	whole = rte_raw_cksum(data, sizeof(data));
	for (unsigned int a = 0; a <= sizeof(data); a++)
		for (unsigned int b = a; b <= sizeof(data); b++) {
			unsigned int at[] = {0, a, b, sizeof(data)};

			memset(seg, 0, sizeof(seg));
			for (int i = 0; i < 3; i++) {
				seg[i].buf_addr = data + at[i];
				seg[i].data_len = (uint16_t)(at[i + 1] - at[i]);
				seg[i].next = i < 2 ? &seg[i + 1] : NULL;
			}
			seg[0].pkt_len = sizeof(data);
			assert_int_equal(checksum_chain(seg, 0, sizeof(data)), whole);
			assert_int_equal(checksum_chain(seg, 2, 61),
					 rte_raw_cksum(data + 2, 61));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_header_carries),
		cmocka_unit_test(test_ttl_every_checksum),
		cmocka_unit_test(test_ttl_other_zero),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_chain_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
