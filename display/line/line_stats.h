/* SPDX-License-Identifier: MIT */
/*
 * line stats: what is known of heads' lines (line.h), in figures: who looks, round trip, rate,
 * bytes.
 *
 * Twice a second while somebody looks at a head; not at all while nobody does.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

struct line;
struct line_stats;

/* `line` must outlive it. */
struct line_stats *line_stats_create(struct line *line);
void line_stats_destroy(struct line_stats *stats);
/* Somebody looks at some head, or nobody does. */
void line_stats_watch(struct line_stats *stats, bool watched);
