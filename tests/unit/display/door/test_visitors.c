/* SPDX-License-Identifier: MIT */
/* visitors: checks that each answer reaches who it is about, on the right thread, or nobody. */
#include "display/door/visitors.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/door/limits.h"

struct fixture {
	struct visitors *visitors;
	struct keeper_visitor asked; /* the last question */
	int asked_fd;
	bool full;
	unsigned n_asked;
	int n_judged; /* atomic */
	void *judged; /* the last one's key */
	bool welcome;
	uint32_t uid;
	GThread *thread; /* that was told */
	int pair[2];
	char keys[VISITORS_MAX + 1];
};

static bool on_ask(void *user, struct keeper_visitor *visitor, int fd)
{
	struct fixture *f = user;
	f->asked = *visitor;
	f->asked_fd = fd;
	f->n_asked++;
	return !f->full;
}

static void on_judged(void *user, void *key, bool welcome, uint32_t uid)
{
	struct fixture *f = user;
	f->judged = key;
	f->welcome = welcome;
	f->uid = uid;
	f->thread = g_thread_self();
	g_atomic_int_inc(&f->n_judged);
}

static const struct visitors_ops ops = { .ask = on_ask, .judged = on_judged };

static void set_up(struct fixture *f, gconstpointer data)
{
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->pair), ==, 0);
	f->visitors = visitors_create(NULL, &ops, f);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	visitors_destroy(f->visitors);
	close(f->pair[0]);
	close(f->pair[1]);
}

/* Gives the question's number. */
static uint32_t ask(struct fixture *f, unsigned key)
{
	g_assert_true(visitors_ask(f->visitors, &f->keys[key], f->pair[0]));
	return f->asked.serial;
}

/* Says what the keeper says: it is a user of the question's number. */
static void say(struct fixture *f, uint32_t serial, bool welcome)
{
	const struct keeper_visitor_judged judged = {
		.serial = serial, .welcome = welcome, .uid = serial
	};
	visitors_judged(f->visitors, &judged);
}

static void test_judged(struct fixture *f, gconstpointer data)
{
	uint32_t first = ask(f, 1), second = ask(f, 2);
	g_assert_cmpuint(f->asked.family, ==, AF_UNIX);
	g_assert_cmpint(f->asked_fd, ==, f->pair[0]);
	g_assert_cmpuint(first, !=, second);
	/* Nobody asked that. */
	say(f, second + 1, true);
	g_assert_cmpint(f->n_judged, ==, 0);
	say(f, first, true);
	g_assert_cmpint(f->n_judged, ==, 1);
	g_assert_true(f->judged == &f->keys[1] && f->welcome && f->uid == first);
	say(f, first, true);
	g_assert_cmpint(f->n_judged, ==, 1);
	say(f, second, false);
	g_assert_cmpint(f->n_judged, ==, 2);
	g_assert_true(f->judged == &f->keys[2] && !f->welcome);
	say(f, second, true);
	g_assert_cmpint(f->n_judged, ==, 2);
}

/* Who has gone meanwhile is not told; whoever has come in its place gets no answer of its. */
static void test_forgotten(struct fixture *f, gconstpointer data)
{
	uint32_t first = ask(f, 1);
	visitors_forget(f->visitors, &f->keys[1]);
	visitors_forget(f->visitors, &f->keys[7]);
	uint32_t second = ask(f, 1);
	say(f, first, true);
	g_assert_cmpint(f->n_judged, ==, 0);
	say(f, second, false);
	g_assert_cmpint(f->n_judged, ==, 1);
	g_assert_true(f->judged == &f->keys[1] && !f->welcome);
}

static void test_full(struct fixture *f, gconstpointer data)
{
	uint32_t first = ask(f, 0);
	for (unsigned i = 1; i < VISITORS_MAX; i++)
		ask(f, i);
	g_assert_false(visitors_ask(f->visitors, &f->keys[VISITORS_MAX], f->pair[0]));
	g_assert_cmpuint(f->n_asked, ==, VISITORS_MAX);
	say(f, first, true);
	ask(f, VISITORS_MAX);
}

/* The keeper's answers come to those it was asked about, also when it could not be asked once. */
static void test_cannot_ask(struct fixture *f, gconstpointer data)
{
	f->full = true;
	g_assert_false(visitors_ask(f->visitors, &f->keys[0], f->pair[0]));
	f->full = false;
	g_assert_false(visitors_ask(f->visitors, &f->keys[0], -1));
	uint32_t serial = ask(f, 1);
	say(f, serial, true);
	g_assert_cmpint(f->n_judged, ==, 1);
	g_assert_true(f->judged == &f->keys[1]);
}

/* Of TCP the keeper is told both addresses, and gets no descriptor. */
static void test_addresses(struct fixture *f, gconstpointer data)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in own;
	socklen_t size = sizeof(address), own_size = sizeof(own);
	const uint8_t loopback[16] = { 127, 0, 0, 1 };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(listen(listener, 1), ==, 0);
	getsockname(listener, (struct sockaddr *)&address, &size);
	g_assert_cmpint(connect(client, (struct sockaddr *)&address, size), ==, 0);
	getsockname(client, (struct sockaddr *)&own, &own_size);
	int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	g_assert_true(visitors_ask(f->visitors, &f->keys[0], accepted));
	g_assert_cmpint(f->asked_fd, ==, -1);
	g_assert_cmpuint(f->asked.family, ==, AF_INET);
	g_assert_cmpuint(f->asked.peer_port, ==, own.sin_port);
	g_assert_cmpuint(f->asked.local_port, ==, address.sin_port);
	g_assert_cmpmem(f->asked.peer_addr, 16, loopback, 16);
	g_assert_cmpmem(f->asked.local_addr, 16, loopback, 16);
	close(accepted);
	close(client);
	close(listener);
}

static gpointer run_loop(gpointer loop)
{
	GMainContext *context = g_main_loop_get_context(loop);
	g_main_context_push_thread_default(context);
	g_main_loop_run(loop);
	g_main_context_pop_thread_default(context);
	return NULL;
}

/* The answer comes on one thread, and who asked is told on its own. */
static void test_threads(struct fixture *f, gconstpointer data)
{
	GMainContext *context = g_main_context_new();
	GMainLoop *loop = g_main_loop_new(context, FALSE);
	visitors_destroy(f->visitors);
	f->visitors = visitors_create(context, &ops, f);
	uint32_t serial = ask(f, 0);
	GThread *thread = g_thread_new("loop", run_loop, loop);
	say(f, serial, true);
	while (g_atomic_int_get(&f->n_judged) == 0)
		g_usleep(1000);
	g_main_loop_quit(loop);
	g_thread_join(thread);
	g_assert_cmpint(f->n_judged, ==, 1);
	g_assert_true(f->thread == thread);
	visitors_destroy(g_steal_pointer(&f->visitors));
	g_main_loop_unref(loop);
	g_main_context_unref(context);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = { { "judged", test_judged }, { "forgotten", test_forgotten },
		{ "full", test_full }, { "cannot-ask", test_cannot_ask },
		{ "addresses", test_addresses }, { "threads", test_threads } };
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/visitors/%s", cases[i].name);
		g_test_add(path, struct fixture, NULL, set_up, cases[i].run, tear_down);
	}
	return g_test_run();
}
