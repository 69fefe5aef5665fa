/* SPDX-License-Identifier: MIT */
#include "server/starter/fetcher_walls.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FETCHER_TYPE_MASK 0xf /* SOCK_TYPE_MASK of linux/net.h: without SOCK_CLOEXEC and such */

#define FETCHER_ARGUMENT(number, bits, wanted)                                                     \
	{                                                                                          \
		.compare = CONFINE_EQUAL, .argument = (number), .mask = (bits), .value = (wanted)  \
	}

static const struct confine_call rows[] = {
	{ "sendfile sendfile64", "files are copied into memory without being read" },
};

/* All of our processes may do these, and this one has no use for them. */
static const struct confine_call needless_rows[] = {
	{ "clone", "it makes no thread" },
#ifndef __SANITIZE_ADDRESS__
	{ "prctl kill tgkill", "it has its name; abort() then ends it by another signal" },
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	{ "munmap mremap mprotect", "the monitor's address is to stay where and what it is" },
	{ "mmap", "the same", { FETCHER_ARGUMENT(3, MAP_FIXED, MAP_FIXED) } },
#endif
	{ "getpgid getpriority sched_getaffinity sched_getscheduler sched_getparam "
	  "sched_setaffinity",
		"of other processes they tell something, and one changes something" },
};

static const struct confine_limit limits[] = {
	{ RLIMIT_CORE, 0, "the keeper's start-up is in its memory" },
	{ RLIMIT_NPROC, 0, "it makes no process" },
	{ RLIMIT_NOFILE, 16, "its link, and one of what it fetches" },
	{ RLIMIT_DATA, 64 << 20, "its state does not grow" },
	{ RLIMIT_FSIZE, 1 << 20, "copies of files are small" },
	{ RLIMIT_MEMLOCK, 0, "it locks none" },
	{ RLIMIT_MSGQUEUE, 0, "it has none" },
};

/* A file may be another one of its name by then, and what its path links to may, too. */
#define FOLDERS_MAX (2 * FETCHER_FILES_MAX)

static unsigned find_folders(const struct fetcher_plan *plan, char **folders)
{
	unsigned n = 0;
	for (unsigned i = 0; i < FETCHER_FILES_MAX; i++) {
		if (!plan->files[i])
			continue;
		char *target = realpath(plan->files[i], NULL);
		folders[n++] = g_path_get_dirname(plan->files[i]);
		if (target)
			folders[n++] = g_path_get_dirname(target);
		free(target);
	}
	return n;
}

/*
 * Root reads again what is another user's, and so keeps this right where there is something to
 * read. Which files these may be is Landlock's.
 */
static bool keep_right_to_read(const struct fetcher_plan *plan)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	uint32_t kept = 0;
	for (unsigned i = 0; geteuid() == 0 && i < FETCHER_FILES_MAX; i++)
		kept |= plan->files[i] ? 1u << CAP_DAC_READ_SEARCH : 0;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { .effective = kept,
		.permitted = kept } };
	/* A container's root may have no such right. */
	if (kept && syscall(SYS_capset, &header, data) == 0)
		return true;
	data[0] = (struct __user_cap_data_struct){ 0 };
	return syscall(SYS_capset, &header, data) == 0;
}

#define MONITOR_CALLS 2

/* Which address it is that it connects to is seen by where that lies (pinned_address.h). */
static struct confine_calls allow_monitor(
	const struct pinned_address *monitor, struct confine_call *rows_of_monitor)
{
	const struct confine_call wanted[MONITOR_CALLS] = {
		{ "socket", "QEMU's monitor is a stream",
			{ FETCHER_ARGUMENT(0, 0, AF_UNIX),
				FETCHER_ARGUMENT(1, FETCHER_TYPE_MASK, SOCK_STREAM) } },
		{ "connect", "to the monitor, whose address nobody can change",
			{ FETCHER_ARGUMENT(1, UINT64_MAX, (uintptr_t)monitor->memory),
				FETCHER_ARGUMENT(2, 0, monitor->size_bytes) } },
	};
	if (!monitor->memory)
		return (struct confine_calls){ NULL, 0 };
	memcpy(rows_of_monitor, wanted, sizeof(wanted));
	return (struct confine_calls){ rows_of_monitor, MONITOR_CALLS };
}

bool fetcher_walls_put_up(const struct fetcher_plan *plan, const struct pinned_address *monitor,
	struct confine_state *state)
{
	struct confine_call rows_of_monitor[MONITOR_CALLS];
	char *folders[FOLDERS_MAX];
	struct confine_path paths[FOLDERS_MAX];
	const struct confine_calls needless = { needless_rows, G_N_ELEMENTS(needless_rows) };
	struct confine_rules rules = {
		.process = "vitrine-fetcher",
		.paths = paths,
		.calls = { confine_calls_common, confine_calls_forbid, { rows, G_N_ELEMENTS(rows) },
			allow_monitor(monitor, rows_of_monitor) },
		.limits = limits,
		.n_limits = G_N_ELEMENTS(limits),
	};
	g_autoptr(GError) error = NULL;
	rules.n_paths = find_folders(plan, folders);
	for (unsigned i = 0; i < rules.n_paths; i++)
		paths[i] = (struct confine_path){ folders[i], CONFINE_READ,
			"passwords, certificate and key lie there" };
	bool good = keep_right_to_read(plan);
	confine_note(state, CONFINE_CAPABILITIES, NULL);
	good = good && confine_apply(&rules, CONFINE_AUTO, state, &error) &&
	       confine_forbid(state, rules.process, &needless, &error);
	for (unsigned i = 0; i < rules.n_paths; i++)
		g_free(folders[i]);
	if (!good)
		g_warning("%s", error ? error->message : "capabilities cannot be given up");
	return good;
}
