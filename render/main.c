/* SPDX-License-Identifier: MIT */
/*
 * vitrine-render: one guest's side of a desktop. Started by vitrine-gpu, with the keeper link as
 * descriptor 3; looks nothing up and listens nowhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/keeper_link.h"
#include "protocol/quotas.h"
#include "render/gpu_thread.h"
#include "render/gpu_report.h"
#include "render/keeper_end.h"
#include "render/memory_limit.h"

static gboolean virgl, software, fall_back, no_pacing, version, probe, report;
static char *render_node;
static struct quota_limits quotas; /* parse() begins with the initial ones */

static gboolean on_quota(const char *name, const char *value, gpointer user, GError **error)
{
	g_autofree char *reason = quotas_parse(&quotas, value);
	if (reason)
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s=%s: %s", name,
			value, reason);
	return !reason;
}

static const GOptionEntry entries[] = {
	{ "virgl", 0, 0, G_OPTION_ARG_NONE, &virgl, "Offer OpenGL to the guest", NULL },
	{ "render-node", 0, 0, G_OPTION_ARG_FILENAME, &render_node, "Draw with this GPU", "PATH" },
	{ "software", 0, 0, G_OPTION_ARG_NONE, &software, "Draw in software, whatever there is",
		NULL },
	{ "fall-back", 0, 0, G_OPTION_ARG_NONE, &fall_back,
		"Draw in software when the named GPU does not work (any more)", NULL },
	{ "no-pacing", 0, 0, G_OPTION_ARG_NONE, &no_pacing,
		"Let the guest draw faster than its monitors show", NULL },
	{ "quota", 0, 0, G_OPTION_ARG_CALLBACK, on_quota, "Let the guest use so much (quotas.h)",
		"NAME=VALUE" },
	{ "probe", 0, 0, G_OPTION_ARG_NONE, &probe,
		"With --virgl: exit with 0 if OpenGL starts here", NULL },
	{ "report", 0, 0, G_OPTION_ARG_NONE, &report,
		"Print what the render node, or with --software the CPU, can do (gpu_report.h)",
		NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL },
	{ 0 },
};

static bool parse(int *argc, char ***argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("- started by vitrine-gpu");
	g_autoptr(GError) error = NULL;
	quotas_set_initial(&quotas);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		g_printerr("vitrine-render: %s\n", error->message);
		return false;
	}
	if (*argc > 1) {
		g_printerr("vitrine-render: unexpected argument %s\n", (*argv)[1]);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	log_set_domain("vitrine-render");
	if (!parse(&argc, &argv))
		return EXIT_FAILURE;
	if (version) {
		g_print("vitrine-render %s\n", VITRINE_VERSION);
		return EXIT_SUCCESS;
	}
	/* The answer is out: leaves without the driver's destructors, which may crash. */
	if (report)
		_exit(gpu_report_print(render_node, software) ? EXIT_SUCCESS : EXIT_FAILURE);
	if (!probe && fcntl(KEEPER_LINK_FD, F_SETFD, FD_CLOEXEC) < 0) {
		g_printerr("vitrine-render: no keeper link on descriptor %d: started by hand?\n",
			KEEPER_LINK_FD);
		return EXIT_FAILURE;
	}
	if (!probe)
		heartbeat_attach();
	/* Else malloc gives each of the driver's threads an arena of its own, which costs memory.
	 */
	mallopt(M_ARENA_MAX, 2);
	struct gpu_options options = { .virgl = virgl,
		.software = software,
		.fall_back = fall_back,
		.render_node = render_node,
		.no_pacing = no_pacing,
		.quotas = quotas };
	struct gpu *gpu = gpu_start(&options);
	if (!gpu)
		return EXIT_FAILURE;
	if (probe)
		_exit(gpu_count_capsets(gpu) > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	malloc_trim(0);
	memory_limit_set(&quotas);
	/* The gpu thread may be inside a driver: leave without its destructors. */
	_exit(keeper_end_run(KEEPER_LINK_FD, gpu));
}
