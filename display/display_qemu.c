/* SPDX-License-Identifier: MIT */
#include "display/display_parts.h"
#include "protocol/guest_ports.h"

#include "protocol/flight_events.h"

void display_send_inputs(void *user)
{
	struct display *display = user;
	if (display->dbus)
		dbus_display_send_inputs(display->dbus);
}

static void on_sound_start(void *user, uint32_t rate)
{
	struct display *display = user;
	spice_playback_set_rate(display->playback, rate);
	lookers_set_rate(display->lookers, rate);
}

static void on_sound(void *user, const void *data, size_t size_bytes)
{
	struct display *display = user;
	spice_playback_write(display->playback, data, size_bytes);
	lookers_play(display->lookers, data, size_bytes);
}

static void on_sound_stop(void *user)
{
	struct display *display = user;
	spice_playback_stop(display->playback);
	lookers_stop_playing(display->lookers);
}

static void on_sound_volume(void *user, bool mute, uint16_t left, uint16_t right)
{
	struct display *display = user;
	spice_playback_set_volume(display->playback, mute, left, right);
	lookers_set_volume(display->lookers, mute, left, right);
}

static const struct dbus_audio_ops dbus_audio_ops = {
	.start = on_sound_start,
	.write = on_sound,
	.stop = on_sound_stop,
	.volume = on_sound_volume,
};

/* ---- the microphone ---- */

static void on_heard(void *user, const uint32_t *pairs, size_t n_pairs)
{
	const struct display *display = user;
	microphone_write(display->microphone, pairs, n_pairs, g_get_monotonic_time());
}

const struct spice_record_ops display_record_ops = { .heard = on_heard };

static void on_record_start(void *user, uint32_t rate_hz)
{
	struct display *display = user;
	microphone_start(display->microphone, rate_hz, g_get_monotonic_time());
	spice_record_start(display->record, rate_hz);
}

static void on_record_stop(void *user)
{
	struct display *display = user;
	spice_record_stop(display->record);
	microphone_stop(display->microphone);
}

static void on_record_volume(void *user, bool mute, uint16_t left, uint16_t right)
{
	struct display *display = user;
	spice_record_set_volume(display->record, mute, left, right);
}

static const struct dbus_audio_ops dbus_microphone_ops = {
	.start = on_record_start,
	.stop = on_record_stop,
	.volume = on_record_volume,
};

/* ---- the agent in the guest ---- */

static void on_agent_opened(void *user, bool is_open)
{
	struct display *display = user;
	spice_agent_guest_opened(display->agent, is_open);
}

static size_t on_agent_room(void *user)
{
	struct display *display = user;
	return spice_agent_guest_room(display->agent);
}

static void on_agent_received(void *user, const uint8_t *bytes, size_t n_bytes)
{
	struct display *display = user;
	spice_agent_guest_said(display->agent, bytes, n_bytes);
}

static void on_agent_writable(void *user)
{
	struct display *display = user;
	spice_agent_guest_writable(display->agent);
}

static const struct dbus_chardev_ops agent_port_ops = {
	.opened = on_agent_opened,
	.room = on_agent_room,
	.received = on_agent_received,
	.writable = on_agent_writable,
};

static void close_agent_port(struct display *display)
{
	if (!display->agent_port)
		return;
	dbus_chardev_want(display->agent_port, false);
	g_clear_pointer(&display->agent_port, dbus_chardev_destroy);
}

/* ---- the connection ---- */

void display_close_qemu(struct display *display)
{
	display_close_ports(display);
	close_agent_port(display);
	inputs_set_connected(display->inputs, false);
	g_clear_pointer(&display->audio, dbus_audio_destroy);
	g_clear_pointer(&display->audio_in, dbus_audio_destroy);
	g_clear_pointer(&display->dbus, dbus_display_destroy);
}

static void on_qemu_connected(void *user, GDBusConnection *connection)
{
	struct display *display = user;
	flight_note(FLIGHT_DBUS, connection != NULL, 0, 0);
	if (!connection) {
		display_close_qemu(display);
		return;
	}
	inputs_set_connected(display->inputs, true);
	g_assert(!display->audio);
	display->audio = dbus_audio_create(connection, &dbus_audio_ops, display);
	display->audio_in = dbus_audio_create_microphone(
		connection, display->microphone, &dbus_microphone_ops, display);
	display->agent_port =
		dbus_chardev_create(connection, GUEST_AGENT_PORT, NULL, &agent_port_ops, display);
	dbus_chardev_want(display->agent_port, true);
	display_open_ports(display, connection);
}

static void on_qemu_absolute(void *user, bool absolute)
{
	struct display *display = user;
	display->absolute = absolute;
	display_update_pointer(display);
}

static void on_qemu_leds(void *user, uint32_t leds)
{
	struct display *display = user;
	spice_inputs_set_leds(display->spice_inputs, leds);
}

static void on_qemu_heads(void *user, unsigned n_heads)
{
	display_set_heads(user, n_heads);
}

const struct dbus_display_ops display_dbus_ops = {
	.connected = on_qemu_connected,
	.absolute = on_qemu_absolute,
	.leds = on_qemu_leds,
	.heads = on_qemu_heads,
};
