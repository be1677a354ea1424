/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of plain rules as classifiers; see filter_acl.h. The key is what rte_acl wants: one byte,
 * then groups of four, in network byte order. Fields that a packet has not got are 0 in it, and a
 * byte of flags says so, on which every rule that asks for such a field insists.
 */
#include "ipv4/filter_acl.h"

#include <stddef.h>
#include <stdio.h>

#include <rte_acl.h>
#include <rte_byteorder.h>
#include <rte_memory.h>

struct key {
	uint8_t protocol, unused[3];
	rte_be32_t saddr, daddr;
	rte_be16_t sport, dport;
	uint8_t iif, oif, flags, icmp_type;
};

#define KEY_SPORT 0x01         /* there is one */
#define KEY_DPORT 0x02
#define KEY_ICMP_TYPE 0x04
#define KEY_FRAGMENT 0x08

enum { PROTOCOL, SADDR, DADDR, SPORT, DPORT, IIF, OIF, FLAGS, ICMP_TYPE, KEY_FIELDS };

#define FIELD(index, kind, bytes, group, member) \
	[index] = {.type = RTE_ACL_FIELD_TYPE_##kind, .size = (bytes), .field_index = (index), \
		   .input_index = (group), .offset = offsetof(struct key, member)}

static const struct rte_acl_field_def fields[KEY_FIELDS] = {
	FIELD(PROTOCOL, BITMASK, 1, 0, protocol),
	FIELD(SADDR, MASK, 4, 1, saddr),
	FIELD(DADDR, MASK, 4, 2, daddr),
	FIELD(SPORT, RANGE, 2, 3, sport),
	FIELD(DPORT, RANGE, 2, 3, dport),
	FIELD(IIF, BITMASK, 1, 4, iif),
	FIELD(OIF, BITMASK, 1, 4, oif),
	FIELD(FLAGS, BITMASK, 1, 4, flags),
	FIELD(ICMP_TYPE, BITMASK, 1, 4, icmp_type),
};

RTE_ACL_RULE_DEF(acl_rule, KEY_FIELDS);

/* ---- control thread ---- */

static bool is_prefix(const struct filter_step *s)
{
	uint32_t host = s->lo ^ s->hi;

	return !(host & (host + 1)) && !(s->lo & host);
}

static bool classified(const struct filter_step *s)
{
	if (s->not || s->n_set || s->mask != UINT32_MAX)
		return false;
	switch (s->kind) {
	case FILTER_SADDR:
	case FILTER_DADDR:
		return is_prefix(s);
	case FILTER_IIF:
	case FILTER_OIF:
		return s->lo != FILTER_UNKNOWN_LINK;
	case FILTER_PROTOCOL:
	case FILTER_ICMP_TYPE:
		return s->lo == s->hi;
	case FILTER_SPORT:
	case FILTER_DPORT:
		return true;
	case FILTER_FRAGMENT:
		return s->lo == 1;
	default:
		return false;
	}
}

void filter_acl_mark(struct filter_entry *e)
{
	uint32_t seen = 0;
	unsigned int i;

	e->plain = 0;
	for (i = 0; i < e->n && classified(&e->step[i]) && !(seen >> e->step[i].kind & 1); i++)
		seen |= 1u << e->step[i].kind;
	if (!i || e->verdict == FILTER_CONTINUE)
		return;
	for (unsigned int k = i; k < e->n; k++)
		if (e->step[k].kind != FILTER_COUNTER && e->step[k].kind != FILTER_LOG)
			return;
	e->plain = (uint8_t)i;
}

static void byte_is(struct acl_rule *r, unsigned int field, uint32_t value)
{
	r->field[field].value.u8 = (uint8_t)value;
	r->field[field].mask_range.u8 = 0xff;
}

static void flag_is_set(struct acl_rule *r, uint8_t flag)
{
	r->field[FLAGS].value.u8 |= flag;
	r->field[FLAGS].mask_range.u8 |= flag;
}

static void range_is(struct acl_rule *r, unsigned int field, const struct filter_step *s)
{
	r->field[field].value.u16 = (uint16_t)s->lo;
	r->field[field].mask_range.u16 = (uint16_t)s->hi;
}

static void prefix_is(struct acl_rule *r, unsigned int field, const struct filter_step *s)
{
	r->field[field].value.u32 = s->lo;
	r->field[field].mask_range.u32 = 32 - (uint32_t)__builtin_popcount(s->hi - s->lo);
}

static void rule_field(struct acl_rule *r, const struct filter_step *s)
{
	switch (s->kind) {
	case FILTER_SADDR:
		prefix_is(r, SADDR, s);
		break;
	case FILTER_DADDR:
		prefix_is(r, DADDR, s);
		break;
	case FILTER_IIF:
		byte_is(r, IIF, s->lo);
		break;
	case FILTER_OIF:
		byte_is(r, OIF, s->lo);
		break;
	case FILTER_PROTOCOL:
		byte_is(r, PROTOCOL, s->lo);
		break;
	case FILTER_SPORT:
		range_is(r, SPORT, s);
		flag_is_set(r, KEY_SPORT);
		break;
	case FILTER_DPORT:
		range_is(r, DPORT, s);
		flag_is_set(r, KEY_DPORT);
		break;
	case FILTER_ICMP_TYPE:
		byte_is(r, ICMP_TYPE, s->lo);
		flag_is_set(r, KEY_ICMP_TYPE);
		break;
	case FILTER_FRAGMENT:
		flag_is_set(r, KEY_FRAGMENT);
		break;
	default:
		break;
	}
}

static bool add_rules(struct rte_acl_ctx *acl, const struct filter_table *t, uint32_t from,
		      uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const struct filter_entry *e = &t->rule[i];
		struct acl_rule r = {
			.data = {.category_mask = 1, .userdata = i - from + 1,
				 .priority = (int32_t)(RTE_ACL_MAX_PRIORITY - (i - from))},
			.field = {[SPORT] = {.mask_range.u16 = UINT16_MAX},
				  [DPORT] = {.mask_range.u16 = UINT16_MAX}},
		};

		for (unsigned int k = 0; k < e->plain; k++)
			rule_field(&r, &e->step[k]);
		if (rte_acl_add_rules(acl, (const struct rte_acl_rule *)&r, 1))
			return false;
	}
	return true;
}

struct rte_acl_ctx *filter_acl_make(const struct filter_table *t, uint32_t from, uint32_t to)
{
	static unsigned int serial;
	char name[RTE_ACL_NAMESIZE];
	const struct rte_acl_param param = {
		.name = name, .socket_id = SOCKET_ID_ANY, .max_rule_num = to - from,
		.rule_size = RTE_ACL_RULE_SZ(KEY_FIELDS),
	};
	struct rte_acl_config config = {.num_categories = 1, .num_fields = KEY_FIELDS};
	struct rte_acl_ctx *acl;

	snprintf(name, sizeof(name), "filter_%u", serial++);
	for (unsigned int i = 0; i < KEY_FIELDS; i++)
		config.defs[i] = fields[i];
	acl = rte_acl_create(&param);
	if (acl && add_rules(acl, t, from, to) && !rte_acl_build(acl, &config))
		return acl;
	rte_acl_free(acl);
	return NULL;
}

void filter_acl_free(struct rte_acl_ctx *acl)
{
	rte_acl_free(acl);
}

/* ---- workers ---- */

static uint8_t flag(const struct filter_facts *f, enum filter_kind kind, uint8_t value)
{
	return f->known >> kind & 1 ? value : 0;
}

int filter_acl_find(const struct rte_acl_ctx *acl, const struct filter_facts *f)
{
	const struct key key = {
		.protocol = (uint8_t)f->field[FILTER_PROTOCOL],
		.saddr = rte_cpu_to_be_32(f->field[FILTER_SADDR]),
		.daddr = rte_cpu_to_be_32(f->field[FILTER_DADDR]),
		.sport = rte_cpu_to_be_16((uint16_t)f->field[FILTER_SPORT]),
		.dport = rte_cpu_to_be_16((uint16_t)f->field[FILTER_DPORT]),
		.iif = (uint8_t)f->field[FILTER_IIF],
		.oif = (uint8_t)f->field[FILTER_OIF],
		.flags = flag(f, FILTER_SPORT, KEY_SPORT) | flag(f, FILTER_DPORT, KEY_DPORT) |
			 flag(f, FILTER_ICMP_TYPE, KEY_ICMP_TYPE) |
			 (f->field[FILTER_FRAGMENT] ? KEY_FRAGMENT : 0),
		.icmp_type = (uint8_t)f->field[FILTER_ICMP_TYPE],
	};
	const uint8_t *data = (const void *)&key;
	uint32_t found = 0;

	rte_acl_classify(acl, &data, &found, 1, 1);
	return (int)found - 1;
}
