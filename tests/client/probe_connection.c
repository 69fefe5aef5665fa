/* SPDX-License-Identifier: MIT */
/* spice-probe's session and channels: it connects, leaves, and watches the library's log. */
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/client/patience.h"
#include "tests/client/probe.h"

#define PRIMARY_GRACE_MS 1000

static int channel_id(SpiceChannel *channel)
{
	int id = 0;
	g_object_get(channel, "channel-id", &id, NULL);
	return id;
}

static void connection_fail(struct probe *probe, const char *reason)
{
	if (!probe->error)
		probe->error = g_strdup(reason);
}

static const char *event_reason(SpiceChannelEvent event)
{
	switch (event) {
	case SPICE_CHANNEL_CLOSED:
		return "closed by the server";
	case SPICE_CHANNEL_ERROR_CONNECT:
		return "cannot connect";
	case SPICE_CHANNEL_ERROR_TLS:
		return "TLS failed";
	case SPICE_CHANNEL_ERROR_LINK:
		return "link failed";
	case SPICE_CHANNEL_ERROR_AUTH:
		return "authentication failed";
	case SPICE_CHANNEL_ERROR_IO:
		return "connection lost";
	default:
		return NULL;
	}
}

static void forget_channels(struct probe *probe)
{
	display_detach_all(probe);
	cursor_detach(probe);
	sound_detach(probe);
	devices_detach(probe);
	speech_detach(probe);
	if (probe->inputs)
		g_signal_handlers_disconnect_by_data(probe->inputs, probe);
	g_clear_object(&probe->inputs);
	probe->inputs_opened = false;
	probe->button_state = 0;
}

static void main_event(SpiceChannel *channel, SpiceChannelEvent event, gpointer user)
{
	struct probe *probe = user;
	const char *reason = event_reason(event);

	if (event == SPICE_CHANNEL_OPENED)
		probe->main_opened = true;
	/* SPICE's host switch: the library connects again, and makes all but this one anew. */
	if (event == SPICE_CHANNEL_SWITCHING) {
		probe->main_opened = false;
		probe->switches++;
		forget_channels(probe);
	}
	if (reason) {
		probe->main_opened = false;
		connection_fail(probe, reason);
	}
}

static void inputs_event(SpiceChannel *channel, SpiceChannelEvent event, gpointer user)
{
	struct probe *probe = user;

	if (event == SPICE_CHANNEL_OPENED)
		probe->inputs_opened = true;
	else if (event_reason(event))
		probe->inputs_opened = false;
}

static void channel_new(SpiceSession *session, SpiceChannel *channel, gpointer user)
{
	struct probe *probe = user;

	if (session != probe->session)
		return;
	if (SPICE_IS_MAIN_CHANNEL(channel)) {
		probe->main = SPICE_MAIN_CHANNEL(g_object_ref(channel));
		agent_attach(probe);
		g_signal_connect(channel, "channel-event", G_CALLBACK(main_event), probe);
	} else if (SPICE_IS_DISPLAY_CHANNEL(channel)) {
		display_attach(probe, channel);
		watch_follow(probe);
		spice_channel_connect(channel);
	} else if (SPICE_IS_INPUTS_CHANNEL(channel) && !probe->inputs) {
		probe->inputs = SPICE_INPUTS_CHANNEL(g_object_ref(channel));
		g_signal_connect(channel, "channel-event", G_CALLBACK(inputs_event), probe);
		spice_channel_connect(channel);
	} else if (SPICE_IS_CURSOR_CHANNEL(channel)) {
		/* What is recorded is head 0's. */
		if (channel_id(channel) == 0 && !probe->cursor_channel)
			cursor_attach(probe, channel);
		spice_channel_connect(channel);
	} else if (SPICE_IS_PLAYBACK_CHANNEL(channel) && !probe->sound_channel) {
		sound_attach(probe, channel);
	} else if (SPICE_IS_RECORD_CHANNEL(channel) && !probe->speech_channel) {
		speech_attach(probe, channel);
	} else {
		devices_attach(probe, channel);
	}
}

static SpiceSession *session_new(struct probe *probe)
{
	const struct probe_options *options = &probe->options;
	SpiceSession *session = spice_session_new();

	g_object_set(session, "enable-usbredir", FALSE, "enable-smartcard", FALSE, NULL);
	if (options->unix_path)
		g_object_set(session, "unix-path", options->unix_path, NULL);
	else
		g_object_set(session, "uri", options->uri, NULL);
	if (options->ca_file)
		g_object_set(session, "ca-file", options->ca_file, NULL);
	if (options->username && options->username[0] != '\0')
		g_object_set(session, "username", options->username, NULL);
	if (options->password)
		g_object_set(session, "password", options->password, NULL);
	g_signal_connect(session, "channel-new", G_CALLBACK(channel_new), probe);
	if (options->audio)
		spice_audio_get(session, NULL);
	return session;
}

static bool connection_settled(void *user)
{
	struct probe *probe = user;
	bool displays = false;

	if (probe->error)
		return true;
	for (int i = 0; i < PROBE_DISPLAYS_MAX; i++) {
		if (probe->displays[i].channel && !probe->displays[i].opened)
			return false;
		displays |= probe->displays[i].opened;
	}
	return displays && probe->main_opened && probe->inputs_opened && probe->cursor_opened;
}

static bool connection_has_picture(void *user)
{
	struct probe *probe = user;

	for (int i = 0; i < PROBE_DISPLAYS_MAX; i++) {
		if (display_get(probe, i))
			return true;
	}
	return probe->error != NULL;
}

bool connection_open(struct probe *probe)
{
	connection_close(probe);
	g_clear_pointer(&probe->error, g_free);
	probe->session = session_new(probe);
	devices_prepare(probe);
	if (!spice_session_connect(probe->session))
		connection_fail(probe, "cannot connect: bad address");
	if (!probe_wait(patience_ms(probe->options.connect_timeout_ms), connection_settled, probe))
		connection_fail(probe, "no main, display, inputs and cursor channel in time");
	/*
	 * A server with no head on has no surface, so this wait may end in vain; the commands will
	 * notice.
	 */
	if (!probe->error)
		probe_wait(PRIMARY_GRACE_MS, connection_has_picture, probe);
	if (!probe->error)
		return true;
	g_autofree char *reason = g_strdup(probe->error);
	connection_close(probe);
	g_free(probe->error);
	probe->error = g_steal_pointer(&reason);
	return false;
}

void connection_close(struct probe *probe)
{
	if (!probe->session)
		return;
	forget_channels(probe);
	if (probe->main)
		g_signal_handlers_disconnect_by_data(probe->main, probe);
	g_signal_handlers_disconnect_by_data(probe->session, probe);
	spice_session_disconnect(probe->session);
	/* The channels' coroutines close their sockets from the main loop, so we let it run. */
	probe_wait(20, NULL, NULL);
	g_clear_object(&probe->main);
	g_clear_object(&probe->session);
	probe->main_opened = false;
	connection_fail(probe, "disconnected");
}

/* The kernel drops what comes for a socket whose filter wants none of it, before TCP sees it. */
static bool cut_socket(int fd)
{
	struct sock_filter nothing = { .code = BPF_RET | BPF_K, .k = 0 };
	const struct sock_fprog program = { .len = 1, .filter = &nothing };
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.ss_family == AF_INET &&
	       setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

unsigned connection_cut(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < PROBE_FDS_MAX; fd++)
		n += cut_socket(fd);
	return n;
}

bool connection_is_open(const struct probe *probe)
{
	return probe->session && probe->main_opened;
}

const char *connection_mouse_mode(const struct probe *probe)
{
	int mode = 0;

	if (probe->main)
		g_object_get(probe->main, "mouse-mode", &mode, NULL);
	return mode == SPICE_MOUSE_MODE_CLIENT ? "client" :
	       mode == SPICE_MOUSE_MODE_SERVER ? "server" :
						 "none";
}

struct log_watch {
	struct probe *probe;
	bool print;
};

/*
 * Tells the codec by the element that spice-client-glib's playbin plugs in. The library decodes
 * JPEG by itself.
 */
static void note_codec(struct probe *probe, const char *message)
{
	if (!strstr(message, "A new element was added"))
		return;
	if (strstr(message, "h264parse"))
		probe->codec = "h264";
	else if (strstr(message, "vp8dec") || strstr(message, "avdec_vp8"))
		probe->codec = "vp8";
}

/*
 * Counts streams by the debug log, since spice-client-glib has no signal for a stream that it
 * decodes itself.
 */
static void log_line(const char *domain, GLogLevelFlags level, const char *message, gpointer user)
{
	struct log_watch *watch = user;

	if ((level & G_LOG_LEVEL_DEBUG) && strstr(message, "display_handle_stream_create"))
		watch->probe->n_streams++;
	if (level & G_LOG_LEVEL_DEBUG)
		note_codec(watch->probe, message);
	if (watch->print ||
		(level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_FLAG_FATAL)))
		g_printerr("%s: %s\n", domain, message);
}

void connection_watch_log(struct probe *probe, bool print)
{
	static const char *const domains[] = { "GSpice", "Spice" };
	static struct log_watch watch;

	watch = (struct log_watch){ .probe = probe, .print = print };
	spice_util_set_debug(TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(domains); i++)
		g_log_set_handler(domains[i],
			G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION, log_line,
			&watch);
}
