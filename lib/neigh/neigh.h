/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: the ARP cache, rule I.
 *
 * The table is one hash of (link, address), written by the control thread, read by workers under
 * rcu. What a worker needs of an entry is one 64-bit word: MAC address and state flags, so that
 * it sees an old or a new address, never half of each. The state machine, its timers and ARP
 * itself run on the control thread.
 *
 * A packet whose next hop is not resolved is held by the worker that has it (neigh_worker: a
 * bounded queue an address, oldest dropped first, as unres_qlen_bytes says) and the control
 * thread is asked by message. The answer comes back as a message, which is handled before a worker
 * receives again; neigh_output() puts a packet behind those that are already held for the same
 * address, and neigh_mac() does not know the address before none are: order is kept.
 */
#ifndef NEIGH_NEIGH_H
#define NEIGH_NEIGH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "core/error.h"
#include "core/worker.h"
#include "link/link.h"

enum neigh_state {               /* Linux's NUD_* values */
	NUD_NONE = 0x00, NUD_INCOMPLETE = 0x01, NUD_REACHABLE = 0x02, NUD_STALE = 0x04,
	NUD_DELAY = 0x08, NUD_PROBE = 0x10, NUD_FAILED = 0x20, NUD_NOARP = 0x40,
	NUD_PERMANENT = 0x80
};

struct neigh;
struct sysctl;

/* ---- workers ---- */

/* Send the packet (data at the IP header) out of link to the neighbour addr: puts the Ethernet
 * header in front and gives it to link_xmit(), or holds it until the address is resolved, or
 * drops it. Consumes m. packet_of(m)->link and ->type are kept while it is held. */
void neigh_output(struct worker *w, struct rte_mbuf *m, struct link *out, rte_be32_t addr);

/* The same for a frame whose link-layer destination is known: broadcast, or the Ethernet address
 * of an IPv4 multicast group. */
void neigh_output_to(struct worker *w, struct rte_mbuf *m, struct link *out,
		     const struct rte_ether_addr *to);

/* Is the neighbour one that has not answered: being resolved, or given up? Of one that nobody has
 * asked for yet this is not known. w: whose packets wait for it, may be NULL. Linux's
 * !NUD_VALID. */
bool neigh_unusable(const struct worker *w, uint16_t link, rte_be32_t addr);

/* Who is told of a held packet whose neighbour failed (ICMP host unreachable); consumes m. */
extern void (*neigh_error)(struct worker *w, struct rte_mbuf *m);

/* The Ethernet address (first byte lowest) to which frames for a neighbour may be sent without any
 * more ado: nobody need be told, and no worker holds packets that come first. NEIGH_MAC_NONE: leave
 * it to neigh_output(). Any thread. */
#define NEIGH_MAC_NONE UINT64_MAX
uint64_t neigh_mac(uint16_t link, rte_be32_t addr);

/* Is there an entry whose address is known, whatever is to be done besides? Any thread. */
bool neigh_known(uint16_t link, rte_be32_t addr);

/* The address that such a word holds. */
static inline void neigh_mac_bytes(uint64_t mac, struct rte_ether_addr *to)
{
	mac = rte_cpu_to_le_64(mac);
	memcpy(to, &mac, sizeof(*to));
}

int neigh_worker_init(struct worker *w);
void neigh_worker_fini(struct worker *w);     /* drops what is held */

/* Packets now held: by all workers, and ARP requests in their proxy delay. Any thread, a moment
 * old. */
uint64_t neigh_held(void);

/* ---- control thread ---- */

/* Told when what neigh_mac() says of an address may have changed; NULL: nobody. */
extern void (*neigh_changed)(uint16_t link, rte_be32_t addr);

int neigh_init(void);    /* settings, message handlers, link notifier */
void neigh_fini(void);

struct neigh_info {
	rte_be32_t addr;
	const struct link *link;
	struct rte_ether_addr lladdr;
	bool has_lladdr;
	unsigned int state;              /* enum neigh_state */
	uint64_t confirmed_ns, used_ns, updated_ns;   /* ages, ns before now */
	unsigned int probes;
};

/* state: NUD_PERMANENT, NUD_REACHABLE or NUD_STALE. add: -EEXIST when it is there. */
int neigh_add(struct link *l, rte_be32_t addr, const struct rte_ether_addr *lladdr,
	      unsigned int state, bool replace, struct error *err);
int neigh_del(struct link *l, rte_be32_t addr, struct error *err);
/* What is known of a neighbour; -ENOENT when it is not there. */
int neigh_find(const struct link *l, rte_be32_t addr, struct neigh_info *info, struct error *err);
/* Forget entries, of one link or (NULL) of all; returns how many: those that which() says yes to,
 * or (NULL) all but permanent and NUD_NOARP ones. As with neigh_del(), packets held for an entry
 * are answered as if it had failed. */
unsigned int neigh_flush(const struct link *l,
			 bool (*which)(const struct neigh_info *n, void *arg), void *arg);
/* Is the MAC address of a neighbour known? If not, it is asked for, through a worker. Linux's
 * neigh_event_send() without a packet. */
bool neigh_resolve(uint16_t link, rte_be32_t addr, unsigned int worker);
/* In order of link, then address; NUD_NOARP entries (broadcast addresses and the like, which
 * iproute2 hides) included. Stops when fn returns non-zero and returns that; -ENOMEM. */
int neigh_foreach(const struct link *l, int (*fn)(const struct neigh_info *n, void *arg),
		  void *arg);
const char *neigh_state_name(unsigned int state);     /* "REACHABLE" */

/* Was it set by itself, net.ipv4.neigh.LINK.x, so that it does not go with default's? */
bool neigh_parms_own(const struct sysctl *s);

#endif
