/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading and saving. A file is read as a whole and cut into words in place; it is replaced by
 * writing another beside it that takes its name, so that a crash leaves the old one or the new.
 */
#include "control/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/command.h"
#include "control/words.h"

#define NESTED_MAX 8              /* files that load files */
#define TICK_LINES 64             /* lines between looks at the clock */
#define TICK_NS (2 * 1000000ULL)
#define FILE_BYTES_MAX (1ULL << 30)

void (*config_tick)(void *arg);
void *config_tick_arg;

static int read_failed(const char *path, struct error *err)
{
	int code = errno;

	return error_set(err, code, "can not read \"%s\": %s", path, strerror(code));
}

/* All of a file or pipe, with a 0 behind it. Returns its length or a negative errno. */
static ssize_t read_whole(int fd, char **text)
{
	size_t len = 0, size = 64 << 10;
	char *data = NULL, *more;
	ssize_t n;

	do {
		size = data ? size * 2 : size;
		more = size > FILE_BYTES_MAX ? NULL : realloc(data, size + 1);
		if (!more) {
			free(data);
			errno = size > FILE_BYTES_MAX ? EFBIG : ENOMEM;
			return -1;
		}
		data = more;
		while ((n = read(fd, data + len, size - len)) > 0)
			len += (size_t)n;
	} while (n == 0 && len == size);
	if (n < 0) {
		free(data);
		return -1;
	}
	data[len] = 0;
	*text = data;
	return (ssize_t)len;
}

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void tick(unsigned int line, uint64_t *last_ns)
{
	uint64_t now;

	if (line % TICK_LINES || !config_tick)
		return;
	now = monotonic_ns();
	if (now - *last_ns < TICK_NS)
		return;
	config_tick(config_tick_arg);
	*last_ns = monotonic_ns();
}

static int load_line(char *line, struct error *err)
{
	const char *argv[WORDS_MAX];
	int argc = words_split(line, argv);

	if (argc < 0)
		return error_set(err, EINVAL, "%s", words_error_text(argc));
	return argc ? command_run(argc, argv, NULL, err) : 0;
}

static int load_text(const char *path, char *text, size_t len, struct error *err)
{
	char *line = text, *end = text + len, *next;
	uint64_t last_ns = monotonic_ns();
	unsigned int number = 0;
	int rc;

	for (; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : end;
		*next++ = 0;
		number++;
		rc = strlen(line) + 1 == (size_t)(next - line) ?
			     load_line(line, err) :
			     error_set(err, EINVAL, "there is a 0 byte on the line");
		if (rc < 0) {
			error_prefix(err, "%s:%u", path, number);
			return rc;
		}
		tick(number, &last_ns);
	}
	return 0;
}

int config_load_file(const char *path, struct error *err)
{
	static unsigned int nested;
	char *text = NULL;
	ssize_t len;
	int fd, rc;

	if (nested == NESTED_MAX)
		return error_set(err, ELOOP, "\"%s\": more than %d files load one another", path,
				 NESTED_MAX);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return read_failed(path, err);
	len = read_whole(fd, &text);
	if (len < 0) {
		rc = read_failed(path, err);
		close(fd);
		return rc;
	}
	close(fd);
	nested++;
	rc = load_text(path, text, (size_t)len, err);
	nested--;
	free(text);
	return rc;
}

static int write_whole(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n < 0)
			return -1;
	}
	return fsync(fd);
}

/* The file beside path that is to take its name. */
static int write_beside(const char *path, const struct output *o, char *temporary, size_t size)
{
	struct stat old;
	mode_t mode = stat(path, &old) == 0 ? old.st_mode & 0777 : 0644;
	int fd, rc;

	if ((size_t)snprintf(temporary, size, "%s.XXXXXX", path) >= size) {
		errno = ENAMETOOLONG;
		temporary[0] = 0;
		return -1;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		temporary[0] = 0;
		return -1;
	}
	rc = write_whole(fd, o->data, o->len);
	if (fchmod(fd, mode) < 0)
		rc = -1;
	if (close(fd) < 0)
		rc = -1;
	return rc;
}

static int save(const char *path, const struct output *o, struct error *err)
{
	char target[PATH_MAX], temporary[PATH_MAX + 8];
	int code;

	if (!realpath(path, target))
		snprintf(target, sizeof(target), "%s", path);
	if (write_beside(target, o, temporary, sizeof(temporary)) == 0 &&
	    rename(temporary, target) == 0)
		return 0;
	code = errno;
	if (temporary[0])
		unlink(temporary);
	return error_set(err, code, "can not write \"%s\": %s", path, strerror(code));
}

int config_save_file(const char *path, struct error *err)
{
	struct output o = {.limit = FILE_BYTES_MAX};
	int rc;

	out_text(&o, "# millrace configuration; see docs/commands.md\n");
	config_show(&o);
	rc = o.full ? error_set(err, ENOMEM, "there is no memory for the configuration") :
		      save(path, &o, err);
	out_free(&o);
	return rc;
}
