/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading and saving. A file is read as a whole and cut into words in place; it is replaced by
 * writing another beside it that takes its name, so that a crash leaves the old one or the new.
 */
#include "control/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/command.h"
#include "control/tick.h"
#include "control/words.h"
#include "core/log.h"
#include "ipv4/filter.h"

#define NESTED_MAX 8              /* files that load files */
#define FILE_BYTES_MAX (1ULL << 30)

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

static int load_line(char *line, struct error *err)
{
	const char *argv[WORDS_MAX];
	int argc = words_split(line, argv);

	if (argc < 0)
		return error_set(err, EINVAL, "%s", words_error_text(argc));
	return argc ? command_run(argc, argv, NULL, err) : 0;
}

static int load_lines(const char *path, char *text, size_t len, struct error *err)
{
	char *line = text, *end = text + len, *next;
	unsigned int number = 0;
	struct tick t;
	int rc;

	tick_start(&t);
	for (; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : end;
		*next++ = 0;
		number++;
		rc = strlen(line) + 1 == (size_t)(next - line) ?
			     load_line(line, err) :
			     error_set(err, EINVAL, "there is a 0 byte on the line");
		if (rc == -ENXIO) {
			/* saved with more workers: what polls the queue now goes on to do so */
			log_warning("%s:%u: %s", path, number, err->text);
			rc = 0;
		}
		if (rc >= 0 && !tick(&t))
			rc = error_set(err, EINTR, "millrace is to end");
		if (rc < 0) {
			error_prefix(err, "%s:%u", path, number);
			return rc;
		}
	}
	return 0;
}

/* What was not refused stays, so rules take effect in any case. */
static int load_text(const char *path, char *text, size_t len, struct error *err)
{
	struct error filter_err;
	int rc, filter_rc;

	filter_hold();
	rc = load_lines(path, text, len, err);
	filter_rc = filter_release(rc ? &filter_err : err);
	return rc ? rc : filter_rc;
}

/* A file, or what is as soon over as /dev/null; a pipe would be waited for. */
static int open_file(const char *path, struct error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return read_failed(path, err);
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISBLK(st.st_mode))) {
		close(fd);
		return error_set(err, EINVAL, "\"%s\" is not a regular file", path);
	}
	return fd;
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
	fd = open_file(path, err);
	if (fd < 0)
		return fd;
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

/* The file beside path that is to take its name, and be as the old one was. */
static int write_beside(const char *path, const struct stat *old, const struct output *o,
			char *temporary, size_t size)
{
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
	if (old && fchown(fd, old->st_uid, old->st_gid) < 0)
		rc = -1;
	if (fchmod(fd, old ? old->st_mode & 0777 : 0644) < 0)
		rc = -1;
	if (close(fd) < 0)
		rc = -1;
	return rc;
}

/* Symbolic links stay, and what they lead to is replaced, if it is a file. */
static int save(const char *path, const struct output *o, struct error *err)
{
	char target[PATH_MAX], temporary[PATH_MAX + 8];
	struct stat old;
	bool there = stat(path, &old) == 0;
	int code;

	if (there && !S_ISREG(old.st_mode))
		return error_set(err, S_ISDIR(old.st_mode) ? EISDIR : EINVAL,
				 "can not write \"%s\": it is not a regular file", path);
	if (!there && lstat(path, &old) == 0)
		return error_set(err, ENOENT, "can not write \"%s\": it is a symbolic link to "
				 "what is not there", path);
	if (!realpath(path, target))
		snprintf(target, sizeof(target), "%s", path);
	if (write_beside(target, there ? &old : NULL, o, temporary, sizeof(temporary)) == 0 &&
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
