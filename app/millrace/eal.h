/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting DPDK's EAL with sensible arguments. */
#ifndef MILLRACE_EAL_H
#define MILLRACE_EAL_H

#include "core/error.h"
#include "options.h"

/* Start the EAL for so many workers as the options say; what the operator gave after -- wins. On
 * error nothing is left behind. */
int eal_start(const struct options *o, struct error *err);
void eal_stop(void);

/* How many lcores but the main one there are, at most max; 0: one lcore serves as both. */
unsigned int eal_worker_lcores(unsigned int *lcores, unsigned int max);

/* Does this lcore share its CPU with another? */
bool eal_shares_cpu(unsigned int lcore);

#endif
