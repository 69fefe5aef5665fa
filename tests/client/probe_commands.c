/* SPDX-License-Identifier: MIT */
/* spice-probe: the commands, one row each in a table. What they mean stands in probe_main.c. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/client/probe.h"
#include "tests/guest/counter_layout.h"

#define ARGS_MAX 64
/* A dear check is made so often even while pictures keep coming. */
#define CHECK_INTERVAL_US 250000

/* One command being run; the answer's members gather in `json`. */
struct call {
	struct probe *probe;
	GString *json;
	char *error; /* NULL: ok */
	unsigned n_args;
	const char *args[ARGS_MAX];
	const char *rest; /* the line after the command's name */
};

G_GNUC_PRINTF(2, 3)
static void call_fail(struct call *call, const char *format, ...)
{
	va_list values;

	g_free(call->error);
	va_start(values, format);
	call->error = g_strdup_vprintf(format, values);
	va_end(values);
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

static void put_key(struct call *call, const char *key)
{
	g_string_append_c(call->json, ',');
	json_string(call->json, key);
	g_string_append_c(call->json, ':');
}

static void put_int(struct call *call, const char *key, int64_t value)
{
	put_key(call, key);
	g_string_append_printf(call->json, "%" G_GINT64_FORMAT, value);
}

static void put_bool(struct call *call, const char *key, bool value)
{
	put_key(call, key);
	g_string_append(call->json, value ? "true" : "false");
}

static void put_text(struct call *call, const char *key, const char *value)
{
	put_key(call, key);
	json_string(call->json, value);
}

static int arg_int(struct call *call, unsigned index, int fallback)
{
	if (index >= call->n_args)
		return fallback;
	char *end;
	long value = strtol(call->args[index], &end, 10);
	if (*end != '\0')
		call_fail(call, "not a number: %s", call->args[index]);
	return value;
}

/* The display named by argument `index`, 0 when it is left out. */
static struct probe_display *arg_display(struct call *call, unsigned index)
{
	int id = arg_int(call, index, 0);
	struct probe_display *display = display_get(call->probe, id);

	if (!display && !call->error)
		call_fail(call, "display %d has no primary surface", id);
	return display;
}

/* ---- looking ---- */

static void put_size(struct call *call, const struct probe_display *display)
{
	put_int(call, "width", display ? display->width : 0);
	put_int(call, "height", display ? display->height : 0);
}

static void run_size(struct call *call)
{
	struct probe_display *display = arg_display(call, 0);

	if (display)
		put_size(call, display);
}

static void run_status(struct call *call)
{
	struct probe *probe = call->probe;

	put_bool(call, "connected", connection_is_open(probe));
	if (probe->error)
		put_text(call, "reason", probe->error);
	put_text(call, "mouse_mode", connection_mouse_mode(probe));
	put_key(call, "displays");
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

static void put_pixel(struct call *call, int pixel)
{
	char text[8];

	snprintf(text, sizeof(text), "%06x", (unsigned)pixel & 0xffffff);
	put_text(call, "pixel", pixel < 0 ? "outside" : text);
}

static void run_pixel(struct call *call)
{
	struct probe_display *display = arg_display(call, 2);

	if (!display)
		return;
	int pixel = display_pixel(display, arg_int(call, 0, 0), arg_int(call, 1, 0));
	put_pixel(call, pixel);
	if (pixel < 0)
		call_fail(call, "outside the surface of %dx%d", display->width, display->height);
}

static void run_hash(struct call *call)
{
	struct probe_display *display = arg_display(call, 4);

	if (!display)
		return;
	g_autofree char *hash = display_hash(display, arg_int(call, 0, 0), arg_int(call, 1, 0),
		arg_int(call, 2, 0), arg_int(call, 3, 0));
	if (hash)
		put_text(call, "hash", hash);
	else
		call_fail(call, "outside the surface of %dx%d", display->width, display->height);
}

static void run_screenshot(struct call *call)
{
	struct probe_display *display = arg_display(call, 1);
	g_autoptr(GError) error = NULL;

	if (!display)
		return;
	put_size(call, display);
	put_text(call, "file", call->args[0]);
	if (!display_save(display, call->args[0], &error))
		call_fail(call, "%s", error->message);
}

static void put_reading(struct call *call, const struct counter_reading *reading)
{
	put_int(call, "value", reading->value);
	put_int(call, "x", reading->x);
	put_int(call, "y", reading->y);
}

static void run_counter(struct call *call)
{
	struct probe_display *display = arg_display(call, 0);
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
	put_int(call, "invalidates", n_invalidates);
	put_int(call, "primaries", n_primaries);
	put_int(call, "pixels", n_pixels);
	put_int(call, "updates", probe->n_updates);
	put_int(call, "streams", probe->n_streams);
	put_key(call, "bytes_read");
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

static void run_cursor(struct call *call)
{
	struct probe_cursor *cursor = &call->probe->cursor;

	put_bool(call, "visible", cursor->visible);
	put_int(call, "width", cursor->width);
	put_int(call, "height", cursor->height);
	put_int(call, "hot_x", cursor->hot_x);
	put_int(call, "hot_y", cursor->hot_y);
	put_int(call, "x", cursor->x);
	put_int(call, "y", cursor->y);
	put_int(call, "sets", cursor->n_sets);
	put_int(call, "moves", cursor->n_moves);
	put_int(call, "hides", cursor->n_hides);
	if (cursor->pixels) {
		g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256,
			cursor->pixels, (gsize)cursor->width * cursor->height * 4);
		put_text(call, "hash", hash);
	}
}

static void run_cursor_pixel(struct call *call)
{
	struct probe_cursor *cursor = &call->probe->cursor;
	int x = arg_int(call, 0, 0), y = arg_int(call, 1, 0);
	char text[9];

	if (!cursor->pixels || x < 0 || y < 0 || x >= cursor->width || y >= cursor->height) {
		call_fail(call, "outside the cursor of %dx%d", cursor->width, cursor->height);
		return;
	}
	const uint8_t *pixel = cursor->pixels + ((size_t)y * cursor->width + x) * 4;
	snprintf(text, sizeof(text), "%02x%02x%02x%02x", pixel[0], pixel[1], pixel[2], pixel[3]);
	put_text(call, "pixel", text);
}

static void run_mouse_mode(struct call *call)
{
	put_text(call, "mode", connection_mouse_mode(call->probe));
}

static void run_leds(struct call *call)
{
	int leds = inputs_leds(call->probe);

	put_bool(call, "scroll", leds >= 0 && (leds & SPICE_INPUTS_SCROLL_LOCK));
	put_bool(call, "num", leds >= 0 && (leds & SPICE_INPUTS_NUM_LOCK));
	put_bool(call, "caps", leds >= 0 && (leds & SPICE_INPUTS_CAPS_LOCK));
}

/* ---- waiting ---- */

/* What a wait looks for and saw last. */
struct wait {
	struct call *call;
	int display_id;
	int x, y, width, height;
	int color, tolerance, seen_color;
	const char *text;
	uint64_t target;
	uint64_t checked_updates; /* probe->n_updates when a costly check was last made */
	gint64 checked_us;
	bool has_first, has_reading;
	uint32_t first, n_seen;
	struct counter_reading reading;
};

/* Waits and marks a time-out; gives up at once when the connection goes. */
static bool call_wait(
	struct call *call, int timeout_ms, bool (*done)(void *user), struct wait *wait)
{
	wait->call = call;
	wait->checked_updates = UINT64_MAX;
	if (call->error)
		return false;
	int64_t start_us = g_get_monotonic_time();
	bool happened = probe_wait(timeout_ms, done, wait);
	put_int(call, "elapsed_ms", (g_get_monotonic_time() - start_us) / 1000);
	if (!happened)
		call_fail(call, "timeout");
	return happened;
}

/*
 * For checks that are dear: true when something was painted since the last time and no more of it
 * is waiting to be read. Looking at each of a thousand small updates would make a slow client.
 */
static bool wait_is_news(struct wait *wait)
{
	gint64 now_us = g_get_monotonic_time();

	if (wait->checked_updates == wait->call->probe->n_updates)
		return false;
	if (g_main_context_pending(NULL) && now_us - wait->checked_us < CHECK_INTERVAL_US)
		return false;
	wait->checked_updates = wait->call->probe->n_updates;
	wait->checked_us = now_us;
	return true;
}

static bool primary_there(void *user)
{
	struct wait *wait = user;
	return display_get(wait->call->probe, wait->display_id) != NULL;
}

static void run_wait_primary(struct call *call)
{
	struct wait wait = { .display_id = arg_int(call, 1, 0) };

	call_wait(call, arg_int(call, 0, 0), primary_there, &wait);
	put_size(call, display_get(call->probe, wait.display_id));
}

static bool size_is(void *user)
{
	struct wait *wait = user;
	struct probe_display *display = display_get(wait->call->probe, wait->display_id);

	return display && display->width == wait->width && display->height == wait->height;
}

static void run_wait_size(struct call *call)
{
	struct wait wait = { .display_id = arg_int(call, 3, 0),
		.width = arg_int(call, 0, 0),
		.height = arg_int(call, 1, 0) };

	call_wait(call, arg_int(call, 2, 0), size_is, &wait);
	put_size(call, display_get(call->probe, wait.display_id));
}

static bool pixel_is(void *user)
{
	struct wait *wait = user;
	struct probe_display *display = display_get(wait->call->probe, wait->display_id);

	if (!display)
		return false;
	wait->seen_color = display_pixel(display, wait->x, wait->y);
	for (int shift = 0; shift < 24; shift += 8) {
		if (ABS((wait->seen_color >> shift & 0xff) - (wait->color >> shift & 0xff)) >
			wait->tolerance)
			return false;
	}
	return wait->seen_color >= 0;
}

static void run_wait_pixel(struct call *call)
{
	struct wait wait = { .display_id = arg_int(call, 5, 0),
		.x = arg_int(call, 0, 0),
		.y = arg_int(call, 1, 0),
		.color = strtoul(call->args[2], NULL, 16),
		.tolerance = arg_int(call, 4, 0),
		.seen_color = -1 };

	call_wait(call, arg_int(call, 3, 0), pixel_is, &wait);
	put_pixel(call, wait.seen_color);
}

static bool hash_is(void *user)
{
	struct wait *wait = user;
	struct probe_display *display = display_get(wait->call->probe, wait->display_id);

	if (!display || !wait_is_news(wait))
		return false;
	g_autofree char *hash = display_hash(display, wait->x, wait->y, wait->width, wait->height);
	return g_strcmp0(hash, wait->text) == 0;
}

static void run_wait_hash(struct call *call)
{
	struct wait wait = { .display_id = arg_int(call, 6, 0),
		.x = arg_int(call, 0, 0),
		.y = arg_int(call, 1, 0),
		.width = arg_int(call, 2, 0),
		.height = arg_int(call, 3, 0),
		.text = call->args[4] };

	call_wait(call, arg_int(call, 5, 0), hash_is, &wait);
}

static bool updates_reached(void *user)
{
	struct wait *wait = user;
	return wait->call->probe->n_updates >= wait->target;
}

static void run_wait_updates(struct call *call)
{
	uint64_t start = call->probe->n_updates;
	struct wait wait = { .target = start + arg_int(call, 0, 1) };

	call_wait(call, arg_int(call, 1, 0), updates_reached, &wait);
	put_int(call, "updates", call->probe->n_updates - start);
}

static bool counter_advanced(void *user)
{
	struct wait *wait = user;
	struct probe_display *display = display_get(wait->call->probe, wait->display_id);
	struct counter_reading reading;

	if (!display || !counter_read(display, wait->has_reading ? &wait->reading : NULL,
				wait_is_news(wait), &reading))
		return false;
	if (!wait->has_reading)
		wait->first = reading.value;
	if (!wait->has_reading || reading.value != wait->reading.value)
		wait->n_seen++;
	wait->has_reading = true;
	wait->reading = reading;
	return ((reading.value - wait->first) & COUNTER_VALUE_MASK) >= wait->target;
}

static void run_wait_counter(struct call *call)
{
	struct wait wait = { .display_id = arg_int(call, 2, 0), .target = arg_int(call, 0, 1) };

	call_wait(call, arg_int(call, 1, 0), counter_advanced, &wait);
	if (!wait.has_reading) {
		call_fail(call, "timeout: no counter strip on the screen");
		return;
	}
	put_int(call, "from", wait.first);
	put_int(call, "to", wait.reading.value);
	put_int(call, "seen", wait.n_seen);
	put_int(call, "x", wait.reading.x);
	put_int(call, "y", wait.reading.y);
}

static bool cursor_sets_reached(void *user)
{
	struct wait *wait = user;
	return wait->call->probe->cursor.n_sets >= wait->target;
}

static void run_wait_cursor(struct call *call)
{
	struct wait wait = { .target = arg_int(call, 0, 1) };

	call_wait(call, arg_int(call, 1, 0), cursor_sets_reached, &wait);
	run_cursor(call);
}

static bool mouse_mode_is(void *user)
{
	struct wait *wait = user;
	return strcmp(connection_mouse_mode(wait->call->probe), wait->text) == 0;
}

static void run_wait_mouse_mode(struct call *call)
{
	struct wait wait = { .text = call->args[0] };

	call_wait(call, arg_int(call, 1, 0), mouse_mode_is, &wait);
	run_mouse_mode(call);
}

static bool is_disconnected(void *user)
{
	struct wait *wait = user;
	return !connection_is_open(wait->call->probe);
}

static void run_wait_disconnect(struct call *call)
{
	struct wait wait = { 0 };

	call_wait(call, arg_int(call, 0, 0), is_disconnected, &wait);
	put_text(call, "reason", call->probe->error ? call->probe->error : "");
}

static void run_sleep(struct call *call)
{
	probe_wait(arg_int(call, 0, 0), NULL, NULL);
}

/* ---- driving ---- */

static void run_move(struct call *call)
{
	inputs_move(call->probe, arg_int(call, 0, 0), arg_int(call, 1, 0), arg_int(call, 2, 0));
}

static void run_motion(struct call *call)
{
	inputs_motion(call->probe, arg_int(call, 0, 0), arg_int(call, 1, 0));
}

static int arg_button(struct call *call)
{
	static const char *const names[] = { "left", "middle", "right", "up", "down", "side",
		"extra" };

	if (call->n_args == 0)
		return SPICE_MOUSE_BUTTON_LEFT;
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(call->args[0], names[i]) == 0)
			return i + 1;
	}
	return arg_int(call, 0, 0);
}

static void run_click(struct call *call)
{
	int button = arg_button(call);

	if (call->error)
		return;
	inputs_button(call->probe, button, true);
	probe_wait(call->probe->options.key_interval_ms, NULL, NULL);
	inputs_button(call->probe, button, false);
}

static void run_button_press(struct call *call)
{
	int button = arg_button(call);

	if (!call->error)
		inputs_button(call->probe, button, true);
}

static void run_button_release(struct call *call)
{
	int button = arg_button(call);

	if (!call->error)
		inputs_button(call->probe, button, false);
}

static void run_wheel(struct call *call)
{
	int times = arg_int(call, 1, 1);

	for (int i = 0; i < times && !call->error; i++) {
		run_click(call);
		probe_wait(call->probe->options.key_interval_ms, NULL, NULL);
	}
}

static void run_key(struct call *call)
{
	for (unsigned i = 0; i < call->n_args && !call->error; i++) {
		if (!inputs_key(call->probe, call->args[i]))
			call_fail(call, "not a scan code: %s", call->args[i]);
	}
}

static void run_press(struct call *call)
{
	for (unsigned i = 0; i < call->n_args && !call->error; i++) {
		if (!inputs_press(call->probe, call->args[i], true))
			call_fail(call, "not a scan code: %s", call->args[i]);
	}
}

static void run_release(struct call *call)
{
	for (unsigned i = 0; i < call->n_args && !call->error; i++) {
		if (!inputs_press(call->probe, call->args[i], false))
			call_fail(call, "not a scan code: %s", call->args[i]);
	}
}

static void run_type(struct call *call)
{
	g_autofree char *text = g_strcompress(call->rest);

	if (!inputs_type(call->probe, text))
		call_fail(
			call, "a character without a key on a US keyboard, or the connection went");
}

static void run_monitors_config(struct call *call)
{
	int id = arg_int(call, 2, 0), agent = 0;

	spice_main_channel_update_display_enabled(call->probe->main, id, TRUE, FALSE);
	spice_main_channel_update_display(
		call->probe->main, id, 0, 0, arg_int(call, 0, 0), arg_int(call, 1, 0), FALSE);
	g_object_get(call->probe->main, "agent-connected", &agent, NULL);
	put_bool(call, "agent", agent);
	if (!agent)
		call_fail(call, "no agent: the library sends no size");
	else if (!spice_main_channel_send_monitor_config(call->probe->main))
		call_fail(call, "the library refused to send the size");
}

static void run_mouse_mode_request(struct call *call)
{
	bool client = strcmp(call->args[0], "client") == 0;

	spice_main_channel_request_mouse_mode(
		call->probe->main, client ? SPICE_MOUSE_MODE_CLIENT : SPICE_MOUSE_MODE_SERVER);
}

/* ---- connection ---- */

static void run_stall(struct call *call)
{
	/* The main loop stands still, and with it every channel's reader. */
	g_usleep((gulong)arg_int(call, 0, 0) * 1000);
}

static void run_disconnect(struct call *call)
{
	connection_close(call->probe);
}

static void run_reconnect(struct call *call)
{
	int64_t start_us = g_get_monotonic_time();

	if (!connection_open(call->probe))
		call_fail(call, "%s", call->probe->error);
	put_int(call, "elapsed_ms", (g_get_monotonic_time() - start_us) / 1000);
	put_size(call, display_get(call->probe, 0));
}

static void run_quit(struct call *call)
{
	call->probe->quit = true;
}

static const struct command {
	const char *name;
	unsigned args_min;
	bool needs_connection;
	void (*run)(struct call *call);
} commands[] = {
	{ "status", 0, false, run_status },
	{ "size", 0, true, run_size },
	{ "pixel", 2, true, run_pixel },
	{ "hash", 4, true, run_hash },
	{ "screenshot", 1, true, run_screenshot },
	{ "counter", 0, true, run_counter },
	{ "stats", 0, false, run_stats },
	{ "cursor", 0, true, run_cursor },
	{ "cursor-pixel", 2, true, run_cursor_pixel },
	{ "mouse-mode", 0, true, run_mouse_mode },
	{ "leds", 0, true, run_leds },
	{ "wait-primary", 1, true, run_wait_primary },
	{ "wait-size", 3, true, run_wait_size },
	{ "wait-pixel", 4, true, run_wait_pixel },
	{ "wait-hash", 6, true, run_wait_hash },
	{ "wait-updates", 2, true, run_wait_updates },
	{ "wait-counter", 2, true, run_wait_counter },
	{ "wait-cursor", 2, true, run_wait_cursor },
	{ "wait-mouse-mode", 2, true, run_wait_mouse_mode },
	{ "wait-disconnect", 1, false, run_wait_disconnect },
	{ "sleep", 1, false, run_sleep },
	{ "move", 2, true, run_move },
	{ "motion", 2, true, run_motion },
	{ "click", 0, true, run_click },
	{ "button-press", 1, true, run_button_press },
	{ "button-release", 1, true, run_button_release },
	{ "wheel", 1, true, run_wheel },
	{ "key", 1, true, run_key },
	{ "press", 1, true, run_press },
	{ "release", 1, true, run_release },
	{ "type", 0, true, run_type },
	{ "monitors-config", 2, true, run_monitors_config },
	{ "mouse-mode-request", 1, true, run_mouse_mode_request },
	{ "stall", 1, false, run_stall },
	{ "disconnect", 0, false, run_disconnect },
	{ "reconnect", 0, false, run_reconnect },
	{ "quit", 0, false, run_quit },
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static void command_dispatch(struct call *call, const char *name)
{
	const struct command *command = command_find(name);

	if (!command)
		call_fail(call, "unknown command: %s", name);
	else if (call->n_args < command->args_min)
		call_fail(call, "%s takes at least %u arguments", name, command->args_min);
	else if (command->needs_connection && !connection_is_open(call->probe))
		call_fail(call, "not connected: %s",
			call->probe->error ? call->probe->error : "not yet");
	else
		command->run(call);
}

void command_run(struct probe *probe, const char *line)
{
	g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
	g_autoptr(GString) json = g_string_new(NULL);
	struct call call = { .probe = probe, .json = json, .rest = strchr(line, ' ') };

	if (!words[0] || words[0][0] == '\0')
		return;
	call.rest = call.rest ? call.rest + 1 : "";
	for (char **word = words + 1; *word && call.n_args < ARGS_MAX; word++) {
		if (**word)
			call.args[call.n_args++] = *word;
	}
	command_dispatch(&call, words[0]);
	if (call.error)
		put_text(&call, "error", call.error);
	printf("{\"ok\":%s%s}\n", call.error ? "false" : "true", json->str);
	fflush(stdout);
	g_free(call.error);
}
