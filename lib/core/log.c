/* SPDX-License-Identifier: BSD-3-Clause */
/* Logging; see log.h. DPDK writes its log to a stdio stream, and fopencookie makes one of ours. */
#include "core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <rte_log.h>

#define LINES 16

static char lines[LINES][LOG_LINE_BYTES];
static unsigned int n_lines;
static bool print;
static FILE *stream;

static void remember(const char *text, size_t n)
{
	char *line;

	while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	if (!n || n_lines == LINES)
		return;
	line = lines[n_lines++];
	snprintf(line, LOG_LINE_BYTES, "%.*s", (int)n, text);
}

static ssize_t stream_write(void *cookie, const char *text, size_t n)
{
	if (print)
		fwrite(text, 1, n, stderr);
	remember(text, n);
	return (ssize_t)n;
}

int log_open(bool verbose)
{
	const cookie_io_functions_t io = {.write = stream_write};

	print = verbose;
	stream = fopencookie(NULL, "w", io);
	if (!stream)
		return -ENOMEM;
	setvbuf(stream, NULL, _IOLBF, 1024);
	return rte_openlog_stream(stream);
}

void log_close(void)
{
	if (!stream)
		return;
	rte_openlog_stream(stderr);
	fclose(stream);
	stream = NULL;
}

void log_mark(void)
{
	n_lines = 0;
}

const char *log_cause(void)
{
	static const char *const words[] = {"eached maximum", "annot", "ould not", "ouldn't",
					    "ailed", "nvalid", "rror", "o such", "not ",
					    "already"};

	for (unsigned int i = 0; i < n_lines; i++)
		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			if (strstr(lines[i], words[j]))
				return lines[i];
	return n_lines ? lines[n_lines - 1] : "";
}

static void line(const char *level, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	fprintf(stderr, "millrace: %s%s\n", level, text);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("", fmt, ap);
	va_end(ap);
}

void log_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("warning: ", fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("error: ", fmt, ap);
	va_end(ap);
}
