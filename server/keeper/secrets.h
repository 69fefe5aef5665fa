/* SPDX-License-Identifier: MIT */
/*
 * secrets reads passwords, users, certificate and key again, when SIGHUP says that their files have
 * changed. The fetcher copies the files, since the keeper may open none. What is there but cannot
 * be used is refused with a line in the log, and what was there before stays. Who is connected
 * stays so.
 */
#pragma once

#include "server/desktop/desktop.h"
#include "server/keeper/viewer.h"
#include "server/starter/fetcher.h"

/* Says what the fetcher is for. The desktop must live as long as the plan. */
void secrets_plan(struct fetcher_plan *plan, const struct desktop *desktop);

void secrets_read_again(
	struct fetcher *fetcher, const struct desktop *desktop, struct viewer *viewer);
