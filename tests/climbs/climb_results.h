/* SPDX-License-Identifier: MIT */
/* climb_results: what each climb of one user came to, in each place, behind each choice of walls.
 */
#pragma once

#include "tests/climbs/climb_desktop.h"

#define CLIMB_GROUP_MAX 48
#define CLIMB_GROUPS 16
#define CLIMB_VARIANTS 10
#define CLIMB_PLACES 8

enum { CLIMB_VARIANT_ALL, CLIMB_VARIANT_NONE };

extern const struct climb_variant climb_variants[CLIMB_VARIANTS];
extern const struct climb_place climb_places[CLIMB_PLACES];

struct climb_results {
	const char *user;
	struct climb_outcome outcomes[CLIMB_VARIANTS][CLIMB_PLACES][CLIMB_GROUPS][CLIMB_GROUP_MAX];
};

const char *climb_results_describe(struct climb_outcome outcome);
unsigned climb_results_count(const struct climb_results *results, unsigned variant, unsigned place,
	enum climb_verdict verdict);
/*
 * Counts the climbs whose row names the one wall that stands in the variant, and returns how many
 * of them it does not hold. Each of those is named in a line of TAP.
 */
unsigned climb_results_check_alone(
	const struct climb_results *results, unsigned variant, unsigned *n_climbs);
/* Names what is not even up without walls. */
void climb_results_list_kept(const struct climb_results *results);
/* Prints a Markdown table of all climbs, and what holds each. */
void climb_results_print_table(const struct climb_results *results);
