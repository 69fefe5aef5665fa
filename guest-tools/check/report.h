/* SPDX-License-Identifier: MIT */
/* report writes the findings for a person, for a program, and for the host. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "guest-tools/check/check.h"
#include "guest-tools/check/verdict.h"

/* The output follows this version of vitrine-guest-check.schema.json. */
#define REPORT_SCHEMA_VERSION 1

void report_text(
	FILE *file, const struct check_results *results, const struct verdict *verdict, bool color);
void report_json(FILE *file, const struct check_results *results, const struct verdict *verdict);
/* Writes the one line that goes to the port of protocol/guest_report.h. */
void report_line(FILE *file, const struct check_results *results, const struct verdict *verdict);
/*
 * Writes that line to the device or file `path`, or, when it is NULL, to the port
 * GUEST_REPORT_PORT. Gives 0, -ENODEV when there is no such port, or -errno.
 */
int report_to_port(
	const char *path, const struct check_results *results, const struct verdict *verdict);

void report_list(FILE *file);
/* Gives false when `id` names no check and no cause. */
bool report_explain(FILE *file, const char *id);
