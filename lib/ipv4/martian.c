/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What log_martians says of packets with addresses that they can not have. A worker tells the
 * control thread, which writes the line, in Linux's words. As with Linux's net_ratelimit() ten
 * may come at once and two a second follow, of all workers together; the rest is only counted.
 */
#include "core/log.h"
#include "core/message.h"
#include "ipv4/filter_table.h"
#include "ipv4/internal.h"

#define LINE_NS (NSEC_PER_SEC / 2)
#define LINES_AT_ONCE 10

static int64_t base_ns;

__rte_noinline void martian_log(struct worker *w, const struct link *l, const struct rte_mbuf *m,
				enum drop_reason reason)
{
	const struct message msg = {.kind = MSG_MARTIAN, .link = l->id, .arg = reason,
				    .addr = packet_ip(m)->dst_addr,
				    .src = packet_ip(m)->src_addr};

	if (reason != DROP_IP_NOT_JOINED &&
	    filter_bucket_take(&base_ns, LINE_NS, LINES_AT_ONCE * LINE_NS, (int64_t)w->now_ns))
		message_to_control(w, &msg);
}

/* Of the two addresses the one that is wrong. */
static const char *kind_of(const struct message *msg)
{
	if (msg->arg == DROP_IP_INVALID_DEST ||
	    (msg->arg == DROP_IP_LOCALNET && ip_is_loopback(msg->addr)))
		return "destination";
	return "source";
}

static void write_line(unsigned int worker, const struct message *msg)
{
	const uint8_t *dst = (const uint8_t *)&msg->addr, *src = (const uint8_t *)&msg->src;
	const struct link *l = link_get(msg->link);

	log_info("martian %s %u.%u.%u.%u from %u.%u.%u.%u, on dev %s: %s", kind_of(msg), dst[0],
		 dst[1], dst[2], dst[3], src[0], src[1], src[2], src[3], l ? l->name : "?",
		 drop_text((enum drop_reason)msg->arg));
}

int martian_init(void)
{
	message_on_control(MSG_MARTIAN, write_line);
	return 0;
}
