/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors as one sentence; see error.h. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return -code;
}

void error_prefix(struct error *err, const char *fmt, ...)
{
	char prefix[sizeof(err->text)];
	va_list ap;
	size_t n, old;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	n = strlen(prefix);
	old = strlen(err->text);
	if (n + 2 + old >= sizeof(err->text))
		return;
	memmove(err->text + n + 2, err->text, old + 1);
	memcpy(err->text, prefix, n);
	memcpy(err->text + n, ": ", 2);
}
