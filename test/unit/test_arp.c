/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP input of rule I: who is answered, what is learned, proxies. */
#include "neigh_world.h"

static void request(rte_be32_t sip, rte_be32_t tip)
{
	arp_in((struct arp_in){.op = 1, .type = PACKET_BROADCAST, .sip = sip, .tip = tip});
}

static void test_request_answered(void **state)
{
	request(HOST_1, OUR_1);
	assert_int_equal(n_sent, 1);
	assert_true(to_mac(&sent[0], &mac_a));
	assert_int_equal(arp_of(&sent[0])->arp_opcode, RTE_BE16(2));
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_sip, OUR_1);
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_tip, HOST_1);
	assert_true(rte_is_same_ether_addr(&arp_of(&sent[0])->arp_data.arp_tha, &mac_a));
	assert_int_equal(state_of(HOST_1), NUD_STALE);

	/* an address of another link, from a sender off the link's subnet */
	request(IP(10, 0, 0, 77), OUR_0);
	assert_int_equal(n_sent, 2);
	assert_int_equal(state_of(IP(10, 0, 0, 77)), NUD_STALE);
}

static void test_probe_of_address(void **state)
{
	request(0, OUR_1);
	assert_int_equal(n_sent, 1);
	assert_int_equal(entries(), 0);
	request(0, HOST_1);
	assert_int_equal(n_sent, 1);
}

static void test_request_ignored(void **state)
{
	uint64_t ignored = drops(DROP_ARP_IGNORED);

	request(HOST_1, IP(10, 0, 1, 50));      /* not ours */
	request(OUR_0, OUR_1);                  /* from ourselves */
	request(IP(224, 0, 0, 5), OUR_1);
	link_2.conf.arp_ignore = 1;
	request(HOST_1, OUR_0);
	link_2.conf.arp_ignore = 2;
	request(HOST_0, OUR_1);
	link_conf_all.arp_ignore = 8;
	request(HOST_1, OUR_1);
	link_conf_all.arp_ignore = link_2.conf.arp_ignore = 0;
	link_2.conf.arp_filter = 1;
	request(HOST_0, OUR_1);                 /* routed by the other link */
	assert_int_equal(drops(DROP_ARP_IGNORED) - ignored, 7);
	assert_int_equal(n_sent, 0);
	assert_int_equal(entries(), 0);
	link_2.conf.rp_filter = 1;
	link_2.conf.arp_filter = 0;
	request(HOST_0, OUR_1);
	assert_int_equal(n_sent, 0);
	request(HOST_1, OUR_1);
	assert_int_equal(n_sent, 1);
}

static void test_malformed(void **state)
{
	uint64_t bad = drops(DROP_ARP_HDR), other = drops(DROP_OTHERHOST);

	arp_in((struct arp_in){.op = 3, .sip = HOST_1, .tip = OUR_1});
	request(HOST_1, IP(127, 0, 0, 1));
	request(HOST_1, IP(224, 0, 0, 1));
	assert_int_equal(drops(DROP_ARP_HDR) - bad, 3);
	arp_in((struct arp_in){.op = 1, .type = PACKET_OTHERHOST, .sip = HOST_1, .tip = OUR_1});
	assert_int_equal(drops(DROP_OTHERHOST) - other, 1);
	assert_int_equal(n_sent, 0);
}

static void test_locktime(void **state)
{
	resolve(HOST_1);
	pass_ms(900);
	reply_from(HOST_1, &mac_b);
	output(HOST_1, 1);
	assert_true(to_mac(&sent[0], &mac_a));
	/* a request that announces the address is believed at once */
	arp_in((struct arp_in){.op = 1, .type = PACKET_BROADCAST, .sip = HOST_1, .tip = HOST_1,
			       .sha = &mac_b});
	assert_int_equal(state_of(HOST_1), NUD_STALE);
	output(HOST_1, 2);
	assert_true(to_mac(&sent[1], &mac_b));
	pass_ms(1001);
	reply_from(HOST_1, &mac_a);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	output(HOST_1, 3);
	assert_true(to_mac(&sent[2], &mac_a));
	link_2.conf.drop_gratuitous_arp = 1;
	arp_in((struct arp_in){.op = 1, .type = PACKET_BROADCAST, .sip = HOST_1, .tip = HOST_1,
			       .sha = &mac_b});
	output(HOST_1, 4);
	assert_true(to_mac(&sent[3], &mac_a));
}

static void test_heard_again(void **state)
{
	resolve(HOST_1);
	request(HOST_1, OUR_1);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	arp_in((struct arp_in){.op = 2, .type = PACKET_BROADCAST, .sip = HOST_1, .tip = OUR_1});
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
}

static void test_unsolicited(void **state)
{
	reply_from(HOST_1, &mac_a);
	assert_int_equal(entries(), 0);
	link_2.conf.arp_accept = 2;
	reply_from(IP(10, 0, 0, 9), &mac_a);
	assert_int_equal(entries(), 0);
	reply_from(HOST_1, &mac_a);
	assert_int_equal(state_of(HOST_1), NUD_REACHABLE);
	link_2.conf.arp_accept = 1;
	arp_in((struct arp_in){.op = 1, .type = PACKET_BROADCAST, .sip = IP(10, 0, 1, 9),
			       .tip = IP(10, 0, 1, 9)});
	assert_int_equal(state_of(IP(10, 0, 1, 9)), NUD_STALE);
}

static void test_proxy(void **state)
{
	link_2.conf.proxy_arp = 1;
	request(HOST_1, IP(10, 0, 1, 50));      /* on the same link: no */
	pass_ms(1000);
	assert_int_equal(n_sent, 0);
	request(HOST_1, HOST_0);
	assert_int_equal(neigh_held(), 1);
	assert_int_equal(state_of(HOST_1), NUD_STALE);
	pass_ms(800);
	assert_int_equal(n_sent, 1);
	assert_int_equal(arp_of(&sent[0])->arp_data.arp_sip, HOST_0);
	/* asked directly: at once */
	arp_in((struct arp_in){.op = 1, .sip = HOST_1, .tip = HOST_0});
	assert_int_equal(n_sent, 2);
	link_2.conf.proxy_arp_pvlan = 1;
	arp_in((struct arp_in){.op = 1, .sip = HOST_1, .tip = IP(10, 0, 1, 50)});
	assert_int_equal(n_sent, 3);
	link_2.conf.forwarding = 0;
	arp_in((struct arp_in){.op = 1, .sip = HOST_1, .tip = HOST_0});
	assert_int_equal(n_sent, 3);
}

static void test_proxy_queue(void **state)
{
	uint64_t full = drops(DROP_NEIGH_QUEUEFULL), flushed = drops(DROP_NEIGH_FLUSHED);

	link_2.conf.proxy_arp = 1;
	set("net.ipv4.neigh.p1.proxy_qlen", "2");
	for (unsigned int i = 0; i < 5; i++)
		request(HOST_1, HOST_0);
	assert_int_equal(neigh_held(), 3);
	assert_int_equal(drops(DROP_NEIGH_QUEUEFULL) - full, 2);
	notify(LINK_DOWN, &link_2, NULL);
	assert_int_equal(drops(DROP_NEIGH_FLUSHED) - flushed, 3);
	set("net.ipv4.neigh.p1.proxy_qlen", "64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_answered), TEST(probe_of_address), TEST(request_ignored),
		TEST(malformed), TEST(locktime), TEST(heard_again), TEST(unsolicited),
		TEST(proxy), TEST(proxy_queue),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
