/* SPDX-License-Identifier: MIT */
#include "server/desktop/workers.h"

#include <glib.h>

/* A build tree has the workers in folders next to ours; a package has its own place for them. */
char *workers_find_dir(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = self ? g_path_get_dirname(self) : NULL;
	g_autofree char *marker = dir ? g_build_filename(dir, "../meson-private", NULL) : NULL;
	if (marker && g_file_test(marker, G_FILE_TEST_IS_DIR))
		return g_build_filename(dir, "..", NULL);
	return g_strdup(VITRINE_LIBEXEC_DIR);
}

/* A package has the program as DIR/NAME, a build tree as DIR/FOLDER/NAME. */
static char *find_worker(const char *dir, const char *folder, const char *name)
{
	g_autofree char *installed = g_build_filename(dir, name, NULL);
	if (g_file_test(installed, G_FILE_TEST_IS_EXECUTABLE))
		return g_steal_pointer(&installed);
	g_autofree char *built = g_build_filename(dir, folder, name, NULL);
	if (g_file_test(built, G_FILE_TEST_IS_EXECUTABLE))
		return g_steal_pointer(&built);
	return g_steal_pointer(&installed);
}

char *workers_find_renderer(const char *dir)
{
	return find_worker(dir, "render", "vitrine-render");
}

char *workers_find_display(const char *dir)
{
	return find_worker(dir, "display", "vitrine-display");
}
