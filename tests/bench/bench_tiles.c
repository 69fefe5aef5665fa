/* SPDX-License-Identifier: MIT */
/*
 * bench_tiles tells what it costs to find out that nothing has changed on a screen of 1920x1080: by
 * memcmp with a copy, or by hashes, in pieces of a row of several sizes. Then it measures strips.c
 * itself: nothing changed, a letter, everything. It prints the best of many runs, in milliseconds
 * and as ratio to memcmp's.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "display/painting/strips.h"

#define WIDTH 1920u
#define HEIGHT 1080u
#define BYTES (WIDTH * HEIGHT * 4u)
#define RUNS 15

static uint8_t *picture, *copy;
static uint64_t *hashes;
static uint8_t secret[192];
static uint64_t sink;

static void by_memcmp(uint32_t pixels)
{
	for (size_t at = 0; at < BYTES; at += pixels * 4)
		sink += memcmp(picture + at, copy + at, pixels * 4) != 0;
}

static void by_hash(uint32_t pixels)
{
	uint64_t *known = hashes;
	for (size_t at = 0; at < BYTES; at += pixels * 4)
		sink += XXH3_64bits_withSecret(picture + at, pixels * 4, secret, sizeof(secret)) !=
			*known++;
}

static double best_ms(void (*run)(uint32_t), uint32_t argument)
{
	gint64 best_us = G_MAXINT64;
	for (unsigned i = 0; i < RUNS; i++) {
		gint64 begin_us = g_get_monotonic_time();
		run(argument);
		best_us = MIN(best_us, g_get_monotonic_time() - begin_us);
	}
	return (double)best_us / 1000;
}

static struct strips *tiles;

static void by_tiles(uint32_t changed_rows)
{
	struct rect rects[64];
	for (uint32_t row = 0; row < changed_rows; row++) {
		for (uint32_t x = 0; x < (changed_rows == HEIGHT ? WIDTH : 8); x += 8)
			picture[((size_t)row * WIDTH + x) * 4]++;
	}
	struct rect all = { 0, 0, WIDTH, HEIGHT };
	strips_look(tiles, picture, WIDTH * 4, &all);
	sink += strips_take(tiles, rects, G_N_ELEMENTS(rects));
}

int main(void)
{
	static const uint32_t sizes[] = { 16, 32, 64, 128, WIDTH };
	picture = g_malloc(BYTES);
	for (size_t i = 0; i < BYTES; i++)
		picture[i] = (uint8_t)(i * i >> 7);
	copy = g_memdup2(picture, BYTES);
	hashes = g_new0(uint64_t, WIDTH * HEIGHT / 16);
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		double plain_ms = best_ms(by_memcmp, sizes[i]),
		       hash_ms = best_ms(by_hash, sizes[i]);
		printf("%4u pixels: memcmp %.2f ms, xxh3 %.2f ms (%.2f of it), memory %u KB and %u "
		       "KB\n",
			sizes[i], plain_ms, hash_ms, hash_ms / plain_ms, BYTES / 1024,
			BYTES / 4 / sizes[i] * 8 / 1024);
	}
	tiles = strips_create(WIDTH, HEIGHT);
	by_tiles(0);
	double still_ms = best_ms(by_tiles, 0);
	printf("tiles: nothing changed %.2f ms, a letter %.2f ms, everything %.2f ms\n", still_ms,
		best_ms(by_tiles, 12), best_ms(by_tiles, HEIGHT));
	return sink == 0;
}
