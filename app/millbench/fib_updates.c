/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `millbench fib`: a list of updates, beside two threads that look up all the while.
 *
 * Every announcement leads to another next hop than the one before, as a speaker of BGP that only
 * passes changes on would send it. What each of some addresses is to give after each update is
 * worked out before, by the plain reference. A reader notes how many updates were done before its
 * burst and how many had begun after it; each answer must be one that was right in between.
 *
 * Readers have CPUs of their own as far as there are any; the writer never shares its own if there
 * are two. rte_fib is measured without readers, as it is not safe for them.
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "bench.h"
#include "core/rcu.h"
#include "fib.h"

#define BURST 64u
#define WATCHED 32768u
#define READERS 2u
#define ROUNDS 5u
#define QUIET_MS 200u
#define POLL_EVERY 64u             /* updates between looks for grace periods that are over */

/* From that many updates on, the answer. */
struct answer {
	uint32_t from;
	uint16_t index;
};

static struct watched {
	uint32_t addr;
	uint32_t first, n;             /* of answers[] */
} watched[WATCHED];

static struct answer *answers;

static const struct prefixes *table, *updates;
static struct fib *ours;
static struct rte_fib *theirs;

static struct {
	uint32_t begun __rte_cache_aligned;
	uint32_t done;
	bool stop;
} shared;

static struct reader {
	pthread_t thread;
	unsigned int id, cpu;
	uint64_t lookups, wrong, longest_ns;
} __rte_cache_aligned readers[READERS];

static uint16_t table_index(size_t i)
{
	return (uint16_t)(1 + i % NEXT_HOPS);
}

static uint16_t update_index(size_t i)
{
	return updates->p[i].withdrawn ? FIB_NONE : (uint16_t)(1 + i % NEXT_HOPS);
}

/* ---- what is right ---- */

static int by_addr(const void *a, const void *b)
{
	const struct watched *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Half of them where updates are. */
static void choose_watched(void)
{
	uint64_t x = 88172645463325252ULL;

	for (unsigned int i = 0; i < WATCHED; i++) {
		const struct prefixes *from = i % 2 ? table : updates;
		const struct prefix *p = &from->p[(fib_random(&x) >> 16) % from->n];

		uint32_t host = (uint32_t)(fib_random(&x) >> 16) & ~prefix_mask(p->len);

		watched[i].addr = p->addr | host;
	}
	qsort(watched, WATCHED, sizeof(*watched), by_addr);
}

static unsigned int first_watched(uint32_t addr)
{
	unsigned int from = 0, to = WATCHED;

	while (from < to) {
		unsigned int middle = (from + to) / 2;

		if (watched[middle].addr < addr)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct change {
	uint32_t watched;
	struct answer answer;
};

struct changes {
	struct change *c;
	size_t n, room;
};

static int change_add(struct changes *to, uint32_t i, uint32_t from, uint16_t index)
{
	if (to->n == to->room) {
		size_t room = to->room ? 2 * to->room : 1u << 20;
		struct change *more = realloc(to->c, room * sizeof(*more));

		if (!more)
			return -1;
		to->c = more;
		to->room = room;
	}
	to->c[to->n++] = (struct change){ i, { from, index } };
	watched[i].n++;
	return 0;
}

/* In order of time; the answer at first, then what each update makes of it. */
static int changes_find(struct fib_plain *plain, struct changes *to)
{
	static uint16_t now[WATCHED];

	for (unsigned int i = 0; i < WATCHED; i++) {
		now[i] = fib_plain_lookup(plain, watched[i].addr);
		if (change_add(to, i, 0, now[i]))
			return -1;
	}
	for (size_t u = 0; u < updates->n; u++) {
		const struct prefix *p = &updates->p[u];

		fib_plain_set(plain, p->addr, p->len, update_index(u));
		for (unsigned int i = first_watched(p->addr);
		     i < WATCHED && !((watched[i].addr ^ p->addr) & prefix_mask(p->len)); i++) {
			uint16_t index = fib_plain_lookup(plain, watched[i].addr);

			if (index == now[i])
				continue;
			now[i] = index;
			if (change_add(to, i, (uint32_t)u + 1, index))
				return -1;
		}
	}
	return 0;
}

/* By address, then time. */
static int answers_sort(const struct changes *from)
{
	uint32_t n = 0;

	answers = malloc(from->n * sizeof(*answers));
	if (!answers)
		return -1;
	for (unsigned int i = 0; i < WATCHED; i++) {
		watched[i].first = n;
		n += watched[i].n;
		watched[i].n = 0;
	}
	for (size_t i = 0; i < from->n; i++) {
		struct watched *w = &watched[from->c[i].watched];

		answers[w->first + w->n++] = from->c[i].answer;
	}
	return 0;
}

static int answers_make(void)
{
	struct fib_plain *plain = fib_plain_create(table->n + updates->n);
	struct changes changes = {0};
	int rc;

	choose_watched();
	for (size_t i = 0; plain && i < table->n; i++)
		fib_plain_set(plain, table->p[i].addr, table->p[i].len, table_index(i));
	rc = !plain || changes_find(plain, &changes) || answers_sort(&changes) ? -1 : 0;
	fib_plain_free(plain);
	free(changes.c);
	return rc;
}

/* Was that the answer at some time between, and with, after so many updates and so many? */
static bool right(const struct watched *w, uint32_t from, uint32_t to, uint16_t index)
{
	const struct answer *a = &answers[w->first];
	uint32_t low = 0, high = w->n;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (a[middle].from <= from)
			low = middle;
		else
			high = middle;
	}
	for (; low < w->n && (a[low].from <= from || a[low].from <= to); low++)
		if (a[low].index == index)
			return true;
	return false;
}

/* ---- readers ---- */

static uint64_t cpu_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void read_burst(struct reader *r, uint64_t *x)
{
	uint32_t addrs[BURST], which[BURST], from, to;
	uint16_t got[BURST];
	uint64_t start;

	for (unsigned int i = 0; i < BURST; i++) {
		which[i] = (uint32_t)(fib_random(x) >> 16) % WATCHED;
		addrs[i] = watched[which[i]].addr;
	}
	start = cpu_time_ns();
	from = __atomic_load_n(&shared.done, __ATOMIC_ACQUIRE);
	fib_lookup_bulk(ours, addrs, got, BURST);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	to = __atomic_load_n(&shared.begun, __ATOMIC_ACQUIRE);
	r->longest_ns = RTE_MAX(r->longest_ns, cpu_time_ns() - start);
	for (unsigned int i = 0; i < BURST; i++)
		r->wrong += !right(&watched[which[i]], from, to, got[i]);
	__atomic_store_n(&r->lookups, r->lookups + BURST, __ATOMIC_RELAXED);
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	uint64_t x = 0x9e3779b97f4a7c15ULL + r->id;

	pin(r->cpu);
	rcu_online(r->id);
	while (!__atomic_load_n(&shared.stop, __ATOMIC_RELAXED)) {
		read_burst(r, &x);
		rcu_quiescent(r->id);
	}
	rcu_offline(r->id);
	return NULL;
}

static void readers_pin(void)
{
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int own = (unsigned int)sched_getcpu(), next = 0;

	for (unsigned int i = 0; i < READERS; i++) {
		next = (next + 1) % cpus;
		if (cpus > 1 && (own + next) % cpus == own)
			next = (next + 1) % cpus;
		readers[i].cpu = (own + next) % cpus;
	}
	pin(own);
}

static int readers_start(void)
{
	shared.begun = shared.done = 0;
	shared.stop = false;
	for (unsigned int i = 0; i < READERS; i++) {
		readers[i].id = i;
		if (pthread_create(&readers[i].thread, NULL, reader_main, &readers[i]))
			return -1;
	}
	return 0;
}

static void readers_stop(void)
{
	__atomic_store_n(&shared.stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	rcu_poll();
}

static uint64_t lookups_so_far(void)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < READERS; i++)
		n += __atomic_load_n(&readers[i].lookups, __ATOMIC_RELAXED);
	return n;
}

/* ---- the writer ---- */

struct figures {
	double mean, median, p99;
};

static uint32_t *cycles;           /* of each update */

static int by_cycles(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static struct figures figures_make(void)
{
	struct figures f = {0};

	for (size_t i = 0; i < updates->n; i++)
		f.mean += cycles[i];
	qsort(cycles, updates->n, sizeof(*cycles), by_cycles);
	f.mean /= (double)updates->n;
	f.median = cycles[updates->n / 2];
	f.p99 = cycles[updates->n * 99 / 100];
	return f;
}

static struct figures update_ours(void)
{
	size_t left_out = fib_fault == FIB_FAULT_UPDATE ? updates->n - 1 : SIZE_MAX;

	for (size_t i = 0; i < updates->n; i++) {
		const struct prefix *p = &updates->p[i];
		uint64_t start;

		__atomic_store_n(&shared.begun, (uint32_t)i + 1, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_RELEASE);
		start = rte_rdtsc();
		if (i == left_out)
			;
		else if (p->withdrawn)
			fib_unset(ours, p->addr, p->len);
		else
			fib_set(ours, p->addr, p->len, update_index(i));
		cycles[i] = (uint32_t)(rte_rdtsc() - start);
		__atomic_store_n(&shared.done, (uint32_t)i + 1, __ATOMIC_RELEASE);
		if (i % POLL_EVERY == 0)
			rcu_poll();
	}
	return figures_make();
}

static struct figures update_theirs(void)
{
	for (size_t i = 0; i < updates->n; i++) {
		const struct prefix *p = &updates->p[i];
		uint64_t start = rte_rdtsc();

		if (p->withdrawn)
			rte_fib_delete(theirs, p->addr, p->len);
		else
			rte_fib_add(theirs, p->addr, p->len, update_index(i));
		cycles[i] = (uint32_t)(rte_rdtsc() - start);
	}
	return figures_make();
}

/* Back to the table. */
static void restore_ours(void)
{
	for (size_t i = 0; i < updates->n; i++)
		fib_unset(ours, updates->p[i].addr, updates->p[i].len);
	for (size_t i = 0; i < table->n; i++)
		fib_set(ours, table->p[i].addr, table->p[i].len, table_index(i));
	if (fib_fault == FIB_FAULT_READERS)
		fib_set(ours, table->p[table->n / 2].addr, table->p[table->n / 2].len,
			NEXT_HOPS + 1);
	rcu_synchronize();
}

/* ---- */

static void report(const char *what, const struct figures *mine, const struct figures *others)
{
	char name[64];

	snprintf(name, sizeof(name), "%s, mean", what);
	fib_report(name, mine->mean, others ? others->mean : NAN, "cycles");
	snprintf(name, sizeof(name), "%s, median", what);
	fib_report(name, mine->median, others ? others->median : NAN, "cycles");
	snprintf(name, sizeof(name), "%s, 99 of 100", what);
	fib_report(name, mine->p99, others ? others->p99 : NAN, "cycles");
}

static int by_mean(const void *a, const void *b)
{
	const struct figures *x = a, *y = b;

	return x->mean < y->mean ? -1 : x->mean > y->mean;
}

/* One round with readers: what they did before and beside the updates, a second. */
static int round_beside(struct figures *f, double *quiet, double *beside)
{
	uint64_t start, before;

	if (readers_start())
		return -1;
	before = lookups_so_far();
	start = rte_rdtsc();
	rte_delay_us_sleep(QUIET_MS * 1000);
	*quiet = (double)(lookups_so_far() - before) / (double)(rte_rdtsc() - start);
	before = lookups_so_far();
	start = rte_rdtsc();
	*f = update_ours();
	*beside = (double)(lookups_so_far() - before) / (double)(rte_rdtsc() - start);
	readers_stop();
	return 0;
}

/* After all of it the answers are the last ones. */
static unsigned int wrong_in_the_end(void)
{
	unsigned int wrong = 0;
	uint64_t other;

	for (unsigned int i = 0; i < WATCHED; i++) {
		const struct watched *w = &watched[i];

		rte_fib_lookup_bulk(theirs, &watched[i].addr, &other, 1);
		wrong += fib_lookup(ours, w->addr) != answers[w->first + w->n - 1].index ||
			 fib_lookup(ours, w->addr) != other;
	}
	return wrong;
}

static int measure(void)
{
	struct figures alone[ROUNDS], beside[ROUNDS], others;
	double quiet[ROUNDS], rate[ROUNDS], ratio[ROUNDS], longest = 0;
	uint64_t wrong = 0, lookups = 0;
	unsigned int after;

	fib_progress("updates of rte_fib");
	others = update_theirs();
	readers_pin();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		fib_progress("updates");
		restore_ours();
		alone[i] = update_ours();
		restore_ours();
		if (round_beside(&beside[i], &quiet[i], &rate[i]))
			return -1;
		ratio[i] = rate[i] / quiet[i];
	}
	for (unsigned int i = 0; i < READERS; i++) {
		wrong += readers[i].wrong;
		lookups += readers[i].lookups;
		longest = RTE_MAX(longest, (double)readers[i].longest_ns / 1e3);
	}
	qsort(alone, ROUNDS, sizeof(*alone), by_mean);
	qsort(beside, ROUNDS, sizeof(*beside), by_mean);
	report("update", &alone[ROUNDS / 2], &others);
	report("update beside two readers", &beside[ROUNDS / 2], NULL);
	fib_report("readers' speed beside updates", bench_median(ratio, ROUNDS), NAN,
		   "of the quiet");
	fib_report("readers' longest burst", longest, NAN, "us of CPU time");
	fib_report("readers' answers that were checked", (double)lookups / 1e6, NAN, "million");
	fib_report("wrong answers", (double)wrong, NAN, "");
	after = wrong_in_the_end();
	if (wrong)
		fprintf(stderr, "millbench: %llu of readers' answers were wrong\n",
			(unsigned long long)wrong);
	if (after)
		fprintf(stderr, "millbench: %u of %u answers are wrong after all updates\n", after,
			WATCHED);
	return wrong || after ? -1 : 0;
}

int fib_bench_updates(struct fib *fib, struct rte_fib *rte_fib, const struct prefixes *t,
		      const struct prefixes *u)
{
	int rc = -1;

	ours = fib;
	theirs = rte_fib;
	table = t;
	updates = u;
	fib_progress("what is right after each update");
	cycles = malloc(updates->n * sizeof(*cycles));
	if (cycles && !answers_make())
		rc = measure();
	else
		fprintf(stderr, "millbench: no memory for the updates\n");
	free(cycles);
	free(answers);
	return rc;
}
