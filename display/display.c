/* SPDX-License-Identifier: MIT */
#include "display/display.h"

#include <glib.h>
#include <unistd.h>

#include "display/door/audience.h"
#include "display/door/arrivals.h"
#include "display/qemu/dbus_audio.h"
#include "display/qemu/dbus_display.h"
#include "display/heads/frame_receiver.h"
#include "display/qemu/inputs.h"
#include "display/keeper_end.h"
#include "display/line/line.h"
#include "display/line/line_stats.h"
#include "display/door/dmabuf_door.h"
#include "display/relay/relay.h"
#include "display/spice/screens.h"
#include "display/spice/spice_agent.h"
#include "display/spice/spice_core.h"
#include "display/spice/spice_inputs.h"
#include "display/spice/spice_playback.h"

struct display {
	void (*done)(void *user, bool fault);
	void *user;
	struct keeper_end *keeper;
	struct arrivals *clients;
	struct line *line;
	struct line_stats *line_stats;
	struct relay *relay;
	struct dmabuf_door *local;
	struct audience *audience;
	struct spice_core *core;
	struct screens *screens;
	struct inputs *inputs;
	struct spice_inputs *spice_inputs;
	struct spice_agent *agent;
	bool absolute;               /* the guest's pointer */
	struct frame_receiver *link; /* NULL: no renderer */
	struct dbus_display *dbus;   /* NULL: no QEMU */
	struct dbus_audio *audio;    /* NULL: no QEMU */
	struct spice_playback *playback;
};

/* Pointer. */

/* A tablet's positions do not say on which of several heads: the agent's do. */
static void update_pointer(struct display *display)
{
	inputs_set_absolute(display->inputs, display->absolute);
	spice_inputs_set_absolute(display->spice_inputs, display->absolute);
	spice_agent_set_pointer(
		display->agent, display->absolute && screens_count(display->screens) > 1);
}

/* Nothing changes while all is off. */
static void update_desktop(struct display *display)
{
	uint32_t width, height;
	int32_t x = 0, y = 0;
	if (!screens_desktop(display->screens, &width, &height))
		return;
	screens_to_desktop(display->screens, 0, &x, &y);
	spice_inputs_set_origin(display->spice_inputs, (uint32_t)x, (uint32_t)y);
	inputs_set_desktop(display->inputs, width, height);
	keeper_end_say_pointer_area(display->keeper, width, height);
}

static void on_agent_pointer(void *user, unsigned head, int32_t x, int32_t y)
{
	struct display *display = user;
	if (screens_to_desktop(display->screens, head, &x, &y))
		inputs_move_to(display->inputs, x, y);
}

static void on_agent_buttons(void *user, uint32_t buttons)
{
	struct display *display = user;
	inputs_set_buttons(display->inputs, buttons);
}

static void on_agent_wheel(void *user, int steps)
{
	struct display *display = user;
	inputs_wheel(display->inputs, steps);
}

static const struct spice_agent_ops spice_agent_ops = {
	.pointer = on_agent_pointer,
	.buttons = on_agent_buttons,
	.wheel = on_agent_wheel,
};

/* A client wants other monitors: render first, so that it has the answer when the guest asks. */
static void on_wanted(void *user, const struct frame_head_mode *heads, unsigned n_heads)
{
	struct display *display = user;
	if (display->link)
		frame_receiver_want_heads(display->link, heads, n_heads);
	for (unsigned i = 0; display->dbus && i < n_heads; i++) {
		const struct frame_head_mode *mode = &heads[i];
		bool on = mode->enabled;
		if (!on && !screens_is_open(display->screens, i))
			continue;
		g_info("client wants head %u: %ux%u", i, mode->width, mode->height);
		dbus_display_set_ui_info(display->dbus, i, (int32_t)MIN(mode->x, FRAME_SIZE_MAX),
			(int32_t)MIN(mode->y, FRAME_SIZE_MAX), on ? mode->width : 0,
			on ? mode->height : 0, mode->width_mm, mode->height_mm);
	}
}

/* Audience. */

static void on_client(void *user, int fd, enum keeper_listener_kind kind)
{
	struct display *display = user;
	if (kind == KEEPER_LISTENER_UNIX)
		dmabuf_door_arrive(display->local, fd, true);
	else
		relay_arrive(display->relay, fd, kind == KEEPER_LISTENER_TLS);
}

static void on_relay_arrived(void *user, int fd)
{
	struct display *display = user;
	dmabuf_door_arrive(display->local, fd, false);
}

static const struct relay_ops relay_ops = {
	.arrived = on_relay_arrived,
};

static void on_local_admit(void *user, int fd)
{
	struct display *display = user;
	audience_arrive(display->audience, fd, display->link && screens_is_on(display->screens, 0));
}

static void on_admit(void *user, int fd)
{
	struct display *display = user;
	/* A new surface would take a dma-buf's place. */
	if (!dmabuf_door_uses_dmabufs(display->local))
		screens_settle(display->screens);
	if (!spice_core_add_client(display->core, fd))
		dmabuf_door_forget(display->local, fd);
}

static void want_formats(struct display *display)
{
	bool use = dmabuf_door_uses_dmabufs(display->local);
	if (display->link)
		frame_receiver_want_formats(
			display->link, spice_gl_formats, use ? SPICE_GL_FORMATS : 0);
}

static void on_local_use(void *user, bool dmabufs)
{
	struct display *display = user;
	want_formats(display);
	screens_use_dmabufs(display->screens, dmabufs);
}

static const struct dmabuf_door_ops dmabuf_door_ops = {
	.admit = on_local_admit,
	.use = on_local_use,
};

static void on_dmabuf_stalled(void *user)
{
	struct display *display = user;
	dmabuf_door_stalled(display->local);
}

static void on_dmabufs_left(void *user)
{
	struct display *display = user;
	dmabuf_door_left(display->local);
}

static const struct spice_gl_ops spice_gl_ops = {
	.stalled = on_dmabuf_stalled,
	.left = on_dmabufs_left,
};

static void on_connection(void *user, int fd, const void *key, bool connected)
{
	struct display *display = user;
	if (!display->local)
		return;
	if (connected)
		dmabuf_door_connected(display->local, fd, key);
	else
		dmabuf_door_disconnected(display->local, key);
}

static void on_rates(void *user)
{
	struct display *display = user;
	bool watched = false;
	for (unsigned i = 0; display->core && i < FRAME_HEADS_MAX; i++) {
		uint32_t rate_mhz = audience_rate_mhz(display->audience, i);
		screens_set_watched(display->screens, i, rate_mhz > 0);
		if (display->link)
			frame_receiver_want_rate(display->link, i, rate_mhz);
		watched |= rate_mhz > 0;
	}
	line_stats_watch(display->line_stats, watched);
}

static const struct audience_ops audience_ops = {
	.admit = on_admit,
	.rates = on_rates,
};

static void on_channel(void *user, enum spice_core_channel channel, unsigned id, bool connected)
{
	struct display *display = user;
	if (channel == SPICE_CORE_MAIN)
		g_info("client %s", connected ? "connected" : "left");
	if (channel == SPICE_CORE_CURSOR && connected)
		screens_new_viewer(display->screens, id);
	bool opening = channel == SPICE_CORE_DISPLAY && id < FRAME_HEADS_MAX && connected;
	if (opening && display->link && screens_start_over(display->screens, id))
		frame_receiver_want_again(display->link, id);
	if (channel == SPICE_CORE_DISPLAY && id < FRAME_HEADS_MAX)
		audience_look(display->audience, id, connected);
	if (channel == SPICE_CORE_DISPLAY && connected)
		screens_new_display(display->screens, id);
	if (channel == SPICE_CORE_INPUTS && !connected)
		inputs_release_all(display->inputs);
}

static const struct spice_core_ops spice_core_ops = {
	.channel = on_channel,
	.connection = on_connection,
};

/* Frame link. */

static bool on_head_on(void *user, const struct frame_head_on *on)
{
	struct display *display = user;
	if (!screens_turn_on(display->screens, on, audience_looks(display->audience, on->head)))
		return false;
	update_pointer(display);
	update_desktop(display);
	return true;
}

static void on_head_off(void *user, unsigned head)
{
	struct display *display = user;
	if (screens_turn_off(display->screens, head))
		update_desktop(display);
}

static bool on_head_size(void *user, unsigned head, uint32_t *width, uint32_t *height)
{
	struct display *display = user;
	return screens_size(display->screens, head, width, height);
}

static bool on_frame(void *user, struct frame *frame, const struct frame_present *message)
{
	struct display *display = user;
	bool dmabuf = frame->dmabuf != NULL;
	if (!screens_show(display->screens, frame, message))
		return false;
	if (!dmabuf)
		dmabuf_door_frame_shown(display->local);
	audience_frame_shown(display->audience);
	return true;
}

static void on_cursor_image(void *user, const struct frame_cursor_image *image)
{
	struct display *display = user;
	screens_cursor_image(display->screens, image);
}

static void on_cursor_move(void *user, unsigned head, int32_t x, int32_t y)
{
	struct display *display = user;
	if (screens_cursor_move(display->screens, head, x, y) &&
		screens_to_desktop(display->screens, head, &x, &y))
		inputs_set_position(display->inputs, x, y);
}

static void on_cursor_hide(void *user, unsigned head)
{
	struct display *display = user;
	screens_cursor_hide(display->screens, head);
}

/* What was shown stays on the client's screen until another renderer brings more. */
static void close_frame_link(struct display *display)
{
	frame_receiver_close(g_steal_pointer(&display->link));
	screens_drop_frames(display->screens);
}

static void on_render_gone(void *user)
{
	struct display *display = user;
	g_message("render: the frame link is closed");
	close_frame_link(display);
}

static const struct frame_receiver_ops frame_receiver_ops = {
	.head_on = on_head_on,
	.head_off = on_head_off,
	.head_size = on_head_size,
	.frame = on_frame,
	.cursor_image = on_cursor_image,
	.cursor_move = on_cursor_move,
	.cursor_hide = on_cursor_hide,
	.gone = on_render_gone,
};

/* QEMU. */

static void on_inputs_queued(void *user)
{
	struct display *display = user;
	if (display->dbus)
		dbus_display_send_inputs(display->dbus);
}

static void on_sound_start(void *user, uint32_t rate)
{
	struct display *display = user;
	spice_playback_set_rate(display->playback, rate);
}

static void on_sound(void *user, const void *data, size_t size_bytes)
{
	struct display *display = user;
	spice_playback_write(display->playback, data, size_bytes);
}

static void on_sound_stop(void *user)
{
	struct display *display = user;
	spice_playback_stop(display->playback);
}

static void on_sound_volume(void *user, bool mute, uint16_t left, uint16_t right)
{
	struct display *display = user;
	spice_playback_set_volume(display->playback, mute, left, right);
}

static const struct dbus_audio_ops dbus_audio_ops = {
	.start = on_sound_start,
	.write = on_sound,
	.stop = on_sound_stop,
	.volume = on_sound_volume,
};

static void on_qemu_connected(void *user, GDBusConnection *connection)
{
	struct display *display = user;
	inputs_set_connected(display->inputs, connection != NULL);
	g_clear_pointer(&display->audio, dbus_audio_destroy);
	if (connection)
		display->audio = dbus_audio_create(connection, &dbus_audio_ops, display);
	else
		g_clear_pointer(&display->dbus, dbus_display_destroy);
}

static void on_qemu_absolute(void *user, bool absolute)
{
	struct display *display = user;
	display->absolute = absolute;
	update_pointer(display);
}

static void on_qemu_leds(void *user, uint32_t leds)
{
	struct display *display = user;
	spice_inputs_set_leds(display->spice_inputs, leds);
}

static const struct dbus_display_ops dbus_display_ops = {
	.connected = on_qemu_connected,
	.absolute = on_qemu_absolute,
	.leds = on_qemu_leds,
};

/* Keeper link. */

static bool on_ticket(void *user, const char *ticket)
{
	struct display *display = user;
	relay_set_password(display->relay, ticket[0] != '\0');
	return spice_core_set_ticket(display->core, ticket);
}

static bool on_listener(void *user, enum keeper_listener_kind kind, int fd)
{
	struct display *display = user;
	return arrivals_listen(display->clients, kind, fd);
}

/* A bad file is its owner's fault, not the keeper's: whoever comes with TLS is turned away. */
static bool on_certificate(void *user, int certificate_fd, int key_fd)
{
	struct display *display = user;
	g_autoptr(GError) error = NULL;
	struct tls_credentials *credentials =
		tls_credentials_create(certificate_fd, key_fd, &error);
	if (!credentials)
		g_warning("nobody can connect with TLS: %s", error->message);
	relay_set_credentials(display->relay, credentials);
	return true;
}

static bool on_frame_link(void *user, int fd)
{
	struct display *display = user;
	close_frame_link(display);
	display->link = frame_receiver_create(fd, &frame_receiver_ops, display);
	want_formats(display);
	on_rates(display);
	return true;
}

static bool on_dbus(void *user, int fd)
{
	struct display *display = user;
	inputs_set_connected(display->inputs, false);
	g_clear_pointer(&display->audio, dbus_audio_destroy);
	g_clear_pointer(&display->dbus, dbus_display_destroy);
	display->dbus = dbus_display_create(fd, display->inputs, &dbus_display_ops, display);
	return true;
}

static void on_keeper_gone(void *user, bool fault)
{
	struct display *display = user;
	display->done(display->user, fault);
}

static const struct keeper_end_ops keeper_end_ops = {
	.ticket = on_ticket,
	.listener = on_listener,
	.frame_link = on_frame_link,
	.certificate = on_certificate,
	.dbus = on_dbus,
	.gone = on_keeper_gone,
};

/* All heads go over one way: the slowest that is known. */
static uint64_t line_bps(void *user)
{
	struct display *display = user;
	struct line_figures figures;
	uint64_t bps = 0;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (line_get(display->line, i, &figures) && !figures.rate_is_floor &&
			figures.rate_bps && (bps == 0 || figures.rate_bps < bps))
			bps = figures.rate_bps;
	}
	return bps;
}

static void on_video(void *user)
{
	struct display *display = user;
	spice_core_set_codecs(display->core, video_codecs());
}

static bool start(struct display *display, const struct display_options *options)
{
	display->core = spice_core_create(options->name, &spice_core_ops, display);
	if (!display->core)
		return false;
	struct RedsState *server = spice_core_server(display->core);
	display->spice_inputs = spice_inputs_create(server, display->inputs);
	display->agent = spice_agent_create(server, &spice_agent_ops, display);
	display->screens = screens_create(server, display->line, on_wanted, &spice_gl_ops, display);
	display->playback = spice_playback_create(server);
	if (!display->spice_inputs || !display->agent || !display->screens || !display->playback)
		return false;
	video_set_line(line_bps, display);
	video_start(&options->video, on_video, display);
	return keeper_end_say_ready(display->keeper);
}

struct display *display_create(int keeper_fd, const struct display_options *options,
	void (*done)(void *user, bool fault), void *user)
{
	const struct relay_options relay_options = { .server_clock = options->server_clock };
	struct display *display = g_new0(struct display, 1);
	display->done = done;
	display->user = user;
	display->keeper = keeper_end_create(keeper_fd, &keeper_end_ops, display);
	display->clients = arrivals_create(on_client, display);
	display->line = line_create();
	display->line_stats = line_stats_create(display->line);
	display->relay = relay_create(&relay_options, display->line, &relay_ops, display);
	display->local = dmabuf_door_create(&dmabuf_door_ops, display);
	display->audience = audience_create(&audience_ops, display);
	display->inputs = inputs_create(on_inputs_queued, display);
	if (start(display, options))
		return display;
	display_destroy(display);
	return NULL;
}

/* spice-server calls back until it is gone: into inputs, heads and audience. */
void display_destroy(struct display *display)
{
	if (!display)
		return;
	video_stop();
	if (display->screens)
		close_frame_link(display);
	g_clear_pointer(&display->audio, dbus_audio_destroy);
	dbus_display_destroy(display->dbus);
	display->dbus = NULL;
	arrivals_destroy(display->clients);
	relay_destroy(display->relay);
	g_clear_pointer(&display->local, dmabuf_door_destroy);
	spice_core_destroy(g_steal_pointer(&display->core));
	spice_playback_destroy(display->playback);
	spice_inputs_destroy(display->spice_inputs);
	spice_agent_destroy(display->agent);
	screens_destroy(display->screens);
	audience_destroy(display->audience);
	dmabuf_door_destroy(display->local);
	video_set_line(NULL, NULL);
	line_stats_destroy(display->line_stats);
	line_destroy(display->line);
	inputs_destroy(display->inputs);
	keeper_end_destroy(display->keeper);
	g_free(display);
}
