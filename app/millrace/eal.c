/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting DPDK's EAL; see eal.h. The operator should not have to know its arguments: lcores come
 * from the number of workers and the CPUs that this process may use, memory from hugepages where
 * there are any, and no PCI device is touched before a `link add` names it.
 */
#include "eal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "core/log.h"
#include "core/worker.h"

#define ARGS_MAX 128
#define HUGE_BYTES_MIN (64ull << 20)
#define NO_HUGE_MEGABYTES "1024"

/* Is DPDK a part of this program? Another driver would bring another DPDK along. */
#ifdef MILLRACE_DPDK_STATIC
#define DRIVERS_INSIDE true
#else
#define DRIVERS_INSIDE false
#endif

struct args {
	int argc;
	char *argv[ARGS_MAX];
	char lcores[32 * (WORKERS_MAX + 1)];
};

static int lock_fd = -1;

static void add(struct args *a, const char *word)
{
	if (a->argc < ARGS_MAX - 1)
		a->argv[a->argc++] = (char *)(uintptr_t)word;
}

/* Did the operator give one of these (a list of words, NULL at the end)? */
static bool given(const struct options *o, const char *const *words)
{
	for (int i = 0; i < o->eal_argc; i++)
		for (const char *const *w = words; *w; w++) {
			size_t n = strlen(*w);
			bool longer = (*w)[1] == '-' ? o->eal_argv[i][n] == '=' : true;

			if (!strncmp(o->eal_argv[i], *w, n) && (!o->eal_argv[i][n] || longer))
				return true;
		}
	return false;
}

static unsigned int cpus_allowed(unsigned int *cpus, unsigned int max)
{
	cpu_set_t set;
	unsigned int n = 0;

	if (sched_getaffinity(0, sizeof(set), &set)) {
		cpus[0] = 0;
		return 1;
	}
	for (unsigned int i = 0; i < CPU_SETSIZE && n < max; i++)
		if (CPU_ISSET(i, &set))
			cpus[n++] = i;
	return n;
}

/* lcore 0 is the control thread, on the first CPU; workers go round the others. */
static void lcores_choose(struct args *a, const struct options *o)
{
	static const char *const words[] = {"-l", "-c", "--lcores", "-S", NULL};
	unsigned int cpus[CPU_SETSIZE], n = cpus_allowed(cpus, CPU_SETSIZE);
	unsigned int n_workers = o->workers ? o->workers : 1;
	int at;

	if (given(o, words))
		return;
	at = snprintf(a->lcores, sizeof(a->lcores), "0@%u", cpus[0]);
	if (o->time == CLOCK_PACKET || (n == 1 && n_workers == 1))
		n_workers = 0;
	for (unsigned int i = 0; i < n_workers; i++)
		at += snprintf(a->lcores + at, sizeof(a->lcores) - (size_t)at, ",%u@%u", i + 1,
			       n > 1 ? cpus[1 + i % (n - 1)] : cpus[0]);
	add(a, "--lcores");
	add(a, a->lcores);
}

static unsigned long long number_in(const char *dir, const char *file)
{
	char path[512];
	unsigned long long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static unsigned long long huge_bytes_free(void)
{
	static const char top[] = "/sys/kernel/mm/hugepages";
	unsigned long long sum = 0, kilobytes;
	DIR *d = opendir(top);

	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));) {
		char path[300];

		if (sscanf(e->d_name, "hugepages-%llukB", &kilobytes) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", top, e->d_name);
		sum += number_in(path, "free_hugepages") * kilobytes * 1024;
	}
	closedir(d);
	return sum;
}

static bool huge_mount_usable(void)
{
	FILE *f = setmntent("/proc/self/mounts", "r");
	bool usable = false;

	if (!f)
		return false;
	for (struct mntent *e; (e = getmntent(f));)
		if (!strcmp(e->mnt_type, "hugetlbfs") && !access(e->mnt_dir, W_OK))
			usable = true;
	endmntent(f);
	return usable;
}

static void memory_choose(struct args *a, const struct options *o)
{
	static const char *const words[] = {"--no-huge", "-m", "--socket-mem", "--huge-dir",
					    "--in-memory", "--legacy-mem", "--single-file-segments",
					    NULL};
	static const char *const small[] = {"--no-huge", NULL};
	static const char *const enough[] = {"-m", "--socket-mem", "--legacy-mem", NULL};

	if (given(o, small) && !given(o, enough)) {     /* the EAL's own choice is 64 MB */
		add(a, "-m");
		add(a, NO_HUGE_MEGABYTES);
	}
	if (given(o, words))
		return;
	if (huge_bytes_free() < HUGE_BYTES_MIN) {
		log_info("no hugepages are free: running on ordinary memory");
		add(a, "--no-huge");
		add(a, "-m");
		add(a, NO_HUGE_MEGABYTES);
	} else if (!huge_mount_usable()) {
		add(a, "--in-memory");
	}
}

static void devices_choose(struct args *a, const struct options *o)
{
	static const char *const words[] = {"-a", "--allow", "-b", "--block", "--no-pci", NULL};

	if (given(o, words))
		return;
	/* an allow list that no device is on: links name their devices later */
	add(a, "-a");
	add(a, "0000:00:00.0");
}

/* The EAL lets only one process have a file prefix, but not with --in-memory. */
static int prefix_lock(const struct options *o, struct error *err)
{
	static const char *const words[] = {"--in-memory", "--no-shconf", NULL};
	const char *dir = rte_eal_get_runtime_dir();
	char path[512];

	if (given(o, words) || !dir[0])
		return 0;
	snprintf(path, sizeof(path), "%s/millrace.lock", dir);
	lock_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (lock_fd < 0)
		return 0;
	if (!flock(lock_fd, LOCK_EX | LOCK_NB))
		return 0;
	close(lock_fd);
	lock_fd = -1;
	return error_set(err, EBUSY,
			 "another process runs with DPDK's file prefix %s; give one of them "
			 "another (-- --file-prefix NAME)",
			 strrchr(dir, '/') ? strrchr(dir, '/') + 1 : dir);
}

/* Turn a stream away to /dev/null; returns what brings it back, or -1. */
static int silence(FILE *stream)
{
	int saved = dup(fileno(stream)), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(stream);
	if (saved >= 0 && null >= 0)
		dup2(null, fileno(stream));
	if (null >= 0)
		close(null);
	return saved;
}

static void restore(FILE *stream, int saved)
{
	fflush(stream);
	if (saved < 0)
		return;
	dup2(saved, fileno(stream));
	close(saved);
}

/* The EAL prints its usage on stdout when an argument is wrong, and a line of its own on stderr;
 * one line is enough, and it comes from the log. */
static int eal_init_quietly(struct args *a, bool verbose)
{
	int out, err, rc;

	if (verbose)
		return rte_eal_init(a->argc, a->argv);
	out = silence(stdout);
	err = silence(stderr);
	rc = rte_eal_init(a->argc, a->argv);
	restore(stderr, err);
	restore(stdout, out);
	return rc;
}

static int eal_error(int code, struct error *err)
{
	const char *cause = log_cause();

	if (strstr(cause, "Is another primary process running"))
		return error_set(err, code,
				 "another process runs with this DPDK file prefix; give one of "
				 "them another (-- --file-prefix NAME)");
	return error_set(err, code, "DPDK does not start: %s",
			 cause[0] ? cause : rte_strerror(code));
}

int eal_start(const struct options *o, struct error *err)
{
	static struct args a;
	int rc, taken;

	if (DRIVERS_INSIDE && given(o, (const char *const[]){"-d", NULL}))
		return error_set(err, EINVAL,
				 "-d: this millrace has DPDK and its drivers inside, and loads no "
				 "others; one that does is built with -Ddpdk=shared");
	add(&a, "millrace");
	lcores_choose(&a, o);
	memory_choose(&a, o);
	devices_choose(&a, o);
	if (o->eal_argc >= ARGS_MAX - a.argc)
		return error_set(err, E2BIG, "more than %d EAL arguments", ARGS_MAX - a.argc - 1);
	for (int i = 0; i < o->eal_argc; i++)
		add(&a, o->eal_argv[i]);
	if (log_open(o->verbose))
		return error_set(err, ENOMEM, "no memory for the log");
	log_mark();
	taken = eal_init_quietly(&a, o->verbose);
	if (taken < 0) {
		rc = eal_error(rte_errno ? rte_errno : EINVAL, err);
		log_close();
		return rc;
	}
	if (taken < a.argc - 1) {
		eal_stop();
		return error_set(err, EINVAL, "\"%s\" is not an EAL argument", a.argv[taken + 1]);
	}
	rc = prefix_lock(o, err);
	if (rc)
		eal_stop();
	return rc;
}

/* The EAL leaves its files of shared state, which nobody can use once this process is gone. */
static void runtime_dir_remove(const char *dir)
{
	static const char *const names[] = {"millrace.lock", "config", "fbarray_", "hugepage_info",
					    "mp_socket", "dpdk_telemetry"};
	DIR *d = opendir(dir);

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));)
		for (unsigned int i = 0; i < RTE_DIM(names); i++)
			if (!strncmp(e->d_name, names[i], strlen(names[i])))
				unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(dir);
}

void eal_stop(void)
{
	rte_eal_cleanup();
	if (lock_fd >= 0) {
		runtime_dir_remove(rte_eal_get_runtime_dir());
		close(lock_fd);
		lock_fd = -1;
	}
	log_close();
}

unsigned int eal_worker_lcores(unsigned int *lcores, unsigned int max)
{
	unsigned int lcore, n = 0;

	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (n == max)
			break;
		lcores[n++] = lcore;
	}
	return n;
}

bool eal_shares_cpu(unsigned int lcore)
{
	rte_cpuset_t own = rte_lcore_cpuset(lcore), other, both;
	unsigned int i;

	RTE_LCORE_FOREACH(i) {
		if (i == lcore)
			continue;
		other = rte_lcore_cpuset(i);
		CPU_AND(&both, &own, &other);
		if (CPU_COUNT(&both))
			return true;
	}
	return false;
}
