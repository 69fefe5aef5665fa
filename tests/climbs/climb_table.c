/* SPDX-License-Identifier: MIT */
#include "tests/climbs/climb.h"

#include <string.h>

const struct climb_group *const climb_groups[] = { &climb_files, &climb_writing, &climb_network,
	&climb_execution, &climb_neighbours, &climb_tracing, &climb_kernel, &climb_machine,
	&climb_rights, &climb_controls, &climb_exhaustion, &climb_links };
const size_t climb_n_groups = sizeof(climb_groups) / sizeof(climb_groups[0]);

static const struct climb_duty duties[] = {
	{ CLIMB_FETCHER, "read the password file", "it is read again" },
	{ CLIMB_STARTER, "read the keeper's command line",
		"workers read /proc, but for themselves" },
	{ CLIMB_STARTER, "read QEMU's command line", "the same" },
	{ CLIMB_STARTER, "list QEMU's descriptors", "the same; it cannot read what they are" },
	{ CLIMB_STARTER, "read /proc/kallsyms", "the same; addresses are 0" },
	{ CLIMB_STARTER, "listen on any TCP port", "display, in a network where nobody is" },
	{ CLIMB_STARTER, "execve of the loader", "workers are programs" },
	{ CLIMB_STARTER, "clone: new user namespace", "workers have one each" },
	{ CLIMB_STARTER, "tgkill", "a worker's abort(); from ABI 6 on Landlock holds it",
		"landlock-after-2" },
	{ CLIMB_STARTER, "mmap executable", "LLVM, Orc and libraries" },
	{ CLIMB_STARTER, "mprotect executable", "the same" },
	{ CLIMB_STARTER, "map a memfd executable", "the same" },
	{ CLIMB_STARTER, "sched_setaffinity of QEMU", "drivers bind threads of theirs" },
	{ CLIMB_STARTER, "set_mempolicy", "CUDA" },
	{ CLIMB_STARTER, "have a capability", "two of its own namespace: workers are other users" },
	{ CLIMB_STARTER, "PR_SET_DUMPABLE", "it is its own; a child must be so to be mapped" },
	{ CLIMB_STARTER, "PR_SET_KEEPCAPS", "it is its own" },
	{ CLIMB_STARTER, "PR_SET_PDEATHSIG", "workers end with the keeper" },
	{ CLIMB_STARTER, "PR_SET_CHILD_SUBREAPER", "it is its own" },
	{ CLIMB_STARTER, "ioctl: interfaces", "127.0.0.1 is switched on for display" },
	{ CLIMB_STARTER, "64 GiB of memory", "the renderer may take what its quotas say" },
	{ CLIMB_STARTER, "512 processes", "workers; each has a limit of its own" },
	{ CLIMB_STARTER, "2048 threads", "the same" },
};

static bool is_lacking(const char *needed, const char *without)
{
	return !needed || (without && strcmp(needed, without) == 0);
}

const char *climb_find_duty(
	enum climb_process process, const struct climb *climb, const char *without)
{
	for (size_t i = 0; i < sizeof(duties) / sizeof(duties[0]); i++) {
		const struct climb_duty *duty = &duties[i];
		if ((duty->processes & process) && strcmp(duty->name, climb->name) == 0 &&
			is_lacking(duty->without, without))
			return duty->reason;
	}
	return NULL;
}

const char *climb_process_name(enum climb_process process)
{
	switch (process) {
	case CLIMB_RENDER:
		return "render";
	case CLIMB_DISPLAY:
		return "display";
	case CLIMB_KEEPER:
		return "keeper";
	case CLIMB_STARTER:
		return "starter";
	case CLIMB_FETCHER:
		return "fetcher";
	case CLIMB_INNER:
		return "inner";
	default:
		return "?";
	}
}

const char *climb_wall_name(enum climb_wall wall)
{
	switch (wall) {
	case CLIMB_SECCOMP:
		return "seccomp";
	case CLIMB_LANDLOCK:
		return "landlock";
	case CLIMB_NAMESPACES:
		return "namespaces";
	case CLIMB_RIGHTS:
		return "rights";
	case CLIMB_LINKS:
		return "links";
	default:
		return "?";
	}
}
