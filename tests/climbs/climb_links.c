/* SPDX-License-Identifier: MIT */
/*
 * Messages that break the rules of our own links. Whoever reads one takes nothing of it, drops the
 * link and goes on; the sender may be ended. The test looks whether the reader has survived.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "protocol/frame_link.h"
#include "protocol/keeper_link.h"
#include "tests/climbs/climb_calls.h"

/* Twice what a link takes. */
#define MANY_FDS (2 * LINK_FDS_MAX)

static int send_raw(int link, const void *message, size_t bytes, int fd, unsigned n_fds)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * MANY_FDS)];
		struct cmsghdr header;
	} control = { { 0 } };
	struct iovec data = { (void *)(uintptr_t)message, bytes };
	struct msghdr header = { .msg_iov = &data, .msg_iovlen = 1 };
	if (n_fds > 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		for (unsigned i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	}
	return climb_result(syscall(SYS_sendmsg, link, &header, MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* The frame link is the other socket of messages that this process has. */
static int find_frame_link(void)
{
	for (int fd = KEEPER_LINK_FD + 1; fd < 256; fd++) {
		int type = 0;
		socklen_t size = sizeof(type);
		if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
			type == SOCK_SEQPACKET)
			return fd;
	}
	return -1;
}

static int send_many_fds(const struct climb_targets *t)
{
	struct keeper_ready ready = { { KEEPER_MESSAGE_READY, sizeof(ready) }, KEEPER_LINK_VERSION,
		0 };
	return send_raw(KEEPER_LINK_FD, &ready, sizeof(ready), 2, MANY_FDS);
}

static int send_unwanted_fd(const struct climb_targets *t)
{
	struct keeper_ready ready = { { KEEPER_MESSAGE_READY, sizeof(ready) }, KEEPER_LINK_VERSION,
		0 };
	return send_raw(KEEPER_LINK_FD, &ready, sizeof(ready), KEEPER_LINK_FD, 1);
}

static int send_huge(const struct climb_targets *t)
{
	static struct {
		struct link_header header;
		char rest[2 * LINK_MESSAGE_MAX];
	} message = { .header = { KEEPER_MESSAGE_READY, sizeof(message) } };
	return send_raw(KEEPER_LINK_FD, &message, sizeof(message), 0, 0);
}

static int send_empty(const struct climb_targets *t)
{
	return send_raw(KEEPER_LINK_FD, "", 1, 0, 0);
}

static int send_unknown(const struct climb_targets *t)
{
	struct link_header message = { 0xffffffff, sizeof(message) };
	return send_raw(KEEPER_LINK_FD, &message, sizeof(message), 0, 0);
}

/* What only the keeper says, said to it. */
static int send_backwards(const struct climb_targets *t)
{
	struct keeper_frame_link message = { { KEEPER_MESSAGE_FRAME_LINK, sizeof(message) } };
	return send_raw(KEEPER_LINK_FD, &message, sizeof(message), 2, 1);
}

static int send_frame_many_fds(const struct climb_targets *t)
{
	struct link_header message = { 1, sizeof(message) };
	int link = find_frame_link();
	return link < 0 ? EBADF : send_raw(link, &message, sizeof(message), 2, MANY_FDS);
}

/* A buffer that is no memory: each type that has a descriptor gets the log's. */
static int send_frame_wrong_fd(const struct climb_targets *t)
{
	static char message[256];
	int link = find_frame_link(), error = 0;
	for (uint32_t type = 1; type < 32 && link >= 0; type++) {
		struct link_header header = { type, sizeof(message) };
		memcpy(message, &header, sizeof(header));
		error = send_raw(link, message, sizeof(message), 2, 1);
	}
	return link < 0 ? EBADF : error;
}

/* A zombie is dead, too. */
static bool has_died(int32_t pid)
{
	char path[2 * CLIMB_PATH], text[512];
	long fd = climb_open_fd(climb_proc(path, pid, "stat"), O_RDONLY);
	if (fd < 0)
		return true;
	long n = syscall(SYS_read, fd, text, sizeof(text) - 1);
	syscall(SYS_close, fd);
	text[n > 0 ? n : 0] = '\0';
	const char *after_name = strrchr(text, ')');
	return !after_name || after_name[2] == 'Z' || after_name[2] == 'X';
}

static bool reader_died(const struct climb_targets *t)
{
	return has_died(t->keeper);
}

static bool sibling_died(const struct climb_targets *t)
{
	return has_died(t->keeper) || has_died(t->sibling);
}

#define LINKS CLIMB_LINKS
#define MAY_END CLIMB_MAY_END
static const struct climb rows[] = {
	{ "keeper link: too many descriptors", CLIMB_WORKERS, LINKS, MAY_END, send_many_fds,
		reader_died },
	{ "keeper link: a descriptor too many", CLIMB_WORKERS, LINKS, MAY_END, send_unwanted_fd,
		reader_died },
	{ "keeper link: a huge message", CLIMB_WORKERS, LINKS, MAY_END, send_huge, reader_died },
	{ "keeper link: half a header", CLIMB_WORKERS, LINKS, MAY_END, send_empty, reader_died },
	{ "keeper link: an unknown type", CLIMB_WORKERS, LINKS, MAY_END, send_unknown,
		reader_died },
	{ "keeper link: the keeper's own words", CLIMB_WORKERS, LINKS, MAY_END, send_backwards,
		reader_died },
	{ "frame link: too many descriptors", CLIMB_WORKERS, LINKS, MAY_END, send_frame_many_fds,
		sibling_died },
	{ "frame link: the log as a buffer", CLIMB_WORKERS, LINKS, MAY_END, send_frame_wrong_fd,
		sibling_died },
};

const struct climb_group climb_links = CLIMB_GROUP("links", rows);
