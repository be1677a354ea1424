/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which UDP ports have a service. A pointer a port: memory that nobody touches costs nothing, and a
 * datagram finds its service in one step.
 */
#include <errno.h>

#include "ipv4/internal.h"

#define PORTS 65536

static udp_port_fn ports[PORTS];

int udp_port_register(uint16_t port, udp_port_fn fn)
{
	if (ports[port])
		return -EADDRINUSE;
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
