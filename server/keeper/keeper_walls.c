/* SPDX-License-Identifier: MIT */
#include "server/keeper/keeper_walls.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/process.h"

/* Linux 6.5; Debian 12's headers are older. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define EQUAL(number, wanted)                                                                      \
	{                                                                                          \
		.compare = CONFINE_EQUAL, .argument = (number), .value = (wanted)                  \
	}

#define TYPE_MASK 0xf /* SOCK_TYPE_MASK of linux/net.h: without SOCK_CLOEXEC and such */
#define SOCKETPAIR(type)                                                                           \
	{                                                                                          \
		EQUAL(0, AF_UNIX),                                                                 \
		{                                                                                  \
			.compare = CONFINE_EQUAL, .argument = 1, .mask = TYPE_MASK,                \
			.value = (type)                                                            \
		}                                                                                  \
	}

static const struct confine_call rows[] = {
	{ "accept4",
		"QEMU connects to --socket-path, readers to the stats socket, others for tickets" },
	{ "socketpair", "links of workers; a datagram socket could be sent to others",
		SOCKETPAIR(SOCK_SEQPACKET) },
	{ "socketpair", "the pair for QEMU's D-Bus display", SOCKETPAIR(SOCK_STREAM) },
	{ "unlink unlinkat", "its socket files at its end; which ones is Landlock's" },
	{ "pidfd_send_signal",
		"workers are ended; it has pidfds of them and of the starter alone" },
	{ "waitid wait4", "workers: their ends, and whether one is stopped" },
#ifdef __SANITIZE_ADDRESS__
	{ "getdents", "LeakSanitizer looks for its threads" },
#endif
};

/* What is allowed to all of our processes, and only the start-up of this one needs. */
static const struct confine_call start_up_rows[] = {
	{ "memfd_create ftruncate fallocate", "memory that is shared is there" },
	{ "seccomp", "what takes these away" },
	{ "getsid getpgid getpriority sched_setaffinity sched_getaffinity sched_getscheduler "
	  "sched_getparam",
		"of other processes they tell something, and one changes something" },
	{ "getsockopt", "a peer's pidfd: QEMU could be signalled by it",
		{ EQUAL(1, SOL_SOCKET), EQUAL(2, SO_PEERPIDFD) } },
#ifndef __SANITIZE_ADDRESS__
	{ "clone prctl", "all threads are there, with their names" },
#endif
};
static const struct confine_calls start_up_calls = { start_up_rows, G_N_ELEMENTS(start_up_rows) };

/*
 * These are far above what a keeper needs (2 MiB, some 150 descriptors with 64 memory regions), and
 * far below what harms the machine.
 */
static const struct confine_limit limits[] = {
	{ RLIMIT_CORE, 0, "the password is in its memory" },
	{ RLIMIT_NPROC, 0, "it makes no process, and no thread after its start-up" },
	{ RLIMIT_NOFILE, 512, "memory regions, rings, listeners and workers' links" },
	{ RLIMIT_DATA, 64 << 20, "its state is small and does not grow" },
	{ RLIMIT_FSIZE, 1 << 30, "its shared memory is some MiB" },
	{ RLIMIT_MEMLOCK, 0, "it locks none" },
	{ RLIMIT_MSGQUEUE, 0, "it has none" },
};

#define SOCKET_FILES_MAX 4

/* Gives folders in which socket files of ours lie. The caller frees them. */
static unsigned find_folders(const struct desktop *desktop, char **folders)
{
	const char *const files[SOCKET_FILES_MAX] = { desktop->socket_path, desktop->spice_unix,
		desktop->stats_socket, desktop->ticket_socket };
	unsigned n = 0;
	for (unsigned i = 0; i < SOCKET_FILES_MAX; i++) {
		if (files[i])
			folders[n++] = g_path_get_dirname(files[i]);
	}
	return n;
}

/*
 * GLib makes its messages of errno by way of iconv, which looks for its tables in files when it is
 * used for the first time.
 */
static void open_what_opens_late(void)
{
	g_debug("no walls yet: %s", g_strerror(0));
}

static struct confine_rules make_rules(void)
{
	return (struct confine_rules){
		.process = "vitrine-gpu",
		.calls = { confine_calls_common, confine_calls_forbid,
			{ rows, G_N_ELEMENTS(rows) } },
		.limits = limits,
		.n_limits = G_N_ELEMENTS(limits),
		.signals_others = true,
	};
}

/* AppArmor's wall is the administrator's, who may have other profiles than ours. */
static void enter_profile(void)
{
	int error = process_enter_profile("vitrine-keeper");
	if (error != 0)
		g_message("no AppArmor profile of its own: %s", g_strerror(error));
}

bool keeper_walls_begin(struct keeper_walls *walls, const struct desktop *desktop, GError **error)
{
	char *folders[SOCKET_FILES_MAX];
	struct confine_path paths[SOCKET_FILES_MAX + 1];
	struct confine_rules rules = make_rules();
	*walls = (struct keeper_walls){ 0 };
	open_what_opens_late();
	enter_profile();
	rules.paths = paths;
	unsigned n_folders = find_folders(desktop, folders);
	rules.n_paths = n_folders;
	for (unsigned i = 0; i < rules.n_paths; i++)
		paths[i] = (struct confine_path){ folders[i], CONFINE_REMOVE,
			"its socket files go with it" };
#ifdef __SANITIZE_ADDRESS__
	paths[rules.n_paths++] = (struct confine_path){ "/proc/self", CONFINE_READ,
		"LeakSanitizer looks for its threads" };
#endif
	bool good = confine_threads(&rules, desktop->confine, &walls->state, error);
	for (unsigned i = 0; i < n_folders; i++)
		g_free(folders[i]);
	return good;
}

bool keeper_walls_close(struct keeper_walls *walls, const struct desktop *desktop, GError **error)
{
	struct confine_rules rules = make_rules();
	if (!confine_apply(&rules, desktop->confine, &walls->state, error) ||
		!confine_forbid(&walls->state, rules.process, &start_up_calls, error))
		return false;
	confine_log(&walls->state, desktop->confine);
	return true;
}
