/* SPDX-License-Identifier: MIT */
/*
 * logout is what becomes of a desktop in the background when its user logs out, which systemd's
 * logind decides: it ends what belongs to a login if it is told to (KillUserProcesses), and what
 * the user's own systemd has started when the last login ends, unless the user lingers.
 */
#pragma once

#include <stdbool.h>

enum logout_place {
	LOGOUT_ELSEWHERE, /* logind has nothing to do with us */
	LOGOUT_SESSION,   /* a login's scope */
	LOGOUT_USER,      /* a unit of the user's systemd */
};

/* Reads /proc/self/cgroup's text (cgroups(7)), of either version. */
enum logout_place logout_find_place(const char *cgroup);
/* Gives what to say to people, or NULL where logging out ends nothing. The caller frees it. */
char *logout_describe(enum logout_place place, bool kills, bool lingers, bool has_systemd_run);
/* Says it of this process, if there is anything to say. It may ask logind, for a second at most. */
void logout_warn(void);
