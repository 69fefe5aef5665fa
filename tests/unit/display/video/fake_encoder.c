/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/video/fake_encoder.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	PROPERTY_BITRATE = 1,
	PROPERTY_BUFFER,
	PROPERTY_RATE_CONTROL,
	PROPERTY_NODE,
};

enum { CQP, CBR };

typedef struct {
	GstElement parent;
	const struct fake_encoder *fake;
	GstPad *sink, *src;
	unsigned kbit, buffer_kbit;
	int rate_control;
	bool has_session;
	bool key_wanted;
	unsigned n_pictures;
	int width, height, fps;
} Fake;

typedef struct {
	GstElementClass parent_class;
	const struct fake_encoder *fake;
} FakeClass;

static gpointer parent_class;
static gint n_starts, n_sessions;

unsigned fake_encoder_count_starts(void)
{
	return (unsigned)g_atomic_int_get(&n_starts);
}

static struct {
	GMutex lock;
	GPtrArray *buses;
} late;

/* As gst_element_post_message() has taken the bus and not posted when its thread has to wait. */
static void post_late(GstElement *element)
{
	g_mutex_lock(&late.lock);
	if (!late.buses)
		late.buses = g_ptr_array_new_with_free_func(gst_object_unref);
	g_ptr_array_add(late.buses, gst_element_get_bus(element));
	g_mutex_unlock(&late.lock);
}

static gpointer post(gpointer user)
{
	g_autoptr(GError) error =
		g_error_new_literal(GST_STREAM_ERROR, GST_STREAM_ERROR_ENCODE, "it is too late");
	gst_bus_post(user, gst_message_new_error(NULL, error, NULL));
	return NULL;
}

unsigned fake_encoder_post(void)
{
	g_mutex_lock(&late.lock);
	GPtrArray *buses = g_steal_pointer(&late.buses);
	g_mutex_unlock(&late.lock);
	unsigned n = buses ? buses->len : 0;
	for (unsigned i = 0; i < n; i++)
		g_thread_join(g_thread_new("driver", post, g_ptr_array_index(buses, i)));
	g_clear_pointer(&buses, g_ptr_array_unref);
	return n;
}

static bool is_nvenc(const struct fake_encoder *fake)
{
	return g_str_has_prefix(fake->element, "nv");
}

/* ---- faults ---- */

G_NORETURN static void hang(void)
{
	for (;;)
		g_usleep(G_USEC_PER_SEC);
}

/* As amdgpu_cs.c does for contexts that are not robust, on a thread of util_queue_init()'s. */
static gpointer refuse_work(gpointer user)
{
	exit(EXIT_FAILURE);
}

G_NORETURN static void find_reset(void)
{
	g_thread_new("vitrine-di:cs0", refuse_work, NULL);
	hang();
}

static bool is_at(const Fake *self, enum fake_fault fault)
{
	return self->fake->fault == fault && self->n_pictures >= self->fake->fault_at &&
	       self->width > self->fake->fault_above;
}

/* ---- pictures ---- */

static GstBuffer *make_picture(Fake *self, bool key)
{
	static const uint8_t key_head[] = { 0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 1, 0, 0, 0, 1,
		0x65, 0x88 };
	static const uint8_t head[] = { 0, 0, 0, 1, 0x41, 0x9a };
	uint64_t bits = (uint64_t)self->kbit * 1000 / (unsigned)MAX(self->fps, 1);
	if (self->rate_control == CQP)
		bits = (uint64_t)self->width * (unsigned)self->height * FAKE_CONSTANT_BITS;
	if (key)
		bits *= FAKE_KEY_TIMES;
	size_t size = MAX(bits / 8, sizeof(key_head));
	uint8_t *bytes = g_malloc(size);
	memset(bytes, 0x55, size);
	memcpy(bytes, key ? key_head : head, key ? sizeof(key_head) : sizeof(head));
	return gst_buffer_new_wrapped(bytes, size);
}

static GstFlowReturn fake_chain(GstPad *pad, GstObject *parent, GstBuffer *picture)
{
	Fake *self = (Fake *)parent;
	gst_buffer_unref(picture);
	if (is_at(self, FAKE_CRASHES))
		abort();
	if (is_at(self, FAKE_IS_RESET))
		find_reset();
	if (is_at(self, FAKE_HANGS))
		hang();
	if (is_at(self, FAKE_SAYS_NOTHING))
		return GST_FLOW_OK;
	if (is_at(self, FAKE_ERRS)) {
		const char *says = self->fake->says ? self->fake->says : "the driver says no";
		GST_ELEMENT_ERROR(self, STREAM, ENCODE, ("%s", says), (NULL));
		return GST_FLOW_ERROR;
	}
	if (self->fake->drops_cbr)
		self->rate_control = CQP;
	bool key = self->key_wanted || self->n_pictures == 0;
	self->key_wanted = false;
	self->n_pictures++;
	return gst_pad_push(self->src, make_picture(self, key));
}

static gboolean fake_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
	Fake *self = (Fake *)parent;
	GstCaps *caps;
	int fps_d = 1;
	if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS)
		return gst_pad_event_default(pad, parent, event);
	gst_event_parse_caps(event, &caps);
	const GstStructure *structure = gst_caps_get_structure(caps, 0);
	gst_structure_get_int(structure, "width", &self->width);
	gst_structure_get_int(structure, "height", &self->height);
	gst_structure_get_fraction(structure, "framerate", &self->fps, &fps_d);
	gst_event_unref(event);
	int least = MIN(self->width, self->height), most = MAX(self->width, self->height);
	if (least < self->fake->least || (self->fake->most && most > self->fake->most))
		return FALSE;
	g_autoptr(GstCaps) made = gst_caps_new_simple("video/x-h264", "stream-format",
		G_TYPE_STRING, "byte-stream", "alignment", G_TYPE_STRING, "au", NULL);
	return gst_pad_push_event(self->src, gst_event_new_caps(made));
}

/* ---- sessions ---- */

static bool take_session(Fake *self)
{
	int limit = self->fake->n_sessions;
	if (limit > 0 && g_atomic_int_add(&n_sessions, 1) >= limit) {
		g_atomic_int_add(&n_sessions, -1);
		return false;
	}
	self->has_session = limit > 0;
	return true;
}

static void give_session(Fake *self)
{
	if (self->has_session)
		g_atomic_int_add(&n_sessions, -1);
	self->has_session = false;
}

static GstStateChangeReturn fake_change_state(GstElement *element, GstStateChange change)
{
	Fake *self = (Fake *)element;
	if (change == GST_STATE_CHANGE_NULL_TO_READY) {
		g_atomic_int_inc(&n_starts);
		if (self->fake->fault == FAKE_HANGS_AT_START)
			hang();
		if (self->fake->fault == FAKE_POSTS_LATE)
			post_late(element);
		if (!take_session(self))
			return GST_STATE_CHANGE_FAILURE;
	}
	if (change == GST_STATE_CHANGE_READY_TO_NULL)
		give_session(self);
	return GST_ELEMENT_CLASS(parent_class)->change_state(element, change);
}

/* ---- properties ---- */

static void fake_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
	Fake *self = (Fake *)object;
	switch (id) {
	case PROPERTY_BITRATE:
		self->kbit = g_value_get_uint(value);
		break;
	case PROPERTY_BUFFER:
		self->buffer_kbit = g_value_get_uint(value);
		break;
	case PROPERTY_RATE_CONTROL:
		if (!self->fake->ignores_cbr)
			self->rate_control = g_value_get_enum(value);
		return;
	}
	/* gstnvbaseenc.c and gstvah264enc.c of 1.22: whatever is set, the next picture is a key. */
	self->key_wanted = true;
}

static void fake_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
	Fake *self = (Fake *)object;
	if (id == PROPERTY_RATE_CONTROL)
		g_value_set_enum(value, self->rate_control);
	else if (id == PROPERTY_NODE)
		g_value_set_string(value, self->fake->node);
	else
		g_value_set_uint(value, id == PROPERTY_BITRATE ? self->kbit : self->buffer_kbit);
}

static GType rate_control_type(const struct fake_encoder *fake)
{
	static const GEnumValue all[] = { { CQP, "Constant quality", "cqp" },
		{ CBR, "Constant rate", "cbr" }, { 0, NULL, NULL } };
	static const GEnumValue constant[] = { { CQP, "Constant quality", "cqp" },
		{ 0, NULL, NULL } };
	g_autofree char *name = g_strdup_printf("FakeRateControl-%s", fake->element);
	return g_enum_register_static(name, fake->no_cbr ? constant : all);
}

static void install_number(GObjectClass *class, guint id, const char *name)
{
	g_object_class_install_property(
		class, id, g_param_spec_uint(name, NULL, NULL, 0, G_MAXUINT, 0, G_PARAM_READWRITE));
}

static void fake_class_init(gpointer class, gpointer data)
{
	GObjectClass *object_class = G_OBJECT_CLASS(class);
	const struct fake_encoder *fake = data;
	g_autofree char *sizes = fake->most ?
					 g_strdup_printf(",width=[%d,%d],height=[%d,%d]",
						 fake->least, fake->most, fake->least, fake->most) :
					 g_strdup("");
	g_autofree char *text = g_strconcat("video/x-raw,format=NV12", sizes, NULL);
	g_autoptr(GstCaps) in = gst_caps_from_string(text);
	g_autoptr(GstCaps) out = gst_caps_from_string("video/x-h264");
	parent_class = g_type_class_peek(GST_TYPE_ELEMENT);
	((FakeClass *)class)->fake = fake;
	object_class->set_property = fake_set_property;
	object_class->get_property = fake_get_property;
	GST_ELEMENT_CLASS(class)->change_state = fake_change_state;
	install_number(object_class, PROPERTY_BITRATE, "bitrate");
	install_number(
		object_class, PROPERTY_BUFFER, is_nvenc(fake) ? "vbv-buffer-size" : "cpb-size");
	const char *control = is_nvenc(fake) ? "rc-mode" : "rate-control";
	g_object_class_install_property(object_class, PROPERTY_RATE_CONTROL,
		g_param_spec_enum(
			control, NULL, NULL, rate_control_type(fake), CQP, G_PARAM_READWRITE));
	if (fake->node)
		g_object_class_install_property(object_class, PROPERTY_NODE,
			g_param_spec_string("device-path", NULL, NULL, NULL, G_PARAM_READABLE));
	gst_element_class_add_pad_template(GST_ELEMENT_CLASS(class),
		gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in));
	gst_element_class_add_pad_template(GST_ELEMENT_CLASS(class),
		gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out));
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(class), "Fake encoder",
		"Codec/Encoder/Video/Hardware", "Has the manners of hardware", "Vitrine");
}

static void fake_init(GTypeInstance *instance, gpointer class)
{
	Fake *self = (Fake *)instance;
	GstElementClass *element_class = class;
	self->fake = ((FakeClass *)class)->fake;
	self->sink = gst_pad_new_from_template(
		gst_element_class_get_pad_template(element_class, "sink"), "sink");
	self->src = gst_pad_new_from_template(
		gst_element_class_get_pad_template(element_class, "src"), "src");
	gst_pad_set_chain_function(self->sink, fake_chain);
	gst_pad_set_event_function(self->sink, fake_event);
	gst_element_add_pad(GST_ELEMENT(self), self->sink);
	gst_element_add_pad(GST_ELEMENT(self), self->src);
}

void fake_encoder_register(GstPlugin *plugin, const struct fake_encoder *fake)
{
	const GTypeInfo info = {
		.class_size = sizeof(FakeClass),
		.class_init = fake_class_init,
		.class_data = fake,
		.instance_size = sizeof(Fake),
		.instance_init = fake_init,
	};
	g_autofree char *name = g_strdup_printf("Fake-%s", fake->element);
	GType type = g_type_register_static(GST_TYPE_ELEMENT, name, &info, 0);
	if (!gst_element_register(plugin, fake->element, GST_RANK_NONE, type))
		g_error("%s cannot be registered", fake->element);
}
