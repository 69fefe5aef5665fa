/* SPDX-License-Identifier: MIT */
#include "tests/bench/processes.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const MEMORY_CAUSE_NAMES[MEMORY_CAUSES] = { "heap", "JIT code", "libLLVM", "Mesa",
	"libraries", "pictures", "shared", "guest" };

static bool has_any(const char *name, const char *const *parts)
{
	for (; *parts; parts++) {
		if (strstr(name, *parts))
			return true;
	}
	return false;
}

static enum memory_cause cause_of(const char *permissions, const char *name)
{
	static const char *const mesa[] = { "_dri.so", "libgallium", "libEGL", "libGL", "libgbm",
		"libglapi", "libepoxy", "libvirglrenderer", "libdrm", NULL };
	if (strstr(name, "memfd:guest-memory"))
		return MEMORY_GUEST;
	if (strstr(name, "memfd:"))
		return strstr(name, "ledger") ? MEMORY_SHARED : MEMORY_PICTURES;
	if (name[0] != '/' || strstr(name, "/dev/zero"))
		return permissions[2] == 'x' && name[0] != '[' ? MEMORY_JIT : MEMORY_HEAP;
	if (strstr(name, "libLLVM"))
		return MEMORY_LLVM;
	return has_any(name, mesa) ? MEMORY_MESA : MEMORY_LIBRARIES;
}

void process_read_memory(pid_t pid, struct process_memory *memory)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/smaps", (int)pid);
	FILE *file = fopen(path, "re");
	char line[4096], permissions[8], name[4096];
	enum memory_cause cause = MEMORY_HEAP;
	unsigned long long first, last, kib;
	*memory = (struct process_memory){ 0 };
	while (file && fgets(line, sizeof(line), file)) {
		name[0] = '\0';
		if (sscanf(line, "%llx-%llx %7s %*s %*s %*s %4095[^\n]", &first, &last, permissions,
			    name) >= 3)
			cause = cause_of(permissions, name);
		else if (sscanf(line, "Pss: %llu kB", &kib) == 1)
			memory->pss_kib[cause] += kib;
	}
	if (file)
		fclose(file);
}

uint64_t process_sum_kib(const struct process_memory *memory)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < MEMORY_CAUSES; i++)
		sum += i == MEMORY_GUEST ? 0 : memory->pss_kib[i];
	return sum;
}

static void add_thread(const char *directory, const char *thread, struct process_time *time)
{
	g_autofree char *stat_path = g_build_filename(directory, thread, "schedstat", NULL);
	g_autofree char *status_path = g_build_filename(directory, thread, "status", NULL);
	g_autofree char *text = NULL, *status = NULL;
	unsigned long long n = 0;
	if (g_file_get_contents(stat_path, &text, NULL, NULL) && sscanf(text, "%llu", &n) == 1)
		time->cpu_ns += n;
	if (!g_file_get_contents(status_path, &status, NULL, NULL))
		return;
	const char *switches = strstr(status, "\nvoluntary_ctxt_switches:");
	if (switches && sscanf(switches, "\nvoluntary_ctxt_switches: %llu", &n) == 1)
		time->wake_ups += n;
}

void process_read_time(pid_t pid, struct process_time *time)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
	GDir *threads = g_dir_open(path, 0, NULL);
	const char *thread;
	*time = (struct process_time){ 0 };
	while (threads && (thread = g_dir_read_name(threads)))
		add_thread(path, thread, time);
	if (threads)
		g_dir_close(threads);
}

uint64_t process_read_own_kib(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/smaps_rollup", (int)pid);
	g_autofree char *text = NULL;
	uint64_t sum = 0;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	for (const char *line = text; (line = strstr(line, "\nPrivate_")); line++) {
		unsigned long long kib;
		if (sscanf(line, "\nPrivate_%*[A-Za-z]: %llu kB", &kib) == 1)
			sum += kib;
	}
	return sum;
}

/* Gives the pids of children as texts. The caller frees it. */
static char **read_children(pid_t parent)
{
	g_autofree char *path =
		g_strdup_printf("/proc/%d/task/%d/children", (int)parent, (int)parent);
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return g_new0(char *, 1);
	return g_strsplit(g_strchomp(text), " ", -1);
}

unsigned process_list(pid_t pid, pid_t *pids, unsigned n)
{
	if (n == 0)
		return 0;
	unsigned found = 1;
	pids[0] = pid;
	g_auto(GStrv) children = read_children(pid);
	for (char **child = children; *child; child++) {
		pid_t number = (pid_t)strtol(*child, NULL, 10);
		if (number > 0)
			found += process_list(number, pids + found, n - found);
	}
	return found;
}

pid_t process_find_child(pid_t parent, const char *name)
{
	g_auto(GStrv) pids = read_children(parent);
	for (char **pid = pids; *pid; pid++) {
		g_autofree char *file = g_strdup_printf("/proc/%s/comm", *pid);
		g_autofree char *comm = NULL;
		if (g_file_get_contents(file, &comm, NULL, NULL) &&
			strcmp(g_strchomp(comm), name) == 0)
			return (pid_t)strtol(*pid, NULL, 10);
	}
	return 0;
}
