/* SPDX-License-Identifier: MIT */
#include "display/video/facade.h"

#include <string.h>

#include "protocol/stats_clients.h"
#include "display/video/access_unit.h"
#include "display/video/convert.h"
#include "display/video/rate.h"
#include "display/video/speed.h"

/* A longer pause, in nanoseconds, says nothing of how many pictures come a second. */
#define PAUSE_NS (250 * GST_MSECOND)
#define INTERVAL_SMOOTHING 0.1
/* An encoder is told of a new rate only when it differs by more than this share. */
#define RATE_MARGIN 0.08
#define FIRST_QUALITY 75

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

struct choices {
	struct facade_choice list[FACADE_CHOICES_MAX];
	unsigned n;
	unsigned first; /* not failed */
};

static struct {
	GMutex lock;
	struct choices choices[CANDIDATE_CODECS];
	uint64_t (*line_bps)(void *user);
	void *user;
} state;

typedef struct {
	GstBin parent;
	struct facade_choice choice; /* .candidate NULL: there is none */
	GstElement *encoder;         /* the bin's */
	unsigned head;               /* for figures; FRAME_HEADS_MAX: a trial */
	GMutex lock;                 /* of what follows */
	struct rate_input input;
	struct rate told;
	int quality;
	bool first;          /* no picture has left yet */
	uint64_t arrived_ns; /* the last one */
	double interval_ns;  /* mean */
} Facade;

typedef struct {
	GstBinClass parent_class;
	enum candidate_codec codec;
} FacadeClass;

/* All codecs' types have this parent class. */
static gpointer parent_class;

static enum candidate_codec codec_of(const Facade *facade)
{
	return ((FacadeClass *)G_OBJECT_GET_CLASS(facade))->codec;
}

/* ---- rate ---- */

static bool differs(double a, double b)
{
	return ABS(a - b) > RATE_MARGIN * b;
}

static void tell_x264(Facade *facade, struct rate rate)
{
	g_object_set(facade->encoder, "bitrate", rate.kbit, "vbv-buf-capacity",
		MIN(rate.buffer_ms, 10000), NULL);
}

static void set_number(GstElement *element, const char *property, uint64_t number)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
	if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), property))
		gst_util_set_object_arg(G_OBJECT(element), property, text);
}

static void tell_target(Facade *facade, struct rate rate)
{
	const struct candidate *candidate = facade->choice.candidate;
	set_number(facade->encoder, candidate->rate_property,
		(uint64_t)rate.kbit * 1000 / candidate->rate_unit);
	if (candidate->buffer_property)
		set_number(facade->encoder, candidate->buffer_property,
			(uint64_t)rate.kbit * rate.buffer_ms / 1000);
}

/* Must be called with the facade's lock held. */
static void update_rate(Facade *facade)
{
	const struct candidate *candidate = facade->choice.candidate;
	g_mutex_lock(&state.lock);
	facade->input.line_bps = state.line_bps ? state.line_bps(state.user) : 0;
	g_mutex_unlock(&state.lock);
	if (!candidate || candidate->rate == CANDIDATE_RATE_QUALITY)
		return;
	bool x264 = candidate->rate == CANDIDATE_RATE_X264;
	struct rate rate = x264 ? rate_ceiling(&facade->input) : rate_target(&facade->input);
	if (!differs(rate.kbit, facade->told.kbit) &&
		!differs(rate.buffer_ms, facade->told.buffer_ms))
		return;
	facade->told = rate;
	if (x264)
		tell_x264(facade, rate);
	else
		tell_target(facade, rate);
}

static void update_quality(Facade *facade, uint64_t size_bytes)
{
	int next = rate_quality(&facade->input, facade->quality, size_bytes);
	if (next == facade->quality)
		return;
	facade->quality = next;
	g_object_set(facade->encoder, "quality", next, NULL);
}

/* ---- pictures ---- */

static void note_arrival(Facade *facade)
{
	uint64_t now_ns = (uint64_t)g_get_monotonic_time() * 1000;
	uint64_t interval_ns = now_ns - facade->arrived_ns;
	facade->arrived_ns = now_ns;
	if (interval_ns > PAUSE_NS)
		return;
	facade->interval_ns += INTERVAL_SMOOTHING * ((double)interval_ns - facade->interval_ns);
	facade->input.real_fps = 1e9 / MAX(facade->interval_ns, 1.0);
}

static void note_caps(Facade *facade, GstCaps *caps)
{
	const GstStructure *structure = gst_caps_get_structure(caps, 0);
	int width = 0, height = 0, fps_n = 0, fps_d = 1;
	gst_structure_get_int(structure, "width", &width);
	gst_structure_get_int(structure, "height", &height);
	gst_structure_get_fraction(structure, "framerate", &fps_n, &fps_d);
	facade->input.width = (uint32_t)MAX(width, 0);
	facade->input.height = (uint32_t)MAX(height, 0);
	facade->input.stated_fps = fps_d > 0 ? (double)fps_n / fps_d : 0;
	facade->input.real_fps = facade->input.stated_fps;
	facade->interval_ns = 1e9 / MAX(facade->input.stated_fps, 1.0);
	if (facade->choice.candidate && facade->choice.candidate->timed)
		facade->input.stated_fps = 0;
}

static GstPadProbeReturn on_picture(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
	Facade *facade = user;
	GstEvent *event = GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER ?
				  NULL :
				  GST_PAD_PROBE_INFO_EVENT(info);
	g_mutex_lock(&facade->lock);
	if (!event)
		note_arrival(facade);
	if (event && GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
		GstCaps *caps;
		gst_event_parse_caps(event, &caps);
		note_caps(facade, caps);
		facade->first = true;
	}
	update_rate(facade);
	g_mutex_unlock(&facade->lock);
	return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn on_encoded(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
	Facade *facade = user;
	GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
	g_mutex_lock(&facade->lock);
	uint64_t took_ns = (uint64_t)g_get_monotonic_time() * 1000 - facade->arrived_ns;
	double fps = facade->input.real_fps;
	if (facade->choice.candidate->rate == CANDIDATE_RATE_QUALITY)
		update_quality(facade, gst_buffer_get_size(buffer));
	if (codec_of(facade) == CANDIDATE_H264)
		GST_PAD_PROBE_INFO_DATA(info) = access_unit_delimit(buffer, facade->first);
	facade->first = false;
	g_mutex_unlock(&facade->lock);
	if (facade->choice.candidate->rate == CANDIDATE_RATE_X264)
		speed_note(took_ns, fps);
	stats_add(facade->head, STATS_STREAM_FRAMES, 1);
	stats_record_us(facade->head, STATS_PICTURE_TO_ENCODED, took_ns / 1000);
	stats_set_encoder(facade->head, facade->choice.candidate->name);
	return GST_PAD_PROBE_OK;
}

/* ---- making ---- */

/* Makes the element's pad the bin's. */
static void add_ghost(Facade *facade, GstElement *element, const char *name)
{
	g_autoptr(GstPad) pad = gst_element_get_static_pad(element, name);
	gst_element_add_pad(GST_ELEMENT(facade), gst_ghost_pad_new(name, pad));
}

static void add_probe(GstElement *element, const char *name, GstPadProbeType type,
	GstPadProbeCallback callback, Facade *facade)
{
	g_autoptr(GstPad) pad = gst_element_get_static_pad(element, name);
	gst_pad_add_probe(pad, type, callback, facade, NULL);
}

static void set_up_encoder(Facade *facade)
{
	const struct candidate *candidate = facade->choice.candidate;
	if (candidate->rate == CANDIDATE_RATE_X264)
		gst_util_set_object_arg(G_OBJECT(facade->encoder), "speed-preset", speed_preset());
	candidate_apply(candidate, facade->encoder);
	if (candidate->rate == CANDIDATE_RATE_QUALITY)
		g_object_set(facade->encoder, "quality", facade->quality, NULL);
}

static void fill(Facade *facade)
{
	const struct candidate *candidate = facade->choice.candidate;
	facade->encoder = gst_element_factory_create(facade->choice.factory, NULL);
	if (!facade->encoder)
		return;
	bool sharp = facade->choice.chroma_444 && candidate->rate == CANDIDATE_RATE_X264;
	GstElement *convert = convert_new(sharp ? "Y444" : candidate->format,
		candidate->codec == CANDIDATE_MJPEG && g_str_equal(candidate->format, "I420"));
	set_up_encoder(facade);
	gst_bin_add_many(GST_BIN(facade), convert, facade->encoder, NULL);
	gst_element_link(convert, facade->encoder);
	add_probe(convert, "sink", GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
		on_picture, facade);
	add_probe(facade->encoder, "src", GST_PAD_PROBE_TYPE_BUFFER, on_encoded, facade);
	add_ghost(facade, convert, "sink");
	add_ghost(facade, facade->encoder, "src");
}

static bool current_choice(enum candidate_codec codec, struct facade_choice *choice)
{
	g_mutex_lock(&state.lock);
	const struct choices *choices = &state.choices[codec];
	bool found = choices->first < choices->n;
	if (found)
		*choice = choices->list[choices->first];
	g_mutex_unlock(&state.lock);
	return found;
}

static void facade_constructed(GObject *object)
{
	Facade *facade = (Facade *)object;
	G_OBJECT_CLASS(parent_class)->constructed(object);
	if (current_choice(codec_of(facade), &facade->choice))
		fill(facade);
}

/* Drops the candidate. Returns true when there is another choice for the next element. */
static bool give_up(enum candidate_codec codec, const struct candidate *candidate)
{
	g_mutex_lock(&state.lock);
	struct choices *choices = &state.choices[codec];
	bool current =
		choices->first < choices->n && choices->list[choices->first].candidate == candidate;
	bool another = choices->first + 1 < choices->n;
	if (current && another)
		choices->first++;
	g_mutex_unlock(&state.lock);
	return current && another;
}

static void facade_handle_message(GstBin *bin, GstMessage *message)
{
	Facade *facade = (Facade *)bin;
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && facade->choice.candidate &&
		give_up(codec_of(facade), facade->choice.candidate))
		g_warning("video: encoder %s failed in service; going on without it",
			facade->choice.candidate->name);
	GST_BIN_CLASS(parent_class)->handle_message(bin, message);
}

static void facade_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
	Facade *facade = (Facade *)object;
	if (id != PROPERTY_BITRATE)
		return;
	g_mutex_lock(&facade->lock);
	facade->input.allowed_bps = (uint64_t)g_value_get_uint(value) * 1024;
	if (facade->encoder)
		update_rate(facade);
	g_mutex_unlock(&facade->lock);
}

static void facade_finalize(GObject *object)
{
	Facade *facade = (Facade *)object;
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

static void facade_class_init(gpointer class, gpointer data)
{
	static GstStaticPadTemplate sink =
		GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
	static GstStaticPadTemplate src =
		GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
	GObjectClass *object_class = G_OBJECT_CLASS(class);
	const struct face *face = data;
	parent_class = g_type_class_peek(GST_TYPE_BIN);
	((FacadeClass *)class)->codec = (enum candidate_codec)(face - faces);
	object_class->constructed = facade_constructed;
	object_class->set_property = facade_set_property;
	object_class->finalize = facade_finalize;
	GST_BIN_CLASS(class)->handle_message = facade_handle_message;
	install_properties(object_class, face);
	gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(class), &sink);
	gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(class), &src);
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(class), "Encoder of this machine",
		"Codec/Encoder/Video", "Stands where spice-server looks for an encoder", "Vitrine");
}

static void facade_init(GTypeInstance *instance, gpointer class)
{
	Facade *facade = (Facade *)instance;
	g_mutex_init(&facade->lock);
	facade->head = stats_get_thread_head();
	facade->quality = FIRST_QUALITY;
	facade->first = true;
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
		types[codec] = g_type_register_static(GST_TYPE_BIN, names[codec], &info, 0);
	}
	GType type = types[codec];
	g_mutex_unlock(&state.lock);
	return type;
}

void facade_set_choices(
	enum candidate_codec codec, const struct facade_choice *choices, unsigned n_choices)
{
	g_mutex_lock(&state.lock);
	struct choices *own = &state.choices[codec];
	own->n = MIN(n_choices, FACADE_CHOICES_MAX);
	own->first = 0;
	memcpy(own->list, choices, own->n * sizeof(*choices));
	g_mutex_unlock(&state.lock);
}

void facade_set_line(uint64_t (*line_bps)(void *user), void *user)
{
	g_mutex_lock(&state.lock);
	state.line_bps = line_bps;
	state.user = user;
	g_mutex_unlock(&state.lock);
}
