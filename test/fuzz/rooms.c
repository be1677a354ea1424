/* SPDX-License-Identifier: BSD-3-Clause */
/* No files, and no EAL; see rooms.h. */
#include "rooms.h"

#include <errno.h>

#include <rte_mempool.h>

int __wrap_config_load_file(const char *path, struct error *err)
{
	return error_set(err, EPERM, "\"%s\" is not read", path);
}

int __wrap_config_save_file(const char *path, struct error *err)
{
	return error_set(err, EPERM, "\"%s\" is not written", path);
}

/* In place of DPDK's, which wants the EAL to run. */
void rte_mempool_walk(void (*fn)(struct rte_mempool *pool, void *arg), void *arg)
{
}
