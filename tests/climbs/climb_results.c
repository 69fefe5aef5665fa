/* SPDX-License-Identifier: MIT */
#include "tests/climbs/climb_results.h"

#include <errno.h>
#include <string.h>

/* The names are features of kernel-without. */
const struct climb_variant climb_variants[CLIMB_VARIANTS] = {
	[CLIMB_VARIANT_ALL] = { "all walls", NULL, "auto", true },
	[CLIMB_VARIANT_NONE] = { "no walls", NULL, "off" },
	/* Debian 12's kernel, 6.1. */
	{ "with landlock 2", "landlock-after-2", "auto", true },
	{ "without landlock", "landlock", "auto" },
	{ "without seccomp", "seccomp", "auto" },
	{ "without namespaces", "namespaces", "auto" },
	{ "seccomp alone", "landlock,namespaces", "auto", .alone = CLIMB_SECCOMP },
	{ "landlock alone", "seccomp,namespaces", "auto", .alone = CLIMB_LANDLOCK },
	{ "namespaces alone", "seccomp,landlock", "auto", .alone = CLIMB_NAMESPACES },
	/* These stand in each of the variants but "no walls". */
	{ "rights alone", "seccomp,landlock,namespaces", "auto", .alone = CLIMB_RIGHTS },
};

const struct climb_place climb_places[CLIMB_PLACES] = {
	{ "render", CLIMB_RENDER, NULL },
	{ "render's gpu thread", CLIMB_RENDER, "gpu" },
	{ "display", CLIMB_DISPLAY, NULL },
	{ "display's relay", CLIMB_DISPLAY, "relay" },
	{ "keeper", CLIMB_KEEPER, NULL },
	{ "starter", CLIMB_STARTER, NULL },
	{ "fetcher", CLIMB_FETCHER, NULL },
	{ "inner", CLIMB_INNER, NULL },
};

const char *climb_results_describe(struct climb_outcome outcome)
{
	switch (outcome.verdict) {
	case CLIMB_UP:
		return "UP";
	case CLIMB_HELD:
		return outcome.error ? strerrorname_np(outcome.error) : "in vain";
	case CLIMB_DIED:
		return "died";
	case CLIMB_ITS_WORK:
		return "its work";
	case CLIMB_HUNG:
		return "HUNG";
	default:
		return "-";
	}
}

unsigned climb_results_count(const struct climb_results *results, unsigned variant, unsigned place,
	enum climb_verdict verdict)
{
	unsigned n = 0;
	for (unsigned g = 0; g < climb_n_groups; g++) {
		for (unsigned c = 0; c < climb_groups[g]->n_climbs; c++)
			n += results->outcomes[variant][place][g][c].verdict == verdict;
	}
	return n;
}

/*
 * Starter and fetcher are not asked: the starter may what its workers may, and both may keep rights
 * of root's.
 */
static bool is_named_and_tried(const struct climb_results *results, unsigned variant,
	unsigned place, unsigned g, unsigned c)
{
	return !(climb_places[place].process & CLIMB_SERVANTS) &&
	       (climb_groups[g]->climbs[c].walls & climb_variants[variant].alone) &&
	       results->outcomes[variant][place][g][c].verdict != CLIMB_NOT_TRIED;
}

unsigned climb_results_check_alone(
	const struct climb_results *results, unsigned variant, unsigned *n_climbs)
{
	unsigned n_up = 0;
	*n_climbs = 0;
	for (unsigned p = 0; p < CLIMB_PLACES; p++) {
		for (unsigned g = 0; g < climb_n_groups; g++) {
			for (unsigned c = 0; c < climb_groups[g]->n_climbs; c++) {
				if (!is_named_and_tried(results, variant, p, g, c))
					continue;
				++*n_climbs;
				if (results->outcomes[variant][p][g][c].verdict != CLIMB_UP)
					continue;
				n_up++;
				g_print("# %s does not hold %s, %s: %s: %s\n",
					climb_variants[variant].name, climb_places[p].name,
					results->user, climb_groups[g]->name,
					climb_groups[g]->climbs[c].name);
			}
		}
	}
	return n_up;
}

/* Writes in which of the places the climb was tried without walls, and did not get up. */
static void append_kept(
	const struct climb_results *results, unsigned g, unsigned c, GString *places)
{
	for (unsigned p = 0; p < CLIMB_PLACES; p++) {
		struct climb_outcome none = results->outcomes[CLIMB_VARIANT_NONE][p][g][c];
		if ((none.verdict == CLIMB_HELD || none.verdict == CLIMB_DIED) &&
			!climb_places[p].thread)
			g_string_append_printf(places, "%s%s (%s)", places->len ? ", " : "",
				climb_places[p].name, climb_results_describe(none));
	}
}

void climb_results_list_kept(const struct climb_results *results)
{
	for (unsigned g = 0; g < climb_n_groups; g++) {
		for (unsigned c = 0; c < climb_groups[g]->n_climbs; c++) {
			g_autoptr(GString) places = g_string_new(NULL);
			append_kept(results, g, c, places);
			if (places->len)
				g_print("# %s: held without walls, too: %s: %s: %s\n",
					results->user, climb_groups[g]->name,
					climb_groups[g]->climbs[c].name, places->str);
		}
	}
}

static bool is_held(
	const struct climb_results *results, unsigned v, unsigned p, unsigned g, unsigned c)
{
	enum climb_verdict verdict = results->outcomes[v][p][g][c].verdict;
	return verdict == CLIMB_HELD || verdict == CLIMB_DIED;
}

/*
 * Writes the first letters of the walls that hold the climb alone. Rights stand in all variants, so
 * beside them the others are not seen.
 */
static void append_alone(
	const struct climb_results *results, unsigned p, unsigned g, unsigned c, GString *text)
{
	for (unsigned v = 0; v < CLIMB_VARIANTS; v++) {
		unsigned wall = climb_variants[v].alone;
		if (!wall || !is_held(results, v, p, g, c))
			continue;
		if (wall == CLIMB_RIGHTS)
			g_string_truncate(text, 0);
		g_string_append_c(text, g_ascii_toupper(climb_wall_name(wall)[0]));
	}
	if (text->len == 0)
		g_string_append(text, "together");
}

static void append_holders(
	const struct climb_results *results, unsigned p, unsigned g, unsigned c, GString *text)
{
	enum climb_verdict all = results->outcomes[CLIMB_VARIANT_ALL][p][g][c].verdict;
	if (all == CLIMB_NOT_TRIED)
		return;
	if (all == CLIMB_UP)
		g_string_append(text, "UP");
	else if (climb_groups[g]->climbs[c].walls & CLIMB_LINKS)
		g_string_append(text, "checks");
	else if (is_held(results, CLIMB_VARIANT_NONE, p, g, c))
		g_string_append(text, "(kernel)");
	else
		append_alone(results, p, g, c, text);
}

/* Threads have the walls of their process, and the servants are no workers. Display's child
 * has display's walls, and fewer rights. */
static bool has_column(const struct climb_place *place)
{
	return !place->thread && !(place->process & (CLIMB_SERVANTS | CLIMB_INNER));
}

void climb_results_print_table(const struct climb_results *results)
{
	g_print("# | climb |");
	for (unsigned p = 0; p < CLIMB_PLACES; p++)
		g_print(has_column(&climb_places[p]) ? " %s |" : "", climb_places[p].name);
	g_print("\n# |---|---|---|---|\n");
	for (unsigned g = 0; g < climb_n_groups; g++) {
		g_print("# | **%s** | | | |\n", climb_groups[g]->name);
		for (unsigned c = 0; c < climb_groups[g]->n_climbs; c++) {
			g_print("# | %s |", climb_groups[g]->climbs[c].name);
			for (unsigned p = 0; p < CLIMB_PLACES; p++) {
				g_autoptr(GString) text = g_string_new(NULL);
				if (!has_column(&climb_places[p]))
					continue;
				append_holders(results, p, g, c, text);
				g_print(" %s |", text->str);
			}
			g_print("\n");
		}
	}
}
