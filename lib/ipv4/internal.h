/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of lib/ipv4 share. In all of it: m's data begins at a valid IP header that is
 * contiguous with its options; a function that consumes m says so.
 */
#ifndef IPV4_INTERNAL_H
#define IPV4_INTERNAL_H

#include "core/clock.h"
#include "core/counters.h"
#include "ipv4/hook.h"
#include "ipv4/ipv4.h"
#include "ipv4/reassemble_burst.h"
#include "route/route.h"

#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_SOURCE_QUENCH 4
#define ICMP_REDIRECT 5
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_TIMESTAMP 13
#define ICMP_TIMESTAMPREPLY 14
#define ICMP_ADDRESS 17
#define ICMP_ADDRESSREPLY 18
#define ICMP_TYPE_MAX 18
#define ICMP_EXT_ECHO 42
#define ICMP_EXT_ECHOREPLY 43

#define ICMP_NET_UNREACH 0
#define ICMP_HOST_UNREACH 1
#define ICMP_PROT_UNREACH 2
#define ICMP_PORT_UNREACH 3
#define ICMP_FRAG_NEEDED 4
#define ICMP_SR_FAILED 5
#define ICMP_PKT_FILTERED 13
#define ICMP_REDIR_HOST 1
#define ICMP_REDIR_HOSTTOS 3
#define ICMP_EXC_TTL 0
#define ICMP_EXC_FRAGTIME 1

#define FRAG_OFFSET RTE_BE16(0x1fff)
#define FRAG_MF RTE_BE16(0x2000)
#define FRAG_DF RTE_BE16(0x4000)

#define TOS_ECN_MASK 0x03

struct icmp_hdr {
	uint8_t type, code;
	rte_be16_t checksum;
	union {
		struct {
			rte_be16_t id, seq;
		} echo;
		rte_be32_t info;       /* gateway, pointer in the first byte, MTU in the last two */
	};
} __attribute__((packed, aligned(2)));

/* Settings under net.ipv4; Linux's names. */
struct ip_settings {
	int32_t default_ttl, no_pmtu_disc;
	int32_t icmp_ratelimit_ms, icmp_ratemask, icmp_msgs_per_sec, icmp_msgs_burst;
	int32_t icmp_echo_ignore_all, icmp_echo_ignore_broadcasts, icmp_echo_enable_probe;
	int32_t icmp_errors_use_inbound_ifaddr, icmp_ignore_bogus_error_responses;
	int32_t fwmark_reflect;
	int32_t multipath_hash_policy, multipath_hash_fields;
	int32_t multipath_use_neigh;
	uint64_t multipath_hash_seed; /* of 32 bits */
};
extern struct ip_settings ip_settings;

/* ---- a worker's state ---- */

struct defrag;                   /* reassemble.c */

/* Of the burst that the fast path has in hand: what is to be sent when all else is done
 * (fast_onward.h). Its frames lie in m. */
#define OWED_KEPT 32
struct owed {
	void *burst;             /* says which frames go on, and where */
	struct rte_mbuf **m;
	uint32_t at, to;         /* of the frames handled now: behind the last one sent; the end */
	uint64_t own_links;      /* a bit for each link that some of the following go to: */
	struct {
		uint32_t frames; /* a bit for each that goes from its own place; */
		uint32_t bytes;  /* of these in all */
	} own[LINKS_MAX];
	uint32_t n_kept;
	uint64_t kept_links;     /* the same for */
	struct {                 /* what has no place of its own to go from, in order */
		struct rte_mbuf *m;
		uint32_t before; /* a bit for each frame that comes before it */
		uint32_t link;
	} kept[OWED_KEPT];
};

struct ip_worker {
	struct defrag *defrag;
	struct frag_burst frags; /* collected: ip_defrag_collect() */
	struct owed owed;
	uint64_t defaulted;      /* a bit each: of the last burst from that link the FIB knew no
				  * more than the default route for most (fast_body.h) */
};

/* send.c: where identifications begin. */
void ip_ids_init(void);

/* ---- time ---- */

#define MS_PER_DAY (24 * 3600 * 1000u)

/* Milliseconds since midnight, universal time, as ICMP and IP timestamps have it. Linux's
 * inet_current_timestamp. */
static inline rte_be32_t ip_timestamp(uint64_t now_ns)
{
	return rte_cpu_to_be_32((uint32_t)(clock_utc(now_ns) / NSEC_PER_MSEC % MS_PER_DAY));
}

/* ---- address classes ---- */

static inline bool ip_is_multicast(rte_be32_t a)
{
	return (a & RTE_BE32(0xf0000000)) == RTE_BE32(0xe0000000);
}

static inline bool ip_is_loopback(rte_be32_t a)
{
	return (a & RTE_BE32(0xff000000)) == RTE_BE32(0x7f000000);
}

static inline bool ip_is_limited_broadcast(rte_be32_t a)
{
	return a == RTE_BE32(0xffffffff);
}

/* A group, or everybody. */
static inline bool ip_is_to_many(rte_be32_t a)
{
	return ip_is_multicast(a) || ip_is_limited_broadcast(a);
}

/* In no class of its own by its first byte: not in 0/8, 127/8, 224/3. */
static inline bool ip_is_ordinary(rte_be32_t a)
{
	return rte_be_to_cpu_32(a) - 0x01000000u < 0xdf000000u && !ip_is_loopback(a);
}

/* A broadcast address; Linux's inet_addr_type() counts 0.0.0.0 among them. */
static inline bool ip_is_broadcast(rte_be32_t a)
{
	return !a || ip_is_limited_broadcast(a) || route_lookup_local(a)->type == ROUTE_BROADCAST;
}

#define IP_ALL_HOSTS RTE_BE32(0xe0000001)  /* 224.0.0.1, the one group that links have joined */

static inline bool ip_is_local_multicast(rte_be32_t a)
{
	return (a & RTE_BE32(0xffffff00)) == RTE_BE32(0xe0000000);
}

/* ---- route_input.c: rule A's classes, source validation ---- */

enum route_verdict {
	VERDICT_LOCAL,       /* ip_local_deliver */
	VERDICT_FORWARD,     /* ip_forward */
	VERDICT_ERROR,       /* ip_error with route_error() */
	VERDICT_DROP,        /* a martian: silent, for *reason */
};

/* Route a received packet: fills in packet_of(m)'s route fields. */
enum route_verdict ip_route_input(struct worker *w, const struct link *l, struct rte_mbuf *m,
				  enum drop_reason *reason);

/* The same to a hop of its source route. Its own destination stays part of the flow that chooses
 * one of several ways. */
enum route_verdict ip_route_input_hop(struct worker *w, const struct link *l, struct rte_mbuf *m,
				      rte_be32_t hop, enum drop_reason *reason);

/* A packet that has no way: rule H3 with the limit of C10. Consumes m. */
void ip_error(struct worker *w, const struct link *l, struct rte_mbuf *m);

/* ---- input.c, forward.c, local.c, output.c ---- */

/* Is it a part of a datagram? */
static inline bool ip_is_fragment(const struct rte_ipv4_hdr *ip)
{
	return ip->fragment_offset & (FRAG_OFFSET | FRAG_MF);
}

/* The largest packet that may leave by a next hop, if nothing was learned of the path: rule C3. */
static inline uint32_t ip_nexthop_mtu(const struct nexthop *nh, const struct link *out)
{
	return nh->mtu ? RTE_MIN(nh->mtu, (uint32_t)RTE_IPV4_MAX_PKT_LEN) : out->mtu;
}

/* The address that a received packet was routed to: its destination, or the next hop of its source
 * route, which is not entered yet. */
static inline rte_be32_t ip_routed_dst(const struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);

	if (unlikely(packet_ip(m)->version_ihl != 0x45) && p->options.flags & OPTIONS_F_SRR_HIT)
		return p->source_hop;
	return packet_ip(m)->dst_addr;
}

/* May a packet that is too large for this MTU not be cut? DF says so (C4), but of a datagram that a
 * hook put together only if one of its fragments was larger than the MTU itself (rule K). */
static inline bool ip_must_not_cut(const struct rte_mbuf *m, uint32_t mtu)
{
	const struct packet *p = packet_of(m);

	return (packet_ip(m)->fragment_offset & FRAG_DF) &&
	       (!(p->flags & PACKET_F_IGNORE_DF) || p->frag_max_size > mtu);
}

/* All consume m. Those named finish are what follows behind a point of hooks. */

/* Received, behind PREROUTING: to be routed. */
void ip_rcv_finish(struct worker *w, struct rte_mbuf *m);
void ip_forward(struct worker *w, struct rte_mbuf *m);
void ip_forward_finish(struct worker *w, struct rte_mbuf *m);
/* A fragment waits for ip_defrag_run(). */
void ip_local_deliver(struct worker *w, struct rte_mbuf *m);
/* A whole datagram. */
void ip_local_deliver_whole(struct worker *w, struct rte_mbuf *m);
void ip_local_deliver_finish(struct worker *w, struct rte_mbuf *m);
/* Routed already: fields route_type, nexthop, out_link, next_addr and mtu are set. */
void ip_output(struct worker *w, struct rte_mbuf *m);
void ip_finish_output(struct worker *w, struct rte_mbuf *m);
/* A held packet whose neighbour failed. */
void ip_neigh_error(struct worker *w, struct rte_mbuf *m);

/* ---- send.c: what the router itself sends ---- */

struct ip_options;               /* options.h */

/* May the router's own datagrams be cut, and what tells them from each other: rules G1 and G3. */
enum ip_pmtudisc {
	IP_PMTU_DONT,        /* no DF; what ICMP sends */
	IP_PMTU_WANT,        /* DF on what fits the path, the rest is cut; what UDP sends */
	IP_PMTU_DO,          /* DF, and identification 0; what TCP sends */
};

/* What a socket that is opened now begins with. */
static inline uint8_t ip_pmtudisc_preset(void)
{
	return ip_settings.no_pmtu_disc ? IP_PMTU_DONT : IP_PMTU_WANT;
}

struct ip_flow {
	rte_be32_t dst, src;     /* src 0: chosen by the route */
	uint8_t tos, protocol;
	uint8_t pmtudisc;        /* enum ip_pmtudisc */
	uint8_t ttl;             /* 0: rule G4 */
	bool any_src;            /* src need not be an own address (FLOWI_FLAG_ANYSRC) */
	bool untold;             /* if a hook drops it, it does not count as discarded */
	uint32_t mark;           /* what the packet will have, by which rules may choose its way */
	const struct ip_options *options; /* NULL: none */
	rte_be32_t final_dst;    /* with a source route in them its end; dst is its first hop */
	/* what else tells flows apart where there are several ways */
	rte_be16_t sport, dport;
	const struct rte_mbuf *about;  /* whose way it takes: an ICMP error's offender; else NULL */
	/* answers of ip_route_output */
	uint8_t route_type;
	uint8_t hoplimit;        /* of the route; 0: ip_default_ttl */
	bool mtu_locked;         /* nothing that goes there may have DF for the path's sake */
	uint16_t out_link;
	uint32_t nexthop, mtu;
	rte_be32_t gateway;      /* 0: none. Where an MTU was learned of a neighbour, itself */
	rte_be32_t next_addr;    /* whom to send to: gateway, else dst */
};

/* The TOS by which the way of a quoted packet is looked for: its own, or that of the socket which
 * it came from. */
static inline uint8_t ip_quoted_tos(const struct rte_ipv4_hdr *quoted)
{
	return quoted->next_proto_id == IPPROTO_UDP ? 0 : quoted->type_of_service;
}

/* Does a next hop lead anywhere? Neither to another kind of entry, nor to what refuses packets. */
bool ip_is_way(const struct nexthop *nh);

/* The source address of what begins here and goes to dst by such a next hop. */
rte_be32_t ip_source_for(const struct nexthop *nh, rte_be32_t dst);

/* 224.0.0.0/4, all groups: a route for more than these says no gateway and no MTU for any. */
#define IP_GROUPS_LEN 4

/* Find the way to f->dst and, if f->src is 0, the source address. Linux's ip_route_output_key.
 * 0, -ENETUNREACH, -EHOSTUNREACH, -EACCES or -EINVAL. */
int ip_route_output(struct ip_flow *f);

/* Send a ready transport datagram (m's data, m->pkt_len bytes) the way that ip_route_output() found
 * and f remembers; in pieces, if it is larger than the path's MTU. m is counted as originated
 * already. Consumes m. false: its pieces could not be made; counted as discarded. */
bool ip_queue_xmit(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f);

/* Put the header before m's data and send it as it is, without a look at its size: what fits for
 * certain, as a reset, and, several, the frag_list that append.c has gathered, whose boundaries are
 * where the path's MTU asks for them. m is counted as originated already. Consumes m. */
void ip_build_and_send_pkt(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f,
			   bool several);

/* ---- multipath.c: the way of several that a packet takes ---- */

void ip_multipath_init(void);
/* The member of the group of this index, for a received packet or one that the router sends. */
uint32_t ip_multipath_input(const struct worker *w, const struct rte_mbuf *m, uint32_t index);
uint32_t ip_multipath_output(const struct ip_flow *f, uint32_t index);

/* The mark of an answer to m that no socket sends: Linux's IP4_REPLY_MARK. */
static inline uint32_t ip_reply_mark(const struct rte_mbuf *m)
{
	return unlikely(ip_settings.fwmark_reflect) ? packet_of(m)->mark : 0;
}

/* An identification for a datagram of this flow: rule G1. */
uint16_t ip_select_id(struct worker *w, const struct ip_flow *f);

/* ---- router_alert.c ---- */

/* Does anybody here want this packet with a router alert, which is on its way through? True: it was
 * consumed. */
bool ip_router_alert(struct worker *w, struct rte_mbuf *m);
void ip_router_alert_init(void);

/* ---- icmp_send.c ---- */

/* Answer m with an ICMP error, if rules C5 to C8 allow it. m is only read. info: the second word
 * of the ICMP header, network order. */
void icmp_send(struct worker *w, const struct rte_mbuf *m, uint8_t type, uint8_t code,
	       rte_be32_t info);

/* The checksum field for a folded sum. Of the two forms of zero Linux always writes 0x0000. */
static inline uint16_t icmp_checksum(uint16_t sum)
{
	return sum ? (uint16_t)~sum : 0;
}

/* Turn m (an echo or timestamp request, its ICMP part ready and cut to length) into the answer
 * and send it. Consumes m. */
void icmp_reply(struct worker *w, struct rte_mbuf *m);

/* ---- icmp_ext_echo.c ---- */

/* Make a request of RFC 8335 the answer to it, but for the checksum. false: it gets none. */
bool icmp_build_probe(const struct rte_mbuf *m, struct icmp_hdr *icmp);

/* ---- martian.c ---- */

int martian_init(void);
/* A packet was dropped for its addresses: log that, where l or all ask for it. */
void martian_log(struct worker *w, const struct link *l, const struct rte_mbuf *m,
		 enum drop_reason reason);

/* ---- icmp.c, udp.c, tcp.c: protocol handlers ---- */
void icmp_rcv(struct worker *w, struct rte_mbuf *m);
void udp_rcv(struct worker *w, struct rte_mbuf *m);
void tcp_rcv(struct worker *w, struct rte_mbuf *m);
void igmp_rcv(struct worker *w, struct rte_mbuf *m);
int udp_services_init(void);

/* ---- probe.c: answers to echo requests that the router sent ---- */
extern uint32_t probe_sessions;
bool probe_wants(rte_be16_t id);
/* Is this the identifier of one that somebody waits for? */
static inline bool probe_is_open(rte_be16_t id)
{
	return unlikely(__atomic_load_n(&probe_sessions, __ATOMIC_RELAXED)) && probe_wants(id);
}
/* Give an answer to the control thread. Consumes m. */
void probe_hand_over(struct worker *w, struct rte_mbuf *m);

/* The service on a port, NULL: none. */
ip_protocol_fn udp_port_get(rte_be16_t port);
/* enum ip_pmtudisc of what the service on a port sends. */
uint8_t udp_port_pmtudisc(rte_be16_t port);

struct rte_tcp_hdr;

/* What a reset says in answer to a segment of so many bytes of payload; without its checksum. */
void tcp_reset_fill(struct rte_tcp_hdr *rst, const struct rte_tcp_hdr *th, uint32_t payload);

/* The source address that an answer to m carries: Linux's fib_compute_spec_dst. */
rte_be32_t ip_spec_dst(const struct rte_mbuf *m);

#endif
