/* SPDX-License-Identifier: MIT */
#include "server/starter/fetcher_process.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/shm.h"
#include "server/starter/fetcher_walls.h"
#include "server/starter/servant_process.h"

static int connect_monitor(const char *path, int *fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	if (!path || strlen(path) >= sizeof(addr.sun_path))
		return ENOENT;
	memcpy(addr.sun_path, path, strlen(path));
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0 && connect(*fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return 0;
	int error = errno;
	fd_close(fd);
	return error;
}

static int copy_file(const struct fetcher_plan *plan, unsigned file, int *fd)
{
	const char *path = plan->files[file];
	int result = path ? shm_copy_file("vitrine-secret", path, plan->file_max_bytes) : -ENOENT;
	*fd = MAX(result, -1);
	return result < 0 ? -result : 0;
}

/* Returns false when the keeper has gone, or says what no keeper of ours says. */
static bool serve_one(const struct fetcher_plan *plan)
{
	struct servant_request request;
	struct servant_answer answer = { .pid = -1 };
	int fd = -1;
	if (!servant_process_hear(&request) || request.fds[0] >= 0)
		return false;
	if (request.what == FETCHER_CONNECT)
		answer.error = connect_monitor(plan->monitor, &fd);
	else if (request.what >= FETCHER_COPY && request.what < FETCHER_COPY + FETCHER_FILES_MAX)
		answer.error = copy_file(plan, request.what - FETCHER_COPY, &fd);
	else
		return false;
	bool sent = servant_process_answer(&answer, fd);
	fd_close(&fd);
	return sent;
}

void fetcher_process_run(int link, const void *plan, pid_t keeper)
{
	const struct fetcher_plan *ours = plan;
	struct confine_state walls = { 0 };
	if (!servant_process_begin(link, "vitrine-fetcher", keeper))
		_exit(1);
	if (ours->confined && !fetcher_walls_put_up(ours, &walls))
		_exit(1);
	if (ours->confined)
		confine_log(&walls, CONFINE_AUTO);
	bool goes_on = servant_process_tell_walls(&walls);
	while (goes_on)
		goes_on = serve_one(ours);
	_exit(0);
}
