/* SPDX-License-Identifier: MIT */
#include "server/keeper/worker_commands.h"

#include <glib.h>

#include "protocol/worker_options.h"
#include "server/desktop/workers.h"

static char **render_command(const struct desktop *o, bool fall_back)
{
	g_autofree char *shader_cache =
		g_build_filename(g_get_user_cache_dir(), "vitrine", "shaders", o->name, NULL);
	const struct worker_render_options options = {
		.virgl = o->virgl,
		.software = o->software,
		.fall_back = fall_back,
		.no_pacing = !o->pacing,
		.render_node = o->render_node,
		.quotas = o->quotas,
		.confine = o->confine,
		.shader_cache = shader_cache,
	};
	g_autofree char *program = workers_find_renderer(o->worker_dir);
	return worker_options_format(&worker_render_table, program, &options);
}

static char **display_command(const struct desktop *o)
{
	const struct worker_display_options options = {
		.name = o->name,
		.clock = o->clock,
		.encoder = o->encoder,
		.video_444 = o->video_444,
		.confine = o->confine,
	};
	g_autofree char *program = workers_find_display(o->worker_dir);
	return worker_options_format(&worker_display_table, program, &options);
}

char ***worker_commands_make(const struct desktop *desktop)
{
	char ***commands = g_new0(char **, WORKER_COMMANDS + 1);
	commands[WORKER_COMMAND_RENDER] = render_command(desktop, false);
	commands[WORKER_COMMAND_RENDER_FALL_BACK] = render_command(desktop, true);
	commands[WORKER_COMMAND_DISPLAY] = display_command(desktop);
	return commands;
}
