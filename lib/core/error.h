/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An error is one sentence for the operator.
 *
 * Control-plane functions that can be refused take a `struct error *` last and return 0 or a
 * negative errno value; the sentence names what is wrong, has no trailing period or newline, and
 * no "Error:" before it (the printer adds that). It is a line that a terminal can show, whatever
 * the words in it are; of words that are too long the middle is left out. Workers never use this.
 */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include <stddef.h>

struct error {
	char text[512];
};

/* Write the sentence and return -code, so that a caller can `return error_set(err, EINVAL, ...)`.
 * err may be NULL. code is a positive errno value. */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "prefix: " before the sentence that is there, or a text behind it. */
void error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void error_append(struct error *err, const char *text);

#endif
