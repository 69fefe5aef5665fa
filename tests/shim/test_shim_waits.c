/* SPDX-License-Identifier: MIT */
/*
 * shim-waits: the thread that executes the guest waits for the GPU in no call, also when it reads
 * pictures back. The faked GPU takes 30 ms for what it is given, and counts who waits for it.
 */
#include "tests/shim/shim_stage.h"

#define WIDTH 640
#define HEIGHT 400
#define PICTURE 100
#define FRAMES 20

static void draw_frames(struct desktop *desktop, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		g_assert_true(shim_stage_draw(desktop, PICTURE, WIDTH, HEIGHT));
}

static void test_waits(gconstpointer data)
{
	shim_stage_set_faults("busy=30");
	struct desktop *desktop = shim_stage_create();
	shim_stage_take(desktop, GPOINTER_TO_INT(data));
	shim_stage_add_picture(desktop, PICTURE, WIDTH, HEIGHT);
	/* Layouts are checked, and shaders compiled, with the first. */
	draw_frames(desktop, 3);
	uint32_t blocked = shim_stage_control()->blocked;
	uint32_t submissions = shim_stage_control()->submissions;
	draw_frames(desktop, FRAMES);
	g_test_message("%u submissions, %u waits", shim_stage_control()->submissions - submissions,
		shim_stage_control()->blocked - blocked);
	g_assert_cmpuint(shim_stage_control()->submissions - submissions, >=, FRAMES);
	g_assert_cmpuint(shim_stage_control()->blocked, ==, blocked);
	desktop_destroy(desktop);
	shim_stage_set_faults(NULL);
}

int main(int argc, char **argv)
{
	if (!shim_stage_init(&argc, &argv))
		return 0;
	g_test_add_data_func("/waits/read-back", GINT_TO_POINTER(CONSUMER_NO_DMABUFS), test_waits);
	g_test_add_data_func("/waits/dma-bufs", GINT_TO_POINTER(CONSUMER_DMABUFS), test_waits);
	return g_test_run();
}
