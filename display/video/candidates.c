/* SPDX-License-Identifier: MIT */
#include "display/video/candidates.h"

/*
 * There are at most this many pictures between two key frames. Only a stream's first one is of use:
 * nothing is ever lost between spice-server and its client, and each client's stream begins with an
 * encoder of its own.
 */
#define NO_MORE_KEY_FRAMES "1000000"

static const struct candidate candidates[] = {
	{
		.name = "va-low-power",
		.factory = "vah264lpenc",
		.own_before = "va",
		.own_after = "h264lpenc",
		.codec = CANDIDATE_H264,
		.hardware = true,
		.format = "NV12",
		.rate = CANDIDATE_RATE_TARGET,
		.rate_property = "bitrate",
		.rate_unit = 1000,
		.costs_key_frame = true,
		.buffer_property = "cpb-size",
		.settings = {
			{ "rate-control", "cbr", true }, { "b-frames", "0" }, { "ref-frames", "1" },
			{ "key-int-max", "1024" }, { "target-usage", "6" },
		},
	},
	{
		.name = "va",
		.factory = "vah264enc",
		.own_before = "va",
		.own_after = "h264enc",
		.codec = CANDIDATE_H264,
		.hardware = true,
		.format = "NV12",
		.rate = CANDIDATE_RATE_TARGET,
		.rate_property = "bitrate",
		.rate_unit = 1000,
		.costs_key_frame = true,
		.buffer_property = "cpb-size",
		.settings = {
			{ "rate-control", "cbr", true }, { "b-frames", "0" }, { "ref-frames", "1" },
			{ "key-int-max", "1024" }, { "target-usage", "6" },
		},
	},
	{
		.name = "nvenc",
		.factory = "nvh264enc",
		.own_before = "nvh264device",
		.own_after = "enc",
		.is_cuda = true,
		.codec = CANDIDATE_H264,
		.hardware = true,
		.format = "NV12",
		.rate = CANDIDATE_RATE_TARGET,
		.rate_property = "bitrate",
		.rate_unit = 1000,
		.costs_key_frame = true,
		.buffer_property = "vbv-buffer-size",
		.settings = {
			{ "preset", "low-latency-hq" }, { "rc-mode", "cbr", true }, { "zerolatency", "true" },
			{ "bframes", "0" }, { "rc-lookahead", "0" }, { "gop-size", "-1" },
			{ "spatial-aq", "true" },
		},
	},
	{
		.name = "vaapi",
		.factory = "vaapih264enc",
		.codec = CANDIDATE_H264,
		.hardware = true,
		.format = "NV12",
		.rate = CANDIDATE_RATE_TARGET,
		.rate_property = "bitrate",
		.rate_unit = 1000,
		.costs_key_frame = true,
		.settings = {
			{ "rate-control", "cbr", true }, { "max-bframes", "0" }, { "refs", "1" },
			{ "keyframe-period", "65535" }, { "cpb-length", "50" },
		},
	},
	{
		.name = "x264",
		.factory = "x264enc",
		.codec = CANDIDATE_H264,
		.format = "I420",
		.rate = CANDIDATE_RATE_X264,
		/* Sliced threads and no lookahead come with zerolatency; speed-preset is facade.c's. */
		.settings = {
			{ "tune", "zerolatency" }, { "bframes", "0" }, { "rc-lookahead", "0" },
			{ "sync-lookahead", "0" }, { "mb-tree", "false" }, { "pass", "qual", true },
			{ "quantizer", "20" }, { "qp-max", "45" }, { "key-int-max", NO_MORE_KEY_FRAMES },
			{ "byte-stream", "true" }, { "aud", "false" },
			{ "option-string", "scenecut=0:force-cfr=1" },
		},
	},
	{
		.name = "openh264",
		.factory = "openh264enc",
		.codec = CANDIDATE_H264,
		.format = "I420",
		.rate = CANDIDATE_RATE_TARGET,
		.rate_property = "bitrate",
		.rate_unit = 1,
		.settings = {
			{ "usage-type", "camera" }, { "complexity", "low" }, { "rate-control", "bitrate", true },
			{ "enable-frame-skip", "false" }, { "gop-size", NO_MORE_KEY_FRAMES },
			{ "scene-change-detection", "false" }, { "slice-mode", "auto" },
		},
	},
	{
		.name = "vpx",
		.factory = "vp8enc",
		.codec = CANDIDATE_VP8,
		.format = "I420",
		.rate = CANDIDATE_RATE_TARGET,
		.rate_property = "target-bitrate",
		.rate_unit = 1,
		.timed = true,
		.settings = {
			{ "deadline", "1" }, { "cpu-used", "8" }, { "lag-in-frames", "0" },
			{ "end-usage", "cbr", true }, { "min-quantizer", "16" }, { "max-quantizer", "56" },
			{ "keyframe-max-dist", NO_MORE_KEY_FRAMES }, { "auto-alt-ref", "false" },
			{ "resize-allowed", "false" }, { "dropframe-threshold", "0" },
			{ "buffer-size", "100" }, { "buffer-initial-size", "60" },
			{ "buffer-optimal-size", "80" }, { "static-threshold", "100" },
			/* With more threads they wait for each other in busy loops. */
			{ "threads", "1" },
		},
	},
	{
		.name = "va-jpeg",
		.factory = "vajpegenc",
		.own_before = "va",
		.own_after = "jpegenc",
		.codec = CANDIDATE_MJPEG,
		.hardware = true,
		.format = "NV12",
		.rate = CANDIDATE_RATE_QUALITY,
	},
	{
		.name = "jpeg",
		.factory = "jpegenc",
		.codec = CANDIDATE_MJPEG,
		.format = "I420",
		.rate = CANDIDATE_RATE_QUALITY,
	},
};

/*
 * The names are those of gstreamer-encoder.c, get_gst_codec_name(), and of spice.h on
 * spice_server_set_video_codecs().
 */
static const struct {
	const char *element, *name;
} codecs[CANDIDATE_CODECS] = {
	[CANDIDATE_H264] = { "x264enc", "h264" },
	[CANDIDATE_VP8] = { "vp8enc", "vp8" },
	[CANDIDATE_MJPEG] = { "avenc_mjpeg", "mjpeg" },
};

const struct candidate *candidates_get(unsigned *n_candidates)
{
	*n_candidates = G_N_ELEMENTS(candidates);
	return candidates;
}

unsigned candidate_index(const struct candidate *candidate)
{
	G_STATIC_ASSERT(G_N_ELEMENTS(candidates) < CANDIDATES_MAX);
	g_assert(candidate >= candidates && candidate < candidates + G_N_ELEMENTS(candidates));
	return (unsigned)(candidate - candidates);
}

bool candidate_is_full_range(const struct candidate *candidate)
{
	return candidate->codec == CANDIDATE_MJPEG && g_str_equal(candidate->format, "I420");
}

const char *candidate_codec_element(enum candidate_codec codec)
{
	return codecs[codec].element;
}

const char *candidate_codec_name(enum candidate_codec codec)
{
	return codecs[codec].name;
}

void candidate_apply(const struct candidate *candidate, GstElement *element)
{
	GObjectClass *object_class = G_OBJECT_GET_CLASS(element);
	const struct candidate_setting *setting = candidate->settings;
	for (; setting->property; setting++) {
		if (g_object_class_find_property(object_class, setting->property))
			gst_util_set_object_arg(
				G_OBJECT(element), setting->property, setting->value);
	}
}

/*
 * Returns the value as the property's type has it, or false when it has no such value. It is what
 * gst_util_set_object_arg() makes of the text.
 */
static bool parse_value(const struct candidate_setting *setting, GParamSpec *pspec, GValue *value)
{
	g_value_init(value, G_PARAM_SPEC_VALUE_TYPE(pspec));
	return gst_value_deserialize(value, setting->value);
}

static char *find_difference(const struct candidate_setting *setting, GstElement *element)
{
	GValue wanted = G_VALUE_INIT, is = G_VALUE_INIT;
	GParamSpec *pspec =
		g_object_class_find_property(G_OBJECT_GET_CLASS(element), setting->property);
	if (!pspec || !(pspec->flags & G_PARAM_READABLE))
		return g_strdup_printf("it has no %s", setting->property);
	g_value_init(&is, G_PARAM_SPEC_VALUE_TYPE(pspec));
	g_object_get_property(G_OBJECT(element), setting->property, &is);
	bool same = parse_value(setting, pspec, &wanted) &&
		    g_param_values_cmp(pspec, &wanted, &is) == 0;
	g_autofree char *text = gst_value_serialize(&is);
	g_value_unset(&wanted);
	g_value_unset(&is);
	return same ? NULL :
		      g_strdup_printf("its %s is %s and cannot be %s", setting->property,
			      text ? text : "unknown", setting->value);
}

char *candidate_find_refused(const struct candidate *candidate, GstElement *element)
{
	const struct candidate_setting *setting = candidate->settings;
	char *refused = NULL;
	for (; setting->property && !refused; setting++) {
		if (setting->needed)
			refused = find_difference(setting, element);
	}
	return refused;
}
