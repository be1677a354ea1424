/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads what `millbench fib` is given; see fib.h. zlib reads plain files as they are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "fib.h"

#define LINE_BYTES 80
#define READ_BYTES (1u << 17)
#define CUT_OFF "the compressed file is cut off"

static int complain(const char *path, size_t line, const char *what)
{
	if (line)
		fprintf(stderr, "millbench: %s:%zu: %s\n", path, line, what);
	else
		fprintf(stderr, "millbench: %s: %s\n", path, what);
	return -1;
}

/* A number of 0 to most at *s, which goes behind it. */
static bool number(const char **s, unsigned int most, unsigned int *to)
{
	const char *p = *s;
	unsigned int v = 0;

	for (; *p >= '0' && *p <= '9' && v <= most; p++)
		v = v * 10 + (unsigned int)(*p - '0');
	if (p == *s || v > most)
		return false;
	*s = p;
	*to = v;
	return true;
}

static const char *parse(const char *s, bool update, struct prefix *to)
{
	unsigned int byte, len;

	*to = (struct prefix){0};
	if (update) {
		if ((s[0] != 'A' && s[0] != 'W') || s[1] != ' ')
			return "neither \"A PREFIX\" nor \"W PREFIX\"";
		to->withdrawn = s[0] == 'W';
		s += 2;
	}
	for (unsigned int i = 0; i < 4; i++) {
		if (!number(&s, 255, &byte) || *s++ != (i < 3 ? '.' : '/'))
			return "not a prefix A.B.C.D/LEN";
		to->addr = to->addr << 8 | byte;
	}
	if (!number(&s, 32, &len))
		return "the length is not 0 to 32";
	if (*s)
		return "something follows the prefix";
	if (to->addr & ~prefix_mask(len))
		return "bits behind the prefix are set";
	to->len = (uint8_t)len;
	return NULL;
}

static int append(struct prefixes *to, size_t *room, const struct prefix *p)
{
	if (to->n == *room) {
		struct prefix *more = realloc(to->p, 2 * *room * sizeof(*more));

		if (!more)
			return -1;
		to->p = more;
		*room *= 2;
	}
	to->p[to->n++] = *p;
	return 0;
}

static int read_lines(gzFile f, const char *path, bool updates, struct prefixes *to)
{
	size_t room = 1u << 20, line = 0;
	char text[LINE_BYTES];
	const char *wrong;
	struct prefix p;
	int error;

	to->p = malloc(room * sizeof(*to->p));
	if (!to->p)
		return complain(path, 0, "no memory");
	while (gzgets(f, text, sizeof(text))) {
		line++;
		if (text[0] != '#' && strlen(text) == sizeof(text) - 1 && !strchr(text, '\n'))
			return complain(path, line, "the line is too long");
		text[strcspn(text, "\r\n")] = '\0';
		if (!text[0] || text[0] == '#')
			continue;
		wrong = parse(text, updates, &p);
		if (wrong) {
			gzerror(f, &error);
			return complain(path, line, error == Z_BUF_ERROR ? CUT_OFF : wrong);
		}
		if (append(to, &room, &p))
			return complain(path, line, "no memory");
	}
	wrong = gzerror(f, &error);
	if (error == Z_BUF_ERROR)
		return complain(path, line + 1, CUT_OFF);
	if (error != Z_OK && error != Z_STREAM_END)
		return complain(path, line + 1, error == Z_ERRNO ? strerror(errno) : wrong);
	return to->n ? 0 : complain(path, 0, updates ? "no updates" : "no prefixes");
}

int fib_read(const char *path, bool updates, struct prefixes *to)
{
	gzFile f = gzopen(path, "rb");
	int rc;

	*to = (struct prefixes){0};
	if (!f)
		return complain(path, 0, strerror(errno));
	gzbuffer(f, READ_BYTES);
	rc = read_lines(f, path, updates, to);
	gzclose(f);
	return rc;
}
