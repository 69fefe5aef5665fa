/* SPDX-License-Identifier: MIT */
/* places: tests where heads are taken to lie. */
#include "render/scanout/places.h"

#include <glib.h>

static void wish(struct head_place *place, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	place->mode = (struct frame_head_mode){
		.enabled = 1, .x = x, .y = y, .width = width, .height = height
	};
}

static void show(struct head_place *place, uint32_t width, uint32_t height)
{
	place->on = true;
	place->rect = (struct rect){ 0, 0, width, height };
}

static void expect(const struct head_place *place, uint32_t x, uint32_t y)
{
	g_assert_cmpuint(place->x, ==, x);
	g_assert_cmpuint(place->y, ==, y);
}

static void test_as_wished(void)
{
	struct head_place places[FRAME_HEADS_MAX] = { 0 };
	wish(&places[0], 800, 100, 640, 480);
	show(&places[0], 640, 480);
	wish(&places[1], 0, 0, 800, 600);
	show(&places[1], 800, 600);
	wish(&places[2], 0, 700, 320, 200);
	show(&places[2], 320, 200);
	places_find(places);
	expect(&places[0], 800, 100);
	expect(&places[1], 0, 0);
	expect(&places[2], 0, 700);
}

/* A desktop has kept its size, or taken another: those to the right and below move along. */
static void test_other_sizes(void)
{
	struct head_place places[FRAME_HEADS_MAX] = { 0 };
	wish(&places[0], 0, 0, 1600, 900);
	show(&places[0], 1920, 1080);
	wish(&places[1], 1600, 0, 1280, 720);
	show(&places[1], 1024, 768);
	wish(&places[2], 2880, 0, 640, 480);
	show(&places[2], 640, 480);
	wish(&places[3], 0, 900, 640, 480);
	show(&places[3], 640, 480);
	places_find(places);
	expect(&places[0], 0, 0);
	expect(&places[1], 1920, 0);
	expect(&places[2], 2944, 0);
	expect(&places[3], 0, 1080);
}

/* They come in any order of numbers, and one that is off is in nobody's way. */
static void test_order(void)
{
	struct head_place places[FRAME_HEADS_MAX] = { 0 };
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		wish(&places[i], (FRAME_HEADS_MAX - 1 - i) * 100, 0, 100, 100);
		show(&places[i], 110, 100);
	}
	places[15].on = false;
	places_find(places);
	expect(&places[14], 100, 0);
	for (unsigned i = 0; i < 15; i++)
		expect(&places[i], 100 + (14 - i) * 110, 0);
}

static void test_span(void)
{
	struct head_place places[FRAME_HEADS_MAX] = { 0 };
	wish(&places[0], 0, 0, 1600, 900);
	show(&places[0], 1920, 1080);
	wish(&places[1], 1600, 0, 1280, 720);
	places[1].on = places[0].spans = places[1].spans = true;
	places[0].rect = (struct rect){ 1024, 0, 1920, 1080 };
	places[1].rect = (struct rect){ 0, 200, 1024, 768 };
	places_find(places);
	expect(&places[0], 1024, 0);
	expect(&places[1], 0, 200);
}

/* What nobody has wished for begins at 0,0; absurd sizes do not wrap. */
static void test_absurd(void)
{
	struct head_place places[FRAME_HEADS_MAX] = { 0 };
	show(&places[3], 100, 100);
	for (unsigned i = 4; i < FRAME_HEADS_MAX; i++) {
		wish(&places[i], i * FRAME_SIZE_MAX, 0, FRAME_SIZE_MAX, FRAME_SIZE_MAX);
		show(&places[i], FRAME_SIZE_MAX, FRAME_SIZE_MAX);
	}
	places_find(places);
	expect(&places[3], 0, 0);
	g_assert_cmpuint(places[15].x, <=, FRAME_SIZE_MAX * FRAME_HEADS_MAX);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/places/as-wished", test_as_wished);
	g_test_add_func("/places/other-sizes", test_other_sizes);
	g_test_add_func("/places/order", test_order);
	g_test_add_func("/places/span", test_span);
	g_test_add_func("/places/absurd", test_absurd);
	return g_test_run();
}
