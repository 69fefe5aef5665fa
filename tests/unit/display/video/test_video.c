/* SPDX-License-Identifier: MIT */
/*
 * video: checks that the encoders that stand where spice-server looks encode what it needs, when it
 * needs it.
 */
#include <gst/gst.h>
#include <string.h>

#include "display/video/access_unit.h"
#include "display/video/facade.h"
#include "display/video/rate.h"
#include "display/video/video.h"
#include "tests/unit/display/video/video_rig.h"

#define WIDTH 640
#define HEIGHT 360
#define PICTURES 24
#define TIMEOUT_MS 10000
#define MBIT 1000000u

static bool has_codec(const char *name)
{
	g_autofree char *entry = g_strdup_printf("gstreamer:%s;", name);
	return strstr(video_codecs(), entry) != NULL;
}

static void test_registered(void)
{
	for (enum candidate_codec codec = 0; codec < CANDIDATE_CODECS; codec++) {
		if (!has_codec(candidate_codec_name(codec)))
			continue;
		const char *name = candidate_codec_element(codec);
		g_autoptr(GstElement) element =
			gst_object_ref_sink(gst_element_factory_make(name, NULL));
		g_assert_true(G_TYPE_CHECK_INSTANCE_TYPE(element, facade_type(codec)));
	}
}

/*
 * Every picture is at the client before the next one is made, and is the one that was drawn. The
 * first ones may be coarse where a rate has to be kept.
 */
static void test_pictures(gconstpointer user)
{
	const char *codec = user;
	if (!has_codec(codec)) {
		g_test_skip("no encoder");
		return;
	}
	struct video_rig *rig = video_rig_new(codec, WIDTH, HEIGHT, 60, 200 * MBIT);
	struct video_decoder *decoder = video_decoder_new(codec);
	g_autofree uint32_t *pixels = g_new(uint32_t, WIDTH * HEIGHT);
	g_autofree uint32_t *last = g_new0(uint32_t, WIDTH * HEIGHT);
	double ssim = 0;
	for (unsigned i = 0; i < PICTURES; i++) {
		uint32_t width, height;
		video_scene(pixels, WIDTH, HEIGHT, i);
		GstBuffer *encoded = video_rig_encode(rig, pixels, TIMEOUT_MS);
		g_assert_nonnull(encoded);
		video_decoder_push(decoder, encoded);
		g_autofree uint32_t *decoded =
			video_decoder_pull(decoder, TIMEOUT_MS, &width, &height);
		g_assert_nonnull(decoded);
		g_assert_cmpuint(width, ==, WIDTH);
		g_assert_cmpuint(height, ==, HEIGHT);
		ssim = video_ssim(decoded, pixels, WIDTH, HEIGHT);
		g_assert_cmpfloat(ssim, >, video_ssim(decoded, last, WIDTH, HEIGHT));
		memcpy(last, pixels, WIDTH * HEIGHT * sizeof(*pixels));
	}
	g_test_message("%s: luma SSIM %.3f", codec, ssim);
	g_assert_cmpfloat(ssim, >, 0.9);
	video_decoder_free(decoder);
	video_rig_free(rig);
}

static int channel(uint32_t pixel, unsigned shift)
{
	return (int)(pixel >> shift & 255);
}

static void test_colors(gconstpointer user)
{
	static const uint32_t colors[] = { 0x000000, 0xffffff, 0x808080, 0xc00000, 0x00c000,
		0x0000c0, 0xc0c000, 0x00c0c0 };
	const char *codec = user;
	if (!has_codec(codec)) {
		g_test_skip("no encoder");
		return;
	}
	struct video_rig *rig = video_rig_new(codec, WIDTH, HEIGHT, 60, 100 * MBIT);
	struct video_decoder *decoder = video_decoder_new(codec);
	g_autofree uint32_t *pixels = g_new(uint32_t, WIDTH * HEIGHT);
	uint32_t width, height, column = WIDTH / G_N_ELEMENTS(colors);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = colors[i % WIDTH / column];
	video_decoder_push(decoder, video_rig_encode(rig, pixels, TIMEOUT_MS));
	g_autofree uint32_t *decoded = video_decoder_pull(decoder, TIMEOUT_MS, &width, &height);
	g_assert_nonnull(decoded);
	for (unsigned i = 0; i < G_N_ELEMENTS(colors); i++) {
		uint32_t seen = decoded[HEIGHT / 2 * WIDTH + column * i + column / 2];
		g_test_message("%s: %06x shown as %06x", codec, colors[i], seen & 0xffffff);
		for (unsigned shift = 0; shift < 24; shift += 8)
			g_assert_cmpint(
				ABS(channel(seen, shift) - channel(colors[i], shift)), <=, 14);
	}
	video_decoder_free(decoder);
	video_rig_free(rig);
}

/* ---- NAL units ---- */

struct bits {
	const uint8_t *bytes;
	size_t n;
};

static unsigned bit_read(struct bits *bits)
{
	unsigned bit = bits->bytes[bits->n / 8] >> (7 - bits->n % 8) & 1;
	bits->n++;
	return bit;
}

/* Reads an Exp-Golomb number, ue(v) of H.264, 9.1. */
static unsigned golomb_read(struct bits *bits)
{
	unsigned zeros = 0, value = 1;
	while (bit_read(bits) == 0 && zeros < 31)
		zeros++;
	for (unsigned i = 0; i < zeros; i++)
		value = value << 1 | bit_read(bits);
	return value - 1;
}

struct units {
	unsigned n, n_slices, n_b_slices;
	unsigned types[64];
};

static void read_unit(struct units *units, const uint8_t *unit)
{
	unsigned type = unit[0] & 31;
	g_assert_cmpuint(units->n, <, G_N_ELEMENTS(units->types));
	units->types[units->n++] = type;
	if (type != 1 && type != 5)
		return;
	struct bits bits = { .bytes = unit + 1 };
	golomb_read(&bits); /* first_mb_in_slice */
	units->n_slices++;
	units->n_b_slices += golomb_read(&bits) % 5 == 1;
}

static void read_units(GstBuffer *buffer, struct units *units)
{
	GstMapInfo map;
	*units = (struct units){ 0 };
	g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
	for (size_t i = 0; i + 12 < map.size; i++) {
		if (map.data[i] == 0 && map.data[i + 1] == 0 && map.data[i + 2] == 1)
			read_unit(units, map.data + i + 3);
	}
	/* The last NAL units are shorter than what a slice's header may need. */
	g_assert_cmpmem(map.data + map.size - 14, 6, "\0\0\0\1\x09\xf0", 6);
	gst_buffer_unmap(buffer, &map);
}

static void test_units(void)
{
	if (!has_codec("h264")) {
		g_test_skip("no encoder");
		return;
	}
	struct video_rig *rig = video_rig_new("h264", WIDTH, HEIGHT, 60, 20 * MBIT);
	g_autofree uint32_t *pixels = g_new(uint32_t, WIDTH * HEIGHT);
	for (unsigned i = 0; i < PICTURES; i++) {
		struct units units;
		video_scene(pixels, WIDTH, HEIGHT, i);
		GstBuffer *encoded = video_rig_encode(rig, pixels, TIMEOUT_MS);
		g_assert_nonnull(encoded);
		read_units(encoded, &units);
		gst_buffer_unref(encoded);
		g_assert_cmpuint(units.n_slices, >, 0);
		g_assert_cmpuint(units.n_b_slices, ==, 0);
		/* A picture's own delimiter came at the end of the one before. */
		g_assert_cmpint(units.types[0] == ACCESS_UNIT_NAL_DELIMITER, ==, i == 0);
	}
	video_rig_free(rig);
}

static GstBuffer *buffer_of(const char *bytes, size_t size_bytes)
{
	return gst_buffer_new_wrapped(g_memdup2(bytes, size_bytes), size_bytes);
}

static void expect_bytes(GstBuffer *buffer, const char *bytes, size_t size_bytes)
{
	GstMapInfo map;
	g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
	g_assert_cmpmem(map.data, map.size, bytes, size_bytes);
	gst_buffer_unmap(buffer, &map);
	gst_buffer_unref(buffer);
}

#define DELIMITER "\0\0\0\1\x09\xf0"
#define TRAILER DELIMITER "\0\0\0\1\x06\x03\x00\x80"
#define SLICE "\0\0\1\x41\x9a\x02"

static void test_access_unit(void)
{
	static const struct {
		const char *in;
		size_t in_bytes;
		bool first;
		const char *out;
		size_t out_bytes;
	} cases[] = {
#define CASE(in, first, out) { in, sizeof(in) - 1, first, out, sizeof(out) - 1 }
		CASE(SLICE, true, DELIMITER SLICE TRAILER),
		CASE(SLICE, false, SLICE TRAILER),
		CASE(DELIMITER SLICE, true, DELIMITER SLICE TRAILER),
		CASE(DELIMITER SLICE, false, SLICE TRAILER),
		CASE("\0\0\1\x09\x30" SLICE, false, SLICE TRAILER),
		CASE("\0\0\1", false, "\0\0\1" TRAILER),
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		expect_bytes(access_unit_delimit(
				     buffer_of(cases[i].in, cases[i].in_bytes), cases[i].first),
			cases[i].out, cases[i].out_bytes);
}

/* Sizes that H.264 cannot say must be refused, as spice-server waits for a picture or an error. */
static void test_odd_size(void)
{
	if (!has_codec("h264")) {
		g_test_skip("no encoder");
		return;
	}
	struct video_rig *rig = video_rig_new("h264", 321, 201, 60, 20 * MBIT);
	g_autofree uint32_t *pixels = g_new0(uint32_t, 321 * 201);
	g_assert_null(video_rig_encode(rig, pixels, 500));
	g_assert_true(video_rig_failed(rig));
	video_rig_free(rig);
}

/* ---- rates ---- */

static void test_line(void)
{
	struct rate_input input = {
		.allowed_bps = 40 * MBIT,
		.line_bps = 10 * MBIT,
		.stated_fps = 60,
		.real_fps = 60,
		.width = 1920,
		.height = 1080,
	};
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, 9000);
	/* 250 kbit are less than two pictures' share. */
	g_assert_cmpuint(rate_ceiling(&input).buffer_ms, ==, 33);
	input.line_bps = 1000 * MBIT;
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, 40000);
	g_assert_cmpuint(rate_ceiling(&input).buffer_ms, ==, RATE_BUFFER_MAX_MS);
	input.line_bps = 0;
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, 40000);
	g_assert_cmpuint(rate_ceiling(&input).buffer_ms, ==, 33);
	g_assert_cmpuint(rate_target(&input).kbit, <, 20000);
	input.allowed_bps = 1;
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, RATE_MIN_KBIT);
}

/* An encoder that was told 30 pictures a second and gets 60 spends twice what it was told. */
static void test_pictures_per_second(void)
{
	struct rate_input input = { .allowed_bps = 8 * MBIT, .stated_fps = 30, .real_fps = 60 };
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, 4000);
	input.real_fps = 15;
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, 16000);
	/* A slow encoder gets no more work. */
	input.real_fps = 6;
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, 16000);
	input.stated_fps = 0;
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, 8000);
	input.real_fps = 0;
	g_assert_cmpuint(rate_ceiling(&input).kbit, ==, 8000);
}

static void test_quality(void)
{
	struct rate_input input = { .allowed_bps = 8 * MBIT, .stated_fps = 10, .real_fps = 10 };
	g_assert_cmpint(rate_quality(&input, 60, 200000), <, 60);
	g_assert_cmpint(rate_quality(&input, 60, 20000), >, 60);
	g_assert_cmpint(rate_quality(&input, 60, 99000), ==, 60);
	for (int i = 0, quality = 60; i < 100; i++) {
		quality = rate_quality(&input, quality, i < 50 ? 1 : UINT32_MAX);
		g_assert_cmpint(quality, >, 0);
		g_assert_cmpint(quality, <=, 100);
	}
}

/* What an encoder spends in service stays under what spice-server allows. */
static void test_spending(gconstpointer user)
{
	const char *codec = user;
	/* JPEG at its worst still takes 4 Mbit/s, so it is allowed more. */
	const uint64_t allowed_bps = g_str_equal(codec, "mjpeg") ? 6 * MBIT : 3 * MBIT / 2;
	const unsigned n = 90;
	if (!has_codec(codec)) {
		g_test_skip("no encoder");
		return;
	}
	struct video_rig *rig = video_rig_new(codec, WIDTH, HEIGHT, 30, allowed_bps);
	g_autofree uint32_t *pixels = g_new(uint32_t, WIDTH * HEIGHT);
	uint64_t bits = 0;
	gint64 start = g_get_monotonic_time();
	for (unsigned i = 0; i < n; i++) {
		video_scene(pixels, WIDTH, HEIGHT, i);
		GstBuffer *encoded = video_rig_encode(rig, pixels, TIMEOUT_MS);
		g_assert_nonnull(encoded);
		bits += gst_buffer_get_size(encoded) * 8;
		gst_buffer_unref(encoded);
		gint64 left =
			(gint64)(i + 1) * G_USEC_PER_SEC / 30 - (g_get_monotonic_time() - start);
		g_usleep((gulong)MAX(left, 0));
	}
	double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
	g_test_message("%s: %.2f of %.2f Mbit/s", codec, (double)bits / seconds / 1e6,
		(double)allowed_bps / 1e6);
	g_assert_cmpfloat((double)bits / seconds, <, 1.5 * (double)allowed_bps);
	video_rig_free(rig);
}

int main(int argc, char **argv)
{
	static const char *const codecs[] = { "h264", "vp8", "mjpeg" };
	g_test_init(&argc, &argv, NULL);
	gst_init(NULL, NULL);
	/*
	 * We load the decoders' plugin first, as it also brings avenc_mjpeg, which must not be
	 * loaded over ours.
	 */
	g_autoptr(GstPlugin) plugin = gst_plugin_load_by_name("libav");
	video_init(&(struct video_options){ 0 });
	g_test_add_func("/video/registered", test_registered);
	g_test_add_func("/video/units", test_units);
	g_test_add_func("/video/access-unit", test_access_unit);
	g_test_add_func("/video/odd-size", test_odd_size);
	g_test_add_func("/video/rate/line", test_line);
	g_test_add_func("/video/rate/pictures-per-second", test_pictures_per_second);
	g_test_add_func("/video/rate/quality", test_quality);
	for (unsigned i = 0; i < G_N_ELEMENTS(codecs); i++) {
		g_autofree char *pictures = g_strdup_printf("/video/pictures/%s", codecs[i]);
		g_autofree char *colors = g_strdup_printf("/video/colors/%s", codecs[i]);
		g_autofree char *spending = g_strdup_printf("/video/spending/%s", codecs[i]);
		g_test_add_data_func(pictures, codecs[i], test_pictures);
		g_test_add_data_func(colors, codecs[i], test_colors);
		g_test_add_data_func(spending, codecs[i], test_spending);
	}
	return g_test_run();
}
