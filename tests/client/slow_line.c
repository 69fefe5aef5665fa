/* SPDX-License-Identifier: MIT */
#include "tests/client/slow_line.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 32
#define WINDOW_BYTES 16384
#define TICK_US 5000

struct pair {
	int client, server;
};

struct slow_line {
	GThread *thread;
	int quit; /* atomic */
	int listener;
	uint16_t port;
	unsigned bytes_per_tick;
	char *address;
	struct pair pairs[CONNECTIONS_MAX];
	unsigned n_pairs;
};

static int loopback_socket(uint16_t port, int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int window = WINDOW_BYTES, one = 1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	g_assert_cmpint(use(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	return fd;
}

static void cut(struct slow_line *line, unsigned i)
{
	close(line->pairs[i].client);
	close(line->pairs[i].server);
	line->pairs[i] = line->pairs[--line->n_pairs];
}

static void accept_one(struct slow_line *line)
{
	int fd = accept4(line->listener, NULL, NULL, SOCK_CLOEXEC);
	g_assert_cmpuint(line->n_pairs, <, CONNECTIONS_MAX);
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	line->pairs[line->n_pairs++] = (struct pair){ fd, loopback_socket(line->port, connect) };
}

/* Passes on at most bytes_max. Returns how many bytes went, or -1 when one side has gone. */
static int pass(int from, int to, size_t bytes_max)
{
	char bytes[4096];
	ssize_t n = recv(from, bytes, MIN(bytes_max, sizeof(bytes)), MSG_DONTWAIT);
	if (n < 0)
		return 0;
	return n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n ? (int)n : -1;
}

/*
 * Passes on a little of each connection in turn, so that a full channel does not starve the others.
 */
static void pass_down(struct slow_line *line)
{
	unsigned left = line->bytes_per_tick;
	bool some = true;
	while (left > 0 && some) {
		some = false;
		for (unsigned i = 0; i < line->n_pairs && left > 0; i++) {
			int n = pass(line->pairs[i].server, line->pairs[i].client, MIN(left, 1448));
			if (n < 0)
				cut(line, i--);
			else
				left -= (unsigned)n;
			some |= n > 0;
		}
	}
}

static void pass_up(struct slow_line *line)
{
	for (unsigned i = 0; i < line->n_pairs; i++) {
		int n;
		do {
			n = pass(line->pairs[i].client, line->pairs[i].server, SIZE_MAX);
		} while (n > 0);
		if (n < 0)
			cut(line, i--);
	}
}

static gpointer run(gpointer user)
{
	struct slow_line *line = user;
	gint64 next_us = g_get_monotonic_time();
	while (!g_atomic_int_get(&line->quit)) {
		struct pollfd waiting = { .fd = line->listener, .events = POLLIN };
		while (poll(&waiting, 1, 0) > 0)
			accept_one(line);
		pass_up(line);
		for (; next_us <= g_get_monotonic_time(); next_us += TICK_US)
			pass_down(line);
		g_usleep(TICK_US / 2);
	}
	while (line->n_pairs > 0)
		cut(line, 0);
	return NULL;
}

struct slow_line *slow_line_start(uint16_t port, unsigned kbit_per_s)
{
	struct slow_line *line = g_new0(struct slow_line, 1);
	struct sockaddr_in address;
	socklen_t size_bytes = sizeof(address);
	line->port = port;
	line->bytes_per_tick = kbit_per_s * 125 / (1000000 / TICK_US);
	line->listener = loopback_socket(0, bind);
	g_assert_cmpint(listen(line->listener, 8), ==, 0);
	g_assert_cmpint(
		getsockname(line->listener, (struct sockaddr *)&address, &size_bytes), ==, 0);
	line->address = g_strdup_printf("spice://127.0.0.1:%u", ntohs(address.sin_port));
	line->thread = g_thread_new("slow line", run, line);
	return line;
}

const char *slow_line_address(const struct slow_line *line)
{
	return line->address;
}

void slow_line_stop(struct slow_line *line)
{
	g_atomic_int_set(&line->quit, 1);
	g_thread_join(line->thread);
	close(line->listener);
	g_free(line->address);
	g_free(line);
}
