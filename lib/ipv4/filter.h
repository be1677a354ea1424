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

#define FILTER_TERMS_MAX 16
#define FILTER_TEXT_SIZE 128
#define FILTER_RANGES_MAX 512    /* in the sets of one rule, all together */

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
	FILTER_ICMP_CODE,
	FILTER_TCP_FLAGS,
	FILTER_FRAGMENT,             /* 1: it is one */
	FILTER_FRAG_OFF,             /* the whole word: reserved bit, DF, MF, offset in eights */
	FILTER_TTL,
	FILTER_DSCP,
	FILTER_ECN,
	FILTER_ID,
	FILTER_LENGTH,               /* what the header says; that of a frame is longer, maybe */
	FILTER_HEADER,               /* words of the IP header */
	FILTER_MARK,                 /* what a rule has set, 0 before */
	FILTER_PKTTYPE,              /* enum packet_type */
	FILTER_FIELDS,
	FILTER_PAYLOAD = FILTER_FIELDS, /* any other bits of the packet */
	/* statements */
	FILTER_LIMIT,
	FILTER_COUNTER,
	FILTER_LOG,
	FILTER_MARK_SET,
};

struct filter_range {
	uint32_t lo, hi;
};

/* Up to 32 bits of a packet: where they are. */
struct filter_payload {
	uint8_t name;                /* a number for who reads and writes rules; 0: none */
	bool transport;              /* counted from the end of the IP header, not from its start */
	uint8_t bits;
	uint16_t offset;             /* in bits */
};

struct filter_term {
	enum filter_kind kind;
	bool not;                    /* a match: outside of the ranges */
	bool over;                   /* FILTER_LIMIT: passes what is too much */
	bool bytes;                  /* FILTER_LIMIT: rate and burst are bytes, not packets */
	uint16_t set, n_set;         /* a match: n_set > 0: so many of the rule's ranges, from set
				      * on, rising and apart, instead of lo and hi */
	uint32_t mask;               /* a match: the field's bits that count, 0: all */
	struct filter_payload payload; /* FILTER_PAYLOAD */
	uint32_t lo, hi;             /* a match: the range; FILTER_LIMIT: rate and burst;
				      * FILTER_MARK_SET: of the mark stays what mask says, then lo
				      * is xored into it; FILTER_LOG: lo is the level, as syslog
				      * counts them */
	uint32_t unit_s;             /* FILTER_LIMIT: seconds that the rate is for */
	char text[FILTER_TEXT_SIZE]; /* FILTER_IIF, FILTER_OIF: the link, or several with blanks
				      * between; a '*' at the end: all that begin so;
				      * FILTER_LOG: prefix */
};

enum filter_verdict {
	FILTER_CONTINUE,             /* none: the next rule */
	FILTER_ACCEPT,
	FILTER_DROP,
	FILTER_REJECT,               /* with ICMP destination unreachable, icmp_code */
	FILTER_RESET,                /* with a TCP reset */
	FILTER_RETURN,               /* what the policy says */
};

struct filter_rule {
	unsigned int n;
	struct filter_term term[FILTER_TERMS_MAX]; /* FILTER_LIMIT, FILTER_COUNTER: one at most */
	enum filter_verdict verdict;
	uint8_t icmp_code;
	uint64_t packets, bytes;     /* what its counter begins with */
	char comment[FILTER_TEXT_SIZE];
	unsigned int n_ranges;
	const struct filter_range *range; /* of all sets; filter_add() copies it */
};

/* ---- control thread ---- */

/* Settings, and what links come and go for; after link_init() and hooks. 0 or a negative errno. */
int filter_init(void);
void filter_fini(void);

/* Where a rule goes. */
enum filter_place {
	FILTER_FIRST,                /* before all others */
	FILTER_LAST,
	FILTER_BEFORE,               /* the rule with this handle */
	FILTER_AFTER,
	FILTER_INSTEAD,              /* of the rule with this handle, keeping it */
};

/* Enter a rule. The sentence in err says why not: too many, no memory, no rule with this handle, or
 * a reject where there is nobody to answer for (POSTROUTING). */
int filter_add(enum hook_point point, const struct filter_rule *rule, enum filter_place place,
	       uint32_t handle, struct error *err);
int filter_del(enum hook_point point, uint32_t handle, struct error *err);
/* The handle of the rule with this number, the first is 0. */
int filter_handle_at(enum hook_point point, uint32_t index, uint32_t *handle, struct error *err);
int filter_flush(enum hook_point point, struct error *err);

/* From here on changes are made, but workers see none of them, until filter_end(). Then they see
 * all at once, or, where keep is false or there is no memory, everything is as it was before. */
int filter_begin(struct error *err);
int filter_end(bool keep, struct error *err);

/* Between these, changes are gathered, as to make a table for each would take long where there are
 * thousands of rules. Workers see them from filter_release() on; an error is that there is no
 * memory, and all is as it was. May be nested; filter_begin() and filter_end() inside are for
 * themselves. */
void filter_hold(void);
int filter_release(struct error *err);

/* Set what rules have counted to nothing. */
void filter_reset(enum hook_point point);

/* What happens to packets that no rule decided. */
int filter_policy_set(enum hook_point point, bool accept, struct error *err);
bool filter_policy(enum hook_point point);

struct filter_info {
	uint32_t handle;
	const struct filter_rule *rule;
	uint64_t packets, bytes;     /* of its counter */
};

unsigned int filter_count(enum hook_point point);

/* A point's rules, in order. Stops when fn returns non-zero and returns that. */
int filter_foreach(enum hook_point point, int (*fn)(const struct filter_info *info, void *arg),
		   void *arg);

#endif
