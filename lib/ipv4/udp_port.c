/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which UDP ports have a service. A pointer a port: memory that nobody touches costs nothing, and a
 * datagram finds its service in one step. What ip_no_pmtu_disc was when a port was opened stays
 * with it, as with a socket in Linux.
 */
#include <errno.h>

#include "ipv4/internal.h"

#define PORTS 65536

static udp_port_fn ports[PORTS];
static uint8_t pmtudisc[PORTS];              /* enum ip_pmtudisc */

int udp_port_register(uint16_t port, udp_port_fn fn)
{
	if (ports[port])
		return -EADDRINUSE;
	__atomic_store_n(&pmtudisc[port], ip_pmtudisc_preset(), __ATOMIC_RELAXED);
	__atomic_store_n(&ports[port], fn, __ATOMIC_RELEASE);
	return 0;
}

void udp_port_unregister(uint16_t port)
{
	__atomic_store_n(&ports[port], NULL, __ATOMIC_RELAXED);
}

udp_port_fn udp_port_get(rte_be16_t port)
{
	return __atomic_load_n(&ports[rte_be_to_cpu_16(port)], __ATOMIC_ACQUIRE);
}

uint8_t udp_port_pmtudisc(rte_be16_t port)
{
	return __atomic_load_n(&pmtudisc[rte_be_to_cpu_16(port)], __ATOMIC_RELAXED);
}
