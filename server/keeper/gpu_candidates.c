/* SPDX-License-Identifier: MIT */
#include "server/keeper/gpu_candidates.h"

#include <glib.h>

#include "server/desktop/render_nodes.h"

static void find_nodes(struct gpu_candidates *candidates, const char *nodes_dir)
{
	g_autoptr(GPtrArray) names = render_nodes_find(nodes_dir);
	if (names->len > GPU_NODES_MAX)
		g_message("%s: only the first %d of %u GPUs are tried", nodes_dir, GPU_NODES_MAX,
			names->len);
	while (candidates->n < MIN(names->len, GPU_NODES_MAX)) {
		candidates->nodes[candidates->n] =
			g_build_filename(nodes_dir, names->pdata[candidates->n], NULL);
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
