/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/verdict.h"

#include <stdio.h>
#include <string.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

/* Only these groups decide about acceleration: a missing agent does not slow OpenGL down. */
static bool decides(const char *id)
{
	static const char *const groups[] = { "device.virtio-gpu", "kernel.", "nodes.render",
		"ioctl.", "mesa.", "truth." };
	for (size_t i = 0; i < ARRAY_LENGTH(groups); i++)
		if (strncmp(id, groups[i], strlen(groups[i])) == 0)
			return true;
	return false;
}

static const struct finding *find_root(const struct check_results *results)
{
	const struct check *check;
	for (size_t i = 0; (check = check_at(i)); i++)
		if (results->selected[i] && results->findings[i].status == FINDING_FAIL &&
			decides(check->id))
			return &results->findings[i];
	return NULL;
}

static bool truth_failed(const struct check_results *results)
{
	const struct check *check;
	for (size_t i = 0; (check = check_at(i)); i++)
		if (results->selected[i] && results->findings[i].status == FINDING_FAIL &&
			(strncmp(check->id, "truth.", 6) == 0 ||
				strcmp(check->id, "ioctl.transfer") == 0))
			return true;
	return false;
}

/* Makes "GL 4.3" of "4.3 (Core Profile) Mesa 25.0". A string of ES stays ES. */
static void describe_version(const struct guest_gl *gl, char *out, size_t size)
{
	if (gl->gl_major > 0)
		snprintf(out, size, "GL %d.%d", gl->gl_major, gl->gl_minor);
	else
		snprintf(out, size, "GL ES %d.%d", gl->es_major, gl->es_minor);
}

/* Names the host's own renderer, as the capset does, or else as "virgl (HOST)" does. */
static void describe_host(const struct guest *guest, char *out, size_t size)
{
	const char *open = strchr(guest->gl.renderer, '(');
	if (guest->caps.renderer[0]) {
		text_copy(out, size, guest->caps.renderer);
	} else if (open) {
		text_copy(out, size, open + 1);
		char *end = strrchr(out, ')');
		if (end)
			*end = 0;
	} else {
		text_copy(out, size, "an unnamed host renderer");
	}
}

static void write_sentence(const struct check_results *results, struct verdict *verdict)
{
	const struct guest_gl *gl = &results->guest.gl;
	char version[48], host[128], *out = verdict->sentence;
	size_t size = sizeof verdict->sentence;
	describe_version(gl, version, sizeof version);
	describe_host(&results->guest, host, sizeof host);
	if (verdict->accelerated == VERDICT_YES)
		snprintf(out, size, "OpenGL accelerated: yes, virgl on %s, %s", host, version);
	else if (truth_failed(results))
		snprintf(out, size, "OpenGL accelerated: no, virgl on %s answers but draws wrongly",
			host);
	else if (verdict->accelerated == VERDICT_UNKNOWN)
		snprintf(out, size, "OpenGL accelerated: not tested");
	else if (gl->context && gl->forced_away && !gl->software)
		snprintf(out, size, "OpenGL accelerated: no, programs are kept off virgl");
	else if (gl->context && gl->software)
		snprintf(out, size, "OpenGL accelerated: no, software rendering (%.60s)",
			gl->renderer);
	else if (gl->context)
		snprintf(out, size, "OpenGL accelerated: no virgl, the renderer is %s",
			gl->renderer);
	else
		snprintf(out, size, "OpenGL accelerated: no, no OpenGL at all");
	if (verdict->accelerated == VERDICT_NO && verdict->root)
		text_append_format(out, size, ", because: %s", verdict->root->cause_text);
}

static int exit_status(const struct verdict *verdict)
{
	if (verdict->counts[FINDING_FAIL] > 0)
		return 2;
	if (verdict->counts[FINDING_WARN] > 0)
		return 1;
	return verdict->counts[FINDING_PASS] > 0 ? 0 : 3;
}

void verdict_make(const struct check_results *results, struct verdict *verdict)
{
	const struct guest_gl *gl = &results->guest.gl;
	memset(verdict, 0, sizeof *verdict);
	for (size_t i = 0; check_at(i); i++)
		if (results->selected[i])
			verdict->counts[results->findings[i].status]++;
	const struct finding *root = find_root(results);
	verdict->exit_status = exit_status(verdict);
	if (!gl->tried && !root)
		verdict->accelerated = VERDICT_UNKNOWN;
	else if (gl->context && gl->virgl && !gl->forced_away && !truth_failed(results))
		verdict->accelerated = VERDICT_YES;
	else
		verdict->accelerated = VERDICT_NO;
	verdict->root = verdict->accelerated == VERDICT_NO ? root : NULL;
	write_sentence(results, verdict);
}
