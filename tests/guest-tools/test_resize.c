/* SPDX-License-Identifier: MIT */
/*
 * vitrine-guest-resize: what the host's renderer writes into an EDID is the mode that the guest
 * reads there, another maker's is nobody's, and heads stay beside each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/resize/wish.h"
#include "guest-tools/resize/places.h"
#include "render/scanout/edid.h"

static int number, failed;

static void ok(bool good, const char *name)
{
	failed += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, name);
}

/* The rate is not said where the picture's clock has no room for it, as of very small ones. */
static bool comes_back(uint32_t width, uint32_t height, uint32_t refresh_mhz)
{
	uint8_t edid[EDID_BYTES_MAX];
	struct resize_mode wish = { 0 }, wanted = { width, height, refresh_mhz };
	struct frame_head_mode mode = {
		.enabled = true, .width = width, .height = height, .refresh_mhz = refresh_mhz
	};
	size_t n = edid_fill(edid, &mode, 0);
	bool same = wish_read(edid, n, &wish) && wish_is_same(&wish, &wanted);
	if (!same)
		printf("# %ux%u@%u is read as %ux%u@%u\n", width, height, refresh_mhz, wish.width,
			wish.height, wish.refresh_mhz);
	return same;
}

static void test_edid(void)
{
	bool all = true;
	for (uint32_t width = 32; width <= 8192; width += width / 7 + 1)
		for (uint32_t height = 32; height <= 8192; height += height / 5 + 1)
			all &= comes_back(width, height, 60000);
	ok(all, "each size is read as the host writes it");
	ok(comes_back(1366, 768, 75000) && comes_back(1920, 1080, 240000) &&
			comes_back(3840, 2160, 144000) && comes_back(7680, 4320, 24000),
		"and so are rates");
}

static void test_strangers(void)
{
	uint8_t edid[EDID_BYTES_MAX];
	struct resize_mode wish;
	struct frame_head_mode mode = { .enabled = true, .width = 7680, .height = 4320 };
	size_t n = edid_fill(edid, &mode, 0);
	bool none = true, sane = true;
	for (size_t cut = 0; cut < 128; cut++)
		none &= !wish_read(edid, cut, &wish);
	ok(none && wish_read(edid, 128, &wish), "less than a block is nothing");
	edid[9] ^= 1;
	ok(!wish_read(edid, n, &wish), "another maker's monitor is left alone");
	edid[9] ^= 1;
	for (int i = 0; i < 100000; i++) {
		uint8_t changed[EDID_BYTES_MAX];
		memcpy(changed, edid, sizeof changed);
		for (int j = 0; j < 6; j++)
			changed[20 + rand() % (EDID_BYTES_MAX - 20)] = (uint8_t)rand();
		if (wish_read(changed, sizeof changed, &wish))
			sane &= wish.width > 0 && wish.height > 0 && wish.width <= 65536;
	}
	ok(sane, "changed bytes give a mode or none");
	ok(!wish_read_connector("../../etc", &wish) && !wish_read_connector("*", &wish),
		"a connector's name is no path");
}

static void test_layout(void)
{
	uint32_t width, height;
	struct places_head heads[4] = { { true, 0, 0, 1000, 800 }, { true, 1000, 0, 640, 480 },
		{ true, 0, 800, 300, 200 } };
	places_resize(heads, 4, 0, 1366, 768);
	ok(heads[1].x == 1366 && heads[1].y == 0, "what is right of it stays beside it");
	ok(heads[2].x == 0 && heads[2].y == 768, "and what is below it stays below");
	places_turn_on(heads, 4, 3, 800, 600);
	places_settle(heads, 4, &width, &height);
	ok(heads[3].x == 2006 && heads[3].y == 0 && width == 2806 && height == 968,
		"a new head is right of all");
	places_turn_off(heads, 4, 1);
	places_settle(heads, 4, &width, &height);
	ok(heads[3].x == 1366 && width == 2166 && height == 968, "one that goes leaves no gap");
	heads[0].on = heads[2].on = false;
	places_settle(heads, 4, &width, &height);
	ok(heads[3].x == 0 && width == 800 && height == 600, "a desktop begins at 0, 0");
}

int main(void)
{
	test_edid();
	test_strangers();
	test_layout();
	printf("1..%d\n", number);
	return failed > 0;
}
