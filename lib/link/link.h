/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Links: the router's network interfaces. Link 0 is the built-in lo; the others are DPDK ports.
 *
 * A `struct link` is written by the control thread only. Workers read it through link_get() and
 * must expect NULL (deleted meanwhile). What must change as a whole (the address list) hangs on
 * a pointer that is replaced and freed after a grace period; the other fields that workers read
 * are single words.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "core/error.h"
#include "core/prefix.h"
#include "core/rcu.h"
#include "core/worker.h"

#define LINKS_MAX 64
#define LINK_NAME_SIZE 16       /* as IFNAMSIZ, with the 0 */
#define LINK_LO 0               /* id of lo */

struct driver_profile;          /* link/driver.h */
struct link_rxq;                /* link/queue.h */
struct rte_ring;

/* Scopes, with Linux's numbers. */
#define SCOPE_UNIVERSE 0
#define SCOPE_LINK 253
#define SCOPE_HOST 254

/* One configured address. */
struct link_addr {
	rte_be32_t local;
	rte_be32_t broadcast;   /* 0: none (prefix length 31 or 32) */
	uint8_t len;            /* prefix length */
	uint8_t scope;          /* SCOPE_UNIVERSE or SCOPE_HOST */
	bool secondary;         /* another address of the same subnet came first */
};

/* All addresses of a link in the order they were added; replaced as a whole. */
struct link_addrs {
	unsigned int n;
	struct link_addr a[];
};

/* Per-link settings, net.ipv4.conf.LINK.*; `all` and `default` have one each too. */
#define LINK_CONF(X) \
	X(forwarding, 1, 0, 1, "forward packets that come in on this link") \
	X(accept_local, 0, 0, 1, "accept packets whose source is one of the router's addresses") \
	X(route_localnet, 0, 0, 1, "do not take 127/8 as martian") \
	X(rp_filter, 0, 0, 2, "source validation: 0 off, 1 strict, 2 loose") \
	X(src_valid_mark, 0, 0, 1, \
	  "source validation looks for the way back by the packet's mark") \
	X(bc_forwarding, 0, 0, 1, "forward directed broadcasts") \
	X(drop_unicast_in_l2_multicast, 0, 0, 1, "drop unicast IP in link-layer multicast") \
	X(send_redirects, 1, 0, 1, "send ICMP redirects") \
	X(accept_redirects, 1, 0, 1, "honour ICMP redirects") \
	X(secure_redirects, 1, 0, 1, "honour redirects to known gateways only") \
	X(shared_media, 1, 0, 1, "the link carries several subnets") \
	X(accept_source_route, 1, 0, 1, "honour source route options") \
	X(log_martians, 0, 0, 1, "log packets with impossible addresses") \
	X(ignore_routes_with_linkdown, 0, 0, 1, "do not use routes over a link without carrier") \
	X(arp_accept, 0, 0, 2, "learn from gratuitous ARP of unknown senders") \
	X(arp_announce, 0, 0, 2, "which own address ARP requests carry") \
	X(arp_filter, 0, 0, 1, "answer ARP only where the route back leaves by the same link") \
	X(arp_ignore, 0, 0, 8, "which ARP requests are answered") \
	X(arp_notify, 0, 0, 1, "announce addresses when the link comes up or its MAC changes") \
	X(arp_evict_nocarrier, 1, 0, 1, "forget neighbours when the carrier is lost") \
	X(drop_gratuitous_arp, 0, 0, 1, "ignore gratuitous ARP") \
	X(proxy_arp, 0, 0, 1, "answer ARP for addresses that are routed elsewhere") \
	X(proxy_arp_pvlan, 0, 0, 1, "answer ARP also for addresses on the same link") \
	X(disable_policy, 0, 0, 1, "kept for compatibility; no IPsec policy here")

struct link_conf {
#define X(name, preset, lo, hi, help) int32_t name;
	LINK_CONF(X)
#undef X
};

extern struct link_conf link_conf_all, link_conf_default;

/* How all and a link combine, as Linux does. */
#define LINK_CONF_OR(l, name) ((l)->conf.name | link_conf_all.name)
#define LINK_CONF_AND(l, name) ((l)->conf.name & link_conf_all.name)
#define LINK_CONF_MAX(l, name) \
	((l)->conf.name > link_conf_all.name ? (l)->conf.name : link_conf_all.name)

struct link {
	/* read on the packet's way */
	uint16_t id;
	uint16_t port;               /* DPDK port; RTE_MAX_ETHPORTS for lo */
	uint16_t mtu;
	uint16_t tx_segs;            /* segments of a frame that it transmits; 1: no chains */
	bool up;                     /* administratively */
	bool running;                /* has carrier */
	bool shared_mbufs;           /* transmits indirect or shared mbufs */
	bool trust_checksum;         /* the device's verdict on IP checksums is good */
	union {
		struct rte_ether_addr mac;
		uint64_t mac_word;   /* the same as workers read it: link_mac() */
	};
	uint16_t n_rxq, n_txq;
	struct rte_ring *tx_ring;    /* from workers without a transmit queue here; else NULL */
	struct link_addrs *addrs;    /* rcu_read() */
	struct link_conf conf;

	/* control thread only */
	char name[LINK_NAME_SIZE];
	char type[16];               /* "dpdk", "loopback" */
	char devargs[1024];
	char driver[64];             /* as the driver calls itself, "net_pcap" */
	char device[64];             /* DPDK's device name, "net_pcap0" */
	const struct driver_profile *profile;
	uint16_t n_rxd, n_txd;
	uint16_t mtu_max;
	bool promisc;
	bool mac_set;                /* address was configured, not the device's own */
	bool mac_soft;               /* the device refused it: promiscuous, filtered in software */
	bool rx_file;                /* reads capture files to their end */
	uint64_t rx_offloads, tx_offloads;
	int socket;
	bool started;                /* the device runs */
	struct link_rxq *rxq;        /* n_rxq, statistics written by the owning workers */
	/* what the operator asked for, 0: left to the profile; for `config show` */
	uint16_t asked_rxq, asked_rxd, asked_txd, asked_mtu;
};

/* The link of an id, NULL if there is none. Workers and control. */
extern struct link *links[LINKS_MAX];
static inline struct link *link_get(unsigned int id)
{
	return id < LINKS_MAX ? rcu_read(links[id]) : NULL;
}

/* Its Ethernet address, first byte lowest, all of it from before a change or from after. */
static inline uint64_t link_mac(const struct link *l)
{
	return __atomic_load_n(&l->mac_word, __ATOMIC_RELAXED);
}

/* ---- control thread ---- */

int link_init(void);            /* settings and handlers; after rte_eal_init and workers_init */
int link_start(void);           /* makes lo; after every room has registered its notifier */
void link_fini(void);           /* closes every device */

struct link *link_find(const char *name);

/* Does the name mean others, as in net.ipv4.conf.all, or a directory? */
static inline bool link_name_means_others(const char *name)
{
	return !strcmp(name, "all") || !strncmp(name, "all.", 4) || !strcmp(name, "default") ||
	       !strncmp(name, "default.", 8) || !strcmp(name, ".") || !strcmp(name, "..");
}

struct link_params {
	const char *name;
	const char *devargs;
	unsigned int rxq, rxd, txd, mtu;       /* 0: the profile's or the driver's default */
	const struct rte_ether_addr *address;  /* NULL: the device's own */
	int promisc;                           /* 0 off, 1 on, -1 default (off) */
};

/* Open a device and make a link of it, down. */
int link_add(const struct link_params *p, struct error *err);
/* Stop, close and forget; addresses go first, with their routes (notifiers). */
int link_del(struct link *l, struct error *err);

struct link_change {
	unsigned int mtu;                      /* 0: as it is */
	const struct rte_ether_addr *address;  /* NULL: as it is */
	int promisc, up;                       /* 0 off, 1 on, -1 as it is */
};

/* Change a link: down first and up last, so that the others meet it at rest. All or nothing. */
int link_change(struct link *l, const struct link_change *c, struct error *err);

/* local/len; broadcast is prefix|~mask for len < 31. -EEXIST if that address is there. */
int addr_add(struct link *l, rte_be32_t local, unsigned int len, struct error *err);
int addr_del(struct link *l, rte_be32_t local, unsigned int len, struct error *err);

/* Does any link own this address? Returns the link or NULL. */
struct link *addr_owner(rte_be32_t addr);

/* What happens to links, told to the rooms that registered, in order of registration (DEL and
 * DOWN and ADDR_DEL in reverse order). Control thread. */
enum link_event {
	LINK_ADDED, LINK_DELETED, LINK_UP, LINK_DOWN, LINK_CARRIER_ON, LINK_CARRIER_OFF,
	LINK_MTU, LINK_ADDRESS /* MAC */, LINK_ADDR_ADDED, LINK_ADDR_DELETED
};
/* a: the address added or deleted (deleted: it is no longer in l->addrs), else NULL. */
typedef void (*link_notifier_fn)(enum link_event event, struct link *l,
				 const struct link_addr *a);
void link_notifier_register(link_notifier_fn fn);

/* Read carrier of all links again and tell of changes; called every so often. */
void link_poll_state(void);

/* Statistics, summed over workers; from the device where it counts, else our own. */
struct link_stats {
	uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped, rx_missed, rx_nombuf, rx_multicast;
	uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
};
void link_stats_get(const struct link *l, struct link_stats *s);
/* Per receive queue packets and bytes as this router counted them, the polls that gave any, and
 * those of them that gave as many as they may: more waited. */
struct link_queue_stats {
	uint64_t packets, bytes, bursts, full;
};
void link_rxq_stats_get(const struct link *l, unsigned int q, struct link_queue_stats *s,
			unsigned int *worker);

/* Have a receive queue polled by this worker from now on. No two poll it at a time, and its packets
 * keep their order. -EINVAL: no such queue or worker, -ENOMEM: nothing has changed. */
int link_rxq_assign(struct link *l, unsigned int queue, unsigned int worker, struct error *err);

/* Carrier, speed and duplex of the device as words for `link show`. speed 0: unknown. */
void link_speed_get(const struct link *l, unsigned int *mbps, const char **duplex);

/* There has been an rx_file link. Written by the control thread. */
extern bool link_files_read;

/* A capture file that a link wrote lacks something of what was sent; known when it is closed. */
extern bool link_outputs_lack;

/* Is any rx_file link up? */
bool link_files_any(void);
/* Every rx_file link has been read to its end and there is at least one. */
bool link_files_drained(void);

/* ---- workers ---- */

/* The primary address of a link to use towards dst (0: any): the first whose subnet holds dst,
 * else the first primary of at most that scope; 0 if the link has none and no other link has.
 * Linux's inet_select_addr. Any thread. */
rte_be32_t addr_select(const struct link *l, rte_be32_t dst, unsigned int scope);

/* Is an address in the subnet of one of a link's? Any thread. */
static inline bool addr_in_subnet(const struct link_addr *a, rte_be32_t addr)
{
	return !((addr ^ a->local) & rte_cpu_to_be_32(prefix_mask(a->len)));
}

/* Are both addresses in one subnet of the link? other 0: just addr. Linux's inet_addr_onlink. Any
 * thread. */
bool addr_onlink(const struct link *l, rte_be32_t addr, rte_be32_t other);

/* Send a finished frame (Ethernet header at the data's start), or give it to w->keep() for later.
 * Consumes m; counts it as transmitted or dropped. Buffered until link_flush(). Not for lo: see
 * link_loop(). */
void link_xmit(struct worker *w, struct link *l, struct rte_mbuf *m);

/* The same, without w->keep(), for n frames of so many bytes in all, to a link that may be gone:
 * of no more segments than it takes. Many are not buffered if none is. Consumes them. */
void link_xmit_bulk(struct worker *w, unsigned int link, struct rte_mbuf **m, unsigned int n,
		    uint64_t bytes);

/* The same for those who gather frames themselves: where up to LINK_ROOM of them may be written for
 * a link, NULL if n frames are better given to link_xmit_bulk(), as they will not be buffered or
 * there is no room or no such link; and how many were written, of so many bytes in all. Consumes
 * them. */
#define LINK_ROOM 72
struct rte_mbuf **link_xmit_room(struct worker *w, unsigned int link, unsigned int n);
void link_xmit_filled(struct worker *w, unsigned int link, unsigned int n, uint64_t bytes);

/* Hand all buffered frames to the devices, and free the packets that are done with; at the end of
 * a worker's loop. */
void link_flush(struct worker *w);

/* Send a packet (data at the IP header) back to the router itself: it comes in within this loop
 * on the link that packet_of(m)->link says, with the private data that it has. Consumes m. */
void link_loop(struct worker *w, struct rte_mbuf *m);

/* Receive one burst from each of the worker's queues and from lo, and give it to eth_input().
 * Returns the number of packets. */
unsigned int link_poll(struct worker *w);

/* The part of link_poll() that is lo: take in what was looped. Returns how many. */
unsigned int link_loop_poll(struct worker *w);

/* Replayed time (--time packet): the timestamp of the earliest packet of all queues, false if
 * there is none; and receive just that one. */
bool link_next_time(struct worker *w, uint64_t *at_ns);
unsigned int link_poll_one(struct worker *w);
/* Before any link is added, where replayed time is used. Returns 0 or a negative errno. */
int link_timestamps_init(void);

int link_worker_init(struct worker *w);
void link_worker_fini(struct worker *w);      /* drops what is buffered */

/* Packets now in transmit buffers and rings of link, over all workers; control thread. */
uint64_t link_held(void);

#endif
