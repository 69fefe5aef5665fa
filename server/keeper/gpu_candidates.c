/* SPDX-License-Identifier: MIT */
#include "server/keeper/gpu_candidates.h"

#include <glib.h>
#include <string.h>

#define NODE_PREFIX "renderD"

/* renderD9 comes before renderD128. */
static int compare_nodes(gconstpointer a, gconstpointer b)
{
	const char *left = *(const char *const *)a, *right = *(const char *const *)b;
	size_t left_length = strlen(left), right_length = strlen(right);
	if (left_length != right_length)
		return left_length < right_length ? -1 : 1;
	return strcmp(left, right);
}

static void find_nodes(struct gpu_candidates *candidates, const char *nodes_dir)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(nodes_dir, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		if (g_str_has_prefix(name, NODE_PREFIX))
			g_ptr_array_add(paths, g_build_filename(nodes_dir, name, NULL));
	}
	g_ptr_array_sort(paths, compare_nodes);
	if (paths->len > GPU_NODES_MAX)
		g_message("%s: only the first %d of %u GPUs are tried", nodes_dir, GPU_NODES_MAX,
			paths->len);
	while (candidates->n < MIN(paths->len, GPU_NODES_MAX)) {
		candidates->nodes[candidates->n] = g_strdup(paths->pdata[candidates->n]);
		candidates->n++;
	}
}

void gpu_candidates_find(
	struct gpu_candidates *candidates, const struct desktop *desktop, const char *nodes_dir)
{
	*candidates = (struct gpu_candidates){ .named = desktop->render_node != NULL };
	if (desktop->render_node)
		candidates->nodes[candidates->n++] = g_strdup(desktop->render_node);
	else if (desktop->virgl && !desktop->software)
		find_nodes(candidates, nodes_dir);
	candidates->nodes[candidates->n++] = NULL;
}

void gpu_candidates_finish(struct gpu_candidates *candidates)
{
	for (unsigned i = 0; i < candidates->n; i++)
		g_free(candidates->nodes[i]);
	*candidates = (struct gpu_candidates){ 0 };
}

const char *gpu_candidates_dir(void)
{
	const char *dir = g_getenv("VITRINE_NODES_DIR");
	return dir ? dir : "/dev/dri";
}

const char *gpu_candidates_name(const struct gpu_candidates *candidates, unsigned i)
{
	g_assert(i < candidates->n);
	return candidates->nodes[i] ? candidates->nodes[i] : "the CPU";
}
