/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See pcap_file.h. net_pcap looks at none of this: it empties a file that it writes while another
 * link reads it, takes what is no Ethernet frame for one, ends at a record that is cut short as at
 * the end, and counts as sent what found no room on the disk. A record that is cut short is no
 * reason to refuse the others: it is how a capture ends whose program was killed.
 */
#include "link/pcap_file.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <pcap/pcap.h>

#include "core/log.h"

#define FILE_HEADER 24
#define RECORD_HEADER 16
#define WALK_BYTES_MAX (256 << 20)      /* looking through more would hold control up */

/* A word of devargs that names a file. */
struct named {
	const char *at;                 /* in devargs; NULL: before the first */
	bool written;
	char path[PATH_MAX];
	struct stat st;                 /* st_mode 0: no regular file */
};

/* The next one. */
static bool next_named(const char *devargs, struct named *n)
{
	static const char rx[] = ",rx_pcap=", tx[] = ",tx_pcap=";
	const char *p = strchr(n->at ? n->at + 1 : devargs, ',');

	while (p && strncmp(p, rx, strlen(rx)) && strncmp(p, tx, strlen(tx)))
		p = strchr(p + 1, ',');
	if (!p)
		return false;
	n->at = p;
	n->written = p[1] == 't';
	p += strlen(rx);
	snprintf(n->path, sizeof(n->path), "%.*s", (int)strcspn(p, ","), p);
	if (stat(n->path, &n->st) || !S_ISREG(n->st.st_mode))
		n->st.st_mode = 0;
	return true;
}

/* Is the file among those of a link (of NULL: behind it in the same devargs)? */
static int check_use(const struct named *n, const char *devargs, const char *link,
		     struct error *err)
{
	struct named other = {.at = link ? NULL : n->at};

	while (n->st.st_mode && next_named(devargs, &other)) {
		if (!other.st.st_mode || (!n->written && !other.written) ||
		    n->st.st_dev != other.st.st_dev || n->st.st_ino != other.st.st_ino)
			continue;
		if (!link)
			return error_set(err, EINVAL, "devargs: \"%s\" would be %s", other.path,
					 n->written && other.written ? "written twice"
								     : "read and written");
		return error_set(err, EINVAL, "devargs: \"%s\" can not be %s, as link %s %s it",
				 n->path, n->written ? "written" : "read", link,
				 other.written ? "writes" : "reads");
	}
	return 0;
}

static int check_content(const char *path, pcap_t *p, off_t size, struct error *err)
{
	int type = pcap_datalink(p), rc = PCAP_ERROR_BREAK;
	const char *name = pcap_datalink_val_to_name(type);
	const char *description = pcap_datalink_val_to_description_or_dlt(type);
	struct pcap_pkthdr *header;
	const uint8_t *data;
	uint64_t number = 0;

	if (type != DLT_EN10MB)
		return error_set(err, EINVAL, "devargs: \"%s\" does not hold Ethernet frames but "
				 "packets of link type %s (%s)", path, name ? name : "unknown",
				 description);
	if (size <= WALK_BYTES_MAX)
		do {
			number++;
			rc = pcap_next_ex(p, &header, &data);
		} while (rc == 1);
	if (rc == PCAP_ERROR)
		log_warning("\"%s\" can not be read whole: packet %" PRIu64 " and what may follow "
			    "is not there (%s)", path, number, pcap_geterr(p));
	return 0;
}

/* Of what is no capture file at all the driver says what is wrong. */
static int check_read(const struct named *n, struct error *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	pcap_t *p = n->st.st_mode ? pcap_open_offline(n->path, reason) : NULL;
	int rc = p ? check_content(n->path, p, n->st.st_size, err) : 0;

	if (p)
		pcap_close(p);
	return rc;
}

int pcap_files_check(const char *devargs, struct error *err)
{
	struct named n = {0};
	int rc = 0;

	while (!rc && next_named(devargs, &n)) {
		rc = check_use(&n, devargs, NULL, err);
		for (unsigned int i = 1; !rc && i < LINKS_MAX; i++)
			if (links[i])
				rc = check_use(&n, links[i]->devargs, links[i]->name, err);
		if (!rc && !n.written)
			rc = check_read(&n, err);
	}
	return rc;
}

bool pcap_files_complete(const char *devargs, uint64_t packets, uint64_t bytes)
{
	uint64_t expected = packets * RECORD_HEADER + bytes, found = 0;
	char path[PATH_MAX] = "";
	struct named n = {0};

	while (next_named(devargs, &n)) {
		if (!n.written)
			continue;
		if (!n.st.st_mode)
			return true;    /* a pipe, or /dev/null, or it was taken away */
		expected += FILE_HEADER;
		found += (uint64_t)n.st.st_size;
		snprintf(path, sizeof(path), "%s", n.path);
	}
	if (!path[0] || found >= expected)
		return true;
	log_error("\"%s\" lacks %" PRIu64 " of %" PRIu64 " bytes that were sent to it (is the disk "
		  "full?)", path, expected - found, expected);
	return false;
}
