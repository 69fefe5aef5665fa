/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "guest-tools/check/causes.h"
#include "guest-tools/check/report.h"

static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m", "\033[2m" };
#define COLOR_BOLD "\033[1m"
#define COLOR_END "\033[0m"

/* A cause that several checks meet is told once. */
static void write_fix(FILE *file, const struct check_results *results, size_t index)
{
	const struct finding *finding = &results->findings[index];
	for (size_t i = 0; i < index; i++)
		if (results->selected[i] &&
			strcmp(results->findings[i].cause, finding->cause) == 0) {
			fprintf(file, "         cause: the same [%s]\n", finding->cause);
			return;
		}
	fprintf(file, "         cause: %s [%s]\n         fix:   %s\n", finding->cause_text,
		finding->cause, finding->fix);
}

/* Gives the number of checks in the group. */
static size_t write_group(FILE *file, const struct check_results *results, size_t first,
	const struct check_group *group, bool color)
{
	bool titled = false;
	size_t i = 0;
	for (; group->checks[i].id; i++) {
		const struct finding *finding = &results->findings[first + i];
		if (!results->selected[first + i])
			continue;
		if (!titled)
			fprintf(file, "\n%s%s%s\n", color ? COLOR_BOLD : "", group->title,
				color ? COLOR_END : "");
		titled = true;
		fprintf(file, "  %s%s%s  %-22s %s\n", color ? colors[finding->status] : "",
			finding_status_name(finding->status), color ? COLOR_END : "",
			group->checks[i].title, finding->value);
		if (finding_is_wrong(finding))
			write_fix(file, results, first + i);
	}
	return i;
}

void report_text(
	FILE *file, const struct check_results *results, const struct verdict *verdict, bool color)
{
	enum finding_status tone = verdict->accelerated == VERDICT_YES ? FINDING_PASS :
				   verdict->accelerated == VERDICT_NO  ? FINDING_FAIL :
									 FINDING_SKIP;
	fprintf(file, "%s%s%s%s\n", color ? COLOR_BOLD : "", color ? colors[tone] : "",
		verdict->sentence, color ? COLOR_END : "");
	if (verdict->accelerated == VERDICT_NO && verdict->root)
		fprintf(file, "Fix: %s\n", verdict->root->fix);
	size_t first = 0;
	for (size_t i = 0; i < check_groups_length; i++)
		first += write_group(file, results, first, &check_groups[i], color);
	fprintf(file, "\n%u passed, %u warnings, %u failed, %u skipped; %.1f s on %s, %s\n",
		verdict->counts[FINDING_PASS], verdict->counts[FINDING_WARN],
		verdict->counts[FINDING_FAIL], verdict->counts[FINDING_SKIP],
		results->duration_ms / 1000.0, results->guest.hypervisor,
		results->guest.os[0] ? results->guest.os : "unknown system");
	if (!results->guest.root)
		fputs("Run as root to check other people's rights and the kernel log too.\n", file);
}

void report_list(FILE *file)
{
	const struct check *check;
	for (size_t i = 0; (check = check_at(i)); i++)
		fprintf(file, "%-22s %s\n", check->id, check->title);
}

/*
 * The causes that a check may name begin with its group's name. Causes of other groups are listed
 * by their own id.
 */
static void explain_check(FILE *file, const struct check *check)
{
	size_t length = strcspn(check->id, ".") + 1;
	fprintf(file, "%s: %s\n\nExpected: %s.\nWhy: %s\n", check->id, check->title,
		check->expected, check->why);
	bool titled = false;
	for (size_t i = 0; i < causes_length; i++) {
		if (strncmp(causes[i].id, check->id, length) != 0)
			continue;
		if (!titled)
			fputs("\nCauses in this group:\n", file);
		titled = true;
		fprintf(file, "  %s: %s\n    fix: %s\n", causes[i].id, causes[i].text,
			causes[i].fix);
	}
}

bool report_explain(FILE *file, const char *id)
{
	const struct check *check = check_find(id);
	const struct cause *cause = cause_find(id);
	if (check)
		explain_check(file, check);
	if (cause)
		fprintf(file, "%s%s: %s\nFix: %s\n", check ? "\n" : "", cause->id, cause->text,
			cause->fix);
	return check || cause;
}
