/* SPDX-License-Identifier: BSD-3-Clause */
/* The router's numbers on DPDK's telemetry socket: /millrace/nstat, /millrace/drops and
 * /millrace/worker, for dpdk-telemetry.py and what reads it. */
#ifndef CONTROL_TELEMETRY_H
#define CONTROL_TELEMETRY_H

/* Once, after the workers were made. Returns 0 or a negative errno. */
int telemetry_init(void);

/* Before workers go: DPDK's thread lives on, but finds nothing here any more. */
void telemetry_fini(void);

#endif
