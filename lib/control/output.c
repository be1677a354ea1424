/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See output.h. printf is left to where columns are aligned: addresses and numbers have writers of
 * their own, for a full table is printed on the thread that also answers ARP.
 */
#include "control/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>

#define FIRST_BYTES 4096
#define KEPT_BYTES (64u << 10)

void out_reset(struct output *o, bool json)
{
	if (o->size > KEPT_BYTES)
		out_free(o);
	o->len = 0;
	o->json = json;
	o->full = false;
	o->comma = false;
}

void out_free(struct output *o)
{
	free(o->data);
	o->data = NULL;
	o->len = 0;
	o->size = 0;
}

/* Room for n more bytes; NULL when that is too much. */
static char *reserve(struct output *o, size_t n)
{
	size_t limit = o->limit ? o->limit : OUTPUT_LIMIT;
	size_t size = o->size ? o->size : FIRST_BYTES;
	char *data;

	if (o->full)
		return NULL;
	if (n > limit || o->len > limit - n) {
		o->full = true;
		return NULL;
	}
	if (o->len + n <= o->size)
		return o->data + o->len;
	while (size < o->len + n)
		size *= 2;
	data = realloc(o->data, size);
	if (!data) {
		o->full = true;
		return NULL;
	}
	o->data = data;
	o->size = size;
	return data + o->len;
}

void out_raw(struct output *o, const char *data, size_t len)
{
	char *p = len ? reserve(o, len) : NULL;

	if (!p)
		return;
	memcpy(p, data, len);
	o->len += len;
}

static void put(struct output *o, const char *text)
{
	out_raw(o, text, strlen(text));
}

static void put_char(struct output *o, char c)
{
	out_raw(o, &c, 1);
}

const char *out_finish(struct output *o)
{
	char *p = reserve(o, 1);

	if (!p)
		return NULL;
	*p = 0;
	return o->data;
}

/* Bytes of the UTF-8 character at p, of which left remain; 0: that is none. */
static unsigned int utf8_length(const unsigned char *p, size_t left)
{
	unsigned int n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned int i;

	if (p[0] > 0xf4 || n > left)
		return 0;
	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (n > 2 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		      (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
		return 0;
	return n;
}

/* What has to stand for the byte in a JSON string; NULL: it may stand for itself. */
static const char *escape(unsigned char c, char buf[8])
{
	if (c == '"')
		return "\\\"";
	if (c == '\\')
		return "\\\\";
	if (c == '\n')
		return "\\n";
	if (c == '\t')
		return "\\t";
	if (c >= 0x20)
		return NULL;
	snprintf(buf, 8, "\\u%04x", c);
	return buf;
}

void out_quoted(struct output *o, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t start = 0, i = 0;
	unsigned int n;
	char buf[8];

	put_char(o, '"');
	while (i < len) {
		const char *instead = NULL;

		n = utf8_length(p + i, len - i);
		if (n == 0)
			instead = "\\ufffd";
		else if (n == 1)
			instead = escape(p[i], buf);
		if (instead) {
			out_raw(o, text + start, i - start);
			put(o, instead);
			start = i + 1;
		}
		i += n ? n : 1;
	}
	out_raw(o, text + start, len - start);
	put_char(o, '"');
}

void out_text(struct output *o, const char *text)
{
	if (!o->json)
		put(o, text);
}

void out_printf(struct output *o, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;
	int n;

	if (o->json)
		return;
	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n > 0)
		out_raw(o, buf, (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

/* What stands before a value. Returns false where the form leaves the value out. */
static bool begin(struct output *o, const char *key, const char *before)
{
	if (!o->json) {
		if (before)
			put(o, before);
		return before;
	}
	if (o->comma)
		put_char(o, ',');
	o->comma = true;
	if (key) {
		out_quoted(o, key, strlen(key));
		put_char(o, ':');
	}
	return true;
}

static void open_bracket(struct output *o, const char *key, char bracket)
{
	if (!o->json)
		return;
	begin(o, key, NULL);
	put_char(o, bracket);
	o->comma = false;
}

static void close_bracket(struct output *o, char bracket)
{
	if (!o->json)
		return;
	put_char(o, bracket);
	o->comma = true;
}

void out_object(struct output *o, const char *key)
{
	open_bracket(o, key, '{');
}

void out_object_end(struct output *o)
{
	close_bracket(o, '}');
}

void out_array(struct output *o, const char *key)
{
	open_bracket(o, key, '[');
}

void out_array_end(struct output *o)
{
	close_bracket(o, ']');
}

void out_string(struct output *o, const char *key, const char *before, const char *value)
{
	if (!begin(o, key, before))
		return;
	if (o->json)
		out_quoted(o, value, strlen(value));
	else
		put(o, value);
}

/* Decimal digits, written backwards from end; returns where they begin. */
static char *digits(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return end;
}

static void put_number(struct output *o, uint64_t value)
{
	char buf[20], *end = buf + sizeof(buf), *p = digits(end, value);

	out_raw(o, p, (size_t)(end - p));
}

void out_number(struct output *o, const char *key, const char *before, uint64_t value)
{
	bool quoted = o->json && value > INT64_MAX;

	if (!begin(o, key, before))
		return;
	if (quoted)
		put_char(o, '"');
	put_number(o, value);
	if (quoted)
		put_char(o, '"');
}

void out_signed(struct output *o, const char *key, const char *before, int64_t value)
{
	if (!begin(o, key, before))
		return;
	if (value < 0)
		put_char(o, '-');
	put_number(o, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void out_decimal(struct output *o, const char *key, const char *before, double value)
{
	char buf[64];

	if (!begin(o, key, before))
		return;
	snprintf(buf, sizeof(buf), "%.1f", value);
	put(o, buf);
}

void out_bool(struct output *o, const char *key, bool value)
{
	if (begin(o, key, NULL))
		put(o, value ? "true" : "false");
}

/* Dotted address, with /len unless that is 32, in quotes for JSON. */
static void put_address(struct output *o, uint32_t addr, unsigned int len)
{
	char buf[24], *end = buf + sizeof(buf), *p = end;
	unsigned int i;

	if (o->json)
		*--p = '"';
	if (len != 32) {
		p = digits(p, len);
		*--p = '/';
	}
	for (i = 0; i < 4; i++) {
		p = digits(p, (addr >> (8 * i)) & 0xff);
		if (i < 3)
			*--p = '.';
	}
	if (o->json)
		*--p = '"';
	out_raw(o, p, (size_t)(end - p));
}

void out_address(struct output *o, const char *key, const char *before, rte_be32_t addr)
{
	if (begin(o, key, before))
		put_address(o, rte_be_to_cpu_32(addr), 32);
}

void out_lladdr(struct output *o, const char *key, const char *before,
		const struct rte_ether_addr *addr)
{
	const uint8_t *b = addr->addr_bytes;
	char buf[18];

	snprintf(buf, sizeof(buf), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		 b[5]);
	out_string(o, key, before, buf);
}

void out_prefix(struct output *o, const char *key, const char *before, uint32_t prefix,
		unsigned int len)
{
	if (len == 0 && prefix == 0)
		out_string(o, key, before, "default");
	else if (begin(o, key, before))
		put_address(o, prefix, len);
}
