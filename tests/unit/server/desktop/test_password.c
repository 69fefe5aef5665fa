/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "server/desktop/options.h"
#include "tests/unit/server/files.h"

static void test_password(void)
{
	char *good = write_file("password", "secret\nrest", 11);
	char *empty = write_file("password", "\n", 1);
	g_autofree char *text = g_strnfill(61, 'x');
	char *lengthy = write_file("password", text, 61);
	g_autofree char *password = options_read_password(good, NULL);
	g_assert_cmpstr(password, ==, "secret");
	g_assert_null(options_read_password(empty, NULL));
	g_assert_null(options_read_password(lengthy, NULL));
	g_assert_null(options_read_password("/nonexistent", NULL));
	remove_file(good);
	remove_file(empty);
	remove_file(lengthy);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/password", test_password);
	return g_test_run();
}
