/* SPDX-License-Identifier: MIT */
/* device: checks which memory regions QEMU may add to the table. */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/keeper/device.h"

struct region_case {
	const char *reason; /* NULL: fits */
	uint64_t guest, user, size, offset;
};

static const struct region_case regions[] = {
	{ NULL, 0x200000, 0x200000, 0x1000, 0 },
	{ NULL, 0x1000, 0x1000, 0x1000, 0xff000 },
	{ "no size", 0x200000, 0x200000, 0, 0 },
	{ "wraps", UINT64_MAX - 10, 0x200000, 0x1000, 0 },
	{ "wraps", 0x200000, UINT64_MAX - 10, 0x1000, 0 },
	{ "wraps", 0x200000, 0x200000, 0x1000, UINT64_MAX - 10 },
	{ "longer", 0x200000, 0x200000, 0x100001, 0 },
	{ "longer", 0x200000, 0x200000, 0x1000, 0xff001 },
	{ "overlap", 0xfff, 0x200000, 2, 0 },
	{ "overlap", 0x200000, 0, 0x1000, 0 },
};

static void test_regions(void)
{
	int fd = memfd_create("guest", 0);
	g_assert_cmpint(ftruncate(fd, 1 << 20), ==, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
		const struct region_case *c = &regions[i];
		struct device device;
		device_init(&device, false);
		struct device_region first = { 0, 0, 0x1000, 0, dup(fd) };
		g_assert_null(device_add_region(&device, &first));
		struct device_region region = { c->guest, c->user, c->size, c->offset, dup(fd) };
		const char *reason = device_add_region(&device, &region);
		if (c->reason)
			g_assert_true(reason && strstr(reason, c->reason));
		else
			g_assert_null(reason);
		g_assert_cmpuint(device.n_regions, ==, c->reason ? 1 : 2);
		g_assert_true(device_remove_region(&device, &first));
		g_assert_false(device_remove_region(&device, &first));
		device_finish(&device);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/regions", test_regions);
	return g_test_run();
}
