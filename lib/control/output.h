/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a command prints: one description, two forms.
 *
 * A command calls these functions once; the output is JSON or text, whichever was asked for. Each
 * value has a key, which only JSON shows, and a `before`, which only text shows in front of it: so
 *     out_string(o, "dev", " dev ", "p0")
 * is `"dev":"p0"` in one and ` dev p0` in the other. With `before` NULL text leaves the value out;
 * in an array the key is NULL. There is no tree in between: a million routes go straight into one
 * growing buffer, which is bounded. Beyond its limit nothing more is taken and `full` is set.
 */
#ifndef CONTROL_OUTPUT_H
#define CONTROL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_byteorder.h>

struct job;
struct rte_ether_addr;

struct output {
	char *data;      /* not terminated; out_finish() does that */
	size_t len, size;
	size_t limit;    /* 0: OUTPUT_LIMIT */
	bool json;
	bool full;       /* it was more than the limit, or than there is memory */
	bool comma;      /* JSON: the next member needs one before it */
	bool live;       /* text: what comes before a job is done is wanted at once (job.h) */
	struct job **job; /* of a command that takes a while: job.h; NULL: not possible here */
};

#define OUTPUT_LIMIT (256u << 20)

/* Forget what was written and keep the memory; give the memory back. */
void out_reset(struct output *o, bool json);
void out_free(struct output *o);

/* Terminate the text with a 0, which len does not count. NULL if it was too much. */
const char *out_finish(struct output *o);

/* Bytes as they are, in either form. */
void out_raw(struct output *o, const char *data, size_t len);
/* A JSON string, quoted and escaped, in either form; without anything before or after it. */
void out_quoted(struct output *o, const char *text, size_t len);

/* Text form only. */
void out_text(struct output *o, const char *text);
void out_printf(struct output *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* JSON form only. */
void out_object(struct output *o, const char *key);
void out_object_end(struct output *o);
void out_array(struct output *o, const char *key);
void out_array_end(struct output *o);

/* Values, in both. */
void out_string(struct output *o, const char *key, const char *before, const char *value);
/* In JSON what is more than 2^63 - 1 is a string, as many who read it know no larger numbers. */
void out_number(struct output *o, const char *key, const char *before, uint64_t value);
void out_signed(struct output *o, const char *key, const char *before, int64_t value);
/* With one digit behind the point. */
void out_decimal(struct output *o, const char *key, const char *before, double value);
void out_bool(struct output *o, const char *key, bool value);   /* JSON only */
void out_address(struct output *o, const char *key, const char *before, rte_be32_t addr);
void out_lladdr(struct output *o, const char *key, const char *before,
		const struct rte_ether_addr *addr);
/* As iproute2 prints a destination: "default", an address alone for /32, else address/length. */
void out_prefix(struct output *o, const char *key, const char *before, uint32_t prefix,
		unsigned int len);

#endif
