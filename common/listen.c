/* SPDX-License-Identifier: MIT */
#include "common/listen.h"

#include <errno.h>
#include <gio/gio.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void set_errno_error(GError **error, int number, const char *what)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number), "cannot listen on %s: %s",
		what, g_strerror(number));
}

static struct addrinfo *resolve(const char *address, const char *port, GError **error)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE
	};
	struct addrinfo *list = NULL;
	int result = getaddrinfo(address, port, &hints, &list);
	if (result != 0) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			"cannot listen on %s: %s", address, gai_strerror(result));
		return NULL;
	}
	return list;
}

static bool sockaddr_is_loopback(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, addr, sizeof(in));
		return (ntohl(in.sin_addr.s_addr) >> 24) == 127;
	}
	if (addr->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, addr, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
	}
	return false;
}

bool listen_is_loopback(const char *address)
{
	struct addrinfo *list = resolve(address, "1", NULL);
	bool loopback = list != NULL;
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		loopback = loopback && sockaddr_is_loopback(a->ai_addr);
	if (list)
		freeaddrinfo(list);
	return loopback;
}

/*
 * What is accepted has the listening socket's congestion control, and whoever accepts it may lack
 * the right to choose: display/relay/outer.c says what is wrong with BBR.
 */
static void avoid_bbr(int fd)
{
	char name[16] = "";
	socklen_t size = sizeof(name) - 1;
	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 &&
		g_str_has_prefix(name, "bbr"))
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic"));
}

static int listen_on(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	avoid_bbr(fd);
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
		int number = errno;
		close(fd);
		return -number;
	}
	return fd;
}

/* ---- what is handed to somebody ---- */

/* A socket's filter sees segments from their TCP header on. */
#define TCP_SEQUENCE 4
#define TCP_FLAGS 13
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_ACK 0x10

/*
 * What answers a connection of ours: SYN with ACK, and where nobody listens a reset whose number is
 * zero, since we had sent none to count from. Clients send the first never, and the second once in
 * 2^32 resets.
 */
static struct sock_filter no_answers[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_RST, 3, 0),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FLAG_SYN | FLAG_ACK),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FLAG_SYN | FLAG_ACK, 3, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TCP_SEQUENCE),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

/* A filter that is locked cannot be set again, and whoever hands us a listener may have done it. */
static bool has_no_answers(int fd)
{
	struct sock_filter found[G_N_ELEMENTS(no_answers)];
	/* The kernel counts in instructions. */
	socklen_t n = G_N_ELEMENTS(found);
	return getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, found, &n) == 0 &&
	       n == G_N_ELEMENTS(found) && memcmp(found, no_answers, sizeof(found)) == 0;
}

bool listen_never_connect(int fd, GError **error)
{
	const struct sock_fprog filter = { G_N_ELEMENTS(no_answers), no_answers };
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) == 0)
		return true;
	int number = errno;
	if (number == EPERM && has_no_answers(fd))
		return true;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number),
		"cannot keep a listener from connecting: %s", g_strerror(number));
	return false;
}

int listen_tcp(const char *address, unsigned port, GError **error)
{
	g_autofree char *service = g_strdup_printf("%u", port);
	struct addrinfo *list = resolve(address, service, error);
	if (!list)
		return -1;
	int fd = -EADDRNOTAVAIL;
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = listen_on(a);
	freeaddrinfo(list);
	if (fd < 0) {
		g_autofree char *what = g_strdup_printf("%s port %u", address, port);
		set_errno_error(error, -fd, what);
		return -1;
	}
	return fd;
}

int listen_tcp_range(
	const char *address, unsigned first, unsigned last, unsigned *port, GError **error)
{
	for (unsigned p = first; p <= last; p++) {
		g_autoptr(GError) inner = NULL;
		int fd = listen_tcp(address, p, &inner);
		if (fd >= 0) {
			*port = p;
			return fd;
		}
		if (!g_error_matches(inner, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)) {
			g_propagate_error(error, g_steal_pointer(&inner));
			return -1;
		}
	}
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
		"cannot listen on %s: every port from %u to %u is taken", address, first, last);
	return -1;
}

/* Unlinks a socket file that refuses connections, which says that nobody listens on it any more. */
static bool remove_stale(const char *path, const struct sockaddr_un *addr, int type)
{
	struct stat st;
	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	int probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return false;
	bool stale = connect(probe, (const struct sockaddr *)addr, sizeof(*addr)) < 0 &&
		     errno == ECONNREFUSED;
	close(probe);
	return stale && unlink(path) == 0;
}

static int listen_unix_type(const char *path, int type, GError **error)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(addr.sun_path)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG,
			"cannot listen on %s: longer than the %zu bytes a socket path may have",
			path, sizeof(addr.sun_path) - 1);
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path));

	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || fchmod(fd, 0600) < 0)
		goto fail;
	int result = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	if (result < 0 && errno == EADDRINUSE) {
		if (remove_stale(path, &addr, type))
			result = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
		else
			errno = EADDRINUSE;
	}
	if (result < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		goto fail;
	return fd;

fail:
	set_errno_error(error, errno, path);
	if (fd >= 0)
		close(fd);
	return -1;
}

int listen_unix(const char *path, GError **error)
{
	return listen_unix_type(path, SOCK_STREAM, error);
}

int listen_unix_packets(const char *path, GError **error)
{
	return listen_unix_type(path, SOCK_SEQPACKET, error);
}

/* connect() waits while the listener's backlog is full; SO_SNDTIMEO bounds that (unix(7)). */
int listen_connect_packets(const char *path, unsigned timeout_ms, GError **error)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval timeout = { .tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000 };
	int number = ENAMETOOLONG, fd = -1;
	if (strlen(path) < sizeof(addr.sun_path)) {
		memcpy(addr.sun_path, path, strlen(path));
		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		if (fd >= 0 &&
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
			connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
		number = errno;
	}
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number), "cannot connect to %s: %s",
		path, g_strerror(number));
	if (fd >= 0)
		close(fd);
	return -1;
}
