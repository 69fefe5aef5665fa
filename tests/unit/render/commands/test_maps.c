/* SPDX-License-Identifier: MIT */
/* maps: tests when the maps of a process are counted, from a file of so many lines. */
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "render/commands/maps.h"

static char *path;

static void say(unsigned n_lines)
{
	FILE *file = g_fopen(path, "w");
	for (unsigned i = 0; i < n_lines; i++)
		g_assert_cmpint(
			fprintf(file, "7f00%08x-7f00%08x rw-p 00000000 00:00 0\n", i, i + 1), >, 0);
	g_assert_cmpint(fclose(file), ==, 0);
}

static void test_states(void)
{
	say(4999);
	struct maps *maps = maps_create(path, 10000);
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_FEW);
	say(5000);
	maps_forget(maps);
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_MANY);
	say(7500);
	for (unsigned i = 0; i < MAPS_INTERVAL; i++)
		g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_MANY);
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_FULL);
	say(10);
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_FULL);
	maps_forget(maps);
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_FEW);
	maps_destroy(maps);
}

/* The kernel's own file is read as well as a test's. */
static void test_own(void)
{
	struct maps *maps = maps_create("/proc/self/maps", 40);
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_FULL);
	maps_destroy(maps);
	maps = maps_create("/proc/self/maps", 1000000);
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_FEW);
	maps_destroy(maps);
}

static void test_not_counted(void)
{
	struct maps *maps = maps_create(NULL, 1);
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_FEW);
	maps_destroy(maps);
	g_test_expect_message("vitrine-render", G_LOG_LEVEL_WARNING, "*memory alone*");
	maps = maps_create("/nowhere/maps", 1);
	g_test_assert_expected_messages();
	g_assert_cmpint(maps_note_compiled(maps), ==, MAPS_FEW);
	maps_destroy(maps);
}

static void test_most(void)
{
	g_assert_true(g_file_set_contents(path, "1048576\n", -1, NULL));
	g_assert_cmpuint(maps_read_most(path), ==, 1048576);
	g_assert_true(g_file_set_contents(path, "nothing\n", -1, NULL));
	g_assert_cmpuint(maps_read_most(path), ==, 65530);
	g_assert_cmpuint(maps_read_most("/nowhere"), ==, 65530);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	int fd = g_file_open_tmp("maps-XXXXXX", &path, NULL);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	g_test_add_func("/maps/states", test_states);
	g_test_add_func("/maps/own", test_own);
	g_test_add_func("/maps/not counted", test_not_counted);
	g_test_add_func("/maps/most", test_most);
	int result = g_test_run();
	g_unlink(path);
	return result;
}
