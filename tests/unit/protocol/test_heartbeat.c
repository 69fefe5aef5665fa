/* SPDX-License-Identifier: MIT */
/* heartbeat: checks what a process does with the descriptor it inherits, and what its loops say. */
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "common/shm.h"
#include "protocol/heartbeat_writer.h"

static struct heartbeat *page;

/* Makes a page and puts it where the process inherits it, as the keeper does. */
static void hand_page(uint64_t magic)
{
	int fd = shm_create("heartbeat", sizeof(*page));
	g_assert_cmpint(fd, >=, 0);
	page = shm_map(fd, sizeof(*page), true);
	g_assert_nonnull(page);
	page->magic = magic;
	page->version = HEARTBEAT_VERSION;
	if (fd != HEARTBEAT_FD) {
		g_assert_cmpint(dup2(fd, HEARTBEAT_FD), ==, HEARTBEAT_FD);
		close(fd);
	}
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* A descriptor that is no page of a keeper's belongs to somebody else, and is left open. */
static void test_another_descriptor(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	g_assert_cmpint(dup2(null_fd, HEARTBEAT_FD), ==, HEARTBEAT_FD);
	g_assert_false(heartbeat_attach());
	g_assert_true(is_open(HEARTBEAT_FD));
	hand_page(1);
	g_assert_false(heartbeat_attach());
	g_assert_true(is_open(HEARTBEAT_FD));
	/* Beats before there is a page have no effect. */
	heartbeat_work(HEARTBEAT_GPU, "nothing", 3);
	g_assert_cmpuint(page->beats[HEARTBEAT_GPU].state, ==, HEARTBEAT_UNUSED);
}

static void test_attach(void)
{
	hand_page(HEARTBEAT_MAGIC);
	g_assert_true(heartbeat_attach());
	g_assert_false(is_open(HEARTBEAT_FD));
}

static void test_beats(void)
{
	const struct heartbeat_beat *beat = &page->beats[HEARTBEAT_GPU];
	uint64_t before_ns = monotonic_now_ns();
	heartbeat_work(HEARTBEAT_GPU, "SUBMIT_3D", 12);
	g_assert_cmpuint(beat->state, ==, HEARTBEAT_WORKING);
	g_assert_cmpuint(beat->context, ==, 12);
	g_assert_cmpstr((const char *)beat->text, ==, "SUBMIT_3D");
	g_assert_cmpuint(beat->since_ns, >=, before_ns);
	g_assert_cmpuint(beat->since_ns, <=, monotonic_now_ns());
	heartbeat_done(HEARTBEAT_GPU);
	g_assert_cmpuint(beat->state, ==, HEARTBEAT_WORKING);
	g_assert_cmpuint(beat->context, ==, 0);
	heartbeat_idle(HEARTBEAT_GPU);
	g_assert_cmpuint(beat->state, ==, HEARTBEAT_IDLE);
	heartbeat_start(HEARTBEAT_GPU, "a text that is too long for the page");
	g_assert_cmpuint(beat->state, ==, HEARTBEAT_STARTING);
	g_assert_cmpuint(beat->context, ==, 0);
	g_assert_cmpuint(strlen((const char *)beat->text), ==, HEARTBEAT_TEXT_BYTES - 1);
	g_assert_cmpuint(page->beats[HEARTBEAT_GPU_WORK].state, ==, HEARTBEAT_UNUSED);
}

/* A name may fill all of its bytes. */
static void test_gone(void)
{
	char name[HEARTBEAT_NAME_BYTES + 2] = { 0 };
	g_assert_cmpuint(page->is_gone, ==, 0);
	memset(name, 'n', HEARTBEAT_NAME_BYTES + 1);
	heartbeat_name_gone(name);
	g_assert_cmpuint(page->is_gone, ==, 1);
	g_assert_cmpmem(page->gone_name, sizeof(page->gone_name), name, HEARTBEAT_NAME_BYTES);
	heartbeat_name_gone("evil");
	g_assert_cmpstr((const char *)page->gone_name, ==, "evil");
	g_assert_cmpuint(page->encoders.tried, ==, 0);
}

/* Two streams and a trial; the keeper has refused the fourth. */
static void test_encoders(void)
{
	const struct heartbeat_encoders *encoders = &page->encoders;
	heartbeat_encoder_begin(2, false);
	heartbeat_encoder_begin(2, false);
	heartbeat_encoder_begin(0, true);
	g_assert_cmpuint(encoders->n_at_work[2], ==, 2);
	g_assert_cmpuint(encoders->n_at_work[0], ==, 0);
	g_assert_cmpuint(encoders->tried, ==, 1);
	heartbeat_encoder_end(0, true);
	heartbeat_encoder_end(2, false);
	g_assert_cmpuint(encoders->n_at_work[2], ==, 1);
	g_assert_cmpuint(encoders->tried, ==, 0);
	heartbeat_encoder_begin(0, true);
	heartbeat_encoder_begin(5, true);
	heartbeat_encoder_end(0, true); /* was given up, and comes back */
	g_assert_cmpuint(encoders->tried, ==, 6);
	heartbeat_encoder_end(5, true);
	g_assert_cmpuint(encoders->tried, ==, 0);
	heartbeat_encoder_on_gpu(1);
	heartbeat_encoder_on_gpu(4);
	g_assert_cmphex(encoders->hardware, ==, 1u << 1 | 1u << 4);
	page->encoders.refused = 1u << 3;
	g_assert_true(heartbeat_encoder_is_refused(3));
	g_assert_false(heartbeat_encoder_is_refused(2));
}

static gboolean look_from_inside(gpointer user)
{
	*(uint32_t *)user = page->beats[HEARTBEAT_RELAY].state;
	return G_SOURCE_REMOVE;
}

static gpointer run_loop(gpointer user)
{
	GMainLoop *loop = user;
	heartbeat_follow(g_main_loop_get_context(loop), HEARTBEAT_RELAY);
	g_main_loop_run(loop);
	return NULL;
}

/* A GLib loop says that it works while it dispatches, and that it is idle while it sleeps. */
static void test_follow(void)
{
	GMainContext *context = g_main_context_new();
	GMainLoop *loop = g_main_loop_new(context, FALSE);
	uint32_t inside = HEARTBEAT_UNUSED;
	GSource *source = g_idle_source_new();
	g_source_set_callback(source, look_from_inside, &inside, NULL);
	g_source_attach(source, context);
	GThread *thread = g_thread_new("loop", run_loop, loop);
	for (unsigned i = 0; i < 1000 && page->beats[HEARTBEAT_RELAY].state != HEARTBEAT_IDLE; i++)
		g_usleep(10000);
	g_assert_cmpuint(page->beats[HEARTBEAT_RELAY].state, ==, HEARTBEAT_IDLE);
	g_main_loop_quit(loop);
	g_thread_join(thread);
	g_assert_cmpuint(inside, ==, HEARTBEAT_WORKING);
	g_source_unref(source);
	g_main_loop_unref(loop);
	g_main_context_unref(context);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* They run in this order, as there is one page for the process. */
	g_test_add_func("/heartbeat/1-another-descriptor", test_another_descriptor);
	g_test_add_func("/heartbeat/2-attach", test_attach);
	g_test_add_func("/heartbeat/3-beats", test_beats);
	g_test_add_func("/heartbeat/gone", test_gone);
	g_test_add_func("/heartbeat/encoders", test_encoders);
	g_test_add_func("/heartbeat/4-follow", test_follow);
	return g_test_run();
}
