/* SPDX-License-Identifier: BSD-3-Clause */
/* A broken invariant: say which one and abort, which a fuzzer takes for a crash. */
#ifndef FUZZ_FAIL_H
#define FUZZ_FAIL_H

#include <stdint.h>

#include <rte_mbuf.h>

/* Print "fuzz: ...", with what note_frame() remembered, and abort. */
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The frames that went in last, printed by fail(). Takes a copy. */
void note_frame(unsigned int link, const struct rte_mbuf *m);
void note_forget(void);

/* Print a packet's bytes. */
void print_mbuf(const char *what, const struct rte_mbuf *m);

#endif
