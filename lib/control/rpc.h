/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON-RPC 2.0: one request (or an array of them) a line, answered by one line. The methods:
 *
 *   run       {"argv": ["route","show"], "format": "json"|"text", "abbreviate": false}
 *             What `millctl -j` prints, null if that is nothing; for "text" what millctl prints,
 *             as a string. With "live": true, what text there is of a command that takes a while
 *             comes before its answer, in lines of {"method": "output", "params": {"id": that of
 *             the request, "text": "..."}}; the answer has the rest.
 *             A result that is not what was hoped for, as of ping where nobody answers, is in an
 *             error, whose data has it as "result".
 *             "directory": "/home/me" is where relative paths in the words begin; without it they
 *             are refused.
 *   batch     {"commands": [["route","add",...], ...], "format": ..., "directory": ...,
 *             "force": false}
 *             An array with {"result": ...} or {"error": {...}} for each command that was run;
 *             it ends with the first error unless forced, and when it grows too long.
 *   complete  {"argv": ["route","ad"]}
 *             {"candidates": [{"word": "add", "help": "..."}]} for the last word.
 *   stop      As the next line behind that of a command that takes a while: it ends, and is
 *             answered with what there is. Otherwise nothing happens. The result is null.
 */
#ifndef CONTROL_RPC_H
#define CONTROL_RPC_H

#include "control/output.h"

enum rpc_error {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_REFUSED = -32000,   /* the command was understood and refused */
	RPC_USAGE = -32001,     /* the words are not a command */
	RPC_LIMIT = -32002,     /* a bound of the server */
};

#define RPC_REQUESTS_MAX 64     /* requests in an array */
#define RPC_COMMANDS_MAX 1024   /* commands in a batch */

/* Handle one line and append the answer to o, nothing for a notification. Nothing either while a
 * command goes on that takes a while: *o->job is not NULL then, and the line is to be handled again
 * (job.h). */
void rpc_handle(const char *line, size_t len, struct output *o);

/* Is this line a request for `stop`? */
bool rpc_is_stop(const char *line, size_t len);

/* An error that belongs to no request. */
void rpc_answer_error(struct output *o, enum rpc_error code, const char *text);

#endif
