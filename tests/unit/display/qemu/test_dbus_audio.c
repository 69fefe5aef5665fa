/* SPDX-License-Identifier: MIT */
/* dbus_audio: tests it against a QEMU that the test plays on the other end of two socket pairs. */
#include "display/qemu/dbus_audio.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <sys/socket.h>

#include "display/qemu/limits.h"
#include "display/qemu/microphone.h"

#define AUDIO "org.qemu.Display1.Audio"
#define LISTENER "org.qemu.Display1.AudioOutListener"
#define IN_LISTENER "org.qemu.Display1.AudioInListener"

static const char xml[] = "<node><interface name='" AUDIO "'>"
			  " <method name='RegisterOutListener'>"
			  "  <arg type='h' direction='in'/></method>"
			  " <method name='RegisterInListener'>"
			  "  <arg type='h' direction='in'/></method></interface></node>";

struct room {
	GDBusConnection *display; /* display's end of QEMU's display connection */
	struct dbus_audio *audio;
	struct microphone *microphone; /* NULL: it is of sound */
	GString *heard;                /* what `audio` called back with */
	/* These are QEMU's. */
	GDBusConnection *qemu;
	GDBusConnection *listener; /* QEMU's end */
};

/* ---- what `audio` says ---- */

static void on_start(void *user, uint32_t rate_hz)
{
	g_string_append_printf(((struct room *)user)->heard, "start %u;", rate_hz);
}

static void on_write(void *user, const void *data, size_t size_bytes)
{
	g_string_append_printf(((struct room *)user)->heard, "write %zu of %u;", size_bytes,
		*(const uint8_t *)data);
}

static void on_stop(void *user)
{
	g_string_append(((struct room *)user)->heard, "stop;");
}

static void on_volume(void *user, bool mute, uint16_t left, uint16_t right)
{
	g_string_append_printf(((struct room *)user)->heard, "volume %d %u %u;", mute, left, right);
}

static const struct dbus_audio_ops ops = {
	.start = on_start,
	.write = on_write,
	.stop = on_stop,
	.volume = on_volume,
};

static void expect_heard(struct room *room, const char *heard)
{
	g_assert_cmpstr(room->heard->str, ==, heard);
	g_string_truncate(room->heard, 0);
}

/* ---- QEMU ---- */

#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		gint64 end_us = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;                       \
		while (!(condition)) {                                                             \
			g_assert_cmpint(g_get_monotonic_time(), <, end_us);                        \
			g_main_context_iteration(NULL, FALSE);                                     \
		}                                                                                  \
	} while (0)

static void on_connection(GObject *source, GAsyncResult *result, gpointer user)
{
	/* Sets NULL when the other side has left meanwhile. */
	*(GDBusConnection **)user = g_dbus_connection_new_finish(result, NULL);
}

static void speak_dbus(int fd, bool server, GDBusConnection **connection)
{
	g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
	g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
	g_autofree char *guid = g_dbus_generate_guid();
	g_dbus_connection_new(G_IO_STREAM(stream), server ? guid : NULL,
		server ? G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER :
			 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
		NULL, NULL, on_connection, connection);
}

static void on_register(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *method, GVariant *parameters,
	GDBusMethodInvocation *invocation, gpointer user)
{
	struct room *room = user;
	GUnixFDList *fds =
		g_dbus_message_get_unix_fd_list(g_dbus_method_invocation_get_message(invocation));
	g_assert_nonnull(fds);
	g_assert_cmpstr(
		method, ==, room->microphone ? "RegisterInListener" : "RegisterOutListener");
	speak_dbus(g_unix_fd_list_get(fds, 0, NULL), true, &room->listener);
	g_dbus_method_invocation_return_value(invocation, NULL);
}

static const struct dbus_audio_ops microphone_ops = {
	.start = on_start,
	.stop = on_stop,
	.volume = on_volume,
};

static void open_display(struct room *room, bool with_sound, bool is_microphone)
{
	static const GDBusInterfaceVTable table = { on_register, NULL, NULL, { 0 } };
	int fds[2];
	*room = (struct room){ .heard = g_string_new(NULL) };
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	speak_dbus(fds[0], true, &room->qemu);
	speak_dbus(fds[1], false, &room->display);
	WAIT_FOR(room->qemu && room->display);
	g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(xml, NULL);
	if (with_sound)
		g_assert_cmpuint(
			g_dbus_connection_register_object(room->qemu, "/org/qemu/Display1/Audio",
				node->interfaces[0], &table, room, NULL, NULL),
			>, 0);
	if (is_microphone)
		room->microphone = microphone_create();
	room->audio = is_microphone ? dbus_audio_create_microphone(room->display, room->microphone,
					      &microphone_ops, room) :
				      dbus_audio_create(room->display, &ops, room);
	g_assert_nonnull(room->audio);
}

/* Opens a display whose listener answers. */
static void open_room(struct room *room)
{
	open_display(room, true, false);
	WAIT_FOR(room->listener);
}

static void open_microphone(struct room *room)
{
	open_display(room, true, true);
	WAIT_FOR(room->listener);
}

static void close_connection(GDBusConnection **connection)
{
	if (*connection)
		g_dbus_connection_close_sync(*connection, NULL, NULL);
	g_clear_object(connection);
}

static void close_room(struct room *room)
{
	g_clear_pointer(&room->audio, dbus_audio_destroy);
	for (unsigned i = 0; i < 20; i++)
		g_main_context_iteration(NULL, FALSE);
	close_connection(&room->listener);
	close_connection(&room->display);
	close_connection(&room->qemu);
	g_clear_pointer(&room->microphone, microphone_unref);
	g_string_free(room->heard, TRUE);
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer user)
{
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
	*(int *)user = answer ? 1 : 0;
}

/* Returns true when display took the call. */
static bool call(struct room *room, const char *method, GVariant *parameters)
{
	int taken = -1;
	bool in = room->microphone != NULL;
	g_dbus_connection_call(room->listener, NULL,
		in ? "/org/qemu/Display1/AudioInListener" : "/org/qemu/Display1/AudioOutListener",
		in ? IN_LISTENER : LISTENER, method, parameters, NULL, G_DBUS_CALL_FLAGS_NONE, -1,
		NULL, on_answer, &taken);
	WAIT_FOR(taken >= 0);
	return taken == 1;
}

static bool init(struct room *room, guint64 id, guint32 rate_hz)
{
	bool big_endian = G_BYTE_ORDER == G_BIG_ENDIAN;
	return call(room, "Init",
		g_variant_new("(tybbuyuub)", id, 16, TRUE, FALSE, rate_hz, 2, 4, rate_hz * 4,
			big_endian));
}

static bool enable(struct room *room, guint64 id, bool enabled)
{
	return call(room, "SetEnabled", g_variant_new("(tb)", id, enabled));
}

static bool write_bytes(struct room *room, guint64 id, size_t size_bytes)
{
	g_autofree uint8_t *bytes = g_malloc(MAX(size_bytes, 1));
	memset(bytes, 7, size_bytes);
	return call(room, "Write",
		g_variant_new("(t@ay)", id,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, size_bytes, 1)));
}

static bool set_volume(struct room *room, guint64 id, bool mute, const char *levels, size_t n)
{
	return call(room, "SetVolume",
		g_variant_new("(tb@ay)", id, mute,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, levels, n, 1)));
}

/* Expects a warning. A connection's first refusal is logged, and no other. */
static void expect_warning(const char *pattern)
{
	g_test_expect_message("vitrine-display", G_LOG_LEVEL_WARNING, pattern);
}

/* ---- cases ---- */

static void test_one_stream(void)
{
	struct room room;
	open_room(&room);
	g_assert_true(init(&room, 1, 48000));
	g_assert_true(write_bytes(&room, 1, 1920));
	expect_heard(&room, "");
	g_assert_true(enable(&room, 1, true));
	g_assert_true(write_bytes(&room, 1, 1920));
	g_assert_true(write_bytes(&room, 1, 0));
	g_assert_true(enable(&room, 1, false));
	g_assert_true(write_bytes(&room, 1, 1920));
	expect_heard(&room, "start 48000;write 1920 of 7;stop;");
	g_assert_true(call(&room, "Fini", g_variant_new("(t)", (guint64)1)));
	expect_heard(&room, "");
	g_assert_false(enable(&room, 1, true));
	close_room(&room);
}

static void test_the_last_one_enabled_is_heard(void)
{
	struct room room;
	open_room(&room);
	g_assert_true(init(&room, 1, 48000));
	g_assert_true(init(&room, 2, 44100));
	g_assert_true(enable(&room, 1, true));
	g_assert_true(enable(&room, 2, true));
	g_assert_true(write_bytes(&room, 1, 4));
	g_assert_true(write_bytes(&room, 2, 8));
	expect_heard(&room, "start 48000;stop;start 44100;write 8 of 7;");
	/* What ends one stream does not change the other. */
	g_assert_true(enable(&room, 1, false));
	g_assert_true(call(&room, "Fini", g_variant_new("(t)", (guint64)1)));
	expect_heard(&room, "");
	g_assert_true(call(&room, "Fini", g_variant_new("(t)", (guint64)2)));
	expect_heard(&room, "stop;");
	close_room(&room);
}

static void test_formats_that_are_refused(void)
{
	const bool big = G_BYTE_ORDER == G_BIG_ENDIAN;
	static const char pattern[] = "*16-bit stereo*";
	const struct {
		unsigned bits, is_signed, is_float, rate_hz, channels, big_endian;
		const char *warning;
	} cases[] = {
		{ 8, 1, 0, 48000, 2, big, pattern },
		{ 16, 0, 0, 48000, 2, big, pattern },
		{ 32, 1, 1, 48000, 2, big, pattern },
		{ 16, 1, 0, 48000, 1, big, pattern },
		{ 16, 1, 0, 48000, 2, !big, pattern },
		{ 16, 1, 0, DBUS_AUDIO_RATE_MIN_HZ - 1, 2, big, "*8000*" },
		{ 16, 1, 0, DBUS_AUDIO_RATE_MAX_HZ + 1, 2, big, "*96000*" },
		{ 16, 1, 0, 0, 2, big, "*8000*" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct room room;
		open_room(&room);
		expect_warning(cases[i].warning);
		g_assert_false(call(&room, "Init",
			g_variant_new("(tybbuyuub)", (guint64)1, cases[i].bits, cases[i].is_signed,
				cases[i].is_float, cases[i].rate_hz, cases[i].channels, 4, 192000,
				cases[i].big_endian)));
		g_test_assert_expected_messages();
		g_assert_false(enable(&room, 1, true));
		expect_heard(&room, "");
		close_room(&room);
	}
}

static void test_rates_at_the_bounds(void)
{
	struct room room;
	open_room(&room);
	g_assert_true(init(&room, 1, DBUS_AUDIO_RATE_MIN_HZ));
	g_assert_true(init(&room, 2, DBUS_AUDIO_RATE_MAX_HZ));
	close_room(&room);
}

static void test_as_many_streams_as_there_is_room(void)
{
	struct room room;
	open_room(&room);
	for (guint64 id = 0; id < DBUS_AUDIO_STREAMS_MAX; id++)
		g_assert_true(init(&room, id, 48000));
	g_assert_true(init(&room, 0, 44100)); /* one that is known begins anew */
	expect_warning("*more than 8 streams*");
	g_assert_false(init(&room, DBUS_AUDIO_STREAMS_MAX, 48000));
	g_test_assert_expected_messages();
	/* A second refusal says nothing, and a place that is free again is given. */
	g_assert_false(init(&room, DBUS_AUDIO_STREAMS_MAX, 48000));
	g_assert_true(call(&room, "Fini", g_variant_new("(t)", (guint64)3)));
	g_assert_true(init(&room, DBUS_AUDIO_STREAMS_MAX, 48000));
	close_room(&room);
}

static void test_writes_that_are_refused(void)
{
	static const size_t sizes[] = { DBUS_AUDIO_WRITE_MAX_BYTES + 4, 1, 1921 };
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct room room;
		open_room(&room);
		g_assert_true(init(&room, 1, 48000));
		g_assert_true(enable(&room, 1, true));
		expect_heard(&room, "start 48000;");
		expect_warning(
			"*a write is longer than 65536 bytes, or ends inside a pair of samples*");
		g_assert_false(write_bytes(&room, 1, sizes[i]));
		g_test_assert_expected_messages();
		expect_heard(&room, "");
		g_assert_true(write_bytes(&room, 1, DBUS_AUDIO_WRITE_MAX_BYTES));
		expect_heard(&room, "write 65536 of 7;");
		close_room(&room);
	}
}

static void test_volume(void)
{
	struct room room;
	open_room(&room);
	g_assert_false(set_volume(&room, 1, false, "\xff\xff", 2));
	g_assert_true(init(&room, 1, 48000));
	g_assert_true(set_volume(&room, 1, false, "\xff\x80", 2));
	g_assert_true(set_volume(&room, 1, true, "\x01", 1));
	g_assert_false(set_volume(&room, 1, true, "", 0));
	expect_heard(&room, "volume 0 65535 32896;volume 1 257 257;");
	close_room(&room);
}

/* GDBus itself refuses arguments of other types and methods that do not exist. */
static void test_nonsense(void)
{
	struct room room;
	open_room(&room);
	g_assert_false(call(&room, "Init", g_variant_new("(s)", "48000")));
	g_assert_false(call(&room, "Write", g_variant_new("(t)", (guint64)1)));
	g_assert_false(call(&room, "Record", NULL));
	g_assert_true(init(&room, 1, 48000));
	close_room(&room);
}

static void test_qemu_leaves(void)
{
	struct room room;
	open_room(&room);
	g_assert_true(init(&room, 1, 48000));
	g_assert_true(enable(&room, 1, true));
	expect_heard(&room, "start 48000;");
	close_connection(&room.listener);
	WAIT_FOR(room.heard->len > 0);
	expect_heard(&room, "stop;");
	close_room(&room);
}

static void test_the_owner_leaves(void)
{
	struct room room;
	open_room(&room);
	g_assert_true(init(&room, 1, 48000));
	g_assert_true(enable(&room, 1, true));
	expect_heard(&room, "start 48000;");
	g_clear_pointer(&room.audio, dbus_audio_destroy);
	expect_heard(&room, "stop;");
	g_assert_false(write_bytes(&room, 1, 4));
	expect_heard(&room, "");
	close_room(&room);
}

/*
 * The owner leaves at every step of the registration, from before the first message to when all is
 * there.
 */
static void test_the_owner_leaves_early(void)
{
	for (unsigned steps = 0; steps < 40; steps++) {
		struct room room;
		open_display(&room, true, steps % 2 == 1);
		for (unsigned i = 0; i < steps; i++) {
			g_main_context_iteration(NULL, FALSE);
			g_usleep(100);
		}
		g_clear_pointer(&room.audio, dbus_audio_destroy);
		g_usleep(1000);
		while (g_main_context_iteration(NULL, FALSE))
			continue;
		expect_heard(&room, "");
		close_room(&room);
	}
}

static void test_a_qemu_without_sound(void)
{
	struct room room;
	open_display(&room, false, false);
	for (unsigned i = 0; i < 50; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	g_assert_null(room.listener);
	expect_heard(&room, "");
	close_room(&room);
}

/* ---- the microphone ---- */

/*
 * Reads as QEMU does: it waits, and the main loop of display is not run meanwhile. Returns the
 * pairs of samples, or NULL when the call was refused.
 */
static GArray *read_pairs(struct room *room, GVariant *parameters)
{
	g_autoptr(GVariant) answer = g_dbus_connection_call_sync(room->listener, NULL,
		"/org/qemu/Display1/AudioInListener", IN_LISTENER, "Read", parameters,
		G_VARIANT_TYPE("(ay)"), G_DBUS_CALL_FLAGS_NONE, 5000, NULL, NULL);
	if (!answer)
		return NULL;
	g_autoptr(GVariant) bytes = g_variant_get_child_value(answer, 0);
	size_t n;
	const uint8_t *data = g_variant_get_fixed_array(bytes, &n, 1);
	g_assert_cmpuint(n % 4, ==, 0);
	GArray *pairs = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_array_append_vals(pairs, data, (guint)(n / 4));
	return pairs;
}

static void expect_read(struct room *room, guint64 size_bytes, const uint32_t *pairs, guint n)
{
	g_autoptr(GArray) got =
		read_pairs(room, g_variant_new("(tt)", (guint64)1, (guint64)size_bytes));
	g_assert_nonnull(got);
	g_assert_cmpuint(got->len, ==, n);
	for (guint i = 0; i < n; i++)
		g_assert_cmpuint(g_array_index(got, uint32_t, i), ==, pairs[i]);
}

static void test_microphone(void)
{
	static const uint32_t said[] = { 1, 2, 3, 4, 5 };
	struct room room;
	open_microphone(&room);
	g_assert_true(init(&room, 1, 48000));
	expect_read(&room, 1000, NULL, 0);
	g_assert_true(enable(&room, 1, true));
	expect_heard(&room, "start 48000;");
	microphone_start(room.microphone, 48000, g_get_monotonic_time());
	microphone_write(room.microphone, said, 5, g_get_monotonic_time());
	/* As much as is asked for, in whole pairs. */
	expect_read(&room, 11, said, 2);
	expect_read(&room, 3, NULL, 0);
	expect_read(&room, G_MAXUINT64, said + 2, 3);
	g_assert_true(set_volume(&room, 1, true, "\xff\x80", 2));
	g_assert_false(write_bytes(&room, 1, 4));
	g_assert_true(enable(&room, 1, false));
	expect_heard(&room, "volume 1 65535 32896;stop;");
	close_room(&room);
}

static void test_microphone_nonsense(void)
{
	struct room room;
	open_microphone(&room);
	g_assert_true(init(&room, 1, 48000));
	g_assert_false(call(&room, "Read", g_variant_new("(t)", (guint64)1)));
	g_assert_false(call(&room, "Read", NULL));
	g_assert_false(call(&room, "Read", g_variant_new("(ss)", "1", "2")));
	expect_read(&room, 4, NULL, 0);
	/* Who has left does not answer. */
	g_clear_pointer(&room.audio, dbus_audio_destroy);
	g_assert_null(read_pairs(&room, g_variant_new("(tt)", (guint64)1, (guint64)4)));
	close_room(&room);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dbus-audio/one-stream", test_one_stream);
	g_test_add_func("/dbus-audio/last-enabled", test_the_last_one_enabled_is_heard);
	g_test_add_func("/dbus-audio/formats-refused", test_formats_that_are_refused);
	g_test_add_func("/dbus-audio/rates-at-bounds", test_rates_at_the_bounds);
	g_test_add_func("/dbus-audio/streams-max", test_as_many_streams_as_there_is_room);
	g_test_add_func("/dbus-audio/writes-refused", test_writes_that_are_refused);
	g_test_add_func("/dbus-audio/volume", test_volume);
	g_test_add_func("/dbus-audio/nonsense", test_nonsense);
	g_test_add_func("/dbus-audio/qemu-leaves", test_qemu_leaves);
	g_test_add_func("/dbus-audio/owner-leaves", test_the_owner_leaves);
	g_test_add_func("/dbus-audio/owner-leaves-early", test_the_owner_leaves_early);
	g_test_add_func("/dbus-audio/microphone", test_microphone);
	g_test_add_func("/dbus-audio/microphone-nonsense", test_microphone_nonsense);
	g_test_add_func("/dbus-audio/no-sound", test_a_qemu_without_sound);
	return g_test_run();
}
