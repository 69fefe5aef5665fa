/* SPDX-License-Identifier: MIT */
/*
 * climbs [--whole] [--table] [--only TEXT] [--from PLACE]: code planted in each of our processes
 * tries to get out.
 *
 * A row of what it prints is: process, user, walls that stand, outcome, climb. What is up with all
 * walls fails the test. With --whole each wall is also left out, and stands alone: then a climb
 * must be held by each single wall that its row names. What is not even up without any wall is
 * counted apart: there the kernel gives this user no right to it. --table prints what held what as
 * docs/walls.md has it, and without --whole tries what it needs for that.
 *
 * Root tries as root and as a user who is nobody else; whoever else tries as himself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/climbs/climb_results.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

/* A number that nobody has. It is in no file of users, as one of a container is not. */
#define ORDINARY_USER 63017

static gboolean whole, table;
static char *only, *from, *as;
static const GOptionEntry options[] = {
	{ "whole", 0, 0, G_OPTION_ARG_NONE, &whole, "Leave each wall out", NULL },
	{ "table", 0, 0, G_OPTION_ARG_NONE, &table, "Print the table of docs/walls.md", NULL },
	{ "only", 0, 0, G_OPTION_ARG_STRING, &only, "Only climbs with this in their names",
		"TEXT" },
	{ "from", 0, 0, G_OPTION_ARG_STRING, &from, "Only from this process or thread", "PLACE" },
	{ "as", 0, 0, G_OPTION_ARG_STRING, &as, "Only as one of the two: root, user", "WHO" },
	{ NULL },
};

static unsigned test_number, n_failed;

static void say(bool good, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_print("%sok %u - %s\n", good ? "" : "not ", ++test_number, text);
	n_failed += !good;
}

static bool is_variant_wanted(unsigned variant, bool without_too)
{
	if (whole || variant == CLIMB_VARIANT_ALL)
		return true;
	if (variant == CLIMB_VARIANT_NONE)
		return without_too;
	return table && climb_variants[variant].alone;
}

/*
 * Where the user may put no filter on a listener, and there is neither seccomp nor Landlock,
 * nothing holds it.
 */
static bool is_unfiltered(
	const struct climb_site *site, const struct climb *climb, unsigned variant)
{
	const char *without = climb_variants[variant].without;
	return (climb->flags & CLIMB_VISITED) && !site->filters && without &&
	       strstr(without, "seccomp") && strstr(without, "landlock");
}

/*
 * An ordinary run shows by one thread of each process that its climbs are up without walls, and
 * leaves links out of that: their checks cannot be left out.
 */
static bool is_wanted(const struct climb *climb, const struct climb_place *place, unsigned variant)
{
	bool breaks_link = climb->flags & CLIMB_MAY_END;
	if (!(climb->processes & place->process) || (only && !strstr(climb->name, only)))
		return false;
	if (place->thread && (breaks_link || (table && !whole)))
		return false;
	return variant != CLIMB_VARIANT_NONE || whole || (!place->thread && !breaks_link);
}

/* What is its work is no climb. */
static struct climb_outcome pardon(const struct climb_place *place, const struct climb *climb,
	unsigned variant, struct climb_outcome outcome)
{
	const char *duty = climb_find_duty(place->process, climb, climb_variants[variant].without);
	if (!duty || !climb_variants[variant].holds_all || outcome.verdict != CLIMB_UP)
		return outcome;
	return (struct climb_outcome){ .verdict = CLIMB_ITS_WORK };
}

/* Returns how many of those that are wanted could not be tried. */
static unsigned climb_from(struct climb_desktop *desktop, struct climb_results *results,
	unsigned variant, unsigned p, unsigned *n_wanted)
{
	unsigned n_untried = 0;
	const struct climb_place *place = &climb_places[p];
	for (unsigned g = 0; g < climb_n_groups; g++) {
		g_assert_cmpuint(climb_groups[g]->n_climbs, <=, CLIMB_GROUP_MAX);
		for (unsigned c = 0; c < climb_groups[g]->n_climbs; c++) {
			const struct climb *climb = &climb_groups[g]->climbs[c];
			if (!is_wanted(climb, place, variant))
				continue;
			if (is_unfiltered(desktop->site, climb, variant)) {
				g_print("# %s, %s: left out, no filter may be had: %s\n",
					results->user, climb_variants[variant].name, climb->name);
				continue;
			}
			++*n_wanted;
			struct climb_outcome outcome = pardon(
				place, climb, variant, climb_desktop_climb(desktop, place, g, c));
			results->outcomes[variant][p][g][c] = outcome;
			n_untried += outcome.verdict == CLIMB_NOT_TRIED;
			g_print("# %-19s %-6s %-18s %-14s %s: %s\n", place->name, results->user,
				climb_variants[variant].name, climb_results_describe(outcome),
				climb_groups[g]->name, climb->name);
		}
	}
	return n_untried;
}

static void judge(
	const struct climb_results *results, unsigned variant, unsigned p, unsigned n_untried)
{
	unsigned up = climb_results_count(results, variant, p, CLIMB_UP);
	unsigned held = climb_results_count(results, variant, p, CLIMB_HELD);
	unsigned died = climb_results_count(results, variant, p, CLIMB_DIED);
	unsigned hung = climb_results_count(results, variant, p, CLIMB_HUNG);
	unsigned work = climb_results_count(results, variant, p, CLIMB_ITS_WORK);
	bool good = n_untried + hung == 0;
	if (climb_variants[variant].holds_all)
		good = good && up == 0;
	/* Planted code that cannot climb at all would find every wall good. */
	if (variant == CLIMB_VARIANT_NONE)
		good = good && up > held + died;
	say(good,
		"%s, %s, %s: %u up, %u its work, %u held, %u held by an end, %u without an answer, "
		"%u untried",
		climb_places[p].name, results->user, climb_variants[variant].name, up, work, held,
		died, hung, n_untried);
}

static void check_all_threads(struct climb_desktop *desktop, const char *user)
{
	for (unsigned i = 0; i < CLIMB_PROCESSES; i++) {
		unsigned n_threads;
		if (1u << i & CLIMB_SERVANTS)
			continue;
		climb_desktop_start(desktop);
		unsigned n_open = climb_desktop_check_threads(desktop, 1u << i, &n_threads);
		say(n_threads > 0 && n_open == 0, "%s, %s: walls around %u of %u threads",
			climb_process_name(1u << i), user, n_threads - n_open, n_threads);
	}
}

static bool is_place_wanted(const struct climb_place *place)
{
	return !from || strcmp(from, place->name) == 0;
}

static void run_variant(struct climb_site *site, struct climb_results *results, unsigned variant)
{
	struct climb_desktop desktop;
	gint64 begin = g_get_monotonic_time();
	climb_desktop_init(&desktop, site, &climb_variants[variant]);
	if (variant == CLIMB_VARIANT_ALL)
		check_all_threads(&desktop, results->user);
	for (unsigned p = 0; p < CLIMB_PLACES; p++) {
		if (!is_place_wanted(&climb_places[p]))
			continue;
		unsigned n_wanted = 0;
		unsigned n_untried = climb_from(&desktop, results, variant, p, &n_wanted);
		if (n_wanted > 0)
			judge(results, variant, p, n_untried);
	}
	climb_desktop_start(&desktop);
	if (variant == CLIMB_VARIANT_ALL)
		say(scene3d_run(desktop.guest, 20, 3), "%s: the desktop still draws",
			results->user);
	climb_desktop_finish(&desktop);
	g_print("# %s, %s: a desktop was started %u times; %.1f s\n", results->user,
		climb_variants[variant].name, desktop.n_starts,
		(double)(g_get_monotonic_time() - begin) / 1e6);
}

static void judge_walls(const struct climb_results *results)
{
	for (unsigned variant = 0; variant < CLIMB_VARIANTS; variant++) {
		if (!climb_variants[variant].alone)
			continue;
		unsigned n;
		unsigned n_up = climb_results_check_alone(results, variant, &n);
		say((n > 0 || only || from) && n_up == 0,
			"%s, %s: holds %u of the %u that it must hold", results->user,
			climb_variants[variant].name, n - n_up, n);
	}
}

static void run_user(const char *name, uid_t user, bool without_too)
{
	static struct climb_results results;
	memset(&results, 0, sizeof(results));
	results.user = name;
	struct climb_site *site = climb_site_create(user, g_getenv("PLANTED"));
	for (unsigned variant = 0; variant < CLIMB_VARIANTS; variant++) {
		if (is_variant_wanted(variant, without_too))
			run_variant(site, &results, variant);
	}
	climb_site_destroy(site);
	if (whole || table)
		judge_walls(&results);
	climb_results_list_kept(&results);
	if (table)
		climb_results_print_table(&results);
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	wire_init(&argc, &argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_printerr("climbs: %s\n", error->message);
		return 2;
	}
	bool is_root = geteuid() == 0;
	if (is_root && (!as || strcmp(as, "root") == 0))
		run_user("root", 0, true);
	if (!as || strcmp(as, "user") == 0)
		run_user("user", is_root ? ORDINARY_USER : geteuid(), !is_root || as || table);
	if (test_number == 0)
		g_print("1..0 # SKIP only root can climb as root\n");
	else
		g_print("1..%u\n", test_number);
	return n_failed > 0;
}
