/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stand-ins for the rooms link, route and neigh, for tests of control: they remember what they
 * were told, without devices, timers or memory of DPDK.
 */
#ifndef TEST_STUB_ROOMS_H
#define TEST_STUB_ROOMS_H

/* Forget everything; then lo is there, with 127.0.0.1/8, and the settings of `all`, `default` and
 * lo. */
void stub_reset(void);

#endif
