/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: frames into the router of world.h, and what happens between them.
 *
 * An input is a script. Four bytes choose settings (a bit each), one the MTUs, then one step after
 * the other: a byte says what (low half) and how (high half), and what follows depends on it:
 *   0-8  a frame: mending (mend.h), cut, length of what is given (2 bytes, low first), those
 *        bytes. High half: link in bits 0-1, bit 2 go on at once, bit 3 nothing behind the data.
 *   9    the same frame, continued with zeros up to a length (2 bytes) before it is mended
 *   10   time passes: high half squared times 40 ms
 *   11   one of the things in world.h's list is taken away or given back
 *   12   neighbours are forgotten, or, unless the high half is 0, more of world.h's list: the 16th
 *        and following, or with 15 the one that a byte says
 *   13   the device takes fewer frames of a burst: as many as the high half says, 15 all
 *   14   the last ARP request is answered, from 02:00:00:00:aa:HIGH
 *   15   what came so far goes in
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_arp.h>

#include "core/clock.h"
#include "fail.h"
#include "link/queue.h"
#include "mend.h"
#include "pool.h"
#include "sent.h"
#include "world.h"

#define FRAME_BYTES 20000
#define SWITCHES_MAX 4             /* an input; they are slow */

enum step {
	STEP_PADDED = 9, STEP_TIME, STEP_SWITCH, STEP_FORGET, STEP_FULL, STEP_ANSWER, STEP_GO
};

struct script {
	const uint8_t *at;
	size_t left;
};

static struct rte_mbuf *burst[BURST];
static unsigned int burst_n, burst_link, switches;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t take(struct script *s)
{
	if (!s->left)
		return 0;
	s->left--;
	return *s->at++;
}

static uint32_t take_16(struct script *s)
{
	uint32_t low = take(s);

	return low | (uint32_t)take(s) << 8;
}

static void go(void)
{
	if (burst_n)
		world_input(burst_link, burst, burst_n);
	burst_n = 0;
	world_settle();
	world_check();
}

/* Room for another frame of this link in the burst. */
static void make_room(unsigned int link)
{
	if (burst_n == BURST || (burst_n && burst_link != link))
		go();
	burst_link = link;
}

static void put(struct rte_mbuf *m)
{
	if (m)
		burst[burst_n++] = m;
}

static void step_frame(struct script *s, unsigned int what, unsigned int how)
{
	static uint8_t frame[FRAME_BYTES];
	unsigned int link = 1 + (how & 3) % WORLD_LINKS;
	unsigned int mending = take(s), cut = take(s);
	uint32_t len = take_16(s), given;

	given = RTE_MIN(len, (uint32_t)FRAME_BYTES);
	given = RTE_MIN(given, (uint32_t)s->left);
	memcpy(frame, s->at, given);
	s->at += given;
	s->left -= given;
	len = given;
	if (what == STEP_PADDED) {
		len = RTE_MAX(len, take_16(s) % FRAME_BYTES);
		memset(frame + given, 0, len - given);
	}
	mend(frame, len, mending, &links[link]->mac);
	make_room(link);
	put(world_frame(frame, len, cut, how & 8));
	if (how & 4)
		go();
}

static void step_answer(unsigned int how)
{
	struct {
		struct rte_ether_hdr eth;
		struct rte_arp_hdr arp;
	} __attribute__((packed, aligned(2))) f = {
		.eth = {.src_addr = {{2, 0, 0, 0, 0xaa, (uint8_t)how}},
			.ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP)},
		.arp = {.arp_hardware = RTE_BE16(1), .arp_protocol = RTE_BE16(0x0800),
			.arp_hlen = 6, .arp_plen = 4, .arp_opcode = RTE_BE16(2)},
	};
	uint16_t link = sent_asked(how);

	if (!link)
		return;
	make_room(link);
	f.eth.dst_addr = links[link]->mac;
	f.arp.arp_data = (struct rte_arp_ipv4){
		.arp_sha = f.eth.src_addr, .arp_sip = sent_requests[link].to,
		.arp_tha = f.eth.dst_addr, .arp_tip = sent_requests[link].from,
	};
	put(world_frame(&f, sizeof(f), 0, false));
}

static void step(struct script *s)
{
	unsigned int byte = take(s), what = byte & 0xf, how = byte >> 4;

	if (what <= STEP_PADDED) {
		step_frame(s, what, how);
		return;
	}
	if (what == STEP_ANSWER) {
		step_answer(how);
		return;
	}
	go();
	if (what == STEP_TIME)
		world_pass(how * how * 40 * NSEC_PER_MSEC);
	else if (what == STEP_SWITCH && switches++ < SWITCHES_MAX)
		world_switch(how);
	else if (what == STEP_FORGET && !how)
		world_flush_neighbours();
	else if (what == STEP_FORGET && switches++ < SWITCHES_MAX)
		world_switch(how == 15 ? take(s) : 15 + how);
	else if (what == STEP_FULL)
		sent_device_takes = how == 15 ? UINT16_MAX : (uint16_t)how;
	world_check();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	world_init((*argv)[0], WORLD_MBUFS);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size};
	uint32_t settings = take_16(&s);

	settings |= take_16(&s) << 16;
	world_settings(settings);
	world_mtus(take(&s));
	switches = 0;
	while (s.left)
		step(&s);
	go();
	world_rest();
	return 0;
}
