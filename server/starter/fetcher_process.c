/* SPDX-License-Identifier: MIT */
#include "server/starter/fetcher_process.h"

#include <errno.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/shm.h"
#include "server/starter/fetcher_walls.h"
#include "server/starter/pinned_address.h"
#include "server/starter/servant_process.h"

struct fetcher_process {
	const struct fetcher_plan *plan;
	struct pinned_address monitor;
};

static int copy_file(const struct fetcher_plan *plan, unsigned file, int *fd)
{
	const char *path = plan->files[file];
	int result = path ? shm_copy_file("vitrine-secret", path, plan->file_max_bytes) : -ENOENT;
	*fd = MAX(result, -1);
	return result < 0 ? -result : 0;
}

/* Returns false when the keeper has gone, or says what no keeper of ours says. */
static bool serve_one(const struct fetcher_process *process)
{
	struct servant_request request;
	struct servant_answer answer = { .pid = -1 };
	int fd = -1;
	if (!servant_process_hear(&request) || request.fds[0] >= 0)
		return false;
	if (request.what == FETCHER_CONNECT)
		answer.error = pinned_address_connect(&process->monitor, &fd);
	else if (request.what >= FETCHER_COPY && request.what < FETCHER_COPY + FETCHER_FILES_MAX)
		answer.error = copy_file(process->plan, request.what - FETCHER_COPY, &fd);
	else
		return false;
	bool sent = servant_process_answer(&answer, fd);
	fd_close(&fd);
	return sent;
}

void fetcher_process_run(int link, const void *plan, pid_t keeper)
{
	struct fetcher_process process = { .plan = plan };
	const struct fetcher_plan *ours = plan;
	struct confine_state walls = { 0 };
	if (!servant_process_begin(link, "vitrine-fetcher", keeper))
		_exit(1);
	int error = ours->monitor ? pinned_address_init(&process.monitor, ours->monitor) : 0;
	if (error != 0)
		g_warning("%s: %s: no keyboard, no pointer and no sound", ours->monitor,
			g_strerror(error));
	if (ours->confined && !fetcher_walls_put_up(ours, &process.monitor, &walls))
		_exit(1);
	if (ours->confined)
		confine_log(&walls, CONFINE_AUTO);
	bool goes_on = servant_process_tell_walls(&walls);
	while (goes_on)
		goes_on = serve_one(&process);
	_exit(0);
}
