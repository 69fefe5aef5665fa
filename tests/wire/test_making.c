/* SPDX-License-Identifier: MIT */
/*
 * making: tests the quota making-time. A program that has things made without end, and has many of
 * them in the ring, is refused before long; the desktop beside it never is, and programs can be
 * started again soon after it has ended. tests/wire/test_floods.c measures what the desktop keeps
 * of its rate.
 */
#include "tests/wire/figures.h"
#include "tests/wire/flooder.h"
#include "tests/wire/neighbour.h"
#include "tests/wire/wire.h"

#define NEIGHBOUR 1
#define LATER 800 /* a program that starts afterwards */
/* Allows half a second to be saved up, and regains a hundredth of the time. */
#define SHORT "making-time=10"
/*
 * So many commands of the flood lie before the desktop's next one; more make the test take longer.
 */
#define WINDOW 32

static const char *const kinds[] = { "contexts", "texture-bytes", "shader-bytes",
	"staging-bytes that fit", "compiling" };

static const struct flood *find_flood(const char *name)
{
	for (unsigned i = 0; i < n_floods; i++) {
		if (g_str_equal(floods[i].name, name))
			return &floods[i];
	}
	g_assert_not_reached();
}

static struct desktop *create(const char *quotas)
{
	const struct desktop_options options = { .virgl = true,
		.shape = GUEST_SHAPE_INDIRECT,
		.memory_bytes = 256u << 20,
		.quotas = quotas };
	const struct frame_head_mode mode = {
		.enabled = 1, .width = SCENE3D_WIDTH, .height = SCENE3D_HEIGHT, .refresh_mhz = 60000
	};
	struct desktop *desktop = desktop_create(&options);
	consumer_link_heads(desktop->consumer, &mode, 1);
	consumer_link_rate(desktop->consumer, 0, 60000);
	desktop->guest->timeout_ms = wire_ms(60000);
	return desktop;
}

static void run_until_refused(
	struct desktop *desktop, struct neighbour *neighbour, struct flooder *flooder)
{
	gint64 end_us = g_get_monotonic_time() + wire_ms(60000) * 1000;
	while (figures_get(desktop, "guest making_refused") == 0) {
		g_assert_cmpint(g_get_monotonic_time(), <, end_us);
		neighbour_run(neighbour, flooder, G_USEC_PER_SEC / 4);
	}
	g_assert_cmpuint(figures_get(desktop, "guest making_waited_us"), >=, 250000);
}

/* Tries until a new program is let in, for at most 10 s. */
static void run_until_begun(struct desktop *desktop, struct neighbour *neighbour)
{
	gint64 end_us = g_get_monotonic_time() + wire_ms(10000) * 1000;
	while (guest_gpu_ctx_create(desktop->guest, LATER, "later") != VIRTIO_GPU_RESP_OK_NODATA) {
		g_assert_cmpint(g_get_monotonic_time(), <, end_us);
		neighbour_run(neighbour, NULL, G_USEC_PER_SEC / 4);
	}
}

/* Under sanitizers nobody knows what has compiled (render/quota/heap.h). */
static bool is_known(const char *name)
{
	return !g_str_equal(name, "compiling") || g_str_equal(g_getenv("WIRE_SLOW"), "1");
}

static void test_flood(gconstpointer data)
{
	if (!is_known(data)) {
		g_test_skip("compiling is not noticed under sanitizers");
		return;
	}
	flood_set_environment(find_flood(data));
	struct desktop *desktop = create(SHORT ",staging-bytes=16M,contexts=1K,other-bytes=16G");
	pid_t renderer = desktop_renderer(desktop);
	struct neighbour neighbour;
	struct flooder flooder;
	neighbour_init(&neighbour, desktop->guest, NEIGHBOUR);
	neighbour_run(&neighbour, NULL, G_USEC_PER_SEC / 2);
	flooder_init(&flooder, desktop->guest, find_flood(data), true, WINDOW);
	run_until_refused(desktop, &neighbour, &flooder);
	uint64_t before = neighbour.n_complete;
	neighbour_run(&neighbour, &flooder, G_USEC_PER_SEC);
	flooder_finish(&flooder);
	g_assert_cmpuint(neighbour.n_complete, >, before);
	g_assert_cmpuint(neighbour.n_failed, ==, 0);
	run_until_begun(desktop, &neighbour);
	g_assert_cmpuint(neighbour.n_failed, ==, 0);
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	neighbour_finish(&neighbour);
	desktop_destroy(desktop);
}

/* A program may load as much as it likes while nobody else draws, since nobody waits for it. */
static void test_alone(void)
{
	flood_set_environment(find_flood("texture-bytes"));
	struct desktop *desktop = create(SHORT);
	struct flooder flooder;
	flooder_init(&flooder, desktop->guest, find_flood("texture-bytes"), true, 64);
	gint64 end_us = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;
	while (g_get_monotonic_time() < end_us) {
		if (flooder_step(&flooder))
			guest_queue_kick(desktop->guest->control);
		else
			guest_queue_wait_any(desktop->guest->control, 1);
	}
	g_assert_cmpuint(figures_get(desktop, "guest making_refused"), ==, 0);
	g_assert_cmpuint(figures_get(desktop, "guest making_waited_us"), ==, 0);
	g_assert_cmpuint(flooder.n_granted, >, 0);
	flooder_finish(&flooder);
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *path = g_strdup_printf("/making/%s", kinds[i]);
		g_test_add_data_func(path, kinds[i], test_flood);
	}
	g_test_add_func("/making/alone", test_alone);
	return g_test_run();
}
