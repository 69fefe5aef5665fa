/* SPDX-License-Identifier: MIT */
/*
 * spice-probe's commands that record how some pixels of display 0 change, and whether there is a
 * picture at all. probe_main.c says what they mean.
 */
#include "tests/client/probe_call.h"

#define POINTS_MAX 16
#define EVENTS_MAX 20000
#define NO_PICTURE (-1)

struct watch_event {
	int64_t at_us;
	int pixels[POINTS_MAX];
};

static struct watch {
	struct probe *probe;
	SpiceChannel *channel; /* owned; NULL: not recording */
	unsigned n_points;
	int x[POINTS_MAX], y[POINTS_MAX];
	GArray *events; /* struct watch_event */
	bool any;
	struct watch_event last;
} watch;

static void look(void)
{
	const struct probe_display *display = display_get(watch.probe, 0);
	struct watch_event now = { .at_us = g_get_monotonic_time() };
	bool differs = !watch.any;
	for (unsigned i = 0; i < watch.n_points; i++) {
		now.pixels[i] =
			display ? display_pixel(display, watch.x[i], watch.y[i]) : NO_PICTURE;
		differs |= now.pixels[i] != watch.last.pixels[i];
	}
	if (!differs)
		return;
	watch.any = true;
	watch.last = now;
	if (watch.events->len < EVENTS_MAX)
		g_array_append_val(watch.events, now);
}

static void on_invalidate(
	SpiceChannel *channel, gint x, gint y, gint width, gint height, gpointer user)
{
	look();
}

static void on_primary_create(SpiceChannel *channel, gint format, gint width, gint height,
	gint stride, gint shmid, gpointer data, gpointer user)
{
	look();
}

static void on_primary_destroy(SpiceChannel *channel, gpointer user)
{
	look();
}

static void stop(void)
{
	if (watch.channel)
		g_signal_handlers_disconnect_by_data(watch.channel, &watch);
	g_clear_object(&watch.channel);
	g_clear_pointer(&watch.events, g_array_unref);
	watch = (struct watch){ 0 };
}

/* After the probe's own handlers, which keep what we look at. */
static void hook(void)
{
	g_signal_connect_after(
		watch.channel, "display-invalidate", G_CALLBACK(on_invalidate), &watch);
	g_signal_connect_after(
		watch.channel, "display-primary-create", G_CALLBACK(on_primary_create), &watch);
	g_signal_connect_after(
		watch.channel, "display-primary-destroy", G_CALLBACK(on_primary_destroy), &watch);
}

static void run_watch_begin(struct call *call)
{
	stop();
	if (call->n_args % 2 || call->n_args > 2 * POINTS_MAX) {
		call_fail(call, "an X and a Y each, of %d points at most", POINTS_MAX);
		return;
	}
	struct probe_display *display = display_get(call->probe, 0);
	if (!display) {
		call_fail(call, "no picture");
		return;
	}
	watch.probe = call->probe;
	watch.channel = g_object_ref(display->channel);
	watch.events = g_array_new(FALSE, FALSE, sizeof(struct watch_event));
	watch.n_points = call->n_args / 2;
	for (unsigned i = 0; i < watch.n_points; i++) {
		watch.x[i] = call_arg_int(call, 2 * i, 0);
		watch.y[i] = call_arg_int(call, 2 * i + 1, 0);
	}
	hook();
	look();
}

void watch_follow(struct probe *probe)
{
	SpiceChannel *channel = probe->displays[0].channel;
	if (!watch.channel || !channel || watch.channel == channel)
		return;
	g_signal_handlers_disconnect_by_data(watch.channel, &watch);
	g_set_object(&watch.channel, channel);
	hook();
}

static void put_event(GString *json, const struct watch_event *event)
{
	g_string_append_printf(json, "[%" G_GINT64_FORMAT, event->at_us);
	for (unsigned i = 0; i < watch.n_points; i++) {
		if (event->pixels[i] < 0)
			g_string_append(json, ",null");
		else
			g_string_append_printf(json, ",\"%06x\"", (unsigned)event->pixels[i]);
	}
	g_string_append_c(json, ']');
}

static void run_watch_take(struct call *call)
{
	if (!watch.channel) {
		call_fail(call, "not recording");
		return;
	}
	call_put_key(call, "events");
	g_string_append_c(call->json, '[');
	for (guint i = 0; i < watch.events->len; i++) {
		if (i > 0)
			g_string_append_c(call->json, ',');
		put_event(call->json, &g_array_index(watch.events, struct watch_event, i));
	}
	g_string_append_c(call->json, ']');
	g_array_set_size(watch.events, 0);
	call_put_int(call, "now_us", g_get_monotonic_time());
}

const struct command watch_commands[] = {
	{ "watch-begin", 2, true, run_watch_begin },
	{ "watch-take", 0, false, run_watch_take },
	{ NULL },
};
