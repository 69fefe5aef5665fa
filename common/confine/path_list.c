/* SPDX-License-Identifier: MIT */
#include "common/confine/path_list.h"

#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DRM_DEVICE_MAJOR 226

struct path_list {
	GArray *rows; /* struct confine_path */
	GStringChunk *texts;
};

struct path_list *path_list_create(void)
{
	struct path_list *list = g_new0(struct path_list, 1);
	list->rows = g_array_new(FALSE, FALSE, sizeof(struct confine_path));
	list->texts = g_string_chunk_new(1024);
	return list;
}

void path_list_destroy(struct path_list *list)
{
	if (!list)
		return;
	g_array_free(list->rows, TRUE);
	g_string_chunk_free(list->texts);
	g_free(list);
}

void path_list_add(
	struct path_list *list, const char *path, enum confine_access access, const char *reason)
{
	struct confine_path row = { g_string_chunk_insert_const(list->texts, path), access,
		reason };
	g_array_append_val(list->rows, row);
}

void path_list_add_table(struct path_list *list, const struct confine_path *rows, unsigned n_rows)
{
	for (unsigned i = 0; i < n_rows; i++)
		path_list_add(list, rows[i].path, rows[i].access, rows[i].reason);
}

void path_list_add_variable(struct path_list *list, const char *name)
{
	g_auto(GStrv) paths = g_strsplit(g_getenv(name) ? g_getenv(name) : "", ":", -1);
	for (char **path = paths; *path; path++) {
		if (g_path_is_absolute(*path))
			path_list_add(list, *path, CONFINE_READ,
				"the environment says that something lies there");
	}
}

static int add_library(struct dl_phdr_info *info, size_t size_bytes, void *list)
{
	/* The program itself has no name here. */
	if (!info->dlpi_name || !g_path_is_absolute(info->dlpi_name))
		return 0;
	g_autofree char *folder = g_path_get_dirname(info->dlpi_name);
	path_list_add(list, folder, CONFINE_READ, "libraries that are loaded lie there");
	return 0;
}

void path_list_add_libraries(struct path_list *list)
{
	dl_iterate_phdr(add_library, list);
}

void path_list_add_gpu(struct path_list *list, const char *node)
{
	struct stat found;
	if (stat(node, &found) < 0 || !S_ISCHR(found.st_mode) ||
		major(found.st_rdev) != DRM_DEVICE_MAJOR)
		return;
	path_list_add(list, node, CONFINE_DEVICE, "the GPU");
	g_autofree char *sysfs = g_strdup_printf(
		"/sys/dev/char/%u:%u/device", major(found.st_rdev), minor(found.st_rdev));
	path_list_add(list, sysfs, CONFINE_READ, "libdrm asks which GPU it is");
}

static int compare_rows(gconstpointer a, gconstpointer b)
{
	const struct confine_path *one = a, *other = b;
	int order = strcmp(one->path, other->path);
	return order ? order : (int)one->access - (int)other->access;
}

/* Many libraries lie in one folder, and each row takes three calls of the kernel. */
static void drop_repeated(GArray *rows)
{
	g_array_sort(rows, compare_rows);
	for (unsigned i = 1; i < rows->len;) {
		if (compare_rows(&g_array_index(rows, struct confine_path, i - 1),
			    &g_array_index(rows, struct confine_path, i)) == 0)
			g_array_remove_index(rows, i);
		else
			i++;
	}
}

void path_list_give(const struct path_list *list, struct confine_rules *rules)
{
	drop_repeated(list->rows);
	rules->paths = (const struct confine_path *)(void *)list->rows->data;
	rules->n_paths = list->rows->len;
}
