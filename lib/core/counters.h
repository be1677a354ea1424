/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters, under Linux's names (/proc/net/snmp, /proc/net/netstat), and the account of packets.
 *
 * Each worker (and the control thread) writes its own set and nobody else's; who prints sums
 * over all sets. A reader on another thread may see a value a moment old, never a torn one.
 */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>

#include "core/drop.h"

#define COUNTERS(X) \
	X(IP_INRECEIVES, "Ip.InReceives") \
	X(IP_INHDRERRORS, "Ip.InHdrErrors") \
	X(IP_INADDRERRORS, "Ip.InAddrErrors") \
	X(IP_FORWDATAGRAMS, "Ip.ForwDatagrams") \
	X(IP_INUNKNOWNPROTOS, "Ip.InUnknownProtos") \
	X(IP_INDISCARDS, "Ip.InDiscards") \
	X(IP_INDELIVERS, "Ip.InDelivers") \
	X(IP_OUTREQUESTS, "Ip.OutRequests") \
	X(IP_OUTDISCARDS, "Ip.OutDiscards") \
	X(IP_OUTNOROUTES, "Ip.OutNoRoutes") \
	X(IP_REASMTIMEOUT, "Ip.ReasmTimeout") \
	X(IP_REASMREQDS, "Ip.ReasmReqds") \
	X(IP_REASMOKS, "Ip.ReasmOKs") \
	X(IP_REASMFAILS, "Ip.ReasmFails") \
	X(IP_FRAGOKS, "Ip.FragOKs") \
	X(IP_FRAGFAILS, "Ip.FragFails") \
	X(IP_FRAGCREATES, "Ip.FragCreates") \
	X(IP_OUTTRANSMITS, "Ip.OutTransmits") \
	X(ICMP_INMSGS, "Icmp.InMsgs") \
	X(ICMP_INERRORS, "Icmp.InErrors") \
	X(ICMP_INCSUMERRORS, "Icmp.InCsumErrors") \
	X(ICMP_INDESTUNREACHS, "Icmp.InDestUnreachs") \
	X(ICMP_INTIMEEXCDS, "Icmp.InTimeExcds") \
	X(ICMP_INPARMPROBS, "Icmp.InParmProbs") \
	X(ICMP_INSRCQUENCHS, "Icmp.InSrcQuenchs") \
	X(ICMP_INREDIRECTS, "Icmp.InRedirects") \
	X(ICMP_INECHOS, "Icmp.InEchos") \
	X(ICMP_INECHOREPS, "Icmp.InEchoReps") \
	X(ICMP_INTIMESTAMPS, "Icmp.InTimestamps") \
	X(ICMP_INTIMESTAMPREPS, "Icmp.InTimestampReps") \
	X(ICMP_INADDRMASKS, "Icmp.InAddrMasks") \
	X(ICMP_INADDRMASKREPS, "Icmp.InAddrMaskReps") \
	X(ICMP_OUTMSGS, "Icmp.OutMsgs") \
	X(ICMP_OUTERRORS, "Icmp.OutErrors") \
	X(ICMP_OUTRATELIMITGLOBAL, "Icmp.OutRateLimitGlobal") \
	X(ICMP_OUTRATELIMITHOST, "Icmp.OutRateLimitHost") \
	X(ICMP_OUTDESTUNREACHS, "Icmp.OutDestUnreachs") \
	X(ICMP_OUTTIMEEXCDS, "Icmp.OutTimeExcds") \
	X(ICMP_OUTPARMPROBS, "Icmp.OutParmProbs") \
	X(ICMP_OUTSRCQUENCHS, "Icmp.OutSrcQuenchs") \
	X(ICMP_OUTREDIRECTS, "Icmp.OutRedirects") \
	X(ICMP_OUTECHOS, "Icmp.OutEchos") \
	X(ICMP_OUTECHOREPS, "Icmp.OutEchoReps") \
	X(ICMP_OUTTIMESTAMPS, "Icmp.OutTimestamps") \
	X(ICMP_OUTTIMESTAMPREPS, "Icmp.OutTimestampReps") \
	X(ICMP_OUTADDRMASKS, "Icmp.OutAddrMasks") \
	X(ICMP_OUTADDRMASKREPS, "Icmp.OutAddrMaskReps") \
	X(TCP_INSEGS, "Tcp.InSegs") \
	X(TCP_OUTSEGS, "Tcp.OutSegs") \
	X(TCP_INERRS, "Tcp.InErrs") \
	X(TCP_OUTRSTS, "Tcp.OutRsts") \
	X(TCP_INCSUMERRORS, "Tcp.InCsumErrors") \
	X(UDP_INDATAGRAMS, "Udp.InDatagrams") \
	X(UDP_NOPORTS, "Udp.NoPorts") \
	X(UDP_INERRORS, "Udp.InErrors") \
	X(UDP_OUTDATAGRAMS, "Udp.OutDatagrams") \
	X(UDP_INCSUMERRORS, "Udp.InCsumErrors") \
	X(UDP_IGNOREDMULTI, "Udp.IgnoredMulti") \
	X(UDPLITE_NOPORTS, "UdpLite.NoPorts") \
	X(UDPLITE_INERRORS, "UdpLite.InErrors") \
	X(UDPLITE_INCSUMERRORS, "UdpLite.InCsumErrors") \
	X(UDPLITE_IGNOREDMULTI, "UdpLite.IgnoredMulti") \
	X(TCPEXT_IPREVERSEPATHFILTER, "TcpExt.IPReversePathFilter") \
	X(TCPEXT_ARPFILTER, "TcpExt.ArpFilter") \
	X(IPEXT_INNOROUTES, "IpExt.InNoRoutes") \
	X(IPEXT_INTRUNCATEDPKTS, "IpExt.InTruncatedPkts") \
	X(IPEXT_INMCASTPKTS, "IpExt.InMcastPkts") \
	X(IPEXT_OUTMCASTPKTS, "IpExt.OutMcastPkts") \
	X(IPEXT_INBCASTPKTS, "IpExt.InBcastPkts") \
	X(IPEXT_OUTBCASTPKTS, "IpExt.OutBcastPkts") \
	X(IPEXT_INOCTETS, "IpExt.InOctets") \
	X(IPEXT_OUTOCTETS, "IpExt.OutOctets") \
	X(IPEXT_INMCASTOCTETS, "IpExt.InMcastOctets") \
	X(IPEXT_OUTMCASTOCTETS, "IpExt.OutMcastOctets") \
	X(IPEXT_INBCASTOCTETS, "IpExt.InBcastOctets") \
	X(IPEXT_OUTBCASTOCTETS, "IpExt.OutBcastOctets") \
	X(IPEXT_INCSUMERRORS, "IpExt.InCsumErrors") \
	X(IPEXT_INNOECTPKTS, "IpExt.InNoECTPkts") \
	X(IPEXT_INECT1PKTS, "IpExt.InECT1Pkts") \
	X(IPEXT_INECT0PKTS, "IpExt.InECT0Pkts") \
	X(IPEXT_INCEPKTS, "IpExt.InCEPkts") \
	X(IPEXT_REASMOVERLAPS, "IpExt.ReasmOverlaps")

enum counter {
#define X(name, text) CNT_##name,
	COUNTERS(X)
#undef X
	CNT_COUNT
};

/*
 * The account. received + originated = transmitted + delivered + dropped + held, over all
 * workers and links:
 *   received     packets taken from receive queues, and those that came back through lo
 *   originated   packets that the router made: ICMP, RST, ARP, copies
 *   transmitted  packets that a device (or lo) took
 *   delivered    packets for the router itself that were consumed as they should be
 *   dropped      the sum over drop[]
 *   held         packets now waiting for a neighbour, in a transmit buffer or in a ring
 * held is what is left over when all else is counted; packets_held() counts it independently.
 */
struct counters {
	uint64_t received, originated, transmitted, delivered;
	uint64_t c[CNT_COUNT];
	uint64_t drop[DROP_COUNT];
	uint64_t icmp_in_type[256];
	uint64_t icmp_out_type[256];
} __rte_cache_aligned;

/* "Ip.InReceives" */
const char *counter_name(enum counter c);

/* The control thread's own set. */
extern struct counters *control_counters;

/* Sum of all sets, workers' and control's, into *sum. Control thread. */
void counters_sum(struct counters *sum);

/* Sets that are still to be allocated: control_counters. Returns 0 or -ENOMEM. */
int counters_init(void);

static inline void count(struct counters *c, enum counter which)
{
	c->c[which]++;
}

static inline void count_add(struct counters *c, enum counter which, uint64_t n)
{
	c->c[which] += n;
}

#endif
