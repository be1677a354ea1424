/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filter rules, in the manner of nftables: a chain at each point of hooks (hook.h), at priority 0,
 * with a policy for what no rule decided. A rule is a list of terms, taken in order as nft takes
 * its expressions: a match that fails, or a limit that is exceeded, ends the rule; counting and
 * logging happen where they stand. A rule all of whose terms passed gives its verdict.
 *
 * A change makes a new table of the chain's rules, which is published as a whole (rcu.h); what
 * rules have counted stays. Long runs of plain rules are looked up at once (filter_acl.h).
 */
#ifndef IPV4_FILTER_H
#define IPV4_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "ipv4/hook.h"

#define FILTER_TERMS_MAX 12
#define FILTER_TEXT_SIZE 64

enum filter_kind {
	/* matches: a field of the packet, host byte order */
	FILTER_SADDR,
	FILTER_DADDR,
	FILTER_IIF,
	FILTER_OIF,
	FILTER_PROTOCOL,
	FILTER_SPORT,                /* of whatever has ports in its first four bytes */
	FILTER_DPORT,
	FILTER_ICMP_TYPE,
	FILTER_FRAGMENT,             /* 1: it is one */
	FILTER_TTL,
	FILTER_FIELDS,
	/* statements */
	FILTER_LIMIT = FILTER_FIELDS,
	FILTER_COUNTER,
	FILTER_LOG,
};

struct filter_term {
	enum filter_kind kind;
	bool not;                    /* a match: outside of the range */
	uint32_t lo, hi;             /* a match: the range (of addresses: a prefix);
				      * FILTER_LIMIT: rate and burst, packets */
	uint32_t unit_s;             /* FILTER_LIMIT: seconds that the rate is for */
	char text[FILTER_TEXT_SIZE]; /* FILTER_IIF, FILTER_OIF: the link; FILTER_LOG: prefix */
};

enum filter_verdict {
	FILTER_CONTINUE,             /* none: the next rule */
	FILTER_ACCEPT,
	FILTER_DROP,
	FILTER_REJECT,               /* with ICMP destination unreachable, icmp_code */
	FILTER_RESET,                /* with a TCP reset */
};

struct filter_rule {
	unsigned int n;
	struct filter_term term[FILTER_TERMS_MAX]; /* FILTER_LIMIT and FILTER_COUNTER once at most */
	enum filter_verdict verdict;
	uint8_t icmp_code;
};

/* ---- control thread ---- */

/* Settings, and what links come and go for; after link_init() and hooks. 0 or a negative errno. */
int filter_init(void);
void filter_fini(void);

/* Append a rule. The sentence in err says why not: too many, no memory, or a reject where there is
 * nobody to answer for (POSTROUTING). */
int filter_add(enum hook_point point, const struct filter_rule *rule, struct error *err);
int filter_del(enum hook_point point, uint32_t handle, struct error *err);
int filter_flush(enum hook_point point, struct error *err);

/* What happens to packets that no rule decided. */
int filter_policy_set(enum hook_point point, bool accept, struct error *err);
bool filter_policy(enum hook_point point);

struct filter_info {
	uint32_t handle;
	const struct filter_rule *rule;
	uint64_t packets, bytes;     /* of its counter */
};

/* A point's rules, in order. Stops when fn returns non-zero and returns that. */
int filter_foreach(enum hook_point point, int (*fn)(const struct filter_info *info, void *arg),
		   void *arg);

#endif
