/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>

#include "guest-tools/check/report.h"
#include "guest-tools/common/json.h"
#include "protocol/guest_report.h"

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void write_accelerated(struct json *json, const struct verdict *verdict)
{
	if (verdict->accelerated == VERDICT_UNKNOWN)
		json_string(json, "accelerated", NULL);
	else
		json_bool(json, "accelerated", verdict->accelerated == VERDICT_YES);
}

static void write_counts(struct json *json, const struct verdict *verdict)
{
	for (int status = FINDING_PASS; status <= FINDING_SKIP; status++)
		json_integer(json, finding_status_name((enum finding_status)status),
			verdict->counts[status]);
}

static void write_guest(struct json *json, const struct guest *guest)
{
	json_object(json, "guest");
	json_string(json, "os", or_null(guest->os));
	json_string(json, "kernel", guest->kernel);
	json_string(json, "hypervisor", guest->hypervisor);
	json_bool(json, "root", guest->root);
	json_bool(json, "container", guest->container);
	json_object_end(json);
	json_object(json, "gl");
	json_string(json, "renderer", or_null(guest->gl.renderer));
	json_string(json, "version", or_null(guest->gl.version));
	json_string(json, "es_version", or_null(guest->gl.es_version));
	json_string(json, "host_renderer", or_null(guest->caps.renderer));
	json_bool(json, "software", guest->gl.software);
	json_object_end(json);
}

static void write_check(struct json *json, const struct check *check, const struct finding *finding)
{
	bool wrong = finding_is_wrong(finding);
	json_object(json, NULL);
	json_string(json, "id", check->id);
	json_string(json, "status", finding_status_name(finding->status));
	json_string(json, "title", check->title);
	json_string(json, "value", finding->value);
	json_string(json, "expected", check->expected);
	json_string(json, "why", check->why);
	json_string(json, "cause", wrong ? or_null(finding->cause) : NULL);
	json_string(json, "cause_text", wrong ? or_null(finding->cause_text) : NULL);
	json_string(json, "fix", wrong ? or_null(finding->fix) : NULL);
	json_number(json, "duration_ms", finding->duration_ms);
	json_object_end(json);
}

void report_json(FILE *file, const struct check_results *results, const struct verdict *verdict)
{
	struct json json = { .file = file };
	char now[32];
	time_t seconds = time(NULL);
	strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
	json_object(&json, NULL);
	json_integer(&json, "schema", REPORT_SCHEMA_VERSION);
	json_string(&json, "tool", "vitrine-guest-check " VITRINE_VERSION);
	json_string(&json, "time", now);
	json_object(&json, "verdict");
	write_accelerated(&json, verdict);
	json_string(&json, "sentence", verdict->sentence);
	json_string(&json, "cause", verdict->root ? verdict->root->cause : NULL);
	json_string(&json, "fix", verdict->root ? verdict->root->fix : NULL);
	json_integer(&json, "exit_status", verdict->exit_status);
	write_counts(&json, verdict);
	json_object_end(&json);
	write_guest(&json, &results->guest);
	json_array(&json, "checks");
	for (size_t i = 0; check_at(i); i++)
		if (results->selected[i])
			write_check(&json, check_at(i), &results->findings[i]);
	json_array_end(&json);
	json_number(&json, "duration_ms", results->duration_ms);
	json_object_end(&json);
}

void report_line(FILE *file, const struct check_results *results, const struct verdict *verdict)
{
	const struct guest *guest = &results->guest;
	struct json json = { .file = file, .one_line = true };
	char version[48] = "";
	if (guest->gl.gl_major > 0)
		snprintf(version, sizeof version, "%d.%d", guest->gl.gl_major, guest->gl.gl_minor);
	json_object(&json, NULL);
	json_integer(&json, "vitrine_guest_report", GUEST_REPORT_VERSION);
	write_accelerated(&json, verdict);
	json_string(&json, "verdict", verdict->sentence);
	json_string(&json, "renderer", or_null(guest->gl.renderer));
	json_string(&json, "host_renderer", or_null(guest->caps.renderer));
	json_string(&json, "gl", or_null(version));
	json_string(&json, "cause", verdict->root ? verdict->root->cause : NULL);
	json_string(&json, "cause_text", verdict->root ? verdict->root->cause_text : NULL);
	json_string(&json, "fix", verdict->root ? verdict->root->fix : NULL);
	write_counts(&json, verdict);
	json_string(&json, "os", or_null(guest->os));
	json_string(&json, "kernel", guest->kernel);
	json_string(&json, "tool", VITRINE_VERSION);
	json_object_end(&json);
}
