/* SPDX-License-Identifier: MIT */
#include "common/link.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"

int link_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	return 0;
}

int link_send(int fd, void *message, size_t size_bytes, const int *fds, unsigned n_fds)
{
	g_assert(size_bytes >= sizeof(struct link_header) && size_bytes <= LINK_MESSAGE_MAX);
	g_assert(n_fds <= LINK_FDS_MAX);
	((struct link_header *)message)->size_bytes = (uint32_t)size_bytes;

	char control[CMSG_SPACE(sizeof(int) * LINK_FDS_MAX)] = { 0 };
	struct iovec iov = { .iov_base = message, .iov_len = size_bytes };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}

	ssize_t n;
	do
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void close_all(int *fds, unsigned n_fds)
{
	for (unsigned i = 0; i < n_fds; i++)
		fd_close(&fds[i]);
}

static unsigned take_fds(struct msghdr *msg, int *fds, unsigned fds_max)
{
	unsigned n_fds = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (n_fds < fds_max)
				fds[n_fds++] = fd;
			else
				close(fd);
		}
	}
	return n_fds;
}

static const struct link_handler *find_handler(
	const struct link_handler *table, size_t table_length, uint32_t type)
{
	for (size_t i = 0; i < table_length; i++) {
		if (table[i].type == type)
			return &table[i];
	}
	return NULL;
}

static bool check(const char *peer, const struct link_handler *row,
	const struct link_header *header, size_t size_bytes, unsigned n_fds)
{
	if (!row) {
		g_warning("%s: unknown message type %u", peer, header->type);
		return false;
	}
	if (size_bytes != row->size_bytes || header->size_bytes != row->size_bytes) {
		g_warning("%s: %s: %zu bytes, expected %zu", peer, row->name, size_bytes,
			row->size_bytes);
		return false;
	}
	if (n_fds < row->fds_min || n_fds > row->fds_max) {
		g_warning("%s: %s: %u descriptors, expected %u to %u", peer, row->name, n_fds,
			row->fds_min, row->fds_max);
		return false;
	}
	return true;
}

int link_dispatch(
	int fd, const char *peer, const struct link_handler *table, size_t table_length, void *user)
{
	union {
		struct link_header header;
		char bytes[LINK_MESSAGE_MAX];
	} message;
	char control[CMSG_SPACE(sizeof(int) * LINK_FDS_MAX)];
	struct iovec iov = { .iov_base = message.bytes, .iov_len = sizeof(message.bytes) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };

	ssize_t n;
	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	/* For want of memory the message stays where it is, and is read the next time. */
	if (n < 0 &&
		(errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOMEM || errno == ENOBUFS))
		return 0;
	if (n < 0)
		return -EPIPE;
	if (n == 0)
		return -EPIPE;

	int fds[LINK_FDS_MAX];
	unsigned n_fds = take_fds(&msg, fds, LINK_FDS_MAX);
	int result = -EPROTO;
	/* What the kernel does not give, although there is place for it, is for want of free ones.
	 */
	if ((msg.msg_flags & MSG_CTRUNC) && n_fds < LINK_FDS_MAX) {
		g_warning("%s: no room for its descriptors (too many open files here)", peer);
	} else if ((size_t)n < sizeof(struct link_header) ||
		   (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		g_warning("%s: truncated message of %zd bytes", peer, n);
	} else {
		const struct link_handler *row =
			find_handler(table, table_length, message.header.type);
		if (check(peer, row, &message.header, (size_t)n, n_fds)) {
			if (row->handle(user, message.bytes, fds, n_fds))
				result = 1;
			else
				g_warning("%s: %s refused", peer, row->name);
		}
	}
	close_all(fds, n_fds);
	return result;
}

bool link_wait_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;
	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}
