/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "render/scanout/edid.h"
#include "render/scanout/modes.h"

static size_t make(
	uint8_t edid[EDID_BYTES_MAX], uint32_t width, uint32_t height, uint32_t refresh_mhz)
{
	struct frame_head_mode mode = {
		.enabled = 1, .width = width, .height = height, .refresh_mhz = refresh_mhz
	};
	return edid_fill(edid, &mode, 0);
}

static void check_sums(const uint8_t *edid, size_t size_bytes)
{
	for (size_t block = 0; block < size_bytes; block += EDID_BLOCK_BYTES) {
		uint8_t sum = 0;
		for (size_t i = 0; i < EDID_BLOCK_BYTES; i++)
			sum = (uint8_t)(sum + edid[block + i]);
		g_assert_cmpuint(sum, ==, 0);
	}
}

/*
 * edid-decode 2022-03-30 found these bytes conforming; whoever changes them must check with it
 * again.
 */
static void test_golden(void)
{
	static const uint8_t golden[EDID_BLOCK_BYTES] = {
#include "edid-1920x1080.inc"
	};
	uint8_t edid[EDID_BYTES_MAX];
	g_assert_cmpuint(make(edid, 1920, 1080, 60000), ==, sizeof(golden));
	g_assert_cmpmem(edid, sizeof(golden), golden, sizeof(golden));
}

static const struct {
	uint32_t width, height, refresh_mhz;
	size_t blocks;
} modes[] = {
	{ 1920, 1080, 60000, 1 },
	{ 1366, 768, 60000, 1 },
	{ 1921, 1083, 144000, 1 },
	{ 4095, 2160, 60000, 1 },
	{ 320, 320, 60000, 1 },
	{ 64, 64, 60000, 1 },
	{ 63, 320, 60000, 2 },
	{ 32, 32, 60000, 2 },
	{ 33, 41, 240000, 2 },
	{ 32, 32, 10000, 2 },
	{ 8192, 8192, 24000, 2 },
	{ 320, 320, 10000, 1 },
	{ 4096, 2160, 60000, 2 },
	{ 3840, 2160, 120000, 2 },
	{ 5120, 2880, 60000, 2 },
	{ 16384, 16384, 500000, 2 },
	{ 16384, 320, 60000, 2 },
	{ 320, 16384, 60000, 2 },
};

/* Reads the timing back: the first detailed one, or that of the extension. */
static void test_sizes(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		uint8_t edid[EDID_BYTES_MAX];
		size_t size_bytes =
			make(edid, modes[i].width, modes[i].height, modes[i].refresh_mhz);
		g_assert_cmpuint(size_bytes, ==, modes[i].blocks * EDID_BLOCK_BYTES);
		g_assert_cmpuint(edid[126], ==, modes[i].blocks - 1);
		check_sums(edid, size_bytes);
		const uint8_t *d = edid + 54;
		uint32_t width = d[2] | (d[4] & 0xf0) << 4, height = d[5] | (d[7] & 0xf0) << 4;
		g_assert_cmpuint(d[0] | d[1] << 8, >=, 1000);
		if (modes[i].blocks == 1) {
			g_assert_cmpuint(width, ==, modes[i].width);
			g_assert_cmpuint(height, ==, modes[i].height);
			continue;
		}
		const uint8_t *t = edid + EDID_BLOCK_BYTES + 1 + 4 + 43;
		g_assert_cmphex(edid[EDID_BLOCK_BYTES], ==, 0x70);
		g_assert_cmphex(t[0], ==, 0x03);
		g_assert_cmpuint((t[7] | t[8] << 8) + 1, ==, modes[i].width);
		g_assert_cmpuint((t[15] | t[16] << 8) + 1, ==, modes[i].height);
	}
}

/* No mode of the list is larger than the wanted one. */
static void test_list(void)
{
	uint8_t edid[EDID_BYTES_MAX];
	make(edid, 1280, 800, 60000);
	for (unsigned i = 38; i < 54; i += 2) {
		if (edid[i] != 1)
			g_assert_cmpuint((edid[i] + 31) * 8, <=, 1280);
	}
	make(edid, 700, 500, 60000);
	g_assert_cmphex(edid[35], ==, 0x20);
	g_assert_cmphex(edid[36], ==, 0);
}

static void test_heads(void)
{
	struct modes heads;
	struct frame_heads_wanted wanted = { .n_heads = 2 };
	modes_init(&heads);
	modes_set(&heads, &wanted);
	g_assert_true(heads.modes[0].enabled); /* never none */
	wanted.heads[1] = (struct frame_head_mode){ 7, 5, 5, UINT32_MAX, 1, 99999, 1, 1 };
	modes_set(&heads, &wanted);
	g_assert_false(heads.modes[0].enabled);
	g_assert_cmpuint(heads.modes[1].enabled, ==, 1);
	g_assert_cmpuint(heads.modes[1].width, ==, FRAME_SIZE_MAX);
	g_assert_cmpuint(heads.modes[1].height, ==, MODES_SIZE_MIN);
	g_assert_cmpuint(heads.modes[1].width_mm, ==, 0);
	g_assert_cmpuint(heads.modes[1].refresh_mhz, ==, MODES_REFRESH_MIN_MHZ);
}

/* Where edid-decode is installed, it must find each EDID conforming. */
static void test_decode(void)
{
	g_autofree char *tool = g_find_program_in_path("edid-decode");
	if (!tool) {
		g_test_skip("edid-decode is not installed");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		uint8_t edid[EDID_BYTES_MAX];
		size_t size_bytes =
			make(edid, modes[i].width, modes[i].height, modes[i].refresh_mhz);
		g_autofree char *path =
			g_build_filename(g_get_tmp_dir(), "vitrine-edid-XXXXXX", NULL);
		int fd = g_mkstemp(path);
		g_assert_cmpint(fd, >=, 0);
		g_close(fd, NULL);
		g_assert_true(g_file_set_contents(path, (char *)edid, (gssize)size_bytes, NULL));
		const char *const argv[] = { tool, "--check", path, NULL };
		g_autofree char *output = NULL;
		g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL,
			NULL, NULL, &output, NULL, NULL, NULL));
		g_remove(path);
		if (!strstr(output, "EDID conformity: PASS"))
			g_error("%ux%u: %s", modes[i].width, modes[i].height, output);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/edid/golden", test_golden);
	g_test_add_func("/edid/sizes", test_sizes);
	g_test_add_func("/edid/list", test_list);
	g_test_add_func("/edid/heads", test_heads);
	g_test_add_func("/edid/decode", test_decode);
	return g_test_run();
}
