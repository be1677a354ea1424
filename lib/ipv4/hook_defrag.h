/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments put together before they are routed; net.millrace.defrag. */
#ifndef IPV4_HOOK_DEFRAG_H
#define IPV4_HOOK_DEFRAG_H

/* The setting, off at the start. Control thread, after defrag_init(). 0 or a negative errno. */
int hook_defrag_init(void);

#endif
