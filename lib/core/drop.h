/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a packet was dropped: one list, a sentence each. Names are Linux's skb drop reasons where
 * Linux has one. Every packet that is not forwarded, consumed or held is dropped for exactly one
 * of these, counted per worker.
 */
#ifndef CORE_DROP_H
#define CORE_DROP_H

#define DROP_REASONS(X) \
	X(PKT_TOO_SMALL, \
	  "the frame is shorter than the IP total length says, or than its headers") \
	X(OTHERHOST, "the Ethernet destination is another host's") \
	X(UNHANDLED_PROTO, "the Ethernet type is neither IPv4 nor ARP") \
	X(IP_INHDR, "malformed IP header: version, header length or total length") \
	X(IP_CSUM, "the IP header checksum is wrong") \
	X(IP_OPTIONS, "an IP option is malformed") \
	X(IP_SOURCE_ROUTE, "a source route, which is not accepted (accept_source_route)") \
	X(IP_SR_FAILED, "a source route that can not be followed") \
	X(IP_INVALID_SOURCE, "the source address can not be a sender's") \
	X(IP_INVALID_DEST, "the destination address can not be a receiver's") \
	X(IP_LOCALNET, "an address of 127/8 came in from outside") \
	X(IP_LOCAL_SOURCE, "the source address is one of the router's own") \
	X(IP_RPFILTER, "the source address would not be routed back this way (rp_filter)") \
	X(IP_NOT_JOINED, "multicast for a group that this link has not joined") \
	X(IP_NOT_HOST, "a link-layer broadcast or multicast is not forwarded") \
	X(L2_MULTICAST, "unicast IP in a link-layer multicast (drop_unicast_in_l2_multicast)") \
	X(IP_NOROUTE, "no route to the destination (or a throw route ended the search)") \
	X(IP_UNREACHABLE, "the route says unreachable") \
	X(IP_PROHIBIT, "the route says prohibit") \
	X(IP_BLACKHOLE, "the route says blackhole") \
	X(IP_INADDRERRORS, "not for the router, and forwarding is off") \
	X(IP_TTL, "the time to live is over") \
	X(PKT_TOO_BIG, "larger than the MTU and not to be fragmented") \
	X(DUP_FRAG, "a fragment of which all was there already") \
	X(FRAG_OVERLAP, "fragments of one datagram overlap") \
	X(FRAG_INVALID, \
	  "a fragment is empty, or contradicts others about where the datagram ends") \
	X(FRAG_TOO_FAR, "the sender sent too many other fragments meanwhile (ipfrag_max_dist)") \
	X(FRAG_REASM_TIMEOUT, "the rest of the datagram did not come in time (ipfrag_time)") \
	X(FRAG_ECN, "the fragments' ECN bits do not go together") \
	X(FRAG_OVERSIZE, "fragments make more than the 65535 bytes of a datagram") \
	X(FRAG_HIGH_THRESH, "fragments occupy too much already (ipfrag_high_thresh)") \
	X(FRAG_MBUFS_MAX, "fragments hold too many packet buffers (ipfrag_mbufs_max)") \
	X(FRAG_TABLE_FULL, "the table of datagrams to be put together has no place for another") \
	X(FRAG_QUEUE_FULL, "the worker that puts this datagram together does not keep up") \
	X(FRAG_OVERLOAD, \
	  "fragments took too much from a worker that does not keep up (ipfrag_overload_rate)") \
	X(FRAG_FLUSHED, "a fragment was waiting when all were flushed") \
	X(NETFILTER_DROP, "a hook dropped it: hook show says where, and for whom") \
	X(IP_NOPROTO, "no handler for the protocol") \
	X(ICMP_CSUM, "the ICMP checksum is wrong") \
	X(INVALID_PROTO, "malformed ICMP message, or of a type that does not exist") \
	X(ICMP_IGNORED, "an ICMP message that is not to be answered") \
	X(UDP_CSUM, "the UDP checksum is wrong") \
	X(UDP_HDR, "the UDP header is malformed") \
	X(UDP_NOT_ANSWERED, \
	  "a datagram that a service does not answer: a loop or a broadcast would come of it") \
	X(NO_SOCKET, "nothing listens on the port") \
	X(TCP_CSUM, "the TCP checksum is wrong") \
	X(TCP_HDR, "the TCP header is malformed") \
	X(ARP_HDR, "malformed ARP: length, hardware or protocol type, operation, or addresses") \
	X(ARP_IGNORED, "an ARP message neither for the router nor from a known neighbour") \
	X(NEIGH_CREATEFAIL, "no room for another neighbour (gc_thresh3)") \
	X(NEIGH_FAILED, "the next hop does not answer ARP") \
	X(NEIGH_QUEUEFULL, "too much was already waiting for this neighbour (unres_qlen_bytes)") \
	X(NEIGH_FLUSHED, "was waiting for a neighbour when its entry or link was taken away") \
	X(LINK_DOWN, "the output link is down") \
	X(LINK_GONE, "the link was deleted") \
	X(TX_QUEUE_FULL, "the device did not take it in time and the transmit queue is full") \
	X(TX_INVALID, "the device can not send such a packet (length or segments)") \
	X(CONTROL_QUEUE_FULL, "the queue to the control thread is full") \
	X(WORKER_QUEUE_FULL, "the queue to a worker is full") \
	X(NOMEM, "no packet buffer was free") \
	X(LOOPED, "local packets bounced inside the router too long in one loop")

enum drop_reason {
#define X(name, text) DROP_##name,
	DROP_REASONS(X)
#undef X
	DROP_COUNT
};

/* "IP_CSUM", and its sentence. */
const char *drop_name(enum drop_reason reason);
const char *drop_text(enum drop_reason reason);

#endif
