/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For targets that give commands: the rooms are the stand-ins of the unit tests, and no command
 * reads or writes a file.
 */
#ifndef FUZZ_ROOMS_H
#define FUZZ_ROOMS_H

#include "core/error.h"

/* What `config load` and `config save` find in place of lib/control/config.c (ld --wrap). */
int __wrap_config_load_file(const char *path, struct error *err);
int __wrap_config_save_file(const char *path, struct error *err);
/* lib/control/config.c's own. */
int __real_config_load_file(const char *path, struct error *err);

int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size);

#endif
