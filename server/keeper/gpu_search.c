/* SPDX-License-Identifier: MIT */
#include "server/keeper/gpu_search.h"

#include <glib.h>
#include <string.h>

#include "common/monotonic.h"
#include "server/keeper/limits.h"

void gpu_search_init(struct gpu_search *search, const struct gpu_candidates *candidates)
{
	g_assert(candidates->n > 0);
	*search = (struct gpu_search){ .candidates = candidates };
}

void gpu_search_succeed(struct gpu_search *search, const char *chosen)
{
	search->has_worked = search->is_proven = true;
	if (search->has_lost && search->current == search->lost)
		search->has_lost = false;
	search->n_failures = 0;
	g_strlcpy(search->chosen, chosen, sizeof(search->chosen));
}

static void note_failure(struct gpu_search *search, const char *why)
{
	g_autofree char *before = g_strdup(search->failures);
	g_snprintf(search->failures, sizeof(search->failures), "%s%s%s: %s", before,
		*before ? "; " : "", gpu_candidates_name(search->candidates, search->current), why);
}

static void give_up(struct gpu_search *search, const char *why)
{
	if (search->is_proven && !search->has_lost) {
		search->has_lost = true;
		search->lost = search->current;
		search->lost_bytes = strlen(search->failures);
	}
	note_failure(search, why);
	search->current++;
	search->n_failures = 0;
	search->is_proven = false;
}

enum gpu_search_step gpu_search_fail(struct gpu_search *search, const char *why, bool hung)
{
	const struct gpu_candidates *candidates = search->candidates;
	search->n_failures++;
	if (search->is_proven && !hung && search->n_failures < GPU_SEARCH_TRIES)
		return GPU_SEARCH_AGAIN;
	bool is_last = search->current + 1 == candidates->n;
	/* A desktop that has run is not given up: the worker's pauses grow. */
	if (is_last && search->has_worked)
		return GPU_SEARCH_AGAIN;
	if (is_last || (candidates->named && !search->has_worked))
		return GPU_SEARCH_OVER;
	give_up(search, why);
	search->has_hung = search->has_hung || hung;
	return GPU_SEARCH_NEXT;
}

bool gpu_search_go_back(struct gpu_search *search, uint64_t now_ns)
{
	bool is_soon = search->back_ns > 0 &&
		       now_ns - search->back_ns < GPU_SEARCH_BACK_S * MONOTONIC_NS_PER_S;
	if (!search->has_lost || search->current == search->lost || is_soon)
		return false;
	search->back_ns = now_ns;
	search->current = search->lost;
	search->failures[search->lost_bytes] = '\0';
	search->n_failures = 0;
	search->is_proven = search->has_hung = false;
	return true;
}

unsigned gpu_search_step_ms(const struct gpu_search *search)
{
	const struct gpu_candidates *candidates = search->candidates;
	bool must_work = candidates->named && !search->has_worked;
	if (!candidates->nodes[search->current] || must_work)
		return 0;
	if (search->is_proven)
		return GPU_STEP_AGAIN_MS;
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
