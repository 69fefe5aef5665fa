/* SPDX-License-Identifier: MIT */
/* staging: TRANSFER3D and COPY_TRANSFER3D copy no more than the quota of one transfer. */
#include <glib.h>

#include "tests/unit/render/stream/desk.h"

#define TEXTURE_BYTES (64 * 32 * 4)

static enum desk_fate send(struct desk *d, uint32_t number, uint32_t resource, uint32_t last)
{
	bool is_buffer = resource == DESK_BUFFER || resource == DESK_CUSTOM;
	uint32_t width = is_buffer ? 4096 : 64, height = is_buffer ? 1 : 32;
	if (number == STREAM_TRANSFER3D)
		DESK_PUT(d, number, 0, resource, 0, 0, 0, 0, 0, 0, 0, width, height, 1, 0, last);
	else
		DESK_PUT(d, number, 0, resource, 0, 0, 0, 0, 0, 0, 0, width, height, 1,
			DESK_STAGING, 0, last);
	return desk_send(d);
}

static enum desk_fate transfer(
	uint32_t number, uint32_t resource, uint32_t last, uint64_t quota_bytes)
{
	struct desk d;
	desk_init(&d);
	d.accounts[0].quotas[QUOTA_STAGING_BYTES].limit = quota_bytes;
	enum desk_fate fate = send(&d, number, resource, last);
	if (fate == DESK_REFUSED)
		g_assert_true(d.fault.over_quota);
	desk_finish(&d);
	return fate;
}

static void test_texture(void)
{
	for (uint32_t direction = 1; direction <= 2; direction++) {
		g_assert_cmpint(transfer(STREAM_TRANSFER3D, DESK_TEXTURE, direction, TEXTURE_BYTES),
			==, DESK_PASSED);
		g_assert_cmpint(
			transfer(STREAM_TRANSFER3D, DESK_TEXTURE, direction, TEXTURE_BYTES - 1), ==,
			DESK_REFUSED);
	}
	g_assert_cmpint(
		transfer(STREAM_COPY_TRANSFER3D, DESK_TEXTURE, 1, TEXTURE_BYTES), ==, DESK_PASSED);
	g_assert_cmpint(transfer(STREAM_COPY_TRANSFER3D, DESK_TEXTURE, 1, TEXTURE_BYTES - 1), ==,
		DESK_REFUSED);
}

/* A buffer has bytes and no pixels. */
static void test_buffer(void)
{
	g_assert_cmpint(transfer(STREAM_TRANSFER3D, DESK_CUSTOM, 1, 4096), ==, DESK_PASSED);
	g_assert_cmpint(transfer(STREAM_TRANSFER3D, DESK_CUSTOM, 1, 4095), ==, DESK_REFUSED);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* A quota that is reached is logged. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/staging/texture", test_texture);
	g_test_add_func("/staging/buffer", test_buffer);
	return g_test_run();
}
