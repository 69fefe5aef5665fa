/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/unit/server/files.h"

static void test_listen(void)
{
	g_assert_true(listen_is_loopback("127.0.0.1"));
	g_assert_true(listen_is_loopback("::1"));
	g_assert_false(listen_is_loopback("0.0.0.0"));
	g_assert_false(listen_is_loopback("192.0.2.1"));

	g_autoptr(GError) error = NULL;
	unsigned port = 0, other = 0;
	int first = listen_tcp_range("127.0.0.1", 25900, 25999, &port, &error);
	g_assert_no_error(error);
	g_assert_cmpint(listen_tcp("127.0.0.1", port, &error), ==, -1);
	g_assert_nonnull(strstr(error->message, "in use"));
	int second = listen_tcp_range("127.0.0.1", port, 25999, &other, NULL);
	g_assert_cmpuint(other, >, port);
	close(first);
	close(second);
}

static void test_listen_unix(void)
{
	g_autoptr(GError) error = NULL;
	char *path = write_file("socket", "x", 1);
	/* The file is no socket, so it is not ours to remove. */
	g_assert_cmpint(listen_unix(path, NULL), ==, -1);
	g_unlink(path);
	int fd = listen_unix(path, &error);
	g_assert_no_error(error);
	struct stat st;
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
	g_assert_cmpint(listen_unix(path, NULL), ==, -1);
	close(fd);
	fd = listen_unix(path, &error);
	g_assert_no_error(error);
	close(fd);
	remove_file(path);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/listen/tcp", test_listen);
	g_test_add_func("/listen/unix", test_listen_unix);
	return g_test_run();
}
