/* SPDX-License-Identifier: BSD-3-Clause */
/* See socket_path.h. */
#include "control/socket_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *socket_path_default(char *buf, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		snprintf(buf, size, "/run/millrace/millrace.sock");
	else if (runtime && runtime[0] == '/')
		snprintf(buf, size, "%s/millrace.sock", runtime);
	else
		snprintf(buf, size, "/tmp/millrace-%u.sock", (unsigned int)geteuid());
	return buf;
}
