/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See pcap_file.h. net_pcap looks at none of this: it empties a file that it writes while another
 * link reads it, takes what is no Ethernet frame for one, ends at a record that is cut short as at
 * the end, and counts as sent what found no room on the disk. A record that is cut short is no
 * reason to refuse the others: it is how a capture ends whose program was killed.
 */
#include "link/pcap_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_byteorder.h>

#include "core/log.h"

#define FILE_HEADER 24
#define RECORD_HEADER 16
#define CAPTURED_MAX 262144             /* libpcap takes no more for a packet */
#define LINKTYPE_ETHERNET 1
#define LINKTYPE_MASK 0x03ffffff        /* above it: whether frames have their FCS */
#define WALK_BYTES_MAX (256u << 20)     /* looking through more would hold control up */

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

static uint32_t word_at(const uint8_t *p, bool swapped)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return swapped ? rte_bswap32(word) : word;
}

/* The number of the first packet that is not there as a whole, 0: all are. */
static uint64_t walk(const uint8_t *p, size_t size, bool swapped)
{
	size_t at = FILE_HEADER, captured;
	uint64_t number = 0;

	while (at < size) {
		number++;
		if (size - at < RECORD_HEADER)
			return number;
		captured = word_at(p + at + 8, swapped);
		at += RECORD_HEADER;
		if (captured > CAPTURED_MAX || captured > size - at)
			return number;
		at += captured;
	}
	return 0;
}

/* Of the first interface of a pcapng file; Ethernet if it does not say. */
static uint32_t pcapng_type(const uint8_t *p, size_t size)
{
	bool swapped = word_at(p + 8, false) == 0x4d3c2b1a;
	uint64_t at = word_at(p + 4, swapped);
	uint16_t type;

	if (at > size - 12 || word_at(p + at, swapped) != 1)
		return LINKTYPE_ETHERNET;
	memcpy(&type, p + at + 8, sizeof(type));
	return swapped ? rte_bswap16(type) : type;
}

static int check_content(const char *path, const uint8_t *p, size_t size, struct error *err)
{
	uint32_t magic = size >= FILE_HEADER ? word_at(p, false) : 0, type;
	bool swapped = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
	bool pcapng = magic == 0x0a0d0d0a;
	uint64_t cut;

	if (!swapped && !pcapng && magic != 0xa1b2c3d4 && magic != 0xa1b23c4d)
		return 0;       /* the driver says what is wrong */
	type = pcapng ? pcapng_type(p, size) : word_at(p + 20, swapped) & LINKTYPE_MASK;
	if (type != LINKTYPE_ETHERNET)
		return error_set(err, EINVAL, "devargs: \"%s\" does not hold Ethernet frames but "
				 "packets of link type %u%s", path, type,
				 type == 101 ? ", raw IP" : type == 113 || type == 276 ?
				 ", as captured on Linux's \"any\"" : "");
	cut = !pcapng && size <= WALK_BYTES_MAX ? walk(p, size, swapped) : 0;
	if (cut)
		log_warning("\"%s\" is cut short: packet %" PRIu64 " and what may follow is not "
			    "there", path, cut);
	return 0;
}

static int check_read(const struct named *n, struct error *err)
{
	int fd = n->st.st_mode && n->st.st_size ? open(n->path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = MAP_FAILED;
	int rc = 0;

	if (fd >= 0)
		p = mmap(NULL, (size_t)n->st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p != MAP_FAILED) {
		rc = check_content(n->path, p, (size_t)n->st.st_size, err);
		munmap(p, (size_t)n->st.st_size);
	}
	if (fd >= 0)
		close(fd);
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
