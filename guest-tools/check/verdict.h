/* SPDX-License-Identifier: MIT */
/* verdict: the one sentence that all findings together come to. */
#pragma once

#include "guest-tools/check/check.h"

enum verdict_accelerated {
	VERDICT_NO,
	VERDICT_YES,
	VERDICT_UNKNOWN, /* not tested */
};

struct verdict {
	enum verdict_accelerated accelerated;
	char sentence[600];
	const struct finding *root; /* the lowest failure that explains a "no"; NULL: none */
	unsigned counts[FINDING_STATUSES];
	int exit_status; /* 0 pass, 1 warnings, 2 failures, 3 could not test */
};

void verdict_make(const struct check_results *results, struct verdict *verdict);
