/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that commands name: a relative path begins where the one is who gives the command. */
#ifndef CONTROL_FILE_PATH_H
#define CONTROL_FILE_PATH_H

#include <limits.h>

#include "core/error.h"

/* Where that is. NULL: where the process is, as for the configuration that it starts with; "": it
 * is not known, and a relative path is refused. */
extern const char *file_directory;

/* The path that a word stands for. */
int file_path(const char *word, char path[PATH_MAX], struct error *err);

#endif
