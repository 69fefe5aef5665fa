/* SPDX-License-Identifier: MIT */
/*
 * bench-video tells how old video is when a stock client shows it. It plays a full-screen film into
 * the real vitrine-display over the real links (fake_desktop.h) and writes a counter into each
 * picture; a client of spice-client-glib in a process of its own notes when it shows which. Both
 * use CLOCK_MONOTONIC.
 *
 *   bench-video [--seconds=N] [--warm-up=N] [--width=N] [--height=N] [--rate=N]
 *               [--clock=own|server|both] [--sound]
 *
 * The warm-up, until the stream has begun and the clock has closed in, is not counted. With --sound
 * the guest clicks; the client plays it by its own audio code (spice-audio over GStreamer) to a
 * sound server of its own (sound_device.h). The bench then also says when the clicks are heard, and
 * how much later that is than the picture of the same time is shown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <spice-client.h>
#pragma GCC diagnostic pop

#include "tests/bench/samples.h"
#include "tests/bench/sound_device.h"
#include "tests/client/fake_desktop.h"
#include "tests/guest/counter_layout.h"

#define PICTURES 30 /* of the film, over and over */
#define STRIP_X 32
#define STRIP_Y 32

static int seconds = 12, warm_up = 6, width = 1920, height = 1080, rate = 60;
static char *clocks = NULL;
static gboolean with_sound = FALSE;

/* ---- the client, a process of its own ---- */

struct viewer {
	struct counter_picture picture;
	uint32_t last;
};

static void on_primary(SpiceChannel *channel, gint format, gint w, gint h, gint stride, gint shmid,
	gpointer data, gpointer user)
{
	struct viewer *viewer = user;
	viewer->picture = (struct counter_picture){ data, w, h, (size_t)stride };
}

static void on_primary_gone(SpiceChannel *channel, gpointer user)
{
	struct viewer *viewer = user;
	viewer->picture = (struct counter_picture){ 0 };
}

static void on_invalidate(SpiceChannel *channel, gint x, gint y, gint w, gint h, gpointer user)
{
	struct viewer *viewer = user;
	gint64 now_us = g_get_monotonic_time();
	uint32_t value;
	if (!viewer->picture.pixels ||
		!counter_read_at(&viewer->picture, STRIP_X, STRIP_Y, &value) ||
		value == viewer->last)
		return;
	viewer->last = value;
	printf("%u %" G_GINT64_FORMAT "\n", value, now_us);
}

static void on_channel(SpiceSession *session, SpiceChannel *channel, gpointer user)
{
	if (SPICE_IS_DISPLAY_CHANNEL(channel)) {
		g_signal_connect(channel, "display-primary-create", G_CALLBACK(on_primary), user);
		g_signal_connect(
			channel, "display-primary-destroy", G_CALLBACK(on_primary_gone), user);
		g_signal_connect(channel, "display-invalidate", G_CALLBACK(on_invalidate), user);
	}
	/* Spice-audio connects playback itself, and takes no channel that is connected already. */
	if (!SPICE_IS_PLAYBACK_CHANNEL(channel) || !g_getenv("PULSE_SERVER"))
		spice_channel_connect(channel);
}

/* Runs the client until the parent process ends it. */
static int run_viewer(const char *uri)
{
	struct viewer viewer = { 0 };
	SpiceSession *session = spice_session_new();
	setvbuf(stdout, NULL, _IOLBF, 0);
	g_object_set(session, "uri", uri, NULL);
	g_signal_connect(session, "channel-new", G_CALLBACK(on_channel), &viewer);
	if (g_getenv("PULSE_SERVER"))
		spice_audio_get(session, NULL);
	if (!spice_session_connect(session))
		return 1;
	g_main_loop_run(g_main_loop_new(NULL, FALSE));
	return 0;
}

/* ---- the desktop ---- */

static void paint_strip(uint32_t *pixels, uint32_t value)
{
	for (int cell = 0; cell < COUNTER_CELLS; cell++) {
		uint32_t color = counter_cell_color(value, cell);
		for (int y = 0; y < COUNTER_HEIGHT_PX; y++) {
			uint32_t *row = pixels + (size_t)(STRIP_Y + y) * width + STRIP_X +
					cell * COUNTER_CELL_PX;
			for (int x = 0; x < COUNTER_CELL_PX; x++)
				row[x] = color;
		}
	}
}

static void make_film(struct canvas *film)
{
	for (unsigned i = 0; i < PICTURES; i++) {
		canvas_init(&film[i], width, height);
		canvas_film(&film[i], canvas_all(&film[i]), i);
	}
}

/*
 * Waits until a picture is due. A picture that could not be flushed in time is left out, so that
 * the film is never behind by more than one.
 */
static void sleep_until(gint64 time_us)
{
	gint64 left_us = time_us - g_get_monotonic_time();
	if (left_us > 0)
		g_usleep(left_us);
}

static void play(struct fake_render *render, struct canvas *film, gint64 *flushed_us, unsigned n)
{
	struct canvas *canvas = &render->heads[0].canvas;
	uint32_t *own = canvas->pixels;
	gint64 start_us = g_get_monotonic_time();
	for (unsigned i = 1; i < n; i++) {
		canvas->pixels = film[i % PICTURES].pixels;
		paint_strip(canvas->pixels, i);
		sleep_until(start_us + (gint64)i * G_USEC_PER_SEC / rate);
		flushed_us[i] = g_get_monotonic_time();
		fake_render_flush_all(render, 0);
	}
	canvas->pixels = own;
}

/* ---- figures ---- */

struct result {
	double p50_ms, p95_ms, shown_part;
};

struct film_times {
	unsigned n, first;             /* pictures, and the first that counts */
	gint64 *flushed_us, *shown_us; /* shown: 0: never */
};

static struct result read_shown(FILE *file, struct film_times *times)
{
	struct samples ages = { 0 };
	unsigned value, n_shown = 0;
	long long shown_us;
	while (fscanf(file, "%u %lld", &value, &shown_us) == 2) {
		if (value < times->first || value >= times->n)
			continue;
		times->shown_us[value] = shown_us;
		samples_add(&ages, (double)(shown_us - times->flushed_us[value]) / 1000);
		n_shown++;
	}
	struct result result = { samples_quantile(&ages, 0.5), samples_quantile(&ages, 0.95),
		(double)n_shown / (times->n - times->first) };
	samples_finish(&ages);
	return result;
}

/*
 * Returns the age of the first picture that was shown of those after the click; below 0 if there is
 * none.
 */
static gint64 picture_age_us(const struct film_times *times, gint64 click_us)
{
	for (unsigned i = times->first; i < times->n; i++) {
		if (times->flushed_us[i] >= click_us && times->shown_us[i] > 0)
			return times->shown_us[i] - times->flushed_us[i];
	}
	return -1;
}

static void print_sound(struct sound_device *device, const struct film_times *times)
{
	struct samples ages = { 0 }, lags = { 0 }, apart = { 0 };
	unsigned n, n_heard = 0, n_clicks = 0;
	const struct sound_click *clicks = sound_device_stop(device, &n);
	for (unsigned i = 0; i < n; i++) {
		gint64 picture_us = picture_age_us(times, clicks[i].made_us);
		if (clicks[i].made_us < times->flushed_us[times->first] || picture_us < 0)
			continue;
		n_clicks++;
		if (clicks[i].heard_us == 0)
			continue;
		gint64 age_us = clicks[i].heard_us - clicks[i].made_us;
		n_heard++;
		samples_add(&ages, (double)age_us / 1000);
		samples_add(&lags, (double)(age_us - picture_us) / 1000);
		samples_add(&apart, (double)llabs(age_us - picture_us) / 1000);
	}
	printf("%-8s click to heard p50 %.1f ms, p95 %.1f ms; sound behind the picture p50 %+.1f "
	       "ms, apart "
	       "p95 %.1f ms; %u of %u clicks\n",
		"", samples_quantile(&ages, 0.5), samples_quantile(&ages, 0.95),
		samples_quantile(&lags, 0.5), samples_quantile(&apart, 0.95), n_heard, n_clicks);
	samples_finish(&ages);
	samples_finish(&lags);
	samples_finish(&apart);
}

static GSubprocess *start_viewer(
	const char *self, const char *address, const char *path, struct sound_device *device)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
	g_subprocess_launcher_set_stdout_file_path(launcher, path);
	if (device)
		g_subprocess_launcher_setenv(
			launcher, "PULSE_SERVER", sound_device_server(device), TRUE);
	else
		g_subprocess_launcher_unsetenv(launcher, "PULSE_SERVER");
	GSubprocess *viewer =
		g_subprocess_launcher_spawn(launcher, &error, self, "--viewer", address, NULL);
	g_assert_no_error(error);
	return viewer;
}

static void play_all(struct fake_desktop *desktop, const char *self, struct canvas *film,
	struct film_times *times, const char *path, struct sound_device *device)
{
	struct fake_render *render = fake_desktop_render(desktop);
	GSubprocess *viewer = start_viewer(self, fake_desktop_address(desktop), path, device);
	g_assert_true(fake_render_wait_rate(render, 0, true, 20000));
	if (device)
		sound_device_play(device, fake_desktop_qemu(desktop));
	play(render, film, times->flushed_us, times->n);
	if (device)
		sound_device_hush(device);
	g_usleep(G_USEC_PER_SEC);
	g_subprocess_force_exit(viewer);
	g_subprocess_wait(viewer, NULL, NULL);
	g_object_unref(viewer);
}

static struct result print_result(const char *path, struct film_times *times, const char *clock)
{
	FILE *file = fopen(path, "r");
	g_assert_nonnull(file);
	struct result result = read_shown(file, times);
	fclose(file);
	printf("%-8s %dx%d at %d/s: flush to shown p50 %.1f ms, p95 %.1f ms, %.1f %% of the "
	       "pictures\n",
		clock, width, height, rate, result.p50_ms, result.p95_ms, result.shown_part * 100);
	return result;
}

static struct result measure(const char *self, struct canvas *film, const char *clock)
{
	const struct fake_desktop_options options = { .clock = clock };
	const struct fake_layout layout = { .width = (uint32_t)width, .height = (uint32_t)height };
	unsigned first = (unsigned)(warm_up * rate), n = first + (unsigned)(seconds * rate);
	g_autofree gint64 *flushed_us = g_new0(gint64, n), *shown_us = g_new0(gint64, n);
	struct film_times times = { n, first, flushed_us, shown_us };
	g_autofree char *path = g_strdup_printf("%s/bench-video-%d", g_get_tmp_dir(), getpid());
	struct sound_device *device = with_sound ? sound_device_start() : NULL;
	if (with_sound && !device)
		printf("no sound: pulseaudio or parec (pulseaudio-utils) is missing\n");
	struct fake_desktop *desktop = fake_desktop_start(&options);
	fake_render_head_on(fake_desktop_render(desktop), 0, &layout);
	play_all(desktop, self, film, &times, path, device);
	if (g_getenv("BENCH_VIDEO_LOG"))
		fake_desktop_print_log(desktop);
	fake_desktop_stop(desktop);
	struct result result = print_result(path, &times, clock);
	unlink(path);
	if (device)
		print_sound(device, &times);
	sound_device_free(device);
	return result;
}

int main(int argc, char **argv)
{
	char *viewer = NULL;
	const GOptionEntry entries[] = {
		{ "viewer", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &viewer, NULL, NULL },
		{ "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "that count", "N" },
		{ "warm-up", 0, 0, G_OPTION_ARG_INT, &warm_up, "seconds before", "N" },
		{ "width", 0, 0, G_OPTION_ARG_INT, &width, "of the head", "N" },
		{ "height", 0, 0, G_OPTION_ARG_INT, &height, "of the head", "N" },
		{ "rate", 0, 0, G_OPTION_ARG_INT, &rate, "pictures a second", "N" },
		{ "clock", 0, 0, G_OPTION_ARG_STRING, &clocks, "own, server or both", "WHICH" },
		{ "sound", 0, 0, G_OPTION_ARG_NONE, &with_sound, "and its sound", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- age of video at the client");
	g_autoptr(GError) error = NULL;
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_printerr("bench-video: %s\n", error->message);
		return 2;
	}
	if (viewer)
		return run_viewer(viewer);
	struct canvas film[PICTURES];
	struct result server = { 0 }, own = { 0 };
	make_film(film);
	if (g_strcmp0(clocks, "own") != 0)
		server = measure(argv[0], film, "server");
	if (g_strcmp0(clocks, "server") != 0)
		own = measure(argv[0], film, "vitrine");
	if (own.p50_ms > 0 && server.p50_ms > 0)
		printf("ratio    p50 %.3f, p95 %.3f\n", own.p50_ms / server.p50_ms,
			own.p95_ms / server.p95_ms);
	for (unsigned i = 0; i < PICTURES; i++)
		canvas_finish(&film[i]);
	return 0;
}
