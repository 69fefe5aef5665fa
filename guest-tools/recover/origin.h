/* SPDX-License-Identifier: MIT */
/*
 * origin is where systemd has a process: what must be restarted so that the process is started
 * anew.
 *
 * A unit's name is believed only where systemd itself put it: below a user's manager a user may
 * name groups as they like.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum origin_kind {
	ORIGIN_UNKNOWN,
	ORIGIN_SYSTEM_UNIT, /* a service of the system */
	ORIGIN_SESSION,   /* what a person has logged in to, by a display manager or at a console */
	ORIGIN_USER_UNIT, /* a service of a user's own manager */
};

struct origin {
	enum origin_kind kind;
	char name[256]; /* of the unit, or the session's number */
	uid_t uid;      /* whose manager; of ORIGIN_USER_UNIT only */
};

/* Reads what /proc/PID/cgroup holds. */
struct origin origin_parse(const char *text);
struct origin origin_of_process(int pid);

/*
 * Finds what starts a session of ORIGIN_SESSION again: the service of the display manager that
 * began it. Gives ORIGIN_SESSION itself where that is no service, as at a console.
 */
struct origin origin_of_starter(const struct origin *session);
/* Finds the session at a seat of the user whose manager has a unit. Gives false when there is none.
 */
bool origin_find_session(const struct origin *unit, struct origin *session);
