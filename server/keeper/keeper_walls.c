/* SPDX-License-Identifier: MIT */
#include "server/keeper/keeper_walls.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define EQUAL(number, wanted)                                                                      \
	{                                                                                          \
		.compare = CONFINE_EQUAL, .argument = (number), .value = (wanted)                  \
	}

static const struct confine_call rows[] = {
	{ "accept4", "QEMU connects to --socket-path, readers to the stats socket" },
	{ "socket",
		"QMP: QEMU's monitor is a unix socket, and is connected to again after each end",
		{ EQUAL(0, AF_UNIX) } },
	{ "connect", "QMP; sockets of other families cannot be made" },
	{ "socketpair", "links of workers, and the pair for QEMU's D-Bus display",
		{ EQUAL(0, AF_UNIX) } },
	{ "unlink unlinkat", "its socket files at its end; which ones is Landlock's" },
	{ "kill",
		"workers are ended, and what it cannot name by one of these rows it cannot reach" },
	{ "waitid wait4", "workers: their ends, and whether one is stopped" },
	{ "pidfd_open", "a worker's end is waited for, for a moment" },
	{ "pidfd_send_signal", "newer GLib's way to ask for a child" },
#ifdef __SANITIZE_ADDRESS__
	{ "clone ptrace prctl", "LeakSanitizer stops this process's threads from one of its own" },
#endif
};

/*
 * These are far above what a keeper needs (2 MiB, some 150 descriptors with 64 memory regions), and
 * far below what harms the machine.
 */
static const struct confine_limit limits[] = {
	{ RLIMIT_CORE, 0, "the password is in its memory" },
	{ RLIMIT_NPROC, 0, "it makes no process, and no thread after its start-up" },
	{ RLIMIT_NOFILE, 512, "memory regions, rings, listeners and workers' links" },
#ifndef __SANITIZE_ADDRESS__
	{ RLIMIT_DATA, 64 << 20, "its state is small and does not grow" },
#endif
	{ RLIMIT_MEMLOCK, 0, "it locks none" },
	{ RLIMIT_MSGQUEUE, 0, "it has none" },
};

#define SOCKET_FILES_MAX 3

/* Gives folders in which socket files of ours lie. The caller frees them. */
static unsigned find_folders(const struct desktop *desktop, char **folders)
{
	const char *const files[SOCKET_FILES_MAX] = { desktop->socket_path, desktop->spice_unix,
		desktop->stats_socket };
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
		.calls = { confine_calls_common, { rows, G_N_ELEMENTS(rows) } },
		.limits = limits,
		.n_limits = G_N_ELEMENTS(limits),
		.signals_others = true,
	};
}

bool keeper_walls_begin(struct keeper_walls *walls, const struct desktop *desktop, GError **error)
{
	char *folders[SOCKET_FILES_MAX];
	struct confine_path paths[SOCKET_FILES_MAX];
	struct confine_rules rules = make_rules();
	*walls = (struct keeper_walls){ 0 };
	open_what_opens_late();
	rules.paths = paths;
	rules.n_paths = find_folders(desktop, folders);
	for (unsigned i = 0; i < rules.n_paths; i++)
		paths[i] = (struct confine_path){ folders[i], CONFINE_REMOVE,
			"its socket files go with it" };
	bool good = confine_threads(&rules, desktop->confine, &walls->state, error);
	for (unsigned i = 0; i < rules.n_paths; i++)
		g_free(folders[i]);
	return good;
}

bool keeper_walls_close(struct keeper_walls *walls, const struct desktop *desktop, GError **error)
{
	struct confine_rules rules = make_rules();
	if (!confine_apply(&rules, desktop->confine, &walls->state, error))
		return false;
	confine_log(&walls->state, desktop->confine);
	return true;
}
