/* SPDX-License-Identifier: MIT */
#include "tests/client/probe_call.h"

#include <stdarg.h>
#include <stdio.h>

void call_fail(struct call *call, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	char *error = g_strdup_vprintf(format, values);
	va_end(values);
	g_free(call->error);
	call->error = error;
}

static void json_string(GString *json, const char *text)
{
	g_string_append_c(json, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_c(json, '\\');
		if ((unsigned char)*text < 0x20)
			g_string_append_printf(json, "\\u%04x", *text);
		else
			g_string_append_c(json, *text);
	}
	g_string_append_c(json, '"');
}

void call_put_key(struct call *call, const char *key)
{
	g_string_append_c(call->json, ',');
	json_string(call->json, key);
	g_string_append_c(call->json, ':');
}

void call_put_int(struct call *call, const char *key, int64_t value)
{
	call_put_key(call, key);
	g_string_append_printf(call->json, "%" G_GINT64_FORMAT, value);
}

void call_put_bool(struct call *call, const char *key, bool value)
{
	call_put_key(call, key);
	g_string_append(call->json, value ? "true" : "false");
}

void call_put_text(struct call *call, const char *key, const char *value)
{
	call_put_key(call, key);
	json_string(call->json, value);
}

int call_arg_int(struct call *call, unsigned index, int fallback)
{
	if (index >= call->n_args)
		return fallback;
	char *end;
	long value = strtol(call->args[index], &end, 10);
	if (*end != '\0')
		call_fail(call, "not a number: %s", call->args[index]);
	return value;
}

struct probe_display *call_arg_display(struct call *call, unsigned index)
{
	int id = call_arg_int(call, index, 0);
	struct probe_display *display = display_get(call->probe, id);

	if (!display && !call->error)
		call_fail(call, "display %d has no primary surface", id);
	return display;
}

void call_put_size(struct call *call, const struct probe_display *display)
{
	call_put_int(call, "width", display ? display->width : 0);
	call_put_int(call, "height", display ? display->height : 0);
}

void call_put_pixel(struct call *call, int pixel)
{
	char text[8];

	snprintf(text, sizeof(text), "%06x", (unsigned)pixel & 0xffffff);
	call_put_text(call, "pixel", pixel < 0 ? "outside" : text);
}
