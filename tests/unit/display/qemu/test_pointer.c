/* SPDX-License-Identifier: MIT */
/*
 * pointer: checks that every pixel of the desktop arrives at itself in the guest, through QEMU's
 * rounding.
 */
#include "display/qemu/pointer.h"

#include <glib.h>

/*
 * Scales to 0 .. INPUT_EVENT_ABS_MAX and truncates, as qemu_input_scale_axis() of QEMU's ui/input.c
 * does.
 */
static uint32_t qemu_axis(uint32_t position, uint32_t console)
{
	return (uint32_t)((uint64_t)position * 0x7fff / console);
}

/*
 * Scales the axis range 0 .. 0x7fff to the desktop and truncates, as libinput and compositors do.
 */
static uint32_t guest_pixel(uint32_t axis, uint32_t pixels)
{
	return (uint32_t)((uint64_t)axis * pixels / 0x8000);
}

static void check_every_pixel(uint32_t pixels)
{
	uint32_t console = 2 * pixels > 16383 ? pixels : 2 * pixels;
	for (uint32_t pixel = 0; pixel < pixels; pixel++) {
		uint32_t position = pointer_map(pixel, pixels, console);
		g_assert_cmpuint(position, <, console);
		g_assert_cmpuint(guest_pixel(qemu_axis(position, console), pixels), ==, pixel);
	}
}

static void test_exact(void)
{
	static const uint32_t sizes[] = { 1, 480, 640, 768, 800, 1024, 1080, 1200, 1366, 1440, 1920,
		2160, 2560, 3440, 3840, 5120, 7680 };
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
		check_every_pixel(sizes[i]);
}

static void test_clamps(void)
{
	g_assert_cmpuint(pointer_map(-5, 1920, 3840), ==, 0);
	g_assert_cmpuint(pointer_map(5000, 1920, 3840), ==, 3839);
	g_assert_cmpuint(pointer_map(INT64_MAX, 1920, 640), ==, 639);
	g_assert_cmpuint(pointer_map(10, 0, 640), ==, 0);
	g_assert_cmpuint(pointer_map(10, 640, 0), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pointer/exact", test_exact);
	g_test_add_func("/pointer/clamps", test_clamps);
	return g_test_run();
}
