/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes; see probe.h. A message carries a probe's description in an mbuf; the worker makes the
 * datagram from it. Workers find out whether an identifier is a session's in one table of words;
 * where there is no session they read one word.
 */
#include "ipv4/probe.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_random.h>

#include "core/message.h"
#include "ipv4/append.h"
#include "packet/checksum.h"
#include "route/route.h"

/* What a worker is told. */
struct order {
	struct probe probe;
	rte_be16_t id;
};

static struct session {
	probe_answer_fn fn;
	void *arg;
} sessions[PROBE_SESSIONS];

uint32_t probe_sessions;
static uint32_t ids[PROBE_SESSIONS];         /* identifier | 1 << 16; 0: none */

/* ---- workers ---- */

bool probe_wants(rte_be16_t id)
{
	for (unsigned int i = 0; i < PROBE_SESSIONS; i++)
		if (__atomic_load_n(&ids[i], __ATOMIC_RELAXED) == (id | 1u << 16))
			return true;
	return false;
}

void probe_hand_over(struct worker *w, struct rte_mbuf *m)
{
	if (!message_to_control(w, &(struct message){.kind = MSG_PROBE_ANSWER, .mbuf = m})) {
		packet_drop(w, m, DROP_CONTROL_QUEUE_FULL);
		return;
	}
	w->counters->delivered++;
}

/* The header, and data that counts up from 0. */
static void get_echo(void *from, uint32_t offset, uint32_t len, void *to)
{
	uint8_t *byte = to;

	for (uint32_t i = 0; i < len; i++, offset++)
		byte[i] = offset < sizeof(struct icmp_hdr)
				  ? ((const uint8_t *)from)[offset]
				  : (uint8_t)(offset - sizeof(struct icmp_hdr));
}

static uint16_t pieces_checksum(const struct ip_cork *c)
{
	uint32_t sum = 0;

	for (const struct rte_mbuf *m = c->first; m; m = packet_of(m)->next)
		sum += checksum_chain(m, 0, m->pkt_len);
	return (uint16_t)~checksum_fold(sum);
}

/* Returns 0 or what forbids it. */
static int send_echo(struct worker *w, const struct order *o, struct ip_flow *f)
{
	struct icmp_hdr icmp = {.type = ICMP_ECHO, .echo = {.id = o->id,
				.seq = rte_cpu_to_be_16(o->probe.seq)}};
	struct ip_cork c;

	if (ip_route_output(f))
		return ENETUNREACH;
	ip_cork_init(&c, f);
	if (!ip_append_data(w, &c, get_echo, &icmp, sizeof(icmp) + o->probe.data_bytes)) {
		ip_flush_pending_frames(&c);
		return f->pmtudisc == IP_PMTU_DO && c.len == 0 ? EMSGSIZE : ENOBUFS;
	}
	rte_pktmbuf_mtod(c.first, struct icmp_hdr *)->checksum = pieces_checksum(&c);
	count(w->counters, CNT_ICMP_OUTMSGS);
	w->counters->icmp_out_type[ICMP_ECHO]++;
	ip_push_pending_frames(w, &c);
	return 0;
}

static void on_order(struct worker *w, const struct message *msg)
{
	const struct order o = *rte_pktmbuf_mtod(msg->mbuf, const struct order *);
	struct ip_flow f = {
		.dst = o.probe.dst,
		.src = o.probe.src,
		.protocol = IPPROTO_ICMP,
		.pmtudisc = o.probe.pmtudisc,
		.ttl = o.probe.ttl,
		.dport = RTE_BE16(ICMP_ECHO << 8), /* Linux keeps type and code in its place */
	};
	int error;

	rte_pktmbuf_free(msg->mbuf);
	error = send_echo(w, &o, &f);
	if (error)
		message_to_control(w, &(struct message){
			.kind = MSG_PROBE_FAILED, .link = o.id, .addr = o.probe.seq, .src = f.mtu,
			.arg = (uint32_t)error});
}

/* ---- control thread ---- */

static void answer(rte_be16_t id, const struct probe_answer *a)
{
	for (unsigned int i = 0; i < PROBE_SESSIONS; i++)
		if (ids[i] == (id | 1u << 16)) {
			sessions[i].fn(a, sessions[i].arg);
			return;
		}
}

/* An echo reply, or an error with an echo request in it; its lengths were checked. */
static void on_answer(unsigned int worker, const struct message *msg)
{
	const struct rte_mbuf *m = msg->mbuf;
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t at = rte_ipv4_hdr_len(ip);
	struct icmp_hdr icmp, echo;
	struct rte_ipv4_hdr quoted;
	struct probe_answer a = {
		.at_ns = packet_of(m)->arrival_ns,
		.from = ip->src_addr,
		.ttl = ip->time_to_live,
		.bytes = m->pkt_len - at,
	};

	packet_read(m, at, sizeof(icmp), &icmp);
	echo = icmp;
	if (icmp.type != ICMP_ECHOREPLY) {
		packet_read(m, at + sizeof(icmp), sizeof(quoted), &quoted);
		packet_read(m, at + sizeof(icmp) + rte_ipv4_hdr_len(&quoted), sizeof(echo), &echo);
	}
	a.type = icmp.type;
	a.code = icmp.code;
	a.info = rte_be_to_cpu_32(icmp.info) & UINT16_MAX;
	a.seq = rte_be_to_cpu_16(echo.echo.seq);
	answer(echo.echo.id, &a);
	rte_pktmbuf_free(msg->mbuf);
}

static void on_failed(unsigned int worker, const struct message *msg)
{
	const struct probe_answer a = {
		.at_ns = clock_now_ns(),
		.seq = (uint16_t)msg->addr,
		.local_error = true,
		.info = msg->arg == EMSGSIZE ? msg->src : 0,
	};

	answer(msg->link, &a);
}

int probe_open(probe_answer_fn fn, void *arg)
{
	rte_be16_t id = (rte_be16_t)rte_rand();

	while (probe_wants(id))
		id++;
	for (int i = 0; i < PROBE_SESSIONS; i++) {
		if (ids[i])
			continue;
		sessions[i] = (struct session){.fn = fn, .arg = arg};
		__atomic_store_n(&ids[i], id | 1u << 16, __ATOMIC_RELAXED);
		__atomic_store_n(&probe_sessions, probe_sessions + 1, __ATOMIC_RELAXED);
		return i;
	}
	return -EBUSY;
}

void probe_close(int session)
{
	__atomic_store_n(&ids[session], 0, __ATOMIC_RELAXED);
	__atomic_store_n(&probe_sessions, probe_sessions - 1, __ATOMIC_RELAXED);
}

uint8_t probe_pmtudisc(void)
{
	return ip_pmtudisc_preset();
}

/* As ping asks before it sends anything: it connects a UDP socket, which has a port by chance then.
 * A source that the way brings along is asked about again. Linux's ip_route_connect. */
int probe_route(rte_be32_t dst, rte_be32_t *src)
{
	struct ip_flow f = {.dst = dst, .src = *src, .protocol = IPPROTO_UDP,
			    .sport = (rte_be16_t)rte_rand(), .dport = RTE_BE16(1025)};
	int rc;

	if (f.src && !route_is_local(f.src))
		return -EADDRNOTAVAIL;
	rc = ip_route_output(&f);
	if (!rc && !*src)
		rc = ip_route_output(&f);
	*src = f.src;
	return rc;
}

int probe_send(int session, const struct probe *p)
{
	struct rte_mempool *pool = packet_pool((int)rte_socket_id()); /* none before any link */
	struct rte_mbuf *m = pool ? rte_pktmbuf_alloc(pool) : NULL;

	if (!m)
		return -ENOBUFS;
	*rte_pktmbuf_mtod(m, struct order *) = (struct order){.probe = *p,
							      .id = (rte_be16_t)ids[session]};
	if (message_to_worker(0, &(struct message){.kind = MSG_PROBE, .mbuf = m}))
		return 0;
	rte_pktmbuf_free(m);
	return -EAGAIN;
}

int probe_init(void)
{
	message_on_worker(MSG_PROBE, on_order);
	message_on_control(MSG_PROBE_ANSWER, on_answer);
	message_on_control(MSG_PROBE_FAILED, on_failed);
	return 0;
}
