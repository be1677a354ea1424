/* SPDX-License-Identifier: BSD-3-Clause */
/* See file_path.h. */
#include "control/file_path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

const char *file_directory;

int file_path(const char *word, char path[PATH_MAX], struct error *err)
{
	bool whole = word[0] == '/' || !file_directory;
	int n;

	if (!word[0])
		return error_set(err, EINVAL, "the name of the file is empty");
	if (!whole && !file_directory[0])
		return error_set(err, EINVAL, "\"%s\" is a relative path, and the request does not "
				 "say in which directory; give one that begins with /", word);
	n = whole ? snprintf(path, PATH_MAX, "%s", word)
		  : snprintf(path, PATH_MAX, "%s/%s", file_directory, word);
	if (n >= PATH_MAX)
		return error_set(err, ENAMETOOLONG, "\"%s\" is too long for a path", word);
	return 0;
}
