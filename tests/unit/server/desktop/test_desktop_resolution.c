/* SPDX-License-Identifier: MIT */
/* desktop: checks what is taken for the size of a monitor. */
#include <glib.h>

#include "server/desktop/desktop.h"

static void test_resolution(void)
{
	static const char *const bad[] = { "", "x", "1920", "1920x", "x1080", "1920X1080", "31x600",
		"600x31", "8193x600", "600x8193", "-800x600", "800x-600", " 800x600", "800x600 ",
		"800 x600", "800x600x60", "99999999999999999999x600", "0x10x600", NULL };
	unsigned width = 7, height = 7;
	for (unsigned i = 0; bad[i]; i++)
		g_assert_false(desktop_read_resolution(bad[i], &width, &height));
	g_assert_cmpuint(width, ==, 7);
	g_assert_true(desktop_read_resolution("32x8192", &width, &height));
	g_assert_cmpuint(width, ==, 32);
	g_assert_cmpuint(height, ==, 8192);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desktop/resolution", test_resolution);
	return g_test_run();
}
