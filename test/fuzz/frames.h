/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames at random: good ones of every kind that the router of world.h has to do with, most of
 * them then damaged in some way. The same seed gives the same frames.
 */
#ifndef FUZZ_FRAMES_H
#define FUZZ_FRAMES_H

#include <stdint.h>

#define FRAMES_BYTES_MAX 9100

struct random {
	uint64_t state;
};

void random_seed(struct random *r, uint64_t seed);
uint32_t random_below(struct random *r, uint32_t n);

/* Make a frame for a link's address and return its length. bytes has room for
 * FRAMES_BYTES_MAX. */
uint32_t frames_make(struct random *r, unsigned int link, const uint8_t mac[6], uint8_t *bytes);

#endif
