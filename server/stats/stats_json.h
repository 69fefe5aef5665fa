/* SPDX-License-Identifier: MIT */
/*
 * stats_json: reports as JSON, for scripts and exporters. The shape is in vitrine(1); names are
 * those of protocol/stats.c. STATS_JSON_VERSION rises when a name goes or changes its meaning, not
 * when one comes.
 */
#pragma once

#include <glib.h>

#include "server/stats/stats_report.h"

#define STATS_JSON_VERSION 2

/* `reports`: of struct stats_report *. Caller frees the text, which ends with a newline. */
char *stats_json_write(const GPtrArray *reports);
