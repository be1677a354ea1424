/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv4 prefixes: so many leading bits of an address. All addresses here are in host byte order, and
 * a length is from 0 to 32. (What C's shift does not do is to shift 32 bits by 32; the one place to
 * remember that is here.)
 */
#ifndef CORE_PREFIX_H
#define CORE_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

/* The mask of that length: 0xffffff00 for 24. */
static inline uint32_t prefix_mask(unsigned int len)
{
	return len ? UINT32_MAX << (32 - len) : 0;
}

/* Are the first bits of two addresses the same? So: does a prefix, given with any bits beyond its
 * length, contain an address? */
static inline bool prefix_agree(uint32_t a, uint32_t b, unsigned int len)
{
	return !((a ^ b) & prefix_mask(len));
}

#endif
