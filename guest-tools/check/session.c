/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/session.h"

#include <stdio.h>
#include <string.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

static const char *const stage_causes[] = {
	[GL_STAGE_DONE] = "",
	[GL_STAGE_LIBRARY] = "mesa.library-missing",
	[GL_STAGE_NODE] = "nodes.missing",
	[GL_STAGE_GBM] = "mesa.no-gbm",
	[GL_STAGE_EGL_VENDOR] = "mesa.no-egl-driver",
	[GL_STAGE_DISPLAY] = "mesa.no-display",
	[GL_STAGE_CONTEXT] = "mesa.no-context",
};

static void keep_failure(struct guest_gl *facts, const struct gl *gl)
{
	if (facts->cause[0])
		return;
	text_copy(facts->error, sizeof facts->error, gl->error);
	text_copy(facts->cause, sizeof facts->cause, stage_causes[gl->failed_at]);
	text_copy(facts->missing, sizeof facts->missing, gl->missing);
}

static void keep_strings(struct guest_gl *facts, const struct gl *gl)
{
	static const char *const software[] = { "llvmpipe", "softpipe", "swrast",
		"Software Rasterizer" };
	const char *version = gl->desktop_version[0] ? gl->desktop_version : gl->es_version;
	facts->display = facts->context = true;
	text_copy(facts->renderer, sizeof facts->renderer, gl->renderer);
	text_copy(facts->version, sizeof facts->version, version);
	text_copy(facts->es_version, sizeof facts->es_version, gl->es_version);
	text_copy(facts->egl_vendor, sizeof facts->egl_vendor, gl->egl_vendor);
	facts->es_major = gl->es_major;
	facts->es_minor = gl->es_minor;
	sscanf(gl->desktop_version, "%d.%d", &facts->gl_major, &facts->gl_minor);
	const char *mesa = strstr(version, "Mesa ");
	if (mesa)
		sscanf(mesa + 5, "%d.%d", &facts->mesa_major, &facts->mesa_minor);
	/* The host answers for "virgl (LLVMPIPE ...)"; only the guest's own driver counts here. */
	facts->virgl = strncmp(gl->renderer, "virgl", 5) == 0;
	for (size_t i = 0; !facts->virgl && i < ARRAY_LENGTH(software); i++)
		facts->software |= strstr(gl->renderer, software[i]) != NULL;
}

struct gl *session_gl(struct guest *guest)
{
	static struct gl gl;
	struct guest_gl *facts = &guest->gl;
	if (facts->tried)
		return &gl;
	facts->tried = true;
	bool opened = false;
	if (guest->render_path[0] && guest->render_error == 0) {
		opened = gl_open(&gl, guest->render_path);
		if (!opened) {
			keep_failure(facts, &gl);
			gl_close(&gl);
		}
	}
	if (!opened)
		opened = gl_open(&gl, NULL);
	if (opened)
		keep_strings(facts, &gl);
	else
		keep_failure(facts, &gl);
	return &gl;
}
