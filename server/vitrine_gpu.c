/* SPDX-License-Identifier: MIT */
/* vitrine-gpu is the program that QEMU's device talks to; see vitrine-gpu(1). */
#include <signal.h>
#include <stdio.h>

#include "server/desktop/workers.h"
#include "server/keeper/capabilities.h"
#include "server/keeper/gpu_options.h"
#include "server/keeper/keeper.h"
#include "server/keeper/secrets.h"
#include "server/keeper/worker_plan.h"
#include "common/fd.h"
#include "common/log.h"

static int print_capabilities(const struct desktop *desktop)
{
	g_autofree char *renderer = workers_find_renderer(desktop->worker_dir);
	g_autofree char *text = capabilities_describe(capabilities_probe_virgl(renderer));
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}

static int run_keeper(const struct desktop *desktop, const struct gpu_candidates *gpus,
	struct starter *starter, struct fetcher *fetcher)
{
	struct keeper keeper;
	g_autoptr(GError) error = NULL;
	int status = 1;
	if (keeper_init(&keeper, desktop, gpus, starter, fetcher, &error))
		status = keeper_run(&keeper);
	else
		g_warning("%s", error->message);
	keeper_finish(&keeper);
	return status;
}

/* Starter and fetcher are forked before the password is read, so that they have never had it. */
static int run(struct desktop *desktop)
{
	struct gpu_candidates gpus;
	struct starter_plan plan;
	struct fetcher_plan fetcher_plan;
	struct starter starter = STARTER_NONE;
	struct fetcher fetcher = FETCHER_NONE;
	g_autoptr(GError) error = NULL;
	int status = 1;
	gpu_candidates_find(&gpus, desktop, gpu_candidates_dir());
	worker_plan_init(&plan, desktop, &gpus);
	secrets_plan(&fetcher_plan, desktop);
	if (starter_init(&starter, &plan, &error) &&
		fetcher_init(&fetcher, &fetcher_plan, &error) &&
		gpu_options_read_password(desktop, &error))
		status = run_keeper(desktop, &gpus, &starter, &fetcher);
	else
		g_warning("%s", error->message);
	fetcher_finish(&fetcher);
	starter_finish(&starter);
	worker_plan_finish(&plan);
	gpu_candidates_finish(&gpus);
	return status;
}

int main(int argc, char **argv)
{
	fd_fill_standard();
	log_init("vitrine-gpu");
	signal(SIGPIPE, SIG_IGN);
	/* A file that may not grow is an error as a full disk is, and not the desktop's end. */
	signal(SIGXFSZ, SIG_IGN);
	struct desktop desktop;
	g_autoptr(GError) error = NULL;
	int status = 1;
	if (!gpu_options_parse(&desktop, argc, argv, &error))
		g_warning("%s", error->message);
	else if (desktop.version)
		status = printf("vitrine-gpu %s\n", VITRINE_VERSION) < 0;
	else
		status = desktop.print_capabilities ? print_capabilities(&desktop) : run(&desktop);
	desktop_finish(&desktop);
	return status;
}
