/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `log` says of a packet. A worker copies its beginning into a buffer and sends that to the
 * control thread, which writes the line, in the words of Linux's nf_log_syslog. So that rules that
 * log do not keep the control thread from its work, so many lines a second and no more; what is too
 * much is not written, and what there is no buffer or room in the ring for neither.
 */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include <netinet/in.h>

#include "core/log.h"
#include "core/message.h"
#include "core/sysctl.h"
#include "ipv4/filter_table.h"
#include "ipv4/internal.h"

#define COPY_BYTES 68          /* the longest IP header, and ports */
#define POINT_BITS 3           /* of message.arg; the rest is the rule's handle */

static int32_t lines_per_second;
static int64_t base_ns;

/* ---- workers ---- */

static bool allowed(struct worker *w)
{
	int32_t rate = __atomic_load_n(&lines_per_second, __ATOMIC_RELAXED);

	return rate && filter_bucket_take(&base_ns, (int64_t)NSEC_PER_SEC / rate,
					  (int64_t)NSEC_PER_SEC, (int64_t)w->now_ns);
}

void filter_log(struct worker *w, const struct rte_mbuf *m, enum hook_point point,
		uint32_t handle)
{
	struct message msg = {.kind = MSG_FILTER_LOG, .arg = handle << POINT_BITS | point};

	if (!allowed(w))
		return;
	msg.mbuf = rte_pktmbuf_copy(m, packet_pool(w->socket), 0, COPY_BYTES);
	if (!msg.mbuf)
		return;
	*packet_of(msg.mbuf) = *packet_of(m);
	if (!message_to_control(w, &msg))
		rte_pktmbuf_free(msg.mbuf);
}

/* ---- control thread ---- */

struct line {
	char text[512];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len = RTE_MIN(l->len + (size_t)n, sizeof(l->text) - 1);
}

static void put_address(struct line *l, const char *before, rte_be32_t addr)
{
	const uint8_t *b = (const uint8_t *)&addr;

	put(l, "%s%u.%u.%u.%u", before, b[0], b[1], b[2], b[3]);
}

static const char *name_of(unsigned int link, bool there)
{
	const struct link *l = there ? link_get(link) : NULL;

	return l ? l->name : "";
}

static void put_links(struct line *l, const struct packet *p, enum hook_point point)
{
	bool in = point != HOOK_OUTPUT && !(p->flags & PACKET_F_LOCAL);
	bool out = point != HOOK_PREROUTING && point != HOOK_INPUT;

	put(l, "IN=%s OUT=%s", name_of(p->link, in), name_of(p->out_link, out));
}

static void put_fragment(struct line *l, rte_be16_t word)
{
	if (word & FRAG_DF)
		put(l, " DF");
	if (word & FRAG_MF)
		put(l, " MF");
	if (word & FRAG_OFFSET)
		put(l, " FRAG:%u", rte_be_to_cpu_16(word & FRAG_OFFSET));
}

static void put_transport(struct line *l, const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	static const char *const names[256] = {
		[IPPROTO_ICMP] = "ICMP", [IPPROTO_TCP] = "TCP", [IPPROTO_UDP] = "UDP",
	};
	uint32_t header = rte_ipv4_hdr_len(ip);
	uint8_t b[4];

	if (!names[ip->next_proto_id]) {
		put(l, " PROTO=%u", ip->next_proto_id);
		return;
	}
	put(l, " PROTO=%s", names[ip->next_proto_id]);
	if ((ip->fragment_offset & FRAG_OFFSET) || m->pkt_len < header + sizeof(b))
		return;
	packet_read(m, header, sizeof(b), b);
	if (ip->next_proto_id == IPPROTO_ICMP)
		put(l, " TYPE=%u CODE=%u", b[0], b[1]);
	else
		put(l, " SPT=%u DPT=%u", b[0] << 8 | b[1], b[2] << 8 | b[3]);
}

static void write_line(unsigned int worker, const struct message *msg)
{
	enum hook_point point = msg->arg & ((1u << POINT_BITS) - 1);
	const struct rte_ipv4_hdr *ip = packet_ip(msg->mbuf);
	const struct filter_term *log = filter_log_term(point, msg->arg >> POINT_BITS);
	struct line l = {.len = 0};

	put(&l, "%s", log ? log->text : "");
	put_links(&l, packet_of(msg->mbuf), point);
	put_address(&l, " SRC=", ip->src_addr);
	put_address(&l, " DST=", ip->dst_addr);
	put(&l, " LEN=%u TOS=0x%02X PREC=0x%02X TTL=%u ID=%u",
	    rte_be_to_cpu_16(ip->total_length), ip->type_of_service & 0x1e,
	    ip->type_of_service & 0xe0, ip->time_to_live, rte_be_to_cpu_16(ip->packet_id));
	put_fragment(&l, ip->fragment_offset);
	put_transport(&l, msg->mbuf);
	rte_pktmbuf_free(msg->mbuf);
	if (log && log->lo <= LOG_ERR)
		log_error("%s", l.text);
	else
		log_info("%s", l.text);
}

int filter_log_init(void)
{
	const struct sysctl setting = {
		.name = "net.millrace.filter_log_per_second", .value = &lines_per_second,
		.min = 0, .max = 100000, .preset = 50,
		.help = "lines a second that filter rules may log, all together",
	};

	message_on_control(MSG_FILTER_LOG, write_line);
	return sysctl_register(&setting);
}
