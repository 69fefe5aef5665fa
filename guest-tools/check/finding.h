/* SPDX-License-Identifier: MIT */
/*
 * A finding is what one check found out, and the words for it.
 *
 * A finding starts as zeros, which means that the check passed. It lives in memory that the child
 * processes of a run share with their parent, so its texts are arrays.
 */
#pragma once

#include <stdbool.h>

enum finding_status {
	FINDING_PASS,
	FINDING_WARN,
	FINDING_FAIL,
	FINDING_SKIP,
	FINDING_STATUSES,
};

struct finding {
	enum finding_status status;
	/* The check has ended, or its child process died and the parent wrote the finding. */
	bool done;
	char value[320];
	char cause[32]; /* It holds an id of causes.c, or nothing when nothing is wrong. */
	char cause_text[400];
	char fix[400];
	double duration_ms;
};

/* Gives the status as reports write it: "pass", "warn", "fail" or "skip". */
const char *finding_status_name(enum finding_status status);
/* Does the finding warn or fail, so that it names a cause? */
bool finding_is_wrong(const struct finding *finding);

/* Each of these writes the value that was found. All but finding_value also set the status. */
void finding_value(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void finding_pass(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void finding_skip(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * These set the status and the cause, and leave the value as it is. `cause` must be an id of
 * causes.c; `argument` replaces {} in its texts and may be NULL.
 */
void finding_warn(struct finding *finding, const char *cause, const char *argument);
void finding_fail(struct finding *finding, const char *cause, const char *argument);
