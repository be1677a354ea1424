/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments put together before they are routed, so that later hooks see whole datagrams: a hook at
 * -400 of PREROUTING and OUTPUT, as Linux has it while connections are tracked (nf_defrag_ipv4).
 * Rule K. A fragment is stolen; the one that completes its datagram lets that go on, on the worker
 * that collects it, as what had just come in. It may be cut in spite of DF (ignore_df), and is
 * always cut again where it leaves (ip_fragment(): frag_max_size).
 */
#include "ipv4/hook_defrag.h"

#include "core/sysctl.h"
#include "ipv4/internal.h"
#include "ipv4/reassemble.h"

static int32_t enabled;

/* What comes back through lo has been seen before, but may have been cut since. */
static enum hook_verdict defrag_hook(struct worker *w, struct rte_mbuf *m, enum hook_point point,
				     void *arg)
{
	if (likely(!ip_is_fragment(packet_ip(m))))
		return HOOK_ACCEPT;
	ip_defrag(w, m, point == HOOK_OUTPUT ? DEFRAG_CONNTRACK_OUT : DEFRAG_CONNTRACK_IN);
	return HOOK_STOLEN;
}

static void done_in(struct worker *w, struct rte_mbuf *m)
{
	packet_of(m)->flags |= PACKET_F_IGNORE_DF;
	hook_resume(w, m, HOOK_PREROUTING, HOOK_PRI_CONNTRACK_DEFRAG);
}

static void done_out(struct worker *w, struct rte_mbuf *m)
{
	packet_of(m)->flags |= PACKET_F_IGNORE_DF;
	hook_resume(w, m, HOOK_OUTPUT, HOOK_PRI_CONNTRACK_DEFRAG);
}

static int register_at(enum hook_point point)
{
	return hook_register(point, HOOK_PRI_CONNTRACK_DEFRAG, "defrag", defrag_hook, NULL);
}

/* Where there is no memory for it the setting goes back to 0. */
static void on_enabled(struct sysctl *s, int32_t old)
{
	if (enabled == old)
		return;
	if (enabled && !register_at(HOOK_PREROUTING) && !register_at(HOOK_OUTPUT))
		return;
	enabled = 0;
	hook_unregister(HOOK_PREROUTING, defrag_hook, NULL);
	hook_unregister(HOOK_OUTPUT, defrag_hook, NULL);
}

int hook_defrag_init(void)
{
	const struct sysctl setting = {
		.name = "net.millrace.defrag", .value = &enabled, .min = 0, .max = 1,
		.changed = on_enabled,
		.help = "put fragments together before they are routed, and cut them again where "
			"they leave, as Linux does while it tracks connections",
	};

	defrag_register(DEFRAG_CONNTRACK_IN, done_in);
	defrag_register(DEFRAG_CONNTRACK_OUT, done_out);
	return sysctl_register(&setting);
}
