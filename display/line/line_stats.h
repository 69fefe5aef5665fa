/* SPDX-License-Identifier: MIT */
/*
 * line stats: puts what line.h knows into display's figures (stats.h): who looks, round trip, rate,
 * bytes.
 *
 * It does so twice a second while somebody looks at a head, and not at all while nobody does.
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
/* Says whether somebody looks at one of the heads. */
void line_stats_watch(struct line_stats *stats, bool watched);
