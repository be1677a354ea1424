/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments that drivers say they know; inside lib/link only. */
#ifndef LINK_DRIVER_ARGS_H
#define LINK_DRIVER_ARGS_H

#include <stdbool.h>
#include <stddef.h>

/* Is there one in devargs that the device's driver does not tell of? Then "; net_null tells of no
 * \"foo\", but of size=<int> copy=<int> no-rx=0|1" is in text. */
bool driver_args_unknown(const char *device, const char *devargs, char *text, size_t size);

#endif
