/* SPDX-License-Identifier: MIT */
#include "server/keeper/worker_plan.h"

#include <glib.h>

#include "protocol/worker_options.h"
#include "server/desktop/workers.h"
#include "server/keeper/hidden_paths.h"

static char *find_shader_cache(const struct desktop *o)
{
	return g_build_filename(g_get_user_cache_dir(), "vitrine", "shaders", o->name, NULL);
}

static char **render_command(const struct desktop *o, bool fall_back)
{
	g_autofree char *shader_cache = find_shader_cache(o);
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

static char **find_hidden(const struct desktop *o, const struct starter_plan *plan)
{
	/* The programs, or links to them, and what libraries look for in the home folder. */
	const char *needed[WORKER_COMMANDS + 2] = { 0 };
	for (unsigned i = 0; i < WORKER_COMMANDS; i++)
		needed[i] = plan->commands[i].argv[0];
	needed[WORKER_COMMANDS] = g_get_home_dir();
	return hidden_paths_find(o, needed);
}

/* Gives folders of which Mesa and GStreamer choose themselves. */
static char **find_writable(const struct desktop *o)
{
	const char *shaders = g_getenv("MESA_SHADER_CACHE_DIR");
	const char *registry = g_getenv("GST_REGISTRY_1_0");
	char **folders = g_new0(char *, 3);
	if (!registry)
		registry = g_getenv("GST_REGISTRY");
	folders[0] = shaders ? g_strdup(shaders) : find_shader_cache(o);
	folders[1] = registry ? g_path_get_dirname(registry) :
				g_build_filename(g_get_user_cache_dir(), "gstreamer-1.0", NULL);
	return folders;
}

void worker_plan_init(struct starter_plan *plan, const struct desktop *desktop)
{
	*plan = (struct starter_plan){ .n_commands = WORKER_COMMANDS,
		.name = desktop->name,
		.gpu = desktop->render_node,
		.apart = desktop->confine != CONFINE_OFF };
	struct starter_command *commands = plan->commands;
	commands[WORKER_COMMAND_RENDER].argv = render_command(desktop, false);
	commands[WORKER_COMMAND_RENDER_FALL_BACK].argv = render_command(desktop, true);
	commands[WORKER_COMMAND_DISPLAY] = (struct starter_command){
		.argv = display_command(desktop), .user = 1, .loopback = true
	};
	char **hidden = find_hidden(desktop, plan);
	plan->hidden = hidden;
	plan->n_hidden = g_strv_length(hidden);
	char **writable = find_writable(desktop);
	plan->writable = writable;
	plan->n_writable = g_strv_length(writable);
}

void worker_plan_finish(struct starter_plan *plan)
{
	for (unsigned i = 0; i < plan->n_commands; i++)
		g_strfreev(plan->commands[i].argv);
	g_strfreev((char **)plan->hidden);
	g_strfreev((char **)plan->writable);
}
