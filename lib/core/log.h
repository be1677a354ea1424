/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Logging: lines on stderr, and what DPDK says on the way to an error.
 *
 * DPDK explains a failure only in its log. log_open() takes that log over: lines are printed when
 * verbose, and the latest are remembered, so that an error can end in the driver's own words and
 * the operator still reads one line.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_LINE_BYTES 1024

/* Before rte_eal_init. verbose: DPDK's log goes to stderr as well. */
int log_open(bool verbose);
void log_close(void);

/* Forget what was remembered. */
void log_mark(void);
/* The first line since log_mark() that reads like the cause of an error, else the last one; ""
 * if there was none. Valid until the next log_mark(). */
const char *log_cause(void);

/* One line for the operator, on stderr: "millrace: ...". Control thread only. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
