/* SPDX-License-Identifier: MIT */
/*
 * stats_table writes reports as text for people: the lines of vitrine top and the list of vitrine
 * stats.
 */
#pragma once

#include <glib.h>

#include "server/stats/stats_report.h"

/*
 * A wide line takes this many columns, with an address. A line that is not wide shows no single
 * stages.
 */
#define STATS_TABLE_WIDE 175

/* Adds the heading with its newline. */
void stats_table_add_heading(GString *text, bool wide);
/* Adds a line for each head of a report that has rates, or one for a desktop without heads. */
void stats_table_add(GString *text, const struct stats_report *report, bool wide);
/* Adds everything, a line for each figure: "work head 0 frames_flushed 4711". */
void stats_table_add_list(GString *text, const struct stats_report *report);
