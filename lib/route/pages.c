/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for the big tables; see pages.h. */
#include "route/pages.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>
#include <linux/mman.h>

#define HUGE_BYTES ((size_t)2 << 20)

static size_t round_up(size_t bytes)
{
	return (bytes + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
}

/* Anonymous memory that begins at a huge page's boundary: map one more and cut off both ends. */
static uint8_t *map_aligned(size_t bytes)
{
	uint8_t *p = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return MAP_FAILED;
	before = round_up((uintptr_t)p) - (uintptr_t)p;
	if (before)
		munmap(p, before);
	munmap(p + before + bytes, HUGE_BYTES - before);
	madvise(p + before, bytes, MADV_HUGEPAGE);
	return p + before;
}

/* Only a wish: a kernel without NUMA refuses it. */
static void prefer_node(void *p, size_t bytes, int socket)
{
	unsigned long nodes;

	if (socket < 0 || socket >= (int)(8 * sizeof(nodes)))
		return;
	nodes = 1UL << socket;
	syscall(SYS_mbind, p, bytes, MPOL_PREFERRED, &nodes, 8 * sizeof(nodes), 0);
}

/* A reserved page can still be denied at the first touch, by a control group's limit, and that is
 * a SIGBUS: touch all while an error can be returned. Kernels before 5.14 do not know how. */
static uint8_t *map_reserved(size_t bytes, int socket)
{
	uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB, -1, 0);

	if (p == MAP_FAILED)
		return p;
	prefer_node(p, bytes, socket);
	if (!madvise(p, bytes, MADV_POPULATE_WRITE) || errno == EINVAL)
		return p;
	munmap(p, bytes);
	return MAP_FAILED;
}

void *pages_map(size_t bytes, bool reserved, int socket)
{
	uint8_t *p = MAP_FAILED;

	bytes = round_up(bytes);
	if (reserved)
		p = map_reserved(bytes, socket);
	if (p != MAP_FAILED)
		return p;
	p = map_aligned(bytes);
	if (p == MAP_FAILED) {
		errno = ENOMEM;
		return NULL;
	}
	prefer_node(p, bytes, socket);
	return p;
}

void pages_map_zeros(void *p, size_t bytes)
{
	madvise(p, round_up(bytes), MADV_POPULATE_READ);
}

void pages_unmap(void *p, size_t bytes)
{
	if (p)
		munmap(p, round_up(bytes));
}
