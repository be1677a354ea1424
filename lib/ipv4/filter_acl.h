/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many rules at once, with DPDK's rte_acl. A *plain* rule has matches that a classifier can do
 * (ranges and prefixes, none negated, each field once), behind them at most statements that always
 * pass (counter, log), and a verdict: once its matches pass, no later rule is asked. So in a run of
 * plain rules the first one that matches is all there is to know, and a lookup finds it. Other
 * rules stand between the runs and are taken one by one.
 */
#ifndef IPV4_FILTER_ACL_H
#define IPV4_FILTER_ACL_H

#include "ipv4/filter_table.h"

/* Is the rule plain? Sets e->plain. */
void filter_acl_mark(struct filter_entry *e);

/* A classifier for the table's rules from `from` up to `to`, all plain. NULL: no memory for it.
 * Control thread. */
struct rte_acl_ctx *filter_acl_make(const struct filter_table *t, uint32_t from, uint32_t to);
void filter_acl_free(struct rte_acl_ctx *acl);

/* The number, counted from the part's first, of the first rule whose matches pass; -1: none. */
int filter_acl_find(const struct rte_acl_ctx *acl, const struct filter_facts *f);

#endif
