/* SPDX-License-Identifier: BSD-3-Clause */
/* FIBs of tables other than main; see table_fib.h. */
#include "route/table_fib.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

#include <rte_common.h>

#include "core/log.h"
#include "core/rcu.h"
#include "core/sysctl.h"
#include "route/fib.h"

#define PREFIXES_PRESET 1024
#define KEPT 2                  /* one goes below this part of what it comes with */
#define SETTING "net.millrace.table_fib_prefixes"

static int32_t prefixes_min;

/* Does a table have so many prefixes, or this part of them? */
static bool is_large(const struct table *t, uint32_t part)
{
	return prefixes_min && t->slots_used >= RTE_MAX((uint32_t)prefixes_min / part, 1u);
}

static void destroy(void *fib)
{
	fib_destroy(fib);
}

void table_fib_drop(struct table *t)
{
	struct fib *fib = t->fib;

	if (!fib)
		return;
	rcu_assign(t->fib, NULL);
	rcu_defer(destroy, fib);
}

static void refuse(struct table *t, int error)
{
	log_warning("table %s: looked up more slowly, as %s", table_name(t->id),
		    error == ENOSPC ? "too many /24 of it have longer prefixes"
				    : "there is no memory for a FIB");
	t->fib_refused = true;
}

struct copy {
	struct fib *fib;
	int rc;
};

static void copy_one(struct table *t, struct route *r, void *arg)
{
	uint16_t index = (uint16_t)trie_get(&t->trie, r->prefix, r->len);
	struct copy *c = arg;

	if (index && !c->rc)
		c->rc = fib_set(c->fib, r->prefix, r->len, index);
}

static void begin(struct table *t)
{
	struct copy c = { .fib = fib_create(0, false, -1) };

	if (!c.fib) {
		refuse(t, ENOMEM);
		return;
	}
	table_sweep_one(t, copy_one, &c);
	if (c.rc) {
		fib_destroy(c.fib);
		refuse(t, -c.rc);
		return;
	}
	rcu_assign(t->fib, c.fib);
}

/* Begin or end, as there are many prefixes or few. */
static void settle(struct table *t)
{
	if (!is_large(t, KEPT)) {
		table_fib_drop(t);
		t->fib_refused = false;
	} else if (!t->fib && !t->fib_refused && is_large(t, 1)) {
		begin(t);
	}
}

void table_fib_follow(struct table *t, uint32_t prefix, unsigned int len, uint16_t index)
{
	int rc = 0;

	if (t->fib)
		rc = index ? fib_set(t->fib, prefix, len, index) : fib_unset(t->fib, prefix, len);
	if (rc) {
		table_fib_drop(t);
		refuse(t, -rc);
	}
	settle(t);
}

/* ---- start and stop ---- */

static void prefixes_changed(struct sysctl *s, int32_t old)
{
	for (struct table *t = table_first(); t; t = t->next)
		if (t != table_main)
			settle(t);
}

int table_fib_init(void)
{
	return sysctl_register(&(struct sysctl){
		.name = SETTING, .value = &prefixes_min, .min = 0, .max = INT_MAX,
		.preset = PREFIXES_PRESET, .changed = prefixes_changed,
		.help = "prefixes from which on a routing table other than main has a FIB of its "
			"own, of 32 MB and more; 0: none has"});
}

void table_fib_fini(void)
{
	sysctl_unregister(SETTING);
}
