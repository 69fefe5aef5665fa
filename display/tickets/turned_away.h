/* SPDX-License-Identifier: MIT */
/*
 * turned away: says in the log who was not let in, and why.
 *
 * Threads: any.
 */
#pragma once

#include "display/tickets/tickets.h"

/* Is tickets_report() of a desktop that is named so. */
void turned_away_log(
	const char *desktop, const struct tickets_try *said, enum tickets_verdict verdict);
