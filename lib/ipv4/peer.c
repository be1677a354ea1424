/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buckets of remote addresses; see peer.h. Times are milliseconds in 36 bits (two years), tokens
 * milliseconds in 20 bits, so that a state is one word:
 *
 *   bits 0..35 last_ms | 36..55 tokens_ms | 56..63 redirects sent
 */
#include "ipv4/peer.h"

#include <errno.h>

#include <rte_malloc.h>
#include <rte_random.h>

#include "core/clock.h"

#define SETS 16384
#define WAYS 4
#define LAST_MASK ((1ULL << 36) - 1)
#define TOKENS_MAX ((1U << 20) - 1)
#define FRESH_MS 60000                       /* a new peer has this much credit */
#define TRIES 4

#define TICK_MS ((uint32_t)(JIFFY_NS / NSEC_PER_MSEC))
#define BURST_FACTOR 6                       /* XRLIM_BURST_FACTOR */
#define ERROR_COST_MS 1000
#define ERROR_BURST_MS 5000
#define REDIRECT_LOAD_MS 20
#define REDIRECT_NUMBER 9
#define REDIRECT_SILENCE_MS (REDIRECT_LOAD_MS << (REDIRECT_NUMBER + 1))

struct peer {
	uint64_t key;                        /* address | 1 << 32; 0: empty */
	uint64_t state;
};

struct state {
	uint64_t last_ms;
	uint32_t tokens_ms;
	uint32_t redirects;
};

static struct peer *table;
static uint64_t secret;
static int32_t global_credit;
static uint64_t global_stamp_ms;

int peer_init(void)
{
	table = rte_zmalloc("peers", SETS * WAYS * sizeof(*table), RTE_CACHE_LINE_SIZE);
	secret = rte_rand();
	global_credit = 0;
	global_stamp_ms = 0;
	return table ? 0 : -ENOMEM;
}

void peer_fini(void)
{
	rte_free(table);
	table = NULL;
}

static uint64_t pack(const struct state *s)
{
	return (s->last_ms & LAST_MASK) | (uint64_t)s->tokens_ms << 36 |
	       (uint64_t)s->redirects << 56;
}

static struct state unpack(uint64_t word)
{
	return (struct state){.last_ms = word & LAST_MASK,
			      .tokens_ms = (uint32_t)(word >> 36) & TOKENS_MAX,
			      .redirects = (uint32_t)(word >> 56)};
}

static uint64_t fresh(uint64_t now_ms)
{
	return pack(&(struct state){.last_ms = now_ms - FRESH_MS});
}

static struct peer *set_of(rte_be32_t addr)
{
	uint64_t h = (addr ^ secret) * 0x9E3779B97F4A7C15ULL;

	return &table[((h ^ secret) >> 40) % SETS * WAYS];
}

/* The entry of an address; made if there is none. */
static struct peer *peer_get(rte_be32_t addr, uint64_t now_ms)
{
	struct peer *set = set_of(addr), *oldest = set;
	uint64_t key = addr | 1ULL << 32, age, oldest_age = 0;

	for (unsigned int i = 0; i < WAYS; i++) {
		uint64_t k = __atomic_load_n(&set[i].key, __ATOMIC_ACQUIRE);

		if (k == key)
			return &set[i];
		age = k ? (now_ms - unpack(set[i].state).last_ms) & LAST_MASK : UINT64_MAX;
		if (age > oldest_age) {
			oldest_age = age;
			oldest = &set[i];
		}
	}
	__atomic_store_n(&oldest->state, fresh(now_ms), __ATOMIC_RELAXED);
	__atomic_store_n(&oldest->key, key, __ATOMIC_RELEASE);
	return oldest;
}

/* Now, in milliseconds, on the ticks that Linux's limits go by: what happens within a tick happens
 * at once. */
static uint64_t tick_ms(uint64_t now_ns)
{
	return RTE_ALIGN_FLOOR(now_ns / NSEC_PER_MSEC, (uint64_t)TICK_MS);
}

/* Apply a step to an address's state; it says whether the message may go. */
static bool peer_step(rte_be32_t addr, uint64_t now_ns, uint32_t arg,
		      bool (*step)(struct state *s, uint64_t now_ms, uint32_t arg))
{
	uint64_t now_ms = tick_ms(now_ns) & LAST_MASK;
	struct peer *p = peer_get(addr, now_ms);
	uint64_t old = __atomic_load_n(&p->state, __ATOMIC_RELAXED);

	for (unsigned int i = 0; i < TRIES; i++) {
		struct state s = unpack(old);
		bool allow = step(&s, now_ms, arg);

		if (__atomic_compare_exchange_n(&p->state, &old, pack(&s), false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return allow;
	}
	return false;
}

/* Add the time since the last change, up to a cap. */
static void refill(struct state *s, uint64_t now_ms, uint64_t cap_ms)
{
	uint64_t tokens = s->tokens_ms + ((now_ms - s->last_ms) & LAST_MASK);

	tokens = RTE_MIN(tokens, cap_ms);
	s->tokens_ms = (uint32_t)RTE_MIN(tokens, (uint64_t)TOKENS_MAX);
	s->last_ms = now_ms;
}

static bool take(struct state *s, uint32_t cost_ms)
{
	if (s->tokens_ms < cost_ms)
		return false;
	s->tokens_ms -= cost_ms;
	return true;
}

static bool icmp_step(struct state *s, uint64_t now_ms, uint32_t cost_ms)
{
	if (now_ms != s->last_ms)
		refill(s, now_ms, (uint64_t)BURST_FACTOR * cost_ms);
	return take(s, cost_ms);
}

static bool error_step(struct state *s, uint64_t now_ms, uint32_t cost_ms)
{
	refill(s, now_ms, ERROR_BURST_MS);
	return take(s, cost_ms);
}

static bool redirect_step(struct state *s, uint64_t now_ms, uint32_t unused)
{
	uint64_t since_ms = (now_ms - s->last_ms) & LAST_MASK;

	if (since_ms > REDIRECT_SILENCE_MS) {
		s->tokens_ms = 0;
		s->redirects = 0;
	}
	if (s->redirects >= REDIRECT_NUMBER) {
		s->last_ms = now_ms;
		return false;
	}
	if (s->redirects && since_ms <= (uint64_t)REDIRECT_LOAD_MS << s->redirects)
		return false;
	s->last_ms = now_ms;
	s->redirects++;
	return true;
}

bool peer_icmp_allow(rte_be32_t addr, uint64_t now_ns, uint32_t cost_ms)
{
	return peer_step(addr, now_ns, RTE_ALIGN_CEIL(cost_ms, TICK_MS), icmp_step);
}

bool peer_error_allow(rte_be32_t addr, uint64_t now_ns)
{
	return peer_step(addr, now_ns, ERROR_COST_MS, error_step);
}

bool peer_redirect_allow(rte_be32_t addr, uint64_t now_ns)
{
	return peer_step(addr, now_ns, 0, redirect_step);
}

bool icmp_global_allow(uint64_t now_ns, int32_t per_sec, int32_t burst)
{
	uint64_t now_ms = tick_ms(now_ns), stamp_ms, delta_ms;
	int32_t old, more, credit;

	if (__atomic_load_n(&global_credit, __ATOMIC_RELAXED) > 0)
		return true;
	stamp_ms = __atomic_load_n(&global_stamp_ms, __ATOMIC_RELAXED);
	delta_ms = RTE_MIN(now_ms - stamp_ms, (uint64_t)1000);
	if (delta_ms < 20)
		return false;
	more = (int32_t)((uint64_t)per_sec * delta_ms / 1000);
	if (!more)
		return false;
	if (!__atomic_compare_exchange_n(&global_stamp_ms, &stamp_ms, now_ms, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return true;
	old = __atomic_load_n(&global_credit, __ATOMIC_RELAXED);
	credit = (int32_t)RTE_MIN((int64_t)old + more, (int64_t)burst);
	__atomic_fetch_add(&global_credit, credit - old, __ATOMIC_RELAXED);
	return true;
}

void icmp_global_consume(uint32_t random)
{
	uint32_t credits = random % 3;

	if (credits)
		__atomic_fetch_sub(&global_credit, (int32_t)credits, __ATOMIC_RELAXED);
}
