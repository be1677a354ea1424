/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See driver_args.h. A driver that is given an argument it does not know opens no device and says
 * nothing. But each has a text in it, for dpdk-pmdinfo.py, that tells of its arguments:
 *     PMD_INFO_STRING= {"name": "net_null", "params": "size=<int> copy=<int> no-rx=0|1", ...}
 * It is looked for in what is loaded, whether drivers are linked in or are shared objects.
 */
#include "link/driver_args.h"

#include <ctype.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAME_MARK "PMD_INFO_STRING= {\"name\": \""
#define PARAMS_MARK "\", \"params\": \""

struct search {
	const char *device;
	const char *name, *params;      /* found; up to the next quotation mark */
	size_t name_len, params_len;
};

/* The text at p, which ends before end, if it is of the device's driver. */
static void take(struct search *s, const char *p, const char *end)
{
	const char *name = p + strlen(NAME_MARK), *params;
	size_t len = strnlen(name, (size_t)(end - name));
	size_t name_len = strcspn(name, "\"");

	if (name_len >= len || name_len <= s->name_len || strncmp(s->device, name, name_len))
		return;
	params = name + name_len;
	if (strncmp(params, PARAMS_MARK, strlen(PARAMS_MARK)))
		return;
	s->name = name;
	s->name_len = name_len;
	s->params = params + strlen(PARAMS_MARK);
	s->params_len = strcspn(s->params, "\"");
}

static int search_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		const char *p = (const char *)(uintptr_t)(info->dlpi_addr + h->p_vaddr);
		const char *end = p + h->p_memsz;

		if (h->p_type != PT_LOAD || !(h->p_flags & PF_R) || (h->p_flags & PF_W))
			continue;
		while ((p = memmem(p, (size_t)(end - p), NAME_MARK, strlen(NAME_MARK)))) {
			take(arg, p, end);
			p++;
		}
	}
	return 0;
}

/* Is "KEY=" in the parameters, and not as the end of another key? */
static bool is_known(const struct search *s, const char *key, size_t len)
{
	for (size_t at = 0; at + len < s->params_len; at++)
		if (!strncmp(s->params + at, key, len) && s->params[at + len] == '=' &&
		    (!at || !(isalnum((unsigned char)s->params[at - 1]) ||
			      strchr("_-", s->params[at - 1]))))
			return true;
	return false;
}

bool driver_args_unknown(const char *device, const char *devargs, char *text, size_t size)
{
	struct search s = {.device = device};
	const char *key = strchr(devargs, ',');
	int depth = 0;
	size_t len;

	dl_iterate_phdr(search_object, &s);
	if (!s.params)
		return false;
	for (; key && *key; key++) {
		depth += (*key == '[') - (*key == ']');
		if (*key != ',' || depth)
			continue;
		len = strcspn(key + 1, "=,");
		if (!len || is_known(&s, key + 1, len))
			continue;
		snprintf(text, size, "; %.*s tells of no \"%.*s\", but of %.*s", (int)s.name_len,
			 s.name, (int)len, key + 1, (int)s.params_len, s.params);
		return true;
	}
	return false;
}
