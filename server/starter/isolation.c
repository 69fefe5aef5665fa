/* SPDX-License-Identifier: MIT */
#include "server/starter/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/confine/confine.h"
#include "server/starter/spare_users.h"

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC)

/* ---- in the child, before exec: async-signal-safe ---- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t length = (ssize_t)strlen(text);
	int result = write(fd, text, (size_t)length) == length ? 0 : errno;
	close(fd);
	return result;
}

/* The kernel lets an ordinary user map itself, and nobody else, once groups are what they are. */
static int map_ourselves(const char *user_map, const char *group_map)
{
	/* The starter is not dumpable, and so its child's files in /proc would not be ours. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return errno;
	int result = write_file("/proc/self/setgroups", "deny");
	if (result == 0)
		result = write_file("/proc/self/uid_map", user_map);
	return result == 0 ? write_file("/proc/self/gid_map", group_map) : result;
}

/* 127.0.0.1 is where spice-server's inner leg lives, and a new network has it switched off. */
static int set_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int result = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? errno : 0;
	close(fd);
	return result;
}

/* Puts something empty in the place of a folder or a file. What is not there need not be hidden. */
static int hide(const char *path)
{
	struct stat st;
	int result;
	if (stat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		result = mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			"size=4k,nr_inodes=2,mode=0555");
	else
		result = mount("/dev/null", path, NULL, MS_BIND, NULL);
	return result < 0 ? errno : 0;
}

/*
 * The C library has all threads change their user, and waits for those that it knows: it takes this
 * child for its parent, which has one more under ThreadSanitizer. So the kernel is asked without
 * it.
 */
static int become(uid_t user)
{
	if (syscall(SYS_setresgid, user, user, user) < 0 ||
		syscall(SYS_setresuid, user, user, user) < 0)
		return errno;
	return 0;
}

static int enter(void *user)
{
	const struct isolation_step *step = user;
	const struct isolation *isolation = step->isolation;
	const struct starter_plan *plan = isolation->plan;
	const struct starter_command *command = &plan->commands[step->command];
	int result = 0;
	if (!isolation->has_users)
		result = map_ourselves(
			isolation->user_map[step->command], isolation->group_map[step->command]);
	if (result == 0 && command->loopback)
		result = set_loopback_up();
	for (unsigned i = 0; result == 0 && i < plan->n_hidden; i++)
		result = hide(plan->hidden[i]);
	if (result == 0 && isolation->has_users)
		result = become(isolation->first_user + command->user);
	return result;
}

/* Does all that a worker's start does but the last, and says whether that would do. */
static int enter_for_trial(void *user)
{
	const struct isolation_step *step = user;
	int result = enter(user);
	if (result != 0)
		return result;
	if (access(step->isolation->plan->commands[step->command].argv[0], X_OK) < 0)
		return errno;
	_exit(0);
}

/* ---- here, while the child waits ---- */

/* Only who has capabilities outside a user namespace may map others than himself into it. */
static int admit(void *user, pid_t child)
{
	const struct isolation_step *step = user;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)child);
	int result = write_file(path, "deny");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)child);
	if (result == 0)
		result = write_file(path, step->isolation->user_map[step->command]);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)child);
	if (result == 0)
		result = write_file(path, step->isolation->group_map[step->command]);
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
	options->enter = isolation->namespaces ? enter : NULL;
	options->admit = isolation->has_users ? admit : NULL;
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

/* One worker of each user is tried. Returns 0 or errno. */
static int try(struct isolation *isolation)
{
	const struct starter_plan *plan = isolation->plan;
	uint32_t tried = 0;
	int result = 0;
	isolation->namespaces = NAMESPACES;
	write_maps(isolation);
	for (unsigned i = 0; result == 0 && i < plan->n_commands; i++) {
		struct process_options options = { .death_signal = SIGKILL };
		struct isolation_step step;
		pid_t pid;
		if (tried & 1u << plan->commands[i].user)
			continue;
		tried |= 1u << plan->commands[i].user;
		isolation_apply(isolation, &step, i, &options);
		options.enter = enter_for_trial;
		result = process_start(plan->commands[i].argv, &options, &pid);
		if (result == 0)
			waitpid(pid, NULL, 0);
	}
	return result;
}

static char **set_variable(char **environment, const char *name, const char *value)
{
	return g_environ_setenv(environment, name, value, TRUE);
}

static void make_environments(
	struct isolation *isolation, const char *no_namespaces, const char *no_users)
{
	const struct starter_plan *plan = isolation->plan;
	for (unsigned i = 0; i < plan->n_commands; i++) {
		char **e = g_get_environ();
		e = set_variable(e, CONFINE_NAMESPACES_VARIABLE, no_namespaces);
		if (geteuid() == 0)
			e = set_variable(e, CONFINE_USER_VARIABLE, no_users);
		if (isolation->has_users) {
			uid_t user = isolation->first_user + plan->commands[i].user;
			g_autofree char *cache = spare_users_make_cache(user);
			g_autofree char *shaders = g_build_filename(cache, "shaders", NULL);
			e = set_variable(e, "HOME", cache);
			e = set_variable(e, "XDG_CACHE_HOME", cache);
			e = g_environ_setenv(e, "MESA_SHADER_CACHE_DIR", shaders, FALSE);
		}
		g_strfreev(isolation->environments[i]);
		isolation->environments[i] = e;
	}
}

void isolation_give_up(struct isolation *isolation, int error)
{
	isolation->namespaces = 0;
	isolation->has_users = false;
	make_environments(isolation, g_strerror(error), g_strerror(error));
}

/* Returns why root's workers cannot be other users, or NULL. */
static const char *try_users(struct isolation *isolation)
{
	/* QEMU would refuse a display that is another user (display/qemu/dbus_display.c). */
	if (glib_check_version(2, 74, 0))
		return "GLib is older than 2.74";
	if (!spare_users_reach_gpus())
		return "a GPU in /dev/dri is root's alone";
	isolation->first_user = spare_users_find(isolation->plan->name, STARTER_USERS);
	isolation->has_users = true;
	int error = try(isolation);
	isolation->has_users = error == 0;
	return error != 0 ? g_strerror(error) : NULL;
}

void isolation_init(struct isolation *isolation, const struct starter_plan *plan)
{
	*isolation = (struct isolation){ .plan = plan };
	if (!plan->apart)
		return;
	const char *no_users = geteuid() == 0 ? try_users(isolation) : NULL;
	int error = isolation->has_users ? 0 : try(isolation);
	if (error != 0)
		isolation_give_up(isolation, error);
	else
		make_environments(isolation, "", no_users ? no_users : "");
	if (isolation->has_users)
		spare_users_take_gpu_groups();
}

void isolation_leave_network(const struct isolation *isolation)
{
	if (geteuid() != 0 || !isolation->namespaces || unshare(CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return;
	/* For workers that could not have a network of their own later. */
	set_loopback_up();
}
