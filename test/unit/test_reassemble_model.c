/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly against a model: rule E written down a second time, a byte at a time and with no
 * regard for speed; and so the order in which timers run out. Fragments at random, one by one and
 * in bursts, on a clock that the test moves.
 */
#include "reassemble_world.h"

#include <string.h>

#include "core/clock.h"
#include "ipv4/reassemble_owner.h"
#include "packet/checksum.h"

/* ---- the model ---- */

#define MODEL_PIECES 64

struct model_piece {
	uint32_t start, end, run;
};

struct model_queue {
	bool used;
	struct model_piece piece[MODEL_PIECES];
	uint32_t n, runs, tail_end, tail_run, len, meat, max_size, max_df_size, distance;
	bool first, last;
	uint8_t ecn, first_tos;
	uint64_t expires;            /* jiffies */
	uint64_t slot;               /* how many of them its slot takes */
	unsigned int armed;          /* the higher, the later */
};

struct model {
	struct model_queue q[RANDOM_IDS];
	uint64_t reqds, oks, fails, overlaps, timeouts;
	uint32_t sent;               /* by the only sender */
	unsigned int n_whole, n_told, armed;
	uint16_t told[TOLD_IDS];
};

static struct model model;
static uint32_t max_dist;
static uint32_t timeout_s;

/* How long slots are, and from where on they are longer. */
static const struct {
	uint64_t slot, below;
} model_levels[] = {{1, 63}, {8, 504}, {64, 4032}, {512, 32256}, {4096, 258048}};

/* As on Linux's timer wheel. Where it is already it stays. */
static void model_arm(struct model_queue *q, uint64_t now_ns)
{
	uint64_t length = timeout_s * 250ULL, expires = now_ns / 4000000 + length, slot;
	unsigned int level = 0;

	while (length >= model_levels[level].below)
		level++;
	slot = model_levels[level].slot;
	expires = (expires / slot + 1) * slot;
	if (q->armed && q->expires == expires && q->slot == slot)
		return;
	q->expires = expires;
	q->slot = slot;
	q->armed = ++model.armed;
}

static void model_kill(struct model_queue *q)
{
	model.fails++;
	q->used = false;
}

static bool model_too_far(struct model_queue *q)
{
	uint32_t distance = ++model.sent - q->distance;

	q->distance = model.sent;
	return max_dist && q->n && distance > max_dist;
}

static void model_restart(struct model_queue *q, uint64_t now_ns)
{
	struct model_queue old = *q;

	model.fails++;
	*q = (struct model_queue){.used = true, .max_size = old.max_size,
				  .max_df_size = old.max_df_size, .distance = old.distance,
				  .expires = old.expires, .slot = old.slot, .armed = old.armed};
	model_arm(q, now_ns);
}

static void model_complete(struct model_queue *q)
{
	bool not_ect = q->ecn & 1, others = q->ecn & 0xe;

	q->used = false;
	if ((not_ect && others) || q->len + 20 > 65535) {
		model.fails++;
		return;
	}
	model.oks++;
	model.n_whole++;
}

static uint8_t model_tos(const struct model_queue *q)
{
	bool ce = q->ecn & 8, ect = q->ecn & 6;

	return ce && ect ? q->first_tos | 3 : q->first_tos;
}

/* True: it fits where it is. */
static bool model_place(struct model_queue *q, uint32_t start, uint32_t end)
{
	uint32_t run = q->runs;

	if (q->n && end > q->tail_end) {
		if (start < q->tail_end) {
			model.overlaps++;
			model_kill(q);
			return false;
		}
		if (start == q->tail_end)
			run = q->tail_run;
	} else if (q->n) {
		for (uint32_t i = 0; i < q->n; i++) {
			uint32_t lo = UINT32_MAX, hi = 0;

			if (end <= q->piece[i].start || start >= q->piece[i].end)
				continue;
			for (uint32_t k = 0; k < q->n; k++)
				if (q->piece[k].run == q->piece[i].run) {
					lo = RTE_MIN(lo, q->piece[k].start);
					hi = RTE_MAX(hi, q->piece[k].end);
				}
			if (start >= lo && end <= hi)
				return false;
			model.overlaps++;
			model_kill(q);
			return false;
		}
	}
	if (!q->n || end > q->tail_end) {
		q->tail_end = end;
		q->tail_run = run;
	}
	q->runs += run == q->runs;
	assert_true(q->n < MODEL_PIECES);
	q->piece[q->n++] = (struct model_piece){start, end, run};
	return true;
}

static void model_input(const struct frag *f, uint64_t now_ns)
{
	struct model_queue *q = &model.q[f->id];
	uint32_t end = f->offset + f->bytes;
	bool more = f->flags & RTE_IPV4_HDR_MF_FLAG;

	model.reqds++;
	if (!q->used) {
		*q = (struct model_queue){.used = true};
		model_arm(q, now_ns);
	}
	if (model_too_far(q))
		model_restart(q, now_ns);
	if (more)
		end &= ~7u;
	if (more ? end > q->len && q->last : end < q->len || (q->last && end != q->len)) {
		model_kill(q);
		return;
	}
	q->last |= !more;
	q->len = more ? RTE_MAX(q->len, end) : end;
	if (end == f->offset) {
		model_kill(q);
		return;
	}
	if (!model_place(q, f->offset, end))
		return;
	q->meat += end - f->offset;
	q->ecn |= (uint8_t)(1 << (f->tos & 3));
	q->max_size = RTE_MAX(q->max_size, end - f->offset + 20);
	if (f->flags & RTE_IPV4_HDR_DF_FLAG)
		q->max_df_size = RTE_MAX(q->max_df_size, end - f->offset + 20);
	if (f->offset == 0) {
		q->first = true;
		q->first_tos = f->tos;
	}
	if (q->first && q->last && q->meat == q->len)
		model_complete(q);
}

/* Does it expire earlier than another? Together: that of the longer slot, or the younger. */
static bool model_before(const struct model_queue *q, const struct model_queue *other)
{
	if (q->expires != other->expires)
		return q->expires < other->expires;
	return q->slot != other->slot ? q->slot > other->slot : q->armed > other->armed;
}

static struct model_queue *model_next(uint64_t now_ns)
{
	struct model_queue *next = NULL;

	for (unsigned int i = 0; i < RANDOM_IDS; i++) {
		struct model_queue *q = &model.q[i];

		if (q->used && q->expires * 4000000 <= now_ns && (!next || model_before(q, next)))
			next = q;
	}
	return next;
}

static void model_expire(uint64_t now_ns)
{
	struct model_queue *q;

	while ((q = model_next(now_ns))) {
		model.timeouts++;
		if (q->first)
			model.told[model.n_told++ % TOLD_IDS] = (uint16_t)(q - model.q);
		model_kill(q);
	}
}

/* Let some time pass, mostly a few jiffies, and now and then change the setting. */
static void time_passes(void)
{
	static const uint32_t lengths[] = {0, 1, 2, 3, 16, 17, 30, 130, 1000};

	clock_set(clock_now_ns() + (chance(3) ? chance(60) * NSEC_PER_MSEC
					      : chance(25) * NSEC_PER_SEC));
	if (chance(20) == 0) {
		timeout_s = lengths[chance(RTE_DIM(lengths))];
		set("net.ipv4.ipfrag_time", timeout_s);
	}
}

/* ---- comparison ---- */

static void compare_counters(void)
{
	const struct counters *c = counters_of(0);

	assert_int_equal(c->c[CNT_IP_REASMREQDS], model.reqds);
	assert_int_equal(c->c[CNT_IP_REASMOKS], model.oks);
	assert_int_equal(c->c[CNT_IP_REASMFAILS], model.fails);
	assert_int_equal(c->c[CNT_IP_REASMTIMEOUT], model.timeouts);
	assert_int_equal(c->c[CNT_IPEXT_REASMOVERLAPS], model.overlaps);
	assert_int_equal(whole.n, model.n_whole);
	assert_int_equal(told.n, model.n_told);
	assert_memory_equal(told.ids, model.told, sizeof(told.ids));
}

/* The latest datagram against the queue that the model made it of. */
static void compare_whole(const struct model_queue *q, uint16_t id)
{
	const struct rte_ipv4_hdr *ip = (const void *)whole.data;
	bool df = q->max_size == q->max_df_size;

	assert_int_equal(whole.len, q->len + 20);
	assert_int_equal(rte_be_to_cpu_16(ip->total_length), whole.len);
	assert_int_equal(ip->packet_id, id);
	assert_int_equal(ip->type_of_service, model_tos(q));
	assert_int_equal(ip->fragment_offset, df ? FRAG_DF : 0);
	assert_int_equal(whole.pmtu, df);
	assert_int_equal(whole.max_size, q->max_size);
	assert_true(checksum_header_good(ip, 5));
	assert_memory_equal(whole.data + 20, pattern, q->len);
}

/* ---- tests ---- */

static void start_both(void)
{
	start(1);
	memset(&model, 0, sizeof(model));
	max_dist = 64;
	timeout_s = 30;
}

/* In parts, in order or not. Returns how many. */
static unsigned int random_datagram(struct frag *f)
{
	uint16_t id = (uint16_t)chance(random_ids);
	uint32_t all = 8 * (2 + chance(40)) - chance(8), at = 0;
	unsigned int n = 0;

	while (at < all) {
		uint32_t bytes = RTE_MIN(all - at, 8 * (1 + chance(6)));

		f[n++] = (struct frag){.id = id, .offset = at, .bytes = bytes, .tos = 2,
				       .flags = at + bytes < all ? RTE_IPV4_HDR_MF_FLAG : 0};
		at += bytes;
	}
	if (chance(3) == 0)
		shuffle(f, n);
	return n;
}

static void one_by_one(void **state)
{
	struct frag f[64];
	struct worker *w;

	start_both();
	w = workers[0];
	for (unsigned int round = 0; round < 100000; round++) {
		unsigned int n = 1;

		f[0] = random_frag();
		if (chance(4) == 0)
			n = random_datagram(f);
		for (unsigned int i = 0; i < n; i++) {
			unsigned int before = whole.n;

			input(w, &f[i]);
			model_input(&f[i], w->now_ns);
			compare_counters();
			if (whole.n > before)
				compare_whole(&model.q[f[i].id], f[i].id);
		}
		if (chance(10) == 0)
			time_passes();
		ticks(1);
		model_expire(w->now_ns);
		compare_counters();
		if (round % 1000 == 0)
			balance();
	}
	assert_true(model.oks > 1000 && model.overlaps > 1000 && model.timeouts > 100);
	stop();
}

/* As ip_rcv() does it, so that whole datagrams in one burst take the short way. */
static void bursts(unsigned int oks, unsigned int fails)
{
	struct frag f[FRAG_BURST + 64];
	struct worker *w;

	start_both();
	w = workers[0];
	set("net.ipv4.ipfrag_max_dist", 20);
	max_dist = 20;
	for (unsigned int round = 0; round < 50000; round++) {
		unsigned int n = 0, size = 1 + chance(FRAG_BURST);

		while (n < size) {
			if (chance(2))
				n += random_datagram(&f[n]);
			else
				f[n++] = random_frag();
		}
		ticks(1);
		model_expire(w->now_ns);
		for (unsigned int i = 0; i < size; i++) {
			ip_defrag_collect(w, frag_make(w, &f[i]));
			model_input(&f[i], w->now_ns);
		}
		ip_defrag_run(w);
		compare_counters();
		if (chance(10) == 0)
			time_passes();
		if (round % 1000 == 0) {
			ticks(1);
			model_expire(w->now_ns);
			balance();
		}
	}
	assert_true(model.oks > oks && model.fails > fails);
	stop();
}

static void in_bursts(void **state)
{
	bursts(10000, 1000);
}

/* So many datagrams that it is guessed for the whole burst which they are, though some of them end
 * and others take their places within it. */
static void in_bursts_of_many(void **state)
{
	random_ids = RANDOM_IDS;
	bursts(10000, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_by_one),
		cmocka_unit_test(in_bursts),
		cmocka_unit_test(in_bursts_of_many),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
