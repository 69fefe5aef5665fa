/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* A desktop that ends because there is no memory leaves nothing for all that. */
static void test_no_memory(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	g_test_skip("sanitizers need memory");
#else
	struct run_dir dir;
	if (g_test_subprocess()) {
		g_assert_true(run_dir_create(&dir, "none", NULL));
		for (unsigned i = 0; i < 300; i++) {
			g_autofree char *name = g_strdup_printf("a-file-with-a-name-%u", i);
			g_autofree char *file = run_dir_file(&dir, name);
			g_assert_true(g_file_set_contents(file, "x", 1, NULL));
		}
		const struct rlimit none = { 0, 0 };
		g_assert_cmpint(setrlimit(RLIMIT_DATA, &none), ==, 0);
		for (size_t size = 1 << 20; size >= 1024; size /= 2) {
			/* Or the compiler leaves it out. */
			void *volatile taken;
			do
				taken = malloc(size);
			while (taken);
		}
		run_dir_remove(&dir);
		_exit(0);
	}
	g_autofree char *base = run_dir_base();
	g_autofree char *own = g_build_filename(base, "none", NULL);
	g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
	g_test_trap_assert_passed();
	g_assert_false(g_file_test(own, G_FILE_TEST_EXISTS));
#endif
}

/* ---- folders that are not ours alone ---- */

static void expect_refusal(const char *reason)
{
	struct run_dir dir;
	g_autoptr(GError) error = NULL;
	g_assert_false(run_dir_create(&dir, "one", &error));
	if (!strstr(error->message, reason))
		g_error("\"%s\" is not in: %s", reason, error->message);
	run_dir_remove(&dir);
}

static void expect_success(void)
{
	struct run_dir dir;
	g_autoptr(GError) error = NULL;
	run_dir_create(&dir, "one", &error);
	g_assert_no_error(error);
	run_dir_remove(&dir);
}

static void test_open_to_others(void)
{
	g_autofree char *base = run_dir_base();
	g_autofree char *own = g_build_filename(base, "one", NULL);
	expect_success();
	static const unsigned modes[] = { 0710, 0750, 0701, 0707, 0720, 0770 };
	for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_assert_cmpint(g_chmod(base, (int)modes[i]), ==, 0);
		expect_refusal("is open to others");
		g_assert_cmpint(g_chmod(base, 0700), ==, 0);
		g_assert_cmpint(g_mkdir(own, 0700), ==, 0);
		g_assert_cmpint(g_chmod(own, (int)modes[i]), ==, 0);
		expect_refusal("is open to others");
		g_assert_cmpint(g_rmdir(own), ==, 0);
	}
	expect_success();
}

static void test_links(void)
{
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");
	g_autofree char *base = run_dir_base();
	g_autofree char *own = g_build_filename(base, "one", NULL);
	g_autofree char *target = g_build_filename(runtime, "target", NULL);
	g_autofree char *kept = g_build_filename(target, "kept", NULL);
	g_assert_cmpint(g_mkdir(target, 0700), ==, 0);
	g_assert_true(g_file_set_contents(kept, "x", 1, NULL));
	expect_success();
	g_assert_cmpint(symlink(target, own), ==, 0);
	expect_refusal("is a symbolic link");
	g_assert_cmpint(g_unlink(own), ==, 0);
	g_assert_true(g_file_set_contents(own, "x", 1, NULL));
	expect_refusal("is a file");
	g_assert_cmpint(g_unlink(own), ==, 0);
	g_assert_cmpint(g_rmdir(base), ==, 0);
	g_assert_cmpint(symlink(target, base), ==, 0);
	expect_refusal("is a symbolic link");
	g_assert_cmpint(g_unlink(base), ==, 0);
	/* Nothing was cleared away where the link leads. */
	g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
	g_unlink(kept);
	g_rmdir(target);
}

/* Who can write to the folder above can exchange ours, unless it is sticky, as /tmp is. */
static void test_above(void)
{
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");
	g_assert_cmpint(g_chmod(runtime, 0777), ==, 0);
	expect_refusal("can be written by others");
	g_assert_cmpint(g_chmod(runtime, 01777), ==, 0);
	expect_success();
	g_assert_cmpint(g_chmod(runtime, 0755), ==, 0);
	expect_success();
	g_assert_cmpint(g_chmod(runtime, 0700), ==, 0);
}

static void test_of_others(void)
{
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");
	g_autofree char *base = run_dir_base();
	if (geteuid() != 0) {
		g_test_skip("only root can give folders away");
		return;
	}
	expect_success();
	g_assert_cmpint(chown(base, 12345, 12345), ==, 0);
	expect_refusal("belongs to another user (12345)");
	g_assert_cmpint(chown(base, 0, 0), ==, 0);
	g_autofree char *own = g_build_filename(base, "one", NULL);
	g_assert_cmpint(g_mkdir(own, 0700), ==, 0);
	g_assert_cmpint(chown(own, 12345, 12345), ==, 0);
	expect_refusal("belongs to another user (12345)");
	g_assert_cmpint(g_rmdir(own), ==, 0);
	g_assert_cmpint(chown(runtime, 12345, 12345), ==, 0);
	expect_refusal("belongs to another user (12345), who could exchange");
	g_assert_cmpint(chown(runtime, 0, 0), ==, 0);
	expect_success();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* A subprocess has its parent's. */
	bool is_parent = !g_test_subprocess();
	g_autofree char *runtime = is_parent ? g_dir_make_tmp("vitrine-run-dir-XXXXXX", NULL) :
					       g_strdup(g_getenv("XDG_RUNTIME_DIR"));
	g_setenv("XDG_RUNTIME_DIR", runtime, TRUE);
	g_test_add_func("/server/run-dir/names", test_run_dir);
	g_test_add_func("/server/run-dir/no-memory", test_no_memory);
	g_test_add_func("/server/run-dir/open-to-others", test_open_to_others);
	g_test_add_func("/server/run-dir/links", test_links);
	g_test_add_func("/server/run-dir/above", test_above);
	g_test_add_func("/server/run-dir/of-others", test_of_others);
	int status = g_test_run();
	g_autofree char *base = g_build_filename(runtime, "vitrine", NULL);
	g_rmdir(base);
	g_rmdir(runtime);
	return status;
}
