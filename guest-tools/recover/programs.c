/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/programs.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "guest-tools/common/text.h"

#define GPU_NODE_MAJOR 226
#define RENDER_MINOR_MIN 128
#define SOCKETS_BYTES (4 << 20)

struct descriptors {
	bool has_gpu, has_card;
	unsigned n_sockets;
	unsigned long sockets[PROGRAM_SOCKETS_MAX]; /* their inodes */
};

/* A guest may have other graphics cards, whose contexts are not the host's. */
static bool is_virtio_gpu(dev_t device)
{
	char path[80], driver[64];
	if (major(device) != GPU_NODE_MAJOR)
		return false;
	snprintf(path, sizeof path, "/sys/dev/char/%u:%u/device/driver", major(device),
		minor(device));
	return text_link_name(path, driver, sizeof driver) && strstr(driver, "virtio");
}

static void look_at_descriptor(struct descriptors *all, const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return;
	if (S_ISSOCK(status.st_mode) && all->n_sockets < PROGRAM_SOCKETS_MAX)
		all->sockets[all->n_sockets++] = (unsigned long)status.st_ino;
	if (!S_ISCHR(status.st_mode) || !is_virtio_gpu(status.st_rdev))
		return;
	all->has_gpu = true;
	all->has_card |= minor(status.st_rdev) < RENDER_MINOR_MIN;
}

static void look_at_descriptors(struct descriptors *all, int pid)
{
	char path[64 + 256];
	all->has_gpu = all->has_card = false;
	all->n_sockets = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, entry->d_name);
		if (entry->d_name[0] != '.')
			look_at_descriptor(all, path);
	}
	if (folder)
		closedir(folder);
}

static bool is_display_path(const char *path)
{
	const char *name = strrchr(path, '/');
	return strncmp(path, "/tmp/.X11-unix/X", 16) == 0 ||
	       strncmp(path, "@/tmp/.X11-unix/X", 17) == 0 ||
	       (name && strncmp(name, "/wayland-", 9) == 0);
}

struct socket_search {
	const struct descriptors *descriptors;
	bool found;
};

/* A line of /proc/net/unix: address, references, protocol, flags, type, state, inode, path. */
static bool socket_line(void *user, const char *line)
{
	struct socket_search *search = user;
	unsigned long flags, inode;
	char path[128];
	if (sscanf(line, "%*s %*s %*s %lx %*s %*s %lu %127s", &flags, &inode, path) != 3 ||
		!(flags & 0x10000) || !is_display_path(path)) /* it listens: __SO_ACCEPTCON */
		return true;
	for (unsigned i = 0; i < search->descriptors->n_sockets; i++)
		search->found |= search->descriptors->sockets[i] == inode;
	return !search->found;
}

static bool displays_others(int pid, const struct descriptors *descriptors)
{
	struct socket_search search = { descriptors, false };
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/net/unix", pid);
	text_each_line(path, socket_line, &search);
	return search.found;
}

struct name_search {
	const struct notice *notice;
	const struct notice_context *found;
};

static void look_for_name(struct name_search *search, const char *name)
{
	const struct notice_context *context = notice_find_name(search->notice, name);
	if (context && (!search->found || context->has_painted))
		search->found = context;
}

static bool thread_name(void *user, const char *path)
{
	char name[32];
	if (text_read(path, name, sizeof name))
		look_for_name(user, name);
	return true;
}

/* Those who hold the GPU open for others draw nothing, whatever a program that does is named. */
static bool opens_for_others(const char *file)
{
	static const char *const names[] = { "systemd-logind", "elogind", "seatd",
		"elogind-daemon" };
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(file, names[i]) == 0)
			return true;
	return false;
}

/* A program may have renamed the thread since, but not its file. */
static const struct notice_context *find_context(const struct notice *notice, int pid)
{
	struct name_search search = { .notice = notice };
	char path[64], name[256];
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	bool has_name = text_link_name(path, name, sizeof name);
	if (has_name && opens_for_others(name))
		return NULL;
	snprintf(path, sizeof path, "/proc/%d/task/[0-9]*/comm", pid);
	text_each_path(path, thread_name, &search);
	if (has_name)
		look_for_name(&search, name);
	return search.found;
}

/* In /proc/PID/stat a name may hold anything, but nothing behind the last parenthesis is a name. */
static uint64_t read_start_ticks(int pid)
{
	char path[64], text[1024];
	unsigned long long ticks = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	const char *rest = text_read(path, text, sizeof text) ? strrchr(text, ')') : NULL;
	if (!rest || sscanf(rest + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			     "%*d %*d %llu",
			     &ticks) != 1)
		return 0;
	return ticks;
}

static void describe(struct lost_program *program)
{
	char path[64];
	struct stat status;
	snprintf(path, sizeof path, "/proc/%d/comm", program->pid);
	if (!text_read(path, program->name, sizeof program->name))
		text_copy(program->name, sizeof program->name, "?");
	for (char *c = program->name; *c; c++)
		*c = isprint((unsigned char)*c) ? *c : '?';
	snprintf(path, sizeof path, "/proc/%d", program->pid);
	program->uid = stat(path, &status) == 0 ? status.st_uid : 0;
}

struct program_search {
	struct programs *programs;
	const struct notice *notice;
	double before_ms;
};

static bool process(void *user, const char *path)
{
	struct program_search *search = user;
	static struct descriptors descriptors;
	struct lost_program program = { .pid = atoi(path + strlen("/proc/")) };
	program.start_ticks = read_start_ticks(program.pid);
	double start_ms = 1000.0 * (double)program.start_ticks / (double)sysconf(_SC_CLK_TCK);
	if (program.start_ticks == 0 || start_ms > search->before_ms || program.pid == getpid())
		return true;
	/* Few processes have such a name, and what all others have open takes long to look at. */
	const struct notice_context *context = find_context(search->notice, program.pid);
	if (!context)
		return true;
	look_at_descriptors(&descriptors, program.pid);
	if (!descriptors.has_gpu)
		return true;
	program.has_card = descriptors.has_card;
	program.has_painted = context->has_painted;
	program.is_server = program.has_card && displays_others(program.pid, &descriptors);
	describe(&program);
	search->programs->all[search->programs->n++] = program;
	return search->programs->n < PROGRAMS_MAX;
}

void programs_find_lost(struct programs *programs, const struct notice *notice, double before_ms)
{
	struct program_search search = { programs, notice, before_ms };
	programs->n = 0;
	text_each_path("/proc/[0-9]*", process, &search);
}

bool programs_is_alive(const struct lost_program *program)
{
	return read_start_ticks(program->pid) == program->start_ticks;
}

void programs_hurry_end(const struct lost_program *program)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task", program->pid);
	DIR *threads = programs_is_alive(program) ? opendir(path) : NULL;
	for (const struct dirent *entry; threads && (entry = readdir(threads));) {
		unsigned long thread = strtoul(entry->d_name, NULL, 10);
		if (thread > 0 && getpriority(PRIO_PROCESS, (id_t)thread) > 0)
			setpriority(PRIO_PROCESS, (id_t)thread, 0);
	}
	if (threads)
		closedir(threads);
}

double programs_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return 1000.0 * (double)now.tv_sec + (double)now.tv_nsec / 1e6;
}
