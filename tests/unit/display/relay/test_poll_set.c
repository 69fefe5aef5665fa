/* SPDX-License-Identifier: MIT */
/* poll set: checks that each source is called when it should be, and never otherwise. */
#include "display/relay/poll_set.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOURCES 200

struct caller {
	struct poll_set *set;
	struct poll_source *source;
	struct poll_end *end;
	int fds[2]; /* ours, the peer's */
	unsigned n_calls;
	GIOCondition came;
	bool reads; /* when it is called */
};

static void on_ready(void *user)
{
	struct caller *caller = user;
	char bytes[16];
	caller->n_calls++;
	caller->came = caller->end ? poll_end_came(caller->end) : 0;
	if (caller->reads)
		g_assert_cmpint(recv(caller->fds[0], bytes, sizeof(bytes), MSG_DONTWAIT), >, 0);
}

static void start(struct caller *caller, struct poll_set *set)
{
	*caller = (struct caller){ .set = set };
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, caller->fds), ==, 0);
	caller->source = poll_source_create(set, on_ready, caller);
	caller->end = poll_source_add(caller->source, caller->fds[0], G_IO_IN);
}

static void stop(struct caller *caller)
{
	g_clear_pointer(&caller->end, poll_end_remove);
	poll_source_stop(caller->source);
	poll_source_destroy(caller->source);
	close(caller->fds[0]);
	close(caller->fds[1]);
}

/* Runs the loop until it has nothing more to do at once. */
static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void say(struct caller *caller)
{
	g_assert_cmpint(send(caller->fds[1], "x", 1, MSG_NOSIGNAL), ==, 1);
}

static void test_descriptors(void)
{
	struct poll_set *set = poll_set_create(NULL);
	static struct caller callers[SOURCES];
	for (unsigned i = 0; i < SOURCES; i++)
		start(&callers[i], set);
	turn();
	for (unsigned i = 0; i < SOURCES; i++)
		g_assert_cmpuint(callers[i].n_calls, ==, 0);
	/* Each that speaks is called, more of them than there are events in a turn. */
	for (unsigned i = 0; i < SOURCES; i += 2) {
		callers[i].reads = true;
		say(&callers[i]);
	}
	turn();
	for (unsigned i = 0; i < SOURCES; i++) {
		g_assert_cmpuint(callers[i].n_calls, ==, i % 2 == 0);
		g_assert_cmpint(callers[i].came, ==, i % 2 == 0 ? G_IO_IN : 0);
		stop(&callers[i]);
	}
	poll_set_destroy(set);
}

static void test_wants(void)
{
	struct poll_set *set = poll_set_create(NULL);
	struct caller caller;
	start(&caller, set);
	poll_end_want(caller.end, 0);
	say(&caller);
	turn();
	g_assert_cmpuint(caller.n_calls, ==, 0);
	/* It is told again in each turn while nothing is read. */
	poll_end_want(caller.end, G_IO_IN | G_IO_OUT);
	g_main_context_iteration(NULL, FALSE);
	g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(caller.n_calls, ==, 2);
	g_assert_cmpint(caller.came, ==, G_IO_IN | G_IO_OUT);
	poll_end_want(caller.end, 0);
	shutdown(caller.fds[1], SHUT_RDWR);
	g_main_context_iteration(NULL, FALSE);
	g_assert_cmpint(caller.came, ==, G_IO_HUP);
	g_clear_pointer(&caller.end, poll_end_remove);
	caller.n_calls = 0;
	turn();
	g_assert_cmpuint(caller.n_calls, ==, 0);
	stop(&caller);
	poll_set_destroy(set);
}

static gboolean on_over(gpointer user)
{
	*(bool *)user = true;
	return G_SOURCE_REMOVE;
}

static void sleep_in_loop(unsigned ms)
{
	bool over = false;
	g_timeout_add(ms, on_over, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
}

static void test_times(void)
{
	struct poll_set *set = poll_set_create(NULL);
	static struct caller callers[SOURCES];
	gint64 now_us = g_get_monotonic_time();
	for (unsigned i = 0; i < SOURCES; i++)
		start(&callers[i], set);
	/* Times in disorder; some are taken back, some put off. */
	for (unsigned i = 0; i < SOURCES; i++)
		poll_source_plan(callers[i].source, now_us + (i * 77 % SOURCES) * 200);
	for (unsigned i = 0; i < SOURCES; i += 5)
		poll_source_plan(callers[i].source, -1);
	for (unsigned i = 1; i < SOURCES; i += 5)
		poll_source_plan(callers[i].source, now_us + G_USEC_PER_SEC * 60);
	poll_source_plan(callers[2].source, 0);
	turn();
	g_assert_cmpuint(callers[2].n_calls, ==, 1);
	sleep_in_loop(SOURCES * 200 / 1000 + 20);
	for (unsigned i = 0; i < SOURCES; i++)
		g_assert_cmpuint(callers[i].n_calls, ==, i % 5 >= 2);
	for (unsigned i = 0; i < SOURCES; i++)
		stop(&callers[i]);
	poll_set_destroy(set);
}

static gpointer wake(gpointer user)
{
	poll_source_wake(user);
	return NULL;
}

static void test_wake(void)
{
	struct poll_set *set = poll_set_create(NULL);
	struct caller callers[2];
	start(&callers[0], set);
	start(&callers[1], set);
	for (unsigned i = 1; i <= 1000; i++) {
		GThread *thread = g_thread_new("wake", wake, callers[1].source);
		while (callers[1].n_calls < i)
			g_main_context_iteration(NULL, TRUE);
		g_thread_join(thread);
		turn();
	}
	g_assert_cmpuint(callers[0].n_calls, ==, 0);
	g_assert_cmpuint(callers[1].n_calls, ==, 1000);
	/* Nobody is called after its stop. */
	poll_source_wake(callers[0].source);
	poll_source_plan(callers[1].source, 0);
	stop(&callers[0]);
	stop(&callers[1]);
	turn();
	g_assert_cmpuint(callers[0].n_calls, ==, 0);
	poll_set_destroy(set);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/poll_set/descriptors", test_descriptors);
	g_test_add_func("/poll_set/wants", test_wants);
	g_test_add_func("/poll_set/times", test_times);
	g_test_add_func("/poll_set/wake", test_wake);
	return g_test_run();
}
