/* SPDX-License-Identifier: MIT */
/* servant_process is a servant's own end (servant.h), in the process that was forked for it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/starter/servant.h"

struct servant_request {
	uint8_t what;
	int fds[SERVANT_FDS]; /* -1: none came along */
};

/*
 * Gives up what the keeper's fork has and no servant needs: descriptors, the keeper's name and
 * group, the right to gain rights. Returns false when the keeper has gone meanwhile.
 */
bool servant_process_begin(int link, const char *name, pid_t keeper);

/* Has it end with the keeper. The kernel forgets that when it becomes another user. */
bool servant_process_end_with(pid_t keeper);

/* Each is true as long as the keeper is there. */
bool servant_process_tell_walls(const struct confine_state *walls);
/* False also for what no keeper of ours says. The caller closes the descriptors. */
bool servant_process_hear(struct servant_request *request);
/* The descriptor goes along, unless it is -1, and stays the caller's. */
bool servant_process_answer(const struct servant_answer *answer, int fd);
