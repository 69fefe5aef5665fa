/* SPDX-License-Identifier: MIT */
#include "display/video/convert.h"

#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>
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

typedef struct {
	GstVideoFilter parent;
	const struct conversion *conversion;
} Convert;

typedef struct {
	GstVideoFilterClass parent_class;
} ConvertClass;

static GType convert_get_type(void);
G_DEFINE_TYPE(Convert, convert, GST_TYPE_VIDEO_FILTER)

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

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK,
	GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA }")));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC,
	GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ I420, Y444, NV12 }")));

/*
 * Returns what may stand on the other side of `structure`: the same size and rate, in our formats.
 */
static GstCaps *other_side(
	const Convert *convert, GstPadDirection direction, const GstStructure *structure)
{
	static const char *const kept[] = { "width", "height", "framerate" };
	GstCaps *caps;
	if (direction == GST_PAD_SINK)
		caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
			convert->conversion->format, "colorimetry", G_TYPE_STRING,
			convert->conversion->full_range ? COLORIMETRY_JPEG : COLORIMETRY_VIDEO,
			NULL);
	else
		caps = gst_static_pad_template_get_caps(&sink_template);
	caps = gst_caps_make_writable(caps);
	for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++) {
		const GValue *value = gst_structure_get_value(structure, kept[i]);
		if (value)
			gst_caps_set_value(caps, kept[i], value);
	}
	return caps;
}

static GstCaps *convert_transform_caps(
	GstBaseTransform *base, GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
	Convert *convert = (Convert *)base;
	GstCaps *all = gst_caps_new_empty();
	for (unsigned i = 0; i < gst_caps_get_size(caps); i++)
		all = gst_caps_merge(
			all, other_side(convert, direction, gst_caps_get_structure(caps, i)));
	if (!filter)
		return all;
	GstCaps *some = gst_caps_intersect_full(filter, all, GST_CAPS_INTERSECT_FIRST);
	gst_caps_unref(all);
	return some;
}

static gboolean convert_set_info(GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in,
	GstCaps *out_caps, GstVideoInfo *out)
{
	bool odd = GST_VIDEO_INFO_WIDTH(in) % 2 != 0 || GST_VIDEO_INFO_HEIGHT(in) % 2 != 0;
	return !odd || GST_VIDEO_INFO_FORMAT(out) == GST_VIDEO_FORMAT_Y444;
}

static GstFlowReturn convert_transform_frame(
	GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
	Convert *convert = (Convert *)filter;
	const struct plane plane = { PLANE(in, 0) };
	return convert->conversion->convert(&plane, out) == 0 ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static void convert_class_init(ConvertClass *class)
{
	GstElementClass *element_class = GST_ELEMENT_CLASS(class);
	gst_element_class_add_static_pad_template(element_class, &sink_template);
	gst_element_class_add_static_pad_template(element_class, &src_template);
	gst_element_class_set_static_metadata(element_class, "Screen to video colours",
		"Filter/Converter/Video", "Converts BGRx by libyuv", "Vitrine");
	GST_BASE_TRANSFORM_CLASS(class)->transform_caps = convert_transform_caps;
	GST_VIDEO_FILTER_CLASS(class)->set_info = convert_set_info;
	GST_VIDEO_FILTER_CLASS(class)->transform_frame = convert_transform_frame;
}

static void convert_init(Convert *convert)
{
	convert->conversion = &conversions[0];
}

GstElement *convert_new(const char *format, bool full_range)
{
	Convert *convert = g_object_new(convert_get_type(), NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(conversions); i++) {
		if (g_str_equal(conversions[i].format, format) &&
			conversions[i].full_range == full_range)
			convert->conversion = &conversions[i];
	}
	return GST_ELEMENT(convert);
}
