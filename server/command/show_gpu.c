/* SPDX-License-Identifier: MIT */
#include "server/command/show_gpu.h"

#include <stdio.h>

#include "server/desktop/run_dir.h"
#include "server/stats/stats_snapshot.h"

static struct stats_snapshot *ask(const char *base, const char *name)
{
	g_autofree char *path = g_build_filename(base, name, STATS_SOCKET_FILE, NULL);
	g_autofree struct stats_snapshot *snapshot = stats_snapshot_take(path, NULL, NULL);
	return snapshot && snapshot->gpu[0] ? g_steal_pointer(&snapshot) : NULL;
}

static void print_spare(const struct stats_snapshot *snapshot)
{
	if (snapshot->spare == STATS_SPARE_NONE)
		return;
	printf("  spare: a second renderer, %s", stats_spare_names[snapshot->spare]);
	if (snapshot->spare_own_kib > 0)
		printf(", with %.1f MiB of its own", (double)snapshot->spare_own_kib / 1024);
	printf("\n");
}

void show_gpu_print(const char *base, const char *name)
{
	g_autofree struct stats_snapshot *snapshot = ask(base, name);
	if (!snapshot)
		return;
	printf("  draws: %s: %s\n", snapshot->gpu, snapshot->gpu_why);
	print_spare(snapshot);
}

void show_gpu_add(JsonBuilder *json, const char *base, const char *name)
{
	g_autofree struct stats_snapshot *snapshot = ask(base, name);
	if (!snapshot) {
		json_builder_add_null_value(json);
		return;
	}
	json_builder_begin_object(json);
	json_builder_set_member_name(json, "draws");
	json_builder_add_string_value(json, snapshot->gpu);
	json_builder_set_member_name(json, "why");
	json_builder_add_string_value(json, snapshot->gpu_why);
	json_builder_end_object(json);
}
