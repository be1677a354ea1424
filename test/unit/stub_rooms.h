/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stand-ins for the rooms core, link, neigh (stub_rooms.c), route (stub_route.c) and ipv4
 * (stub_ipv4.c), for tests of control: they remember what they were told, without devices, timers
 * or memory of DPDK.
 */
#ifndef TEST_STUB_ROOMS_H
#define TEST_STUB_ROOMS_H

/* Forget everything; then lo is there, with 127.0.0.1/8, and the settings of `all`, `default` and
 * lo. */
void stub_reset(void);

/* Of the room alone: parts of it. */
void stub_route_reset(void);
void stub_ipv4_reset(void);

#endif
