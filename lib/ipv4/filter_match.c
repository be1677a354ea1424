/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filter rules as packets meet them; see filter.h. Common fields are read once a packet. As with
 * nft, a match of a field that is not there, as the packet is too short, fails, negated or not; and
 * what lies behind the header is taken for ports or an ICMP type in any fragment. Who wants to rely
 * on them has fragments put together first (net.millrace.defrag).
 */
#include <netinet/in.h>

#include "ipv4/filter_acl.h"
#include "ipv4/filter_table.h"
#include "ipv4/internal.h"
#include "ipv4/reject.h"

#define BIT(field) (1u << FILTER_##field)
#define SOMETIMES_KNOWN (BIT(SPORT) | BIT(DPORT) | BIT(ICMP_TYPE) | BIT(ICMP_CODE) | BIT(TCP_FLAGS))
#define ALWAYS_KNOWN (((1u << FILTER_FIELDS) - 1) & ~SOMETIMES_KNOWN)

#define TCP_FLAGS_AT 13

/* The link that it came by: one more than its number. */
static uint32_t link_in(const struct packet *p, enum hook_point point)
{
	if (point == HOOK_OUTPUT || (p->flags & PACKET_F_LOCAL))
		return FILTER_NO_LINK;
	return p->link + 1u;
}

static uint32_t link_out(const struct packet *p, enum hook_point point)
{
	return point == HOOK_PREROUTING || point == HOOK_INPUT ? FILTER_NO_LINK : p->out_link + 1u;
}

/* The first bytes behind the header. */
static void transport_facts(const struct rte_mbuf *m, struct filter_facts *f)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t header = rte_ipv4_hdr_len(ip), n = RTE_MIN(m->pkt_len - header, TCP_FLAGS_AT + 1u);
	uint8_t bytes[TCP_FLAGS_AT + 1] = {0};

	if (n)
		packet_read(m, header, n, bytes);
	f->field[FILTER_ICMP_TYPE] = bytes[0];
	f->field[FILTER_ICMP_CODE] = bytes[1];
	f->field[FILTER_SPORT] = (uint32_t)bytes[0] << 8 | bytes[1];
	f->field[FILTER_DPORT] = (uint32_t)bytes[2] << 8 | bytes[3];
	f->field[FILTER_TCP_FLAGS] = bytes[TCP_FLAGS_AT];
	f->known |= (n > 0 ? BIT(ICMP_TYPE) : 0) | (n > 1 ? BIT(SPORT) | BIT(ICMP_CODE) : 0) |
		    (n > 3 ? BIT(DPORT) : 0) | (n > TCP_FLAGS_AT ? BIT(TCP_FLAGS) : 0);
}

/* What nft takes a packet's type for: what is made here is as if it had come for the router, also
 * the copy that is to come back, as long as it has not; then its address tells. */
static uint32_t type_of(const struct rte_mbuf *m, enum hook_point point)
{
	uint8_t type = packet_of(m)->type;

	if (type == PACKET_OUTGOING ||
	    (type == PACKET_LOOPBACK && point == HOOK_POSTROUTING))
		return PACKET_HOST;
	if (type != PACKET_LOOPBACK)
		return type;
	return ip_is_multicast(packet_ip(m)->dst_addr) ? PACKET_MULTICAST : PACKET_BROADCAST;
}

static void facts_read(const struct rte_mbuf *m, enum hook_point point, struct filter_facts *f)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	const struct packet *p = packet_of(m);

	f->known = ALWAYS_KNOWN;
	f->field[FILTER_SADDR] = rte_be_to_cpu_32(ip->src_addr);
	f->field[FILTER_DADDR] = rte_be_to_cpu_32(ip->dst_addr);
	f->field[FILTER_IIF] = link_in(p, point);
	f->field[FILTER_OIF] = link_out(p, point);
	f->field[FILTER_PROTOCOL] = ip->next_proto_id;
	f->field[FILTER_FRAGMENT] = ip_is_fragment(ip);
	f->field[FILTER_FRAG_OFF] = rte_be_to_cpu_16(ip->fragment_offset);
	f->field[FILTER_TTL] = ip->time_to_live;
	f->field[FILTER_DSCP] = ip->type_of_service >> 2;
	f->field[FILTER_ECN] = ip->type_of_service & TOS_ECN_MASK;
	f->field[FILTER_ID] = rte_be_to_cpu_16(ip->packet_id);
	f->field[FILTER_LENGTH] = rte_be_to_cpu_16(ip->total_length);
	f->field[FILTER_HEADER] = ip->version_ihl & 0xf;
	f->field[FILTER_MARK] = p->mark;
	f->field[FILTER_PKTTYPE] = type_of(m, point);
	transport_facts(m, f);
}

/* Sorted ranges. */
static bool in_set(const struct filter_range *r, unsigned int n, uint32_t value)
{
	while (n) {
		unsigned int half = n / 2;

		if (value < r[half].lo) {
			n = half;
		} else if (value > r[half].hi) {
			r += half + 1;
			n -= half + 1;
		} else {
			return true;
		}
	}
	return false;
}

/* nft's quick way to read: one, two or four bytes where such numbers lie in a header. */
static bool is_number(uint32_t start, unsigned int n)
{
	return n <= 4 && !(n & (n - 1)) && start % n == 0;
}

/* Bits that few rules ask for are read by those that do. False: the packet is too short; or, of
 * later fragments, these are not where numbers lie. (nft sees no transport header in those, but its
 * quick way does not ask.) */
static bool payload_read(const struct rte_mbuf *m, const struct filter_step *s, uint32_t *value)
{
	unsigned int before = s->offset % 8, n = (before + s->bits + 7) / 8;
	uint32_t start = s->offset / 8;
	uint8_t bytes[5];
	uint64_t all = 0;

	if (s->transport && !is_number(start, n) && (packet_ip(m)->fragment_offset & FRAG_OFFSET))
		return false;
	if (s->transport)
		start += rte_ipv4_hdr_len(packet_ip(m));
	if (start + n > m->pkt_len)
		return false;
	packet_read(m, start, n, bytes);
	for (unsigned int i = 0; i < n; i++)
		all = all << 8 | bytes[i];
	*value = (uint32_t)(all >> (8 * n - before - s->bits) & ((1ULL << s->bits) - 1));
	return true;
}

static bool matches(const struct rte_mbuf *m, const struct filter_step *s,
		    const struct filter_facts *f)
{
	uint32_t value;

	if (s->kind != FILTER_PAYLOAD) {
		if (!(f->known >> s->kind & 1))
			return false;
		value = f->field[s->kind];
	} else if (!payload_read(m, s, &value)) {
		return false;
	}
	value &= s->mask;
	return (s->n_set ? in_set(s->set, s->n_set, value)
			 : value - s->lo <= s->hi - s->lo) != s->not;
}

/* Does what came fit the rate? Over: the other way round. */
static bool limit(struct worker *w, const struct rte_mbuf *m, const struct filter_step *s,
		  struct filter_state *state)
{
	int64_t cost = state->cost_ns;

	if (state->rate_bytes)
		cost = (int64_t)((unsigned __int128)cost * m->pkt_len / state->rate_bytes);
	return filter_bucket_take(&state->base_ns, cost, state->room_ns, (int64_t)w->now_ns) !=
	       s->over;
}

/* Take a rule's steps from one on. True: all passed. */
static bool take(struct worker *w, const struct rte_mbuf *m, enum hook_point point,
		 const struct filter_entry *e, struct filter_facts *f, unsigned int i)
{
	struct filter_state *state = e->state;

	for (; i < e->n; i++) {
		const struct filter_step *s = &e->step[i];

		switch (s->kind) {
		case FILTER_LIMIT:
			if (!limit(w, m, s, state))
				return false;
			break;
		case FILTER_COUNTER:
			state->count[w->id].packets++;
			state->count[w->id].bytes += m->pkt_len;
			break;
		case FILTER_LOG:
			filter_log(w, m, point, state->handle);
			break;
		case FILTER_MARK_SET:
			f->field[FILTER_MARK] = (f->field[FILTER_MARK] & s->mask) ^ s->lo;
			packet_of(m)->mark = f->field[FILTER_MARK];
			break;
		default:
			if (!matches(m, s, f))
				return false;
		}
	}
	return true;
}

/* The rule that decides; NULL: none does. */
static const struct filter_entry *decide(struct worker *w, const struct rte_mbuf *m,
					 enum hook_point point, const struct filter_table *t)
{
	struct filter_facts f;

	facts_read(m, point, &f);
	for (uint32_t k = 0; k < t->n_parts; k++) {
		const struct filter_part *part = &t->parts[k];
		int found;

		if (part->acl) {
			found = filter_acl_find(part->acl, &f);
			if (found >= 0) {
				const struct filter_entry *e = &t->rule[part->from];

				e += found;
				take(w, m, point, e, &f, e->plain);
				return e;
			}
			continue;
		}
		for (uint32_t i = part->from; i < part->to; i++)
			if (take(w, m, point, &t->rule[i], &f, 0) &&
			    t->rule[i].verdict != FILTER_CONTINUE)
				return &t->rule[i];
	}
	return NULL;
}

enum hook_verdict filter_hook(struct worker *w, struct rte_mbuf *m, enum hook_point point,
			      void *arg)
{
	struct filter_table **published = arg;
	const struct filter_table *t = rcu_read(*published);
	const struct filter_entry *e = decide(w, m, point, t);

	if (!e || e->verdict == FILTER_RETURN)
		return t->accept ? HOOK_ACCEPT : HOOK_DROP;
	if (e->verdict == FILTER_REJECT)
		ip_reject(w, m, point, e->icmp_code);
	else if (e->verdict == FILTER_RESET)
		ip_reject_reset(w, m, point);
	return e->verdict == FILTER_ACCEPT ? HOOK_ACCEPT : HOOK_DROP;
}
