/* SPDX-License-Identifier: MIT */
/*
 * stats_json writes reports as JSON, for scripts and exporters. vitrine(1) describes the shape;
 * names are those of protocol/stats.c. STATS_JSON_VERSION rises when a name goes or changes its
 * meaning, not when one comes.
 */
#pragma once

#include <glib.h>

#include "server/stats/stats_report.h"

#define STATS_JSON_VERSION 2

/* `reports` holds struct stats_report *. The caller frees the text, which ends with a newline. */
char *stats_json_write(const GPtrArray *reports);
