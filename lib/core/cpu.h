/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which vectors the CPU has, for those who choose between versions of a function at run time. The
 * versions lie in files of their own, compiled for what these say is there.
 */
#ifndef CORE_CPU_H
#define CORE_CPU_H

#include <stdbool.h>

#include <rte_cpuflags.h>

/* For the version that any CPU can run. */
static inline bool cpu_any(void)
{
	return true;
}

#ifdef RTE_ARCH_X86_64
static inline bool cpu_has_avx512(void)
{
	return rte_cpu_get_flag_enabled(RTE_CPUFLAG_BMI2) > 0 &&
	       rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512F) > 0 &&
	       rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512BW) > 0 &&
	       rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512VL) > 0 &&
	       rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512DQ) > 0;
}

static inline bool cpu_has_avx2(void)
{
	return rte_cpu_get_flag_enabled(RTE_CPUFLAG_BMI2) > 0 &&
	       rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) > 0;
}
#endif

#endif
