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

#define ALL_MAX 8
#define NETWORK_MAX 6

struct stranger {
	int fds[2]; /* ours, the peer's */
	struct peer_address from;
};

static bool is_cut_off(int peer)
{
	char byte;
	return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void come(struct lobby *lobby, struct stranger *stranger, unsigned host)
{
	stranger->from = (struct peer_address){ .kind = PEER_ADDRESS_INET,
		.bytes = { 192, 0, 2, (uint8_t)host } };
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stranger->fds), ==, 0);
	lobby_enter(lobby, stranger, stranger->fds[0], &stranger->from);
}

static void expect_cut_off(const char *pattern)
{
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, pattern);
}

/* Checks who is cut off ('x') and who is not ('.'), and ends all. */
static void end(struct lobby *lobby, struct stranger *strangers, const char *expected)
{
	g_test_assert_expected_messages();
	for (unsigned i = 0; expected[i]; i++) {
		g_test_message("stranger %u", i);
		g_assert_cmpint(is_cut_off(strangers[i].fds[1]), ==, expected[i] == 'x');
		lobby_leave(lobby, &strangers[i]);
		close(strangers[i].fds[0]);
		close(strangers[i].fds[1]);
	}
	g_assert_cmpuint(lobby_length(lobby), ==, 0);
	lobby_destroy(lobby);
}

/* The oldest of one network goes when there are more than it may have. */
static void test_network(void)
{
	struct lobby *lobby = lobby_create(ALL_MAX, NETWORK_MAX);
	struct stranger strangers[NETWORK_MAX + 3];
	expect_cut_off("*192.0.2.1:0: cut off*its network has more such connections than 6");
	expect_cut_off("*192.0.2.1:0: cut off*its network has more such connections than 6");
	for (unsigned i = 0; i < NETWORK_MAX + 3; i++) {
		come(lobby, &strangers[i], 1);
		/* The second becomes known at once. */
		if (i == 1)
			lobby_leave(lobby, &strangers[i]);
	}
	g_assert_cmpuint(lobby_length(lobby), ==, NETWORK_MAX);
	lobby_leave(lobby, lobby);
	lobby_progress(lobby, lobby);
	end(lobby, strangers, "x.x......");
}

/* A network that has most pays for all, however long the others have been in. */
static void test_most(void)
{
	struct lobby *lobby = lobby_create(ALL_MAX, NETWORK_MAX);
	struct stranger strangers[ALL_MAX + 3];
	const unsigned hosts[ALL_MAX + 3] = { 1, 2, 2, 3, 3, 3, 3, 3, 4, 4, 2 };
	expect_cut_off("*192.0.2.3:0: cut off*there are more such connections than 8");
	expect_cut_off("*192.0.2.3:0: cut off*there are more such connections than 8");
	/* Now three networks have three, two and two: the third has been there for longest. */
	expect_cut_off("*192.0.2.*:0: cut off*there are more such connections than 8");
	for (unsigned i = 0; i < ALL_MAX + 3; i++)
		come(lobby, &strangers[i], hosts[i]);
	g_assert_false(is_cut_off(strangers[0].fds[1]));
	lobby_leave(lobby, &strangers[0]);
	come(lobby, &strangers[0], 5);
	end(lobby, strangers, "...xxx.....");
}

/* Who goes on talking stays, beside a crowd from its own network. */
static void test_progress(void)
{
	struct lobby *lobby = lobby_create(ALL_MAX, NETWORK_MAX);
	struct stranger talker, crowd[50];
	/* Warnings come, some of them: peer_log.h bounds how many. */
	GLogLevelFlags fatal = g_log_set_always_fatal(G_LOG_FATAL_MASK);
	come(lobby, &talker, 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(crowd); i++) {
		come(lobby, &crowd[i], 1);
		if (i % (NETWORK_MAX - 2) == 0)
			lobby_progress(lobby, &talker);
	}
	g_log_set_always_fatal(fatal);
	g_assert_false(is_cut_off(talker.fds[1]));
	lobby_leave(lobby, &talker);
	for (unsigned i = 0; i < G_N_ELEMENTS(crowd); i++) {
		g_assert_cmpint(is_cut_off(crowd[i].fds[1]), ==,
			i < G_N_ELEMENTS(crowd) - (NETWORK_MAX - 1));
		lobby_leave(lobby, &crowd[i]);
		close(crowd[i].fds[0]);
		close(crowd[i].fds[1]);
	}
	close(talker.fds[0]);
	close(talker.fds[1]);
	lobby_destroy(lobby);
}

static void test_deadline(void)
{
	struct lobby *lobby = lobby_create(ALL_MAX, NETWORK_MAX);
	struct stranger known, stranger;
	expect_cut_off("*192.0.2.2:0: cut off*longer than, in ms, 15000");
	come(lobby, &known, 1);
	come(lobby, &stranger, 2);
	lobby_leave(lobby, &known);
	gint64 begin = g_get_monotonic_time();
	/* Getting further gives no more time. */
	while (!is_cut_off(stranger.fds[1])) {
		lobby_progress(lobby, &stranger);
		g_main_context_iteration(NULL, TRUE);
	}
	g_assert_cmpint(g_get_monotonic_time() - begin, >=, (LOBBY_TIMEOUT_MS - 5) * 1000);
	g_assert_false(is_cut_off(known.fds[1]));
	lobby_destroy(lobby);
	for (unsigned i = 0; i < 2; i++) {
		close(known.fds[i]);
		close(stranger.fds[i]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lobby/network", test_network);
	g_test_add_func("/lobby/most", test_most);
	g_test_add_func("/lobby/deadline", test_deadline);
	g_test_add_func("/lobby/progress", test_progress);
	return g_test_run();
}
