/* SPDX-License-Identifier: MIT */
/* log_bound: logs are cut while others write to them, with and without holes. */
#include "server/run/log_bound.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/server/files.h"

#define LINE_BYTES 64

static bool makes_no_holes;

int __real_fallocate64(int fd, int mode, off_t at, off_t bytes);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t bytes);

int __wrap_fallocate64(int fd, int mode, off_t at, off_t bytes)
{
	errno = EOPNOTSUPP;
	return makes_no_holes ? -1 : __real_fallocate64(fd, mode, at, bytes);
}

static unsigned n_lines;

static void write_lines(int fd, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char line[LINE_BYTES + 1];
		g_snprintf(line, sizeof(line), "%063u\n", n_lines++);
		g_assert_cmpint(write(fd, line, LINE_BYTES), ==, LINE_BYTES);
	}
}

/* Gives the newest lines that are there, in order. */
static unsigned count_last(const char *path)
{
	g_autofree char *text = NULL;
	gsize size_bytes;
	unsigned n = 0;
	g_assert_true(g_file_get_contents(path, &text, &size_bytes, NULL));
	for (gsize at = size_bytes; at >= LINE_BYTES; at -= LINE_BYTES, n++) {
		const char *line = text + at - LINE_BYTES;
		if (line[0] == '\0' || g_ascii_strtoull(line, NULL, 10) != n_lines - 1 - n)
			break;
	}
	return n;
}

static off_t blocks_of(const char *path)
{
	struct stat st;
	g_assert_cmpint(stat(path, &st), ==, 0);
	return st.st_blocks * 512;
}

static void check(int flags)
{
	char *path = write_file("log", "", 0);
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	const unsigned half = LOG_BOUND_MAX_BYTES / LINE_BYTES / 2;
	n_lines = 0;
	write_lines(fd, half);
	g_assert_false(log_bound_cut(path));
	g_assert_cmpuint(count_last(path), ==, half);
	for (unsigned i = 0; i < 6; i++) {
		write_lines(fd, 2 * half);
		g_assert_true(log_bound_cut(path));
		g_assert_false(log_bound_cut(path));
		g_assert_cmpint(blocks_of(path), <=, LOG_BOUND_KEPT_BYTES + 65536);
		/* Where the file begins anew who does not append leaves a hole before. */
		bool is_whole = !makes_no_holes || flags == O_APPEND || i == 0;
		g_assert_true(!is_whole || count_last(path) >= LOG_BOUND_KEPT_BYTES / LINE_BYTES);
		write_lines(fd, 10);
		g_assert_cmpuint(count_last(path), >=, 10);
	}
	close(fd);
	remove_file(path);
}

static void test_holes(void)
{
	makes_no_holes = false;
	check(O_APPEND);
	check(0);
}

static void test_anew(void)
{
	makes_no_holes = true;
	check(O_APPEND);
	check(0);
}

static void test_others(void)
{
	g_assert_false(log_bound_cut("/nowhere/log"));
	g_assert_false(log_bound_cut("/dev/zero"));
	g_assert_false(log_bound_cut("/dev"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log_bound/holes", test_holes);
	g_test_add_func("/log_bound/anew", test_anew);
	g_test_add_func("/log_bound/others", test_others);
	return g_test_run();
}
