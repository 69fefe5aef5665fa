/* SPDX-License-Identifier: MIT */
/*
 * spice-probe's commands that record what is shown, and when, of one of the benchmark's scenes
 * (tests/guest/programs/scene.h) on display 0. A picture counts as shown when the library says that
 * its pixels are in the canvas (display-invalidate): for video that is the time at which it decided
 * to display the frame. probe_main.c says what the commands mean.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/picture_quality.h"
#include "tests/client/probe_call.h"
#include "tests/guest/counter_layout.h"

#define SAMPLES_MAX 8
#define CELL_TOLERANCE 12 /* mean difference of a channel; lossy pictures of text blur it */
#define RELEASE_AFTER_MS 5

struct shown_frame {
	uint32_t frame, keys;
	int64_t shown_us,
		whole_us; /* upper strip changed; both ends of the picture show it, or 0 */
};

struct sample {
	uint32_t frame, keys;
	uint32_t *pixels;
};

struct record {
	struct probe *probe;
	SpiceChannel *channel; /* owned; NULL: not recording */
	gulong handler;
	struct scene scene;
	struct scene_painter *painter;
	GArray *frames; /* struct shown_frame */
	struct sample samples[SAMPLES_MAX];
	unsigned n_samples;
	guint sample_timer;   /* 0: none */
	uint32_t frame, keys; /* shown now */
	bool any;
	uint32_t wanted_key; /* waited for; 0: none */
	int64_t key_shown_us;
	uint32_t *wanted; /* the picture waited for; NULL: none */
	uint32_t wanted_frame;
	int64_t wanted_shown_us, exact_us;
};

static struct record record;

static bool picture_now(struct counter_picture *picture)
{
	const struct probe_display *display = display_get(record.probe, 0);

	if (!display || display->width < record.scene.width ||
		display->height < record.scene.height ||
		(display->format != SPICE_SURFACE_FMT_32_xRGB &&
			display->format != SPICE_SURFACE_FMT_32_ARGB))
		return false;
	*picture = (struct counter_picture){ .pixels = display->data,
		.width = display->width,
		.height = display->height,
		.stride_bytes = display->stride_bytes };
	return true;
}

static const uint32_t *picture_pixels(const struct counter_picture *picture)
{
	return (const uint32_t *)(const void *)picture->pixels;
}

/*
 * Reads a strip: 0 is the upper frame strip, 1 the lower one, 2 the keys. Returns false when it is
 * unreadable, and leaves `value` alone.
 */
static bool strip_read(const struct counter_picture *picture, int index, uint32_t *value)
{
	return index < record.scene.n_strips &&
	       counter_read_at(
		       picture, record.scene.strips[index].x, record.scene.strips[index].y, value);
}

/* Copies the picture as a screen would, at any moment, also between the pieces of a picture. */
static gboolean sample_tick(gpointer user)
{
	const size_t width = record.scene.width, height = record.scene.height;
	struct counter_picture picture;
	uint32_t upper, lower;

	if (record.n_samples == SAMPLES_MAX || !picture_now(&picture) ||
		!strip_read(&picture, 0, &upper) || !strip_read(&picture, 1, &lower) ||
		lower != upper)
		return G_SOURCE_CONTINUE;
	const size_t stride = picture.stride_bytes / sizeof(uint32_t);
	struct sample *sample = &record.samples[record.n_samples++];
	*sample =
		(struct sample){ upper, record.keys, g_malloc(width * height * sizeof(uint32_t)) };
	for (size_t y = 0; y < height; y++)
		memcpy(sample->pixels + y * width, picture_pixels(&picture) + y * stride,
			width * sizeof(uint32_t));
	return G_SOURCE_CONTINUE;
}

static void frame_look(const struct counter_picture *picture, int64_t now_us)
{
	uint32_t upper, lower;

	if (!strip_read(picture, 0, &upper))
		return;
	if (!record.any || upper != record.frame) {
		struct shown_frame shown = { upper, record.keys, now_us, 0 };
		g_array_append_val(record.frames, shown);
		record.any = true;
		record.frame = upper;
	}
	struct shown_frame *last =
		&g_array_index(record.frames, struct shown_frame, record.frames->len - 1);
	if (last->whole_us || !strip_read(picture, 1, &lower) || lower != upper)
		return;
	last->whole_us = now_us;
}

/* Returns whether the cell shows the character of this key, sharp or nearly so. */
static bool cell_is_shown(const struct counter_picture *picture, uint32_t key)
{
	const struct scene_rect cell = scene_key_cell(&record.scene, key);
	const size_t stride = picture->stride_bytes / sizeof(uint32_t);
	uint32_t wanted[SCENE_CELL_WIDTH_PX * SCENE_CELL_HEIGHT_PX];
	unsigned sum = 0;

	scene_fill_cell(&record.scene, (key - 1) / SCENE_COLUMNS, (int)((key - 1) % SCENE_COLUMNS),
		key, wanted, SCENE_CELL_WIDTH_PX);
	for (int i = 0; i < SCENE_CELL_WIDTH_PX * SCENE_CELL_HEIGHT_PX; i++) {
		uint32_t pixel =
			picture_pixels(picture)[stride * (cell.y + i / SCENE_CELL_WIDTH_PX) +
						cell.x + i % SCENE_CELL_WIDTH_PX];
		for (int shift = 0; shift < 24; shift += 8)
			sum += abs((int)(pixel >> shift & 255) - (int)(wanted[i] >> shift & 255));
	}
	return sum <= 3 * CELL_TOLERANCE * SCENE_CELL_WIDTH_PX * SCENE_CELL_HEIGHT_PX;
}

static void key_look(const struct counter_picture *picture, int64_t now_us)
{
	if (strip_read(picture, 2, &record.keys) && record.wanted_key &&
		record.keys >= record.wanted_key)
		record.key_shown_us = now_us;
	if (record.scene.kind == SCENE_TYPING && record.wanted_key &&
		cell_is_shown(picture, record.wanted_key))
		record.key_shown_us = now_us;
	if (record.key_shown_us)
		record.wanted_key = 0;
}

static uint64_t pixels_different(const struct counter_picture *picture)
{
	const size_t stride = picture->stride_bytes / sizeof(uint32_t);
	uint64_t n = 0;

	for (int y = 0; y < record.scene.height; y++) {
		const uint32_t *shown = picture_pixels(picture) + stride * y,
			       *wanted = record.wanted + (size_t)record.scene.width * y;
		for (int x = 0; x < record.scene.width; x++)
			n += ((shown[x] ^ wanted[x]) & 0xffffff) != 0;
	}
	return n;
}

static void exact_look(const struct counter_picture *picture, int64_t now_us)
{
	if (!record.wanted || record.exact_us)
		return;
	if (!record.wanted_shown_us && (!record.any || record.frame == record.wanted_frame))
		record.wanted_shown_us = now_us;
	if (record.wanted_shown_us && pixels_different(picture) == 0)
		record.exact_us = now_us;
}

static void record_look(void)
{
	const int64_t now_us = g_get_monotonic_time();
	struct counter_picture picture;

	if (!picture_now(&picture))
		return;
	key_look(&picture, now_us);
	frame_look(&picture, now_us);
	exact_look(&picture, now_us);
}

static void record_invalidate(
	SpiceChannel *channel, gint x, gint y, gint width, gint height, gpointer user)
{
	record_look();
}

static void record_stop(void)
{
	for (unsigned i = 0; i < record.n_samples; i++)
		g_free(record.samples[i].pixels);
	if (record.sample_timer)
		g_source_remove(record.sample_timer);
	if (record.channel)
		g_signal_handler_disconnect(record.channel, record.handler);
	g_clear_object(&record.channel);
	g_clear_pointer(&record.painter, scene_painter_destroy);
	g_clear_pointer(&record.frames, g_array_unref);
	g_clear_pointer(&record.wanted, g_free);
	record = (struct record){ 0 };
}

static void run_record_begin(struct call *call)
{
	struct probe_display *display = call_arg_display(call, 3);
	const int sample_ms = call_arg_int(call, 1, 0);
	struct scene scene;

	record_stop();
	if (!display)
		return;
	if (!scene_init(&scene, call->args[0], display->width, display->height)) {
		call_fail(call, "no scene %s on %dx%d", call->args[0], display->width,
			display->height);
		return;
	}
	record = (struct record){ .probe = call->probe,
		.scene = scene,
		.painter = scene_painter_create(&scene),
		.channel = g_object_ref(display->channel),
		.keys = call_arg_int(call, 2, 0),
		.frames = g_array_new(false, false, sizeof(struct shown_frame)) };
	if (sample_ms > 0)
		record.sample_timer = g_timeout_add(sample_ms, sample_tick, NULL);
	record.handler = g_signal_connect_after(
		record.channel, "display-invalidate", G_CALLBACK(record_invalidate), NULL);
	record_look();
	call_put_int(call, "now_us", g_get_monotonic_time());
}

static bool record_is_on(struct call *call)
{
	if (!record.channel || record.probe != call->probe)
		call_fail(call, "not recording");
	return !call->error;
}

static bool key_is_shown(void *user)
{
	return record.key_shown_us != 0;
}

/* Presses a key and waits until it shows. Returns the time that took in microseconds, or -1. */
static int64_t key_time(struct probe *probe, int timeout_ms)
{
	static const unsigned scancode_a = 0x1e;

	record.wanted_key = record.keys + 1;
	record.key_shown_us = 0;
	const int64_t pressed_us = g_get_monotonic_time();
	spice_inputs_channel_key_press(probe->inputs, scancode_a);
	const bool shown = probe_wait(timeout_ms, key_is_shown, NULL);
	record.wanted_key = 0;
	record.keys = record.scene.kind == SCENE_TYPING ? record.keys + 1 : record.keys;
	/*
	 * We release it a little later, because the library would else hold the release back and
	 * forget that the press went out.
	 */
	probe_wait(RELEASE_AFTER_MS, NULL, NULL);
	spice_inputs_channel_key_release(probe->inputs, scancode_a);
	return shown ? record.key_shown_us - pressed_us : -1;
}

static void run_record_keys(struct call *call)
{
	const int n = call_arg_int(call, 0, 0), min_ms = call_arg_int(call, 1, 0),
		  max_ms = call_arg_int(call, 2, 0), timeout_ms = call_arg_int(call, 3, 0);
	g_autoptr(GRand) random = g_rand_new_with_seed(n);

	if (!record_is_on(call))
		return;
	call_put_key(call, "keys_us");
	g_string_append_c(call->json, '[');
	for (int i = 0; i < n && connection_is_open(call->probe); i++) {
		g_string_append_printf(call->json, "%s%" G_GINT64_FORMAT, i ? "," : "",
			key_time(call->probe, timeout_ms));
		probe_wait(g_rand_int_range(random, min_ms, max_ms + 1), NULL, NULL);
	}
	g_string_append_c(call->json, ']');
	call_put_int(call, "keys", record.keys);
}

static bool picture_is_exact(void *user)
{
	return record.exact_us != 0;
}

static void run_record_settle(struct call *call)
{
	struct counter_picture picture;

	if (!record_is_on(call))
		return;
	g_free(record.wanted);
	record.wanted = g_new(uint32_t, (gsize)record.scene.width * record.scene.height);
	record.wanted_frame = call_arg_int(call, 0, 0);
	record.wanted_shown_us = record.exact_us = 0;
	scene_paint(record.painter, record.wanted_frame, call_arg_int(call, 1, 0), record.wanted);
	record_look();
	probe_wait(call_arg_int(call, 2, 0), picture_is_exact, NULL);
	call_put_int(call, "shown_us", record.wanted_shown_us);
	call_put_int(call, "exact_us", record.exact_us);
	call_put_int(call, "different", picture_now(&picture) ? pixels_different(&picture) : 0);
	g_clear_pointer(&record.wanted, g_free);
}

/* Counts the pixels that differ outside the moving part, where all must stay as it is. */
static uint64_t outside_different(const struct sample *sample, const uint32_t *drawn)
{
	const struct scene_rect all = { 0, 0, record.scene.width, record.scene.height };
	const size_t stride = record.scene.width;

	return picture_quality_of(sample->pixels, stride, drawn, stride, all).n_different -
	       picture_quality_of(sample->pixels, stride, drawn, stride, record.scene.damage)
		       .n_different;
}

static void put_samples(struct call *call)
{
	const size_t stride = record.scene.width;
	g_autofree uint32_t *drawn = g_new(uint32_t, stride * record.scene.height);

	call_put_key(call, "samples");
	g_string_append_c(call->json, '[');
	for (unsigned i = 0; i < record.n_samples; i++) {
		const struct sample *sample = &record.samples[i];
		char psnr[G_ASCII_DTOSTR_BUF_SIZE], ssim[G_ASCII_DTOSTR_BUF_SIZE];

		scene_paint(record.painter, sample->frame, sample->keys, drawn);
		const struct picture_quality quality = picture_quality_of(
			sample->pixels, stride, drawn, stride, record.scene.window);
		g_ascii_formatd(psnr, sizeof(psnr), "%.2f", quality.psnr_db);
		g_ascii_formatd(ssim, sizeof(ssim), "%.5f", quality.ssim);
		g_string_append_printf(call->json,
			"%s{\"frame\":%u,\"psnr\":%s,\"ssim\":%s,\"different\":%" G_GUINT64_FORMAT
			",\"outside\":%" G_GUINT64_FORMAT "}",
			i ? "," : "", sample->frame, psnr, ssim, quality.n_different,
			outside_different(sample, drawn));
	}
	g_string_append_c(call->json, ']');
}

static void run_record_end(struct call *call)
{
	if (!record_is_on(call))
		return;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < record.frames->len; i++) {
		const struct shown_frame *shown =
			&g_array_index(record.frames, struct shown_frame, i);
		g_string_append_printf(text, "%u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
			shown->frame, shown->shown_us, shown->whole_us);
	}
	if (!g_file_set_contents(call->args[0], text->str, text->len, &error))
		call_fail(call, "%s", error->message);
	put_samples(call);
	record_stop();
}

const struct command record_commands[] = {
	{ "record-begin", 1, true, run_record_begin },
	{ "record-keys", 4, true, run_record_keys },
	{ "record-settle", 3, false, run_record_settle },
	{ "record-end", 1, false, run_record_end },
	{ NULL },
};
