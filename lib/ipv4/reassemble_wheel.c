/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers in the order of Linux's; see reassemble_wheel.h. */
#include "ipv4/reassemble_wheel.h"

#include <stdbool.h>
#include <string.h>

#include <rte_common.h>

void frag_wheel_init(struct frag_wheel *wheel)
{
	wheel->until_ns = 0;
	wheel->first = FRAG_NONE;
	wheel->next_ns = UINT64_MAX;
	memset(wheel->used, 0, sizeof(wheel->used));
	for (unsigned int i = 0; i < RTE_DIM(wheel->slots); i++)
		wheel->slots[i] = (struct frag_slot){.oldest = FRAG_NONE, .youngest = FRAG_NONE};
}

static bool is_empty(const struct frag_slot *s)
{
	return s->youngest == FRAG_NONE;
}

static void first_set(struct frag_wheel *wheel, uint16_t slot)
{
	wheel->first = slot;
	wheel->next_ns = slot == FRAG_NONE ? UINT64_MAX : frag_slot_due_ns(&wheel->slots[slot]);
}

/* Would the slot run out before all others, as far as is known? A longer one goes first. */
static bool is_first(const struct frag_wheel *wheel, uint16_t slot)
{
	uint64_t expires = wheel->slots[slot].expires, before;

	if (wheel->first == FRAG_NONE)
		return true;
	before = wheel->slots[wheel->first].expires;
	return expires < before || (expires == before && slot > wheel->first);
}

static void forget(struct frag_wheel *wheel, uint16_t slot)
{
	wheel->used[slot / WHEEL_SLOTS] &= ~(1ULL << slot % WHEEL_SLOTS);
	if (slot == wheel->slot)
		wheel->until_ns = 0;
}

/* Look for the first among all slots, and forget the empty ones. */
static void look(struct frag_wheel *wheel)
{
	first_set(wheel, FRAG_NONE);
	for (unsigned int level = 0; level < WHEEL_LEVELS; level++) {
		uint64_t used = wheel->used[level];

		for (; used; used &= used - 1) {
			uint16_t slot = (uint16_t)(level * WHEEL_SLOTS + rte_bsf64(used));

			if (is_empty(&wheel->slots[slot]))
				forget(wheel, slot);
			else if (is_first(wheel, slot))
				first_set(wheel, slot);
		}
	}
}

const struct frag_slot *frag_wheel_first(struct frag_wheel *wheel)
{
	if (wheel->first != FRAG_NONE && is_empty(&wheel->slots[wheel->first]))
		look(wheel);
	return wheel->first == FRAG_NONE ? NULL : &wheel->slots[wheel->first];
}

/* While slots that are over wait for their turn, the wheel stands where the first of them is; seen
 * from there what is new is further away. So no two slots that are in use at once have the same
 * place. */
void frag_wheel_turn(struct frag_wheel *wheel, uint64_t now_ns, uint32_t timeout)
{
	const struct frag_slot *first = frag_wheel_first(wheel);
	uint64_t now = now_ns / JIFFY_NS, at = first ? RTE_MIN(now, first->expires) : now;
	struct wheel_slot place = wheel_slot(at, now - at + timeout);
	uint64_t index = (place.expires >> wheel_bits(place.level)) % WHEEL_SLOTS;
	uint16_t slot = (uint16_t)(place.level * WHEEL_SLOTS + index);
	struct frag_slot *s = &wheel->slots[slot];

	if (is_empty(s))
		s->expires = place.expires;
	wheel->used[place.level] |= 1ULL << index;
	if (is_first(wheel, slot))
		first_set(wheel, slot);
	wheel->slot = slot;
	wheel->timeout = timeout;
	/* as far as the slot reaches, unless the wheel will have gone on before that */
	wheel->until_ns = at < now ? now_ns + 1 : (s->expires - wheel_run(timeout)) * JIFFY_NS;
}
