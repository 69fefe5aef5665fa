/* SPDX-License-Identifier: MIT */
#include "server/command/show_walls.h"

#include <stddef.h>
#include <stdio.h>

#include "common/confine/confine.h"
#include "server/desktop/run_dir.h"
#include "server/stats/stats_snapshot.h"

/* These have walls; QEMU's are its own. */
#define WALLS_OF(process) offsetof(struct stats_snapshot, walls[process])
static const struct {
	const char *name;
	size_t offset; /* in the snapshot */
} processes[] = {
	{ "vitrine-gpu", WALLS_OF(STATS_PROCESS_KEEPER) },
	{ "vitrine-render", WALLS_OF(STATS_PROCESS_RENDER) },
	{ "vitrine-display", WALLS_OF(STATS_PROCESS_DISPLAY) },
	{ "vitrine-inner", offsetof(struct stats_snapshot, inner_walls) },
	{ "vitrine-starter", offsetof(struct stats_snapshot, starter_walls) },
	{ "vitrine-fetcher", offsetof(struct stats_snapshot, fetcher_walls) },
};

static const struct confine_state *find_walls(
	const struct stats_snapshot *snapshot, unsigned process)
{
	return (const void *)((const char *)snapshot + processes[process].offset);
}

static struct stats_snapshot *ask(const char *base, const char *name)
{
	g_autofree char *path = g_build_filename(base, name, STATS_SOCKET_FILE, NULL);
	return stats_snapshot_take(path, NULL, NULL);
}

void show_walls_print(const char *base, const char *name)
{
	g_autofree struct stats_snapshot *snapshot = ask(base, name);
	for (unsigned i = 0; snapshot && i < G_N_ELEMENTS(processes); i++) {
		g_autofree char *line = confine_describe(find_walls(snapshot, i));
		printf("  walls: %s %s\n", processes[i].name, line);
	}
}

static void add_state(JsonBuilder *json, const struct confine_state *state)
{
	json_builder_begin_object(json);
	json_builder_set_member_name(json, "held");
	json_builder_begin_array(json);
	for (unsigned wall = 0; wall < CONFINE_WALLS; wall++) {
		if ((state->held >> wall) & 1)
			json_builder_add_string_value(json, confine_wall_name(wall));
	}
	json_builder_end_array(json);
	json_builder_set_member_name(json, "lacking");
	json_builder_begin_object(json);
	for (unsigned wall = 0; wall < CONFINE_WALLS; wall++) {
		if (!((state->lacking >> wall) & 1))
			continue;
		json_builder_set_member_name(json, confine_wall_name(wall));
		json_builder_add_string_value(json, state->reason[wall]);
	}
	json_builder_end_object(json);
	json_builder_end_object(json);
}

void show_walls_add(JsonBuilder *json, const char *base, const char *name)
{
	g_autofree struct stats_snapshot *snapshot = ask(base, name);
	if (!snapshot) {
		json_builder_add_null_value(json);
		return;
	}
	json_builder_begin_object(json);
	for (unsigned i = 0; i < G_N_ELEMENTS(processes); i++) {
		json_builder_set_member_name(json, processes[i].name);
		add_state(json, find_walls(snapshot, i));
	}
	json_builder_end_object(json);
}
