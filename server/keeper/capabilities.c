/* SPDX-License-Identifier: MIT */
#include "server/keeper/capabilities.h"

#include <gio/gio.h>

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
	g_autoptr(GSubprocess) probe = g_subprocess_new(
		G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL,
		renderer, "--virgl", "--probe", NULL);
	return probe && g_subprocess_wait(probe, NULL, NULL) && g_subprocess_get_successful(probe);
}
