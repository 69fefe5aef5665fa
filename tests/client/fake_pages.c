/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_pages.h"

#include <glib.h>

#include "common/shm.h"

int fake_pages_make_heartbeat(struct heartbeat **heartbeat)
{
	int fd = shm_create("heartbeat", sizeof(**heartbeat));
	*heartbeat = shm_map(fd, sizeof(**heartbeat), true);
	g_assert_nonnull(*heartbeat);
	(*heartbeat)->magic = HEARTBEAT_MAGIC;
	(*heartbeat)->version = HEARTBEAT_VERSION;
	return fd;
}

int fake_pages_make_stats(struct stats **stats)
{
	int fd = shm_create("stats", sizeof(**stats));
	*stats = shm_map(fd, sizeof(**stats), true);
	g_assert_nonnull(*stats);
	(*stats)->magic = STATS_MAGIC;
	(*stats)->version = STATS_VERSION;
	(*stats)->size_bytes = sizeof(**stats);
	(*stats)->worker = STATS_DISPLAY;
	return fd;
}
