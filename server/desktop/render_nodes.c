/* SPDX-License-Identifier: MIT */
#include "server/desktop/render_nodes.h"

#include <string.h>

static int compare(gconstpointer a, gconstpointer b)
{
	const char *left = *(const char *const *)a, *right = *(const char *const *)b;
	size_t left_length = strlen(left), right_length = strlen(right);
	if (left_length != right_length)
		return left_length < right_length ? -1 : 1;
	return strcmp(left, right);
}

GPtrArray *render_nodes_find(const char *dir_path)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		if (g_str_has_prefix(name, "renderD"))
			g_ptr_array_add(names, g_strdup(name));
	}
	g_ptr_array_sort(names, compare);
	return names;
}
