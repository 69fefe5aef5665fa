/* SPDX-License-Identifier: MIT */
/*
 * recovery is what the helper does when contexts were lost: restarts whose display server has lost
 * its own, ends or names other programs, and says so.
 *
 * A display server cannot be told: Mesa's virgl reports no reset, so it goes on drawing into
 * nothing. What displays windows takes their programs along when it is restarted, so those are not
 * named.
 */
#pragma once

#include <stdbool.h>

#include "guest-tools/recover/history.h"
#include "guest-tools/recover/notice.h"
#include "guest-tools/recover/policy.h"
#include "guest-tools/recover/programs.h"

/* These are told to end, and killed when they have not. */
struct recovery_end {
	struct lost_program program;
	double deadline_ms;
};

struct recovery {
	struct policy policy;
	bool dry; /* says what it would do */
	struct history history;
	unsigned n_ends;
	struct recovery_end ends[PROGRAMS_MAX];
};

/* `received_ms` is when the notice came, by programs_now_ms(). */
void recovery_handle(struct recovery *recovery, const struct notice *notice, double received_ms);
/* Has sessions locked, since nobody is there. */
void recovery_lock(const struct recovery *recovery);
/* Kills whose time is over. Gives the milliseconds until the next one, or -1. */
int recovery_work(struct recovery *recovery);
