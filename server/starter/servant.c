/* SPDX-License-Identifier: MIT */
#include "server/starter/servant.h"

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
#include "protocol/flight_events.h"

/*
 * A program is executed within milliseconds; it is not waited for that it works. A servant that
 * takes this long is stopped or lost, and QEMU may be waiting for us.
 */
#define SERVANT_TIMEOUT_MS 5000

/* Before its walls stand it tries what the machine lets it, which takes long where all is slow. */
#define SERVANT_BEGIN_TIMEOUT_MS 30000

/* A servant that was killed is gone at once, unless it hangs in a file system. */
#define SERVANT_END_MS 1000

static bool fail(GError **error, int number, const char *what, const char *name)
{
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(number), "cannot %s the %s: %s",
		what, name, g_strerror(number));
	return false;
}

/*
 * A servant is born with these blocked: who ends a desktop by a signal to all its processes means
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

bool servant_init(struct servant *servant, const char *name, servant_run run, const void *plan,
	GError **error)
{
	int pair[2];
	*servant = SERVANT_NONE;
	servant->name = name;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(error, errno, "make a link to", name);
	pid_t keeper = getpid();
	pid_t pid = fork_unsignalled();
	if (pid == 0)
		run(pair[1], plan, keeper);
	int fork_errno = errno;
	close(pair[1]);
	servant->link = pair[0];
	if (pid < 0) {
		fd_close(&servant->link);
		return fail(error, fork_errno, "fork", name);
	}
	servant->pid = pid;
	servant->pidfd = pidfd_open(pid, 0);
	return servant->pidfd >= 0 || fail(error, errno, "watch", name);
}

void servant_finish(struct servant *servant)
{
	g_clear_handle_id(&servant->end_source, g_source_remove);
	fd_close(&servant->link);
	if (servant->pid > 0) {
		process_signal(servant->pidfd, SIGKILL);
		bool is_gone = process_wait_end_of(servant->pidfd, SERVANT_END_MS);
		while (is_gone && waitpid(servant->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	servant->pid = 0;
	fd_close(&servant->pidfd);
}

static void on_end(GPid pid, int wait_status, gpointer user)
{
	struct servant *servant = user;
	g_autofree char *end = process_describe_end(wait_status);
	flight_note(FLIGHT_SERVANT_GONE, (uint64_t)(unsigned)wait_status, 0, 0);
	g_warning("the %s (pid %d) ended: %s; %s", servant->name, (int)pid, end, servant->loss);
	servant->pid = 0;
	servant->end_source = 0;
	fd_close(&servant->pidfd);
	fd_close(&servant->link);
}

void servant_watch(struct servant *servant, const char *loss)
{
	g_assert(servant->pid > 0 && !servant->end_source);
	servant->loss = loss;
	servant->end_source = g_child_watch_add(servant->pid, on_end, servant);
}

/*
 * An answer that comes late would be taken for the next one's, so there is no next one. What it
 * started then finds nobody on its link, and ends.
 */
static void give_up(struct servant *servant)
{
	fd_close(&servant->link);
	if (servant->pid > 0)
		process_signal(servant->pidfd, SIGKILL);
}

/* The first that it says. */
static bool hear_walls(struct servant *servant)
{
	if (servant->heard || servant->link < 0)
		return servant->heard;
	servant->heard = link_wait_readable(servant->link, SERVANT_BEGIN_TIMEOUT_MS) &&
			 recv(servant->link, &servant->walls, sizeof(servant->walls),
				 MSG_DONTWAIT) == sizeof(servant->walls);
	if (!servant->heard)
		give_up(servant);
	confine_clean(&servant->walls);
	return servant->heard;
}

bool servant_hear_walls(struct servant *servant, enum confine_mode mode, GError **error)
{
	g_autofree char *process = g_strconcat("vitrine-", servant->name, NULL);
	if (hear_walls(servant))
		return confine_check(&servant->walls, process, mode, error);
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PIPE, "%s has not begun", process);
	return false;
}

static bool ask(const struct servant *servant, uint8_t request, const int *fds)
{
	char control[CMSG_SPACE(sizeof(int) * SERVANT_FDS)] = { 0 };
	struct iovec iov = { .iov_base = &request, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (fds) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * SERVANT_FDS);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * SERVANT_FDS);
	}
	return sendmsg(servant->link, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static bool hear(const struct servant *servant, struct servant_answer *answer, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = answer, .iov_len = sizeof(*answer) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	if (!link_wait_readable(servant->link, SERVANT_TIMEOUT_MS) ||
		recvmsg(servant->link, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(*answer))
		return false;
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	return true;
}

bool servant_ask(struct servant *servant, uint8_t request, const int *fds,
	struct servant_answer *answer, int *fd)
{
	*fd = -1;
	if (hear_walls(servant) && servant_is_usable(servant) && ask(servant, request, fds) &&
		hear(servant, answer, fd))
		return true;
	give_up(servant);
	return false;
}

bool servant_is_usable(const struct servant *servant)
{
	return servant->link >= 0;
}
