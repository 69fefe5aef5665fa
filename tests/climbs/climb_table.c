/* SPDX-License-Identifier: MIT */
#include "tests/climbs/climb.h"

const struct climb_group *const climb_groups[] = { &climb_files, &climb_writing, &climb_network,
	&climb_execution, &climb_neighbours, &climb_tracing, &climb_kernel, &climb_machine,
	&climb_rights, &climb_controls, &climb_exhaustion, &climb_links };
const size_t climb_n_groups = sizeof(climb_groups) / sizeof(climb_groups[0]);

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
