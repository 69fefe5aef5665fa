/* SPDX-License-Identifier: MIT */
/* spice-probe's way from a line to a command, and its commands about the connection itself. */
#include <stdio.h>
#include <string.h>

#include "tests/client/probe_call.h"

static void run_stall(struct call *call)
{
	/* Sleeping stops the main loop, and with it every channel's reader. */
	g_usleep((gulong)call_arg_int(call, 0, 0) * 1000);
}

static void run_cut(struct call *call)
{
	call_put_int(call, "sockets", connection_cut());
}

static void run_disconnect(struct call *call)
{
	connection_close(call->probe);
}

static void run_reconnect(struct call *call)
{
	int64_t start_us = g_get_monotonic_time();

	if (!connection_open(call->probe))
		call_fail(call, "%s", call->probe->error);
	call_put_int(call, "elapsed_ms", (g_get_monotonic_time() - start_us) / 1000);
	call_put_size(call, display_get(call->probe, 0));
}

static void run_quit(struct call *call)
{
	call->probe->quit = true;
}

static const struct command connection_commands[] = {
	{ "stall", 1, false, run_stall },
	{ "cut", 0, false, run_cut },
	{ "disconnect", 0, false, run_disconnect },
	{ "reconnect", 0, false, run_reconnect },
	{ "quit", 0, false, run_quit },
	{ NULL },
};

static const struct command *const tables[] = { look_commands, await_commands, drive_commands,
	record_commands, sync_commands, watch_commands, agent_commands, devices_commands,
	speak_commands, connection_commands };

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		for (const struct command *row = tables[i]; row->name; row++) {
			if (strcmp(row->name, name) == 0)
				return row;
		}
	}
	return NULL;
}

static void command_dispatch(struct call *call, const char *name)
{
	const struct command *command = command_find(name);

	if (!command)
		call_fail(call, "unknown command: %s", name);
	else if (call->n_args < command->args_min)
		call_fail(call, "%s takes at least %u arguments", name, command->args_min);
	else if (command->needs_connection && !connection_is_open(call->probe))
		call_fail(call, "not connected: %s",
			call->probe->error ? call->probe->error : "not yet");
	else
		command->run(call);
}

void command_run(struct probe *probe, const char *line)
{
	g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
	g_autoptr(GString) json = g_string_new(NULL);
	struct call call = { .probe = probe, .json = json, .rest = strchr(line, ' ') };

	if (!words[0] || words[0][0] == '\0')
		return;
	call.rest = call.rest ? call.rest + 1 : "";
	for (char **word = words + 1; *word && call.n_args < CALL_ARGS_MAX; word++) {
		if (**word)
			call.args[call.n_args++] = *word;
	}
	command_dispatch(&call, words[0]);
	if (call.error)
		call_put_text(&call, "error", call.error);
	printf("{\"ok\":%s%s}\n", call.error ? "false" : "true", json->str);
	fflush(stdout);
	g_free(call.error);
}
