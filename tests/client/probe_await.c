/* SPDX-License-Identifier: MIT */
/* spice-probe's commands that wait until something is seen. probe_main.c says what they mean. */
#include <string.h>

#include "tests/client/patience.h"
#include "tests/client/probe_call.h"
#include "tests/guest/counter_layout.h"

/* A costly check is made this often even while pictures keep coming. */
#define CHECK_INTERVAL_US 250000

/* Says what a wait looks for and what it saw last. */
struct wait {
	struct call *call;
	bool (*done)(struct wait *wait);
	bool happened;
	bool outlives_connection; /* what is waited for is its end */
	int display_id;
	int x, y, width, height;
	int color, tolerance, seen_color;
	const char *text;
	uint64_t target;
	uint64_t checked_updates; /* probe->n_updates when a costly check was last made */
	gint64 checked_us;
	bool has_reading;
	uint32_t first, n_seen;
	struct counter_reading reading;
};

static bool wait_over(void *user)
{
	struct wait *wait = user;

	wait->happened = wait->done(wait);
	return wait->happened ||
	       (!wait->outlives_connection && !connection_is_open(wait->call->probe));
}

/* Waits, and marks the call when the time has passed; gives up at once when the connection goes. */
static bool call_wait(
	struct call *call, int timeout_ms, bool (*done)(struct wait *wait), struct wait *wait)
{
	wait->call = call;
	wait->done = done;
	wait->checked_updates = UINT64_MAX;
	if (call->error)
		return false;
	int64_t start_us = g_get_monotonic_time();
	bool over = probe_wait(patience_ms(timeout_ms), wait_over, wait);
	int64_t now_us = g_get_monotonic_time();
	call_put_int(call, "elapsed_ms", (now_us - start_us) / 1000);
	call_put_int(call, "now_us", now_us);
	if (!over)
		call_fail(call, "timeout");
	else if (!wait->happened)
		call_fail(call, "not connected: %s", call->probe->error);
	return wait->happened;
}

/*
 * Returns true when something was painted since the last check and no more of it waits to be read,
 * for checks that are costly. Looking at each of a thousand small updates would make a slow client.
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

static bool primary_there(struct wait *wait)
{
	return display_get(wait->call->probe, wait->display_id) != NULL;
}

static void run_wait_primary(struct call *call)
{
	struct wait wait = { .display_id = call_arg_int(call, 1, 0) };

	call_wait(call, call_arg_int(call, 0, 0), primary_there, &wait);
	call_put_size(call, display_get(call->probe, wait.display_id));
}

static bool size_is(struct wait *wait)
{
	struct probe_display *display = display_get(wait->call->probe, wait->display_id);

	return display && display->width == wait->width && display->height == wait->height;
}

static void run_wait_size(struct call *call)
{
	struct wait wait = { .display_id = call_arg_int(call, 3, 0),
		.width = call_arg_int(call, 0, 0),
		.height = call_arg_int(call, 1, 0) };

	call_wait(call, call_arg_int(call, 2, 0), size_is, &wait);
	call_put_size(call, display_get(call->probe, wait.display_id));
}

static bool pixel_is(struct wait *wait)
{
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
	struct wait wait = { .display_id = call_arg_int(call, 5, 0),
		.x = call_arg_int(call, 0, 0),
		.y = call_arg_int(call, 1, 0),
		.color = strtoul(call->args[2], NULL, 16),
		.tolerance = call_arg_int(call, 4, 0),
		.seen_color = -1 };

	call_wait(call, call_arg_int(call, 3, 0), pixel_is, &wait);
	call_put_pixel(call, wait.seen_color);
}

static bool hash_is(struct wait *wait)
{
	struct probe_display *display = display_get(wait->call->probe, wait->display_id);

	if (!display || !wait_is_news(wait))
		return false;
	g_autofree char *hash = display_hash(display, wait->x, wait->y, wait->width, wait->height);
	return g_strcmp0(hash, wait->text) == 0;
}

static void run_wait_hash(struct call *call)
{
	struct wait wait = { .display_id = call_arg_int(call, 6, 0),
		.x = call_arg_int(call, 0, 0),
		.y = call_arg_int(call, 1, 0),
		.width = call_arg_int(call, 2, 0),
		.height = call_arg_int(call, 3, 0),
		.text = call->args[4] };

	call_wait(call, call_arg_int(call, 5, 0), hash_is, &wait);
}

static bool updates_reached(struct wait *wait)
{
	return wait->call->probe->n_updates >= wait->target;
}

static void run_wait_updates(struct call *call)
{
	uint64_t start = call->probe->n_updates;
	struct wait wait = { .target = start + call_arg_int(call, 0, 1) };

	call_wait(call, call_arg_int(call, 1, 0), updates_reached, &wait);
	call_put_int(call, "updates", call->probe->n_updates - start);
}

static bool counter_advanced(struct wait *wait)
{
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
	struct wait wait = { .display_id = call_arg_int(call, 2, 0),
		.target = call_arg_int(call, 0, 1) };

	call_wait(call, call_arg_int(call, 1, 0), counter_advanced, &wait);
	if (!wait.has_reading) {
		call_fail(call, "%s: no counter strip on the screen", call->error);
		return;
	}
	call_put_int(call, "from", wait.first);
	call_put_int(call, "to", wait.reading.value);
	call_put_int(call, "seen", wait.n_seen);
	call_put_int(call, "x", wait.reading.x);
	call_put_int(call, "y", wait.reading.y);
}

static bool cursor_sets_reached(struct wait *wait)
{
	return wait->call->probe->cursor.n_sets >= wait->target;
}

static void run_wait_cursor(struct call *call)
{
	struct wait wait = { .target = call_arg_int(call, 0, 1) };

	call_wait(call, call_arg_int(call, 1, 0), cursor_sets_reached, &wait);
	look_cursor(call);
}

static bool mouse_mode_is(struct wait *wait)
{
	return strcmp(connection_mouse_mode(wait->call->probe), wait->text) == 0;
}

static void run_wait_mouse_mode(struct call *call)
{
	struct wait wait = { .text = call->args[0] };

	call_wait(call, call_arg_int(call, 1, 0), mouse_mode_is, &wait);
	call_put_text(call, "mode", connection_mouse_mode(call->probe));
}

static bool is_disconnected(struct wait *wait)
{
	return !connection_is_open(wait->call->probe);
}

static void run_wait_disconnect(struct call *call)
{
	struct wait wait = { .outlives_connection = true };

	call_wait(call, call_arg_int(call, 0, 0), is_disconnected, &wait);
	call_put_text(call, "reason", call->probe->error ? call->probe->error : "");
}

static void run_sleep(struct call *call)
{
	probe_wait(call_arg_int(call, 0, 0), NULL, NULL);
}

const struct command await_commands[] = {
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
	{ NULL },
};
