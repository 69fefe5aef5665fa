/* SPDX-License-Identifier: MIT */
/*
 * line: checks figures of a real TCP connection, and that one wake comes when the backlog has gone
 * down.
 */
#include "display/line/line.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define MARK_BYTES 4096
#define ATTEMPTS 5000

static unsigned n_awaited, n_woken;

static void on_awaited(void *user)
{
	n_awaited++;
}

static void on_wake(void *user)
{
	n_woken++;
}

static void tcp_pair(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int small_bytes = 8192;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(ends[1], SOL_SOCKET, SO_RCVBUF, &small_bytes, sizeof(small_bytes));
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(listen(listener, 1), ==, 0);
	g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &size), ==, 0);
	g_assert_cmpint(connect(ends[1], (struct sockaddr *)&address, size), ==, 0);
	ends[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	g_assert_cmpint(ends[0], >=, 0);
	close(listener);
}

struct rig {
	struct line *line;
	int ends[2];
	unsigned name;
};

static void rig_start(struct rig *rig)
{
	struct line_open open = { .inner_fd = -1, .client = "here:1", .awaited = on_awaited };
	tcp_pair(rig->ends);
	open.outer_fd = rig->ends[0];
	rig->line = line_create();
	line_set_wake(rig->line, 1, on_wake, NULL);
	rig->name = line_open(rig->line, 1, &open);
	n_awaited = n_woken = 0;
}

static void rig_stop(struct rig *rig)
{
	line_close(rig->line, 1, rig->name);
	line_destroy(rig->line);
	close(rig->ends[0]);
	close(rig->ends[1]);
}

/* Sends until the kernel takes no more; returns how many bytes it took. */
static size_t fill(int fd)
{
	static const uint8_t bytes[65536];
	size_t total = 0;
	ssize_t n;
	while ((n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
		total += (size_t)n;
	return total;
}

static void drain(int fd, size_t size_bytes)
{
	static uint8_t bytes[65536];
	while (size_bytes > 0) {
		ssize_t n = recv(fd, bytes, MIN(sizeof(bytes), size_bytes), 0);
		g_assert_cmpint(n, >, 0);
		size_bytes -= (size_t)n;
	}
}

/* Waits for the wake, as the last acknowledgement may come late. */
static void await_wake(struct rig *rig)
{
	for (unsigned i = 0; i < ATTEMPTS && line_check(rig->line, 1, rig->name); i++)
		g_usleep(1000);
}

static void test_figures(void)
{
	struct rig rig;
	struct line_figures figures;
	rig_start(&rig);
	g_assert_false(line_get(rig.line, 0, &figures));
	g_assert_true(line_get(rig.line, 1, &figures));
	g_assert_cmpstr(figures.client, ==, "here:1");
	g_assert_cmpuint(figures.rtt_us, >, 0);
	g_assert_cmpuint(figures.rtt_min_us, <=, figures.rtt_us);
	g_assert_cmpuint(figures.backlog_bytes, ==, 0);
	line_set_held(rig.line, 1, rig.name, 77);
	line_set_held(rig.line, 1, rig.name + 1, 99);
	g_assert_true(line_get(rig.line, 1, &figures));
	g_assert_cmpuint(figures.backlog_bytes, ==, 77);
	line_set_held(rig.line, 1, rig.name, 0);
	size_t sent = fill(rig.ends[0]);
	g_assert_true(line_get(rig.line, 1, &figures));
	g_assert_cmpuint(figures.backlog_bytes, >, 0);
	drain(rig.ends[1], sent);
	g_assert_true(line_get(rig.line, 1, &figures));
	g_assert_cmpuint(figures.rate_bps, >, 0);
	rig_stop(&rig);
}

static void test_wake(void)
{
	struct rig rig;
	rig_start(&rig);
	g_assert_false(line_wait_below(rig.line, 1, MARK_BYTES));
	g_assert_cmpuint(n_awaited, ==, 0);
	size_t sent = fill(rig.ends[0]);
	g_assert_true(line_wait_below(rig.line, 1, MARK_BYTES));
	g_assert_cmpuint(n_awaited, ==, 1);
	g_assert_true(line_check(rig.line, 1, rig.name));
	g_assert_cmpuint(n_woken, ==, 0);
	drain(rig.ends[1], sent);
	await_wake(&rig);
	g_assert_cmpuint(n_woken, ==, 1);
	g_assert_false(line_check(rig.line, 1, rig.name));
	g_assert_cmpuint(n_woken, ==, 1);
	rig_stop(&rig);
	g_assert_cmpuint(n_woken, ==, 1);
}

/* Nobody waits for ever, neither for a line that ends nor for one that is replaced. */
static void test_end(void)
{
	struct line_figures figures;
	struct rig rig;
	rig_start(&rig);
	fill(rig.ends[0]);
	g_assert_true(line_wait_below(rig.line, 1, MARK_BYTES));
	unsigned old = rig.name;
	struct line_open open = { .outer_fd = rig.ends[0], .inner_fd = -1 };
	rig.name = line_open(rig.line, 1, &open);
	g_assert_cmpuint(n_woken, ==, 1);
	g_assert_true(line_wait_below(rig.line, 1, MARK_BYTES));
	line_close(rig.line, 1, old);
	g_assert_cmpuint(n_woken, ==, 1);
	line_close(rig.line, 1, rig.name);
	g_assert_cmpuint(n_woken, ==, 2);
	g_assert_false(line_get(rig.line, 1, &figures));
	g_assert_false(line_wait_below(rig.line, 1, 1));
	rig_stop(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/line/figures", test_figures);
	g_test_add_func("/line/wake", test_wake);
	g_test_add_func("/line/end", test_end);
	return g_test_run();
}
