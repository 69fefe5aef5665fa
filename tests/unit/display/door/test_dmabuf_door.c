/* SPDX-License-Identifier: MIT */
/*
 * dmabuf_door: checks when dma-bufs are shown, and who waits outside meanwhile. The clients are the
 * far ends of real sockets; the test plays spice-server.
 */
#include "display/door/dmabuf_door.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_DOMAIN "vitrine"
/*
 * The first is how long something may take on a busy machine, the second how long we wait for what
 * must not come.
 */
#define WAIT_US (10 * G_USEC_PER_SEC)
#define NEVER_US (40 * 1000)

/* The addresses of these are spice-server's names for its connections. */
static const int key_first, key_second, key_main, key_plain, key_tcp, key_local, key_nobody;

struct fixture {
	struct dmabuf_door *door;
	bool dmabufs;     /* as the door says */
	unsigned n_use;   /* how often it said so */
	GArray *admitted; /* int */
	GArray *clients;  /* int: far ends */
};

static void on_admit(void *user, int fd)
{
	struct fixture *f = user;
	g_array_append_val(f->admitted, fd);
}

static void on_use(void *user, bool dmabufs)
{
	struct fixture *f = user;
	f->n_use++;
	g_assert_true(f->dmabufs != dmabufs);
	f->dmabufs = dmabufs;
}

static const struct dmabuf_door_ops ops = {
	.admit = on_admit,
	.use = on_use,
};

static void close_fd(gpointer fd)
{
	close(*(int *)fd);
}

static GArray *fds_new(void)
{
	GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_array_set_clear_func(fds, close_fd);
	return fds;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	f->door = dmabuf_door_create(&ops, f);
	f->admitted = fds_new();
	f->clients = fds_new();
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	dmabuf_door_destroy(f->door);
	g_array_unref(f->admitted);
	g_array_unref(f->clients);
}

/* ---- clients ---- */

/* Lets a guest come to the door; returns the client's own end, which the fixture closes. */
static int arrive(struct fixture *f, const struct dmabuf_door_guest *guest)
{
	int pair[2];
	struct dmabuf_door_guest real = *guest;
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	g_array_append_val(f->clients, pair[1]);
	real.fd = pair[0];
	real.own_fd = guest->is_local ? dup(pair[0]) : -1;
	dmabuf_door_arrive(f->door, &real);
	return pair[1];
}

static const struct dmabuf_door_guest local_display = {
	.is_local = true, .display = true, .gl_scanout = true
};
static const struct dmabuf_door_guest local_plain = { .is_local = true, .display = true };
static const struct dmabuf_door_guest local_main = { .is_local = true };
static const struct dmabuf_door_guest on_tcp = { .display = true, .gl_scanout = true };

static gboolean on_late(gpointer user)
{
	*(bool *)user = true;
	return G_SOURCE_REMOVE;
}

/* Runs the main loop until n have been admitted. */
static void wait_admitted(struct fixture *f, unsigned n)
{
	gint64 end_us = g_get_monotonic_time() + WAIT_US;
	while (f->admitted->len < n && g_get_monotonic_time() < end_us)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(200);
	g_assert_cmpuint(f->admitted->len, ==, n);
}

static void run_for(gint64 span_us)
{
	bool late = false;
	g_timeout_add((guint)(span_us / 1000), on_late, &late);
	while (!late)
		g_main_context_iteration(NULL, TRUE);
}

/* Hands the n-th that was admitted to spice-server, which names it by this key. */
static void connect_to(struct fixture *f, unsigned n, const void *key)
{
	dmabuf_door_connected(f->door, g_array_index(f->admitted, int, n), key);
}

/*
 * Connects a local client with a display that takes dma-bufs, so that they are used. Returns its
 * end.
 */
static int begin(struct fixture *f)
{
	int client = arrive(f, &local_display);
	g_assert_cmpuint(f->admitted->len, ==, 1);
	g_assert_false(f->dmabufs);
	connect_to(f, 0, &key_first);
	g_assert_true(f->dmabufs && dmabuf_door_uses_dmabufs(f->door));
	return client;
}

static bool is_cut_off(int client)
{
	char byte;
	return recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

/* ---- tests ---- */

static void test_local(struct fixture *f, gconstpointer data)
{
	begin(f);
	/* Another local display joins at once; when the last one goes, dma-bufs end. */
	arrive(f, &local_display);
	wait_admitted(f, 2);
	connect_to(f, 1, &key_second);
	g_assert_cmpuint(f->n_use, ==, 1);
	dmabuf_door_disconnected(f->door, &key_first);
	g_assert_true(f->dmabufs);
	dmabuf_door_disconnected(f->door, &key_second);
	g_assert_false(f->dmabufs || dmabuf_door_uses_dmabufs(f->door));
	g_assert_cmpuint(f->n_use, ==, 2);
}

/* Channels that show nothing begin no dma-bufs. */
static void test_other_channel(struct fixture *f, gconstpointer data)
{
	arrive(f, &local_main);
	wait_admitted(f, 1);
	connect_to(f, 0, &key_main);
	g_assert_cmpuint(f->n_use, ==, 0);
}

/* While a display is there that does not take dma-bufs, nobody gets any. */
static void test_takes_none(struct fixture *f, gconstpointer data)
{
	begin(f);
	arrive(f, &local_plain);
	run_for(NEVER_US);
	g_assert_false(f->dmabufs);
	g_assert_cmpuint(f->admitted->len, ==, 1);
	dmabuf_door_left(f->door);
	dmabuf_door_frame_shown(f->door);
	wait_admitted(f, 2);
	connect_to(f, 1, &key_plain);
	g_assert_false(f->dmabufs);
	dmabuf_door_disconnected(f->door, &key_plain);
	g_assert_true(f->dmabufs);
}

/* A client on TCP waits until no dma-buf is shown and until a picture has taken its place. */
static void test_tcp_waits(struct fixture *f, gconstpointer data)
{
	begin(f);
	arrive(f, &on_tcp);
	g_assert_false(f->dmabufs);
	g_assert_cmpuint(f->admitted->len, ==, 1);
	dmabuf_door_frame_shown(f->door);
	g_assert_cmpuint(f->admitted->len, ==, 1);
	dmabuf_door_left(f->door);
	g_assert_cmpuint(f->admitted->len, ==, 2);
	connect_to(f, 1, &key_tcp);
	g_assert_false(f->dmabufs);
	dmabuf_door_disconnected(f->door, &key_tcp);
	g_assert_true(f->dmabufs);
}

/* When no picture comes, a client on TCP waits no longer than it must. */
static void test_no_frame(struct fixture *f, gconstpointer data)
{
	begin(f);
	arrive(f, &on_tcp);
	dmabuf_door_left(f->door);
	gint64 begin_us = g_get_monotonic_time();
	wait_admitted(f, 2);
	g_assert_cmpint(g_get_monotonic_time() - begin_us, >=, (DMABUF_DOOR_FRAME_MS - 20) * 1000);
}

/* With the last display gone there is nobody to show a picture to. */
static void test_nobody_looks(struct fixture *f, gconstpointer data)
{
	begin(f);
	dmabuf_door_disconnected(f->door, &key_first);
	g_assert_false(f->dmabufs);
	arrive(f, &on_tcp);
	g_assert_cmpuint(f->admitted->len, ==, 1);
	dmabuf_door_left(f->door);
	g_assert_cmpuint(f->admitted->len, ==, 2);
}

/* A client on TCP is let in at once while no dma-buf is shown, and keeps them from beginning. */
static void test_tcp_first(struct fixture *f, gconstpointer data)
{
	arrive(f, &on_tcp);
	g_assert_cmpuint(f->admitted->len, ==, 1);
	connect_to(f, 0, &key_tcp);
	arrive(f, &local_display);
	wait_admitted(f, 2);
	connect_to(f, 1, &key_local);
	g_assert_false(f->dmabufs);
	dmabuf_door_disconnected(f->door, &key_tcp);
	g_assert_true(f->dmabufs);
}

/* A client that acknowledges nothing gets ordinary pictures, and is cut off when another waits. */
static void test_stalled(struct fixture *f, gconstpointer data)
{
	int client = begin(f);
	g_test_expect_message(LOG_DOMAIN, G_LOG_LEVEL_WARNING, "*does not acknowledge*ordinary*");
	dmabuf_door_stalled(f->door);
	g_assert_false(f->dmabufs);
	g_assert_false(is_cut_off(client));
	g_test_expect_message(LOG_DOMAIN, G_LOG_LEVEL_WARNING, "*cut off*others wait*");
	arrive(f, &on_tcp);
	g_test_assert_expected_messages();
	/* It is cut off by its own socket, whoever else holds that. */
	g_assert_true(is_cut_off(client));
	dmabuf_door_disconnected(f->door, &key_first);
	dmabuf_door_left(f->door);
	dmabuf_door_frame_shown(f->door);
	g_assert_cmpuint(f->admitted->len, ==, 2);
}

/* A connection closed before spice-server took it over does not count any more. */
static void test_forget(struct fixture *f, gconstpointer data)
{
	arrive(f, &on_tcp);
	dmabuf_door_forget(f->door, g_array_index(f->admitted, int, 0));
	arrive(f, &local_display);
	wait_admitted(f, 2);
	connect_to(f, 1, &key_local);
	g_assert_true(f->dmabufs);
	/* The door knows neither of these names. */
	dmabuf_door_forget(f->door, 4711);
	dmabuf_door_disconnected(f->door, &key_nobody);
	g_assert_true(f->dmabufs);
}

/* Those that wait are closed with the door. */
static void test_destroy(struct fixture *f, gconstpointer data)
{
	begin(f);
	int waits = arrive(f, &on_tcp);
	g_assert_false(is_cut_off(waits));
	dmabuf_door_destroy(f->door);
	f->door = NULL;
	g_assert_true(is_cut_off(waits));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/dmabuf-door/local", test_local },
		{ "/dmabuf-door/other-channel", test_other_channel },
		{ "/dmabuf-door/takes-none", test_takes_none },
		{ "/dmabuf-door/tcp-waits", test_tcp_waits },
		{ "/dmabuf-door/no-frame", test_no_frame },
		{ "/dmabuf-door/nobody-looks", test_nobody_looks },
		{ "/dmabuf-door/tcp-first", test_tcp_first },
		{ "/dmabuf-door/stalled", test_stalled },
		{ "/dmabuf-door/forget", test_forget },
		{ "/dmabuf-door/destroy", test_destroy },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
