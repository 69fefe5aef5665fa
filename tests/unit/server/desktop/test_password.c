/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "server/desktop/password.h"
#include "tests/unit/server/files.h"

static void test_password(void)
{
	char *good = write_file("password", "secret\nrest", 11);
	char *empty = write_file("password", "\n", 1);
	g_autofree char *text = g_strnfill(61, 'x');
	char *lengthy = write_file("password", text, 61);
	g_autofree char *password = password_read(good, NULL);
	g_assert_cmpstr(password, ==, "secret");
	g_assert_null(password_read(empty, NULL));
	g_assert_null(password_read(lengthy, NULL));
	g_assert_null(password_read("/nonexistent", NULL));
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
