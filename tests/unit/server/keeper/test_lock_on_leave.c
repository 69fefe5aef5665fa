/* SPDX-License-Identifier: MIT */
/*
 * lock_on_leave: has people come and go. The guest is told when the last one has gone who may do
 * more than look on, and not while one takes another's place.
 */
#include "server/keeper/lock_on_leave.h"

#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/keeper/guest_port.h"

static struct guest_port port;
static struct lock_on_leave lock;
static int qemu;

static void begin(void)
{
	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	guest_port_init(&port, pair[0]);
	guest_port_set_open(&port, true);
	qemu = pair[1];
	lock_on_leave_init(&lock, &port);
}

static void end(void)
{
	lock_on_leave_finish(&lock);
	guest_port_finish(&port);
	close(port.fd);
	close(qemu);
}

static void note(enum keeper_client_what what, uint32_t flags)
{
	const struct keeper_client client = { .what = what, .flags = flags };
	lock_on_leave_note(&lock, &client);
}

static gboolean on_time(gpointer user)
{
	*(bool *)user = true;
	return G_SOURCE_REMOVE;
}

/* Lets a while pass. Tells how often the guest was told to lock. */
static unsigned wait_locks(unsigned ms)
{
	char text[256] = "";
	bool over = false;
	unsigned n = 0;
	g_timeout_add(ms, on_time, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
	if (recv(qemu, text, sizeof(text) - 1, MSG_DONTWAIT) < 0)
		return 0;
	for (const char *at = text; (at = strstr(at, "vitrine-lock 1\n")); at++)
		n++;
	return n;
}

#define LONG_MS (LOCK_ON_LEAVE_MS + 300)

static void test_leave(void)
{
	begin();
	note(KEEPER_CLIENT_CAME, 0);
	note(KEEPER_CLIENT_LEFT, 0);
	g_assert_cmpuint(wait_locks(LONG_MS), ==, 1);
	end();
}

/* Those who only look on neither keep it open nor lock it, and neither does who was not let in. */
static void test_lookers(void)
{
	begin();
	note(KEEPER_CLIENT_CAME, 0);
	note(KEEPER_CLIENT_CAME, KEEPER_CLIENT_VIEW_ONLY);
	note(KEEPER_CLIENT_REFUSED, 0);
	note(KEEPER_CLIENT_LEFT, KEEPER_CLIENT_VIEW_ONLY);
	g_assert_cmpuint(wait_locks(LONG_MS), ==, 0);
	end();
}

/* Whichever of the two is told first. */
static void test_place_taken(void)
{
	begin();
	note(KEEPER_CLIENT_CAME, 0);
	note(KEEPER_CLIENT_LEFT, 0);
	note(KEEPER_CLIENT_CAME, 0);
	note(KEEPER_CLIENT_CAME, 0);
	note(KEEPER_CLIENT_LEFT, 0);
	g_assert_cmpuint(wait_locks(LONG_MS), ==, 0);
	lock_on_leave_all_left(&lock);
	note(KEEPER_CLIENT_LEFT, 0);
	g_assert_cmpuint(wait_locks(LONG_MS), ==, 1);
	end();
}

static void test_nobody_listens(void)
{
	begin();
	guest_port_set_open(&port, false);
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, "*session is not locked*");
	note(KEEPER_CLIENT_CAME, 0);
	note(KEEPER_CLIENT_LEFT, 0);
	g_assert_cmpuint(wait_locks(LONG_MS), ==, 0);
	g_test_assert_expected_messages();
	end();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lock-on-leave/leave", test_leave);
	g_test_add_func("/lock-on-leave/lookers", test_lookers);
	g_test_add_func("/lock-on-leave/place-taken", test_place_taken);
	g_test_add_func("/lock-on-leave/nobody-listens", test_nobody_listens);
	return g_test_run();
}
