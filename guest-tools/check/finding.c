/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/finding.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "guest-tools/check/causes.h"
#include "guest-tools/common/text.h"

const char *finding_status_name(enum finding_status status)
{
	static const char *const names[FINDING_STATUSES] = { "pass", "warn", "fail", "skip" };
	assert(status < FINDING_STATUSES);
	return names[status];
}

bool finding_is_wrong(const struct finding *finding)
{
	return finding->status == FINDING_WARN || finding->status == FINDING_FAIL;
}

void finding_value(struct finding *finding, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(finding->value, sizeof finding->value, format, args);
	va_end(args);
}

void finding_pass(struct finding *finding, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(finding->value, sizeof finding->value, format, args);
	va_end(args);
	finding->status = FINDING_PASS;
}

void finding_skip(struct finding *finding, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(finding->value, sizeof finding->value, format, args);
	va_end(args);
	finding->status = FINDING_SKIP;
}

static void set_cause(
	struct finding *finding, enum finding_status status, const char *id, const char *argument)
{
	const struct cause *cause = cause_find(id);
	assert(cause);
	assert(strlen(id) < sizeof finding->cause);
	finding->status = status;
	text_copy(finding->cause, sizeof finding->cause, id);
	cause_expand(cause->text, argument, finding->cause_text, sizeof finding->cause_text);
	cause_expand(cause->fix, argument, finding->fix, sizeof finding->fix);
}

void finding_warn(struct finding *finding, const char *cause, const char *argument)
{
	set_cause(finding, FINDING_WARN, cause, argument);
}

void finding_fail(struct finding *finding, const char *cause, const char *argument)
{
	set_cause(finding, FINDING_FAIL, cause, argument);
}
