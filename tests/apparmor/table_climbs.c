/* SPDX-License-Identifier: MIT */
/*
 * Runs the climbs of tests/climbs in each profile, with no other wall up. Those of what a process
 * has open, of exhaustion and of links are left out: they are no profile's.
 */
#include "tests/apparmor/profile_climbs.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/climbs/climb.h"
#include "tests/climbs/climb_site.h"

/* What hangs, or has executed a program that sleeps, is ended by the kernel then. */
#define LIMIT_S 3

struct table_profile {
	const char *name;
	enum climb_process process;
};
static const struct table_profile table_profiles[] = {
	{ "vitrine-render", CLIMB_RENDER },
	{ "vitrine-display", CLIMB_DISPLAY },
	{ "vitrine-keeper", CLIMB_KEEPER },
};

static const struct climb_group *const table_groups[] = { &climb_files, &climb_writing,
	&climb_network, &climb_execution, &climb_neighbours, &climb_tracing, &climb_kernel,
	&climb_machine, &climb_rights };

/* Returns 0 when it got through, else the errno that held it; ETIME when it was ended. */
static int table_climb(
	const struct climb *climb, const char *profile, const struct climb_targets *targets)
{
	int status;
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		alarm(LIMIT_S);
		if (!profile_enter(profile))
			_exit(ETIME);
		_exit(climb->go(targets));
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : ETIME;
}

/*
 * A profile holds what Landlock must hold: files. It takes no rights away that a process has, sets
 * no limits and leaves most system calls alone.
 */
static bool must_hold(const struct climb *climb)
{
	return climb->walls & CLIMB_LANDLOCK;
}

static void test_table(gconstpointer data)
{
	const struct table_profile *profile = data;
	struct climb_site *site = climb_site_create(0, g_getenv("PLANTED"));
	struct climb_targets *targets = &site->memory->targets;
	unsigned n_held = 0, n_up = 0, n_wrong = 0;
	targets->keeper = targets->sibling = targets->qemu;
	g_strlcpy(targets->run_dir, targets->other_dir, sizeof(targets->run_dir));
	for (unsigned g = 0; g < G_N_ELEMENTS(table_groups); g++) {
		const struct climb_group *group = table_groups[g];
		for (size_t c = 0; c < group->n_climbs; c++) {
			const struct climb *climb = &group->climbs[c];
			if (!(climb->processes & profile->process))
				continue;
			int result = table_climb(climb, profile->name, targets);
			bool up = result == 0 || result == ETIME;
			n_up += up;
			n_held += !up;
			n_wrong += up && must_hold(climb);
			g_test_message("%s: %s: %s: %s%s", profile->name, group->name, climb->name,
				up ? "up" : g_strerror(result),
				up && must_hold(climb) ? ": WRONG" : "");
		}
		climb_site_drain(site);
	}
	climb_site_destroy(site);
	g_test_message("%s: %u of the table's climbs held, %u up", profile->name, n_held, n_up);
	if (n_wrong > 0)
		g_test_fail_printf("%u of them", n_wrong);
}

void table_climbs_add(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(table_profiles); i++) {
		g_autofree char *path =
			g_strdup_printf("/apparmor/table/%s", table_profiles[i].name);
		g_test_add_data_func(path, &table_profiles[i], test_table);
	}
}
