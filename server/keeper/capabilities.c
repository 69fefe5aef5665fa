/* SPDX-License-Identifier: MIT */
#include "server/keeper/capabilities.h"

#include <gio/gio.h>

#include "protocol/worker_options.h"

char *capabilities_describe(bool virgl)
{
	return g_strdup_printf("{\n"
			       "  \"type\": \"gpu\",\n"
			       "  \"features\": [\n"
			       "    \"render-node\"%s\n"
			       "  ]\n"
			       "}\n",
		virgl ? ",\n    \"virgl\"" : "");
}

bool capabilities_probe_virgl(const char *renderer)
{
	struct worker_render_options options = { .virgl = true, .probe = true };
	quotas_set_initial(&options.quotas);
	g_auto(GStrv) argv = worker_options_format(&worker_render_table, renderer, &options);
	g_autoptr(GSubprocess) probe = g_subprocess_newv((const char *const *)argv,
		G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL);
	return probe && g_subprocess_wait(probe, NULL, NULL) && g_subprocess_get_successful(probe);
}
