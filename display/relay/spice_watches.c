/* SPDX-License-Identifier: MIT */
#include "display/relay/spice_watches.h"

#include <glib.h>
#include <spice/enums.h>
#include <string.h>

/* Bodies are laid out as in spice.proto: packed, little-endian. */
struct main_init {
	uint32_t session_id;
	uint32_t display_channels_hint;
	uint32_t supported_mouse_modes;
	uint32_t current_mouse_mode;
	uint32_t agent_connected;
	uint32_t agent_tokens;
	uint32_t multi_media_time;
	uint32_t ram_hint;
};

struct stream_report {
	uint32_t stream_id;
	uint32_t unique_id;
	uint32_t start_frame_mm_time;
	uint32_t end_frame_mm_time;
	uint32_t num_frames;
	uint32_t num_drops;
	int32_t last_frame_delay;
	uint32_t audio_delay;
};

struct playback_start {
	uint32_t channels;
	uint16_t format;
	uint32_t frequency;
	uint32_t time;
} __attribute__((packed));

static struct session *session_of(void *user)
{
	const struct spice_watched *watched = user;
	return watched->session;
}

static void on_init(void *user, uint8_t *body, size_t size_bytes)
{
	struct main_init init;
	memcpy(&init, body, sizeof(init));
	init.multi_media_time =
		session_init(session_of(user), init.session_id, init.multi_media_time);
	memcpy(body, &init, sizeof(init));
}

static void on_time(void *user, uint8_t *body, size_t size_bytes)
{
	uint32_t time_ms;
	memcpy(&time_ms, body, sizeof(time_ms));
	time_ms = session_time(session_of(user), time_ms);
	memcpy(body, &time_ms, sizeof(time_ms));
}

static void on_report(void *user, uint8_t *body, size_t size_bytes)
{
	struct stream_report wire;
	memcpy(&wire, body, sizeof(wire));
	struct session_report report = { wire.num_frames, wire.num_drops, wire.last_frame_delay };
	session_report(session_of(user), &report);
	wire.num_drops = report.n_late;
	wire.last_frame_delay = report.left_ms;
	memcpy(body, &wire, sizeof(wire));
}

static void on_stream_create(void *user, uint8_t *body, size_t size_bytes)
{
	struct spice_watched *watched = user;
	watched->n_streams++;
	session_streams(watched->session, 1);
}

static void on_stream_destroy(void *user, uint8_t *body, size_t size_bytes)
{
	struct spice_watched *watched = user;
	if (watched->n_streams == 0)
		return;
	watched->n_streams--;
	session_streams(watched->session, -1);
}

static void on_stream_destroy_all(void *user, uint8_t *body, size_t size_bytes)
{
	struct spice_watched *watched = user;
	session_streams(watched->session, -(int)watched->n_streams);
	watched->n_streams = 0;
}

static void on_compression(void *user, uint8_t *body, size_t size_bytes)
{
	struct spice_watched *watched = user;
	watched->chooses = true;
	if (body[0] == SPICE_IMAGE_COMPRESSION_GLZ)
		body[0] = SPICE_IMAGE_COMPRESSION_LZ;
	else if (body[0] == SPICE_IMAGE_COMPRESSION_AUTO_GLZ)
		body[0] = SPICE_IMAGE_COMPRESSION_AUTO_LZ;
}

static void set_plays(struct spice_watched *watched, bool plays)
{
	if (watched->plays != plays)
		session_playback(watched->session, plays);
	watched->plays = plays;
}

static void on_playback_start(void *user, uint8_t *body, size_t size_bytes)
{
	struct playback_start start;
	set_plays(user, true);
	memcpy(&start, body, sizeof(start));
	start.time = session_sound_start(session_of(user), start.time);
	memcpy(body, &start, sizeof(start));
}

/* Only the time at the beginning is changed: the sound itself follows it. */
static void on_playback_data(void *user, uint8_t *body, size_t size_bytes)
{
	uint32_t time_ms;
	memcpy(&time_ms, body, sizeof(time_ms));
	time_ms = session_sound_time(session_of(user), time_ms);
	memcpy(body, &time_ms, sizeof(time_ms));
}

static void on_playback_stop(void *user, uint8_t *body, size_t size_bytes)
{
	set_plays(user, false);
}

void spice_watched_finish(struct spice_watched *watched)
{
	if (!watched->session)
		return;
	on_stream_destroy_all(watched, NULL, 0);
	set_plays(watched, false);
	g_clear_pointer(&watched->session, session_unref);
}

static void on_latency(void *user, uint8_t *body, size_t size_bytes)
{
	uint32_t latency_ms;
	memcpy(&latency_ms, body, sizeof(latency_ms));
	latency_ms = session_latency(session_of(user), latency_ms);
	memcpy(body, &latency_ms, sizeof(latency_ms));
}

static void on_touch(void *user, uint8_t *body, size_t size_bytes)
{
	session_touch(session_of(user));
}

#define FROM(side, channel, type, size, shown)                                                     \
	{                                                                                          \
		SPICE_LINK_CHANNEL_##channel, SPICE_TALK_##side, type, size, shown                 \
	}

const struct spice_talk_watch spice_watches[] = {
	FROM(SERVER, MAIN, SPICE_MSG_MAIN_INIT, sizeof(struct main_init), on_init),
	FROM(SERVER, MAIN, SPICE_MSG_MAIN_MULTI_MEDIA_TIME, 4, on_time),
	FROM(CLIENT, DISPLAY, SPICE_MSGC_DISPLAY_STREAM_REPORT, sizeof(struct stream_report),
		on_report),
	FROM(CLIENT, DISPLAY, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, 1, on_compression),
	FROM(SERVER, DISPLAY, SPICE_MSG_DISPLAY_STREAM_CREATE, 0, on_stream_create),
	FROM(SERVER, DISPLAY, SPICE_MSG_DISPLAY_STREAM_DESTROY, 0, on_stream_destroy),
	FROM(SERVER, DISPLAY, SPICE_MSG_DISPLAY_STREAM_DESTROY_ALL, 0, on_stream_destroy_all),
	FROM(SERVER, PLAYBACK, SPICE_MSG_PLAYBACK_START, sizeof(struct playback_start),
		on_playback_start),
	FROM(SERVER, PLAYBACK, SPICE_MSG_PLAYBACK_DATA, 4, on_playback_data),
	FROM(SERVER, PLAYBACK, SPICE_MSG_PLAYBACK_STOP, 0, on_playback_stop),
	FROM(SERVER, PLAYBACK, SPICE_MSG_PLAYBACK_LATENCY, 4, on_latency),
	FROM(CLIENT, INPUTS, SPICE_MSGC_INPUTS_KEY_DOWN, 0, on_touch),
	FROM(CLIENT, INPUTS, SPICE_MSGC_INPUTS_KEY_UP, 0, on_touch),
	FROM(CLIENT, INPUTS, SPICE_MSGC_INPUTS_KEY_SCANCODE, 0, on_touch),
	FROM(CLIENT, INPUTS, SPICE_MSGC_INPUTS_MOUSE_MOTION, 0, on_touch),
	FROM(CLIENT, INPUTS, SPICE_MSGC_INPUTS_MOUSE_POSITION, 0, on_touch),
	FROM(CLIENT, INPUTS, SPICE_MSGC_INPUTS_MOUSE_PRESS, 0, on_touch),
	FROM(CLIENT, INPUTS, SPICE_MSGC_INPUTS_MOUSE_RELEASE, 0, on_touch),
	FROM(CLIENT, MAIN, SPICE_MSGC_MAIN_AGENT_DATA, 0, on_touch),
};
const unsigned spice_watches_length = G_N_ELEMENTS(spice_watches);

/*
 * The body is an enum8 in spice.proto. Every spice-server that we are built for takes it, by
 * SPICE_DISPLAY_CAP_PREF_COMPRESSION.
 */
size_t spice_watches_make_compression(
	const struct spice_talk *talk, bool small, uint8_t *bytes, size_t size_bytes)
{
	uint8_t body = small ? SPICE_IMAGE_COMPRESSION_AUTO_LZ : SPICE_IMAGE_COMPRESSION_LZ4;
	return spice_talk_make(talk, SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION, &body, sizeof(body),
		bytes, size_bytes);
}

size_t spice_watches_make_time(
	const struct spice_talk *talk, uint32_t time_ms, uint8_t *bytes, size_t size_bytes)
{
	return spice_talk_make(talk, SPICE_MSG_MAIN_MULTI_MEDIA_TIME, &time_ms, sizeof(time_ms),
		bytes, size_bytes);
}

/*
 * Its body stands in spice.proto, too: ports without and with TLS, then two texts, each by its
 * length and its place in the body. Without the second one, a certificate's subject, its length is
 * 0.
 */
size_t spice_watches_make_switch(const struct spice_talk *talk,
	const struct spice_watches_place *place, uint8_t *bytes, size_t size_bytes)
{
	struct __attribute__((packed)) {
		uint16_t port, tls_port;
		uint32_t host_bytes, host_at, subject_bytes, subject_at;
		char texts[SWITCH_HOST_BYTES_MAX + 1 + SWITCH_SUBJECT_BYTES_MAX + 1];
	} body = { .port = place->port,
		.tls_port = place->tls_port,
		.host_at = offsetof(typeof(body), texts) };
	G_STATIC_ASSERT(sizeof(place->host) <= SWITCH_HOST_BYTES_MAX + 1);
	body.host_bytes = (uint32_t)strlen(place->host) + 1;
	memcpy(body.texts, place->host, body.host_bytes);
	if (place->subject) {
		body.subject_at = body.host_at + body.host_bytes;
		body.subject_bytes = (uint32_t)strlen(place->subject) + 1;
		if (body.subject_bytes > SWITCH_SUBJECT_BYTES_MAX + 1)
			return 0;
		memcpy(body.texts + body.host_bytes, place->subject, body.subject_bytes);
	}
	return spice_talk_make(talk, SPICE_MSG_MAIN_MIGRATE_SWITCH_HOST, &body,
		body.host_at + body.host_bytes + body.subject_bytes, bytes, size_bytes);
}

/* Its body is not in spice/protocol.h: it stands in spice.proto. The words end with a NUL, which is
 * not counted. */
size_t spice_watches_make_notice(
	const struct spice_talk *talk, const char *words, uint8_t *bytes, size_t size_bytes)
{
	struct __attribute__((packed)) {
		uint64_t time_ns;
		uint32_t severity, visibility, what, message_bytes;
		char message[NOTICE_BYTES_MAX + 1];
	} body = {
		.severity = SPICE_NOTIFY_SEVERITY_WARN,
		.visibility = SPICE_NOTIFY_VISIBILITY_HIGH,
		.what = SPICE_WARN_GENERAL,
	};
	size_t length = MIN(strlen(words), NOTICE_BYTES_MAX);
	memcpy(body.message, words, length);
	body.message_bytes = (uint32_t)length;
	return spice_talk_make(talk, SPICE_MSG_NOTIFY, &body,
		offsetof(typeof(body), message) + length + 1, bytes, size_bytes);
}
