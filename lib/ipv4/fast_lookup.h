/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The second stage of the fast path's algorithm, for who has included the first (fast_body.h): each
 * frame's next hop, by the FIB and by policy rules.
 */

/* ---- the FIB ---- */

/* All misses of a burst at once, while it is checked: whatever a frame is, any three bytes have a
 * slot. */
static __rte_always_inline void fetch(const struct burst *b, const struct fib_view *view,
				      unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		rte_be32_t dst;

		memcpy(&dst, b->data[i] + DST_AT, sizeof(dst));
		rte_prefetch0(&view->slots[rte_be_to_cpu_32(dst) >> 8]);
	}
}

/* The lanes whose /16 some prefix has a part of. */
static __rte_always_inline lanes_t held(const struct fib_view *view, lanes_t dst)
{
	lanes_t word = lanes_words(view->held, dst >> 21);

	return -(word >> (dst >> 16 & 31) & 1);
}

/* What the slots say. sparse: most is expected to go by the default route, and slots are looked at
 * only where there may be anything else. */
static __rte_always_inline lanes_t slots_of(const struct fib_view *view, lanes_t dst, bool sparse)
{
	const lanes_t zero = {0};
	lanes_t index = zero, block, at_slot, some = ~zero;

	if (sparse)
		some = held(view, dst);
	if (!sparse || lanes_eq(some, zero) != ALL_LANES)
		index = lanes_gather(view->slots, dst >> 8 & some) & 0xffffu & some;
	if (lanes_lt(zero + (FIB_BLOCK_FLAG - 1), index)) {
		/* Lanes without a block keep what they have read: what is in the slot by now may be
		 * a block. */
		block = (lanes_t)(index >= zero + FIB_BLOCK_FLAG);
		at_slot = (index & ~FIB_BLOCK_FLAG) * 256u + FIB_BLOCKS_AT + (dst & 0xffu);
		at_slot = (at_slot & block) | (dst >> 8 & some & ~block);
		index = (index & ~block) | (lanes_gather(view->slots, at_slot) & 0xffffu & block);
	}
	return index;
}

/* Whatever is for the router itself has one destination, mostly, and a gather is slow. */
static __rte_always_inline void lookup(struct burst *b, unsigned int group,
				       const struct fib_view *view, uint16_t fallback, bool sparse)
{
	const lanes_t zero = {0};
	unsigned int at = group * LANES;
	lanes_t dst, index;

	memcpy(&dst, &b->dst[at], sizeof(dst));
	if (unlikely(lanes_eq(dst, zero + b->dst[at]) == ALL_LANES))
		index = zero + fib_view_answer(view, b->dst[at]);
	else
		index = slots_of(view, dst, sparse);
	b->defaulted |= (lanes_eq(index, zero) & b->good[group]) << at;
	index |= (lanes_t)(index == zero) & fallback;
	index &= lanes_of(b->good[group]);
	memcpy(&b->index[at], &index, sizeof(index));
}

/* ---- rules ---- */

/* The lanes whose gateway is known. */
static __rte_always_inline uint32_t by_gateway(lanes_t index)
{
	lanes_t way = lanes_words(&fast_nexthops->way, index * FAST_NEXTHOP_WORDS);

	return ~lanes_eq(way & 0xffffu, (lanes_t){0});
}

/* These lanes match a rule. Returns those that it leaves to the next one. */
static __rte_noinline uint32_t divert(struct burst *b, unsigned int at, const struct rule *r,
				      uint32_t matched)
{
	const lanes_t zero = {0};
	lanes_t index, answer;
	uint16_t longest[LANES];
	uint32_t word[LANES], sure, left = 0;

	rule_longest(r, &b->dst[at], longest, LANES);
	for (unsigned int i = 0; i < LANES; i++)
		word[i] = longest[i];
	memcpy(&answer, word, sizeof(answer));
	memcpy(&index, &b->index[at], sizeof(index));
	sure = by_gateway(answer) & (lanes_eq(index, zero) | by_gateway(index)) & matched;
	index = (index & ~lanes_of(sure)) | (answer & lanes_of(sure));
	memcpy(&b->index[at], &index, sizeof(index));
	for (matched &= ~sure; matched; matched &= matched - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(matched);

		if (!rule_diverts(r, rte_cpu_to_be_32(b->dst[at + i]), b->data[at + i][TOS_AT],
				  &b->index[at + i]))
			left |= 1u << i;
	}
	return left;
}

static __rte_always_inline bool may_match(const struct rule *r, const struct link *l)
{
	return r->links >> l->id & 1;
}

/* Mostly there is one table for all that is diverted from a link. */
static __rte_always_inline void fetch_diverted(const struct burst *b, const struct link *l,
					       const struct rule_set *set, unsigned int n)
{
	const struct rule *r = set->diverting;
	const struct fib_view *view;

	while (!may_match(r, l))        /* one may, or rules would not matter for it */
		r++;
	view = rule_slots(r);
	if (view && view != fib_view(route_fib) && view->prefixes >= COLD_PREFIXES)
		fetch(b, view, n);
}

/* What the FIB says is for those that match none. All of a group is compared with a rule at once;
 * packets have no mark, for there is no hook. */
static __rte_always_inline void by_rules(struct burst *b, unsigned int group, const struct link *l,
					 const struct rule_set *set)
{
	const lanes_t zero = {0};
	unsigned int at = group * LANES;
	uint32_t open = b->good[group], word[2][LANES];
	lanes_t src, dst, rest;

	for (unsigned int i = 0; i < LANES; i++) {
		memcpy(&word[0][i], b->data[at + i] + SRC_AT, sizeof(word[0][i]));
		word[1][i] = b->data[at + i][TOS_AT];
	}
	memcpy(&src, word[0], sizeof(src));
	memcpy(&rest, word[1], sizeof(rest));
	memcpy(&dst, &b->dst[at], sizeof(dst));
	dst = lanes_swap(dst);
	rest |= zero + ((uint32_t)l->id << RULE_IIF_SHIFT);
	for (unsigned int i = 0; i < set->n_diverting && open; i++) {
		const struct rule *r = &set->diverting[i];
		uint32_t matched;
		lanes_t differ;

		if (!may_match(r, l))
			continue;
		differ = ((src ^ r->value[RULE_SRC]) & r->mask[RULE_SRC]) |
			 ((dst ^ r->value[RULE_DST]) & r->mask[RULE_DST]) |
			 ((rest ^ r->value[RULE_REST]) & r->mask[RULE_REST]);
		matched = (lanes_eq(differ, zero) ^ (r->not ? ALL_LANES : 0)) & open;
		if (unlikely(matched))
			open &= ~matched | divert(b, at, r, matched);
	}
}
