/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: lines as they come over the socket. An answer is one line of JSON within the
 * limit, and has an id and either a result or an error.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../unit/stub_rooms.h"
#include "control/rpc.h"
#include "rooms.h"

#define ANSWER_BYTES_MAX (64u << 10)

static void check_one(const json_t *answer)
{
	if (!json_is_object(answer) || !json_object_get(answer, "id") ||
	    !json_object_get(answer, "result") == !json_object_get(answer, "error"))
		abort();
}

static void check(const struct output *o)
{
	json_t *json;

	if (!o->len)
		return;
	if (o->data[o->len - 1] != '\n' || memchr(o->data, '\n', o->len - 1))
		abort();
	json = json_loadb(o->data, o->len, 0, NULL);
	if (!json)
		abort();
	for (size_t i = 0; i < json_array_size(json); i++)
		check_one(json_array_get(json, i));
	if (!json_is_array(json))
		check_one(json);
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size)
{
	const char *at = (const char *)data, *end = at + size;

	stub_reset();
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct output o = {.limit = ANSWER_BYTES_MAX};
		char *line;

		stop = stop ? stop : end;
		line = malloc((size_t)(stop - at));  /* so that ASan knows where it ends */
		if (!line)
			return 0;
		memcpy(line, at, (size_t)(stop - at));
		rpc_handle(line, (size_t)(stop - at), &o);
		if (!o.full)
			check(&o);
		out_free(&o);
		free(line);
		at = stop + 1;
	}
	return 0;
}
