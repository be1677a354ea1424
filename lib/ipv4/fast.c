/* SPDX-License-Identifier: BSD-3-Clause */
/* The choice of the fast path's vectors; see fast.h. */
#include "ipv4/fast.h"

#include <rte_byteorder.h>

#include "core/cpu.h"
#include "core/sysctl.h"
#include "ipv4/fast_nexthop.h"
#include "ipv4/ipv4.h"

/* The best first. */
static const struct {
	unsigned int lanes;
	eth_burst_fn fn;
	bool (*there)(void);
} kinds[] = {
#ifdef RTE_ARCH_X86_64
	{16, ip_fast_avx512, cpu_has_avx512},
	{8, ip_fast_avx2, cpu_has_avx2},
#endif
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	{4, ip_fast_portable, cpu_any},
#endif
	{0, eth_input, cpu_any},
};

static int32_t lanes;

/* Workers read the handler for every burst; one store changes it. */
static void on_lanes(struct sysctl *s, int32_t old)
{
	unsigned int i = 0;

	while (kinds[i].lanes > (unsigned int)lanes || !kinds[i].there())
		i++;
	__atomic_store_n(&eth_burst_handler, kinds[i].fn, __ATOMIC_RELAXED);
}

int ip_fast_init(void)
{
	const struct sysctl setting = {
		.name = "net.millrace.fast_path_lanes", .value = &lanes, .min = 0, .max = 16,
		.preset = ip_fast_path ? 16 : 0, .changed = on_lanes,
		.help = "packets at a time on the fast path, at most and as far as the CPU goes "
			"(16, 8, 4); 0: all take the general path",
	};
	int rc = sysctl_register(&setting);

	if (rc)
		return rc;
	rc = fast_nexthop_init();
	if (!rc)
		on_lanes(NULL, 0);
	return rc;
}

void ip_fast_fini(void)
{
	eth_burst_handler = eth_input;
	fast_nexthop_fini();
}
