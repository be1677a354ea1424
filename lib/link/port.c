/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DPDK device behind a link; see port.h. Devices come by hotplug, whatever their bus. What a
 * device offers is read from it; a profile (driver.h) corrects what it does not say right.
 */
#include "link/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "core/clock.h"
#include "core/dpdk.h"
#include "core/log.h"
#include "link/driver.h"
#include "link/driver_args.h"
#include "link/pcap_file.h"
#include "link/queue.h"
#include "packet/packet.h"

#define RXD_DEFAULT 1024
#define TXD_DEFAULT 1024
#define TX_SEGS_SHARE 4           /* of a transmit queue, for one frame */
#define TX_RING_SIZE 2048
#define DISCARD_BURSTS 1024
#define WHY_BYTES (LOG_LINE_BYTES + 4)

/* " (the driver's own words)", if it had any. */
static const char *cause(char *buf, size_t size)
{
	const char *text = log_cause();

	buf[0] = '\0';
	if (text[0])
		snprintf(buf, size, " (%s)", text);
	return buf;
}

static bool port_taken(uint16_t port)
{
	for (unsigned int i = 1; i < LINKS_MAX; i++)
		if (links[i] && links[i]->port == port)
			return true;
	return false;
}

/* A port of this device that no link has yet. */
static int port_of_device(const char *device, uint16_t *port)
{
	struct rte_eth_dev_info info;
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id) {
		if (port_taken(id) || rte_eth_dev_info_get(id, &info) || !info.device)
			continue;
		if (!strcmp(rte_dev_name(info.device), device)) {
			*port = id;
			return 0;
		}
	}
	return -ENODEV;
}

static int device_probe(struct link *l, struct error *err)
{
	struct rte_devargs da = {0};
	char why[WHY_BYTES], unknown[WHY_BYTES] = "";
	int rc;

	rc = pcap_files_check(l->devargs, err);
	if (rc)
		return rc;
	log_mark();
	if (rte_devargs_parse(&da, l->devargs))
		return error_set(err, EINVAL, "\"%s\" is not a DPDK device string%s", l->devargs,
				 cause(why, sizeof(why)));
	snprintf(l->device, sizeof(l->device), "%s", da.name);
	rte_devargs_reset(&da);
	for (unsigned int i = 1; i < LINKS_MAX; i++)
		if (links[i] && !strcmp(links[i]->device, l->device) &&
		    port_of_device(l->device, &l->port))
			return error_set(err, EBUSY, "device %s is link %s already", l->device,
					 links[i]->name);
	if (!port_of_device(l->device, &l->port))
		return 0;
	rc = rte_dev_probe(l->devargs);
	if (rc && rc != -EEXIST) {
		driver_args_unknown(l->device, l->devargs, unknown, sizeof(unknown));
		return error_set(err, ENODEV, "device \"%s\" can not be opened%s%s", l->devargs,
				 cause(why, sizeof(why)), unknown);
	}
	if (port_of_device(l->device, &l->port))
		return error_set(err, ENODEV, "device \"%s\" has no Ethernet port%s", l->devargs,
				 cause(why, sizeof(why)));
	return 0;
}

static unsigned int rxq_count(const struct link *l, const struct rte_eth_dev_info *info)
{
	unsigned int n = l->asked_rxq;

	if (!n)
		n = l->profile->rxq == RXQ_WORKERS ? workers_count : l->profile->rxq;
	if (l->profile->rxq == RXQ_WORKERS && !l->asked_rxq && !info->flow_type_rss_offloads)
		n = 1;
	return RTE_MIN(n, (unsigned int)info->max_rx_queues);
}

static int queue_counts(struct link *l, const struct rte_eth_dev_info *info, struct error *err)
{
	if (l->asked_rxq > info->max_rx_queues)
		return error_set(err, EINVAL, "rxq %u: %s has %u receive queues at most",
				 l->asked_rxq, l->device, info->max_rx_queues);
	l->n_rxq = (uint16_t)rxq_count(l, info);
	l->n_txq = (uint16_t)RTE_MIN(workers_count, (unsigned int)info->max_tx_queues);
	if (!strcmp(l->driver, "net_tap"))
		l->n_rxq = l->n_txq = RTE_MAX(l->n_rxq, l->n_txq);
	return 0;
}

static bool choose(enum profile_choice choice, bool offered)
{
	return choice == CHOICE_AUTO ? offered : choice == CHOICE_YES;
}

static void offloads_choose(struct link *l, const struct rte_eth_dev_info *info,
			    struct rte_eth_conf *conf)
{
	uint64_t rx = info->rx_offload_capa, tx = info->tx_offload_capa;
	bool chains;

	if (l->profile->rx_checksum != CHOICE_NO && (rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM))
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
	if (rx & RTE_ETH_RX_OFFLOAD_SCATTER)
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	if (clock_mode() == CLOCK_PACKET && (rx & RTE_ETH_RX_OFFLOAD_TIMESTAMP))
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	if (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
		conf->txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	l->trust_checksum = conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
	chains = choose(l->profile->multi_seg, tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	l->tx_segs = chains ? UINT16_MAX : 1;
	l->shared_mbufs = choose(l->profile->shared_mbufs, chains);
	l->rx_offloads = conf->rxmode.offloads;
	l->tx_offloads = conf->txmode.offloads;
}

/* A chain must not be longer than the device takes, nor fill its queue. */
static void tx_segs_bound(struct link *l, const struct rte_eth_dev_info *info)
{
	unsigned int most = l->profile->tx_segs ? l->profile->tx_segs
						: info->tx_desc_lim.nb_mtu_seg_max;

	if (!most || most > l->n_txd / TX_SEGS_SHARE)
		most = l->n_txd / TX_SEGS_SHARE;
	if (l->tx_segs > most)
		l->tx_segs = (uint16_t)RTE_MAX(most, 1u);
}

/* Spread over queues by addresses alone, so that a datagram's fragments stay together. */
static void rss_choose(const struct link *l, const struct rte_eth_dev_info *info,
		       struct rte_eth_conf *conf)
{
	uint64_t hash = info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER |
			 RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP);

	if (l->n_rxq < 2 || !hash)
		return;
	if (info->flow_type_rss_offloads & RTE_ETH_RSS_IPV4)
		hash = RTE_ETH_RSS_IPV4 | (hash & RTE_ETH_RSS_FRAG_IPV4);
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = hash;
}

/* How much a receive buffer must hold: what the argument says that the profile names, 0: any. */
static unsigned int rx_buffer_bytes(const struct link *l)
{
	const char *key = l->profile->rx_buffer_arg;
	const char *at = key[0] ? strstr(l->devargs, key) : NULL;

	return at && at[strlen(key)] == '=' ? (unsigned int)strtoul(at + strlen(key) + 1, NULL, 10)
					    : 0;
}

static int queues_setup(struct link *l, const struct rte_eth_dev_info *info, struct error *err)
{
	struct rte_mempool *pool = packet_pool_holding(l->socket, rx_buffer_bytes(l));
	struct rte_eth_rxconf rxconf = info->default_rxconf;
	struct rte_eth_txconf txconf = info->default_txconf;
	char why[WHY_BYTES];
	int rc;

	if (!pool)
		return error_set(err, ENOMEM,
				 "no buffers of %u bytes for %s (see millrace.mbufs and "
				 "millrace.mbuf_bytes)", rx_buffer_bytes(l), l->device);
	rxconf.offloads = l->rx_offloads & info->rx_queue_offload_capa;
	txconf.offloads = l->tx_offloads & info->tx_queue_offload_capa;
	for (uint16_t q = 0; q < l->n_rxq; q++) {
		rc = rte_eth_rx_queue_setup(l->port, q, l->n_rxd, (unsigned int)l->socket, &rxconf,
					    pool);
		if (rc)
			return error_set(err, -rc, "receive queue %u of %s: %s%s", q, l->device,
					 rte_strerror(-rc), cause(why, sizeof(why)));
	}
	for (uint16_t q = 0; q < l->n_txq; q++) {
		rc = rte_eth_tx_queue_setup(l->port, q, l->n_txd, (unsigned int)l->socket,
					    &txconf);
		if (rc)
			return error_set(err, -rc, "transmit queue %u of %s: %s%s", q, l->device,
					 rte_strerror(-rc), cause(why, sizeof(why)));
	}
	return 0;
}

static uint16_t descriptors(unsigned int asked, unsigned int profile, unsigned int preferred,
			    unsigned int preset)
{
	return (uint16_t)(asked ? asked : profile ? profile : preferred ? preferred : preset);
}

static int port_configure(struct link *l, struct error *err)
{
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;
	char why[WHY_BYTES];
	int rc = rte_eth_dev_info_get(l->port, &info);

	if (rc)
		return error_set(err, -rc, "%s does not say what it is: %s", l->device,
				 rte_strerror(-rc));
	rc = queue_counts(l, &info, err);
	if (rc)
		return rc;
	offloads_choose(l, &info, &conf);
	rss_choose(l, &info, &conf);
	if (l->profile->mtu_max)
		l->mtu_max = (uint16_t)l->profile->mtu_max;
	else
		l->mtu_max = info.max_mtu ? info.max_mtu : RTE_ETHER_MTU;
	rc = rte_eth_dev_configure(l->port, l->n_rxq, l->n_txq, &conf);
	if (rc)
		return error_set(err, -rc, "%s can not be set up with %u receive and %u transmit "
				 "queues: %s%s", l->device, l->n_rxq, l->n_txq, rte_strerror(-rc),
				 cause(why, sizeof(why)));
	l->n_rxd = descriptors(l->asked_rxd, l->profile->rxd, info.default_rxportconf.ring_size,
			       RXD_DEFAULT);
	l->n_txd = descriptors(l->asked_txd, l->profile->txd, info.default_txportconf.ring_size,
			       TXD_DEFAULT);
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(l->port, &l->n_rxd, &l->n_txd);
	if (rc)
		return error_set(err, -rc, "%s: descriptors: %s", l->device, rte_strerror(-rc));
	tx_segs_bound(l, &info);
	return queues_setup(l, &info, err);
}

/* What millrace keeps for the queues. */
static int queues_alloc(struct link *l, struct error *err)
{
	static unsigned int next_worker;
	char name[RTE_RING_NAMESIZE];

	l->rxq = rte_zmalloc("link_rxq", RTE_MAX(l->n_rxq, 1) * sizeof(*l->rxq),
			     RTE_CACHE_LINE_SIZE);
	if (!l->rxq)
		return error_set(err, ENOMEM, "no memory for %u receive queues", l->n_rxq);
	for (uint16_t q = 0; q < l->n_rxq; q++)
		l->rxq[q].worker = (uint16_t)((next_worker + q) % workers_count);
	next_worker += l->n_rxq;
	if (l->n_txq >= workers_count)
		return 0;
	snprintf(name, sizeof(name), "tx_%u_%u", l->id, l->port);
	l->tx_ring = worker_ring_create(name, TX_RING_SIZE, l->socket);
	if (!l->tx_ring)
		return error_set(err, ENOMEM, "no memory for a transmit ring: %s",
				 rte_strerror(rte_errno));
	return 0;
}

/* An input file given in devargs has an end; infinite_rx has none. */
static bool reads_files(const struct link *l)
{
	return l->profile->rx_file && strstr(l->devargs, "rx_pcap=") &&
	       !strstr(l->devargs, "infinite_rx=1");
}

static int port_identify(struct link *l, struct error *err)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(l->port, &info);

	if (rc)
		return error_set(err, -rc, "%s: %s", l->device, rte_strerror(-rc));
	snprintf(l->driver, sizeof(l->driver), "%s", info.driver_name);
	l->socket = rte_eth_dev_socket_id(l->port);
	rte_eth_macaddr_get(l->port, &l->mac);
	l->profile = driver_profile_get(l->driver, err);
	return l->profile ? 0 : -EINVAL;
}

static void device_remove(const struct link *l)
{
	struct rte_eth_dev_info info;
	uint16_t id;

	if (rte_eth_dev_info_get(l->port, &info) || !info.device) {
		rte_eth_dev_close(l->port);
		return;
	}
	rte_eth_dev_close(l->port);
	RTE_ETH_FOREACH_DEV(id) {
		struct rte_eth_dev_info other;

		if (!rte_eth_dev_info_get(id, &other) && other.device == info.device)
			return;
	}
	rte_dev_remove(info.device);
}

int port_open(struct link *l, struct error *err)
{
	uint16_t mtu = RTE_ETHER_MTU;
	int rc = device_probe(l, err);

	if (rc)
		return rc;
	rc = port_identify(l, err);
	if (!rc)
		rc = port_configure(l, err);
	if (!rc)
		rc = queues_alloc(l, err);
	if (rc) {
		port_close(l);
		return rc;
	}
	rte_eth_dev_get_mtu(l->port, &mtu);
	l->mtu = RTE_MIN(mtu, l->mtu_max);
	l->rx_file = reads_files(l);
	if (l->rx_file)
		__atomic_store_n(&link_files_read, true, __ATOMIC_RELAXED);
	port_set_promisc(l, NULL);
	return 0;
}

/* What has come in that no worker took is nobody's; a file waits. */
static void input_discard(const struct link *l)
{
	struct rte_mbuf *m[BURST];
	uint16_t n;

	for (uint16_t q = 0; q < l->n_rxq && !l->rx_file; q++)
		for (unsigned int i = 0; i < DISCARD_BURSTS; i++) {
			n = rte_eth_rx_burst(l->port, q, m, BURST);
			rte_pktmbuf_free_bulk(m, n);
			if (!n)
				break;
		}
}

/* Not each driver frees what lies in its queues: net_ring leaves it there for good. */
static void device_stop(struct link *l)
{
	input_discard(l);
	l->started = false;
	rte_eth_dev_stop(l->port);
}

void port_close(struct link *l)
{
	struct rte_eth_stats stats = {0};

	if (l->started)
		device_stop(l);
	for (uint16_t q = 0; l->rxq && q < l->n_rxq; q++)
		if (l->rxq[q].ahead)
			rte_pktmbuf_free(l->rxq[q].ahead);
	for (struct rte_mbuf *m; l->tx_ring && !rte_ring_dequeue(l->tx_ring, (void **)&m);)
		packet_drop_control(m, DROP_LINK_GONE);
	rte_ring_free(l->tx_ring);
	l->tx_ring = NULL;
	rte_eth_stats_get(l->port, &stats);
	device_remove(l);
	if (stats.opackets && !pcap_files_complete(l->devargs, stats.opackets, stats.obytes))
		link_outputs_lack = true;
}

int port_start(struct link *l, struct error *err)
{
	char why[WHY_BYTES];
	int rc;

	if (l->started) {
		input_discard(l);
		return 0;
	}
	log_mark();
	rc = rte_eth_dev_start(l->port);
	if (rc)
		return error_set(err, -rc, "%s can not be started: %s%s", l->device,
				 rte_strerror(-rc), cause(why, sizeof(why)));
	rte_eth_allmulticast_enable(l->port);
	l->started = true;
	return 0;
}

void port_stop(struct link *l)
{
	if (!l->profile->keep_running)
		device_stop(l);
}

int port_set_mtu(struct link *l, unsigned int mtu, struct error *err)
{
	char why[WHY_BYTES];
	int rc;

	log_mark();
	rc = rte_eth_dev_set_mtu(l->port, (uint16_t)mtu);
	if (rc && rc != -ENOTSUP && !l->profile->soft_mtu)
		return error_set(err, -rc, "%s does not take mtu %u: %s%s", l->device, mtu,
				 rte_strerror(-rc), cause(why, sizeof(why)));
	l->mtu = (uint16_t)mtu;
	return 0;
}

/* A device that refuses gets everything (promiscuous) and eth_input filters. */
int port_set_address(struct link *l, const struct rte_ether_addr *mac, struct error *err)
{
	struct rte_ether_addr copy = *mac;
	uint64_t word = 0;

	if (!rte_is_valid_assigned_ether_addr(mac))
		return error_set(err, EINVAL, "a link's address can not be zero or multicast");
	l->mac_soft = rte_eth_dev_default_mac_addr_set(l->port, &copy) != 0;
	memcpy(&word, mac, sizeof(*mac));
	__atomic_store_n(&l->mac_word, word, __ATOMIC_RELAXED);
	l->mac_set = true;
	return port_set_promisc(l, err);
}

int port_set_promisc(struct link *l, struct error *err)
{
	int rc = l->promisc || l->mac_soft ? rte_eth_promiscuous_enable(l->port)
					   : rte_eth_promiscuous_disable(l->port);

	if (rc && rc != -ENOTSUP)
		return error_set(err, -rc, "%s: promiscuous mode: %s", l->device,
				 rte_strerror(-rc));
	return 0;
}

bool port_carrier(const struct link *l)
{
	struct rte_eth_link state;

	return !rte_eth_link_get_nowait(l->port, &state) &&
	       state.link_status == RTE_ETH_LINK_UP;
}
