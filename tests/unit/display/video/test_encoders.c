/* SPDX-License-Identifier: MIT */
/*
 * encoders: checks what becomes of streams with encoders that have the manners of GPUs'
 * (fake_encoder.h), through what spice-server uses of us. Each case has a process of its own, since
 * encoders are chosen once in a process. Time goes by with the pictures, not by the clock.
 */
#include <stdlib.h>
#include <string.h>

#include "display/video/access_unit.h"
#include "display/video/choices.h"
#include "display/video/video.h"
#include "tests/unit/display/video/fake_encoder.h"
#include "tests/unit/display/video/video_rig.h"

#define WIDTH 640
#define HEIGHT 360
#define FPS 30
#define TIMEOUT_MS 20000
#define KBIT 1000u
#define MBIT 1000000u
/* What a desktop without video is shown by; the fakes' pictures are no H.264. */
#define FAKE_FILL 0x55

static gint64 passed_us;
static uint64_t line_bps;
/* Of g_warning() and g_message(). */
static GString *said;

gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void)
{
	return __real_g_get_monotonic_time() + passed_us;
}

static uint64_t get_line(void *user)
{
	return line_bps;
}

static GLogWriterOutput note_log(
	GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user)
{
	if (level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE)) {
		g_autofree char *line = g_log_writer_format_fields(level, fields, n_fields, FALSE);
		static GMutex lock;
		g_mutex_lock(&lock);
		g_string_append_printf(said, "%s\n", line);
		g_mutex_unlock(&lock);
		g_printerr("%s\n", line);
	}
	return level & G_LOG_LEVEL_ERROR ?
		       g_log_writer_standard_streams(level, fields, n_fields, NULL) :
		       G_LOG_WRITER_HANDLED;
}

static void expect_said(const char *text)
{
	if (!strstr(said->str, text))
		g_error("nothing said \"%s\"", text);
}

static unsigned count_said(const char *text)
{
	unsigned n = 0;
	for (const char *at = said->str; (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* ---- streams ---- */

struct stream {
	struct video_rig *rig;
	uint32_t *pixels;
	uint32_t width, height;
	unsigned n_pictures;
	/* Of the last picture, and in all since the last stream_forget(). */
	bool was_fake;
	unsigned n_keys, n_counted;
	uint64_t bits;
};

static struct stream *stream_begin(uint32_t width, uint32_t height)
{
	struct stream *stream = g_new0(struct stream, 1);
	stream->width = width;
	stream->height = height;
	stream->pixels = g_new(uint32_t, (size_t)width * height);
	video_scene(stream->pixels, width, height, 0);
	stream->rig = video_rig_new("h264", width, height, FPS, 100 * MBIT);
	return stream;
}

static void stream_end(struct stream *stream)
{
	video_rig_free(stream->rig);
	g_free(stream->pixels);
	g_free(stream);
}

static void stream_forget(struct stream *stream)
{
	stream->n_keys = stream->n_counted = 0;
	stream->bits = 0;
}

static bool has_key(const GstMapInfo *map)
{
	for (size_t i = 0; i + 4 < map->size; i++) {
		if (map->data[i] == 0 && map->data[i + 1] == 0 && map->data[i + 2] == 1 &&
			(map->data[i + 3] & 31) == 5)
			return true;
	}
	return false;
}

static void note_picture(struct stream *stream, GstBuffer *encoded)
{
	GstMapInfo map;
	g_assert_true(gst_buffer_map(encoded, &map, GST_MAP_READ));
	stream->was_fake = map.size > 40 && map.data[map.size - 20] == FAKE_FILL &&
			   map.data[map.size - 21] == FAKE_FILL &&
			   map.data[map.size - 22] == FAKE_FILL;
	stream->n_keys += has_key(&map);
	stream->bits += map.size * 8;
	stream->n_counted++;
	gst_buffer_unmap(encoded, &map);
}

/* Sends pictures, and lets time go by for each. */
static void stream_show(struct stream *stream, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!stream->was_fake && stream->width <= WIDTH)
			video_scene(
				stream->pixels, stream->width, stream->height, stream->n_pictures);
		GstBuffer *encoded = video_rig_encode(stream->rig, stream->pixels, TIMEOUT_MS);
		g_assert_nonnull(encoded);
		note_picture(stream, encoded);
		gst_buffer_unref(encoded);
		stream->n_pictures++;
		passed_us += G_USEC_PER_SEC / FPS;
	}
}

/* Lets time go by with a few pictures of each. One that starts beside does so by the real clock. */
static void streams_pass(struct stream *const streams[], unsigned n_streams, unsigned seconds)
{
	for (unsigned at = 0; at < seconds; at += 5) {
		for (unsigned i = 0; i < n_streams; i++)
			stream_show(streams[i], 1);
		passed_us += 5 * G_USEC_PER_SEC;
		g_usleep(20000);
	}
	for (unsigned i = 0; i < n_streams; i++)
		stream_show(streams[i], 2);
}

static void stream_pass(struct stream *stream, unsigned seconds)
{
	streams_pass(&stream, 1, seconds);
}

static uint64_t stream_bps(const struct stream *stream)
{
	return stream->bits * FPS / MAX(stream->n_counted, 1);
}

static void begin(const struct fake_encoder *fakes, unsigned n_fakes)
{
	for (unsigned i = 0; i < n_fakes; i++)
		fake_encoder_register(NULL, &fakes[i]);
	line_bps = 40 * MBIT;
	video_set_line(get_line, NULL);
	g_assert_true(video_init(&(struct video_options){ 0 }));
}

/* ---- cases ---- */

/* Moves the line to that rate, in estimates of which each differs from the one before. */
static void slide(struct stream *stream, uint64_t to_bps, unsigned n_estimates)
{
	uint64_t from_bps = line_bps;
	for (unsigned i = 1; i <= n_estimates; i++) {
		line_bps = from_bps + (uint64_t)(((int64_t)to_bps - (int64_t)from_bps) /
						 (int)n_estimates * (int)i);
		stream_show(stream, 3);
	}
	line_bps = to_bps;
}

/* The line falls to a tenth and comes back; each change of the rate would be a key frame. */
static void keys(const char *element)
{
	const struct fake_encoder fake = { .element = element };
	begin(&fake, 1);
	struct stream *stream = stream_begin(WIDTH, HEIGHT);
	line_bps = 1500 * KBIT;
	stream_show(stream, 10 * FPS);
	g_assert_true(stream->was_fake);
	uint64_t before_bps = stream_bps(stream);
	slide(stream, 150 * KBIT, 5);
	stream_show(stream, FPS);
	unsigned n_keys = stream->n_keys;
	stream_forget(stream);
	stream_show(stream, 20 * FPS);
	g_printerr("# %s: %.2f Mbit/s, then on a line of 0.15: %.3f\n", element,
		(double)before_bps / 1e6, (double)stream_bps(stream) / 1e6);
	g_assert_cmpuint(stream_bps(stream), <=, line_bps * 12 / 10);
	slide(stream, 1500 * KBIT, 20);
	stream_show(stream, 20 * FPS);
	n_keys += stream->n_keys;
	g_printerr("# %s: %u key frames\n", element, n_keys);
	g_assert_cmpuint(n_keys, <=, 4);
	g_assert_true(stream->was_fake);
	stream_forget(stream);
	stream_show(stream, 5 * FPS);
	g_assert_cmpuint(stream_bps(stream), >=, before_bps * 7 / 10);
	stream_end(stream);
}

static void case_keys_nvenc(void)
{
	keys("nvh264enc");
}

static void case_keys_va(void)
{
	keys("vah264enc");
}

/* One that cannot keep to a rate does not serve: the next one does, within the line. */
static void expect_rate_kept(const struct fake_encoder *fake)
{
	begin(fake, 1);
	struct stream *stream = stream_begin(WIDTH, HEIGHT);
	line_bps = 2 * MBIT;
	stream_show(stream, FPS);
	g_assert_false(stream->was_fake);
	stream_forget(stream);
	stream_show(stream, 3 * FPS);
	g_printerr("# %s: %.2f Mbit/s on a line of %.2f\n", fake->element,
		(double)stream_bps(stream) / 1e6, (double)line_bps / 1e6);
	g_assert_cmpuint(stream_bps(stream), <=, line_bps * 12 / 10);
	stream_end(stream);
	expect_said("cannot be cbr; not used any more");
}

static void case_no_cbr(void)
{
	expect_rate_kept(&(const struct fake_encoder){ .element = "vah264enc", .no_cbr = true });
}

static void case_cbr_ignored(void)
{
	expect_rate_kept(
		&(const struct fake_encoder){ .element = "nvh264enc", .ignores_cbr = true });
}

static void case_cbr_dropped(void)
{
	expect_rate_kept(
		&(const struct fake_encoder){ .element = "vah264lpenc", .drops_cbr = true });
}

/* Every size gets video, and from hardware what hardware can do. */
static void case_sizes(void)
{
	static const struct {
		uint32_t width, height;
		bool fake;
	} sizes[] = { { 128, 96, false }, { 5120, 1440, false }, { 4096, 160, true },
		{ 160, 158, false }, { 1280, 720, true } };
	const struct fake_encoder fake = { .element = "vah264enc", .least = 160, .most = 4096 };
	begin(&fake, 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct stream *stream = stream_begin(sizes[i].width, sizes[i].height);
		stream_show(stream, 2);
		g_assert_cmpint(stream->was_fake, ==, sizes[i].fake);
		stream_end(stream);
	}
	g_assert_cmpuint(count_said("tried again"), ==, 0);
}

/* An odd size is for the one that does not halve the colours, wherever it stands in the list. */
static void case_odd_size(void)
{
	const struct fake_encoder fake = { .element = "vah264enc" };
	fake_encoder_register(NULL, &fake);
	g_assert_true(video_init(&(struct video_options){ .chroma_444 = true }));
	struct stream *stream = stream_begin(WIDTH, HEIGHT);
	stream_show(stream, 2);
	g_assert_true(stream->was_fake);
	stream_end(stream);
	stream = stream_begin(WIDTH - 1, HEIGHT - 1);
	stream_show(stream, 2);
	g_assert_false(stream->was_fake);
	stream_end(stream);
	g_assert_cmpuint(count_said("tried again"), ==, 0);
}

/* What works is not left because another one has failed: that would be a key frame. */
static void expect_in_hardware(struct stream *const streams[], unsigned n_streams)
{
	for (unsigned i = 0; i < n_streams; i++) {
		g_assert_true(streams[i]->was_fake);
		g_assert_cmpuint(streams[i]->n_keys, ==, 0);
	}
}

/*
 * Two may encode at a time, and go on when a third has failed. That is shown by software, and goes
 * over to hardware, without being begun anew, when one of the others has ended.
 */
static void case_busy(void)
{
	const struct fake_encoder fake = { .element = "nvh264enc", .n_sessions = 2 };
	begin(&fake, 1);
	struct stream *streams[3];
	for (unsigned i = 0; i < 3; i++) {
		streams[i] = stream_begin(WIDTH, HEIGHT);
		stream_show(streams[i], 2);
		g_assert_cmpint(streams[i]->was_fake, ==, i < 2);
		stream_forget(streams[i]);
	}
	expect_said("encoder nvenc: it does not start; tried again in a minute");
	unsigned n_starts = fake_encoder_count_starts();
	streams_pass(streams, 3, 30);
	expect_in_hardware(streams, 2);
	g_assert_false(streams[2]->was_fake);
	g_assert_cmpuint(fake_encoder_count_starts(), ==, n_starts);
	streams_pass(streams, 3, 90);
	expect_in_hardware(streams, 2);
	g_assert_cmpuint(fake_encoder_count_starts(), >, n_starts);
	g_assert_cmpuint(fake_encoder_count_starts(), <=, n_starts + 2);
	g_assert_false(streams[2]->was_fake);
	g_assert_cmpuint(count_said("works again"), ==, 0);
	stream_end(streams[0]);
	streams_pass(streams + 1, 2, 70);
	expect_in_hardware(streams + 1, 1);
	g_assert_true(streams[2]->was_fake);
	g_assert_cmpuint(count_said("encoder nvenc works again"), ==, 1);
	g_assert_cmpuint(count_said("tried again"), ==, 1);
	stream_end(streams[1]);
	stream_end(streams[2]);
}

/* It errs in the trial, as one that is busy with other desktops, and is tried again later. */
static void case_fails_at_first(void)
{
	struct fake_encoder fake = { .element = "vah264enc", .fault = FAKE_ERRS };
	begin(&fake, 1);
	expect_said("encoder va: the driver says no; tried again in a minute");
	fake.fault = FAKE_NO_FAULT;
	struct stream *stream = stream_begin(WIDTH, HEIGHT);
	stream_pass(stream, 30);
	g_assert_false(stream->was_fake);
	stream_pass(stream, 40);
	g_assert_true(stream->was_fake);
	stream_end(stream);
}

/* Not a picture is lost, however the encoder fails. `after_ms`: bounds how long one waits. */
static void expect_replaced(const struct fake_encoder *fake, int after_ms, const char *text)
{
	begin(fake, 1);
	struct stream *stream = stream_begin(WIDTH, HEIGHT);
	gint64 longest_us = 0;
	for (unsigned i = 0; i < 40; i++) {
		gint64 start_us = __real_g_get_monotonic_time();
		stream_show(stream, 1);
		longest_us = MAX(longest_us, __real_g_get_monotonic_time() - start_us);
	}
	g_assert_false(stream->was_fake);
	g_assert_cmpuint(stream->n_counted, ==, 40);
	g_printerr("# the longest picture: %d ms\n", (int)(longest_us / 1000));
	g_assert_cmpint(longest_us / 1000, <=, after_ms);
	expect_said(text);
	stream_end(stream);
	stream = stream_begin(WIDTH, HEIGHT);
	gint64 start_us = __real_g_get_monotonic_time();
	stream_show(stream, 1);
	g_assert_cmpint((__real_g_get_monotonic_time() - start_us) / 1000, <, 1000);
	stream_end(stream);
	g_assert_cmpuint(count_said("encoder va: "), ==, 1);
}

#define UNANSWERED "encoder va: it does not answer; not used any more"

static void case_hangs(void)
{
	expect_replaced(
		&(const struct fake_encoder){
			.element = "vah264enc", .fault = FAKE_HANGS, .fault_at = 20 },
		3500, UNANSWERED);
}

static void case_hangs_at_start(void)
{
	expect_replaced(&(const struct fake_encoder){ .element = "vah264enc",
				.fault = FAKE_HANGS_AT_START },
		1500, UNANSWERED);
}

static void case_says_nothing(void)
{
	expect_replaced(
		&(const struct fake_encoder){
			.element = "vah264enc", .fault = FAKE_SAYS_NOTHING, .fault_at = 20 },
		3500, UNANSWERED);
}

static void case_errs(void)
{
	expect_replaced(
		&(const struct fake_encoder){
			.element = "vah264enc", .fault = FAKE_ERRS, .fault_at = 20 },
		1500, "encoder va: the driver says no; tried again in a minute");
}

/* What a driver says is no line of its own, whatever is in it. */
static void case_words(void)
{
	g_autofree char *long_words = g_strnfill(ENCODER_REASON_BYTES, 'x');
	g_autofree char *says = g_strconcat("\033[2Jno\nvitrine-display: ", long_words, NULL);
	const struct fake_encoder fake = {
		.element = "vah264enc", .fault = FAKE_ERRS, .says = says
	};
	begin(&fake, 1);
	expect_said("encoder va: ?[2Jno?vitrine-display: xxx");
	expect_said("xxx; tried again in a minute\n");
	g_assert_cmpuint(count_said(long_words), ==, 0);
}

/* Drivers' threads that post when stream and trial are over find what they post to. */
static void case_posts_late(void)
{
	const struct fake_encoder fake = { .element = "vah264enc", .fault = FAKE_POSTS_LATE };
	begin(&fake, 1);
	struct stream *stream = stream_begin(WIDTH, HEIGHT);
	stream_show(stream, 2);
	g_assert_true(stream->was_fake);
	stream_end(stream);
	g_assert_cmpuint(fake_encoder_post(), ==, 2);
	g_assert_cmpuint(count_said("encoder va: "), ==, 0);
}

/* ---- which GPU ---- */

static void expect_gpu(const struct fake_encoder *fakes, unsigned n_fakes, const char *node,
	const char *encoder, bool is_fake)
{
	for (unsigned i = 0; i < n_fakes; i++)
		fake_encoder_register(NULL, &fakes[i]);
	video_load(node);
	video_init(&(struct video_options){ .encoder = (char *)encoder });
	struct stream *stream = stream_begin(WIDTH, HEIGHT);
	stream_show(stream, 2);
	g_assert_cmpint(stream->was_fake, ==, is_fake);
	g_assert_cmpint(video_uses_gpu(), ==, is_fake);
	stream_end(stream);
}

/* The one that is not the desktop's hangs, so that it is seen when it is used. */
static void case_second_gpu(void)
{
	const struct fake_encoder fakes[] = {
		{ .element = "vah264enc", .node = "/dev/dri/renderD128", .fault = FAKE_CRASHES },
		{ .element = "varenderD129h264enc", .node = "/dev/dri/renderD129" }
	};
	expect_gpu(fakes, 2, "/dev/dri/renderD129", NULL, true);
}

static void case_first_gpu(void)
{
	const struct fake_encoder fakes[] = { { .element = "vah264enc",
						      .node = "/dev/dri/renderD128" },
		{ .element = "varenderD129h264enc",
			.node = "/dev/dri/renderD129",
			.fault = FAKE_CRASHES } };
	expect_gpu(fakes, 2, "/dev/dri/renderD128", NULL, true);
}

static void case_other_gpu(void)
{
	const struct fake_encoder fake = { .element = "vah264enc", .node = "/dev/dri/renderD128" };
	expect_gpu(&fake, 1, "/dev/dri/renderD130", NULL, false);
	expect_said("it is of /dev/dri/renderD128, another GPU; not used any more");
}

static void case_other_gpu_by_name(void)
{
	const struct fake_encoder fake = { .element = "vah264enc", .node = "/dev/dri/renderD128" };
	expect_gpu(&fake, 1, "/dev/dri/renderD130", "va", true);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "keys/nvenc", case_keys_nvenc },
	{ "keys/va", case_keys_va },
	{ "rate/no-cbr", case_no_cbr },
	{ "rate/cbr-ignored", case_cbr_ignored },
	{ "rate/cbr-dropped", case_cbr_dropped },
	{ "sizes", case_sizes },
	{ "odd-size", case_odd_size },
	{ "busy", case_busy },
	{ "fails-at-first", case_fails_at_first },
	{ "errs", case_errs },
	{ "hangs", case_hangs },
	{ "hangs-at-start", case_hangs_at_start },
	{ "says-nothing", case_says_nothing },
	{ "words", case_words },
	{ "posts-late", case_posts_late },
	{ "gpu/second", case_second_gpu },
	{ "gpu/first", case_first_gpu },
	{ "gpu/other", case_other_gpu },
	{ "gpu/other-by-name", case_other_gpu_by_name },
};

static void run_case(gconstpointer user)
{
	g_autofree char *path =
		g_strdup_printf("/encoders/%s/subprocess", cases[GPOINTER_TO_UINT(user)].name);
	/* What is used after it was freed is not what it was, also without ASan. */
	g_setenv("MALLOC_PERTURB_", "85", FALSE);
	g_test_trap_subprocess(path, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
	g_test_trap_assert_passed();
}

static void run_inside(gconstpointer user)
{
	gst_init(NULL, NULL);
	said = g_string_new(NULL);
	g_log_set_writer_func(note_log, NULL, NULL);
	/* What goes wrong is told by warnings. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	cases[GPOINTER_TO_UINT(user)].run();
	/* A thread that hangs must not be waited for. */
	_Exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/encoders/%s", cases[i].name);
		g_autofree char *inside = g_strdup_printf("%s/subprocess", path);
		g_test_add_data_func(path, GUINT_TO_POINTER(i), run_case);
		g_test_add_data_func(inside, GUINT_TO_POINTER(i), run_inside);
	}
	return g_test_run();
}
