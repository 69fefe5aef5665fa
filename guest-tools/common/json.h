/* SPDX-License-Identifier: MIT */
/*
 * json: writes JSON, reads none.
 *
 * Why our own: the tools only ever write, and a JSON library would be their one dependency beside
 * libc on guests from Debian 11 to sid. Commas and indentation are kept here; strings are escaped
 * and bytes that are not UTF-8 become '?', so that whatever a driver calls itself the output is
 * valid.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	bool one_line;  /* no newlines: for a port that carries one line per report */
	unsigned depth; /* private */
	bool filled;    /* private: the innermost object or array has a member already */
};

/* `name` is NULL inside an array and at the top. */
void json_object(struct json *json, const char *name);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *name);
void json_array_end(struct json *json);
/* NULL text is written as null. */
void json_string(struct json *json, const char *name, const char *text);
void json_integer(struct json *json, const char *name, int64_t value);
/* Infinite and not-a-number become null. */
void json_number(struct json *json, const char *name, double value);
void json_bool(struct json *json, const char *name, bool value);
