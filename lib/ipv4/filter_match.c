/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filter rules as packets meet them; see filter.h. Fields are read once a packet. As with nft, a
 * match of a field that is not there, as the packet is too short, fails, negated or not; and what
 * lies behind the header is taken for ports or an ICMP type in any fragment. Who wants to rely on
 * them has fragments put together first (net.millrace.defrag).
 */
#include <netinet/in.h>

#include "ipv4/filter_acl.h"
#include "ipv4/filter_table.h"
#include "ipv4/internal.h"
#include "ipv4/reject.h"

#define ALWAYS_KNOWN ((1u << FILTER_SADDR) | (1u << FILTER_DADDR) | (1u << FILTER_IIF) | \
		      (1u << FILTER_OIF) | (1u << FILTER_PROTOCOL) | (1u << FILTER_FRAGMENT) | \
		      (1u << FILTER_TTL))

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
	uint32_t header = rte_ipv4_hdr_len(ip), n = RTE_MIN(m->pkt_len - header, 4u);
	uint8_t bytes[4] = {0};

	f->field[FILTER_SPORT] = f->field[FILTER_DPORT] = f->field[FILTER_ICMP_TYPE] = 0;
	if (!n)
		return;
	packet_read(m, header, n, bytes);
	f->field[FILTER_ICMP_TYPE] = bytes[0];
	f->known |= 1u << FILTER_ICMP_TYPE;
	if (n < 2)
		return;
	f->field[FILTER_SPORT] = (uint32_t)bytes[0] << 8 | bytes[1];
	f->known |= 1u << FILTER_SPORT;
	if (n < 4)
		return;
	f->field[FILTER_DPORT] = (uint32_t)bytes[2] << 8 | bytes[3];
	f->known |= 1u << FILTER_DPORT;
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
	f->field[FILTER_TTL] = ip->time_to_live;
	transport_facts(m, f);
}

static bool matches(const struct filter_step *s, const struct filter_facts *f)
{
	bool in = f->field[s->kind] - s->lo <= s->hi - s->lo;

	return (f->known >> s->kind & 1) && in != s->not;
}

/* Take a rule's steps from one on. True: all passed. */
static bool take(struct worker *w, const struct rte_mbuf *m, enum hook_point point,
		 const struct filter_entry *e, const struct filter_facts *f, unsigned int i)
{
	struct filter_state *state = e->state;

	for (; i < e->n; i++) {
		const struct filter_step *s = &e->step[i];

		switch (s->kind) {
		case FILTER_LIMIT:
			if (!filter_bucket_take(&state->base_ns, state->cost_ns, state->room_ns,
						(int64_t)w->now_ns))
				return false;
			break;
		case FILTER_COUNTER:
			state->count[w->id].packets++;
			state->count[w->id].bytes += m->pkt_len;
			break;
		case FILTER_LOG:
			filter_log(w, m, point, state->handle);
			break;
		default:
			if (!matches(s, f))
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
				const struct filter_entry *e = &t->rule[part->from + (uint32_t)found];

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

	if (!e)
		return t->accept ? HOOK_ACCEPT : HOOK_DROP;
	if (e->verdict == FILTER_REJECT)
		ip_reject(w, m, point, e->icmp_code);
	else if (e->verdict == FILTER_RESET)
		ip_reject_reset(w, m, point);
	return e->verdict == FILTER_ACCEPT ? HOOK_ACCEPT : HOOK_DROP;
}
