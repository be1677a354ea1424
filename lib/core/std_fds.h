/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who starts a program may have closed its standard input, output or error. What the program opens
 * next would take that number, and a socket be read as standard input: /dev/null takes it instead.
 */
#ifndef CORE_STD_FDS_H
#define CORE_STD_FDS_H

#include <fcntl.h>
#include <unistd.h>

static inline void std_fds_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

#endif
