/* SPDX-License-Identifier: MIT */
#include "render/gpu_report.h"

#include <drm_fourcc.h>
#include <epoxy/gl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xf86drm.h>

#include "protocol/gpu_report_keys.h"
#include "render/gl/egl.h"
#include "render/gl/egl_gbm.h"
#include "render/gl/virgl.h"

/*
 * A side of this many pixels is large enough for tiles of every kind, and for
 * egl_gbm_buffer_check().
 */
#define SIDE 64

/* These are the formats that format_get_scanout_fourcc() returns. */
static const struct {
	uint32_t fourcc;
	const char *name;
} formats[] = {
	{ DRM_FORMAT_XRGB8888, "XRGB8888" },
	{ DRM_FORMAT_XBGR8888, "XBGR8888" },
	{ DRM_FORMAT_XRGB2101010, "XRGB2101010" },
	{ DRM_FORMAT_XBGR2101010, "XBGR2101010" },
};

/* ---- reasons: what the log would say ---- */

static GString *reasons;

static const char *find_message(const GLogField *fields, gsize n_fields)
{
	for (gsize i = 0; i < n_fields; i++) {
		if (strcmp(fields[i].key, "MESSAGE") == 0)
			return fields[i].value;
	}
	return NULL;
}

static GLogWriterOutput keep_reason(
	GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user)
{
	const char *message = find_message(fields, n_fields);
	if (message && level <= G_LOG_LEVEL_INFO)
		g_string_append_printf(reasons, "%s%s", reasons->len ? "; " : "", message);
	return G_LOG_WRITER_HANDLED;
}

static void set_result(GKeyFile *report, const char *name, const char *why_name, bool ok)
{
	g_key_file_set_boolean(report, GPU_REPORT_GROUP, name, ok);
	if (!ok)
		g_key_file_set_string(report, GPU_REPORT_GROUP, why_name, reasons->str);
	g_string_truncate(reasons, 0);
}

/* ---- buffers ---- */

static bool can_show(uint32_t fourcc, uint64_t modifier)
{
	const char *why = NULL;
	if (modifier == DRM_FORMAT_MOD_LINEAR && !egl_gbm_draws_linear(fourcc))
		return false;
	struct egl_gbm_buffer *buffer =
		egl_gbm_buffer_create(SIDE, SIDE, fourcc, &modifier, 1, &why);
	if (!buffer)
		return false;
	bool ok = buffer->modifier == modifier && !egl_gbm_buffer_check(buffer);
	egl_gbm_buffer_destroy(buffer);
	return ok;
}

static char *name_layout(uint64_t modifier)
{
	if (modifier == DRM_FORMAT_MOD_INVALID)
		return g_strdup("implicit");
	char *name = drmGetFormatModifierName(modifier);
	char *layout =
		g_strdup_printf("0x%" G_GINT64_MODIFIER "x %s", modifier, name ? name : "UNNAMED");
	free(name);
	return layout;
}

static void report_format(GKeyFile *report, uint32_t fourcc, const char *name)
{
	uint64_t modifiers[EGL_GBM_MODIFIERS_MAX + 2] = { DRM_FORMAT_MOD_INVALID,
		DRM_FORMAT_MOD_LINEAR };
	unsigned n = 2 + egl_gbm_query_modifiers(fourcc, modifiers + 2);
	g_autoptr(GPtrArray) layouts = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < n; i++) {
		if (can_show(fourcc, modifiers[i]))
			g_ptr_array_add(layouts, name_layout(modifiers[i]));
	}
	if (layouts->len > 0)
		g_key_file_set_string_list(
			report, "scanout", name, (const char *const *)layouts->pdata, layouts->len);
}

static void report_drawing(GKeyFile *report)
{
	const char *why = "";
	void *context = egl_context_create(false, 3, 0);
	if (!context || !egl_context_make_current(context))
		return;
	const char *version = (const char *)glGetString(GL_VERSION);
	g_key_file_set_string(report, GPU_REPORT_GROUP, "opengl", version ? version : "unknown");
	bool usable = egl_gbm_is_usable(&why);
	if (!usable && egl_display_get_gbm())
		g_key_file_set_string(report, GPU_REPORT_GROUP, "scanout-why", why);
	for (unsigned i = 0; usable && i < G_N_ELEMENTS(formats); i++)
		report_format(report, formats[i].fourcc, formats[i].name);
	egl_context_make_current(NULL);
	egl_context_destroy(context);
}

/* ---- the whole ---- */

static void ignore_fence(void *user, uint32_t sequence)
{
}

static void report_driver(GKeyFile *report, int fd)
{
	drmVersion *version = fd < 0 ? NULL : drmGetVersion(fd);
	if (version)
		g_key_file_set_string(report, GPU_REPORT_GROUP, "driver", version->name);
	drmFreeVersion(version);
}

static bool starts_virgl(const struct egl_choice *choice)
{
	struct virgl_capset capset;
	if (!virgl_init(choice, ignore_fence, NULL))
		return false;
	if (virgl_get_capset(0, &capset))
		return true;
	g_warning("virglrenderer offers guests nothing here");
	return false;
}

static void fill_report(GKeyFile *report, const char *render_node, bool software)
{
	struct egl_choice choice;
	bool works = egl_choose(&choice, software ? NULL : render_node, false);
	if (!works)
		g_string_assign(reasons, choice.description);
	if (works && render_node && choice.render_node_fd < 0) {
		g_string_printf(reasons, "%s: is no DRM device", render_node);
		works = false;
	}
	set_result(report, "works", "why", works);
	if (!works)
		return;
	report_driver(report, choice.render_node_fd);
	g_key_file_set_boolean(report, GPU_REPORT_GROUP, "software", choice.software);
	g_key_file_set_string(
		report, GPU_REPORT_GROUP, "platform", egl_platform_get_name(choice.platform));
	g_key_file_set_string(report, GPU_REPORT_GROUP, "renderer", egl_display_get_renderer());
	g_key_file_set_boolean(report, GPU_REPORT_GROUP, "fences",
		egl_display_has("EGL_ANDROID_native_fence_sync"));
	report_drawing(report);
	g_string_truncate(reasons, 0);
	set_result(report, "virgl", "virgl-why", starts_virgl(&choice));
}

bool gpu_report_print(const char *render_node, bool software)
{
	g_autoptr(GKeyFile) report = g_key_file_new();
	reasons = g_string_new(NULL);
	g_log_set_writer_func(keep_reason, NULL, NULL);
	fill_report(report, render_node, software);
	g_autofree char *text = g_key_file_to_data(report, NULL, NULL);
	return fputs(text, stdout) >= 0 && fflush(stdout) == 0;
}
