/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXAMPLES_PROTOCOL_H
#define EXAMPLES_PROTOCOL_H

/* Register the example; after ip_init(), before the workers start. 0 or a negative errno. */
int example_init(void);

#endif
