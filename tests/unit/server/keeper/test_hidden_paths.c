/* SPDX-License-Identifier: MIT */
/*
 * hidden_paths: what of a desktop's files workers do not see, by where the files lie and what else
 * lies there.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "server/keeper/hidden_paths.h"

static char *folder;

static char *in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

/* What is hidden of one socket file in `dir`, when `needed` must be seen: text for comparison. */
static char *find(const char *qmp, const char *password, const char *needed)
{
	g_autofree char *qmp_path = in_folder(qmp);
	g_autofree char *password_path = password ? in_folder(password) : NULL;
	g_autofree char *needed_path = in_folder(needed);
	const char *const needs[] = { needed_path, NULL };
	struct desktop desktop = { .qmp_path = qmp_path, .password_file = password_path };
	g_auto(GStrv) paths = hidden_paths_find(&desktop, needs);
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; paths[i]; i++) {
		g_assert_true(g_str_has_prefix(paths[i], folder));
		g_string_append_printf(text, "%s ", paths[i] + strlen(folder));
	}
	return g_string_free(text, FALSE);
}

static void check(const char *qmp, const char *password, const char *needed, const char *expected)
{
	g_autofree char *found = find(qmp, password, needed);
	g_assert_cmpstr(found, ==, expected);
}

static void test_folders(void)
{
	/* A folder of ours alone is hidden before the socket is there. */
	check("private/none", NULL, "open/program", "/private ");
	check("private/file", "private/file", "open/program", "/private ");
	/* In one that others may use only the file is, if there is one. */
	check("open/none", NULL, "private/program", "");
	check("open/file", NULL, "private/program", "/open/file ");
	/* What workers need stays. */
	check("private/file", NULL, "private/program", "/private/file ");
	check("private/none", NULL, "private/program", "");
	/* A name that begins alike is another folder's. */
	check("private/none", NULL, "private-too/program", "/private ");
	check("missing/none", NULL, "open/program", "");
	check("link/none", NULL, "open/program", "/private ");
}

static void test_runtime_folder(void)
{
	g_autofree char *path = in_folder("private");
	g_setenv("XDG_RUNTIME_DIR", path, TRUE);
	check("open/none", NULL, "open/program", "/private ");
	check("open/none", NULL, "private/program", "");
	check("private/none", "open/file", "open/program", "/private /open/file ");
	g_unsetenv("XDG_RUNTIME_DIR");
}

static void make(const char *dir, int mode)
{
	static const char *const files[] = { "file", "program" };
	g_autofree char *path = in_folder(dir);
	g_assert_cmpint(g_mkdir(path, mode), ==, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *name = g_build_filename(path, files[i], NULL);
		g_assert_true(g_file_set_contents(name, "", 0, NULL));
	}
}

static void remove_folder(const char *dir)
{
	static const char *const files[] = { "file", "program" };
	g_autofree char *path = in_folder(dir);
	for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *name = g_build_filename(path, files[i], NULL);
		g_unlink(name);
	}
	g_rmdir(path);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_unsetenv("XDG_RUNTIME_DIR");
	folder = g_dir_make_tmp("vitrine-hidden-XXXXXX", NULL);
	make("private", 0700);
	make("private-too", 0700);
	make("open", 0755);
	g_autofree char *link = in_folder("link"), *target = in_folder("private");
	g_assert_cmpint(symlink(target, link), ==, 0);
	g_test_add_func("/hidden-paths/folders", test_folders);
	g_test_add_func("/hidden-paths/runtime-folder", test_runtime_folder);
	int status = g_test_run();
	g_unlink(link);
	remove_folder("private");
	remove_folder("private-too");
	remove_folder("open");
	g_rmdir(folder);
	return status;
}
