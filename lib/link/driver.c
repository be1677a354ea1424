/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading driver profiles with rte_cfgfile; see driver.h. They are looked for in the directory
 * that the environment variable MILLRACE_DRIVERS_CONFIG names, then where they are installed,
 * then in the source tree that this was built from.
 */
#include "link/driver.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_cfgfile.h>
#include <rte_common.h>

#define SECTION "driver"
#define PROFILES_MAX 64

static struct driver_profile *profiles[PROFILES_MAX];
static unsigned int n_profiles;

static const struct driver_profile defaults = {
	.rxq = RXQ_WORKERS,
	.tx_queue_len = 512,
	.refer_bytes = 640,
};

enum key_type { KEY_NUMBER, KEY_QUEUES, KEY_CHOICE, KEY_BOOL, KEY_WORD };

static const struct key {
	const char *name;
	enum key_type type;
	size_t offset;
	unsigned int max;
} keys[] = {
	{"rxq", KEY_QUEUES, offsetof(struct driver_profile, rxq), 1024},
	{"rxd", KEY_NUMBER, offsetof(struct driver_profile, rxd), 32768},
	{"txd", KEY_NUMBER, offsetof(struct driver_profile, txd), 32768},
	{"tx_queue_len", KEY_NUMBER, offsetof(struct driver_profile, tx_queue_len), 65536},
	{"multi_seg", KEY_CHOICE, offsetof(struct driver_profile, multi_seg), 0},
	{"tx_segs", KEY_NUMBER, offsetof(struct driver_profile, tx_segs), UINT16_MAX},
	{"shared_mbufs", KEY_CHOICE, offsetof(struct driver_profile, shared_mbufs), 0},
	{"refer_bytes", KEY_NUMBER, offsetof(struct driver_profile, refer_bytes), 65535},
	{"rx_checksum", KEY_CHOICE, offsetof(struct driver_profile, rx_checksum), 0},
	{"soft_mtu", KEY_BOOL, offsetof(struct driver_profile, soft_mtu), 0},
	{"mtu_max", KEY_NUMBER, offsetof(struct driver_profile, mtu_max), 65535},
	{"rx_buffer_arg", KEY_WORD, offsetof(struct driver_profile, rx_buffer_arg),
	 sizeof(((struct driver_profile *)0)->rx_buffer_arg) - 1},
	{"keep_running", KEY_BOOL, offsetof(struct driver_profile, keep_running), 0},
	{"rx_file", KEY_BOOL, offsetof(struct driver_profile, rx_file), 0},
};

static int word_index(const char *value, const char *const *words, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(value, words[i]))
			return (int)i;
	return -1;
}

static int number_parse(const char *value, unsigned int max, unsigned int *to)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || end == value || *end || *value == '-' || n > max)
		return -EINVAL;
	*to = (unsigned int)n;
	return 0;
}

static int key_set(struct driver_profile *p, const struct key *k, const char *value,
		   struct error *err)
{
	static const char *const choices[] = {"auto", "yes", "no"};
	static const char *const bools[] = {"no", "yes"};
	void *to = (char *)p + k->offset;
	int i;

	switch (k->type) {
	case KEY_QUEUES:
		if (!strcmp(value, "workers") || !strcmp(value, "all")) {
			*(unsigned int *)to = *value == 'w' ? RXQ_WORKERS : RXQ_ALL;
			return 0;
		}
		if (number_parse(value, k->max, to))
			return error_set(err, EINVAL,
					 "%s: \"%s\" is not \"workers\", \"all\" or a number "
					 "from 1 to %u", k->name, value, k->max);
		return 0;
	case KEY_NUMBER:
		if (number_parse(value, k->max, to))
			return error_set(err, EINVAL, "%s: \"%s\" is not a number from 0 to %u",
					 k->name, value, k->max);
		return 0;
	case KEY_CHOICE:
		i = word_index(value, choices, RTE_DIM(choices));
		if (i < 0)
			return error_set(err, EINVAL, "%s: \"%s\" is not auto, yes or no",
					 k->name, value);
		*(enum profile_choice *)to = (enum profile_choice)i;
		return 0;
	case KEY_BOOL:
		i = word_index(value, bools, RTE_DIM(bools));
		if (i < 0)
			return error_set(err, EINVAL, "%s: \"%s\" is not yes or no", k->name,
					 value);
		*(bool *)to = i;
		return 0;
	case KEY_WORD:
		if (strlen(value) > k->max)
			return error_set(err, EINVAL, "%s: \"%s\" is longer than %u characters",
					 k->name, value, k->max);
		strcpy(to, value);
		return 0;
	}
	return -EINVAL;
}

static int entry_apply(struct driver_profile *p, const struct rte_cfgfile_entry *e,
		       struct error *err)
{
	for (unsigned int i = 0; i < RTE_DIM(keys); i++)
		if (!strcmp(keys[i].name, e->name))
			return key_set(p, &keys[i], e->value, err);
	return error_set(err, EINVAL, "\"%s\" is not a key of a driver profile", e->name);
}

/* rte_cfgfile passes over a line that says nothing to it. */
static int lines_check(const char *path, struct error *err)
{
	FILE *file = fopen(path, "re");
	unsigned int number = 0;
	char line[1024], *text;
	int rc = 0;

	while (file && !rc && fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "#\r\n")] = '\0';
		text = line + strspn(line, " \t");
		if (*text && *text != '[' && !strchr(text, '='))
			rc = error_set(err, EINVAL, "%s:%u: \"%s\" is not KEY = VALUE", path,
				       number, text);
	}
	if (file)
		fclose(file);
	return rc;
}

static int profile_read(struct driver_profile *p, const char *path, struct error *err)
{
	const struct rte_cfgfile_parameters params = {.comment_character = '#'};
	struct rte_cfgfile *file = rte_cfgfile_load_with_params(path, 0, &params);
	struct rte_cfgfile_entry entries[RTE_DIM(keys) + 16];
	int n, rc = 0;

	if (!file)
		return error_set(err, EINVAL, "%s: not a valid INI file", path);
	if (rte_cfgfile_num_sections(file, SECTION, strlen(SECTION)) != 1) {
		rte_cfgfile_close(file);
		return error_set(err, EINVAL, "%s: there must be one section [%s]", path, SECTION);
	}
	n = rte_cfgfile_section_entries(file, SECTION, entries, RTE_DIM(entries));
	for (int i = 0; i < n && !rc; i++)
		rc = entry_apply(p, &entries[i], err);
	rte_cfgfile_close(file);
	if (rc)
		error_prefix(err, "%s", path);
	return rc;
}

static int directory_check(struct error *err)
{
	const char *dir = getenv("MILLRACE_DRIVERS_CONFIG");
	struct stat st;

	if (!dir || !dir[0] || (!stat(dir, &st) && S_ISDIR(st.st_mode)))
		return 0;
	return error_set(err, ENOTDIR, "MILLRACE_DRIVERS_CONFIG: \"%s\" is not a directory", dir);
}

/* The path of a driver's profile; false: there is none. */
static bool profile_path(const char *driver, char path[PATH_MAX])
{
	const char *const dirs[] = {getenv("MILLRACE_DRIVERS_CONFIG"), MILLRACE_DRIVERS_CONFIG,
				    MILLRACE_DRIVERS_CONFIG_SOURCE};

	for (unsigned int i = 0; i < RTE_DIM(dirs); i++) {
		if (!dirs[i] || !dirs[i][0])
			continue;
		snprintf(path, PATH_MAX, "%s/%s.ini", dirs[i], driver);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

const struct driver_profile *driver_profile_get(const char *driver, struct error *err)
{
	char path[PATH_MAX];
	struct driver_profile *p;

	for (unsigned int i = 0; i < n_profiles; i++)
		if (!strcmp(profiles[i]->driver, driver))
			return profiles[i];
	p = n_profiles < PROFILES_MAX ? malloc(sizeof(*p)) : NULL;
	if (!p) {
		error_set(err, ENOMEM, "no room for the profile of driver %s", driver);
		return NULL;
	}
	*p = defaults;
	snprintf(p->driver, sizeof(p->driver), "%s", driver);
	if (directory_check(err) ||
	    (profile_path(driver, path) &&
	     (lines_check(path, err) || profile_read(p, path, err)))) {
		free(p);
		return NULL;
	}
	profiles[n_profiles++] = p;
	return p;
}

void driver_profiles_free(void)
{
	while (n_profiles)
		free(profiles[--n_profiles]);
}
