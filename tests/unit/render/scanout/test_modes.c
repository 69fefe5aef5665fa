/* SPDX-License-Identifier: MIT */
/* modes: checks what guests are told about their monitors, whatever display asks for. */
#include <glib.h>

#include "render/scanout/modes.h"

static struct frame_heads_wanted ask(uint32_t width, uint32_t height)
{
	struct frame_heads_wanted wanted = { .n_heads = 1 };
	wanted.heads[0] =
		(struct frame_head_mode){ .enabled = 1, .width = width, .height = height };
	return wanted;
}

static void test_default(void)
{
	struct modes modes;
	modes_init(&modes);
	g_assert_cmpuint(modes.modes[0].enabled, ==, 1);
	g_assert_cmpuint(modes.modes[0].width, ==, MODES_DEFAULT_WIDTH);
	g_assert_cmpuint(modes.modes[1].enabled, ==, 0);
	g_assert_cmpuint(modes_get_refresh_mhz(&modes, 1), ==, MODES_DEFAULT_REFRESH_MHZ);
}

/* What QEMU was told counts until display wishes, and its refresh rate after that, too. */
static void test_first(void)
{
	struct modes modes;
	modes_init(&modes);
	modes_set_first(&modes, 0, 0, 0);
	g_assert_cmpuint(modes.modes[0].width, ==, MODES_DEFAULT_WIDTH);
	modes_set_first(&modes, 1366, 7, 120000);
	g_assert_cmpuint(modes.modes[0].width, ==, 1366);
	g_assert_cmpuint(modes.modes[0].height, ==, MODES_SIZE_MIN);
	g_assert_cmpuint(modes.modes[0].refresh_mhz, ==, 120000);
	struct frame_heads_wanted wanted = ask(1001, 757);
	modes_set(&modes, &wanted);
	g_assert_cmpuint(modes.modes[0].refresh_mhz, ==, 120000);
	modes_set_first(&modes, 1024, 768, UINT32_MAX);
	g_assert_cmpuint(modes.modes[0].width, ==, 1001);
	g_assert_cmpuint(modes.modes[0].refresh_mhz, ==, MODES_REFRESH_MAX_MHZ);
	g_assert_cmpuint(modes_get_refresh_mhz(&modes, 3), ==, MODES_REFRESH_MAX_MHZ);
}

static void test_size(void)
{
	static const struct {
		uint32_t wanted, told;
	} cases[] = { { 0, MODES_SIZE_MIN }, { MODES_SIZE_MIN - 1, MODES_SIZE_MIN },
		{ MODES_SIZE_MIN, MODES_SIZE_MIN }, { FRAME_SIZE_MAX, FRAME_SIZE_MAX },
		{ FRAME_SIZE_MAX + 1, FRAME_SIZE_MAX }, { UINT32_MAX, FRAME_SIZE_MAX } };
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct modes modes;
		struct frame_heads_wanted wanted = ask(cases[i].wanted, cases[i].wanted);
		modes_init(&modes);
		modes_set(&modes, &wanted);
		g_assert_cmpuint(modes.modes[0].width, ==, cases[i].told);
		g_assert_cmpuint(modes.modes[0].height, ==, cases[i].told);
	}
}

/* A monitor of an impossible size counts as one of unknown size, in both directions. */
static void test_millimetres(void)
{
	static const struct {
		uint32_t wanted, told;
	} cases[] = { { 0, 0 }, { 600, 600 }, { MODES_SIZE_MAX_MM, MODES_SIZE_MAX_MM },
		{ MODES_SIZE_MAX_MM + 1, 0 }, { UINT32_MAX, 0 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct modes modes;
		struct frame_heads_wanted wanted = ask(1920, 1080);
		wanted.heads[0].width_mm = cases[i].wanted;
		wanted.heads[0].height_mm = 340;
		modes_init(&modes);
		modes_set(&modes, &wanted);
		g_assert_cmpuint(modes.modes[0].width_mm, ==, cases[i].told);
		if (cases[i].wanted > MODES_SIZE_MAX_MM)
			g_assert_cmpuint(modes.modes[0].height_mm, ==, 0);
	}
}

static void test_refresh(void)
{
	static const struct {
		uint32_t wanted_mhz, told_mhz;
	} cases[] = { { 0, MODES_DEFAULT_REFRESH_MHZ }, { 1, MODES_REFRESH_MIN_MHZ },
		{ 144000, 144000 }, { UINT32_MAX, MODES_REFRESH_MAX_MHZ } };
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct modes modes;
		struct frame_heads_wanted wanted = ask(1920, 1080);
		wanted.heads[0].refresh_mhz = cases[i].wanted_mhz;
		modes_init(&modes);
		modes_set(&modes, &wanted);
		g_assert_cmpuint(modes_get_refresh_mhz(&modes, 0), ==, cases[i].told_mhz);
	}
}

/* A wish without any head, or for more heads than there are, leaves the guest a monitor. */
static void test_heads(void)
{
	struct modes modes;
	struct frame_heads_wanted wanted = ask(1024, 768);
	wanted.n_heads = UINT32_MAX;
	modes_init(&modes);
	modes_set(&modes, &wanted);
	g_assert_cmpuint(modes.modes[0].width, ==, 1024);
	wanted.heads[0].enabled = 0;
	modes_set(&modes, &wanted);
	g_assert_cmpuint(modes.modes[0].enabled, ==, 1);
	g_assert_cmpuint(modes.modes[0].width, ==, 1024);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/modes/default", test_default);
	g_test_add_func("/modes/first", test_first);
	g_test_add_func("/modes/size", test_size);
	g_test_add_func("/modes/millimetres", test_millimetres);
	g_test_add_func("/modes/refresh", test_refresh);
	g_test_add_func("/modes/heads", test_heads);
	return g_test_run();
}
