/* SPDX-License-Identifier: MIT */
/*
 * json writes JSON, and reads none.
 *
 * Why is it our own? The tools only ever write, and a JSON library would be their one dependency
 * beside libc on guests from Debian 11 to sid. This file keeps track of commas and indentation. It
 * escapes strings, and bytes that are not UTF-8 become '?', so that the output is valid whatever a
 * driver calls itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	bool one_line; /* It leaves newlines out, for a port that carries one line per report. */
	/* These are private. `filled` says that the innermost object or array has a member already.
	 */
	unsigned depth;
	bool filled;
};

/* `name` must be NULL inside an array and at the top. */
void json_object(struct json *json, const char *name);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *name);
void json_array_end(struct json *json);
/* A NULL text is written as null. */
void json_string(struct json *json, const char *name, const char *text);
void json_integer(struct json *json, const char *name, int64_t value);
/* Infinity and not-a-number become null. */
void json_number(struct json *json, const char *name, double value);
void json_bool(struct json *json, const char *name, bool value);
