/* SPDX-License-Identifier: MIT */
/*
 * fake pages: makes the memory that a keeper shares with display, for a display to write into. Each
 * gives the descriptor, which is the caller's.
 *
 * Threads: any.
 */
#pragma once

#include "protocol/heartbeat.h"
#include "protocol/stats.h"

int fake_pages_make_heartbeat(struct heartbeat **heartbeat);
int fake_pages_make_stats(struct stats **stats);
