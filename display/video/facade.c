/* SPDX-License-Identifier: MIT */
#include "display/video/facade.h"

#include <gst/video/video.h>

#include "protocol/stats_clients.h"
#include "display/video/access_unit.h"
#include "display/video/seat.h"
#include "display/video/speed.h"

/* A longer pause, in nanoseconds, says nothing of how many pictures come a second. */
#define PAUSE_NS (250 * GST_MSECOND)
#define INTERVAL_SMOOTHING 0.1
/* How often a stream looks whether a better encoder than its own may be used (again). */
#define LOOK_US G_USEC_PER_SEC

enum {
	PROPERTY_BITRATE = 1,
	PROPERTY_IGNORED,
};

/*
 * It names the properties that spice-server's gstreamer-encoder.c sets, which differ between the
 * codecs.
 */
struct face {
	const char *bitrate;     /* the property it looks for */
	const char *ignored[12]; /* ends with NULL */
};

static const struct face faces[CANDIDATE_CODECS] = {
	[CANDIDATE_H264] = { "bitrate",
		{ "byte-stream", "aud", "qp-min", "qp-max", "tune", "sliced-threads",
			"speed-preset", "intra-refresh" } },
	[CANDIDATE_VP8] = { "target-bitrate", { "end-usage", "min-quantizer", "error-resilient",
						      "lag-in-frames", "deadline", "cpu-used" } },
	[CANDIDATE_MJPEG] = { "bitrate" },
};

static struct {
	GMutex lock;
	uint64_t (*line_bps)(void *user);
	void *user;
} state;

typedef struct {
	GstElement parent;
	GstPad *sink, *src;
	unsigned head; /* for figures */
	GMutex lock;   /* of what spice-server allows */
	uint64_t allowed_bps;

	/* The streaming thread's, or whoever's while the element is stopped. */
	GstVideoInfo info; /* .finfo NULL: no caps yet */
	struct rate_input input;
	struct seat seat;
	struct seat next; /* one that starts, to take its place */
	gint64 look_us;
	bool first;          /* no picture has left yet */
	uint64_t arrived_ns; /* the last one */
	double interval_ns;  /* mean */
} Facade;

typedef struct {
	GstElementClass parent_class;
	enum candidate_codec codec;
} FacadeClass;

/* All codecs' types have this parent class. */
static gpointer parent_class;

static enum candidate_codec codec_of(const Facade *facade)
{
	return ((FacadeClass *)G_OBJECT_GET_CLASS(facade))->codec;
}

/* ---- caps ---- */

static void note_caps(Facade *facade)
{
	const GstVideoInfo *info = &facade->info;
	facade->input.width = (uint32_t)GST_VIDEO_INFO_WIDTH(info);
	facade->input.height = (uint32_t)GST_VIDEO_INFO_HEIGHT(info);
	facade->input.stated_fps = info->fps_d > 0 ? (double)info->fps_n / info->fps_d : 0;
	facade->input.real_fps = facade->input.stated_fps;
	facade->interval_ns = 1e9 / MAX(facade->input.stated_fps, 1.0);
	facade->first = true;
}

static GstCaps *caps_of(const Facade *facade)
{
	static const char *const media[CANDIDATE_CODECS] = { "video/x-h264", "video/x-vp8",
		"image/jpeg" };
	enum candidate_codec codec = codec_of(facade);
	GstCaps *caps = gst_caps_new_simple(media[codec], "width", G_TYPE_INT,
		GST_VIDEO_INFO_WIDTH(&facade->info), "height", G_TYPE_INT,
		GST_VIDEO_INFO_HEIGHT(&facade->info), NULL);
	if (codec == CANDIDATE_H264)
		gst_caps_set_simple(caps, "stream-format", G_TYPE_STRING, "byte-stream",
			"alignment", G_TYPE_STRING, "au", NULL);
	return caps;
}

static void leave_seats(Facade *facade)
{
	seat_leave(&facade->seat, ENCODER_END_MS);
	seat_leave(&facade->next, 0);
}

static gboolean facade_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	Facade *facade = (Facade *)parent;
	GstCaps *caps;
	if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS)
		return gst_pad_event_default(pad, parent, event);
	gst_event_parse_caps(event, &caps);
	bool known = gst_video_info_from_caps(&facade->info, caps);
	gst_event_unref(event);
	if (!known)
		return FALSE;
	leave_seats(facade);
	note_caps(facade);
	g_autoptr(GstCaps) made = caps_of(facade);
	return gst_pad_push_event(facade->src, gst_event_new_caps(made));
}

/* ---- who encodes ---- */

static void note_fault(struct seat *seat, enum encoder_state fault)
{
	g_autofree char *reason = encoder_reason(seat->encoder);
	choices_note_fault(seat->choice.candidate, fault, reason);
	seat_leave(seat, fault == ENCODER_SILENT ? 0 : ENCODER_END_MS);
}

/* Returns false when there is nobody who could encode pictures of this size. */
static bool take_seat(Facade *facade)
{
	struct choice choice;
	int width = GST_VIDEO_INFO_WIDTH(&facade->info),
	    height = GST_VIDEO_INFO_HEIGHT(&facade->info);
	while (choices_pick(codec_of(facade), width, height, NULL, &choice)) {
		if (!seat_take(&facade->seat, &choice, &facade->info, &facade->input))
			return false;
		enum encoder_state is =
			encoder_wait(facade->seat.encoder, seat_timeout_ms(&facade->seat));
		if (is == ENCODER_READY)
			return true;
		note_fault(&facade->seat, is);
		if (!choice.candidate->hardware)
			return false;
	}
	return false;
}

/*
 * A better encoder than the one at work, that was busy or had failed, may be used again. It starts
 * while that goes on, and takes its place when it is ready.
 */
static void look_for_better(Facade *facade)
{
	struct choice choice;
	int width = GST_VIDEO_INFO_WIDTH(&facade->info),
	    height = GST_VIDEO_INFO_HEIGHT(&facade->info);
	gint64 now_us = g_get_monotonic_time();
	if (!facade->seat.encoder || facade->next.encoder || now_us < facade->look_us)
		return;
	facade->look_us = now_us + LOOK_US;
	const struct candidate *own = facade->seat.choice.candidate;
	if (choices_pick(codec_of(facade), width, height, own, &choice))
		seat_take(&facade->next, &choice, &facade->info, &facade->input);
}

static void take_better(Facade *facade)
{
	if (!facade->next.encoder)
		return;
	enum encoder_state is = seat_look(&facade->next);
	if (is == ENCODER_STARTING)
		return;
	if (is != ENCODER_READY) {
		note_fault(&facade->next, is);
		return;
	}
	seat_leave(&facade->seat, ENCODER_END_MS);
	facade->seat = facade->next;
	facade->next = (struct seat){ 0 };
}

/* Returns NULL when nobody could encode the picture. */
static GstBuffer *encode(Facade *facade, GstBuffer *picture)
{
	look_for_better(facade);
	take_better(facade);
	while (facade->seat.encoder || take_seat(facade)) {
		const struct candidate *candidate = facade->seat.choice.candidate;
		GstBuffer *encoded;
		enum encoder_state is =
			seat_encode(&facade->seat, &facade->input, picture, &encoded);
		if (is == ENCODER_READY) {
			choices_note_success(candidate, facade->seat.since_us);
			return encoded;
		}
		note_fault(&facade->seat, is);
		if (!candidate->hardware)
			break;
	}
	return NULL;
}

/* ---- pictures ---- */

static void note_arrival(Facade *facade)
{
	uint64_t now_ns = (uint64_t)g_get_monotonic_time() * 1000;
	uint64_t interval_ns = now_ns - facade->arrived_ns;
	facade->arrived_ns = now_ns;
	g_mutex_lock(&facade->lock);
	facade->input.allowed_bps = facade->allowed_bps;
	g_mutex_unlock(&facade->lock);
	g_mutex_lock(&state.lock);
	facade->input.line_bps = state.line_bps ? state.line_bps(state.user) : 0;
	g_mutex_unlock(&state.lock);
	if (interval_ns > PAUSE_NS)
		return;
	facade->interval_ns += INTERVAL_SMOOTHING * ((double)interval_ns - facade->interval_ns);
	facade->input.real_fps = 1e9 / MAX(facade->interval_ns, 1.0);
}

static void note_encoded(Facade *facade)
{
	const struct candidate *candidate = facade->seat.choice.candidate;
	uint64_t took_ns = (uint64_t)g_get_monotonic_time() * 1000 - facade->arrived_ns;
	if (candidate->rate == CANDIDATE_RATE_X264)
		speed_note(took_ns, facade->input.real_fps);
	stats_add(facade->head, STATS_STREAM_FRAMES, 1);
	stats_record_us(facade->head, STATS_PICTURE_TO_ENCODED, took_ns / 1000);
	stats_set_encoder(facade->head, candidate->name);
}

/*
 * Gives a picture the times that it had when it came. Encoders move them, x264enc by 1000 hours,
 * and say so by a segment, which would have to change within a stream; spice-server's sink waits
 * for what they say.
 */
static GstBuffer *restore_times(GstBuffer *encoded, const GstBuffer *picture)
{
	encoded = gst_buffer_make_writable(encoded);
	GST_BUFFER_PTS(encoded) = GST_BUFFER_PTS(picture);
	GST_BUFFER_DTS(encoded) = GST_BUFFER_DTS(picture);
	GST_BUFFER_DURATION(encoded) = GST_BUFFER_DURATION(picture);
	return encoded;
}

static GstFlowReturn facade_chain(GstPad *pad, GstObject *parent, GstBuffer *picture)
{
	Facade *facade = (Facade *)parent;
	note_arrival(facade);
	GstBuffer *encoded = encode(facade, picture);
	if (encoded)
		encoded = restore_times(encoded, picture);
	gst_buffer_unref(picture);
	if (!encoded) {
		GST_ELEMENT_ERROR(facade, STREAM, ENCODE, ("no encoder took the picture"), (NULL));
		return GST_FLOW_ERROR;
	}
	note_encoded(facade);
	if (codec_of(facade) == CANDIDATE_H264)
		encoded = access_unit_delimit(encoded, facade->first);
	facade->first = false;
	return gst_pad_push(facade->src, encoded);
}

/* ---- making ---- */

static GstStateChangeReturn facade_change_state(GstElement *element, GstStateChange change)
{
	Facade *facade = (Facade *)element;
	GstStateChangeReturn result =
		GST_ELEMENT_CLASS(parent_class)->change_state(element, change);
	if (change == GST_STATE_CHANGE_PAUSED_TO_READY)
		leave_seats(facade);
	return result;
}

static void facade_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
	Facade *facade = (Facade *)object;
	if (id != PROPERTY_BITRATE)
		return;
	g_mutex_lock(&facade->lock);
	facade->allowed_bps = (uint64_t)g_value_get_uint(value) * 1024;
	g_mutex_unlock(&facade->lock);
}

static void facade_finalize(GObject *object)
{
	Facade *facade = (Facade *)object;
	leave_seats(facade);
	g_mutex_clear(&facade->lock);
	G_OBJECT_CLASS(parent_class)->finalize(object);
}

static void install_properties(GObjectClass *object_class, const struct face *face)
{
	/* gstreamer-encoder.c looks for "kbit" in this text and then divides by 1024;
	 * MUTABLE_PLAYING makes it set the rate while a stream runs. */
	g_object_class_install_property(object_class, PROPERTY_BITRATE,
		g_param_spec_uint(face->bitrate, NULL, "Most that may be spent, in kbit/s of 1024",
			0, G_MAXUINT, 0,
			G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
	for (unsigned i = 0; face->ignored[i]; i++)
		g_object_class_install_property(object_class, PROPERTY_IGNORED + i,
			g_param_spec_string(face->ignored[i], NULL, "Taken and ignored", NULL,
				G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
}

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK,
	GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA }")));
static GstStaticPadTemplate src_template =
	GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void facade_class_init(gpointer class, gpointer data)
{
	GObjectClass *object_class = G_OBJECT_CLASS(class);
	const struct face *face = data;
	parent_class = g_type_class_peek(GST_TYPE_ELEMENT);
	((FacadeClass *)class)->codec = (enum candidate_codec)(face - faces);
	object_class->set_property = facade_set_property;
	object_class->finalize = facade_finalize;
	GST_ELEMENT_CLASS(class)->change_state = facade_change_state;
	install_properties(object_class, face);
	gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(class), &sink_template);
	gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(class), &src_template);
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(class), "Encoder of this machine",
		"Codec/Encoder/Video", "Stands where spice-server looks for an encoder", "Vitrine");
}

static void facade_init(GTypeInstance *instance, gpointer class)
{
	Facade *facade = (Facade *)instance;
	g_mutex_init(&facade->lock);
	facade->head = stats_get_thread_head();
	facade->sink = gst_pad_new_from_static_template(&sink_template, "sink");
	facade->src = gst_pad_new_from_static_template(&src_template, "src");
	gst_pad_set_chain_function(facade->sink, facade_chain);
	gst_pad_set_event_function(facade->sink, facade_sink_event);
	gst_element_add_pad(GST_ELEMENT(facade), facade->sink);
	gst_element_add_pad(GST_ELEMENT(facade), facade->src);
}

GType facade_type(enum candidate_codec codec)
{
	static GType types[CANDIDATE_CODECS];
	static const char *const names[CANDIDATE_CODECS] = { "VitrineH264", "VitrineVp8",
		"VitrineMjpeg" };
	g_mutex_lock(&state.lock);
	if (!types[codec]) {
		const GTypeInfo info = {
			.class_size = sizeof(FacadeClass),
			.class_init = facade_class_init,
			.class_data = &faces[codec],
			.instance_size = sizeof(Facade),
			.instance_init = facade_init,
		};
		types[codec] = g_type_register_static(GST_TYPE_ELEMENT, names[codec], &info, 0);
	}
	GType type = types[codec];
	g_mutex_unlock(&state.lock);
	return type;
}

void facade_set_line(uint64_t (*line_bps)(void *user), void *user)
{
	g_mutex_lock(&state.lock);
	state.line_bps = line_bps;
	state.user = user;
	g_mutex_unlock(&state.lock);
}
