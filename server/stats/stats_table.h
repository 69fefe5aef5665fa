/* SPDX-License-Identifier: MIT */
/*
 * stats_table: reports as text for people: the lines of vitrine top, and the list of vitrine stats.
 */
#pragma once

#include <glib.h>

#include "server/stats/stats_report.h"

/* Columns that a wide line takes, an address included; one that is not wide has no single stages.
 */
#define STATS_TABLE_WIDE 175

/* The heading, with its newline. */
void stats_table_add_heading(GString *text, bool wide);
/* A line for each head of a report that has rates; one for a desktop without heads. */
void stats_table_add(GString *text, const struct stats_report *report, bool wide);
/* Everything, a line for each figure: "work head 0 frames_flushed 4711". */
void stats_table_add_list(GString *text, const struct stats_report *report);
