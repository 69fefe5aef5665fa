/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Gives the length of the valid UTF-8 sequence at `text`, or 0 when there is none. */
static unsigned utf8_length(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead, least_second;
		unsigned length;
	} shapes[] = {
		{ 0x80, 0x00, 0, 1 },
		{ 0xe0, 0xc0, 0, 2 },
		{ 0xf0, 0xe0, 0, 3 },
		{ 0xf8, 0xf0, 0, 4 },
	};
	for (unsigned i = 0; i < 4; i++) {
		if ((text[0] & shapes[i].mask) != shapes[i].lead)
			continue;
		for (unsigned k = 1; k < shapes[i].length; k++)
			if ((text[k] & 0xc0) != 0x80)
				return 0;
		if ((i == 1 && text[0] < 0xc2) || (text[0] == 0xe0 && text[1] < 0xa0) ||
			(text[0] == 0xed && text[1] > 0x9f) ||
			(text[0] == 0xf0 && text[1] < 0x90) || text[0] > 0xf4)
			return 0;
		return shapes[i].length;
	}
	return 0;
}

static void write_escaped(FILE *file, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	fputc('"', file);
	while (*at) {
		unsigned length = utf8_length(at);
		if (length == 0) {
			fputc('?', file);
			at++;
		} else if (*at == '"' || *at == '\\') {
			fprintf(file, "\\%c", *at++);
		} else if (*at < 0x20) {
			fprintf(file, "\\u%04x", *at++);
		} else {
			fwrite(at, 1, length, file);
			at += length;
		}
	}
	fputc('"', file);
}

static void new_line(struct json *json)
{
	if (json->one_line)
		return;
	fputc('\n', json->file);
	for (unsigned i = 0; i < json->depth; i++)
		fputs("  ", json->file);
}

static void begin_member(struct json *json, const char *name)
{
	assert(json->depth > 0 || !json->filled); /* There is one value at the top. */
	if (json->filled)
		fputc(',', json->file);
	if (json->depth > 0)
		new_line(json);
	json->filled = true;
	if (!name)
		return;
	write_escaped(json->file, name);
	fputs(json->one_line ? ":" : ": ", json->file);
}

static void open_group(struct json *json, const char *name, char bracket)
{
	begin_member(json, name);
	fputc(bracket, json->file);
	json->depth++;
	json->filled = false;
}

static void close_group(struct json *json, char bracket)
{
	assert(json->depth > 0);
	json->depth--;
	if (json->filled)
		new_line(json);
	fputc(bracket, json->file);
	json->filled = true;
	if (json->depth == 0)
		fputc('\n', json->file);
}

void json_object(struct json *json, const char *name)
{
	open_group(json, name, '{');
}

void json_object_end(struct json *json)
{
	close_group(json, '}');
}

void json_array(struct json *json, const char *name)
{
	open_group(json, name, '[');
}

void json_array_end(struct json *json)
{
	close_group(json, ']');
}

void json_string(struct json *json, const char *name, const char *text)
{
	begin_member(json, name);
	if (text)
		write_escaped(json->file, text);
	else
		fputs("null", json->file);
}

void json_integer(struct json *json, const char *name, int64_t value)
{
	begin_member(json, name);
	fprintf(json->file, "%" PRId64, value);
}

void json_number(struct json *json, const char *name, double value)
{
	begin_member(json, name);
	if (isfinite(value))
		fprintf(json->file, "%.3f", value);
	else
		fputs("null", json->file);
}

void json_bool(struct json *json, const char *name, bool value)
{
	begin_member(json, name);
	fputs(value ? "true" : "false", json->file);
}
