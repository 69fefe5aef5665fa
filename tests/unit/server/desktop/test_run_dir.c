/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/desktop/run_dir.h"

static void test_run_dir(void)
{
	g_assert_true(run_dir_name_ok("work-1.a_b"));
	g_assert_false(run_dir_name_ok(""));
	g_assert_false(run_dir_name_ok("../x"));
	g_assert_false(run_dir_name_ok(".x"));
	g_assert_false(run_dir_name_ok("a,b"));

	struct run_dir first, second;
	g_autoptr(GError) error = NULL;
	g_assert_true(run_dir_create(&first, "one", &error));
	struct stat st;
	g_assert_cmpint(stat(first.path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0700);
	g_assert_false(run_dir_create(&second, "one", &error));
	g_assert_nonnull(strstr(error->message, "running already"));
	g_autofree char *path = g_strdup(first.path);
	g_autofree char *file = run_dir_file(&first, "left");
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	run_dir_remove(&first);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));

	/* A killed process leaves its files, which are cleared away, as its lock went with it. */
	g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	g_assert_true(run_dir_create(&first, "one", NULL));
	g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
	run_dir_remove(&first);
}

int main(int argc, char **argv)
{
	g_autofree char *runtime = g_dir_make_tmp("vitrine-run-dir-XXXXXX", NULL);
	g_setenv("XDG_RUNTIME_DIR", runtime, TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/run-dir", test_run_dir);
	int status = g_test_run();
	g_autofree char *base = g_build_filename(runtime, "vitrine", NULL);
	g_rmdir(base);
	g_rmdir(runtime);
	return status;
}
