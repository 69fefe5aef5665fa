/* SPDX-License-Identifier: MIT */
#include "display/video/encoder.h"

#include "display/video/speed.h"
#include "protocol/flight_events.h"
#include "protocol/heartbeat_writer.h"

/* What the thread is to do next. */
enum order {
	ORDER_NONE,
	ORDER_ENCODE,
	ORDER_END,
};

/*
 * One reference is the owner's, one the thread's, and one the bus's, since a driver's thread may
 * hold that and post when the others have gone: whoever lets go last frees it. The pads belong to
 * no element.
 */
struct encoder {
	struct encoder_setup setup;
	GMutex lock; /* of what follows, up to the thread's own */
	GCond changed;
	enum order order;
	enum encoder_state state;
	bool over; /* the thread has ended the element */
	char *reason;
	GstBuffer *picture, *encoded;
	struct encoder_told told;

	/* The thread's. */
	GstElement *element;
	GstBus *bus;
	GstPad *feed, *drain;
	struct encoder_told is_told;
	bool has_encoded;
	bool is_tried; /* what it was begun as (heartbeat_encoder_begin()) */

	gint given_up; /* its owner waits for it no more */
	gint references;
};

static struct encoder *encoder_ref(struct encoder *encoder)
{
	g_atomic_int_inc(&encoder->references);
	return encoder;
}

static void encoder_unref(gpointer user)
{
	struct encoder *encoder = user;
	if (!g_atomic_int_dec_and_test(&encoder->references))
		return;
	gst_clear_buffer(&encoder->picture);
	gst_clear_buffer(&encoder->encoded);
	gst_caps_unref(encoder->setup.caps);
	g_free(encoder->reason);
	g_mutex_clear(&encoder->lock);
	g_cond_clear(&encoder->changed);
	g_free(encoder);
}

/* ---- what the element says ---- */

/* The first reason is the one that counts: what follows follows from it. `reason` is taken. */
static void fail(struct encoder *encoder, enum encoder_state state, char *reason)
{
	g_mutex_lock(&encoder->lock);
	if (encoder->state != ENCODER_FAILED && encoder->state != ENCODER_UNFIT) {
		encoder->state = state;
		encoder->reason = g_steal_pointer(&reason);
	}
	g_cond_broadcast(&encoder->changed);
	g_mutex_unlock(&encoder->lock);
	g_free(reason);
}

static GstBusSyncReply on_message(GstBus *bus, GstMessage *message, gpointer user)
{
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
		g_autoptr(GError) error = NULL;
		g_autofree char *details = NULL;
		gst_message_parse_error(message, &error, &details);
		fail(user, ENCODER_FAILED, g_strdup(error->message));
	}
	gst_message_unref(message);
	return GST_BUS_DROP;
}

/* Drivers have threads of their own, from which this may be called. */
static GstFlowReturn on_encoded(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
	struct encoder *encoder = g_object_get_data(G_OBJECT(pad), "encoder");
	g_mutex_lock(&encoder->lock);
	bool wanted = encoder->order == ORDER_ENCODE && !encoder->encoded;
	if (wanted)
		encoder->encoded = buffer;
	g_cond_broadcast(&encoder->changed);
	g_mutex_unlock(&encoder->lock);
	if (wanted)
		return GST_FLOW_OK;
	gst_buffer_unref(buffer);
	fail(encoder, ENCODER_FAILED, g_strdup("it made two pictures of one"));
	return GST_FLOW_ERROR;
}

static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	gst_event_unref(event);
	return TRUE;
}

/* ---- starting ---- */

static GstPad *make_pad(enum candidate_codec codec, GstPadDirection direction)
{
	static GstStaticPadTemplate raw = GST_STATIC_PAD_TEMPLATE(
		"feed", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));
	static GstStaticPadTemplate drains[CANDIDATE_CODECS] = {
		[CANDIDATE_H264] = GST_STATIC_PAD_TEMPLATE("drain", GST_PAD_SINK, GST_PAD_ALWAYS,
			GST_STATIC_CAPS("video/x-h264,stream-format=byte-stream,alignment=au")),
		[CANDIDATE_VP8] = GST_STATIC_PAD_TEMPLATE(
			"drain", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-vp8")),
		[CANDIDATE_MJPEG] = GST_STATIC_PAD_TEMPLATE(
			"drain", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("image/jpeg")),
	};
	GstPad *pad = gst_pad_new_from_static_template(
		direction == GST_PAD_SRC ? &raw : &drains[codec], NULL);
	return gst_object_ref_sink(pad);
}

static bool link_pads(struct encoder *encoder)
{
	g_autoptr(GstPad) sink = gst_element_get_static_pad(encoder->element, "sink");
	g_autoptr(GstPad) src = gst_element_get_static_pad(encoder->element, "src");
	encoder->feed = make_pad(encoder->setup.candidate->codec, GST_PAD_SRC);
	encoder->drain = make_pad(encoder->setup.candidate->codec, GST_PAD_SINK);
	g_object_set_data(G_OBJECT(encoder->drain), "encoder", encoder);
	gst_pad_set_chain_function(encoder->drain, on_encoded);
	gst_pad_set_event_function(encoder->drain, on_event);
	return sink && src && gst_pad_link(encoder->feed, sink) == GST_PAD_LINK_OK &&
	       gst_pad_link(src, encoder->drain) == GST_PAD_LINK_OK;
}

static void set_number(GstElement *element, const char *property, uint64_t number)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
	if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), property))
		gst_util_set_object_arg(G_OBJECT(element), property, text);
}

static void tell_rate(struct encoder *encoder, struct rate rate)
{
	const struct candidate *candidate = encoder->setup.candidate;
	GstElement *element = encoder->element;
	if (candidate->rate == CANDIDATE_RATE_X264) {
		g_object_set(element, "bitrate", rate.kbit, "vbv-buf-capacity",
			MIN(rate.buffer_ms, 10000), NULL);
		return;
	}
	set_number(element, candidate->rate_property,
		(uint64_t)rate.kbit * 1000 / candidate->rate_unit);
	if (candidate->buffer_property)
		set_number(element, candidate->buffer_property,
			(uint64_t)rate.kbit * rate.buffer_ms / 1000);
}

static void tell(struct encoder *encoder, const struct encoder_told *told)
{
	struct encoder_told *is = &encoder->is_told;
	bool by_quality = encoder->setup.candidate->rate == CANDIDATE_RATE_QUALITY;
	if (!by_quality &&
		(told->rate.kbit != is->rate.kbit || told->rate.buffer_ms != is->rate.buffer_ms))
		tell_rate(encoder, told->rate);
	if (by_quality && told->quality != is->quality)
		g_object_set(encoder->element, "quality", told->quality, NULL);
	*is = *told;
}

static bool has_property(GstElement *element, const char *name)
{
	return g_object_class_find_property(G_OBJECT_GET_CLASS(element), name) != NULL;
}

/* Returns NULL when the element is of the GPU that was asked for, or does not say of which. */
static char *find_other_gpu(const struct encoder *encoder)
{
	g_autofree char *node = NULL;
	unsigned cuda_device;
	GstElement *element = encoder->element;
	if (encoder->setup.node && has_property(element, "device-path"))
		g_object_get(element, "device-path", &node, NULL);
	if (node && !g_str_equal(node, encoder->setup.node))
		return g_strdup_printf("it is of %s, another GPU", node);
	if (encoder->setup.cuda_device < 0 || !has_property(element, "cuda-device-id"))
		return NULL;
	g_object_get(element, "cuda-device-id", &cuda_device, NULL);
	return cuda_device == (unsigned)encoder->setup.cuda_device ?
		       NULL :
		       g_strdup_printf("it is of CUDA's device %u, another GPU", cuda_device);
}

static char *find_unfit(const struct encoder *encoder)
{
	const struct candidate *candidate = encoder->setup.candidate;
	char *reason = find_other_gpu(encoder);
	if (!reason)
		reason = candidate_find_refused(candidate, encoder->element);
	if (!reason && candidate->rate == CANDIDATE_RATE_TARGET &&
		!has_property(encoder->element, candidate->rate_property))
		reason = g_strdup_printf("it has no %s", candidate->rate_property);
	return reason;
}

static bool push_start(struct encoder *encoder)
{
	GstSegment segment;
	gst_segment_init(&segment, GST_FORMAT_TIME);
	return gst_pad_push_event(encoder->feed, gst_event_new_stream_start("encoder")) &&
	       gst_pad_push_event(encoder->feed, gst_event_new_caps(encoder->setup.caps)) &&
	       gst_pad_push_event(encoder->feed, gst_event_new_segment(&segment));
}

static void set_up(struct encoder *encoder)
{
	const struct candidate *candidate = encoder->setup.candidate;
	if (candidate->rate == CANDIDATE_RATE_X264)
		gst_util_set_object_arg(G_OBJECT(encoder->element), "speed-preset", speed_preset());
	candidate_apply(candidate, encoder->element);
	tell(encoder, &encoder->setup.told);
}

static bool start_element(struct encoder *encoder)
{
	encoder->element = gst_element_factory_create(encoder->setup.factory, NULL);
	if (!encoder->element) {
		fail(encoder, ENCODER_FAILED, g_strdup("it cannot be made"));
		return false;
	}
	gst_object_ref_sink(encoder->element);
	encoder->bus = gst_bus_new();
	gst_bus_set_sync_handler(encoder->bus, on_message, encoder_ref(encoder), encoder_unref);
	gst_element_set_bus(encoder->element, encoder->bus);
	set_up(encoder);
	char *unfit = find_unfit(encoder);
	if (unfit) {
		fail(encoder, ENCODER_UNFIT, unfit);
		return false;
	}
	bool started = link_pads(encoder) && gst_pad_set_active(encoder->drain, TRUE) &&
		       gst_element_set_state(encoder->element, GST_STATE_PLAYING) !=
			       GST_STATE_CHANGE_FAILURE &&
		       gst_pad_set_active(encoder->feed, TRUE) && push_start(encoder);
	if (!started)
		fail(encoder, ENCODER_FAILED, g_strdup("it does not start"));
	return started;
}

static void stop_element(struct encoder *encoder)
{
	if (!encoder->element)
		return;
	if (encoder->feed)
		gst_pad_set_active(encoder->feed, FALSE);
	gst_element_set_state(encoder->element, GST_STATE_NULL);
	if (encoder->drain)
		gst_pad_set_active(encoder->drain, FALSE);
	gst_element_set_bus(encoder->element, NULL);
	gst_clear_object(&encoder->element);
	gst_clear_object(&encoder->bus);
	gst_clear_object(&encoder->feed);
	gst_clear_object(&encoder->drain);
}

/* ---- the thread ---- */

/* Called with the lock held, and returns so. */
static void wait_encoded(struct encoder *encoder)
{
	while (encoder->order == ORDER_ENCODE && !encoder->encoded &&
		encoder->state == ENCODER_STARTING)
		g_cond_wait(&encoder->changed, &encoder->lock);
}

/* Some settings are found impossible at the first picture, and quietly replaced. */
static void check_first(struct encoder *encoder)
{
	if (encoder->has_encoded)
		return;
	encoder->has_encoded = true;
	char *unfit = find_unfit(encoder);
	if (unfit)
		fail(encoder, ENCODER_UNFIT, unfit);
}

/* Called with the lock held, and returns so. */
static void encode(struct encoder *encoder)
{
	GstBuffer *picture = g_steal_pointer(&encoder->picture);
	struct encoder_told told = encoder->told;
	g_mutex_unlock(&encoder->lock);
	tell(encoder, &told);
	GstFlowReturn flow = gst_pad_push(encoder->feed, picture);
	if (flow != GST_FLOW_OK)
		fail(encoder, ENCODER_FAILED,
			g_strdup_printf("it refuses a picture (%s)", gst_flow_get_name(flow)));
	g_mutex_lock(&encoder->lock);
	wait_encoded(encoder);
	bool came = encoder->encoded != NULL;
	g_mutex_unlock(&encoder->lock);
	if (came)
		check_first(encoder);
	g_mutex_lock(&encoder->lock);
}

/* Called with the lock held, and returns so. */
static void set_ready(struct encoder *encoder)
{
	if (encoder->state == ENCODER_STARTING)
		encoder->state = ENCODER_READY;
	if (encoder->order == ORDER_ENCODE)
		encoder->order = ORDER_NONE;
	g_cond_broadcast(&encoder->changed);
}

/* A trial that was given up is over, and another one's may run: this is one of several at work. */
static void begin_work(struct encoder *encoder)
{
	G_STATIC_ASSERT(CANDIDATES_MAX <= HEARTBEAT_ENCODERS);
	encoder->is_tried = encoder->setup.trial && !g_atomic_int_get(&encoder->given_up);
	heartbeat_encoder_begin(candidate_index(encoder->setup.candidate), encoder->is_tried);
	flight_note(FLIGHT_ENCODER_BEGUN, candidate_index(encoder->setup.candidate),
		encoder->is_tried, 0);
}

static void end_work(struct encoder *encoder)
{
	heartbeat_encoder_end(candidate_index(encoder->setup.candidate), encoder->is_tried);
}

static gpointer run(gpointer user)
{
	struct encoder *encoder = user;
	begin_work(encoder);
	start_element(encoder);
	end_work(encoder);
	g_mutex_lock(&encoder->lock);
	set_ready(encoder);
	while (encoder->order != ORDER_END) {
		if (encoder->order == ORDER_ENCODE) {
			begin_work(encoder);
			encode(encoder);
			end_work(encoder);
			set_ready(encoder);
		} else {
			g_cond_wait(&encoder->changed, &encoder->lock);
		}
	}
	g_mutex_unlock(&encoder->lock);
	begin_work(encoder);
	stop_element(encoder);
	end_work(encoder);
	g_mutex_lock(&encoder->lock);
	encoder->over = true;
	g_cond_broadcast(&encoder->changed);
	g_mutex_unlock(&encoder->lock);
	encoder_unref(encoder);
	return NULL;
}

/* ---- its owner ---- */

struct encoder *encoder_create(const struct encoder_setup *setup)
{
	struct encoder *encoder = g_new0(struct encoder, 1);
	encoder->setup = *setup;
	gst_caps_ref(setup->caps);
	g_mutex_init(&encoder->lock);
	g_cond_init(&encoder->changed);
	encoder->references = 1;
	g_thread_unref(g_thread_new("encoder", run, encoder_ref(encoder)));
	return encoder;
}

static gint64 end_of(unsigned timeout_ms)
{
	return g_get_monotonic_time() + (gint64)timeout_ms * 1000;
}

void encoder_destroy(struct encoder *encoder, unsigned wait_ms)
{
	if (!encoder)
		return;
	gint64 end_us = end_of(wait_ms);
	g_mutex_lock(&encoder->lock);
	encoder->order = ORDER_END;
	g_cond_broadcast(&encoder->changed);
	while (!encoder->over && wait_ms > 0 &&
		g_cond_wait_until(&encoder->changed, &encoder->lock, end_us))
		;
	if (!encoder->over)
		flight_note(FLIGHT_ENCODER_LEFT, candidate_index(encoder->setup.candidate), 0, 0);
	g_atomic_int_set(&encoder->given_up, true);
	g_mutex_unlock(&encoder->lock);
	/* Where its thread hangs the trial is over nevertheless. */
	if (encoder->setup.trial)
		heartbeat_encoder_end(candidate_index(encoder->setup.candidate), true);
	encoder_unref(encoder);
}

/* Called with the lock held, and returns so. */
static enum encoder_state wait_state(struct encoder *encoder, unsigned timeout_ms)
{
	gint64 end_us = end_of(timeout_ms);
	while (encoder->state == ENCODER_STARTING && timeout_ms > 0 &&
		g_cond_wait_until(&encoder->changed, &encoder->lock, end_us))
		;
	if (encoder->state == ENCODER_STARTING && timeout_ms > 0)
		return ENCODER_SILENT;
	return encoder->state;
}

enum encoder_state encoder_wait(struct encoder *encoder, unsigned timeout_ms)
{
	g_mutex_lock(&encoder->lock);
	enum encoder_state state = wait_state(encoder, timeout_ms);
	g_mutex_unlock(&encoder->lock);
	return state;
}

enum encoder_state encoder_encode(struct encoder *encoder, GstBuffer *picture,
	const struct encoder_told *told, unsigned timeout_ms, GstBuffer **encoded)
{
	*encoded = NULL;
	g_mutex_lock(&encoder->lock);
	enum encoder_state state = encoder->state;
	if (state == ENCODER_READY) {
		encoder->picture = g_steal_pointer(&picture);
		encoder->told = *told;
		encoder->order = ORDER_ENCODE;
		encoder->state = ENCODER_STARTING;
		g_cond_broadcast(&encoder->changed);
		state = wait_state(encoder, timeout_ms);
	}
	GstBuffer *made = g_steal_pointer(&encoder->encoded);
	g_mutex_unlock(&encoder->lock);
	gst_clear_buffer(&picture);
	if (state == ENCODER_READY)
		*encoded = g_steal_pointer(&made);
	gst_clear_buffer(&made);
	return state;
}

char *encoder_reason(struct encoder *encoder)
{
	g_mutex_lock(&encoder->lock);
	char *reason = g_strndup(encoder->reason, ENCODER_REASON_BYTES);
	g_mutex_unlock(&encoder->lock);
	for (char *c = reason; c && *c; c++)
		*c = g_ascii_isprint(*c) ? *c : '?';
	return reason;
}
