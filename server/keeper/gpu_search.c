/* SPDX-License-Identifier: MIT */
#include "server/keeper/gpu_search.h"

#include <glib.h>

#include "server/keeper/limits.h"

void gpu_search_init(struct gpu_search *search, const struct gpu_candidates *candidates)
{
	g_assert(candidates->n > 0);
	*search = (struct gpu_search){ .candidates = candidates };
}

void gpu_search_succeed(struct gpu_search *search, const char *chosen)
{
	search->has_worked = true;
	search->n_failures = 0;
	g_strlcpy(search->chosen, chosen, sizeof(search->chosen));
}

static void note_failure(struct gpu_search *search, const char *why)
{
	g_autofree char *before = g_strdup(search->failures);
	g_snprintf(search->failures, sizeof(search->failures), "%s%s%s: %s", before,
		*before ? "; " : "", gpu_candidates_name(search->candidates, search->current), why);
}

enum gpu_search_step gpu_search_fail(struct gpu_search *search, const char *why, bool hung)
{
	const struct gpu_candidates *candidates = search->candidates;
	search->n_failures++;
	if (search->has_worked && !hung && search->n_failures < GPU_SEARCH_TRIES)
		return GPU_SEARCH_AGAIN;
	bool is_last = search->current + 1 == candidates->n;
	/* A desktop that has run is not given up: the worker's pauses grow. */
	if (is_last && search->has_worked)
		return GPU_SEARCH_AGAIN;
	if (is_last || (candidates->named && !search->has_worked))
		return GPU_SEARCH_OVER;
	note_failure(search, why);
	search->has_hung = search->has_hung || hung;
	search->current++;
	search->n_failures = 0;
	return GPU_SEARCH_NEXT;
}

unsigned gpu_search_step_ms(const struct gpu_search *search)
{
	const struct gpu_candidates *candidates = search->candidates;
	bool is_searched = candidates->nodes[search->current] && !candidates->named;
	if (!is_searched)
		return 0;
	return search->has_hung ? GPU_STEP_HURRY_MS : GPU_STEP_TIMEOUT_MS;
}

static const char *describe_choice(const struct gpu_search *search, const struct desktop *desktop)
{
	const struct gpu_candidates *candidates = search->candidates;
	if (desktop->software)
		return "as --software asks for";
	if (candidates->named && search->current == 0)
		return "as --render-node asks for";
	if (candidates->nodes[search->current])
		return "the first GPU that works";
	if (!desktop->virgl)
		return "no OpenGL is asked for";
	return candidates->n == 1 ? "there is no GPU" : "no GPU works";
}

char *gpu_search_describe(const struct gpu_search *search, const struct desktop *desktop)
{
	return g_strdup_printf("%s%s%s", describe_choice(search, desktop),
		search->failures[0] ? "; " : "", search->failures);
}
