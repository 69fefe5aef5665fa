/* SPDX-License-Identifier: MIT */
#include "display/video/trial.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <string.h>

/* Hardware has a least size: the largest known is 145x145 of NVENC, and some count blocks of 64. */
#define WIDTH 320
#define HEIGHT 256
#define FPS 60

struct rig {
	GstElement *pipeline, *source, *sink;
};

static bool rig_start(struct rig *rig, GstElement *encoder)
{
	rig->pipeline = gst_pipeline_new(NULL);
	rig->source = gst_element_factory_make("appsrc", NULL);
	rig->sink = gst_element_factory_make("appsink", NULL);
	if (!rig->source || !rig->sink) {
		g_clear_pointer(&rig->source, gst_object_unref);
		g_clear_pointer(&rig->sink, gst_object_unref);
		gst_object_unref(gst_object_ref_sink(encoder));
		return false;
	}
	g_autoptr(GstCaps) caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
		"BGRx", "width", G_TYPE_INT, WIDTH, "height", G_TYPE_INT, HEIGHT, "framerate",
		GST_TYPE_FRACTION, FPS, 1, NULL);
	g_object_set(rig->source, "caps", caps, "is-live", TRUE, "format", GST_FORMAT_TIME,
		"do-timestamp", TRUE, NULL);
	g_object_set(rig->sink, "sync", FALSE, NULL);
	gst_bin_add_many(GST_BIN(rig->pipeline), rig->source, encoder, rig->sink, NULL);
	return gst_element_link_many(rig->source, encoder, rig->sink, NULL) &&
	       gst_element_set_state(rig->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

static GstBuffer *picture(unsigned number)
{
	GstBuffer *buffer = gst_buffer_new_allocate(NULL, WIDTH * HEIGHT * 4, NULL);
	GstMapInfo map;
	if (!gst_buffer_map(buffer, &map, GST_MAP_WRITE))
		return buffer;
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < WIDTH; x++) {
			uint32_t pixel = ((x + number * 3) << 16 | y << 8 | (x ^ y)) & 0xffffff;
			memcpy(map.data + (y * WIDTH + x) * 4, &pixel, sizeof(pixel));
		}
	}
	gst_buffer_unmap(buffer, &map);
	return buffer;
}

static bool rig_encode(const struct rig *rig, unsigned number)
{
	if (gst_app_src_push_buffer(GST_APP_SRC(rig->source), picture(number)) != GST_FLOW_OK)
		return false;
	GstSample *sample = gst_app_sink_try_pull_sample(
		GST_APP_SINK(rig->sink), TRIAL_TIMEOUT_MS * GST_MSECOND);
	bool came = sample && gst_sample_get_buffer(sample);
	if (sample)
		gst_sample_unref(sample);
	return came;
}

bool trial_passes(GstElement *encoder)
{
	struct rig rig = { 0 };
	bool passed = rig_start(&rig, encoder);
	for (unsigned i = 0; passed && i < TRIAL_PICTURES; i++)
		passed = rig_encode(&rig, i);
	gst_element_set_state(rig.pipeline, GST_STATE_NULL);
	gst_object_unref(rig.pipeline);
	return passed;
}
