/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

#include "server/keeper/config.h"

static void test_config(void)
{
	uint8_t data[32];
	memset(data, 0xee, sizeof(data));
	config_read(3, 12, 8, data);
	const uint8_t expected[9] = { 3, 0, 0, 0, 0, 0, 0, 0, 0xee };
	g_assert_cmpmem(data, 9, expected, 9);
	config_read(3, UINT32_MAX, 4, data);
	g_assert_cmpuint(data[0], ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/config", test_config);
	return g_test_run();
}
