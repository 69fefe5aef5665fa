/* SPDX-License-Identifier: MIT */
/*
 * parts of confine, one a wall. Each returns 0, or -errno; with *lacking set the kernel lacks the
 * wall, which is no failure.
 */
#pragma once

#include "common/confine/confine.h"

int confine_set_no_new_privs(void);
int confine_drop_capabilities(void);
int confine_set_not_dumpable(void);
int confine_set_limits(const struct confine_rules *rules, const struct confine_state *state);

/* Returns the kernel's version of Landlock's interface, 0 when it has none, and why in *reason. */
uint32_t confine_landlock_abi(const char **reason);
int confine_restrict_files(const struct confine_rules *rules, uint32_t abi);

/* Returns why the kernel has no seccomp filters, or NULL. */
const char *confine_seccomp_lacking(void);
int confine_filter_more(const struct confine_calls *calls);
int confine_filter_calls(const struct confine_rules *rules);
