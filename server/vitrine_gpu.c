/* SPDX-License-Identifier: MIT */
/* vitrine-gpu: the program. See vitrine-gpu(1). */
#include <signal.h>
#include <stdio.h>

#include "server/desktop/workers.h"
#include "server/keeper/capabilities.h"
#include "server/keeper/keeper.h"
#include "common/log.h"

static int print_capabilities(const struct options *options)
{
	g_autofree char *renderer = workers_find_renderer(options->worker_dir);
	g_autofree char *text = capabilities_describe(capabilities_probe_virgl(renderer));
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}

static int run(const struct options *options)
{
	struct keeper keeper;
	g_autoptr(GError) error = NULL;
	int status = 1;
	if (keeper_init(&keeper, options, &error))
		status = keeper_run(&keeper);
	else
		g_warning("%s", error->message);
	keeper_finish(&keeper);
	return status;
}

int main(int argc, char **argv)
{
	log_init("vitrine-gpu");
	signal(SIGPIPE, SIG_IGN);
	struct options options;
	g_autoptr(GError) error = NULL;
	int status = 1;
	if (!options_parse(&options, &argc, &argv, &error))
		g_warning("%s", error->message);
	else
		status = options.print_capabilities ? print_capabilities(&options) : run(&options);
	options_finish(&options);
	return status;
}
