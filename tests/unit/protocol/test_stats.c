/* SPDX-License-Identifier: MIT */
/* stats: checks buckets, names, and what the writer does with memory it is given. */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/shm.h"
#include "protocol/stats_writer.h"

static void test_buckets_cover_all_times(void)
{
	for (unsigned b = 0; b + 1 < STATS_BUCKETS; b++) {
		uint64_t start = stats_bucket_start_us(b), end = stats_bucket_start_us(b + 1);
		g_assert_cmpuint(start, <, end);
		g_assert_cmpuint(stats_bucket_of(start), ==, b);
		g_assert_cmpuint(stats_bucket_of(end - 1), ==, b);
		/*
		 * A bucket is no wider than an eighth of its start, once that is more than one
		 * microsecond.
		 */
		g_assert_cmpuint((end - start - 1) * STATS_BUCKETS_PER_OCTAVE, <=, start);
	}
}

static void test_long_times_fall_into_the_last_bucket(void)
{
	g_assert_cmpuint(stats_bucket_start_us(STATS_BUCKETS), >, 100 * G_USEC_PER_SEC);
	g_assert_cmpuint(stats_bucket_of(100 * G_USEC_PER_SEC), <, STATS_BUCKETS - 1);
	g_assert_cmpuint(
		stats_bucket_of(stats_bucket_start_us(STATS_BUCKETS)), ==, STATS_BUCKETS - 1);
	g_assert_cmpuint(stats_bucket_of(UINT64_MAX), ==, STATS_BUCKETS - 1);
}

static void check_name(GHashTable *seen, const char *name)
{
	g_assert_nonnull(name);
	g_assert_true(g_hash_table_add(seen, (void *)name));
	for (const char *c = name; *c; c++)
		g_assert_true(g_ascii_islower(*c) || *c == '_');
}

static void test_every_field_has_a_name_of_its_own(void)
{
	g_autoptr(GHashTable) head = g_hash_table_new(g_str_hash, g_str_equal);
	for (unsigned i = 0; i < STATS_COUNTS; i++) {
		check_name(head, stats_count_names[i].name);
		g_assert_true(stats_count_names[i].worker == STATS_RENDER ||
			      stats_count_names[i].worker == STATS_DISPLAY);
	}
	for (unsigned i = 0; i < STATS_GAUGES; i++) {
		check_name(head, stats_gauge_names[i].name);
		g_assert_true(stats_gauge_names[i].worker == STATS_RENDER ||
			      stats_gauge_names[i].worker == STATS_DISPLAY);
	}
	for (unsigned i = 0; i < STATS_STAGES; i++)
		check_name(head, stats_stage_names[i]);
	g_autoptr(GHashTable) client = g_hash_table_new(g_str_hash, g_str_equal);
	for (unsigned i = 0; i < STATS_CLIENT_COUNTS; i++)
		check_name(client, stats_client_count_names[i]);
	for (unsigned i = 0; i < STATS_CLIENT_GAUGES; i++)
		check_name(client, stats_client_gauge_names[i]);
}

static int make_memory(struct stats **map)
{
	int fd = shm_create("test", sizeof(**map));
	g_assert_cmpint(fd, >=, 0);
	*map = shm_map(fd, sizeof(**map), true);
	g_assert_nonnull(*map);
	(*map)->magic = STATS_MAGIC;
	(*map)->version = STATS_VERSION;
	(*map)->size_bytes = sizeof(**map);
	(*map)->worker = STATS_DISPLAY;
	return fd;
}

static void refuse(int fd, enum stats_worker worker, const char *why)
{
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, why);
	g_assert_false(stats_attach(fd, worker));
	g_test_assert_expected_messages();
}

/*
 * All cases are in one test, because one process attaches once, and a test in a child would lose
 * its coverage.
 */
static void test_attach(void)
{
	struct stats *map;
	int fd = make_memory(&map);
	int bare = memfd_create("bare", MFD_CLOEXEC);
	stats_add(0, STATS_DRAWABLES, 5); /* goes nowhere, and hurts nobody */
	refuse(bare, STATS_DISPLAY, "*cannot be mapped*");
	refuse(fd, STATS_RENDER, "*another version or worker*");
	map->version++;
	refuse(fd, STATS_DISPLAY, "*another version or worker*");
	map->version--;

	map->heads[0].counts[STATS_DRAWABLES] = 10;
	map->heads[0].gauges[STATS_STREAMS] = 3;
	map->heads[0].encoder[0] = 0x41;
	map->guest[STATS_COMMANDS_FAILED] = 5;
	map->clients[1].connected = 1;
	g_assert_true(stats_attach(fd, STATS_DISPLAY));
	g_assert_cmpuint(map->heads[0].counts[STATS_DRAWABLES], ==, 10);
	g_assert_cmpuint(map->heads[0].gauges[STATS_STREAMS], ==, 0);
	g_assert_cmpuint(map->heads[0].encoder[0], ==, 0);
	stats_add_guest(STATS_COMMANDS_FAILED, 2);
	g_assert_cmpuint(map->guest[STATS_COMMANDS_FAILED], ==, 7);
	g_assert_cmpuint(map->guest[STATS_COMMANDS_REFUSED], ==, 0);
	stats_add_door(STATS_CROWDED_OUT, 3);
	g_assert_cmpuint(map->door[STATS_CROWDED_OUT], ==, 3);
	g_assert_cmpuint(map->clients[1].connected, ==, 0);

	stats_add(0, STATS_DRAWABLES, 2);
	stats_set(15, STATS_STREAMS, 4);
	stats_record_us(1, STATS_FLUSH_TO_WIRE, 100);
	stats_record_since_ns(1, STATS_FLUSH_TO_WIRE, UINT64_MAX);
	stats_set_encoder(2, "a name that is longer than there is room for");
	g_assert_cmpuint(map->heads[0].counts[STATS_DRAWABLES], ==, 12);
	g_assert_cmpuint(map->heads[15].gauges[STATS_STREAMS], ==, 4);
	g_assert_cmpuint(map->heads[1].stages[STATS_FLUSH_TO_WIRE].sum_us, ==, 100);
	g_assert_cmpuint(
		map->heads[1].stages[STATS_FLUSH_TO_WIRE].buckets[stats_bucket_of(100)], ==, 1);
	g_assert_cmpuint(map->heads[1].stages[STATS_FLUSH_TO_WIRE].buckets[0], ==, 1);
	g_assert_cmpstr((const char *)map->heads[2].encoder, ==, "a name that is longer than ther");

	/* These heads do not exist. */
	g_autofree struct stats *before = g_memdup2(map, sizeof(*map));
	stats_add(FRAME_HEADS_MAX, STATS_DRAWABLES, 1);
	stats_set(UINT32_MAX, STATS_STREAMS, 1);
	stats_record_us(FRAME_HEADS_MAX, STATS_FLUSH_TO_WIRE, 1);
	stats_set_encoder(FRAME_HEADS_MAX, "x");
	g_assert_cmpmem(before, sizeof(*before), map, sizeof(*map));

	refuse(fd, STATS_DISPLAY, "*came twice*");
	close(fd);
	close(bare);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stats/buckets-cover-all-times", test_buckets_cover_all_times);
	g_test_add_func("/stats/long-times", test_long_times_fall_into_the_last_bucket);
	g_test_add_func("/stats/names", test_every_field_has_a_name_of_its_own);
	g_test_add_func("/stats/attach", test_attach);
	return g_test_run();
}
