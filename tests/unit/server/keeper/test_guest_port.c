/* SPDX-License-Identifier: MIT */
/*
 * guest_port: a guest is told only while it listens, in whole lines, and one that does not read
 * holds up nobody and hears later how much it has missed.
 */
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/keeper/guest_port.h"
#include "server/keeper/lost_contexts.h"

static struct lost_contexts lost = { .n = 1, .cause = "crash", .contexts = { { .id = 5 } } };
static struct guest_port port;
static int qemu;

static void begin(void)
{
	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	guest_port_init(&port, pair[0]);
	qemu = pair[1];
}

static void end(void)
{
	guest_port_finish(&port);
	close(port.fd);
	close(qemu);
}

/* All that has come by now, in a buffer that the next call overwrites. */
static const char *receive(void)
{
	static char text[1 << 20];
	ssize_t n = recv(qemu, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[MAX(n, 0)] = '\0';
	return text;
}

static void test_listens(void)
{
	begin();
	g_assert_false(guest_port_tell(&port, &lost));
	g_assert_false(guest_port_tell(&port, &lost));
	g_assert_cmpstr(receive(), ==, "");
	guest_port_set_open(&port, true);
	g_assert_true(guest_port_tell(&port, &lost));
	g_assert_true(guest_port_tell(&port, &lost));
	g_assert_cmpstr(receive(), ==,
		"vitrine-lost 1 1 crash 1 2 5,-,\nvitrine-lost 1 2 crash 1 0 5,-,\n");
	guest_port_set_open(&port, false);
	g_assert_false(guest_port_tell(&port, &lost));
	g_assert_cmpstr(receive(), ==, "");
	end();
}

/* The socket fills up in pieces of any size, so that a line may be taken in part. */
static void test_full(void)
{
	int bytes = 4096;
	uint64_t n_told = 0, n_lines = 0;
	begin();
	guest_port_set_open(&port, true);
	setsockopt(port.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	while (guest_port_tell(&port, &lost))
		n_told++;
	g_assert_cmpuint(n_told, >, 0);
	for (unsigned i = 0; i < 100; i++)
		g_assert_false(guest_port_tell(&port, &lost));
	for (const char *at = receive(); (at = strchr(at, '\n')); at++)
		n_lines++;
	while (g_main_context_iteration(NULL, FALSE))
		;
	for (const char *at = receive(); (at = strchr(at, '\n')); at++)
		n_lines++;
	g_assert_cmpuint(n_lines, ==, n_told);
	g_assert_true(guest_port_tell(&port, &lost));
	g_assert_nonnull(strstr(receive(), " crash 1 101 5,-,\n"));
	end();
}

static void send_piece(const char *text, size_t left)
{
	memcpy(port.line, text, strlen(text));
	port.length = strlen(text);
	port.left = left;
}

/* Nothing comes between the halves of a line. */
static void test_half(void)
{
	begin();
	guest_port_set_open(&port, true);
	send_piece("first half, second half\n", 12);
	g_assert_false(guest_port_tell(&port, &lost));
	g_assert_cmpstr(receive(), ==, "");
	port.left = 0;
	g_assert_true(guest_port_tell(&port, &lost));
	g_assert_cmpstr(receive(), ==, "vitrine-lost 1 1 crash 1 1 5,-,\n");
	end();
}

static void test_gone(void)
{
	begin();
	guest_port_set_open(&port, true);
	close(qemu);
	g_assert_false(guest_port_tell(&port, &lost));
	qemu = dup(STDERR_FILENO);
	end();
	guest_port_init(&port, -1);
	guest_port_set_open(&port, true);
	g_assert_false(guest_port_tell(&port, &lost));
	guest_port_finish(&port);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest-port/listens", test_listens);
	g_test_add_func("/guest-port/full", test_full);
	g_test_add_func("/guest-port/half", test_half);
	g_test_add_func("/guest-port/gone", test_gone);
	return g_test_run();
}
