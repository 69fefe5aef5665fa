/* SPDX-License-Identifier: MIT */
#include "server/starter/starter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/link.h"
#include "common/process.h"
#include "server/starter/starter_process.h"

/*
 * A program is executed within milliseconds; it is not waited for that it works. A starter that
 * takes this long is stopped or lost, and QEMU may be waiting for us.
 */
#define START_TIMEOUT_MS 5000

static bool fail(GError **error, int number, const char *what)
{
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(number), "%s: %s", what,
		g_strerror(number));
	return false;
}

/*
 * The starter is born with these blocked: who ends a desktop by a signal to all its processes means
 * the keeper, which then still ends its workers in order. Blocked and not ignored, since workers
 * would inherit that over exec.
 */
static pid_t fork_unsignalled(void)
{
	sigset_t ends, before;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	pid_t pid = fork();
	int fork_errno = errno;
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	errno = fork_errno;
	return pid;
}

bool starter_init(struct starter *starter, const struct starter_plan *plan, GError **error)
{
	int pair[2];
	*starter = STARTER_NONE;
	g_assert(plan->n_commands <= STARTER_COMMANDS_MAX);
	starter->plan = plan;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(error, errno, "cannot make the starter's link");
	pid_t keeper = getpid();
	pid_t pid = fork_unsignalled();
	if (pid == 0)
		starter_process_run(pair[1], plan, keeper);
	int fork_errno = errno;
	close(pair[1]);
	starter->link = pair[0];
	if (pid < 0) {
		fd_close(&starter->link);
		return fail(error, fork_errno, "cannot fork the starter");
	}
	starter->pid = pid;
	starter->pidfd = pidfd_open(pid, 0);
	return starter->pidfd >= 0 || fail(error, errno, "cannot watch the starter");
}

void starter_finish(struct starter *starter)
{
	g_clear_handle_id(&starter->end_source, g_source_remove);
	fd_close(&starter->link);
	if (starter->pid > 0) {
		process_signal(starter->pidfd, SIGKILL);
		while (waitpid(starter->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	starter->pid = 0;
	fd_close(&starter->pidfd);
}

static void on_end(GPid pid, int wait_status, gpointer user)
{
	struct starter *starter = user;
	g_autofree char *end = process_describe_end(wait_status);
	g_warning("the starter (pid %d) ended: %s; what runs goes on, and the desktop ends when it "
		  "needs another worker",
		(int)pid, end);
	starter->pid = 0;
	starter->end_source = 0;
	fd_close(&starter->pidfd);
	fd_close(&starter->link);
}

void starter_watch(struct starter *starter)
{
	g_assert(starter->pid > 0 && !starter->end_source);
	starter->end_source = g_child_watch_add(starter->pid, on_end, starter);
}

static bool ask(const struct starter *starter, uint8_t command, const int *fds)
{
	char control[CMSG_SPACE(sizeof(int) * STARTER_FDS)] = { 0 };
	struct iovec iov = { .iov_base = &command, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (fds) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * STARTER_FDS);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * STARTER_FDS);
	}
	return sendmsg(starter->link, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/* *fd is -1 when none has come along. */
static bool hear(const struct starter *starter, struct starter_answer *answer, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = answer, .iov_len = sizeof(*answer) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	*fd = -1;
	if (!link_wait_readable(starter->link, START_TIMEOUT_MS) ||
		recvmsg(starter->link, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(*answer))
		return false;
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	return true;
}

/*
 * An answer that comes late would be taken for the next one's, so there is no next one. What it
 * started then finds nobody on its link, and ends.
 */
static void give_up(struct starter *starter)
{
	fd_close(&starter->link);
	if (starter->pid > 0)
		process_signal(starter->pidfd, SIGKILL);
}

static bool request(struct starter *starter, uint8_t command, const int *fds,
	struct starter_answer *answer, int *fd)
{
	if (starter_is_usable(starter) && ask(starter, command, fds) && hear(starter, answer, fd))
		return true;
	give_up(starter);
	return false;
}

pid_t starter_spawn(struct starter *starter, unsigned command, int link_fd, int heartbeat_fd,
	int *pidfd, GError **error)
{
	g_assert(command < starter->plan->n_commands && link_fd >= 0 && heartbeat_fd >= 0);
	const char *program = starter->plan->commands[command].argv[0];
	const int fds[STARTER_FDS] = {
		[STARTER_FD_LINK] = link_fd, [STARTER_FD_HEARTBEAT] = heartbeat_fd
	};
	struct starter_answer answer;
	if (!request(starter, (uint8_t)command, fds, &answer, pidfd)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PIPE,
			"cannot start %s: the starter is gone", program);
		return -1;
	}
	if (answer.error == 0)
		return answer.pid;
	if (answer.pid > 0)
		waitpid(answer.pid, NULL, 0);
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(answer.error),
		"cannot start %s: %s", program, g_strerror(answer.error));
	return -1;
}

int starter_connect(struct starter *starter)
{
	struct starter_answer answer;
	int fd;
	return request(starter, STARTER_CONNECT, NULL, &answer, &fd) ? fd : -1;
}

int starter_copy_file(struct starter *starter, unsigned file)
{
	g_assert(file < STARTER_FILES_MAX);
	struct starter_answer answer;
	int fd;
	if (!request(starter, (uint8_t)(STARTER_COPY + file), NULL, &answer, &fd))
		return -EPIPE;
	if (answer.error == 0 && fd >= 0)
		return fd;
	fd_close(&fd);
	return answer.error > 0 ? -answer.error : -EPROTO;
}

bool starter_is_usable(const struct starter *starter)
{
	return starter->link >= 0;
}
