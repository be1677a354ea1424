/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What reassembly does besides putting fragments together: limits, timers, fragments that other
 * workers have received, figures, settings.
 *
 * Two limits hold what fragments may occupy. net.ipv4.ipfrag_high_thresh is Linux's: it counts
 * what Linux would need for them (200 bytes for a datagram and packet_truesize() for a fragment;
 * both were found out on a running kernel), and above it every fragment is dropped, also of
 * datagrams that are half there. net.millrace.ipfrag_mbufs_max is our own and counts the mbufs
 * that are really held, so that receive queues never run dry. Both are limits on all workers
 * together. Where there are several, they keep a sum of what all of them hold, one word, to which
 * each adds its own changes after every burst, and takes from it what the others have.
 *
 * Where there are several workers, a datagram's fragments may come in on any of them; one collects
 * them (reassemble_owner.h), and the others hand theirs over through its ring. It takes them before
 * any fragment that it has received itself later.
 *
 * A third limit is on time: a fragment that attacks is several times the work of a packet that is
 * forwarded. While a worker can not keep up with what it receives, something is lost anyway; that
 * is not to be what fragments have kept it from, so it takes no more than
 * net.millrace.ipfrag_overload_rate of them a second.
 *
 * Timers run out in the order of Linux's (reassemble_wheel.h), and then do what its ip_expire does
 * (rule E).
 */
#include "ipv4/reassemble_worker.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>

#include <rte_errno.h>
#include <rte_malloc.h>

#include "core/clock.h"
#include "core/dpdk.h"
#include "core/message.h"
#include "core/sysctl.h"
#include "ipv4/reassemble_runs.h"
#include "packet/truesize.h"

#define RING_SIZE 8192         /* what comes in while a worker is kept from working for a while */
#define RING_SHARE 2           /* the part of all mbufs that one ring may hold */
#define RING_TURN 256          /* fragments taken from the ring in one turn of the loop */
#define EXPIRE_TURN 32         /* timers */
#define BURY_TURN 512          /* so many more mbufs freed than have come in */
#define BURY_MORE 16           /* the same where that is enough */
#define OLDEST_EVERY_NS NSEC_PER_MSEC
#define CROWDED 4              /* the part of a limit from which on files are read in rounds */
#define ROUNDS_AHEAD 2         /* of other workers */
#define CREDIT_NS ((int64_t)NSEC_PER_SEC / 4)
#define CREDIT_AGAIN_NS (CREDIT_NS / 10)     /* from which on some are taken again */
#define DEBT_NS (int64_t)NSEC_PER_SEC        /* no more is owed, or it would be for too long */
#define CREDIT_TURN_NS (10 * NSEC_PER_MSEC)  /* who took longer was kept from its CPU */
#define ALONE 100              /* so many times all else: fragments are what there is to do */

static struct {
	uint64_t high_thresh, low_thresh;
	int32_t time_s, max_dist, secret_interval, mbufs_max, overload_rate;
} settings;

static struct siphash_key secret;

uint32_t frag_owners[FRAG_OWNERS];

/* What all workers hold, and what is on its way between them: charged bytes in the upper bits,
 * mbufs in the lower ones; these can be less than 0 for a moment, when a fragment has been taken
 * before it is known to have been handed over. */
#define HELD_MBUFS_BITS 24
static uint64_t held_by_all __rte_cache_aligned;

_Static_assert(WORKERS_MAX * 2 * FRAG_MBUFS_MAX < 1 << (HELD_MBUFS_BITS - 1),
	       "twice what workers may hold");

static int64_t held_mbufs(uint64_t held)
{
	return (int64_t)(held << (64 - HELD_MBUFS_BITS)) >> (64 - HELD_MBUFS_BITS);
}

static int64_t held_bytes(uint64_t held)
{
	return (int64_t)(held - (uint64_t)held_mbufs(held)) >> HELD_MBUFS_BITS;
}

/* ---- limits ---- */

uint64_t defrag_bytes_max(void)
{
	return __atomic_load_n(&settings.high_thresh, __ATOMIC_RELAXED);
}

uint64_t defrag_mbufs_max(void)
{
	uint64_t max = (uint64_t)__atomic_load_n(&settings.mbufs_max, __ATOMIC_RELAXED);

	if (!max)
		max = packet_pool_share();
	return max ? RTE_MIN(max, (uint64_t)FRAG_MBUFS_MAX) : FRAG_MBUFS_MAX;
}

void defrag_settle(struct defrag *d)
{
	uint64_t now = ((uint64_t)d->t.bytes << HELD_MBUFS_BITS) + d->t.segs +
		       (uint64_t)(int32_t)d->under_way;

	if (now == d->settled)
		return;
	__atomic_fetch_add(&held_by_all, now - d->settled, __ATOMIC_RELAXED);
	d->settled = now;
}

void defrag_limits_read(struct worker *w, struct defrag *d)
{
	int64_t high = (int64_t)defrag_bytes_max(), mbufs = (int64_t)defrag_mbufs_max();

	d->limits_old = false;
	if (d->ring) {
		uint64_t others;

		d->ring_room = RTE_MAX((uint32_t)mbufs / RING_SHARE, 1u);
		defrag_settle(d);
		others = __atomic_load_n(&held_by_all, __ATOMIC_RELAXED) -
			 ((uint64_t)d->t.bytes << HELD_MBUFS_BITS) - d->t.segs;
		mbufs -= RTE_MAX(held_mbufs(others), (int64_t)0);
		high -= RTE_MAX(held_bytes(others), (int64_t)0);
	}
	/* 0 means none, though nothing is held */
	d->bytes_room = high > 0 ? high : -1;
	d->mbufs_room = mbufs;
	d->max_dist = (uint32_t)__atomic_load_n(&settings.max_dist, __ATOMIC_RELAXED);
	/* less than nothing is as good as nothing, in Linux, too */
	d->timeout = (uint32_t)RTE_MAX(__atomic_load_n(&settings.time_s, __ATOMIC_RELAXED), 0) *
		     (uint32_t)JIFFIES_PER_SEC;
}

/* ---- other workers ---- */

bool defrag_hand_over(struct defrag *d, unsigned int owner, struct rte_mbuf *m,
		      enum defrag_user user)
{
	struct rte_ring *ring = workers[owner]->ip->defrag->ring;
	uint16_t segs = m->nb_segs;

	packet_of(m)->frag_header = user;
	if ((int64_t)d->t.segs + segs > d->mbufs_room || worker_ring_count(ring) >= d->ring_room ||
	    rte_ring_enqueue(ring, m))
		return false;
	d->under_way += segs;
	__atomic_store_n(&d->info.handed_over, d->info.handed_over + 1, __ATOMIC_RELAXED);
	return true;
}

unsigned int defrag_ring_input(struct worker *w, struct defrag *d)
{
	struct rte_mbuf *m[FRAG_BURST];
	uint32_t entry[FRAG_BURST];
	struct frag_burst b = {.n = 0};
	unsigned int n, sum = 0;

	do {
		n = rte_ring_sc_dequeue_burst(d->ring, (void **)m, FRAG_BURST, NULL);
		for (unsigned int i = 0; i < n; i++) {
			enum defrag_user user = packet_of(m[i])->frag_header;

			d->under_way -= m[i]->nb_segs;
			frag_burst_add(&b, m[i], user);
			entry[i] = frag_owner_entry(&d->t, b.addrs[b.n - 1]);
			if (i + 1 == n || packet_of(m[i + 1])->frag_header != user)
				defrag_input(w, d, &b, user);
		}
		for (unsigned int i = 0; i < n; i++)
			frag_owner_give_back(entry[i]);
		sum += n;
	} while (n == FRAG_BURST && sum < RING_TURN);
	d->overload.handed += sum;
	return sum;
}

/* ---- capture files ---- */

/* Do fragments hold much of what they may? most: mbufs, if they are small. */
static bool crowded(uint64_t held, int64_t most)
{
	return held_mbufs(held) > most / CROWDED ||
	       held_bytes(held) > (int64_t)defrag_bytes_max() / CROWDED;
}

/* While a worker is kept from its CPU the others would read on in their capture files, and what
 * they find would wait for what that worker has not read yet, until a limit is reached though
 * nothing is missing. A file can wait, as a card can not: where fragments hold much already,
 * workers read in rounds. None is more than a few rounds ahead of others, or reads on while one of
 * them has still to take much that it was handed. */
static void keep_in_step(struct worker *w, struct defrag *d)
{
	uint64_t held = __atomic_load_n(&held_by_all, __ATOMIC_RELAXED);
	int64_t most;

	w->files_wait = false;
	if (!held)
		return;
	most = RTE_MIN((int64_t)defrag_mbufs_max(),
		       (int64_t)(defrag_bytes_max() / packet_truesize(0)));
	if (!crowded(held, most))
		return;
	for (unsigned int i = 0; i < workers_count && !w->files_wait; i++) {
		const struct defrag *other = workers[i]->ip->defrag;

		w->files_wait = __atomic_load_n(&other->round, __ATOMIC_RELAXED) + ROUNDS_AHEAD <
					d->round ||
				worker_ring_count(other->ring) > most / (CROWDED * workers_count);
	}
	if (!w->files_wait)
		__atomic_store_n(&d->round, d->round + 1, __ATOMIC_RELAXED);
}

/* ---- overload ---- */

/* What is taken while the worker is behind costs credit. Without it none is taken, if the worker is
 * behind again, until there is some for a while: so datagrams are taken whole for the most part.
 * Files can wait, and where hardly anything but fragments comes, it would help nobody. */
static void ration(struct worker *w, struct defrag *d)
{
	int64_t rate = __atomic_load_n(&settings.overload_rate, __ATOMIC_RELAXED);
	int64_t fragments = d->overload.came;
	int64_t others = (int64_t)(w->packets - d->overload.packets) + d->overload.handed -
			 fragments;
	int64_t turn_ns = (int64_t)RTE_MIN(w->now_ns - d->overload.turn_ns, CREDIT_TURN_NS);
	int64_t credit_ns = RTE_MIN(d->overload.credit_ns + turn_ns, CREDIT_NS);
	bool counts = w->behind && rate && fragments && others * ALONE >= fragments;

	if (counts)
		credit_ns = RTE_MAX(credit_ns - d->arrived * ((int64_t)NSEC_PER_SEC / rate),
				    -DEBT_NS);
	d->overload.refuses = counts && credit_ns < (d->overload.refuses ? CREDIT_AGAIN_NS : 0);
	d->overload.credit_ns = credit_ns;
	d->overload.came = d->overload.handed = 0;
	d->overload.turn_ns = w->now_ns;
	d->overload.packets = w->packets;
}

/* ---- time ---- */

/* Rule E: who sent the first fragment is told, if it is here, its link too, and a packet that came
 * in there now would find a way; where fragments are put together that may be for others, a way to
 * the router itself. */
static void report_timeout(struct worker *w, struct rte_mbuf *m, uint16_t link,
			   enum defrag_user user)
{
	const struct link *l = link_get(link);
	enum drop_reason reason;

	packet_of(m)->first_link = packet_of(m)->link + 1;
	packet_of(m)->link = link;
	if (l && ip_route_input(w, l, m, &reason) != VERDICT_DROP &&
	    (user != DEFRAG_CONNTRACK_IN || packet_of(m)->route_type == ROUTE_LOCAL))
		icmp_send(w, m, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
}

static void expire(struct worker *w, struct defrag *d, struct frag_queue *q)
{
	struct rte_mbuf *first = q->seen & FRAG_FIRST_IN ? frag_first(&d->t, q) : NULL;
	enum defrag_user user = frag_key_user(q->rest);
	uint16_t link = q->link;

	count(w->counters, CNT_IP_REASMFAILS);
	count(w->counters, CNT_IP_REASMTIMEOUT);
	defrag_discard(w, d, q, DROP_FRAG_REASM_TIMEOUT);
	/* what was discarded is freed later than this */
	if (first)
		report_timeout(w, first, link, user);
}

static unsigned int expire_some(struct worker *w, struct defrag *d)
{
	struct frag_queue *q;
	unsigned int n;
	uint64_t due_ns;

	for (n = 0; n < EXPIRE_TURN && w->now_ns >= d->t.wheel.next_ns; n++) {
		q = frag_queue_next(&d->t, &due_ns);
		if (!q || due_ns > w->now_ns)
			break;
		expire(w, d, q);
	}
	return n;
}

/* What `frag flush` wants to be rid of. */
static unsigned int flush_some(struct worker *w, struct defrag *d)
{
	struct frag_queue *q;
	unsigned int n;

	for (n = 0; n < EXPIRE_TURN; n++) {
		q = frag_queue_oldest(&d->t);
		if (!q || q->born_ns > d->flush_until_ns) {
			d->flush_until_ns = 0;
			break;
		}
		defrag_discard(w, d, q, DROP_FRAG_FLUSHED);
	}
	return n;
}

/* While fragments come in, free mbufs at the pace at which they take some: a flood of them would
 * only leave the cache of the pool, and those that are received into would be fetched from the
 * pool itself. But none is to be refused for lack of them. */
static void bury_some(struct defrag *d)
{
	bool wanted = (int64_t)d->t.segs * 2 > d->mbufs_room;

	if (frag_bury(&d->t, d->arrived + (d->arrived && !wanted ? BURY_MORE : BURY_TURN)))
		d->changed = true;
}

/* To find the oldest queue all slots are looked at: only now and then while fragments come in. */
static void publish_oldest(struct worker *w, struct defrag *d)
{
	const struct frag_queue *oldest = frag_queue_oldest(&d->t);

	d->oldest_again_ns = w->now_ns + OLDEST_EVERY_NS;
	__atomic_store_n(&d->info.oldest_ns, oldest ? oldest->born_ns : 0, __ATOMIC_RELAXED);
}

static void publish(struct worker *w, struct defrag *d, bool busy)
{
	d->changed = busy && w->now_ns < d->oldest_again_ns;
	if (!d->changed)
		publish_oldest(w, d);
	__atomic_store_n(&d->info.queues, d->t.n_queues, __ATOMIC_RELAXED);
	__atomic_store_n(&d->info.fragments, d->t.fragments, __ATOMIC_RELAXED);
	__atomic_store_n(&d->info.mbufs, d->t.segs, __ATOMIC_RELAXED);
	__atomic_store_n(&d->info.bytes, d->t.bytes, __ATOMIC_RELAXED);
}

unsigned int defrag_tick(struct worker *w)
{
	struct defrag *d = w->ip->defrag;
	unsigned int n = 0;
	bool busy;

	d->limits_old = true;
	if (unlikely(d->ring)) {
		n += defrag_ring_input(w, d);
		if (unlikely(__atomic_load_n(&link_files_read, __ATOMIC_RELAXED)))
			keep_in_step(w, d);
	}
	if (d->t.n_queues)
		n += expire_some(w, d);
	if (unlikely(d->flush_until_ns))
		n += flush_some(w, d);
	if (frag_any_dead(&d->t))
		bury_some(d);
	ration(w, d);
	busy = d->arrived;
	d->arrived = 0;
	if (d->changed || n) {
		if (unlikely(d->ring))
			defrag_settle(d);
		publish(w, d, busy);
	}
	return n;
}

uint64_t defrag_next_expiry_ns(const struct worker *w)
{
	uint64_t due_ns;

	frag_queue_next(&w->ip->defrag->t, &due_ns);
	return due_ns;
}

/* ---- figures and flushing ---- */

void defrag_info_get(const struct worker *w, struct defrag_info *info)
{
	const struct defrag *d = w->ip->defrag;

	info->queues = __atomic_load_n(&d->info.queues, __ATOMIC_RELAXED);
	info->fragments = __atomic_load_n(&d->info.fragments, __ATOMIC_RELAXED);
	info->mbufs = __atomic_load_n(&d->info.mbufs, __ATOMIC_RELAXED);
	info->bytes = __atomic_load_n(&d->info.bytes, __ATOMIC_RELAXED);
	info->oldest_ns = __atomic_load_n(&d->info.oldest_ns, __ATOMIC_RELAXED);
	info->ring = d->ring ? worker_ring_count(d->ring) : 0;
	info->handed_over = __atomic_load_n(&d->info.handed_over, __ATOMIC_RELAXED);
}

uint64_t defrag_held(void)
{
	struct defrag_info info;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < workers_count; i++) {
		if (!workers[i] || !workers[i]->ip)
			continue;
		defrag_info_get(workers[i], &info);
		sum += info.fragments + info.ring;
	}
	return sum;
}

bool defrag_flush(void)
{
	struct message msg = {.kind = MSG_FRAG_FLUSH};
	bool told = true;

	for (unsigned int i = 0; i < workers_count; i++)
		told &= message_to_worker(i, &msg);
	return told;
}

static void on_flush(struct worker *w, const struct message *msg)
{
	w->ip->defrag->flush_until_ns = w->now_ns;
}

/* ---- start and stop ---- */

/* As in Linux, one threshold bounds the other. */
static void high_changed(struct sysctl *s, int32_t old)
{
	sysctl_find("net.ipv4.ipfrag_low_thresh")->max = sysctl_value(s);
}

static void low_changed(struct sysctl *s, int32_t old)
{
	sysctl_find("net.ipv4.ipfrag_high_thresh")->min = sysctl_value(s);
}

static const struct sysctl table[] = {
	{.name = "net.ipv4.ipfrag_time", .value = &settings.time_s, .min = -8589934, .max = 8589934,
	 .preset = 30, .help = "seconds for which fragments wait for the rest of their datagram"},
	{.name = "net.ipv4.ipfrag_high_thresh", .wide = &settings.high_thresh, .min = 3145728,
	 .max = (int64_t)UINT64_MAX, .preset = 4194304, .changed = high_changed,
	 .help = "bytes that fragments may occupy, counted as Linux does; above, all are dropped"},
	{.name = "net.ipv4.ipfrag_low_thresh", .wide = &settings.low_thresh, .min = 0,
	 .max = 4194304, .preset = 3145728, .changed = low_changed,
	 .help = "kept for compatibility: nothing is evicted any more, in Linux neither"},
	{.name = "net.ipv4.ipfrag_max_dist", .value = &settings.max_dist, .min = 0,
	 .max = INT_MAX, .preset = 64,
	 .help = "fragments of one sender between two of a datagram, after which it begins anew"},
	{.name = "net.ipv4.ipfrag_secret_interval", .value = &settings.secret_interval,
	 .min = 0, .max = INT_MAX, .preset = 0,
	 .help = "kept for compatibility: the secret of the hash needs no renewal"},
	{.name = "net.millrace.ipfrag_mbufs_max", .value = &settings.mbufs_max, .min = 0,
	 .max = FRAG_MBUFS_MAX, .preset = 0,
	 .help = "packet buffers that fragments may hold; 0: a quarter of the smallest pool, "
		 "at most 16384"},
	{.name = "net.millrace.ipfrag_overload_rate", .value = &settings.overload_rate, .min = 0,
	 .max = NSEC_PER_SEC, .preset = 500000,
	 .help = "fragments a second that are taken by a worker that can not keep up with what it "
		 "receives; 0: any number"},
};

int defrag_init(void)
{
	for (unsigned int i = 0; i < RTE_DIM(table); i++) {
		int rc = sysctl_register(&table[i]);

		if (rc)
			return rc;
	}
	siphash_many_init();
	message_on_worker(MSG_FRAG_FLUSH, on_flush);
	return 0;
}

/* One secret for all, as all must agree on who collects what. */
static int secret_make(void)
{
	if (secret.k0 | secret.k1)
		return 0;
	return getrandom(&secret, sizeof(secret), 0) == sizeof(secret) ? 0 : -EIO;
}

static int ring_make(struct worker *w, struct defrag *d)
{
	char name[RTE_RING_NAMESIZE];

	if (workers_count < 2)
		return 0;
	snprintf(name, sizeof(name), "fragments_%u", w->id);
	d->owned = rte_zmalloc_socket("defrag", FRAG_OWNERS * sizeof(*d->owned),
				      RTE_CACHE_LINE_SIZE, w->socket);
	if (!d->owned)
		return -ENOMEM;
	d->ring = worker_ring_create(name, RING_SIZE, w->socket);
	return d->ring ? 0 : -rte_errno;
}

int defrag_worker_init(struct worker *w)
{
	struct defrag *d = rte_zmalloc_socket("defrag", sizeof(*d), RTE_CACHE_LINE_SIZE,
					      w->socket);
	int rc;

	if (!d)
		return -ENOMEM;
	w->ip->defrag = d;
	d->limits_old = true;
	d->overload.credit_ns = CREDIT_NS;
	rc = secret_make();
	if (!rc)
		rc = frag_table_init(&d->t, &secret, w->socket);
	if (!rc)
		rc = ring_make(w, d);
	if (rc)
		defrag_worker_fini(w);
	return rc;
}

void defrag_worker_fini(struct worker *w)
{
	struct defrag *d = w->ip->defrag;
	struct frag_queue *q;
	struct rte_mbuf *m;
	uint64_t due_ns;

	if (!d)
		return;
	while (d->ring && !rte_ring_sc_dequeue(d->ring, (void **)&m)) {
		frag_owner_give_back(frag_owner_entry(&d->t, packet_ip(m)->src_addr));
		d->under_way -= m->nb_segs;
		packet_drop(w, m, DROP_FRAG_FLUSHED);
	}
	while (d->t.n_queues && (q = frag_queue_next(&d->t, &due_ns)))
		defrag_discard(w, d, q, DROP_FRAG_FLUSHED);
	if (d->t.buckets)
		frag_bury(&d->t, UINT32_MAX);
	if (d->ring)
		defrag_settle(d);
	frag_table_fini(&d->t);
	rte_ring_free(d->ring);
	rte_free(d->owned);
	rte_free(d);
	w->ip->defrag = NULL;
}
