/* SPDX-License-Identifier: MIT */
#include "server/command/show_json.h"

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <string.h>

#include "server/command/show_gpu.h"
#include "server/command/show_quotas.h"
#include "server/command/show_walls.h"
#include "server/desktop/desktop_file.h"
#include "server/desktop/desktop_options.h"
#include "server/desktop/guest_report.h"
#include "server/desktop/run_dir.h"

/* Gives NULL when the desktop has no such file, or not yet, or one that is no key file. */
static GKeyFile *load(const char *desktop, const char *name)
{
	g_autofree char *base = run_dir_base();
	g_autofree char *path = g_build_filename(base, desktop, name, NULL);
	g_autoptr(GKeyFile) file = g_key_file_new();
	return g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL) ?
		       g_steal_pointer(&file) :
		       NULL;
}

static void add_value(JsonBuilder *json, const struct desktop_option *option, const char *value)
{
	g_assert(desktop_option_in_file(option));
	if (!value)
		json_builder_add_null_value(json);
	else if (desktop_option_is_switch(option))
		json_builder_add_boolean_value(json, strcmp(value, "true") == 0);
	else if (option->type == DESKTOP_NUMBER)
		json_builder_add_int_value(json, g_ascii_strtoll(value, NULL, 10));
	else
		json_builder_add_string_value(json, value);
}

static void add_options(JsonBuilder *json, GKeyFile *file)
{
	json_builder_begin_object(json);
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *option = &desktop_options[i];
		if (!desktop_option_in_file(option))
			continue;
		const char *group = desktop_sections[option->section].group;
		g_autofree char *value =
			file ? g_key_file_get_string(file, group, option->name, NULL) : NULL;
		json_builder_set_member_name(json, option->name);
		add_value(json, option, value);
	}
	json_builder_end_object(json);
}

/* Adds all of them, so that nobody needs to know the initial ones. */
static void add_quotas(JsonBuilder *json, GKeyFile *file)
{
	struct quota_limits limits;
	show_quotas_read(&limits, file);
	json_builder_begin_object(json);
	for (unsigned i = 0; i < QUOTAS; i++) {
		json_builder_set_member_name(json, quota_rows[i].name);
		json_builder_add_int_value(json, (gint64)limits.max[i]);
	}
	json_builder_end_object(json);
}

static void add_guest(JsonBuilder *json, GKeyFile *file)
{
	if (!file) {
		json_builder_add_null_value(json);
		return;
	}
	g_auto(GStrv) keys = g_key_file_get_keys(file, GUEST_REPORT_GROUP, NULL, NULL);
	json_builder_begin_object(json);
	for (unsigned i = 0; keys && keys[i]; i++) {
		g_autofree char *value =
			g_key_file_get_string(file, GUEST_REPORT_GROUP, keys[i], NULL);
		json_builder_set_member_name(json, keys[i]);
		json_builder_add_string_value(json, value ? value : "");
	}
	json_builder_end_object(json);
}

static void add_desktop(JsonBuilder *json, const char *name)
{
	g_autoptr(GKeyFile) desktop = load(name, DESKTOP_FILE);
	g_autoptr(GKeyFile) guest = load(name, GUEST_REPORT_FILE);
	json_builder_begin_object(json);
	json_builder_set_member_name(json, "name");
	json_builder_add_string_value(json, name);
	json_builder_set_member_name(json, "options");
	add_options(json, desktop);
	json_builder_set_member_name(json, "quotas");
	add_quotas(json, desktop);
	json_builder_set_member_name(json, "guest");
	add_guest(json, guest);
	g_autofree char *base = run_dir_base();
	json_builder_set_member_name(json, "gpu");
	show_gpu_add(json, base, name);
	json_builder_set_member_name(json, "walls");
	show_walls_add(json, base, name);
	json_builder_end_object(json);
}

char *show_json_write(char *const *names)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	json_builder_begin_object(json);
	json_builder_set_member_name(json, "version");
	json_builder_add_int_value(json, SHOW_JSON_VERSION);
	json_builder_set_member_name(json, "desktops");
	json_builder_begin_array(json);
	for (unsigned i = 0; names[i]; i++)
		add_desktop(json, names[i]);
	json_builder_end_array(json);
	json_builder_end_object(json);
	g_autoptr(JsonNode) root = json_builder_get_root(json);
	g_autofree char *text = json_to_string(root, TRUE);
	return g_strconcat(text, "\n", NULL);
}
