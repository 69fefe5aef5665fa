/* SPDX-License-Identifier: MIT */
/* profile_climbs: tries to get out of each profile, by root, with no other wall up. */
#pragma once

#include <stdbool.h>

/* Adds a test a profile. */
void profile_climbs_add(void);
/* The same with the climbs of tests/climbs, by another file. */
void table_climbs_add(void);

/* Changes this process's profile, for good. */
bool profile_enter(const char *name);
