/* SPDX-License-Identifier: MIT */
/*
 * vitrine-render: draws one guest's side of a desktop. vitrine-gpu starts it, with the keeper link
 * as descriptor 3. It looks nothing up and listens nowhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"
#include "protocol/contracts.h"
#include "protocol/driver_end.h"
#include "protocol/flight_events.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/keeper_link.h"
#include "protocol/stats_writer.h"
#include "protocol/worker_options.h"
#include "render/gl/egl_libraries.h"
#include "render/gpu_thread.h"
#include "render/gpu_report.h"
#include "render/keeper_end.h"
#include "render/memory_limit.h"
#include "render/render_walls.h"

static bool parse(int *argc, char ***argv, struct worker_render_options *options)
{
	g_autoptr(GError) error = NULL;
	worker_options_init(&worker_render_table, options);
	if (!worker_options_parse(&worker_render_table, options, argc, argv, &error)) {
		g_printerr("vitrine-render: %s\n", error->message);
		return false;
	}
	if (*argc > 1) {
		g_printerr("vitrine-render: unexpected argument %s\n", (*argv)[1]);
		return false;
	}
	return true;
}

static void count_reset(void)
{
	stats_add_guest(STATS_GPU_RESETS, 1);
}

static void attach(void)
{
	heartbeat_attach();
	flight_attach();
	flight_begin_thread("main");
	flight_set_text(FLIGHT_TEXT_PROGRAM, "vitrine-render " VITRINE_VERSION);
	flight_find_modules();
	flight_watch_crashes();
	flight_note(FLIGHT_STARTED, (uint64_t)getpid(), 0, 0);
	driver_end_watch(count_reset);
}

/* What a spare process does before it waits. */
static void prepare_gl(void)
{
	egl_libraries_load();
	malloc_trim(0);
}

static void prepare_2d(void)
{
}

/* Returns false when there is nothing to begin with any more. */
static bool await_begin(const struct worker_render_options *options, bool *is_spare)
{
	return options->probe || keeper_end_await_begin(KEEPER_LINK_FD,
					 options->virgl ? prepare_gl : prepare_2d, is_spare);
}

static void tell_lost(uint32_t context)
{
	keeper_end_tell_lost(KEEPER_LINK_FD, context);
}

static void tell_trouble(enum keeper_trouble trouble)
{
	keeper_end_tell_trouble(KEEPER_LINK_FD, trouble);
}

static int serve(struct gpu *gpu, const char *verdict, const struct confine_state *walls)
{
	flight_set_text(FLIGHT_TEXT_DRIVER, verdict);
	flight_find_modules();
	flight_note(FLIGHT_READY, 0, 0, 0);
	int status = keeper_end_run(KEEPER_LINK_FD, gpu, walls);
	flight_note(FLIGHT_ENDING, (uint64_t)status, 0, 0);
	return status;
}

static int print_version(void)
{
	g_autofree char *contracts = contracts_describe();
	g_print("vitrine-render %s (%s)\n", VITRINE_VERSION, contracts);
	return EXIT_SUCCESS;
}

static struct gpu_options find_gpu_options(
	const struct worker_render_options *options, bool is_spare)
{
	return (struct gpu_options){ .virgl = options->virgl,
		.render_node = options->software ? NULL : options->render_node,
		.hardware = options->hardware,
		.no_pacing = options->no_pacing,
		.is_spare = is_spare,
		.quotas = options->quotas,
		.context_lost = options->probe ? NULL : tell_lost,
		.trouble = options->probe ? NULL : tell_trouble };
}

int main(int argc, char **argv)
{
	struct worker_render_options options;
	log_set_domain("vitrine-render");
	/* The starter executes us by a descriptor, by which the kernel has named us. */
	prctl(PR_SET_NAME, "vitrine-render");
	if (!parse(&argc, &argv, &options))
		return EXIT_FAILURE;
	if (options.version)
		return print_version();
	/* The answer is out, so we leave without the driver's destructors, which may crash. */
	if (options.report)
		_exit(gpu_report_print(options.render_node, options.software) ? EXIT_SUCCESS :
										EXIT_FAILURE);
	log_init("vitrine-render");
	if (!options.probe && fcntl(KEEPER_LINK_FD, F_SETFD, FD_CLOEXEC) < 0) {
		g_printerr("vitrine-render: no keeper link on descriptor %d: started by hand?\n",
			KEEPER_LINK_FD);
		return EXIT_FAILURE;
	}
	if (!options.probe)
		attach();
	/*
	 * malloc would give each of the driver's threads an arena of its own, which costs memory.
	 */
	mallopt(M_ARENA_MAX, 2);
	struct confine_state walls = { 0 };
	if (!options.probe && !render_walls_begin(&options, &walls))
		return EXIT_FAILURE;
	bool is_spare = false;
	if (!await_begin(&options, &is_spare))
		return EXIT_SUCCESS;
	const struct gpu_options gpu_options = find_gpu_options(&options, is_spare);
	char verdict[GPU_VERDICT_BYTES];
	struct gpu *gpu = gpu_start(&gpu_options, verdict);
	if (!options.probe)
		keeper_end_tell_gpu(KEEPER_LINK_FD, gpu != NULL, verdict);
	/* The driver's destructors may crash, and then that would be the keeper's news. */
	if (!gpu) {
		g_info("%s", verdict);
		_exit(EXIT_FAILURE);
	}
	if (options.probe)
		_exit(gpu_count_capsets(gpu) > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	malloc_trim(0);
	memory_limit_set(&options.quotas);
	if (!render_walls_finish(&options, &walls))
		_exit(EXIT_FAILURE);
	/* The gpu thread may be inside a driver, so we leave without its destructors. */
	_exit(serve(gpu, verdict, &walls));
}
