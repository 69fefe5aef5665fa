/* SPDX-License-Identifier: MIT */
/*
 * loopback: checks that the ends are connected with each other, have little room, and do not wait
 * for the kernel's timers.
 */
#include "display/relay/loopback.h"

#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define INNER_BYTES 16384
/* More than wait at a time. */
#define STRANGERS 40
#define MUCH (32 * 1024 * 1024)

static size_t fill(int fd)
{
	static const uint8_t bytes[4096];
	size_t total = 0;
	ssize_t n;
	while ((n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
		total += (size_t)n;
	return total;
}

static void test_pair(void)
{
	int ends[2];
	struct sockaddr_in a = { 0 }, b = { 0 };
	socklen_t size = sizeof(a);
	g_assert_true(loopback_pair(ends, INNER_BYTES));
	g_assert_cmpint(getsockname(ends[0], (struct sockaddr *)&a, &size), ==, 0);
	g_assert_cmpint(getpeername(ends[1], (struct sockaddr *)&b, &size), ==, 0);
	g_assert_cmpuint(a.sin_port, ==, b.sin_port);
	for (unsigned i = 0; i < 2; i++) {
		g_assert_true(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
		g_assert_true(fcntl(ends[i], F_GETFD) & FD_CLOEXEC);
	}
	size_t room_bytes = fill(ends[1]);
	g_test_message("room: %zu bytes", room_bytes);
	g_assert_cmpuint(room_bytes, >=, INNER_BYTES / 2);
	g_assert_cmpuint(room_bytes, <=, INNER_BYTES * 5);
	close(ends[0]);
	close(ends[1]);
}

/* Strangers who fill the queue of the listening socket are sent away. */
static void test_strangers(void)
{
	int ends[2], strangers[STRANGERS];
	struct sockaddr_in port = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(loopback_open()) };
	for (unsigned i = 0; i < STRANGERS; i++) {
		strangers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(strangers[i], (struct sockaddr *)&port, sizeof(port));
	}
	g_assert_true(loopback_pair(ends, INNER_BYTES));
	close(ends[0]);
	close(ends[1]);
	for (unsigned i = 0; i < STRANGERS; i++)
		close(strangers[i]);
}

static gpointer read_much(gpointer user)
{
	int fd = GPOINTER_TO_INT(user);
	static uint8_t bytes[16384];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	for (size_t left = MUCH; left > 0;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
		if (n > 0)
			left -= (size_t)n;
		else
			poll(&p, 1, 5000);
	}
	return NULL;
}

/*
 * Small buffers and large packets can make each end wait for the other, which would take minutes.
 */
static void test_throughput(void)
{
	int ends[2];
	static const uint8_t bytes[65536];
	g_assert_true(loopback_pair(ends, INNER_BYTES));
	GThread *reader = g_thread_new("reader", read_much, GINT_TO_POINTER(ends[0]));
	struct pollfd p = { .fd = ends[1], .events = POLLOUT };
	gint64 start_us = g_get_monotonic_time();
	for (size_t left = MUCH; left > 0;) {
		ssize_t n = send(ends[1], bytes, MIN(sizeof(bytes), left), MSG_NOSIGNAL);
		if (n > 0)
			left -= (size_t)n;
		else
			poll(&p, 1, 5000);
	}
	g_thread_join(reader);
	double taken_s = (double)(g_get_monotonic_time() - start_us) / G_USEC_PER_SEC;
	g_test_message("%.0f MB/s", MUCH / taken_s / 1e6);
	g_assert_cmpfloat(taken_s, <, 30);
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-loopback/pair", test_pair);
	g_test_add_func("/relay-loopback/strangers", test_strangers);
	g_test_add_func("/relay-loopback/throughput", test_throughput);
	return g_test_run();
}
