/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and sentences of the drop reasons; see drop.h. */
#include "core/drop.h"

static const char *const names[] = {
#define X(name, text) #name,
	DROP_REASONS(X)
#undef X
};

static const char *const texts[] = {
#define X(name, text) text,
	DROP_REASONS(X)
#undef X
};

const char *drop_name(enum drop_reason reason)
{
	return names[reason];
}

const char *drop_text(enum drop_reason reason)
{
	return texts[reason];
}
