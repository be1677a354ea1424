/* SPDX-License-Identifier: BSD-3-Clause */
/* Benchmarks of the parts. Each prints its figures beside those of a peer measured in the same
 * run, alternately with it, for the machine's speed is not the same from one second to the next.
 */
#ifndef MILLBENCH_BENCH_H
#define MILLBENCH_BENCH_H

#include <stddef.h>

/* argv[0] is the benchmark's name. Return the exit status: 2 if an argument is not one of it,
 * before anything is measured. */
int bench_fib(int argc, char **argv);
int bench_forward(int argc, char **argv);
int bench_neighbour(int argc, char **argv);
int bench_reassemble(int argc, char **argv);
int bench_fragment(int argc, char **argv);

/* Of n values; sorts them. */
double bench_median(double *v, size_t n);

/* An argument that is refused: `"WORD" WHY` on stderr. The caller says how to call it. */
void bench_wrong(const char *word, const char *why);

/* A whole number from min to max, or -1: it is none, as is said on stderr; what names it there. */
long bench_number(const char *word, const char *what, long min, long max);

/* --plant NAME: which of the n faults that a benchmark can make on purpose it is, from 1 on. 0:
 * none of them, as is said on stderr. names[0] is not used. */
unsigned int bench_fault(const char *name, const char *const *names, unsigned int n);

#endif
