/* SPDX-License-Identifier: MIT */
/* report: the findings for a person, for a program, and for the host. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "guest-tools/check/check.h"
#include "guest-tools/check/verdict.h"

/* Version of vitrine-guest-check.schema.json that the output follows. */
#define REPORT_SCHEMA_VERSION 1

void report_text(
	FILE *file, const struct check_results *results, const struct verdict *verdict, bool color);
void report_json(FILE *file, const struct check_results *results, const struct verdict *verdict);
/* One line for the port of protocol/guest_report.h. */
void report_line(FILE *file, const struct check_results *results, const struct verdict *verdict);
/* Writes that line to the port; `path` NULL: found by name. 0, -ENODEV without such a port, or
 * -errno. */
int report_to_port(
	const char *path, const struct check_results *results, const struct verdict *verdict);

void report_list(FILE *file);
/* False: no such check or cause. */
bool report_explain(FILE *file, const char *id);
