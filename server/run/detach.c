/* SPDX-License-Identifier: MIT */
#include "server/run/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"

static void await(int told, pid_t child)
{
	char byte;
	int status;
	ssize_t n;
	while ((n = read(told, &byte, 1)) < 0 && errno == EINTR)
		;
	if (n == 1)
		_exit(EXIT_SUCCESS);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILURE);
}

bool detach_fork(struct detach *detach)
{
	int ends[2];
	*detach = DETACH_NONE;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	fflush(NULL);
	pid_t child = fork();
	if (child > 0) {
		close(ends[1]);
		await(ends[0], child);
	}
	close(ends[0]);
	detach->told = ends[1];
	/* Ctrl-C before the desktop runs ends it, as without --detach. */
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (child < 0 || setsid() < 0) {
		fd_close(&detach->told);
		return false;
	}
	return true;
}

bool detach_log(struct detach *detach, const char *path)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	detach->log = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	detach->terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	bool made = null >= 0 && detach->log >= 0 && detach->terminal >= 0 &&
		    dup2(null, STDIN_FILENO) >= 0 && dup2(detach->log, STDOUT_FILENO) >= 0 &&
		    dup2(detach->log, STDERR_FILENO) >= 0;
	if (null >= 0)
		close(null);
	return made;
}

static void show(struct detach *detach)
{
	char bytes[4096];
	ssize_t n;
	off_t offset = 0;
	fflush(NULL);
	while (detach->terminal >= 0 && detach->log >= 0 &&
		(n = pread(detach->log, bytes, sizeof(bytes), offset)) > 0 &&
		write(detach->terminal, bytes, (size_t)n) == n)
		offset += n;
	fd_close(&detach->terminal);
}

void detach_ready(struct detach *detach)
{
	if (detach->told < 0)
		return;
	show(detach);
	prctl(PR_SET_PDEATHSIG, 0);
	if (write(detach->told, "", 1) != 1)
		g_debug("nobody waits for the desktop");
	fd_close(&detach->told);
}

void detach_finish(struct detach *detach)
{
	show(detach);
	fd_close(&detach->log);
	fd_close(&detach->told);
}
