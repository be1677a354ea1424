/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for the big tables: zeroed, in 2 MB pages where there are any (a
 * table of 32 MB in 4 KB pages costs a TLB miss a lookup). Straight from the kernel, not from
 * EAL's heap: nothing of it is ever given to a device, and it works before and without EAL.
 */
#ifndef ROUTE_PAGES_H
#define ROUTE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* reserved: take it from the reserved huge pages if enough are left, and all of it at once; else,
 * and when they are not, ordinary memory with the wish for huge pages. socket: preferred NUMA node,
 * -1: any.
 * NULL with errno set when there is no memory. */
void *pages_map(size_t bytes, bool reserved, int socket);

/* Have the beginning of it read without a page fault where nothing was written yet, at no cost of
 * memory but for the kernel's own tables. Kernels before 5.14 do not know how. */
void pages_map_zeros(void *p, size_t bytes);

/* bytes: the same as for pages_map(). p may be NULL. */
void pages_unmap(void *p, size_t bytes);

#endif
