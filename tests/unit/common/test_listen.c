/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <glib-unix.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/unit/server/files.h"

static void test_listen(void)
{
	g_assert_true(listen_is_loopback("127.0.0.1"));
	g_assert_true(listen_is_loopback("::1"));
	g_assert_false(listen_is_loopback("0.0.0.0"));
	g_assert_false(listen_is_loopback("192.0.2.1"));

	g_autoptr(GError) error = NULL;
	unsigned port = 0, other = 0;
	int first = listen_tcp_range("127.0.0.1", 25900, 25999, &port, &error);
	g_assert_no_error(error);
	g_assert_cmpint(listen_tcp("127.0.0.1", port, &error), ==, -1);
	g_assert_nonnull(strstr(error->message, "in use"));
	int second = listen_tcp_range("127.0.0.1", port, 25999, &other, NULL);
	g_assert_cmpuint(other, >, port);
	close(first);
	close(second);
}

static void test_listen_unix(void)
{
	g_autoptr(GError) error = NULL;
	char *path = write_file("socket", "x", 1);
	/* The file is no socket, so it is not ours to remove. */
	g_assert_cmpint(listen_unix(path, NULL), ==, -1);
	g_unlink(path);
	int fd = listen_unix(path, &error);
	g_assert_no_error(error);
	struct stat st;
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
	g_assert_cmpint(listen_unix(path, NULL), ==, -1);
	close(fd);
	fd = listen_unix(path, &error);
	g_assert_no_error(error);
	close(fd);
	remove_file(path);
}

/* ---- listeners that never connect ---- */

/* One connection's answer on this machine takes microseconds. */
#define ANSWER_MS 200

struct address {
	struct sockaddr_storage storage;
	socklen_t size;
};

static struct address address_of(int fd)
{
	struct address address = { .size = sizeof(address.storage) };
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address.storage, &address.size), ==, 0);
	return address;
}

static int connect_to(int fd, const struct address *to)
{
	return connect(fd, (const struct sockaddr *)&to->storage, to->size);
}

/* Has a client come and speak, and be answered. The caller closes both. */
static int accept_client(int listener, int *client)
{
	struct address address = address_of(listener);
	char byte = 0;
	*client = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect_to(*client, &address), ==, 0);
	struct pollfd p = { listener, POLLIN, 0 };
	g_assert_cmpint(poll(&p, 1, 1000), ==, 1);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	g_assert_cmpint(write(*client, "a", 1), ==, 1);
	g_assert_cmpint(read(fd, &byte, 1), ==, 1);
	g_assert_cmpint(write(fd, "b", 1), ==, 1);
	g_assert_cmpint(read(*client, &byte, 1), ==, 1);
	return fd;
}

/* Returns 0 when it is connected, or why it is not; EINPROGRESS: nothing was heard. */
static int connect_anew(int fd, const struct address *to)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct timeval limit = { .tv_usec = ANSWER_MS * 1000 };
	g_unix_set_fd_nonblocking(fd, FALSE, NULL);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	shutdown(fd, SHUT_RDWR);
	connect(fd, &nobody, sizeof(nobody));
	return connect_to(fd, to) < 0 ? errno : 0;
}

static void check_never_connects(const char *local)
{
	g_autoptr(GError) error = NULL;
	unsigned port, other_port;
	int other = listen_tcp_range(local, 26000, 26049, &other_port, &error);
	struct address there = address_of(other);
	int listener = listen_tcp_range(local, 26050, 26099, &port, &error);
	g_assert_no_error(error);
	int client, fd = accept_client(listener, &client);
	/* What was accepted before may, which shows that it is the filter that holds others. */
	g_assert_cmpint(connect_anew(fd, &there), ==, 0);
	close(fd);
	close(client);

	g_assert_true(listen_never_connect(listener, &error));
	g_assert_true(listen_never_connect(listener, &error));
	g_assert_no_error(error);
	fd = accept_client(listener, &client);
	g_assert_cmpint(connect_anew(fd, &there), ==, EINPROGRESS);
	close(fd);
	close(client);
	g_assert_cmpint(connect_anew(listener, &there), ==, EINPROGRESS);
	close(other);
	/* Now nobody listens there, and that is not to be learnt either. */
	g_assert_cmpint(connect_anew(listener, &there), ==, EINPROGRESS);
	close(listener);
}

/* Newer kernels let only root do it. */
static bool skip_without_right(void)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	const struct sock_fprog filter = { 1, &pass };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 &&
		       errno == EPERM;
	close(fd);
	if (refused)
		g_test_skip("the kernel lets us put no filter on TCP sockets");
	return refused;
}

static void test_never_connects(void)
{
	if (skip_without_right())
		return;
	check_never_connects("127.0.0.1");
	int has_ipv6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (has_ipv6 >= 0)
		check_never_connects("::1");
	close(has_ipv6);
}

/* A client's resets come through: its connection is over for us, too. */
static void test_reset_is_heard(void)
{
	unsigned port;
	int listener = listen_tcp_range("127.0.0.1", 26050, 26099, &port, NULL), client;
	const struct linger reset = { 1, 0 };
	char byte;
	if (skip_without_right()) {
		close(listener);
		return;
	}
	g_assert_true(listen_never_connect(listener, NULL));
	int fd = accept_client(listener, &client);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	g_assert_cmpint(read(fd, &byte, 1), ==, -1);
	g_assert_cmpint(errno, ==, ECONNRESET);
	close(fd);
	close(listener);
}

/* Another's filter that is locked is not taken for ours. */
static void test_foreign_filter(void)
{
	if (skip_without_right())
		return;
	g_autoptr(GError) error = NULL;
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	const struct sock_fprog filter = { 1, &pass };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), ==, 0);
	g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)), ==, 0);
	g_assert_false(listen_never_connect(fd, &error));
	g_assert_nonnull(strstr(error->message, "not permitted"));
	close(fd);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/listen/tcp", test_listen);
	g_test_add_func("/listen/unix", test_listen_unix);
	g_test_add_func("/listen/never-connects", test_never_connects);
	g_test_add_func("/listen/reset-is-heard", test_reset_is_heard);
	g_test_add_func("/listen/foreign-filter", test_foreign_filter);
	return g_test_run();
}
