/* SPDX-License-Identifier: MIT */
#include "display/qemu/dbus_audio.h"

#include <gio/gunixfdlist.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/qemu/limits.h"
#include "display/qemu/microphone.h"

#define AUDIO_PATH "/org/qemu/Display1/Audio"
#define AUDIO_INTERFACE "org.qemu.Display1.Audio"
/* A pair has two samples, left and right, of 16 bits each. D-Bus calls it a frame. */
#define SAMPLE_PAIR_BYTES 4
#define OUT_INTERFACE "org.qemu.Display1.AudioOutListener"
#define IN_INTERFACE "org.qemu.Display1.AudioInListener"

/*
 * These are from QEMU's ui/dbus-display1.xml; GDBus refuses calls whose arguments differ from it.
 */
#define METHODS_OF_BOTH                                                                            \
	" <method name='Init'>"                                                                    \
	"  <arg name='id' type='t'/><arg name='bits' type='y'/><arg name='is_signed' type='b'/>"   \
	"  <arg name='is_float' type='b'/><arg name='freq' type='u'/>"                             \
	"  <arg name='nchannels' type='y'/><arg name='bytes_per_frame' type='u'/>"                 \
	"  <arg name='bytes_per_second' type='u'/><arg name='be' type='b'/>"                       \
	" </method>"                                                                               \
	" <method name='Fini'><arg name='id' type='t'/></method>"                                  \
	" <method name='SetEnabled'><arg name='id' type='t'/><arg name='enabled' type='b'/>"       \
	" </method>"                                                                               \
	" <method name='SetVolume'><arg name='id' type='t'/><arg name='mute' type='b'/>"           \
	"  <arg name='volume' type='ay'/></method>"                                                \
	" <property name='Interfaces' type='as' access='read'/>"

struct direction {
	const char *register_method, *path, *interface, *introspection;
	const char *what; /* it is, for people */
};

static const struct direction outward = { "RegisterOutListener",
	"/org/qemu/Display1/AudioOutListener", OUT_INTERFACE,
	"<node><interface name='" OUT_INTERFACE "'>" METHODS_OF_BOTH
	" <method name='Write'><arg name='id' type='t'/><arg name='data' type='ay'/></method>"
	"</interface></node>",
	"sound" };
/* Read is not there: a filter answers it. */
static const struct direction inward = { "RegisterInListener", "/org/qemu/Display1/AudioInListener",
	IN_INTERFACE,
	"<node><interface name='" IN_INTERFACE "'>" METHODS_OF_BOTH "</interface></node>",
	"microphone" };

struct stream {
	uint64_t id;
	uint32_t rate_hz; /* 0: a free place */
};

/* With QEMU's end all of its connections end, and nothing need be said of this one. */
#define TELL_MS 1000
/* It is said of what goes wrong here and not in QEMU. */
#define NONE_SAID "no %s until display is replaced: %s"

struct dbus_audio {
	int refs; /* one is the owner's, and one each call's that is under way */
	const struct direction *direction;
	const struct dbus_audio_ops *ops; /* NULL: destroyed */
	void *user;
	struct microphone *microphone; /* of the inward one alone */
	GCancellable *cancel;
	GDBusConnection *listener; /* NULL until QEMU has connected, and after it has left */
	guint object;
	int fd; /* our end until `listener` has it, or -1 */
	struct stream streams[DBUS_AUDIO_STREAMS_MAX];
	bool on;           /* `start` was called, and `stop` was not since */
	uint64_t current;  /* id of the stream that is on */
	bool complained;   /* a refusal was logged */
	guint tell_source; /* the listener has gone; 0: it has not, or that was told */
};

static void unref(struct dbus_audio *audio)
{
	g_assert(audio->refs > 0);
	if (--audio->refs > 0)
		return;
	g_assert(!audio->ops && !audio->listener);
	g_object_unref(audio->cancel);
	g_clear_pointer(&audio->microphone, microphone_unref);
	g_free(audio);
}

static bool refuse(struct dbus_audio *audio, const char *why)
{
	if (!audio->complained)
		g_warning("qemu: %s: %s", audio->direction->what, why);
	audio->complained = true;
	return false;
}

/* ---- methods ---- */

static struct stream *find_stream(struct dbus_audio *audio, uint64_t id)
{
	for (unsigned i = 0; i < DBUS_AUDIO_STREAMS_MAX; i++) {
		if (audio->streams[i].rate_hz && audio->streams[i].id == id)
			return &audio->streams[i];
	}
	return NULL;
}

static void turn_off(struct dbus_audio *audio)
{
	if (audio->on) {
		g_assert(audio->ops);
		audio->ops->stop(audio->user);
	}
	audio->on = false;
}

static bool call_init(struct dbus_audio *audio, GVariant *arguments)
{
	guint64 id;
	guint8 bits, channels;
	gboolean is_signed, is_float, big_endian;
	guint32 rate;
	g_variant_get(arguments, "(tybbuyuub)", &id, &bits, &is_signed, &is_float, &rate, &channels,
		NULL, NULL, &big_endian);
	bool native = big_endian == (G_BYTE_ORDER == G_BIG_ENDIAN);
	if (bits != 16 || !is_signed || is_float || channels != 2 || !native)
		return refuse(audio, "a stream is not 16-bit stereo of this machine's byte order");
	if (rate < DBUS_AUDIO_RATE_MIN_HZ || rate > DBUS_AUDIO_RATE_MAX_HZ)
		return refuse(audio, "a stream's rate is not between 8000 and 96000 Hz");
	struct stream *stream = find_stream(audio, id);
	for (unsigned i = 0; i < DBUS_AUDIO_STREAMS_MAX && !stream; i++) {
		if (audio->streams[i].rate_hz == 0)
			stream = &audio->streams[i];
	}
	if (!stream)
		return refuse(audio, "more than " G_STRINGIFY(DBUS_AUDIO_STREAMS_MAX) " streams");
	*stream = (struct stream){ .id = id, .rate_hz = rate };
	return true;
}

static bool call_fini(struct dbus_audio *audio, GVariant *arguments)
{
	guint64 id;
	g_variant_get(arguments, "(t)", &id);
	struct stream *stream = find_stream(audio, id);
	if (stream && audio->on && audio->current == id)
		turn_off(audio);
	if (stream)
		stream->rate_hz = 0;
	return true;
}

static bool call_set_enabled(struct dbus_audio *audio, GVariant *arguments)
{
	guint64 id;
	gboolean enabled;
	g_variant_get(arguments, "(tb)", &id, &enabled);
	struct stream *stream = find_stream(audio, id);
	if (!stream)
		return false;
	if (audio->on && (enabled || audio->current == id))
		turn_off(audio);
	if (!enabled)
		return true;
	audio->current = id;
	audio->on = true;
	audio->ops->start(audio->user, stream->rate_hz);
	return true;
}

static bool call_set_volume(struct dbus_audio *audio, GVariant *arguments)
{
	guint64 id;
	gboolean mute;
	g_autoptr(GVariant) bytes = NULL;
	g_variant_get(arguments, "(tb@ay)", &id, &mute, &bytes);
	size_t n;
	const uint8_t *volume = g_variant_get_fixed_array(bytes, &n, 1);
	if (!find_stream(audio, id) || n == 0)
		return false;
	/* QEMU says 0 to 255, of which 255 becomes 65535. */
	audio->ops->volume(audio->user, mute, volume[0] * 257, volume[n > 1 ? 1 : 0] * 257);
	return true;
}

static bool call_write(struct dbus_audio *audio, GVariant *arguments)
{
	guint64 id;
	g_autoptr(GVariant) bytes = NULL;
	g_variant_get(arguments, "(t@ay)", &id, &bytes);
	size_t n;
	const uint8_t *data = g_variant_get_fixed_array(bytes, &n, 1);
	if (n > DBUS_AUDIO_WRITE_MAX_BYTES || n % SAMPLE_PAIR_BYTES != 0)
		return refuse(audio, "a write is longer than " G_STRINGIFY(
					     DBUS_AUDIO_WRITE_MAX_BYTES) " bytes, or ends inside a "
									 "pair of samples");
	if (audio->on && audio->current == id && n > 0)
		audio->ops->write(audio->user, data, n);
	return true;
}

/* Which of them a direction has, its introspection says. */
static const struct {
	const char *name;
	bool (*call)(struct dbus_audio *audio, GVariant *arguments);
} methods[] = {
	{ "Init", call_init },
	{ "Fini", call_fini },
	{ "SetEnabled", call_set_enabled },
	{ "SetVolume", call_set_volume },
	{ "Write", call_write },
};

static void on_method(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *method, GVariant *arguments,
	GDBusMethodInvocation *invocation, gpointer user)
{
	struct dbus_audio *audio = user;
	bool taken = false;
	for (unsigned i = 0; i < G_N_ELEMENTS(methods) && audio->ops; i++) {
		if (strcmp(methods[i].name, method) == 0)
			taken = methods[i].call(audio, arguments);
	}
	if (taken)
		g_dbus_method_invocation_return_value(invocation, NULL);
	else
		g_dbus_method_invocation_return_dbus_error(
			invocation, "org.qemu.Display1.Error.Invalid", "refused");
}

static GVariant *on_property(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *property, GError **error, gpointer user)
{
	return g_variant_new_strv(NULL, 0);
}

/* ---- what QEMU reads ---- */

static GVariant *read_microphone(struct microphone *microphone, uint64_t size_bytes)
{
	size_t n = MIN(size_bytes, DBUS_AUDIO_WRITE_MAX_BYTES) / SAMPLE_PAIR_BYTES;
	g_autofree uint32_t *pairs = g_new(uint32_t, n);
	n = microphone_read(microphone, pairs, n, g_get_monotonic_time());
	return g_variant_new("(@ay)", g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, pairs,
					      n * SAMPLE_PAIR_BYTES, sizeof(uint8_t)));
}

/*
 * Answers Read on GDBus's thread. QEMU's machine stands still until it has the answer, so it does
 * not come by the main loop, which may be held up. Of several streams the one that is on records.
 */
static GDBusMessage *on_message(
	GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user)
{
	guint64 id, size_bytes;
	GVariant *body = g_dbus_message_get_body(message);
	if (!incoming ||
		g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL ||
		g_strcmp0(g_dbus_message_get_member(message), "Read") != 0 || !body ||
		!g_variant_is_of_type(body, G_VARIANT_TYPE("(tt)")))
		return message;
	g_variant_get(body, "(tt)", &id, &size_bytes);
	g_autoptr(GDBusMessage) answer = g_dbus_message_new_method_reply(message);
	g_dbus_message_set_body(answer, read_microphone(user, size_bytes));
	g_dbus_connection_send_message(
		connection, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
	g_object_unref(message);
	return NULL;
}

static void unref_microphone(gpointer microphone)
{
	microphone_unref(microphone);
}

/* ---- connection ---- */

static void drop_listener(struct dbus_audio *audio)
{
	if (!audio->listener)
		return;
	g_signal_handlers_disconnect_by_data(audio->listener, audio);
	if (audio->object > 0)
		g_dbus_connection_unregister_object(audio->listener, audio->object);
	g_dbus_connection_close(audio->listener, NULL, NULL, NULL);
	g_clear_object(&audio->listener);
}

static gboolean on_tell(gpointer user)
{
	struct dbus_audio *audio = user;
	audio->tell_source = 0;
	g_warning("qemu: " NONE_SAID, audio->direction->what, "its connection has ended");
	return G_SOURCE_REMOVE;
}

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer user)
{
	struct dbus_audio *audio = user;
	if (error && audio->tell_source == 0)
		audio->tell_source = g_timeout_add(TELL_MS, on_tell, audio);
	turn_off(audio);
	drop_listener(audio);
}

static void export_listener(struct dbus_audio *audio)
{
	static const GDBusInterfaceVTable table = { on_method, on_property, NULL, { 0 } };
	g_autoptr(GDBusNodeInfo) node =
		g_dbus_node_info_new_for_xml(audio->direction->introspection, NULL);
	g_autoptr(GError) error = NULL;
	audio->object = g_dbus_connection_register_object(audio->listener, audio->direction->path,
		node->interfaces[0], &table, audio, NULL, &error);
	if (audio->object == 0)
		g_warning("qemu: " NONE_SAID, audio->direction->what, error->message);
	if (audio->microphone)
		g_dbus_connection_add_filter(audio->listener, on_message,
			microphone_ref(audio->microphone), unref_microphone);
	g_dbus_connection_set_exit_on_close(audio->listener, FALSE);
	g_signal_connect(audio->listener, "closed", G_CALLBACK(on_closed), audio);
	g_dbus_connection_start_message_processing(audio->listener);
}

static void on_listener(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_audio *audio = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) listener = g_dbus_connection_new_finish(result, &error);
	if (audio->ops && listener) {
		audio->listener = g_steal_pointer(&listener);
		export_listener(audio);
	} else if (audio->ops) {
		g_warning("qemu: " NONE_SAID, audio->direction->what, error->message);
	}
	unref(audio);
}

static void on_registered(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_audio *audio = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer = g_dbus_connection_call_with_unix_fd_list_finish(
		G_DBUS_CONNECTION(source), NULL, result, &error);
	g_autoptr(GSocket) socket =
		answer && audio->ops ? g_socket_new_from_fd(audio->fd, &error) : NULL;
	if (!socket) {
		/* A machine without a sound card is no fault. */
		if (audio->ops && g_dbus_error_is_remote_error(error))
			g_info("qemu: no %s: %s", audio->direction->what, error->message);
		else if (audio->ops)
			g_warning("qemu: " NONE_SAID, audio->direction->what, error->message);
		close(audio->fd);
		unref(audio);
		return;
	}
	g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
	g_dbus_connection_new(G_IO_STREAM(stream), NULL,
		G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
			G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
		NULL, audio->cancel, on_listener, audio);
}

static struct dbus_audio *create(GDBusConnection *connection, const struct direction *direction,
	const struct dbus_audio_ops *ops, void *user)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		g_warning("qemu: " NONE_SAID, direction->what, g_strerror(errno));
		return NULL;
	}
	struct dbus_audio *audio = g_new0(struct dbus_audio, 1);
	audio->refs = 2;
	audio->direction = direction;
	audio->ops = ops;
	audio->user = user;
	audio->cancel = g_cancellable_new();
	audio->fd = ends[0];
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new_from_array(&ends[1], 1);
	g_dbus_connection_call_with_unix_fd_list(connection, NULL, AUDIO_PATH, AUDIO_INTERFACE,
		direction->register_method, g_variant_new("(h)", 0), NULL,
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, fds, audio->cancel, on_registered, audio);
	return audio;
}

struct dbus_audio *dbus_audio_create(
	GDBusConnection *connection, const struct dbus_audio_ops *ops, void *user)
{
	return create(connection, &outward, ops, user);
}

struct dbus_audio *dbus_audio_create_microphone(GDBusConnection *connection,
	struct microphone *microphone, const struct dbus_audio_ops *ops, void *user)
{
	struct dbus_audio *audio = create(connection, &inward, ops, user);
	if (audio)
		audio->microphone = microphone_ref(microphone);
	return audio;
}

void dbus_audio_destroy(struct dbus_audio *audio)
{
	if (!audio)
		return;
	turn_off(audio);
	g_clear_handle_id(&audio->tell_source, g_source_remove);
	audio->ops = NULL;
	g_cancellable_cancel(audio->cancel);
	drop_listener(audio);
	unref(audio);
}
