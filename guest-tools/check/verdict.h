/* SPDX-License-Identifier: MIT */
/* A verdict is the one sentence that all findings together come to. */
#pragma once

#include "guest-tools/check/check.h"

enum verdict_accelerated {
	VERDICT_NO,
	VERDICT_YES,
	VERDICT_UNKNOWN, /* No check tested it. */
};

struct verdict {
	enum verdict_accelerated accelerated;
	char sentence[600];
	const struct finding *root; /* This is the lowest failure that explains a "no", or NULL. */
	unsigned counts[FINDING_STATUSES];
	/*
	 * It is 0 after passes only, 1 after warnings, 2 after failures, 3 when nothing could be
	 * tested.
	 */
	int exit_status;
};

void verdict_make(const struct check_results *results, struct verdict *verdict);
