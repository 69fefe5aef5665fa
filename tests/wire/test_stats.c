/* SPDX-License-Identifier: MIT */
/*
 * stats: checks what vitrine stats says of frames whose number is known, with the real keeper,
 * renderer and command.
 */
#include <signal.h>
#include <string.h>

#include "tests/wire/figures.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

static struct desktop *create(bool virgl)
{
	struct desktop_options options = {
		.virgl = virgl,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
	};
	return desktop_create(&options);
}

static void wait_received(struct desktop *desktop, uint64_t frames)
{
	gint64 end = g_get_monotonic_time() + wire_ms(5000) * 1000;
	while (consumer_link_state(desktop->consumer)->heads[0].frames < frames &&
		g_get_monotonic_time() < end)
		g_usleep(1000);
	g_assert_cmpuint(consumer_link_state(desktop->consumer)->heads[0].frames, ==, frames);
}

static void flush_many(struct desktop *desktop, uint32_t id, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		wire_ok(guest_gpu_flush(desktop->guest, id, (guest_rect){ 0, 0, 64, 32 }));
}

static void show_2d(struct desktop *desktop, uint32_t id)
{
	wire_ok(guest_gpu_create_2d(
		desktop->guest, id, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 128, 100));
	wire_ok(guest_gpu_set_scanout(desktop->guest, 0, id, (guest_rect){ 0, 0, 128, 100 }));
}

/*
 * Every flush is counted once, on the heads that show it, and as many frames are counted as sent as
 * the consumer received.
 */
static void test_counts(void)
{
	struct desktop *desktop = create(false);
	show_2d(desktop, 1);
	figures_wait(desktop, "head 0 wanted_mhz", 1000000);
	flush_many(desktop, 1, 25);
	/* A flush outside what a head shows is seen by nobody and counted nowhere. */
	wire_ok(guest_gpu_set_scanout(desktop->guest, 0, 1, (guest_rect){ 0, 50, 128, 50 }));
	flush_many(desktop, 1, 3);
	g_auto(GStrv) lines = figures_ask(desktop, NULL);
	g_assert_cmpuint(figures_find(lines, "head 0 frames_flushed"), ==, 25);
	g_assert_cmpuint(figures_find(lines, "head 0 flushed_pixels"), ==, 25 * 64 * 32);
	g_assert_cmpuint(figures_find(lines, "head 0 on"), ==, 1);
	g_assert_cmpuint(figures_find(lines, "head 0 width_pixels"), ==, 128);
	g_assert_cmpuint(figures_find(lines, "head 0 height_pixels"), ==, 50);
	g_assert_cmpuint(figures_find(lines, "head 0 refresh_mhz"), ==, 60000);
	g_assert_cmpuint(figures_find(lines, "head 0 wanted_mhz"), ==, 1000000);
	uint64_t sent = figures_find(lines, "head 0 frames_sent");
	uint64_t merged = figures_find(lines, "head 0 frames_merged");
	g_assert_cmpuint(sent + merged, >=, 24); /* the last may have waited for the next */
	g_assert_cmpuint(sent + merged, <=, 25);
	wait_received(desktop, sent);
	desktop_destroy(desktop);
}

/* While nobody looks, flushes are counted, nothing is sent, and nothing counts as dropped. */
static void test_unwatched(void)
{
	struct desktop *desktop = create(false);
	consumer_link_rate(desktop->consumer, 0, 0);
	show_2d(desktop, 1);
	figures_wait(desktop, "head 0 wanted_mhz", 0);
	uint64_t sent = figures_get(desktop, "head 0 frames_sent");
	flush_many(desktop, 1, 10);
	g_auto(GStrv) lines = figures_ask(desktop, NULL);
	g_assert_cmpuint(figures_find(lines, "head 0 frames_flushed"), ==, 10);
	g_assert_cmpuint(figures_find(lines, "head 0 frames_sent"), ==, sent);
	g_assert_cmpuint(figures_find(lines, "head 0 frames_merged"), ==, 0);
	desktop_destroy(desktop);
}

/* A renderer that draws 3D is replaced, and its successor goes on counting. */
static void test_over_a_restart(void)
{
	struct desktop *desktop = create(true);
	struct scene3d *scene = scene3d_create(desktop->guest, 40, true);
	guest_rect all = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT };
	wire_ok(guest_gpu_set_scanout(desktop->guest, 0, 40, all));
	for (unsigned i = 0; i < 5; i++) {
		wire_ok(scene3d_draw(scene, i));
		wire_ok(guest_gpu_flush(desktop->guest, 40, all));
	}
	g_assert_cmpuint(figures_get(desktop, "head 0 frames_flushed"), ==, 5);
	pid_t old = desktop_renderer(desktop);
	g_assert_cmpint(kill(old, SIGKILL), ==, 0);
	desktop_wait_new_renderer(desktop, old);
	guest_gpu_flush(desktop->guest, 40, all);
	g_assert_cmpuint(figures_get(desktop, "head 0 frames_flushed"), ==, 6);
	g_auto(GStrv) json = figures_ask(desktop, "--json");
	g_autofree char *text = g_strjoinv("\n", json);
	g_assert_nonnull(strstr(text, "\"starts\" : 2"));
	scene3d_destroy(scene, true);
	desktop_destroy(desktop);
}

/*
 * Rates are shown when the command waits; we know only for how long, so we check that they are
 * there.
 */
static void test_interval(void)
{
	struct desktop *desktop = create(false);
	g_auto(GStrv) lines = figures_ask(desktop, "--interval=0.1");
	g_autofree char *text = g_strjoinv("\n", lines);
	g_assert_nonnull(strstr(text, "process vitrine-render pid "));
	g_assert_nonnull(strstr(text, " cpu_percent "));
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/stats/counts", test_counts);
	g_test_add_func("/stats/unwatched", test_unwatched);
	g_test_add_func("/stats/over-a-restart", test_over_a_restart);
	g_test_add_func("/stats/interval", test_interval);
	return g_test_run();
}
