/* SPDX-License-Identifier: MIT */
#include "server/starter/starter_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/process.h"
#include "common/shm.h"
#include "protocol/heartbeat.h"
#include "protocol/keeper_link.h"
#include "server/starter/isolation.h"
#include "server/starter/starter_walls.h"

/* The link's number here; what is above it is closed. */
#define LINK_FD 3

struct starter_process {
	const struct starter_plan *plan;
	struct isolation isolation;
	int live[STARTER_LIVE_MAX]; /* pidfds of workers; -1: a free place */
};

struct request {
	uint8_t command;
	int fds[STARTER_FDS];
};

/* ---- what it gives up ---- */

static bool place_fds(int link)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		return false;
	if (link != LINK_FD && dup2(link, LINK_FD) < 0)
		return false;
	return fcntl(LINK_FD, F_SETFD, FD_CLOEXEC) == 0 && close_range(LINK_FD + 1, ~0u, 0) == 0;
}

static bool give_up(int link, pid_t keeper)
{
	prctl(PR_SET_NAME, "vitrine-starter");
	setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper)
		return false;
	return prctl(PR_SET_DUMPABLE, 0) == 0 && process_renounce_privileges() == 0 &&
	       place_fds(link);
}

static bool set_capabilities(uint32_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { .effective = kept,
		.permitted = kept } };
	return syscall(SYS_capset, &header, data) == 0;
}

/*
 * Root's starter keeps the two that map a worker's user into its namespace, or the one without
 * which root may not map itself (before Linux 5.12 it may, and need not have it). Which it has is
 * not asked: capget() leaves out what an AppArmor profile does not grant, while the kernel looks at
 * what a process has when it maps itself. So the profile need not grant this one. Without
 * namespaces it keeps those by which root executes a program that lies in somebody's folder, and so
 * do its workers, until they give them up. Where there is a password or a certificate to be read
 * again it keeps the one for a file that is another user's.
 */
static bool give_up_capabilities(const struct isolation *isolation)
{
	uint32_t kept = 0, for_files = 0;
	if (isolation->has_users)
		kept = 1u << CAP_SETUID | 1u << CAP_SETGID;
	else if (geteuid() == 0 && isolation->namespaces)
		kept = 1u << CAP_SETFCAP;
	else if (geteuid() == 0)
		kept = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
	for (unsigned i = 0; geteuid() == 0 && i < STARTER_FILES_MAX; i++)
		for_files |= isolation->plan->files[i] ? 1u << CAP_DAC_READ_SEARCH : 0;
	/* A container's root may have no such rights over files, and workers all the same. */
	return set_capabilities(kept | for_files) || set_capabilities(kept) || set_capabilities(0);
}

/* ---- starting ---- */

/* Gives a place for one more worker, or NULL when too many live. */
static int *find_place(struct starter_process *process)
{
	for (unsigned i = 0; i < STARTER_LIVE_MAX; i++) {
		struct pollfd p = { .fd = process->live[i], .events = POLLIN };
		if (p.fd >= 0 && poll(&p, 1, 0) > 0)
			fd_close(&process->live[i]);
		if (process->live[i] < 0)
			return &process->live[i];
	}
	return NULL;
}

static struct starter_answer start(
	struct starter_process *process, const struct request *request, int *sent_fd)
{
	struct process_options options = {
		.sibling = true,
		.death_signal = SIGKILL,
		.own_group = true,
		.no_new_privileges = true,
		.fds = { { request->fds[STARTER_FD_LINK], KEEPER_LINK_FD },
			{ request->fds[STARTER_FD_HEARTBEAT], HEARTBEAT_FD } },
		.n_fds = STARTER_FDS,
	};
	int *place = find_place(process);
	if (!place)
		return (struct starter_answer){ .pid = -1, .error = EAGAIN };
	pid_t pid;
	struct isolation_step step;
	char **argv = process->plan->commands[request->command].argv;
	isolation_apply(&process->isolation, &step, request->command, &options);
	int error = process_start(argv, &options, &pid);
	if (pid < 0 && options.namespaces) {
		isolation_give_up(&process->isolation, error);
		isolation_apply(&process->isolation, &step, request->command, &options);
		error = process_start(argv, &options, &pid);
	}
	if (error == 0) {
		*sent_fd = *place = pidfd_open(pid, 0);
		/* Nobody could end it. */
		if (*sent_fd < 0) {
			error = errno;
			kill(pid, SIGKILL);
		}
	}
	return (struct starter_answer){ .pid = pid, .error = error };
}

static struct starter_answer connect_monitor(const char *path, int *sent_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct starter_answer answer = { .pid = -1 };
	if (!path || strlen(path) >= sizeof(addr.sun_path)) {
		answer.error = ENOENT;
		return answer;
	}
	memcpy(addr.sun_path, path, strlen(path));
	*sent_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*sent_fd < 0 || connect(*sent_fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		answer.error = errno;
	if (answer.error != 0)
		fd_close(sent_fd);
	return answer;
}

static struct starter_answer copy_file(const struct starter_plan *plan, unsigned file, int *sent_fd)
{
	const char *path = plan->files[file];
	int fd = path ? shm_copy_file("vitrine-secret", path, plan->file_max_bytes) : -ENOENT;
	if (fd >= 0)
		*sent_fd = fd;
	return (struct starter_answer){ .pid = -1, .error = fd < 0 ? -fd : 0 };
}

/* ---- the link ---- */

static bool is_copy(uint8_t command)
{
	return command >= STARTER_COPY && command < STARTER_COPY + STARTER_FILES_MAX;
}

static void take_fds(struct msghdr *msg, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		c->cmsg_len == CMSG_LEN(sizeof(int) * STARTER_FDS))
		memcpy(fds, CMSG_DATA(c), sizeof(int) * STARTER_FDS);
}

/* Gives false when the keeper has hung up, or says what no keeper of ours says. */
static bool receive(const struct starter_process *process, struct request *request)
{
	char control[CMSG_SPACE(sizeof(int) * STARTER_FDS)];
	struct iovec iov = { .iov_base = &request->command, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n;
	do
		n = recvmsg(LINK_FD, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != 1 || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return false;
	take_fds(&msg, request->fds);
	bool has_fds = request->fds[STARTER_FD_LINK] >= 0;
	if (request->command == STARTER_CONNECT || is_copy(request->command))
		return !has_fds;
	return request->command < process->plan->n_commands && has_fds;
}

/* The descriptor goes along, unless it is -1, and stays ours. */
static bool send_answer(const struct starter_answer *answer, int sent_fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)answer, .iov_len = sizeof(*answer) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (sent_fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &sent_fd, sizeof(int));
	}
	return sendmsg(LINK_FD, &msg, MSG_NOSIGNAL) == sizeof(*answer);
}

static bool serve_one(struct starter_process *process)
{
	struct request request = { .fds = { -1, -1 } };
	if (!receive(process, &request))
		return false;
	int sent_fd = -1;
	struct starter_answer answer;
	bool starts = request.command < process->plan->n_commands;
	if (starts)
		answer = start(process, &request, &sent_fd);
	else if (is_copy(request.command))
		answer = copy_file(process->plan, request.command - STARTER_COPY, &sent_fd);
	else
		answer = connect_monitor(process->plan->monitor, &sent_fd);
	for (unsigned i = 0; i < STARTER_FDS; i++)
		fd_close(&request.fds[i]);
	bool sent = send_answer(&answer, sent_fd);
	/* A worker's stays here, to tell how many live. */
	if (!starts)
		fd_close(&sent_fd);
	return sent;
}

void starter_process_run(int link, const struct starter_plan *plan, pid_t keeper)
{
	struct starter_process process = { .plan = plan };
	for (unsigned i = 0; i < STARTER_LIVE_MAX; i++)
		process.live[i] = -1;
	if (!give_up(link, keeper))
		_exit(1);
	isolation_init(&process.isolation, plan);
	isolation_leave_network(&process.isolation);
	if (plan->apart && !give_up_capabilities(&process.isolation))
		_exit(1);
	/* A filter takes no_new_privs, and with that no worker would get its profile. */
	if (plan->apart && !process_is_in_profile())
		starter_walls_put_up();
	while (serve_one(&process))
		;
	_exit(0);
}
