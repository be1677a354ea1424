/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of lib/neigh share: the entry, the table, the settings of a link.
 *
 * An entry's life: neigh_get() makes it, the state machine (neigh_state.c) moves it, neigh_remove()
 * takes it out of the table. Its memory goes after a grace period, and not before every worker
 * that asked for it has been answered.
 */
#ifndef NEIGH_NEIGH_TABLE_H
#define NEIGH_NEIGH_TABLE_H

#include <sys/queue.h>

#include "core/clock.h"
#include "core/drop.h"
#include "core/message.h"
#include "core/timer.h"
#include "neigh/neigh.h"
#include "route/route.h"

#define NUD_IN_TIMER (NUD_INCOMPLETE | NUD_REACHABLE | NUD_DELAY | NUD_PROBE)
#define NUD_CONNECTED (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE)
#define NUD_VALID (NUD_CONNECTED | NUD_PROBE | NUD_STALE | NUD_DELAY)

/* The word that workers read: the MAC address in bits 0 to 47, first byte lowest, and flags. */
#define NEIGH_WORD_VALID (1ULL << 48)  /* frames may be sent to this MAC address */
#define NEIGH_WORD_NOTIFY (1ULL << 49) /* the first user tells the control thread */
#define NEIGH_WORD_HELD (1ULL << 50)   /* a worker may still hold packets, which come first */

struct neigh {
	/* read by workers */
	struct neigh *next[2];         /* hash chain, by the table's generation; rcu_read() */
	uint64_t word;
	rte_be32_t addr;
	uint16_t link;                 /* id */

	/* control thread only */
	uint8_t state;                 /* enum neigh_state */
	bool dead;                     /* no longer in the table */
	bool on_gc_list;
	bool on_owed_list;
	bool settling;                 /* workers are being told that the address is known */
	unsigned int settled;          /* grace periods since they were, which are not over */
	uint16_t owed_kind;            /* the answer that is owed, enum message_kind */
	uint32_t owed_arg;
	struct rte_ether_addr mac;
	rte_be32_t probe_src;          /* source of the newest packet held for it, 0: not ours */
	unsigned int probes;
	unsigned int worker;           /* the last that asked: requests leave through it */
	uint64_t asked;                /* workers that hold packets for it, a bit each */
	uint64_t owed;                 /* workers whose ring had no room for their answer */
	uint64_t confirmed_ns, used_ns, updated_ns;
	struct timer timer;
	TAILQ_ENTRY(neigh) gc;         /* in order of creation; permanent entries are not on it */
	TAILQ_ENTRY(neigh) owed_entry;
} __rte_cache_aligned;

/* net.ipv4.neigh.{default,LINK}.*, in the units of /proc/sys: those that do not say ms are
 * seconds, but locktime and proxy_delay, which are hundredths of a second. */
#define NEIGH_PARMS(X) \
	X(base_reachable_time_ms, 30000, 0, INT32_MAX, \
	  "mean of the random time for which a neighbour counts as reachable, ms") \
	X(retrans_time_ms, 1000, 0, INT32_MAX, "time between two ARP requests, ms") \
	X(delay_first_probe_time, 5, 0, INT32_MAX, \
	  "how long a used stale neighbour may confirm itself before it is probed, s") \
	X(ucast_solicit, 3, 0, INT32_MAX, "unicast requests before a known one is given up") \
	X(mcast_solicit, 3, 0, INT32_MAX, "broadcast requests before an unknown one is given up") \
	X(mcast_resolicit, 0, 0, INT32_MAX, "broadcast requests after the unicast ones") \
	X(app_solicit, 0, 0, INT32_MAX, "requests left to a user space daemon, thus not sent") \
	X(gc_stale_time, 60, 0, INT32_MAX, "unused time after which an entry may be collected, s") \
	X(locktime, 100, 0, INT32_MAX, "how long a new MAC address can not be replaced, 1/100 s") \
	X(unres_qlen_bytes, 212992, 0, INT32_MAX, \
	  "bytes held for an unresolved neighbour by a worker, counted as Linux's truesize") \
	X(proxy_delay, 80, 0, INT32_MAX, "longest random delay of a proxy ARP reply, 1/100 s") \
	X(proxy_qlen, 64, 0, INT32_MAX, "proxy ARP requests that may wait for their delay")

struct neigh_parms {
#define X(name, preset, lo, hi, help) int32_t name;
	NEIGH_PARMS(X)
#undef X
	uint32_t own;                  /* fields set for this link itself, a bit each */
	unsigned int proxy_waiting;    /* proxy ARP requests in their delay */
	uint64_t reachable_ns;         /* drawn from base_reachable_time_ms */
};

struct neigh_buckets {
	unsigned int bits;             /* log2 of the number of buckets */
	unsigned int generation;       /* 0 or 1: which of each entry's `next` is this table's */
	struct neigh *bucket[];
};

extern struct neigh_parms neigh_parms[LINKS_MAX];
extern struct neigh_buckets *neigh_buckets;
extern uint64_t neigh_hash_key[2];

extern int32_t neigh_waiting_max, neigh_held_max;

/* Multiply-shift with a random odd factor and offset: nearly universal and two instructions, so
 * nobody outside can aim at a chain. The top `bits` of the 64 are used. */
static inline unsigned int neigh_hash(uint16_t link, rte_be32_t addr, unsigned int bits)
{
	uint64_t key = (uint64_t)link << 32 | addr;

	return (unsigned int)((key * neigh_hash_key[0] + neigh_hash_key[1]) >> (64 - bits));
}

static inline struct neigh *neigh_lookup_in(const struct neigh_buckets *b, uint16_t link,
					    rte_be32_t addr)
{
	struct neigh *n = rcu_read(b->bucket[neigh_hash(link, addr, b->bits)]);

	while (n && (n->addr != addr || n->link != link))
		n = rcu_read(n->next[b->generation]);
	return n;
}

/* The entry of an address, NULL if there is none. Any thread. */
static inline struct neigh *neigh_lookup(uint16_t link, rte_be32_t addr)
{
	return neigh_lookup_in(rcu_read(neigh_buckets), link, addr);
}

static inline struct neigh_parms *neigh_parms_of(const struct neigh *n)
{
	return &neigh_parms[n->link];
}

/* Is time a after time b, also where the clock has just started near 0? */
static inline bool neigh_later(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

/* ---- neigh.c ---- */

/* The entry of an address, made if there is none; NULL when the table is full. */
struct neigh *neigh_get(struct link *l, rte_be32_t addr);
/* Take an entry out of the table; workers that wait for it are told kind and arg. */
void neigh_remove(struct neigh *n, enum message_kind kind, uint32_t arg);
/* Call fn for every entry of a link (NULL: of all); fn may remove it. */
void neigh_each(const struct link *l, void (*fn)(struct neigh *n, void *arg), void *arg);
extern unsigned int neigh_entries;      /* so many there are */

/* ---- neigh_gc.c ---- */

/* Settings, and the periodic collection. Returns 0 or a negative errno. */
int neigh_gc_init(void);
void neigh_gc_stop(void);       /* nothing is collected any more */
void neigh_gc_fini(void);       /* all entries have gone */
/* Is there room for one more, or can room be made? */
bool neigh_gc_make_room(uint64_t now_ns);
/* After a change to or from NUD_PERMANENT: those are not collected and do not count. */
void neigh_gc_list_update(struct neigh *n);
/* An entry is in another state: it may be one that can go. */
void neigh_gc_changed(const struct neigh *n);
/* An entry goes. */
void neigh_gc_forget(struct neigh *n);

/* ---- neigh_state.c ---- */

#define NEIGH_UPDATE_OVERRIDE 1 /* another MAC address may replace the one that is known */
#define NEIGH_UPDATE_ADMIN 2    /* by the operator */

/* Something is known of a neighbour: its MAC address and that it is in this state. Returns false
 * where a permanent entry stays as it is. */
bool neigh_update(struct neigh *n, const struct rte_ether_addr *mac, unsigned int state,
		  unsigned int flags);
/* A packet was sent, or is to be sent, to the neighbour. */
void neigh_use(struct neigh *n);
/* Resolution has failed: held packets are answered with ICMP. */
void neigh_fail(struct neigh *n);
/* Set what workers read from state and mac. */
void neigh_publish(struct neigh *n);

/* ---- neigh_answer.c ---- */

void neigh_answer_init(void);
void neigh_answer_fini(void);
/* Tell every worker that asked. */
void neigh_answer(struct neigh *n, enum message_kind kind, uint32_t arg);
/* The address has become known: tell all workers, as any may have begun to hold packets, and take
 * NEIGH_WORD_HELD off when none does any more. */
void neigh_settle(struct neigh *n);
/* Free a dead entry, now or once its last answer is delivered. */
void neigh_dispose(struct neigh *n);

/* ---- neigh_parms.c ---- */

int neigh_parms_init(void);
int neigh_parms_link_add(const struct link *l);
void neigh_parms_link_del(const struct link *l);
/* Draw the reachable times anew. */
void neigh_parms_draw(void);
extern struct neigh_parms neigh_parms_default;
/* Random number below n (0: 0); the same sequence every time where time is the packets'. */
uint64_t neigh_random(uint64_t n);

/* ---- neigh_output.c ---- */

void neigh_output_init(void);    /* message handlers of workers */

#endif
