/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters; see counters.h. */
#include "core/counters.h"

#include <errno.h>

#include <rte_malloc.h>

#include "core/worker.h"

struct counters *control_counters;

static const char *const names[] = {
#define X(name, text) text,
	COUNTERS(X)
#undef X
};

const char *counter_name(enum counter c)
{
	return names[c];
}

int counters_init(void)
{
	if (!control_counters)
		control_counters = rte_zmalloc("counters", sizeof(*control_counters),
					       RTE_CACHE_LINE_SIZE);
	return control_counters ? 0 : -ENOMEM;
}

/* A set is an array of 64-bit numbers, whatever they are called. */
static void add(struct counters *sum, const struct counters *one)
{
	const uint64_t *from = (const uint64_t *)one;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* As in Linux, the counters of ICMP by kind are those by type under another name. */
static void icmp_by_kind(struct counters *sum)
{
	static const struct {
		uint8_t type;
		enum counter in, out;
	} kinds[] = {
		{0, CNT_ICMP_INECHOREPS, CNT_ICMP_OUTECHOREPS},
		{3, CNT_ICMP_INDESTUNREACHS, CNT_ICMP_OUTDESTUNREACHS},
		{4, CNT_ICMP_INSRCQUENCHS, CNT_ICMP_OUTSRCQUENCHS},
		{5, CNT_ICMP_INREDIRECTS, CNT_ICMP_OUTREDIRECTS},
		{8, CNT_ICMP_INECHOS, CNT_ICMP_OUTECHOS},
		{11, CNT_ICMP_INTIMEEXCDS, CNT_ICMP_OUTTIMEEXCDS},
		{12, CNT_ICMP_INPARMPROBS, CNT_ICMP_OUTPARMPROBS},
		{13, CNT_ICMP_INTIMESTAMPS, CNT_ICMP_OUTTIMESTAMPS},
		{14, CNT_ICMP_INTIMESTAMPREPS, CNT_ICMP_OUTTIMESTAMPREPS},
		{17, CNT_ICMP_INADDRMASKS, CNT_ICMP_OUTADDRMASKS},
		{18, CNT_ICMP_INADDRMASKREPS, CNT_ICMP_OUTADDRMASKREPS},
	};

	for (size_t i = 0; i < RTE_DIM(kinds); i++) {
		sum->c[kinds[i].in] = sum->icmp_in_type[kinds[i].type];
		sum->c[kinds[i].out] = sum->icmp_out_type[kinds[i].type];
	}
}

void counters_sum(struct counters *sum)
{
	*sum = (struct counters){0};
	if (control_counters)
		add(sum, control_counters);
	for (unsigned int i = 0; i < workers_count; i++)
		add(sum, workers[i]->counters);
	icmp_by_kind(sum);
}
