/* SPDX-License-Identifier: MIT */
#include "tests/unit/server/files.h"

#include <glib.h>
#include <glib/gstdio.h>

char *write_file(const char *name, const void *content, size_t length)
{
	g_autofree char *dir = g_dir_make_tmp("vitrine-files-XXXXXX", NULL);
	char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, content, (gssize)length, NULL));
	return path;
}

void remove_file(char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_unlink(path);
	g_rmdir(dir);
	g_free(path);
}
