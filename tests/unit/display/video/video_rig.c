/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/video/video_rig.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

struct video_rig {
	GstElement *pipeline, *source, *sink, *encoder;
	uint32_t width, height;
};

struct video_decoder {
	GstElement *pipeline, *source, *sink;
};

static const struct {
	const char *codec, *encoder, *caps, *decoder;
} codecs[] = {
	{ "h264",
		"x264enc name=encoder byte-stream=true aud=true qp-min=15 qp-max=35 tune=4 "
		"sliced-threads=true speed-preset=ultrafast intra-refresh=true",
		"video/x-h264,stream-format=byte-stream", "h264parse ! avdec_h264 max-threads=1" },
	{ "vp8",
		"vp8enc name=encoder end-usage=cbr min-quantizer=10 error-resilient=default "
		"lag-in-frames=0 deadline=1 cpu-used=4",
		"video/x-vp8", "vp8dec" },
	{ "mjpeg", "avenc_mjpeg name=encoder ", "image/jpeg", "jpegdec" },
};

static unsigned find_codec(const char *codec)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(codecs); i++) {
		if (g_str_equal(codecs[i].codec, codec))
			return i;
	}
	g_assert_not_reached();
}

struct video_rig *video_rig_new(
	const char *codec, uint32_t width, uint32_t height, unsigned fps, uint64_t bits_per_second)
{
	g_autofree char *description =
		g_strdup_printf("appsrc is-live=true format=time do-timestamp=true "
				"name=src ! videoconvert ! %s ! appsink name=sink",
			codecs[find_codec(codec)].encoder);
	return video_rig_new_pipeline(description, width, height, fps, bits_per_second);
}

struct video_rig *video_rig_new_pipeline(const char *description, uint32_t width, uint32_t height,
	unsigned fps, uint64_t bits_per_second)
{
	struct video_rig *rig = g_new0(struct video_rig, 1);
	g_autoptr(GError) error = NULL;
	rig->width = width;
	rig->height = height;
	rig->pipeline =
		gst_parse_launch_full(description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
	g_assert_no_error(error);
	rig->source = gst_bin_get_by_name(GST_BIN(rig->pipeline), "src");
	rig->sink = gst_bin_get_by_name(GST_BIN(rig->pipeline), "sink");
	rig->encoder = gst_bin_get_by_name(GST_BIN(rig->pipeline), "encoder");
	if (bits_per_second)
		video_rig_set_rate(rig, bits_per_second);
	g_autoptr(GstCaps) caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
		"BGRx", "width", G_TYPE_INT, (int)width, "height", G_TYPE_INT, (int)height,
		"framerate", GST_TYPE_FRACTION, (int)fps, 1, NULL);
	gst_app_src_set_caps(GST_APP_SRC(rig->source), caps);
	g_object_set(rig->sink, "sync", FALSE, NULL);
	gst_element_set_state(rig->pipeline, GST_STATE_PLAYING);
	return rig;
}

void video_rig_free(struct video_rig *rig)
{
	gst_element_set_state(rig->pipeline, GST_STATE_NULL);
	gst_object_unref(rig->source);
	gst_object_unref(rig->sink);
	gst_object_unref(rig->encoder);
	gst_object_unref(rig->pipeline);
	g_free(rig);
}

/* Sets the rate as set_gstenc_bitrate() of spice-server does. */
void video_rig_set_rate(struct video_rig *rig, uint64_t bits_per_second)
{
	GObjectClass *class = G_OBJECT_GET_CLASS(rig->encoder);
	GParamSpec *pspec = g_object_class_find_property(class, "bitrate");
	if (!pspec)
		pspec = g_object_class_find_property(class, "target-bitrate");
	g_assert_nonnull(pspec);
	if (strstr(g_param_spec_get_blurb(pspec), "kbit"))
		bits_per_second /= 1024;
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, bits_per_second);
	gst_util_set_object_arg(G_OBJECT(rig->encoder), g_param_spec_get_name(pspec), text);
}

GstBuffer *video_rig_encode(struct video_rig *rig, const uint32_t *pixels, unsigned timeout_ms)
{
	size_t size_bytes = (size_t)rig->width * rig->height * 4;
	GstBuffer *buffer = gst_buffer_new_wrapped_full(
		GST_MEMORY_FLAG_READONLY, (gpointer)pixels, size_bytes, 0, size_bytes, NULL, NULL);
	if (gst_app_src_push_buffer(GST_APP_SRC(rig->source), buffer) != GST_FLOW_OK)
		return NULL;
	GstSample *sample =
		gst_app_sink_try_pull_sample(GST_APP_SINK(rig->sink), timeout_ms * GST_MSECOND);
	if (!sample)
		return NULL;
	GstBuffer *encoded = gst_buffer_ref(gst_sample_get_buffer(sample));
	gst_sample_unref(sample);
	return encoded;
}

bool video_rig_failed(struct video_rig *rig)
{
	g_autoptr(GstBus) bus = gst_element_get_bus(rig->pipeline);
	GstMessage *message = gst_bus_timed_pop_filtered(bus, GST_SECOND, GST_MESSAGE_ERROR);
	if (message)
		gst_message_unref(message);
	return message != NULL;
}

struct video_decoder *video_decoder_new(const char *codec)
{
	struct video_decoder *decoder = g_new0(struct video_decoder, 1);
	g_autoptr(GError) error = NULL;
	g_autofree char *description =
		g_strdup_printf("appsrc is-live=true format=time do-timestamp=true "
				"name=src ! %s ! videoconvert ! video/x-raw,format=BGRx ! appsink "
				"sync=false name=sink",
			codecs[find_codec(codec)].decoder);
	decoder->pipeline = gst_parse_launch(description, &error);
	g_assert_no_error(error);
	decoder->source = gst_bin_get_by_name(GST_BIN(decoder->pipeline), "src");
	decoder->sink = gst_bin_get_by_name(GST_BIN(decoder->pipeline), "sink");
	g_autoptr(GstCaps) caps = gst_caps_from_string(codecs[find_codec(codec)].caps);
	gst_app_src_set_caps(GST_APP_SRC(decoder->source), caps);
	gst_element_set_state(decoder->pipeline, GST_STATE_PLAYING);
	return decoder;
}

void video_decoder_free(struct video_decoder *decoder)
{
	gst_element_set_state(decoder->pipeline, GST_STATE_NULL);
	gst_object_unref(decoder->source);
	gst_object_unref(decoder->sink);
	gst_object_unref(decoder->pipeline);
	g_free(decoder);
}

/* Feeds a copy without time stamps, as those of the encoder's clock mean nothing to the decoder. */
void video_decoder_push(struct video_decoder *decoder, GstBuffer *buffer)
{
	GstBuffer *copy = gst_buffer_copy_deep(buffer);
	gst_buffer_unref(buffer);
	GST_BUFFER_PTS(copy) = GST_BUFFER_DTS(copy) = GST_CLOCK_TIME_NONE;
	GST_BUFFER_FLAGS(copy) = 0;
	gst_app_src_push_buffer(GST_APP_SRC(decoder->source), copy);
}

uint32_t *video_decoder_pull(
	struct video_decoder *decoder, unsigned timeout_ms, uint32_t *width, uint32_t *height)
{
	GstSample *sample =
		gst_app_sink_try_pull_sample(GST_APP_SINK(decoder->sink), timeout_ms * GST_MSECOND);
	if (!sample)
		return NULL;
	GstVideoInfo info;
	GstVideoFrame frame;
	g_assert_true(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
	g_assert_true(
		gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ));
	*width = (uint32_t)GST_VIDEO_FRAME_WIDTH(&frame);
	*height = (uint32_t)GST_VIDEO_FRAME_HEIGHT(&frame);
	uint32_t *pixels = g_new(uint32_t, (size_t)*width * *height);
	for (uint32_t y = 0; y < *height; y++)
		memcpy(pixels + (size_t)y * *width,
			(uint8_t *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
				(size_t)y * (size_t)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0),
			*width * 4);
	gst_video_frame_unmap(&frame);
	gst_sample_unref(sample);
	return pixels;
}

/* ---- pictures ---- */

#define TEXTURE 1024

static uint32_t hash32(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

/* Returns smooth noise of a grid of `cell` pixels, 0 to 255, periodic in TEXTURE. */
static double value_noise(uint32_t x, uint32_t y, uint32_t cell, uint32_t seed)
{
	uint32_t cells = TEXTURE / cell, cx = x / cell, cy = y / cell;
	double fx = (double)(x % cell) / cell, fy = (double)(y % cell) / cell;
	double corner[2][2];
	for (uint32_t j = 0; j < 2; j++) {
		for (uint32_t i = 0; i < 2; i++)
			corner[j][i] = hash32(((cy + j) % cells) * 4099 + (cx + i) % cells +
					       seed * 65537) &
				       255;
	}
	fx = fx * fx * (3 - 2 * fx);
	fy = fy * fy * (3 - 2 * fy);
	double top = corner[0][0] + fx * (corner[0][1] - corner[0][0]);
	double bottom = corner[1][0] + fx * (corner[1][1] - corner[1][0]);
	return top + fy * (bottom - top);
}

static const uint8_t (*film_texture(void))[3]
{
	static uint8_t(*texture)[3];
	if (texture)
		return (const uint8_t(*)[3])texture;
	texture = g_malloc((size_t)TEXTURE * TEXTURE * 3);
	for (uint32_t i = 0; i < TEXTURE * TEXTURE; i++) {
		uint32_t x = i % TEXTURE, y = i / TEXTURE;
		double detail = value_noise(x, y, 4, 9) - 128;
		for (uint32_t c = 0; c < 3; c++)
			texture[i][c] = (uint8_t)CLAMP(0.5 * value_noise(x, y, 128, c) +
							       0.3 * value_noise(x, y, 32, c + 3) +
							       0.2 * value_noise(x, y, 16, 6) +
							       0.15 * detail,
				0, 255);
	}
	return (const uint8_t(*)[3])texture;
}

static void draw_disc(uint32_t *pixels, uint32_t width, uint32_t height, int cx, int cy, int radius,
	uint32_t color)
{
	for (int y = MAX(0, cy - radius); y < MIN((int)height, cy + radius); y++) {
		for (int x = MAX(0, cx - radius); x < MIN((int)width, cx + radius); x++) {
			if ((x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius)
				pixels[(size_t)y * width + (size_t)x] = color;
		}
	}
}

void video_scene(uint32_t *pixels, uint32_t width, uint32_t height, unsigned number)
{
	const uint8_t(*texture)[3] = film_texture();
	uint32_t grain = hash32(number + 1) | 1;
	for (uint32_t y = 0; y < height; y++) {
		uint32_t ty = (y + number * 2) % TEXTURE;
		for (uint32_t x = 0; x < width; x++) {
			const uint8_t *t = texture[ty * TEXTURE + (x + number * 5) % TEXTURE];
			grain ^= grain << 13;
			grain ^= grain >> 17;
			grain ^= grain << 5;
			int g = (int)(grain & 3) - 1;
			uint32_t r = (uint32_t)CLAMP(t[0] + g, 0, 255),
				 b = (uint32_t)CLAMP(t[2] + g, 0, 255);
			pixels[(size_t)y * width + x] =
				r << 16 | (uint32_t)CLAMP(t[1] + g, 0, 255) << 8 | b;
		}
	}
	for (int i = 0; i < 4; i++) {
		double angle = number * (0.02 + 0.01 * i) + i;
		draw_disc(pixels, width, height, (int)(width * (0.5 + 0.35 * cos(angle))),
			(int)(height * (0.5 + 0.35 * sin(angle * 1.3))), (int)height / 12,
			hash32((uint32_t)i + 77) & 0xffffff);
	}
}

static void fill_luma(double *luma, const uint32_t *pixels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		luma[i] = 0.2126 * (pixels[i] >> 16 & 255) + 0.7152 * (pixels[i] >> 8 & 255) +
			  0.0722 * (pixels[i] & 255);
}

static double window_ssim(const double *a, const double *b, uint32_t stride)
{
	double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
	for (uint32_t y = 0; y < 8; y++) {
		for (uint32_t x = 0; x < 8; x++) {
			double p = a[y * stride + x], q = b[y * stride + x];
			sa += p;
			sb += q;
			saa += p * p;
			sbb += q * q;
			sab += p * q;
		}
	}
	double ma = sa / 64, mb = sb / 64, c1 = 6.5025, c2 = 58.5225;
	double va = saa / 64 - ma * ma, vb = sbb / 64 - mb * mb, cov = sab / 64 - ma * mb;
	return (2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

double video_ssim(const uint32_t *a, const uint32_t *b, uint32_t width, uint32_t height)
{
	size_t n = (size_t)width * height;
	g_autofree double *la = g_new(double, n), *lb = g_new(double, n);
	fill_luma(la, a, n);
	fill_luma(lb, b, n);
	double sum = 0;
	unsigned windows = 0;
	for (uint32_t y = 0; y + 8 <= height; y += 4) {
		for (uint32_t x = 0; x + 8 <= width; x += 4, windows++)
			sum += window_ssim(
				la + (size_t)y * width + x, lb + (size_t)y * width + x, width);
	}
	return windows ? sum / windows : 0;
}
