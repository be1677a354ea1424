/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line of text and the words in it, as configuration files, batches and the shell have them:
 * blanks part words, '#' begins a comment, and a word with blanks or '#' in it stands in single
 * or double quotes; between double quotes a backslash takes the next character as it is.
 *
 * Needs nothing but the C library, for millctl uses it too.
 */
#ifndef CONTROL_WORDS_H
#define CONTROL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 2048 /* words a line: enough for a route with as many ways as it can have */

enum words_error { WORDS_TOO_MANY = -1, WORDS_OPEN_QUOTE = -2 };

/* Split line, which is written over and must stay while the words are used. Returns how many
 * words there are, or one of enum words_error. */
int words_split(char *line, const char *argv[WORDS_MAX]);

/* "there are more than 2048 words on the line" */
const char *words_error_text(int code);

/* Would this word have to be quoted to be read back as it is? */
bool word_needs_quotes(const char *word);

#endif
