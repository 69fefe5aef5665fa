/* SPDX-License-Identifier: MIT */
#include "server/starter/isolation.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/confine/confine.h"
#include "server/starter/own_namespaces.h"
#include "server/starter/spare_users.h"

/* ---- in the child, before exec: async-signal-safe ---- */

/* The kernel lets an ordinary user map itself, and nobody else, once groups are what they are. */
static int map_ourselves(const char *user_map, const char *group_map)
{
	/* The starter is not dumpable, and so its child's files in /proc would not be ours. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return errno;
	int result = own_namespaces_write("/proc/self/setgroups", "deny");
	if (result == 0)
		result = own_namespaces_write("/proc/self/uid_map", user_map);
	return result == 0 ? own_namespaces_write("/proc/self/gid_map", group_map) : result;
}

static int enter(void *user)
{
	const struct isolation_step *step = user;
	const struct isolation *isolation = step->isolation;
	const struct starter_command *command = &isolation->plan->commands[step->command];
	int result = 0;
	if (isolation->namespaces && !isolation->has_users)
		result = map_ourselves(
			isolation->user_map[step->command], isolation->group_map[step->command]);
	/* 127.0.0.1 is where spice-server's inner leg lives. */
	if (result == 0 && isolation->namespaces && command->loopback)
		result = own_namespaces_set_loopback_up();
	if (result == 0 && isolation->has_users)
		result = own_namespaces_become(isolation->first_user + command->user);
	return result;
}

/* Does all that a worker's start does but the last, and says whether that would do. */
static int enter_for_trial(void *user)
{
	const struct isolation_step *step = user;
	int result = enter(user);
	if (result != 0)
		return result;
	const struct starter_plan *plan = step->isolation->plan;
	for (unsigned i = 0; i < plan->n_commands; i++) {
		if (access(plan->commands[i].argv[0], X_OK) < 0)
			return errno;
	}
	_exit(0);
}

/* ---- here, while the child waits ---- */

/* Only who has capabilities outside a user namespace may map others than himself into it. */
static int admit(void *user, pid_t child)
{
	const struct isolation_step *step = user;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)child);
	int result = own_namespaces_write(path, "deny");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)child);
	if (result == 0)
		result = own_namespaces_write(path, step->isolation->user_map[step->command]);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)child);
	if (result == 0)
		result = own_namespaces_write(path, step->isolation->group_map[step->command]);
	return result;
}

void isolation_apply(const struct isolation *isolation, struct isolation_step *step,
	unsigned command, struct process_options *options)
{
	g_assert(command < isolation->plan->n_commands);
	*step = (struct isolation_step){ isolation, command };
	options->environment = isolation->environments[command];
	options->namespaces = isolation->namespaces;
	options->user = step;
	options->enter = isolation->namespaces || isolation->has_users ? enter : NULL;
	options->admit = isolation->namespaces && isolation->has_users ? admit : NULL;
}

/* ---- what can be had ---- */

static void write_maps(struct isolation *isolation)
{
	for (unsigned i = 0; i < isolation->plan->n_commands; i++) {
		unsigned user = geteuid(), group = getegid();
		if (isolation->has_users)
			user = group = isolation->first_user + isolation->plan->commands[i].user;
		g_snprintf(isolation->user_map[i], ISOLATION_TEXT_MAX, "%u %u 1\n", user, user);
		g_snprintf(isolation->group_map[i], ISOLATION_TEXT_MAX, "%u %u 1\n", group, group);
	}
}

static int enter_own(struct isolation *isolation)
{
	const struct starter_plan *plan = isolation->plan;
	const struct own_namespaces wanted = {
		.has_users = isolation->has_users,
		.first_user = isolation->first_user,
		.n_users = STARTER_USERS,
		.hidden = plan->hidden,
		.n_hidden = plan->n_hidden,
		.writable = (char *const *)isolation->writable->pdata,
		.n_writable = isolation->writable->len,
	};
	int read_only_error;
	int error = own_namespaces_enter(&wanted, &read_only_error);
	if (read_only_error != 0)
		g_snprintf(isolation->no_read_only, sizeof(isolation->no_read_only),
			"files stay writable: %s", g_strerror(read_only_error));
	return error;
}

/* Of workers the one that needs most is tried: the others differ by the number of their user. */
static unsigned find_trial(const struct starter_plan *plan)
{
	for (unsigned i = 0; i < plan->n_commands; i++) {
		if (plan->commands[i].loopback)
			return i;
	}
	return 0;
}

/* A worker is tried from namespaces as they will be. Returns 0 or errno. */
static int try_here(struct isolation *isolation)
{
	unsigned command = find_trial(isolation->plan);
	struct process_options options = { .death_signal = SIGKILL };
	struct isolation_step step;
	pid_t pid;
	int result = enter_own(isolation);
	if (result != 0)
		return result;
	isolation_apply(isolation, &step, command, &options);
	options.enter = enter_for_trial;
	result = process_start(isolation->plan->commands[command].argv, &options, &pid);
	if (result == 0)
		waitpid(pid, NULL, 0);
	return result;
}

/* Who has entered namespaces cannot leave them, so it is a child that tries. */
static int try(struct isolation *isolation)
{
	int status;
	isolation->namespaces = OWN_NAMESPACES;
	write_maps(isolation);
	pid_t pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(try_here(isolation));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return ESRCH;
	return WEXITSTATUS(status);
}

/* ---- what workers get ---- */

/* Where the workers are other users these are what anybody may write to. */
static void find_writable(struct isolation *isolation)
{
	const struct starter_plan *plan = isolation->plan;
	for (unsigned i = 0; i < plan->n_writable; i++) {
		const char *path = plan->writable[i];
		struct stat st;
		if (!isolation->has_users)
			g_mkdir_with_parents(path, 0700);
		if (stat(path, &st) == 0 && (!isolation->has_users || (st.st_mode & S_IWOTH)))
			g_ptr_array_add(isolation->writable, g_strdup(path));
	}
	for (unsigned i = 0; isolation->has_users && i < STARTER_USERS; i++)
		g_ptr_array_add(
			isolation->writable, spare_users_make_cache(isolation->first_user + i));
}

static char **set_variable(char **environment, const char *name, const char *value)
{
	return g_environ_setenv(environment, name, value, TRUE);
}

static void make_environments(struct isolation *isolation)
{
	const struct starter_plan *plan = isolation->plan;
	for (unsigned i = 0; i < plan->n_commands; i++) {
		char **e =
			isolation->environments[i] ? isolation->environments[i] : g_get_environ();
		e = set_variable(e, CONFINE_NAMESPACES_VARIABLE, isolation->no_namespaces);
		if (geteuid() == 0)
			e = set_variable(e, CONFINE_USER_VARIABLE, isolation->no_users);
		if (isolation->has_users) {
			uid_t user = isolation->first_user + plan->commands[i].user;
			g_autofree char *cache = spare_users_find_cache(user);
			g_autofree char *shaders = g_build_filename(cache, "shaders", NULL);
			e = set_variable(e, "HOME", cache);
			e = set_variable(e, "XDG_CACHE_HOME", cache);
			e = set_variable(e, "MESA_SHADER_CACHE_DIR", shaders);
		}
		isolation->environments[i] = e;
	}
}

void isolation_give_up_namespaces(struct isolation *isolation, int error)
{
	isolation->namespaces = 0;
	g_strlcpy(isolation->no_namespaces, g_strerror(error), CONFINE_REASON_MAX);
	make_environments(isolation);
}

/* Returns why root's workers cannot be other users, or NULL. */
static const char *try_users(struct isolation *isolation)
{
	/* QEMU would refuse a display that is another user (display/qemu/dbus_display.c). */
	if (glib_check_version(2, 74, 0))
		return "GLib is older than 2.74";
	if (!spare_users_reach_gpus())
		return "a GPU in /dev/dri is root's alone";
	isolation->first_user = spare_users_find(isolation->plan->name, ISOLATION_USERS);
	isolation->has_users = true;
	int error = try(isolation);
	isolation->has_users = error == 0;
	return error != 0 ? g_strerror(error) : NULL;
}

bool isolation_init(struct isolation *isolation, const struct starter_plan *plan)
{
	*isolation = (struct isolation){ .plan = plan,
		.writable = g_ptr_array_new_with_free_func(g_free) };
	if (!plan->apart)
		return true;
	const char *no_users = geteuid() == 0 ? try_users(isolation) : NULL;
	int error = isolation->has_users ? 0 : try(isolation);
	if (error != 0) {
		isolation->namespaces = 0;
		no_users = g_strerror(error);
		g_strlcpy(isolation->no_namespaces, no_users, CONFINE_REASON_MAX);
	}
	g_strlcpy(isolation->no_users, no_users ? no_users : "", CONFINE_REASON_MAX);
	find_writable(isolation);
	make_environments(isolation);
	if (isolation->has_users)
		spare_users_take_gpu_groups();
	error = isolation->namespaces ? enter_own(isolation) : 0;
	if (error != 0)
		g_warning("cannot enter namespaces that were tried: %s", g_strerror(error));
	return error == 0;
}
