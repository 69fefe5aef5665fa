/* SPDX-License-Identifier: MIT */
#include "server/starter/servant_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/process.h"

/* The link's number here; what is above it is closed. */
#define LINK_FD 3
#define MEMORY_PAUSE_MS 20

static bool place_fds(int link)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		return false;
	if (link != LINK_FD && dup2(link, LINK_FD) < 0)
		return false;
	return fcntl(LINK_FD, F_SETFD, FD_CLOEXEC) == 0 && close_range(LINK_FD + 1, ~0u, 0) == 0;
}

bool servant_process_end_with(pid_t keeper)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == keeper;
}

bool servant_process_begin(int link, const char *name, pid_t keeper)
{
	prctl(PR_SET_NAME, name);
	log_set_domain(name);
	setpgid(0, 0);
	return servant_process_end_with(keeper) && prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       process_renounce_privileges() == 0 && place_fds(link);
}

bool servant_process_tell_walls(const struct confine_state *walls)
{
	return send(LINK_FD, walls, sizeof(*walls), MSG_NOSIGNAL) == sizeof(*walls);
}

/* The kernel had none for a message; nobody takes a servant's place that ends. */
static bool waits_for_memory(void)
{
	if (errno != ENOMEM && errno != ENOBUFS)
		return false;
	poll(NULL, 0, MEMORY_PAUSE_MS);
	return true;
}

static void take_fds(struct msghdr *msg, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		c->cmsg_len == CMSG_LEN(sizeof(int) * SERVANT_FDS))
		memcpy(fds, CMSG_DATA(c), sizeof(int) * SERVANT_FDS);
}

bool servant_process_hear(struct servant_request *request)
{
	char control[CMSG_SPACE(sizeof(int) * SERVANT_FDS)];
	struct iovec iov = { .iov_base = &request->what, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n;
	*request = (struct servant_request){ .fds = { -1, -1, -1 } };
	do
		n = recvmsg(LINK_FD, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || waits_for_memory()));
	if (n != 1 || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return false;
	take_fds(&msg, request->fds);
	return true;
}

bool servant_process_answer(const struct servant_answer *answer, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)answer, .iov_len = sizeof(*answer) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(LINK_FD, &msg, MSG_NOSIGNAL);
	while (n < 0 && waits_for_memory());
	return n == sizeof(*answer);
}
