/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What differs between the DPDK releases that millrace builds with (22.11 and newer): the only
 * file with version checks.
 */
#ifndef CORE_DPDK_H
#define CORE_DPDK_H

#include <rte_version.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <rte_ethdev.h>

#if RTE_VERSION < RTE_VERSION_NUM(22, 11, 0, 0)
#error "millrace needs DPDK 22.11 or newer"
#endif

/* 23.03 gave the function that adds an unsigned number to a telemetry dictionary a new name. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define dpdk_tel_dict_u64 rte_tel_data_add_dict_uint
#else
#define dpdk_tel_dict_u64 rte_tel_data_add_dict_u64
#endif

/* net_pcap's receive timestamps count microseconds. */
#define DPDK_PCAP_TIMESTAMP_NS 1000

#endif
