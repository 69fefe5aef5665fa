/* SPDX-License-Identifier: MIT */
/* This writes what gpus.c has found, for people and for programs. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "protocol/gpu_report_keys.h"

#include "server/command/gpus.h"

#define SCANOUT "scanout"

static bool flag(const struct gpu_info *info, const char *name)
{
	return g_key_file_get_boolean(info->report, GPU_REPORT_GROUP, name, NULL);
}

static char *text(const struct gpu_info *info, const char *name)
{
	return g_key_file_get_string(info->report, GPU_REPORT_GROUP, name, NULL);
}

static char **formats_of(const struct gpu_info *info)
{
	char **names = g_key_file_get_keys(info->report, SCANOUT, NULL, NULL);
	return names ? names : g_new0(char *, 1);
}

static char **layouts_of(const struct gpu_info *info, const char *format)
{
	char **layouts = g_key_file_get_string_list(info->report, SCANOUT, format, NULL, NULL);
	return layouts ? layouts : g_new0(char *, 1);
}

/* A layout is "implicit", or "0x... NAME": the modifier, then its name. */
static const char *layout_name(const char *layout)
{
	const char *space = strchr(layout, ' ');
	return space ? space + 1 : layout;
}

/* ---- for people ---- */

static void describe_scanout(GString *out, const struct gpu_info *info)
{
	g_auto(GStrv) formats = formats_of(info);
	if (!formats[0])
		g_string_append(out, "  scanout   no GPU buffers: pictures are read back\n");
	for (unsigned i = 0; formats[i]; i++) {
		g_auto(GStrv) layouts = layouts_of(info, formats[i]);
		g_string_append_printf(out, "  %-9s %-11s", i == 0 ? "scanout" : "", formats[i]);
		for (unsigned k = 0; layouts[k]; k++)
			g_string_append_printf(out, "%s %s", k ? "," : "", layout_name(layouts[k]));
		g_string_append_c(out, '\n');
	}
}

static void describe_lines(GString *out, const char *name, char **lines)
{
	for (unsigned i = 0; lines && lines[i]; i++)
		g_string_append_printf(out, "  %-9s %s\n", i == 0 ? name : "", lines[i]);
}

static void describe_drawing(GString *out, const struct gpu_info *info)
{
	g_autofree char *renderer = text(info, "renderer"), *opengl = text(info, "opengl");
	g_autofree char *platform = text(info, "platform"), *why = text(info, "why");
	g_autofree char *virgl_why = text(info, "virgl-why");
	if (!flag(info, "works")) {
		g_string_append_printf(out, "  not used  %s\n", why ? why : "?");
		return;
	}
	g_string_append_printf(out, "  renderer  %s%s\n", renderer ? renderer : "?",
		info->node && flag(info, "software") ? " (draws with the CPU)" : "");
	g_string_append_printf(out, "  OpenGL    %s, %s%s\n", opengl ? opengl : "?",
		platform ? platform : "?", flag(info, "fences") ? ", native fences" : "");
	describe_scanout(out, info);
	if (flag(info, "virgl"))
		g_string_append(out, "  virgl     starts\n");
	else
		g_string_append_printf(out, "  virgl     does not start: %s\n",
			virgl_why && *virgl_why ? virgl_why : "no reason given");
}

static void describe_one(GString *out, const struct gpu_info *info)
{
	g_string_append(out, info->node ? info->node : "software");
	if (info->driver)
		g_string_append_printf(out, " (%s)", info->driver);
	g_string_append_printf(
		out, "%s\n", info->is_default ? ": taken unless another is named" : "");
	describe_drawing(out, info);
	describe_lines(out, "encoders", info->encoders);
	describe_lines(out, "missing", info->missing);
}

char *gpus_describe(const GPtrArray *gpus)
{
	GString *out = g_string_new(NULL);
	g_assert(gpus->len > 0);
	const struct gpu_info *software = gpus->pdata[gpus->len - 1];
	g_assert(!software->node);
	if (gpus->len == 1)
		g_string_append_printf(out, "no render node here%s\n",
			software->is_default ? ": desktops are drawn with the CPU" : "");
	for (unsigned i = 0; i < gpus->len; i++)
		describe_one(out, gpus->pdata[i]);
	return g_string_free(out, FALSE);
}

/* ---- for programs ---- */

static void add_text(JsonBuilder *json, const char *member, const char *value)
{
	if (!value)
		return;
	json_builder_set_member_name(json, member);
	json_builder_add_string_value(json, value);
}

static void add_flag(JsonBuilder *json, const char *member, bool value)
{
	json_builder_set_member_name(json, member);
	json_builder_add_boolean_value(json, value);
}

static void add_layout(JsonBuilder *json, const char *layout)
{
	const char *space = strchr(layout, ' ');
	g_autofree char *modifier = space ? g_strndup(layout, (gsize)(space - layout)) : NULL;
	json_builder_begin_object(json);
	add_text(json, "modifier", modifier);
	add_text(json, "name", layout_name(layout));
	json_builder_end_object(json);
}

static void add_scanout(JsonBuilder *json, const struct gpu_info *info)
{
	g_auto(GStrv) formats = formats_of(info);
	json_builder_set_member_name(json, SCANOUT);
	json_builder_begin_object(json);
	for (unsigned i = 0; formats[i]; i++) {
		g_auto(GStrv) layouts = layouts_of(info, formats[i]);
		json_builder_set_member_name(json, formats[i]);
		json_builder_begin_array(json);
		for (unsigned k = 0; layouts[k]; k++)
			add_layout(json, layouts[k]);
		json_builder_end_array(json);
	}
	json_builder_end_object(json);
}

static void add_lines(JsonBuilder *json, const char *member, char **lines)
{
	json_builder_set_member_name(json, member);
	json_builder_begin_array(json);
	for (unsigned i = 0; lines && lines[i]; i++)
		json_builder_add_string_value(json, lines[i]);
	json_builder_end_array(json);
}

static void add_one(JsonBuilder *json, const struct gpu_info *info)
{
	static const char *const texts[] = { "why", "platform", "renderer", "opengl", "virgl-why" };
	static const char *const flags[] = { "works", "software", "fences", "virgl" };
	g_assert(info->report);
	json_builder_begin_object(json);
	add_text(json, "node", info->node);
	add_text(json, "driver", info->driver);
	add_flag(json, "default", info->is_default);
	for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++)
		add_flag(json, flags[i], flag(info, flags[i]));
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *value = text(info, texts[i]);
		add_text(json, texts[i], value);
	}
	add_scanout(json, info);
	add_lines(json, "encoders", info->encoders);
	add_lines(json, "missing", info->missing);
	json_builder_end_object(json);
}

char *gpus_describe_json(const GPtrArray *gpus)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	json_builder_begin_object(json);
	json_builder_set_member_name(json, "gpus");
	json_builder_begin_array(json);
	for (unsigned i = 0; i < gpus->len; i++)
		add_one(json, gpus->pdata[i]);
	json_builder_end_array(json);
	json_builder_end_object(json);
	g_autoptr(JsonNode) root = json_builder_get_root(json);
	g_autofree char *out = json_to_string(root, TRUE);
	return g_strconcat(out, "\n", NULL);
}
