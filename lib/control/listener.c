/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See listener.h. Two daemons must not share a path, and one that crashed must not bar the next:
 * a path that answers is taken, one that refuses is stale and replaced.
 */
#include "control/listener.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

/* The file that we made. */
static dev_t own_dev;
static ino_t own_ino;

static int failed(const char *what, const char *path, struct error *err)
{
	int code = errno;

	return error_set(err, code, "can not %s \"%s\": %s", what, path, strerror(code));
}

int server_parse_mode(struct server_options *o, const char *text, struct error *err)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (*end || end == text || mode == 0 || mode > 0777)
		return error_set(err, EINVAL, "\"%s\" is not a mode (such as 0660)", text);
	o->mode = (mode_t)mode;
	return 0;
}

/* The number of a user or group, which need not have a name. */
static bool parse_id(const char *text, unsigned int *id)
{
	unsigned long n;

	if (!text[0] || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	n = strtoul(text, NULL, 10);
	*id = (unsigned int)n;
	return !errno && n < UINT32_MAX;
}

static int parse_user(struct server_options *o, const char *name, struct error *err)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw && parse_id(name, &o->uid))
		return 0;
	if (!pw)
		return error_set(err, EINVAL, "there is no user \"%s\"", name);
	o->uid = pw->pw_uid;
	return 0;
}

static int parse_group(struct server_options *o, const char *name, struct error *err)
{
	const struct group *gr = getgrnam(name);

	if (!gr && parse_id(name, &o->gid))
		return 0;
	if (!gr)
		return error_set(err, EINVAL, "there is no group \"%s\"", name);
	o->gid = gr->gr_gid;
	return 0;
}

int server_parse_owner(struct server_options *o, const char *text, struct error *err)
{
	char user[256];
	const char *colon = strchrnul(text, ':');
	int rc = 0;

	snprintf(user, sizeof(user), "%.*s", (int)(colon - text), text);
	if (user[0])
		rc = parse_user(o, user, err);
	if (rc == 0 && *colon)
		rc = parse_group(o, colon + 1, err);
	return rc;
}

static int make_directory(const char *path, struct error *err)
{
	char copy[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const char *directory;

	snprintf(copy, sizeof(copy), "%s", path);
	directory = dirname(copy);
	if (mkdir(directory, 0755) == 0 || errno == EEXIST)
		return 0;
	return failed("make the directory", directory, err);
}

/* 0 if somebody listens there, else why the connection is refused; -1: there is no socket to try it
 * with. */
static int try_connect(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd < 0)
		return -1;
	rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ? 0 : errno;
	close(fd);
	return rc == EAGAIN ? 0 : rc;
}

static int taken(const char *path, struct error *err)
{
	return error_set(err, EADDRINUSE, "another millrace is listening on %s", path);
}

int listener_check(const char *path, struct error *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (strcmp(sun.sun_path, path) || try_connect(&sun))
		return 0;
	return taken(path, err);
}

/* Take away a socket that nobody listens on. */
static int clear_path(const struct sockaddr_un *sun, struct error *err)
{
	struct stat st;
	int rc;

	if (lstat(sun->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : failed("use", sun->sun_path, err);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, EEXIST, "\"%s\" is there and is not a socket", sun->sun_path);
	rc = try_connect(sun);
	if (rc < 0)
		return failed("make a socket for", sun->sun_path, err);
	if (rc == 0)
		return taken(sun->sun_path, err);
	if (rc == ECONNREFUSED && unlink(sun->sun_path) == 0)
		return 0;
	errno = rc == ECONNREFUSED ? errno : rc;
	return failed("take over", sun->sun_path, err);
}

/* Nobody but the owner may connect before mode and owner are as they should be. */
static int bind_private(int fd, const struct sockaddr_un *sun)
{
	mode_t old = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)sun, sizeof(*sun));

	umask(old);
	return rc;
}

static int set_access(const struct server_options *o)
{
	uid_t uid = o->uid ? o->uid : (uid_t)-1;
	gid_t gid = o->gid ? o->gid : (gid_t)-1;

	if ((o->uid || o->gid) && chown(o->path, uid, gid) < 0)
		return -1;
	return chmod(o->path, o->mode);
}

static int open_at(const struct server_options *o, const struct sockaddr_un *sun,
		   struct error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	int rc;

	if (fd < 0)
		return failed("make a socket for", o->path, err);
	if (bind_private(fd, sun) < 0) {
		rc = failed("listen on", o->path, err);
		close(fd);
		return rc;
	}
	if (set_access(o) < 0 || stat(o->path, &st) < 0 || listen(fd, BACKLOG) < 0) {
		rc = failed("listen on", o->path, err);
		close(fd);
		unlink(o->path);
		return rc;
	}
	own_dev = st.st_dev;
	own_ino = st.st_ino;
	return fd;
}

int listener_open(const struct server_options *o, struct error *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int rc;

	if (!o->path[0] || strlen(o->path) >= sizeof(sun.sun_path))
		return error_set(err, ENAMETOOLONG,
				 "\"%s\" can not be a socket's path (1 to %zu characters)", o->path,
				 sizeof(sun.sun_path) - 1);
	strcpy(sun.sun_path, o->path);
	rc = make_directory(o->path, err);
	if (rc == 0)
		rc = clear_path(&sun, err);
	return rc < 0 ? rc : open_at(o, &sun, err);
}

void listener_remove(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_dev == own_dev && st.st_ino == own_ino)
		unlink(path);
}
