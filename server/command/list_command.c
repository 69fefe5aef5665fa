/* SPDX-License-Identifier: MIT */
#include "server/command/list_command.h"

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "server/command/control_client.h"
#include "server/desktop/run_dir.h"
#include "server/stats/stats_report.h"

#define LIST_JSON_VERSION 1

/* Gives what the desktop's Show says; where nobody answers that is its name alone. */
static JsonObject *ask(const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autoptr(VitrineDesktop1) desktop = control_client_connect(name, &error);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object = NULL;
	if (desktop && vitrine_desktop1_call_show_sync(desktop, &text, NULL, &error) &&
		json_parser_load_from_data(parser, text, -1, NULL) &&
		JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
		object = json_object_ref(json_node_get_object(json_parser_get_root(parser)));
	if (!object)
		object = json_object_new();
	json_object_set_string_member(object, "name", name);
	if (!json_object_has_member(object, "state"))
		json_object_set_null_member(object, "state");
	return object;
}

static bool has_text(JsonArray *array, const char *text)
{
	for (guint i = 0; i < json_array_get_length(array); i++) {
		if (strcmp(json_array_get_string_element(array, i), text) == 0)
			return true;
	}
	return false;
}

static void add_host(JsonArray *clients, const char *address)
{
	const char *port = strrchr(address, ':');
	g_autofree char *host =
		g_strndup(address, port ? (size_t)(port - address) : strlen(address));
	if (!has_text(clients, host))
		json_array_add_string_element(clients, host);
}

/*
 * Clients are counted by display, and read as vitrine stats does: a connection for each monitor.
 * From one host comes one client, since another would take its place.
 */
static void add_clients(JsonObject *object, const char *name)
{
	g_autofree char *base = run_dir_base();
	g_autofree char *path = g_build_filename(base, name, STATS_SOCKET_FILE, NULL);
	g_autofree struct stats_snapshot *snapshot = stats_snapshot_take(path, NULL, NULL);
	if (!snapshot) {
		json_object_set_null_member(object, "clients");
		return;
	}
	g_autofree struct stats_report *report = stats_report_make(NULL, snapshot);
	JsonArray *clients = json_array_new();
	for (unsigned i = 0; i < report->n_clients; i++)
		add_host(clients, report->clients[i].address);
	json_object_set_array_member(object, "clients", clients);
}

static const char *text_of(JsonObject *object, const char *member)
{
	JsonNode *node = json_object_get_member(object, member);
	const char *text = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
	return text ? text : "-";
}

static char *count_of(JsonObject *object)
{
	JsonNode *node = json_object_get_member(object, "clients");
	return node && JSON_NODE_HOLDS_ARRAY(node) ?
		       g_strdup_printf("%u", json_array_get_length(json_node_get_array(node))) :
		       g_strdup("-");
}

static void print_table(GPtrArray *objects)
{
	if (objects->len == 0)
		printf("no desktop is running\n");
	else
		printf("%-20s %-10s %-9s %7s  %s\n", "NAME", "STATE", "DRIVER", "CLIENTS",
			"ADDRESS");
	for (guint i = 0; i < objects->len; i++) {
		JsonObject *object = g_ptr_array_index(objects, i);
		g_autofree char *count = count_of(object);
		printf("%-20s %-10s %-9s %7s  %s\n", text_of(object, "name"),
			text_of(object, "state"), text_of(object, "driver"), count,
			text_of(object, "address"));
	}
}

static void print_json(GPtrArray *objects)
{
	JsonArray *array = json_array_new();
	JsonObject *whole = json_object_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	for (guint i = 0; i < objects->len; i++)
		json_array_add_object_element(
			array, json_object_ref(g_ptr_array_index(objects, i)));
	json_object_set_int_member(whole, "version", LIST_JSON_VERSION);
	json_object_set_array_member(whole, "desktops", array);
	json_node_take_object(root, whole);
	g_autofree char *text = json_to_string(root, TRUE);
	printf("%s\n", text);
}

int list_main(int argc, char **argv)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(context, "The desktops of this user that run.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
		g_warning("%s", error ? error->message : "vitrine list takes no name");
		return EXIT_CODE_USAGE;
	}
	g_autoptr(GPtrArray) objects =
		g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
	g_auto(GStrv) names = run_dir_list();
	for (unsigned i = 0; names[i]; i++) {
		g_ptr_array_add(objects, ask(names[i]));
		add_clients(g_ptr_array_index(objects, i), names[i]);
	}
	if (json)
		print_json(objects);
	else
		print_table(objects);
	return fflush(stdout) != 0 ? EXIT_CODE_FAILED : EXIT_CODE_DONE;
}
