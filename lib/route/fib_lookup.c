/* SPDX-License-Identifier: BSD-3-Clause */
/* The choice between the versions of a burst's lookup; see fib_lookup.h. */
#include "route/fib_lookup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "core/cpu.h"

#define PAD 16u
#define TRIAL_SLOTS 4096u
#define TRIAL_ROUNDS 16u
#define TRIAL_BURSTS 8u

typedef void (*lookup_fn)(const struct fib_view *view, const uint32_t *addrs, uint16_t *indexes,
			  unsigned int n);

static const struct kind {
	const char *name;
	lookup_fn fn;
	bool (*there)(void);
} kinds[] = {
#ifdef RTE_ARCH_X86_64
	{"avx512", fib_lookup_avx512, cpu_has_avx512},
	{"avx2", fib_lookup_avx2, cpu_has_avx2},
#endif
	{"portable", fib_lookup_portable, cpu_any},
};

static const struct kind *chosen;
static lookup_fn lookup = fib_lookup_portable;

const char *fib_lookup_name(unsigned int i)
{
	return i < RTE_DIM(kinds) ? kinds[i].name : NULL;
}

const char *fib_lookup_chosen(void)
{
	return chosen ? chosen->name : "portable";
}

static void choose(const struct kind *k)
{
	chosen = k;
	__atomic_store_n(&lookup, k->fn, __ATOMIC_RELAXED);
}

int fib_lookup_choose(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(kinds); i++) {
		if (strcmp(kinds[i].name, name))
			continue;
		if (!kinds[i].there())
			return -ENOTSUP;
		choose(&kinds[i]);
		return 0;
	}
	return -EINVAL;
}

/* ---- the trial ---- */

/* Cycles of the TSC for bursts in a table that the first-level cache holds. */
static uint64_t trial(const struct kind *k, const uint32_t *addrs)
{
	static const uint16_t slots[TRIAL_SLOTS + 1];
	const struct fib_view view = {.slots = slots, .fallback = 1};
	uint16_t indexes[FIB_LOOKUP_BURST];
	uint64_t start = rte_rdtsc();

	for (unsigned int i = 0; i < TRIAL_BURSTS; i++)
		k->fn(&view, addrs, indexes, FIB_LOOKUP_BURST);
	return rte_rdtsc() - start;
}

/* The shortest of several rounds counts: what else the machine does only makes them longer. */
void fib_lookup_init(void)
{
	uint64_t least[RTE_DIM(kinds)];
	uint32_t addrs[FIB_LOOKUP_BURST];
	unsigned int best = RTE_DIM(kinds) - 1;

	if (chosen)
		return;
	for (unsigned int i = 0; i < FIB_LOOKUP_BURST; i++)
		addrs[i] = (i * 0x9e3779b1u) % (TRIAL_SLOTS << 8);
	memset(least, 0xff, sizeof(least));
	for (unsigned int round = 0; round < TRIAL_ROUNDS; round++)
		for (unsigned int i = 0; i < RTE_DIM(kinds); i++)
			if (kinds[i].there())
				least[i] = RTE_MIN(least[i], trial(&kinds[i], addrs));
	for (unsigned int i = 0; i < RTE_DIM(kinds); i++)
		if (least[i] < least[best])
			best = i;
	choose(&kinds[best]);
}

/* ---- bursts of any size ---- */

/* What is left of a burst, with its first address again and again up to a whole number. */
static void lookup_rest(const struct fib_view *view, lookup_fn fn, const uint32_t *addrs,
			uint16_t *indexes, unsigned int n)
{
	uint32_t padded[PAD];
	uint16_t answers[PAD];

	for (unsigned int i = 0; i < PAD; i++)
		padded[i] = addrs[i < n ? i : 0];
	fn(view, padded, answers, PAD);
	memcpy(indexes, answers, n * sizeof(*indexes));
}

void fib_lookup_bulk(const struct fib *fib, const uint32_t *addrs, uint16_t *indexes,
		     unsigned int n)
{
	const struct fib_view *view = fib_view(fib);
	lookup_fn fn = __atomic_load_n(&lookup, __ATOMIC_RELAXED);
	unsigned int part;

	for (; n >= PAD; n -= part, addrs += part, indexes += part) {
		part = RTE_MIN(RTE_ALIGN_FLOOR(n, PAD), FIB_LOOKUP_BURST);
		fn(view, addrs, indexes, part);
	}
	if (n)
		lookup_rest(view, fn, addrs, indexes, n);
}
