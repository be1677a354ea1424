/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the control socket is, unless somebody says otherwise: the same for millrace and millctl,
 * so nothing of DPDK may be needed here. */
#ifndef CONTROL_SOCKET_PATH_H
#define CONTROL_SOCKET_PATH_H

#include <stddef.h>

/* root: /run/millrace/millrace.sock; others: $XDG_RUNTIME_DIR/millrace.sock, and without that
 * /tmp/millrace-UID.sock. Returns buf. */
const char *socket_path_default(char *buf, size_t size);

#endif
