/* SPDX-License-Identifier: BSD-3-Clause */
#include "fib_world.h"

#include <errno.h>

#include "core/rcu.h"
#include "route/fib_lookup.h"

#define DEFERRED_MAX 65536

unsigned int deferred_n, synchronized;
void (*before_grace)(void);

static struct {
	void (*fn)(void *arg);
	void *arg;
} deferred[DEFERRED_MAX];

void rcu_defer(void (*fn)(void *arg), void *arg)
{
	assert_true(deferred_n < DEFERRED_MAX);
	deferred[deferred_n].fn = fn;
	deferred[deferred_n++].arg = arg;
}

void grace(void)
{
	if (before_grace)
		before_grace();
	for (unsigned int i = 0; i < deferred_n; i++)
		deferred[i].fn(deferred[i].arg);
	deferred_n = 0;
}

void rcu_synchronize(void)
{
	synchronized++;
	grace();
}

void check_stats(const struct fib *fib, unsigned int prefixes, unsigned int blocks)
{
	struct fib_stats s;

	fib_stats_get(fib, &s);
	assert_int_equal(s.prefixes, prefixes);
	assert_int_equal(s.blocks_used, blocks);
}

unsigned int with_each_version(void (*test)(void))
{
	const char *before = fib_lookup_chosen(), *name;
	unsigned int n = 0;

	for (unsigned int i = 0; (name = fib_lookup_name(i)); i++) {
		if (fib_lookup_choose(name) == -ENOTSUP) {
			print_message("skipped: this CPU has no %s\n", name);
			continue;
		}
		assert_string_equal(fib_lookup_chosen(), name);
		test();
		n++;
	}
	fib_lookup_choose(before);
	return n;
}
