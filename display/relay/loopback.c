/* SPDX-License-Identifier: MIT */
#include "display/relay/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The kernel answers itself within microseconds; after this many milliseconds the connection is
 * given up.
 */
#define CONNECT_TIMEOUT_MS 200
/* Strangers may connect before we do. After this many of them the connection is given up. */
#define BACKLOG 8

/* The listening socket, for the life of the process; -1: there is none yet. */
static int listener = -1;
static struct sockaddr_in listening;
static GMutex lock; /* of the two: pairs are made one after the other */

static int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int listen_anywhere(struct sockaddr_in *own)
{
	socklen_t size = sizeof(*own);
	int fd = make_socket();
	*own = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd >= 0 && bind(fd, (struct sockaddr *)own, size) == 0 && listen(fd, BACKLOG) == 0 &&
		getsockname(fd, (struct sockaddr *)own, &size) == 0)
		return fd;
	int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

uint16_t loopback_open(void)
{
	if (listener < 0)
		listener = listen_anywhere(&listening);
	return listener < 0 ? 0 : ntohs(listening.sin_port);
}

static bool is_same(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
	return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

/* The connecting end may know that it is connected before the listening socket can accept. */
static int accept_soon(struct sockaddr_in *peer)
{
	struct pollfd waiting = { .fd = listener, .events = POLLIN };
	socklen_t size = sizeof(*peer);
	if (poll(&waiting, 1, CONNECT_TIMEOUT_MS) < 0)
		return -1;
	return accept4(listener, (struct sockaddr *)peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Strangers who connected before us are sent away. */
static int accept_from(const struct sockaddr_in *wanted)
{
	for (unsigned i = 0; i <= BACKLOG; i++) {
		struct sockaddr_in peer = { 0 };
		int fd = accept_soon(&peer);
		if (fd < 0)
			return -1;
		if (is_same(&peer, wanted))
			return fd;
		close(fd);
	}
	errno = ECONNABORTED;
	return -1;
}

static void set_option(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* This blocks until the kernel has answered itself. */
static bool connect_to(int fd, const struct sockaddr_in *address, struct sockaddr_in *own)
{
	struct timeval timeout = { .tv_usec = CONNECT_TIMEOUT_MS * 1000 };
	socklen_t size = sizeof(*own);
	int flags = fcntl(fd, F_GETFL);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	bool ok = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
	fcntl(fd, F_SETFL, flags);
	return ok && getsockname(fd, (struct sockaddr *)own, &size) == 0;
}

static bool connect_pair(int ends[2], int inner_bytes)
{
	struct sockaddr_in own;
	ends[0] = make_socket();
	ends[1] = -1;
	if (ends[0] < 0)
		return false;
	/* The buffer is set first: TCP agrees on the window while it connects. */
	set_option(ends[0], SOL_SOCKET, SO_RCVBUF, inner_bytes);
	if (connect_to(ends[0], &listening, &own))
		ends[1] = accept_from(&own);
	if (ends[1] >= 0)
		return true;
	int error = errno;
	close(ends[0]);
	errno = error;
	return false;
}

/* Those who came while nobody waited are sent away, or there would be no room for our end. */
static void send_strangers_away(void)
{
	int fd;
	for (unsigned i = 0; i <= BACKLOG; i++) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		close(fd);
	}
}

static bool make_pair(int ends[2], int inner_bytes)
{
	if (loopback_open() == 0)
		return false;
	send_strangers_away();
	return connect_pair(ends, inner_bytes);
}

bool loopback_pair(int ends[2], int inner_bytes)
{
	g_mutex_lock(&lock);
	bool made = make_pair(ends, inner_bytes);
	g_mutex_unlock(&lock);
	if (!made)
		return false;
	set_option(ends[1], SOL_SOCKET, SO_SNDBUF, inner_bytes);
	for (unsigned i = 0; i < 2; i++)
		set_option(ends[i], IPPROTO_TCP, TCP_NODELAY, 1);
	return true;
}
