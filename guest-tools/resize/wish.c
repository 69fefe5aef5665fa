/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/common/text.h"
#include "guest-tools/resize/limits.h"

#define EDID_BYTES 128
#define DTD_AT 54
/* The extension's data blocks begin behind its tag and the section's header (DisplayID 1.3, 2). */
#define DISPLAYID_TAG 0x70
#define DISPLAYID_BLOCKS_AT (EDID_BYTES + 5)
#define DISPLAYID_TYPE_1 0x03
#define TYPE_1_PREFERRED 0x80

static uint32_t get16(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static void set(struct resize_mode *mode, uint32_t width, uint32_t height, uint64_t total,
	uint64_t clock_10khz)
{
	*mode = (struct resize_mode){ width, height,
		total ? (uint32_t)((clock_10khz * 10000000 + total / 2) / total) : 0 };
}

/* E-EDID 1.4, 3.10.2 lays out these bytes. */
static bool read_dtd(const uint8_t *d, struct resize_mode *mode)
{
	uint32_t width = d[2] | (uint32_t)(d[4] >> 4) << 8;
	uint32_t height = d[5] | (uint32_t)(d[7] >> 4) << 8;
	uint64_t columns = width + (d[3] | (uint32_t)(d[4] & 15) << 8);
	uint64_t rows = height + (d[6] | (uint32_t)(d[7] & 15) << 8);
	if (get16(d) == 0 || width == 0 || height == 0)
		return false;
	set(mode, width, height, columns * rows, get16(d));
	return true;
}

/* DisplayID 1.3, 4.4.1 lays out a Type I timing, every number one less than it is. */
static void read_type_1(const uint8_t *t, struct resize_mode *mode)
{
	uint64_t clock_10khz = (get16(t) | (uint64_t)t[2] << 16) + 1;
	uint32_t width = get16(t + 4) + 1, height = get16(t + 12) + 1;
	uint64_t columns = width + get16(t + 6) + 1, rows = height + get16(t + 14) + 1;
	set(mode, width, height, columns * rows, clock_10khz);
}

/* What the first block cannot say, a larger mode, is in the extension. */
static void read_extension(const uint8_t *edid, struct resize_mode *mode)
{
	for (size_t at = DISPLAYID_BLOCKS_AT; at + 3 <= 2 * EDID_BYTES - 2;) {
		const uint8_t *block = edid + at;
		size_t next = at + 3 + block[2];
		if (next > 2 * EDID_BYTES - 2)
			return;
		if (block[0] == DISPLAYID_TYPE_1 && block[2] >= 20 && block[6] & TYPE_1_PREFERRED) {
			read_type_1(block + 3, mode);
			return;
		}
		at = next;
	}
}

bool wish_read(const uint8_t *edid, size_t n_bytes, struct resize_mode *wish)
{
	static const uint8_t magic[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	/* The maker is "VTR", in five bits a letter. */
	const uint32_t maker = ('V' - '@') << 10 | ('T' - '@') << 5 | ('R' - '@');
	if (n_bytes < EDID_BYTES || memcmp(edid, magic, sizeof magic) != 0)
		return false;
	if (((uint32_t)edid[8] << 8 | edid[9]) != maker || !read_dtd(edid + DTD_AT, wish))
		return false;
	if (n_bytes >= 2 * EDID_BYTES && edid[126] > 0 && edid[EDID_BYTES] == DISPLAYID_TAG)
		read_extension(edid, wish);
	return true;
}

bool wish_read_connector(const char *name, struct resize_mode *wish)
{
	char pattern[128], path[160];
	uint8_t edid[EDID_READ_BYTES];
	if (strpbrk(name, "/*?[\\"))
		return false;
	snprintf(pattern, sizeof pattern, "/sys/class/drm/card*-%.64s/edid", name);
	if (text_find_path(pattern, path, sizeof path) == 0)
		return false;
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t n = fread(edid, 1, sizeof edid, file);
	fclose(file);
	return wish_read(edid, n, wish);
}

bool wish_is_same(const struct resize_mode *a, const struct resize_mode *b)
{
	return a->width == b->width && a->height == b->height &&
	       (a->refresh_mhz == 0 || b->refresh_mhz == 0 ||
		       labs((long)a->refresh_mhz - (long)b->refresh_mhz) < REFRESH_SAME_MHZ);
}
