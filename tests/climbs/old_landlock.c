/* SPDX-License-Identifier: MIT */
#include "tests/climbs/old_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* linux/landlock.h of 6.12: which bits of handled_access_fs came with each ABI. */
static const uint64_t known_fs[] = { 0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1,
	(1 << 16) - 1 };
#define ABI_MAX (sizeof(known_fs) / sizeof(known_fs[0]) - 1)
/* The second word, of networks, came with 4; the third, of scopes, with 6. */
#define NETWORK_ABI 4
#define WORDS_MAX 3
#define VERSION_FLAG 1
/* The link's number in the process beside; what is above it is closed. */
#define LINK_FD 3

static unsigned told_abi;

static bool read_words(const struct seccomp_notif *call, uint64_t words[WORDS_MAX])
{
	char path[32];
	size_t size = call->data.args[1];
	memset(words, 0, WORDS_MAX * sizeof(words[0]));
	snprintf(path, sizeof(path), "/proc/%u/mem", call->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (size > WORDS_MAX * sizeof(words[0]))
		size = WORDS_MAX * sizeof(words[0]);
	ssize_t n = pread(fd, words, size, (off_t)call->data.args[0]);
	close(fd);
	return n == (ssize_t)size;
}

/* As landlock_create_ruleset() does: more words than it knows must be 0, more bits are refused. */
static int judge(const struct seccomp_notif *call)
{
	uint64_t words[WORDS_MAX];
	if (!read_words(call, words))
		return -EFAULT;
	if ((told_abi < NETWORK_ABI && words[1]) || words[2])
		return -E2BIG;
	return words[0] & ~known_fs[told_abi] ? -EINVAL : 0;
}

static void answer(int listener)
{
	struct seccomp_notif call;
	memset(&call, 0, sizeof(call));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return;
	struct seccomp_notif_resp response = { .id = call.id };
	if (call.data.args[2] == VERSION_FLAG) {
		response.val = told_abi;
	} else {
		response.error = judge(&call);
		if (response.error == 0)
			response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/* A listener goes over a link as any descriptor does; -1: who was to send it has failed. */
static int receive(int link)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	int fd = -1;
	if (recvmsg(link, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	close(link);
	return fd;
}

static bool hand_over(int link, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(link, &msg, MSG_NOSIGNAL) == 1;
}

/*
 * It is not behind the filter itself, or there would always be one who is: the listener hangs up
 * when nobody is left whom the filter holds.
 */
_Noreturn static void serve(int link)
{
	int listener = receive(link);
	struct pollfd p = { .fd = listener, .events = POLLIN };
	while (listener >= 0 && (poll(&p, 1, -1) >= 0 || errno == EINTR)) {
		if (p.revents & POLLIN)
			answer(listener);
		else if (p.revents)
			break;
	}
	_exit(0);
}

/* It is nobody's child, so that nobody takes it for his. Returns the link to it, or -1. */
static int start_beside(void)
{
	int link[2], status = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		prctl(PR_SET_NAME, "old-landlock");
		dup2(link[1], LINK_FD);
		close_range(LINK_FD + 1, ~0u, 0);
		pid_t second = fork();
		if (second == 0)
			serve(LINK_FD);
		_exit(second < 0);
	}
	close(link[1]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return link[0];
	close(link[0]);
	return -1;
}

static int install(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(program) / sizeof(program[0]), program };
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
}

int old_landlock_begin(unsigned abi)
{
	if (abi < 1 || abi > ABI_MAX)
		return -EINVAL;
	told_abi = abi;
	int link = start_beside();
	if (link < 0)
		return -EAGAIN;
	int listener = install(), result = 0;
	if (listener < 0 || !hand_over(link, listener))
		result = -errno;
	if (listener >= 0)
		close(listener);
	close(link);
	return result;
}
