/* SPDX-License-Identifier: MIT */
/* spice-probe's commands that look. probe_main.c says what they mean. */
#include <stdio.h>

#include "tests/client/probe_call.h"

static void run_size(struct call *call)
{
	struct probe_display *display = call_arg_display(call, 0);

	if (display)
		call_put_size(call, display);
}

static void run_status(struct call *call)
{
	struct probe *probe = call->probe;

	call_put_bool(call, "connected", connection_is_open(probe));
	call_put_int(call, "switches", probe->switches);
	if (probe->error)
		call_put_text(call, "reason", probe->error);
	call_put_text(call, "mouse_mode", connection_mouse_mode(probe));
	call_put_key(call, "displays");
	g_string_append_c(call->json, '[');
	for (int i = 0, n = 0; i < PROBE_DISPLAYS_MAX; i++) {
		struct probe_display *display = &probe->displays[i];

		if (!display->channel)
			continue;
		g_string_append_printf(call->json,
			"%s{\"id\":%d,\"width\":%d,\"height\":%d,\"marked\":%s}", n++ ? "," : "", i,
			display->data ? display->width : 0, display->data ? display->height : 0,
			display->marked ? "true" : "false");
	}
	g_string_append_c(call->json, ']');
}

static void run_pixel(struct call *call)
{
	struct probe_display *display = call_arg_display(call, 2);

	if (!display)
		return;
	int pixel = display_pixel(display, call_arg_int(call, 0, 0), call_arg_int(call, 1, 0));
	call_put_pixel(call, pixel);
	if (pixel < 0)
		call_fail(call, "outside the surface of %dx%d", display->width, display->height);
}

static void run_hash(struct call *call)
{
	struct probe_display *display = call_arg_display(call, 4);

	if (!display)
		return;
	g_autofree char *hash = display_hash(display, call_arg_int(call, 0, 0),
		call_arg_int(call, 1, 0), call_arg_int(call, 2, 0), call_arg_int(call, 3, 0));
	if (hash)
		call_put_text(call, "hash", hash);
	else
		call_fail(call, "outside the surface of %dx%d", display->width, display->height);
}

static void run_screenshot(struct call *call)
{
	struct probe_display *display = call_arg_display(call, 1);
	g_autoptr(GError) error = NULL;

	if (!display)
		return;
	call_put_size(call, display);
	call_put_text(call, "file", call->args[0]);
	if (!display_save(display, call->args[0], &error))
		call_fail(call, "%s", error->message);
}

static void put_reading(struct call *call, const struct counter_reading *reading)
{
	call_put_int(call, "value", reading->value);
	call_put_int(call, "x", reading->x);
	call_put_int(call, "y", reading->y);
}

static void run_counter(struct call *call)
{
	struct probe_display *display = call_arg_display(call, 0);
	struct counter_reading reading;

	if (!display)
		return;
	if (counter_read(display, NULL, true, &reading))
		put_reading(call, &reading);
	else
		call_fail(call, "no counter strip on the screen");
}

static void run_stats(struct call *call)
{
	struct probe *probe = call->probe;
	uint64_t n_invalidates = 0, n_primaries = 0, n_pixels = 0;

	for (int i = 0; i < PROBE_DISPLAYS_MAX; i++) {
		n_invalidates += probe->displays[i].n_invalidates;
		n_primaries += probe->displays[i].n_primaries;
		n_pixels += probe->displays[i].n_pixels;
	}
	call_put_int(call, "invalidates", n_invalidates);
	call_put_int(call, "primaries", n_primaries);
	call_put_int(call, "pixels", n_pixels);
	call_put_int(call, "updates", probe->n_updates);
	call_put_int(call, "streams", probe->n_streams);
	call_put_text(call, "codec", probe->codec ? probe->codec : "none");
	call_put_key(call, "bytes_read");
	g_string_append_c(call->json, '{');
	g_autoptr(GList) channels =
		probe->session ? spice_session_get_channels(probe->session) : NULL;
	for (GList *item = channels; item; item = item->next) {
		int id = 0, type = 0;
		gulong bytes = 0;

		g_object_get(item->data, "channel-id", &id, "channel-type", &type,
			"total-read-bytes", &bytes, NULL);
		g_string_append_printf(call->json, "%s\"%s-%d\":%lu", item == channels ? "" : ",",
			spice_channel_type_to_string(type), id, bytes);
	}
	g_string_append_c(call->json, '}');
}

void look_cursor(struct call *call)
{
	struct probe_cursor *cursor = &call->probe->cursor;

	call_put_bool(call, "visible", cursor->visible);
	call_put_int(call, "width", cursor->width);
	call_put_int(call, "height", cursor->height);
	call_put_int(call, "hot_x", cursor->hot_x);
	call_put_int(call, "hot_y", cursor->hot_y);
	call_put_int(call, "x", cursor->x);
	call_put_int(call, "y", cursor->y);
	call_put_int(call, "sets", cursor->n_sets);
	call_put_int(call, "moves", cursor->n_moves);
	call_put_int(call, "hides", cursor->n_hides);
	if (cursor->pixels) {
		g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256,
			cursor->pixels, (gsize)cursor->width * cursor->height * 4);
		call_put_text(call, "hash", hash);
	}
}

static void run_cursor_pixel(struct call *call)
{
	struct probe_cursor *cursor = &call->probe->cursor;
	int x = call_arg_int(call, 0, 0), y = call_arg_int(call, 1, 0);
	char text[9];

	if (!cursor->pixels || x < 0 || y < 0 || x >= cursor->width || y >= cursor->height) {
		call_fail(call, "outside the cursor of %dx%d", cursor->width, cursor->height);
		return;
	}
	const uint8_t *pixel = cursor->pixels + ((size_t)y * cursor->width + x) * 4;
	snprintf(text, sizeof(text), "%02x%02x%02x%02x", pixel[0], pixel[1], pixel[2], pixel[3]);
	call_put_text(call, "pixel", text);
}

static void run_mouse_mode(struct call *call)
{
	call_put_text(call, "mode", connection_mouse_mode(call->probe));
}

static void run_sound(struct call *call)
{
	const struct probe_sound *sound = &call->probe->sound;

	call_put_int(call, "starts", sound->n_starts);
	call_put_int(call, "stops", sound->n_stops);
	call_put_int(call, "bytes", sound->n_bytes);
	call_put_int(call, "channels", sound->n_channels);
	call_put_int(call, "rate", sound->rate);
	call_put_int(call, "first", sound->first);
	call_put_int(call, "last", sound->last);
	call_put_int(call, "breaks", sound->n_breaks);
	call_put_int(call, "volume", sound->volume);
	call_put_int(call, "mute", sound->mute);
}

static void run_leds(struct call *call)
{
	int leds = inputs_leds(call->probe);

	call_put_bool(call, "scroll", leds >= 0 && (leds & SPICE_INPUTS_SCROLL_LOCK));
	call_put_bool(call, "num", leds >= 0 && (leds & SPICE_INPUTS_NUM_LOCK));
	call_put_bool(call, "caps", leds >= 0 && (leds & SPICE_INPUTS_CAPS_LOCK));
}

const struct command look_commands[] = {
	{ "status", 0, false, run_status },
	{ "size", 0, true, run_size },
	{ "pixel", 2, true, run_pixel },
	{ "hash", 4, true, run_hash },
	{ "screenshot", 1, true, run_screenshot },
	{ "counter", 0, true, run_counter },
	{ "stats", 0, false, run_stats },
	{ "cursor", 0, true, look_cursor },
	{ "cursor-pixel", 2, true, run_cursor_pixel },
	{ "mouse-mode", 0, true, run_mouse_mode },
	{ "leds", 0, true, run_leds },
	{ "sound", 0, true, run_sound },
	{ NULL },
};
