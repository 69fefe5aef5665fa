/* SPDX-License-Identifier: MIT */
/*
 * spice-probe's commands that record when beeps arrive and when a pixel of display 0 changes its
 * colour, of the guest's beep-flash. probe_main.c says what they mean.
 */
#include <stdlib.h>

#include "tests/client/probe_call.h"

#define EVENTS_MAX 1024
#define LOUD 4000
/* This much quiet ends a beep. */
#define QUIET_MS 20
/* Channels that differ by less count as the same colour, as lossy pictures vary. */
#define COLOR_STEP 48

struct beep {
	int64_t at_us;     /* its first loud sample */
	unsigned n_frames; /* to its last loud sample */
	unsigned n_crossings;
	int peak;
};

struct change {
	int64_t at_us;
	int pixel;
};

struct sync {
	struct probe *probe;           /* NULL: not recording */
	SpiceChannel *sound, *display; /* owned */
	int x, y, delay_ms;
	struct beep beeps[EVENTS_MAX];
	struct change changes[EVENTS_MAX];
	unsigned n_beeps, n_changes;
	unsigned n_quiet;  /* frames in a row */
	unsigned n_frames; /* since the last beep began */
	bool negative;     /* the last loud sample */
};

static struct sync sync_now;

/* ---- what is heard ---- */

static void beep_begin(struct sync *sync, bool negative, int64_t at_us)
{
	if (sync->n_beeps == EVENTS_MAX)
		return;
	sync->beeps[sync->n_beeps++] = (struct beep){ .at_us = at_us };
	sync->negative = negative;
	sync->n_frames = 0;
}

static void hear(struct sync *sync, int value, int64_t at_us, unsigned quiet_frames)
{
	const bool loud = abs(value) >= LOUD;

	if (loud && sync->n_quiet >= quiet_frames)
		beep_begin(sync, value < 0, at_us);
	sync->n_quiet = loud ? 0 : sync->n_quiet + 1;
	sync->n_frames++;
	if (!loud || sync->n_beeps == 0)
		return;
	struct beep *beep = &sync->beeps[sync->n_beeps - 1];
	beep->n_crossings += (value < 0) != sync->negative;
	sync->negative = value < 0;
	beep->peak = MAX(beep->peak, abs(value));
	beep->n_frames = sync->n_frames;
}

static void on_data(SpiceChannel *channel, gpointer data, gint size, gpointer user)
{
	struct sync *sync = user;
	const int16_t *samples = data;
	const int64_t now_us = g_get_monotonic_time();
	const int rate = MAX(sync->probe->sound.rate, 1);

	for (int i = 0; i < size / 4; i++)
		hear(sync, samples[2 * i], now_us + (int64_t)i * G_USEC_PER_SEC / rate,
			(unsigned)(rate * QUIET_MS / 1000));
}

/* Answers the delay that was asked for, as the library's own audio code answers its device's. */
static void on_get_delay(SpiceChannel *channel, gpointer user)
{
	const struct sync *sync = user;
	spice_playback_channel_set_delay(SPICE_PLAYBACK_CHANNEL(channel), (guint32)sync->delay_ms);
}

/* ---- what is seen ---- */

static bool differ(int a, int b)
{
	for (int shift = 0; shift < 24; shift += 8) {
		if (abs((a >> shift & 255) - (b >> shift & 255)) >= COLOR_STEP)
			return true;
	}
	return false;
}

static void on_invalidate(
	SpiceChannel *channel, gint x, gint y, gint width, gint height, gpointer user)
{
	struct sync *sync = user;
	const struct probe_display *display = display_get(sync->probe, 0);
	const int pixel = display ? display_pixel(display, sync->x, sync->y) : -1;

	if (pixel < 0 || sync->n_changes == EVENTS_MAX ||
		(sync->n_changes > 0 && !differ(pixel, sync->changes[sync->n_changes - 1].pixel)))
		return;
	sync->changes[sync->n_changes++] = (struct change){ g_get_monotonic_time(), pixel };
}

/* ---- commands ---- */

static void sync_stop(struct sync *sync)
{
	if (sync->sound)
		g_signal_handlers_disconnect_by_data(sync->sound, sync);
	if (sync->display)
		g_signal_handlers_disconnect_by_data(sync->display, sync);
	g_clear_object(&sync->sound);
	g_clear_object(&sync->display);
	sync->probe = NULL;
}

static void run_sync_begin(struct call *call)
{
	struct sync *sync = &sync_now;
	struct probe_display *display = call_arg_display(call, 3);

	if (!display)
		return;
	if (!call->probe->sound_channel) {
		call_fail(call, "no playback channel");
		return;
	}
	sync_stop(sync);
	*sync = (struct sync){ .probe = call->probe,
		.x = call_arg_int(call, 0, 0),
		.y = call_arg_int(call, 1, 0),
		.delay_ms = call_arg_int(call, 2, 0),
		.n_quiet = UINT_MAX / 2,
		.sound = g_object_ref(call->probe->sound_channel),
		.display = g_object_ref(display->channel) };
	g_signal_connect(sync->sound, "playback-data", G_CALLBACK(on_data), sync);
	if (!call->probe->options.audio)
		g_signal_connect(sync->sound, "playback-get-delay", G_CALLBACK(on_get_delay), sync);
	g_signal_connect_after(
		sync->display, "display-invalidate", G_CALLBACK(on_invalidate), sync);
}

static void put_beeps(struct call *call, const struct sync *sync)
{
	const int64_t rate = sync->probe->sound.rate;

	call_put_key(call, "beeps");
	g_string_append_c(call->json, '[');
	for (unsigned i = 0; i < sync->n_beeps; i++) {
		const struct beep *beep = &sync->beeps[i];
		const int64_t hz = rate * beep->n_crossings / 2 / MAX(beep->n_frames, 1);

		g_string_append_printf(call->json,
			"%s{\"at_us\":%" G_GINT64_FORMAT ",\"hz\":%" G_GINT64_FORMAT
			",\"ms\":%" G_GINT64_FORMAT ",\"peak\":%d}",
			i ? "," : "", beep->at_us, hz,
			beep->n_frames * INT64_C(1000) / MAX(rate, 1), beep->peak);
	}
	g_string_append_c(call->json, ']');
}

static void put_changes(struct call *call, const struct sync *sync)
{
	call_put_key(call, "changes");
	g_string_append_c(call->json, '[');
	for (unsigned i = 0; i < sync->n_changes; i++)
		g_string_append_printf(call->json,
			"%s{\"at_us\":%" G_GINT64_FORMAT ",\"pixel\":\"%06x\"}", i ? "," : "",
			sync->changes[i].at_us, (unsigned)sync->changes[i].pixel);
	g_string_append_c(call->json, ']');
}

static void run_sync_end(struct call *call)
{
	if (!sync_now.probe) {
		call_fail(call, "not recording");
		return;
	}
	put_beeps(call, &sync_now);
	put_changes(call, &sync_now);
	sync_stop(&sync_now);
}

const struct command sync_commands[] = {
	{ "sync-begin", 3, true, run_sync_begin },
	{ "sync-end", 0, false, run_sync_end },
	{ NULL },
};
