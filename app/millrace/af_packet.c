/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A correction of DPDK's net_af_packet driver.
 *
 * The driver always joins a PACKET_FANOUT group and asks the kernel to reassemble fragments
 * before it hands them over (PACKET_FANOUT_FLAG_DEFRAG), so that a router would never see a
 * fragment, and with devargs it can not be told otherwise. Whether drivers are linked in or are
 * shared objects, which the dynamic linker binds to the executable's symbols first, this
 * setsockopt() is the one they call: it takes that flag out, and passes everything else on to the C
 * library unchanged.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_packet.h>

typedef int (*setsockopt_fn)(int fd, int level, int name, const void *value, socklen_t len);

__attribute__((visibility("default"))) int setsockopt(int fd, int level, int name,
						      const void *value, socklen_t len)
{
	static setsockopt_fn libc_setsockopt;
	uint32_t fanout;

	if (!libc_setsockopt)
		libc_setsockopt = (setsockopt_fn)(uintptr_t)dlsym(RTLD_NEXT, "setsockopt");
	if (!libc_setsockopt) {
		errno = ENOSYS;
		return -1;
	}
	if (level == SOL_PACKET && name == PACKET_FANOUT && len == sizeof(fanout)) {
		memcpy(&fanout, value, sizeof(fanout));
		fanout &= ~((uint32_t)PACKET_FANOUT_FLAG_DEFRAG << 16);
		return libc_setsockopt(fd, level, name, &fanout, sizeof(fanout));
	}
	return libc_setsockopt(fd, level, name, value, len);
}
