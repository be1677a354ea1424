/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See value.h. The parsers read digit by digit instead of through the C library: a configuration
 * may have a million routes, and what strtoul takes for a number (" +7", "0x1f") is not one here.
 * Addresses and prefixes are what they are to iproute2, which reads more than four decimal numbers.
 */
#include "control/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "link/link.h"

bool value_named(const struct arg *a, const char *word, uint32_t *number)
{
	const struct arg_name *n;

	for (n = a->names; n && n->name; n++) {
		if (strcmp(n->name, word) != 0)
			continue;
		*number = n->value;
		return true;
	}
	return false;
}

const char *value_name(const struct arg_name *names, uint32_t number)
{
	for (; names->name; names++)
		if (names->value == number)
			return names->name;
	return NULL;
}

/* Decimal digits without a leading zero, at most max. Returns what follows, NULL: not a number. */
static const char *parse_decimal(const char *p, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;
	const char *start = p;

	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (uint64_t)(*p - '0');
		if (value > max)
			return NULL;
	}
	if (p == start || (*start == '0' && p > start + 1))
		return NULL;
	*number = (uint32_t)value;
	return p;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* As C writes numbers. Returns what follows, NULL: not a number of 32 bits. */
static const char *parse_bits(const char *p, uint32_t *number)
{
	unsigned int base = *p != '0' ? 10 : p[1] == 'x' || p[1] == 'X' ? 16 : 8;
	const char *start = p += base == 16 ? 2 : 0;
	uint64_t value = 0;

	for (int digit = hex_digit(*p); digit >= 0 && digit < (int)base; digit = hex_digit(*++p)) {
		value = value * base + (uint64_t)digit;
		if (value > UINT32_MAX)
			return NULL;
	}
	*number = (uint32_t)value;
	return p > start ? p : NULL;
}

/* Up to four numbers with points between; those that are left out are 0. Returns what follows,
 * NULL: not an address. */
static const char *parse_address(const char *p, uint32_t *addr)
{
	uint32_t byte;

	*addr = 0;
	for (int shift = 24;; shift -= 8) {
		p = parse_bits(p, &byte);
		if (!p || byte > 255)
			return NULL;
		*addr |= byte << shift;
		if (*p != '.' || !shift)
			return p;
		p++;
	}
}

/* A prefix's length, or its mask. */
static bool parse_len(const char *word, unsigned int *len)
{
	uint32_t mask;
	const char *p = parse_bits(word, len);

	if (p && !*p)
		return *len <= 32;
	p = parse_address(word, &mask);
	*len = (unsigned int)__builtin_popcount(mask);
	return p && !*p && mask == prefix_mask(*len);
}

/* An address and its length, 32 if that is left out. */
static bool parse_cidr(const char *word, uint32_t *addr, unsigned int *len)
{
	const char *p = parse_address(word, addr);

	*len = 32;
	if (p && *p == '/')
		return parse_len(p + 1, len);
	return p && !*p;
}

bool value_is_whole_address(const char *word)
{
	unsigned int points = 0;

	for (; *word; word++)
		points += *word == '.';
	return points == 3;
}

static int take_address(const char *word, struct value *v, struct error *err)
{
	uint32_t addr;
	const char *p = parse_address(word, &addr);

	if (!p || *p)
		return error_set(err, EINVAL, "\"%s\" is not an IPv4 address", word);
	v->address = rte_cpu_to_be_32(addr);
	return 0;
}

static int take_host(const char *word, struct value *v, struct error *err)
{
	if (!value_is_whole_address(word))
		return error_set(err, EINVAL, "\"%s\" is not an IPv4 address", word);
	return take_address(word, v, err);
}

static int take_address_32(const char *word, struct value *v, struct error *err)
{
	uint32_t addr;
	unsigned int len;

	if (!parse_cidr(word, &addr, &len))
		return error_set(err, EINVAL, "\"%s\" is not an IPv4 address", word);
	if (len != 32)
		return error_set(err, EINVAL, "\"%s\" is not a single address: only /32 may be "
				 "added to it", word);
	v->address = rte_cpu_to_be_32(addr);
	return 0;
}

static int take_cidr(const char *word, struct value *v, struct error *err)
{
	if (parse_cidr(word, &v->prefix, &v->len))
		return 0;
	return error_set(err, EINVAL,
			 "\"%s\" is not an address with a prefix length (0 to 32)", word);
}

static int take_prefix(const char *word, struct value *v, struct error *err)
{
	if (strcmp(word, "default") == 0 || strcmp(word, "all") == 0 || strcmp(word, "any") == 0) {
		v->prefix = 0;
		v->len = 0;
		return 0;
	}
	if (parse_cidr(word, &v->prefix, &v->len))
		return 0;
	return error_set(err, EINVAL, "\"%s\" is not a prefix (length 0 to 32)", word);
}

static int take_network(const char *word, struct value *v, struct error *err)
{
	int rc = take_prefix(word, v, err);
	uint32_t p;

	if (rc)
		return rc;
	p = v->prefix & prefix_mask(v->len);
	if (p == v->prefix)
		return 0;
	return error_set(err, EINVAL,
			 "\"%s\" has bits set beyond its length; did you mean %u.%u.%u.%u/%u", word,
			 p >> 24, p >> 16 & 0xff, p >> 8 & 0xff, p & 0xff, v->len);
}

static bool parse_lladdr(const char *p, struct rte_ether_addr *addr)
{
	int i, digit, value;

	for (i = 0; i < RTE_ETHER_ADDR_LEN; i++) {
		if (i && *p++ != ':')
			return false;
		value = hex_digit(*p++);
		if (value < 0)
			return false;
		digit = hex_digit(*p);
		if (digit >= 0) {
			value = value << 4 | digit;
			p++;
		}
		addr->addr_bytes[i] = (uint8_t)value;
	}
	return !*p;
}

static int take_lladdr(const char *word, struct value *v, struct error *err)
{
	if (parse_lladdr(word, &v->lladdr))
		return 0;
	return error_set(err, EINVAL,
			 "\"%s\" is not a link-layer address (such as 02:00:00:00:00:01)", word);
}

/* "up or down", "unicast, local or broadcast" */
static void list_names(const struct arg_name *n, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = 0;
	for (; n->name && len < size; n++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", n->name,
					!n[1].name ? "" : n[2].name ? ", " : " or ");
}

static int take_named(const struct arg *a, const char *word, struct value *v, struct error *err)
{
	char list[256];

	if (value_named(a, word, &v->number))
		return 0;
	list_names(a->names, list, sizeof(list));
	return error_set(err, EINVAL, "\"%s\" is not %s", word, list);
}

static int take_number(const struct arg *a, const char *word, struct value *v, struct error *err)
{
	char list[256] = "";
	const char *p;

	if (value_named(a, word, &v->number))
		return 0;
	p = parse_decimal(word, a->max, &v->number);
	if (p && !*p && v->number >= a->min)
		return 0;
	if (a->names)
		list_names(a->names, list, sizeof(list));
	return error_set(err, EINVAL, "\"%s\" is not a number from %u to %u%s%s", word, a->min,
			 a->max, a->names ? ", nor " : "", list);
}

/* As iproute2 reads it: hexadecimal whether it says 0x or not. */
static int take_tos(const struct arg *a, const char *word, struct value *v, struct error *err)
{
	const char *p = strncmp(word, "0x", 2) == 0 ? word + 2 : word;
	size_t digits = strlen(p);

	if (value_named(a, word, &v->number))
		return 0;
	v->number = 0;
	for (const char *at = p; *at; at++) {
		if (hex_digit(*at) < 0 || digits > 2)
			digits = 0;
		else
			v->number = v->number << 4 | (uint32_t)hex_digit(*at);
	}
	if (digits)
		return 0;
	return error_set(err, EINVAL, "\"%s\" is not a hexadecimal number from 0x00 to 0xff, nor "
			 "the name of one", word);
}

static int take_mark(const struct arg *a, const char *word, struct value *v, struct error *err)
{
	const char *p = parse_bits(word, &v->mark);

	v->mask_given = a->type == ARG_MARK_MASK && p && *p == '/';
	if (v->mask_given)
		p = parse_bits(p + 1, &v->mask);
	if (p && !*p)
		return 0;
	return error_set(err, EINVAL, "\"%s\" is not a number of 32 bits such as 16 or 0x10%s",
			 word,
			 a->type == ARG_MARK_MASK ? ", nor one with a mask such as 0x10/0xff" : "");
}

static int take_link(const char *word, struct value *v, struct error *err)
{
	v->link = link_find(word);
	if (v->link)
		return 0;
	return error_set(err, ENODEV, "there is no link \"%s\"", word);
}

static int take_new_link(const char *word, struct error *err)
{
	size_t len = strlen(word);
	size_t i;

	if (len == 0 || len >= LINK_NAME_SIZE)
		return error_set(err, EINVAL,
				 "\"%s\" is not a name for a link (1 to %d characters)", word,
				 LINK_NAME_SIZE - 1);
	for (i = 0; i < len; i++)
		if (word[i] <= ' ' || word[i] == 0x7f || strchr("/:\"'#=,(){}", word[i]))
			return error_set(err, EINVAL,
					 "\"%s\" is not a name for a link (blanks, quotes, "
					 "/ : # = , ( ) { } and what is not ASCII can not be in "
					 "it)", word);
	if (word[len - 1] == '*')
		return error_set(err, EINVAL, "\"%s\" is not a name for a link: a filter would "
				 "take it for all that begin so", word);
	if (link_name_means_others(word))
		return error_set(err, EINVAL,
				 "\"%s\" can not be the name of a link: its settings would be "
				 "taken for those of others", word);
	return 0;
}

int value_parse(const struct arg *a, const char *word, struct value *v, struct error *err)
{
	v->text = word;
	switch (a->type) {
	case ARG_NAMED:
		return take_named(a, word, v, err);
	case ARG_NUMBER:
		return take_number(a, word, v, err);
	case ARG_TOS:
		return take_tos(a, word, v, err);
	case ARG_MARK:
	case ARG_MARK_MASK:
		return take_mark(a, word, v, err);
	case ARG_LINK:
		return take_link(word, v, err);
	case ARG_NEW_LINK:
		return take_new_link(word, err);
	case ARG_ADDRESS:
		return take_address(word, v, err);
	case ARG_ADDRESS_32:
		return take_address_32(word, v, err);
	case ARG_HOST:
		return take_host(word, v, err);
	case ARG_PREFIX:
		return take_prefix(word, v, err);
	case ARG_NETWORK:
		return take_network(word, v, err);
	case ARG_CIDR:
		return take_cidr(word, v, err);
	case ARG_LLADDR:
		return take_lladdr(word, v, err);
	case ARG_FLAG:
	case ARG_TEXT:
	case ARG_SETTING:
	case ARG_REST:
	case ARG_COMMAND:
	case ARG_GROUP:
		return 0;
	}
	return 0;
}
