/* SPDX-License-Identifier: MIT */
/* ledger_memory: what a renderer's end in the middle of its rebuild leaves for the next one. */
#include <string.h>

#include "server/keeper/ledger_memory.h"
#include "server/keeper/limits.h"

static void fill(struct ledger_memory *memory)
{
	g_autoptr(GError) error = NULL;
	ledger_memory_init(memory, &error);
	g_assert_no_error(error);
	struct ledger *map = memory->map;
	map->resources[0] = (struct ledger_resource){ .id = 7, .width = 8, .backing_count = 2 };
	map->resources[LEDGER_RESOURCES_MAX - 1] = (struct ledger_resource){ .id = 9 };
	map->contexts[3] = (struct ledger_context){ .id = 5, .name = "program" };
	map->scanouts[0] = (struct ledger_scanout){ .resource = 7, .width = 8, .height = 8 };
	map->backing[1].guest_addr = 4096;
	map->backing_used = 2;
}

/* Does what a renderer has done when it has made again only a resource of an older guest's. */
static void rebuild_half(struct ledger_memory *memory)
{
	struct ledger *map = memory->map;
	memset(map->scanouts, 0,
		G_STRUCT_OFFSET(struct ledger, backing) - G_STRUCT_OFFSET(struct ledger, scanouts));
	map->resources[1] = (struct ledger_resource){ .id = 7 };
	map->backing_used = 0;
	map->backing[1].guest_addr = 0;
	map->rings[0].next_avail = 77;
}

static bool is_whole(const struct ledger_memory *memory)
{
	const struct ledger *map = memory->map;
	return map->resources[0].id == 7 && map->resources[0].backing_count == 2 &&
	       map->resources[1].id == 0 && map->resources[LEDGER_RESOURCES_MAX - 1].id == 9 &&
	       map->contexts[3].id == 5 && map->scanouts[0].resource == 7 &&
	       map->backing_used == 2 && map->backing[1].guest_addr == 4096;
}

static void test_restored(void)
{
	struct ledger_memory memory = { .fd = -1 };
	fill(&memory);
	for (unsigned i = 0; i <= LEDGER_RESTORES_MAX; i++) {
		ledger_memory_save(&memory);
		rebuild_half(&memory);
		ledger_memory_restore(&memory);
		g_assert_true(is_whole(&memory) == (i < LEDGER_RESTORES_MAX));
		/* What rings have taken is not as it was. */
		g_assert_cmpuint(ledger_memory_read_next_avail(&memory, 0), ==, 77);
	}
	ledger_memory_finish(&memory);
}

/* The guest that it listed is no more. */
static void test_forgotten(void)
{
	struct ledger_memory memory = { .fd = -1 };
	fill(&memory);
	ledger_memory_save(&memory);
	ledger_memory_clear(&memory);
	ledger_memory_restore(&memory);
	g_assert_cmpuint(memory.map->resources[0].id, ==, 0);
	ledger_memory_finish(&memory);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ledger_memory/restored", test_restored);
	g_test_add_func("/ledger_memory/forgotten", test_forgotten);
	return g_test_run();
}
