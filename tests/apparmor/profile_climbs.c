/* SPDX-License-Identifier: MIT */
/*
 * A climb is a function that a process runs in which nothing is up but the profile: it is a fork of
 * this test, root with all capabilities, that has changed into the profile. Each climb gets through
 * without a profile, or the test fails: else nothing would be known of the wall.
 */
#include "tests/apparmor/profile_climbs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/apparmor/profile_calls.h"

enum profile { RENDER, DISPLAY, KEEPER, PROFILES };
static const char *const profile_names[PROFILES] = { "vitrine-render", "vitrine-display",
	"vitrine-keeper" };

/* A climb that a child could not begin, or that has ended it. */
#define PROFILE_NO_RESULT 255

/* ---- what there is to reach ---- */

static char *make_file(const char *directory, const char *name)
{
	char *path = g_build_filename(directory, name, NULL);
	g_assert_true(g_file_set_contents(path, "secret", -1, NULL));
	return path;
}

static char *make_listener(const char *directory)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *path = g_build_filename(directory, "qmp", NULL);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(fd, 100), ==, 0);
	return path;
}

static pid_t make_victim(void)
{
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void targets_init(struct profile_targets *targets)
{
	char *directory = g_build_filename(g_get_tmp_dir(), "climbs-XXXXXX", NULL);
	g_assert_nonnull(g_mkdtemp(directory));
	g_autofree char *ssh = g_build_filename(g_get_home_dir(), ".ssh", NULL);
	g_mkdir_with_parents(ssh, 0700);
	g_autofree char *cache =
		g_build_filename(g_get_home_dir(), ".cache", "mesa_shader_cache", NULL);
	g_mkdir_with_parents(cache, 0700);
	*targets = (struct profile_targets){
		.directory = directory,
		.secret = make_file(directory, "password"),
		.hidden = make_file(ssh, "id"),
		.written = make_file(directory, "file"),
		.cached = make_file(cache, "code"),
		.qmp = make_listener(directory),
		.renderer = g_getenv("VITRINE_RENDER"),
		.keeper = g_getenv("VITRINE_GPU"),
	};
}

/* ---- a climb ---- */

bool profile_enter(const char *name)
{
	g_autofree char *text = g_strdup_printf("changeprofile %s", name);
	int fd = open("/proc/self/attr/apparmor/current", O_WRONLY | O_CLOEXEC);
	bool changed = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return changed;
}

/* Programs that are executed say who they are: not to whoever reads this test's results. */
static _Noreturn void run_child(const struct profile_climb *climb, const char *profile,
	const struct profile_targets *targets)
{
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (dup2(null_fd, STDOUT_FILENO) < 0 || (profile && !profile_enter(profile)))
		_exit(PROFILE_NO_RESULT);
	_exit(climb->go(targets));
}

/* Returns 0 when the climb got through, else the errno that held it. */
static int climb_once(
	const struct profile_climb *climb, const char *profile, struct profile_targets *targets)
{
	int status;
	targets->victim = make_victim();
	pid_t pid = fork();
	if (pid == 0)
		run_child(climb, profile, targets);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	kill(targets->victim, SIGKILL);
	waitpid(targets->victim, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : PROFILE_NO_RESULT;
}

static bool is_refusal(int result)
{
	return result == EACCES || result == EPERM;
}

static bool run_climb(
	const struct profile_climb *climb, enum profile profile, struct profile_targets *targets)
{
	bool want_held = !strchr(climb->up, "rdk"[profile]);
	int free_result = climb_once(climb, NULL, targets);
	int result = climb_once(climb, profile_names[profile], targets);
	bool good = free_result == 0 && (want_held ? is_refusal(result) : result == 0);
	g_test_message("%s: %s: %s%s%s", profile_names[profile], climb->name,
		is_refusal(result) ? "held" :
		result == 0        ? "not AppArmor's to hold" :
				     g_strerror(result),
		good ? "" : ": WRONG", free_result == 0 ? "" : ", and held without a profile, too");
	return good;
}

static void test_profile(gconstpointer data)
{
	enum profile profile = GPOINTER_TO_INT(data);
	struct profile_targets targets;
	unsigned n_wrong = 0, n_held = 0;
	targets_init(&targets);
	for (const struct profile_climb *climb = profile_climbs; climb->name; climb++) {
		n_wrong += !run_climb(climb, profile, &targets);
		n_held += !strchr(climb->up, "rdk"[profile]);
	}
	g_test_message("%s: %u climbs held", profile_names[profile], n_held);
	if (n_wrong > 0)
		g_test_fail_printf("%u of them", n_wrong);
}

void profile_climbs_add(void)
{
	for (enum profile profile = 0; profile < PROFILES; profile++) {
		g_autofree char *path =
			g_strdup_printf("/apparmor/climbs/%s", profile_names[profile]);
		g_test_add_data_func(path, GINT_TO_POINTER(profile), test_profile);
	}
}
