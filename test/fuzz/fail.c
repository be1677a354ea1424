/* SPDX-License-Identifier: BSD-3-Clause */
/* Telling of a broken invariant; see fail.h. */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NOTES 4
#define NOTE_BYTES 128

static struct note {
	unsigned int link, segments;
	uint32_t length;
	uint16_t kept;
	uint8_t bytes[NOTE_BYTES];
} notes[NOTES];
static unsigned int n_notes;

static void print_bytes(const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		fprintf(stderr, "%s%02x", i % 32 ? "" : "\n    ", bytes[i]);
	fprintf(stderr, "\n");
}

void note_frame(unsigned int link, const struct rte_mbuf *m)
{
	struct note *n = &notes[n_notes++ % NOTES];

	*n = (struct note){.link = link, .segments = m->nb_segs, .length = m->pkt_len};
	for (; m && n->kept < NOTE_BYTES; m = m->next) {
		uint16_t part = RTE_MIN(m->data_len, (uint16_t)(NOTE_BYTES - n->kept));

		memcpy(n->bytes + n->kept, rte_pktmbuf_mtod(m, const void *), part);
		n->kept += part;
	}
}

void note_forget(void)
{
	n_notes = 0;
}

void print_mbuf(const char *what, const struct rte_mbuf *m)
{
	fprintf(stderr, "fuzz: %s: %u bytes in %u segments\n", what, m->pkt_len, m->nb_segs);
	for (unsigned int i = 0; m && i < RTE_MBUF_MAX_NB_SEGS; i++, m = m->next) {
		fprintf(stderr, "  segment of %u bytes at %u of %u, refcnt %u", m->data_len,
			m->data_off, m->buf_len, rte_mbuf_refcnt_read(m));
		print_bytes(rte_pktmbuf_mtod(m, const uint8_t *),
			    RTE_MIN((uint32_t)m->data_len, 256u));
	}
}

void fail(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "fuzz: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	for (unsigned int i = n_notes > NOTES ? n_notes - NOTES : 0; i < n_notes; i++) {
		const struct note *n = &notes[i % NOTES];

		fprintf(stderr, "  came in on link %u: %u bytes in %u segments", n->link, n->length,
			n->segments);
		print_bytes(n->bytes, n->kept);
	}
	abort();
}
