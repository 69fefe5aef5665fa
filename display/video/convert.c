/* SPDX-License-Identifier: MIT */
#include "display/video/convert.h"

#include <libyuv.h>

/* They mean BT.601 and sRGB, as GStreamer writes them: range:matrix:transfer:primaries. */
#define COLORIMETRY_VIDEO "2:4:7:1"
#define COLORIMETRY_JPEG "1:4:7:1"

struct plane {
	const uint8_t *data;
	int stride;
};

struct conversion {
	const char *format;
	bool full_range;
	/* Returns 0 when it is done. libyuv calls "ARGB" what is BGRx in memory. */
	int (*convert)(const struct plane *in, GstVideoFrame *out);
};

struct convert {
	const struct conversion *conversion;
	GstVideoInfo in, out;
	GstCaps *caps;
	GstBufferPool *pool; /* so that pictures do not take fresh pages each time */
};

#define PLANE(frame, n) GST_VIDEO_FRAME_PLANE_DATA(frame, n), GST_VIDEO_FRAME_PLANE_STRIDE(frame, n)
#define WIDTH_HEIGHT(frame) GST_VIDEO_FRAME_WIDTH(frame), GST_VIDEO_FRAME_HEIGHT(frame)

static int to_i420(const struct plane *in, GstVideoFrame *out)
{
	return ARGBToI420(in->data, in->stride, PLANE(out, 0), PLANE(out, 1), PLANE(out, 2),
		WIDTH_HEIGHT(out));
}

static int to_j420(const struct plane *in, GstVideoFrame *out)
{
	return ARGBToJ420(in->data, in->stride, PLANE(out, 0), PLANE(out, 1), PLANE(out, 2),
		WIDTH_HEIGHT(out));
}

static int to_y444(const struct plane *in, GstVideoFrame *out)
{
	return ARGBToI444(in->data, in->stride, PLANE(out, 0), PLANE(out, 1), PLANE(out, 2),
		WIDTH_HEIGHT(out));
}

static int to_nv12(const struct plane *in, GstVideoFrame *out)
{
	return ARGBToNV12(in->data, in->stride, PLANE(out, 0), PLANE(out, 1), WIDTH_HEIGHT(out));
}

static const struct conversion conversions[] = {
	{ "I420", false, to_i420 },
	{ "I420", true, to_j420 },
	{ "Y444", false, to_y444 },
	{ "NV12", false, to_nv12 },
};

static const struct conversion *find_conversion(const char *format, bool full_range)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(conversions); i++) {
		if (g_str_equal(conversions[i].format, format) &&
			conversions[i].full_range == full_range)
			return &conversions[i];
	}
	g_assert_not_reached();
}

static GstBufferPool *make_pool(GstCaps *caps, const GstVideoInfo *info)
{
	GstBufferPool *pool = gst_video_buffer_pool_new();
	GstStructure *config = gst_buffer_pool_get_config(pool);
	gst_buffer_pool_config_set_params(config, caps, (unsigned)GST_VIDEO_INFO_SIZE(info), 0, 0);
	if (gst_buffer_pool_set_config(pool, config) && gst_buffer_pool_set_active(pool, TRUE))
		return pool;
	gst_object_unref(pool);
	return NULL;
}

bool convert_takes_size(const char *format, int width, int height)
{
	return (width % 2 == 0 && height % 2 == 0) || g_str_equal(format, "Y444");
}

struct convert *convert_create(const char *format, bool full_range, const GstVideoInfo *in)
{
	const struct conversion *conversion = find_conversion(format, full_range);
	int width = GST_VIDEO_INFO_WIDTH(in), height = GST_VIDEO_INFO_HEIGHT(in);
	if (!convert_takes_size(format, width, height))
		return NULL;
	struct convert *convert = g_new0(struct convert, 1);
	convert->conversion = conversion;
	convert->in = *in;
	convert->caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, format,
		"colorimetry", G_TYPE_STRING, full_range ? COLORIMETRY_JPEG : COLORIMETRY_VIDEO,
		"width", G_TYPE_INT, width, "height", G_TYPE_INT, height, "framerate",
		GST_TYPE_FRACTION, GST_VIDEO_INFO_FPS_N(in), GST_VIDEO_INFO_FPS_D(in), NULL);
	if (gst_video_info_from_caps(&convert->out, convert->caps))
		convert->pool = make_pool(convert->caps, &convert->out);
	if (convert->pool)
		return convert;
	convert_destroy(convert);
	return NULL;
}

void convert_destroy(struct convert *convert)
{
	if (!convert)
		return;
	if (convert->pool)
		gst_buffer_pool_set_active(convert->pool, FALSE);
	gst_clear_object(&convert->pool);
	gst_caps_unref(convert->caps);
	g_free(convert);
}

GstCaps *convert_caps(const struct convert *convert)
{
	return convert->caps;
}

static bool convert_frames(struct convert *convert, GstBuffer *in, GstBuffer *out)
{
	GstVideoFrame from, to;
	if (!gst_video_frame_map(&from, &convert->in, in, GST_MAP_READ))
		return false;
	bool mapped = gst_video_frame_map(&to, &convert->out, out, GST_MAP_WRITE);
	const struct plane plane = { PLANE(&from, 0) };
	bool done = mapped && convert->conversion->convert(&plane, &to) == 0;
	if (mapped)
		gst_video_frame_unmap(&to);
	gst_video_frame_unmap(&from);
	return done;
}

GstBuffer *convert_picture(struct convert *convert, GstBuffer *in)
{
	GstBuffer *out = NULL;
	if (gst_buffer_pool_acquire_buffer(convert->pool, &out, NULL) != GST_FLOW_OK)
		return NULL;
	if (convert_frames(convert, in, out)) {
		gst_buffer_copy_into(out, in, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
		return out;
	}
	gst_buffer_unref(out);
	return NULL;
}
