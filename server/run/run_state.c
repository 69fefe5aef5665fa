/* SPDX-License-Identifier: MIT */
#include "server/run/run_state.h"

#include <json-glib/json-glib.h>

#include "server/run/announcement.h"

static void add_text(JsonBuilder *json, const char *name, const char *value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_string_value(json, value);
}

char *run_state_write(
	const struct desktop *desktop, const struct run_dir *dir, const struct machine *machine)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	g_autofree char *address = announcement_address(desktop, dir);
	g_autofree char *qmp = run_dir_file(dir, USER_QMP_FILE);
	json_builder_begin_object(json);
	add_text(json, "name", desktop->name);
	add_text(json, "state", machine_state_word(machine->state));
	add_text(json, "driver", machine->driver);
	add_text(json, "address", address);
	json_builder_set_member_name(json, "since");
	json_builder_add_int_value(json, machine->started_s);
	add_text(json, "qmp", qmp);
	json_builder_end_object(json);
	g_autoptr(JsonNode) root = json_builder_get_root(json);
	return json_to_string(root, FALSE);
}
