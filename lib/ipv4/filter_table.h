/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A chain as workers see it: rules made small, with link names made numbers, and the parts of it
 * that are looked up at once. What filter_table.c makes, filter_match.c walks. Inside the filter
 * only.
 */
#ifndef IPV4_FILTER_TABLE_H
#define IPV4_FILTER_TABLE_H

#include <rte_common.h>

#include "core/worker.h"
#include "ipv4/filter.h"

struct rte_acl_ctx;

/* What lives as long as a rule, whatever table it is in. */
struct filter_state {
	int64_t base_ns;             /* bucket: tokens, in time, are what has passed since then */
	int64_t cost_ns, room_ns;    /* of a packet, or of rate_bytes; when full */
	uint32_t rate_bytes;         /* 0: packets count */
	uint32_t handle;
	struct {
		uint64_t packets, bytes;
	} __rte_cache_aligned count[];   /* by worker */
};

/* A rule in its chain. */
struct filter_owned {
	struct filter_rule rule;     /* its ranges are of the heap */
	struct filter_state *state;
	bool fresh;                  /* came in the transaction that has not ended yet */
};

struct filter_step {
	uint8_t kind;
	bool not, over;
	bool transport;              /* FILTER_PAYLOAD: bits, and how many, from where on */
	uint16_t n_set;              /* 0: the range is lo to hi */
	uint16_t offset;
	uint32_t mask;
	uint8_t bits;
	union {
		struct {
			uint32_t lo, hi;
		};
		const struct filter_range *set; /* the table's */
	};
};

struct filter_entry {
	uint8_t n, verdict, icmp_code;
	uint8_t plain;               /* not 0: it is plain, and has so many matches */
	struct filter_state *state;
	struct filter_step step[FILTER_TERMS_MAX];
};

/* Rules from `from` up to `to`; acl: which of them is the first whose matches pass. */
struct filter_part {
	uint32_t from, to;
	struct rte_acl_ctx *acl;     /* NULL: one by one */
};

struct filter_table {
	bool accept;                 /* the policy */
	uint32_t n, n_parts;
	struct filter_part *parts;
	struct filter_range *ranges; /* of all sets */
	struct filter_entry rule[];
};

/* What matches look at. A field that the packet has not got fails every match. */
struct filter_facts {
	uint32_t known;              /* a bit a field */
	uint32_t field[FILTER_FIELDS];
};

#define FILTER_NO_LINK 0             /* links' numbers are one more here */
#define FILTER_UNKNOWN_LINK UINT32_MAX

/* filter_rule.c: a copy of a rule, with an account of its own. NULL: there is no memory. */
struct filter_owned *filter_owned_make(const struct filter_rule *rule, uint32_t handle);
void filter_owned_free(void *owned);

/* filter_table.c: the table of n rules, whose states it uses; a run of more than linear_max plain
 * ones is classified at once. NULL: there is no memory. */
struct filter_table *filter_table_make(struct filter_owned *const *rule, uint32_t n, bool accept,
				       uint32_t linear_max);
void filter_table_free(void *table);

/* filter_match.c: the hook. arg: where the chain's table is published, a struct filter_table **. */
enum hook_verdict filter_hook(struct worker *w, struct rte_mbuf *m, enum hook_point point,
			      void *arg);

/* filter_log.c: a line about a packet, as far as net.millrace.filter_log_per_second allows. */
int filter_log_init(void);
void filter_log(struct worker *w, const struct rte_mbuf *m, enum hook_point point,
		uint32_t handle);
/* The rule's words about such a line. NULL: it is gone. filter.c */
const struct filter_term *filter_log_term(enum hook_point point, uint32_t handle);

/* Take a packet's cost from a bucket, of which any number of workers take. False: there is not
 * enough in it, or too many others were quicker. */
static inline bool filter_bucket_take(int64_t *base_ns, int64_t cost_ns, int64_t room_ns,
				      int64_t now_ns)
{
	int64_t old = __atomic_load_n(base_ns, __ATOMIC_RELAXED), base;

	for (unsigned int i = 0; i < WORKERS_MAX; i++) {
		base = RTE_MAX(old, now_ns - room_ns);
		if (now_ns - base < cost_ns)
			return false;
		if (__atomic_compare_exchange_n(base_ns, &old, base + cost_ns, true,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

#endif
