/* SPDX-License-Identifier: MIT */
/* spice-probe's commands that drive the guest. probe_main.c says what they mean. */
#include <string.h>

#include "tests/client/probe_call.h"

static void run_move(struct call *call)
{
	inputs_move(call->probe, call_arg_int(call, 0, 0), call_arg_int(call, 1, 0),
		call_arg_int(call, 2, 0));
}

static void run_motion(struct call *call)
{
	inputs_motion(call->probe, call_arg_int(call, 0, 0), call_arg_int(call, 1, 0));
}

static int arg_button(struct call *call)
{
	static const char *const names[] = { "left", "middle", "right", "up", "down", "side",
		"extra" };

	if (call->n_args == 0)
		return SPICE_MOUSE_BUTTON_LEFT;
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(call->args[0], names[i]) == 0)
			return i + 1;
	}
	return call_arg_int(call, 0, 0);
}

static void run_click(struct call *call)
{
	int button = arg_button(call);

	if (call->error)
		return;
	inputs_button(call->probe, button, true);
	probe_wait(call->probe->options.key_interval_ms, NULL, NULL);
	inputs_button(call->probe, button, false);
}

static void run_button_press(struct call *call)
{
	int button = arg_button(call);

	if (!call->error)
		inputs_button(call->probe, button, true);
}

static void run_button_release(struct call *call)
{
	int button = arg_button(call);

	if (!call->error)
		inputs_button(call->probe, button, false);
}

static void run_wheel(struct call *call)
{
	int times = call_arg_int(call, 1, 1);

	for (int i = 0; i < times && !call->error; i++) {
		run_click(call);
		probe_wait(call->probe->options.key_interval_ms, NULL, NULL);
	}
}

static void run_key(struct call *call)
{
	for (unsigned i = 0; i < call->n_args && !call->error; i++) {
		if (!inputs_key(call->probe, call->args[i]))
			call_fail(call, "not a scan code: %s", call->args[i]);
	}
}

static void run_press(struct call *call)
{
	for (unsigned i = 0; i < call->n_args && !call->error; i++) {
		if (!inputs_press(call->probe, call->args[i], true))
			call_fail(call, "not a scan code: %s", call->args[i]);
	}
}

static void run_release(struct call *call)
{
	for (unsigned i = 0; i < call->n_args && !call->error; i++) {
		if (!inputs_press(call->probe, call->args[i], false))
			call_fail(call, "not a scan code: %s", call->args[i]);
	}
}

static void run_type(struct call *call)
{
	g_autofree char *text = g_strcompress(call->rest);

	if (!inputs_type(call->probe, text))
		call_fail(
			call, "a character without a key on a US keyboard, or the connection went");
}

static void run_monitors_config(struct call *call)
{
	int id = call_arg_int(call, 2, 0), agent = 0;

	spice_main_channel_update_display_enabled(call->probe->main, id, TRUE, FALSE);
	spice_main_channel_update_display(call->probe->main, id, 0, 0, call_arg_int(call, 0, 0),
		call_arg_int(call, 1, 0), FALSE);
	g_object_get(call->probe->main, "agent-connected", &agent, NULL);
	call_put_bool(call, "agent", agent);
	if (!agent)
		call_fail(call, "no agent: the library sends no size");
	else if (!spice_main_channel_send_monitor_config(call->probe->main))
		call_fail(call, "the library refused to send the size");
}

static void run_mouse_mode_request(struct call *call)
{
	bool client = strcmp(call->args[0], "client") == 0;

	spice_main_channel_request_mouse_mode(
		call->probe->main, client ? SPICE_MOUSE_MODE_CLIENT : SPICE_MOUSE_MODE_SERVER);
}

/* Asks the server for a compression, as a viewer does for --spice-preferred-compression. */
static void run_compression(struct call *call)
{
	static const char *const names[] = { "off", "auto_glz", "auto_lz", "quic", "glz", "lz",
		"lz4" };
	struct probe_display *display = call_arg_display(call, 1);

	for (unsigned i = 0; display && i < G_N_ELEMENTS(names); i++) {
		if (strcmp(call->args[0], names[i]) != 0)
			continue;
		spice_display_channel_change_preferred_compression(
			display->channel, SPICE_IMAGE_COMPRESSION_OFF + (int)i);
		return;
	}
	call_fail(call, "no such compression: %s", call->args[0]);
}

const struct command drive_commands[] = {
	{ "move", 2, true, run_move },
	{ "motion", 2, true, run_motion },
	{ "click", 0, true, run_click },
	{ "button-press", 1, true, run_button_press },
	{ "button-release", 1, true, run_button_release },
	{ "wheel", 1, true, run_wheel },
	{ "key", 1, true, run_key },
	{ "press", 1, true, run_press },
	{ "release", 1, true, run_release },
	{ "type", 0, true, run_type },
	{ "monitors-config", 2, true, run_monitors_config },
	{ "compression", 1, true, run_compression },
	{ "mouse-mode-request", 1, true, run_mouse_mode_request },
	{ NULL },
};
