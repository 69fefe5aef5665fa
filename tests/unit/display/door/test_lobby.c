/* SPDX-License-Identifier: MIT */
/*
 * lobby: checks that strangers are few and have a deadline, and that whoever is known is left
 * alone.
 */
#include "display/door/lobby.h"
#include "display/door/limits.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRANGERS (LOBBY_MAX + 3)

static bool is_cut_off(int peer)
{
	char byte;
	return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_few(void)
{
	struct lobby *lobby = lobby_create();
	int sockets[STRANGERS][2];
	for (unsigned i = 0; i < 2; i++)
		g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, "*cut off*more than 48*");
	for (unsigned i = 0; i < STRANGERS; i++) {
		g_assert_cmpint(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets[i]), ==, 0);
		lobby_enter(lobby, &sockets[i], sockets[i][0]);
		/* The second becomes known at once. */
		if (i == 1)
			lobby_leave(lobby, &sockets[i]);
	}
	g_test_assert_expected_messages();
	for (unsigned i = 0; i < STRANGERS; i++)
		g_assert_cmpint(is_cut_off(sockets[i][1]), ==, i == 0 || i == 2);
	lobby_leave(lobby, &sockets[0]);
	lobby_leave(lobby, lobby);
	lobby_destroy(lobby);
	for (unsigned i = 0; i < STRANGERS; i++) {
		close(sockets[i][0]);
		close(sockets[i][1]);
	}
}

static void test_deadline(void)
{
	struct lobby *lobby = lobby_create();
	int known[2], stranger[2];
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, "*cut off*15000 ms*");
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, known), ==, 0);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stranger), ==, 0);
	lobby_enter(lobby, &known, known[0]);
	lobby_enter(lobby, &stranger, stranger[0]);
	lobby_leave(lobby, &known);
	gint64 begin = g_get_monotonic_time();
	while (!is_cut_off(stranger[1]))
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpint(g_get_monotonic_time() - begin, >=, (LOBBY_TIMEOUT_MS - 5) * 1000);
	g_assert_false(is_cut_off(known[1]));
	lobby_destroy(lobby);
	for (unsigned i = 0; i < 2; i++) {
		close(known[i]);
		close(stranger[i]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lobby/few", test_few);
	g_test_add_func("/lobby/deadline", test_deadline);
	return g_test_run();
}
