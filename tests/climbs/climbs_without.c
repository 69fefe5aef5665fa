/* SPDX-License-Identifier: MIT */
/*
 * climbs-without: kernels that lack something. The desktop starts all the same and says in its log
 * what it lacks; --confine=must refuses and names the wall; --confine=off warns.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/climbs/climb_desktop.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

/* What the kernel lacks, and which wall is said to be lacking then. */
struct lack {
	const char *feature; /* of kernel-without */
	const char *wall;
	unsigned processes; /* that say so; of enum climb_process */
};

#define LEFT_BEHIND_LIMIT_MS 10000

/* There are no PID namespaces (SECURITY.md). */
#define CONFINED CLIMB_ALL
#define APART (CLIMB_WORKERS | CLIMB_STARTER | CLIMB_INNER)

static const struct lack lacks[] = {
	{ "landlock", "landlock", CONFINED },
	{ "landlock-at-boot", "landlock", CONFINED },
	{ "seccomp", "seccomp", CONFINED },
	{ "namespaces", "namespaces", APART },
	{ "user-namespaces", "namespaces", APART },
	{ "network-namespaces", "namespaces", APART },
	{ "mount-namespaces", "namespaces", APART },
	{ "ipc-namespaces", "namespaces", APART },
	{ "read-only-mounts", "namespaces", CLIMB_STARTER },
};

/* These say what they are locked in by. */
static const struct {
	const char *name;
	enum climb_process process;
} programs[] = {
	{ "vitrine-render", CLIMB_RENDER },
	{ "vitrine-display", CLIMB_DISPLAY },
	{ "vitrine-gpu", CLIMB_KEEPER },
	{ "vitrine-starter", CLIMB_STARTER },
	{ "vitrine-fetcher", CLIMB_FETCHER },
	{ "vitrine-inner", CLIMB_INNER },
};

/* Returns what the process says of its walls: the rest of the line, or NULL. */
static char *find_walls(const char *log, const char *program)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
	for (char **line = lines; *line; line++) {
		const char *at = strstr(*line, "walls: ");
		if (at && strstr(*line, program))
			return g_strdup(at + strlen("walls: "));
	}
	return NULL;
}

static bool says_lacking(const char *walls, const char *wall)
{
	const char *lacking = walls ? strstr(walls, "lacks") : NULL;
	return lacking && strstr(lacking, wall);
}

static struct climb_site *site;

static char *run(const char *without, const char *confine)
{
	struct climb_variant variant = { without ? without : "all", without, confine };
	struct climb_desktop desktop;
	climb_desktop_init(&desktop, site, &variant);
	climb_desktop_start(&desktop);
	g_assert_true(scene3d_run(desktop.guest, 20, 3));
	char *log = climb_desktop_read_log(&desktop);
	climb_desktop_finish(&desktop);
	return log;
}

static void test_starts(const void *data)
{
	const struct lack *lack = data;
	g_autofree char *log = run(lack->feature, "auto");
	for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *walls = find_walls(log, programs[i].name);
		g_test_message("%s: %s", programs[i].name, walls ? walls : "nothing");
		if ((lack->processes & programs[i].process) && !says_lacking(walls, lack->wall)) {
			g_test_message(
				"%s does not say that it lacks %s", programs[i].name, lack->wall);
			g_test_fail();
		}
	}
}

static void test_refuses(const void *data)
{
	const struct lack *lack = data;
	struct climb_variant variant = { lack->feature, lack->feature, "must" };
	struct climb_desktop desktop;
	g_autofree char *log = NULL;
	climb_desktop_init(&desktop, site, &variant);
	int status = climb_desktop_try(&desktop, &log);
	g_test_message("%s", log);
	g_assert_cmpint(status, >, 0);
	g_assert_nonnull(strstr(log, "--confine=must"));
	g_assert_nonnull(strstr(log, lack->wall));
}

/* Nothing is lacking but what an ordinary user cannot have. */
static void test_all(void)
{
	static const char *const walls_of_all[] = { "landlock", "seccomp", "namespaces" };
	g_autofree char *log = run(NULL, "auto");
	for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *walls = find_walls(log, programs[i].name);
		g_test_message("%s: %s", programs[i].name, walls ? walls : "nothing");
		g_assert_nonnull(walls);
		for (unsigned w = 0; w < G_N_ELEMENTS(walls_of_all); w++)
			g_assert_false(says_lacking(walls, walls_of_all[w]));
	}
}

static bool is_called(const char *pid, const char *name)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/comm", pid);
	g_autofree char *found = NULL;
	return g_file_get_contents(path, &found, NULL, NULL) &&
	       strcmp(g_strchomp(found), name) == 0;
}

/* Gives a child of ours that calls itself so, or 0. It may have ended. */
static pid_t find_child(const char *name)
{
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents("/proc/thread-self/children", &text, NULL, NULL));
	g_auto(GStrv) pids = g_strsplit(g_strchomp(text), " ", -1);
	for (char **pid = pids; *pid; pid++) {
		if (is_called(*pid, name))
			return (pid_t)strtol(*pid, NULL, 10);
	}
	return 0;
}

/* What played the old Landlock has nobody left to answer. */
static void expect_end_of_old_landlock(void)
{
	gint64 end = g_get_monotonic_time() + LEFT_BEHIND_LIMIT_MS * 1000;
	pid_t pid = find_child("old-landlock"), ended;
	g_assert_cmpint(pid, >, 0);
	while ((ended = waitpid(pid, NULL, WNOHANG)) == 0 && g_get_monotonic_time() < end)
		g_usleep(1000);
	g_assert_cmpint(ended, ==, pid);
}

/* An old Landlock holds less, but nothing is lacking: the others hold the rest. */
static void test_old_landlock(void)
{
	/* It has no parent, and becomes our child. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	g_autofree char *log = run("landlock-after-2", "auto");
	expect_end_of_old_landlock();
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *walls = find_walls(log, programs[i].name);
		g_test_message("%s: %s", programs[i].name, walls ? walls : "nothing");
		g_assert_true(walls && strstr(walls, "landlock (ABI 2)"));
	}
}

/* Who can have all walls may insist on them. */
static void test_must(void)
{
	g_autofree char *log = run(NULL, "auto");
	if (strstr(log, "lacks")) {
		g_test_skip("a wall is lacking here");
		return;
	}
	g_autofree char *again = run(NULL, "must");
	g_assert_null(strstr(again, "--confine=must"));
}

static void test_off(void)
{
	g_autofree char *log = run(NULL, "off");
	g_test_message("%s", log);
	g_assert_nonnull(strstr(log, "--confine=off"));
	g_assert_null(strstr(log, "walls: holds"));
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_set_nonfatal_assertions();
	site = climb_site_create(geteuid(), g_getenv("PLANTED"));
	g_test_add_func("/without/nothing", test_all);
	g_test_add_func("/without/nothing-must", test_must);
	g_test_add_func("/without/news-of-landlock", test_old_landlock);
	g_test_add_func("/without/all-by-option", test_off);
	for (unsigned i = 0; i < G_N_ELEMENTS(lacks); i++) {
		g_autofree char *starts = g_strconcat("/without/starts/", lacks[i].feature, NULL);
		g_autofree char *refuses = g_strconcat("/without/refuses/", lacks[i].feature, NULL);
		g_test_add_data_func(starts, &lacks[i], test_starts);
		g_test_add_data_func(refuses, &lacks[i], test_refuses);
	}
	int status = g_test_run();
	climb_site_destroy(site);
	return status;
}
