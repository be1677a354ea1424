/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A make-believe room of links for tests of lib/route: three links (lo, v0, v1) whose state and
 * addresses the tests change and tell of; routes in the words of iproute2, and tables as text.
 */
#ifndef TEST_ROUTE_WORLD_H
#define TEST_ROUTE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/link.h"
#include "route/route.h"

/* ---- links ---- */

extern struct link link_mem[3];
extern struct link *const lo, *const v0, *const v1;

rte_be32_t ip(const char *text);
void addr_on(struct link *l, const char *text, unsigned int len);
void addr_off(struct link *l, const char *text, unsigned int len);
void up(struct link *l);
void down(struct link *l);
void carrier(struct link *l, bool on);
/* It is told that the link is gone; links[] is the caller's. */
void deleted(struct link *l);

/* Only lo is up and has an address. */
int setup(void **state);
int teardown(void **state);
/* v0 (10.1.0.1/24) and v1 (10.2.0.1/24) up. 127/8 and 127.0.0.1 share a next hop. */
int setup_two(void **state);
#define SETUP_ROUTES 9
#define SETUP_NEXTHOPS 8

/* ---- routes as words ---- */

extern struct error err;

int route_add(const struct route_params *p, struct error *e);
int route_replace(const struct route_params *p, struct error *e);
int do_route(int (*fn)(const struct route_params *p, struct error *e), const char *words);

#define ok(fn, words) \
	do { \
		if (do_route(fn, words)) \
			fail_msg("%s: %s", words, err.text); \
	} while (0)

void refused(int (*fn)(const struct route_params *p, struct error *e), const char *words, int code,
	     const char *text);

/* A table as text, a line a route; in memory that the next call writes over. */
const char *table(uint32_t id);
/* The same memory for other text. */
void text_begin(void);
const char *text(void);
void append(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void append_addr(const char *word, rte_be32_t addr);

#define MAIN(text) assert_string_equal(table(ROUTE_TABLE_MAIN), text)
#define LOCAL(text) assert_string_equal(table(ROUTE_TABLE_LOCAL), text LOCAL_LO)
#define LOCAL_LO \
	"local 127.0.0.0/8 dev lo src 127.0.0.1\n" \
	"local 127.0.0.1/32 dev lo src 127.0.0.1\n" \
	"broadcast 127.255.255.255/32 dev lo src 127.0.0.1\n"

/* What a lookup answers, which is also what is explained. */
const struct nexthop *get_for(const struct route_flow *f);
const struct nexthop *get(const char *addr);
void leads_to(const char *addr, unsigned int type, const struct link *l, const char *gateway,
	      const char *src);

#endif
