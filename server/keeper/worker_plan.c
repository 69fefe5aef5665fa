/* SPDX-License-Identifier: MIT */
#include "server/keeper/worker_plan.h"

#include <glib.h>
#include <string.h>

#include "protocol/worker_options.h"
#include "server/desktop/workers.h"
#include "server/keeper/hidden_paths.h"

/*
 * Gives a folder of this desktop's alone, since what lies there is executed: whoever took over its
 * renderer could put something there for another one. So desktops that have no name have none, and
 * what Mesa's variable names is only where the folder lies.
 */
static char *find_shader_cache(const struct desktop *o)
{
	const char *chosen = g_getenv("MESA_SHADER_CACHE_DIR");
	if (strcmp(o->name, DESKTOP_NAMELESS) == 0)
		return NULL;
	return g_build_filename(
		chosen ? chosen : g_get_user_cache_dir(), "vitrine", "shaders", o->name, NULL);
}

static char **render_command(const struct desktop *o, char *node, bool named)
{
	g_autofree char *shader_cache = find_shader_cache(o);
	const struct worker_render_options options = {
		.virgl = o->virgl,
		.software = !node,
		.hardware = node && !named,
		.no_pacing = !o->pacing,
		.render_node = node,
		.quotas = o->quotas,
		.confine = o->confine,
		.shader_cache = shader_cache,
	};
	g_autofree char *program = workers_find_renderer(o->worker_dir);
	return worker_options_format(&worker_render_table, program, &options);
}

static char **display_command(const struct desktop *o, char *node)
{
	g_autofree char *clipboard_max = o->clipboard_max_mib == WORKER_CLIPBOARD_MAX_MIB ?
						 NULL :
						 g_strdup_printf("%u", o->clipboard_max_mib);
	const struct worker_display_options options = {
		.name = o->name,
		.clock = o->clock,
		.encoder = o->encoder,
		.render_node = node,
		.video_444 = o->video_444,
		.clipboard = o->clipboard,
		.clipboard_max = clipboard_max,
		.clipboard_types = o->clipboard_types,
		.file_drop = o->file_drop,
		.second_client = o->second_client,
		.max_mbit = o->max_mbit,
		.lookers = o->n_viewers - 1,
		.idle_s = o->idle_minutes * 60,
		.confine = o->confine,
	};
	g_autofree char *program = workers_find_display(o->worker_dir);
	return worker_options_format(&worker_display_table, program, &options);
}

static char **find_hidden(const struct desktop *o, const struct starter_plan *plan)
{
	/* The programs, or links to them, and what libraries look for in the home folder. */
	const char *const needed[] = { plan->commands[WORKER_COMMAND_RENDER(0)].argv[0],
		plan->commands[WORKER_COMMAND_DISPLAY(0)].argv[0], g_get_home_dir(), NULL };
	return hidden_paths_find(o, needed);
}

/* Gives folders for Mesa and for GStreamer, which chooses its own itself. */
static char **find_writable(const struct desktop *o)
{
	const char *registry = g_getenv("GST_REGISTRY_1_0");
	char **folders = g_new0(char *, 3);
	if (!registry)
		registry = g_getenv("GST_REGISTRY");
	folders[0] = registry ? g_path_get_dirname(registry) :
				g_build_filename(g_get_user_cache_dir(), "gstreamer-1.0", NULL);
	folders[1] = find_shader_cache(o);
	return folders;
}

void worker_plan_init(struct starter_plan *plan, const struct desktop *desktop,
	const struct gpu_candidates *candidates)
{
	G_STATIC_ASSERT(STARTER_COMMANDS_MAX >= 2 * GPU_CANDIDATES_MAX);
	*plan = (struct starter_plan){ .n_commands = 2 * candidates->n,
		.name = desktop->name,
		.gpu = desktop->render_node,
		.apart = desktop->confine != CONFINE_OFF };
	struct starter_command *commands = plan->commands;
	for (unsigned i = 0; i < candidates->n; i++) {
		char *node = candidates->nodes[i];
		commands[WORKER_COMMAND_RENDER(i)].argv =
			render_command(desktop, node, candidates->named);
		commands[WORKER_COMMAND_DISPLAY(i)] = (struct starter_command){
			.argv = display_command(desktop, node), .user = 1, .loopback = true
		};
	}
	char **hidden = find_hidden(desktop, plan);
	plan->hidden = hidden;
	plan->n_hidden = g_strv_length(hidden);
	char **writable = find_writable(desktop);
	plan->writable = writable;
	plan->n_writable = g_strv_length(writable);
	/* Workers take it for where their own folder is (own users'), and QEMU is not our child. */
	g_unsetenv("MESA_SHADER_CACHE_DIR");
}

void worker_plan_finish(struct starter_plan *plan)
{
	for (unsigned i = 0; i < plan->n_commands; i++)
		g_strfreev(plan->commands[i].argv);
	g_strfreev((char **)plan->hidden);
	g_strfreev((char **)plan->writable);
}
