/* SPDX-License-Identifier: MIT */
#include "render/scanout/edid.h"

#include <glib.h>
#include <string.h>

#include "render/scanout/modes.h"

/* A detailed timing descriptor can say no larger values (E-EDID 1.4, 3.10.2). */
#define DTD_SIZE_MAX 4095
/* Linux passes over smaller ones, and makes a mode whose width is a multiple of 8. */
#define DTD_SIZE_MIN 64
#define DTD_CLOCK_MAX_10KHZ 65535
/* Readers take a timing below 10 MHz for something else, so small pictures get more blanking. */
#define CLOCK_MIN_10KHZ 1000
/* A monitor of unknown size claims this many pixels per inch. */
#define DEFAULT_DPI 96
/* The base block says a size as centimetres in one byte, and no more than this. */
#define SIZE_MAX_MM 2550

struct timing {
	uint32_t width, height;
	uint32_t h_front, h_sync, h_blank;
	uint32_t v_front, v_sync, v_blank;
	uint64_t clock_10khz;
};

/*
 * Computes the blanking after CVT 1.2 reduced blanking version 1: 160 pixels, and rows for at least
 * 460 us. The clock is not rounded to 0.25 MHz, so that the refresh rate is what was asked for.
 */
static struct timing compute_timing(uint32_t width, uint32_t height, uint32_t refresh_mhz)
{
	struct timing t = { .width = width,
		.height = height,
		.h_front = 48,
		.h_sync = 32,
		.h_blank = 160,
		.v_front = 3,
		.v_sync = 6 };
	double frame_us = 1e9 / refresh_mhz;
	double row_us = (frame_us - 460.0) / height;
	uint32_t rows = (uint32_t)(460.0 / row_us) + 1;
	t.v_blank = MAX(rows, t.v_front + t.v_sync + 6);
	uint64_t row_pixels = width + t.h_blank;
	uint64_t least_rows = CLOCK_MIN_10KHZ * 10000ull * 1000 / refresh_mhz / row_pixels + 1;
	if (height + t.v_blank < least_rows)
		t.v_blank = (uint32_t)least_rows - height;
	uint64_t total = row_pixels * (height + t.v_blank);
	t.clock_10khz = (total * refresh_mhz / 1000 + 5000) / 10000;
	return t;
}

static bool fits_dtd(const struct timing *t)
{
	return MIN(t->width, t->height) >= DTD_SIZE_MIN && t->width <= DTD_SIZE_MAX &&
	       t->height <= DTD_SIZE_MAX && t->v_blank <= DTD_SIZE_MAX &&
	       t->clock_10khz <= DTD_CLOCK_MAX_10KHZ;
}

static uint32_t size_mm(uint32_t wanted_mm, uint32_t pixels)
{
	return MIN(wanted_mm ? wanted_mm : pixels * 254 / (DEFAULT_DPI * 10), SIZE_MAX_MM);
}

static void put16(uint8_t *to, uint64_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void put_checksum(uint8_t *block, size_t size_bytes)
{
	uint8_t sum = 0;
	for (size_t i = 0; i < size_bytes; i++)
		sum += block[i];
	block[size_bytes] = (uint8_t)-sum;
}

/* E-EDID 1.4, 3.10.2 lays out these bytes. */
static void put_dtd(uint8_t d[18], const struct timing *t, uint32_t width_mm, uint32_t height_mm)
{
	put16(d, t->clock_10khz);
	d[2] = (uint8_t)t->width;
	d[3] = (uint8_t)t->h_blank;
	d[4] = (uint8_t)((t->width >> 8) << 4 | t->h_blank >> 8);
	d[5] = (uint8_t)t->height;
	d[6] = (uint8_t)t->v_blank;
	d[7] = (uint8_t)((t->height >> 8) << 4 | t->v_blank >> 8);
	d[8] = (uint8_t)t->h_front;
	d[9] = (uint8_t)t->h_sync;
	d[10] = (uint8_t)((t->v_front & 15) << 4 | (t->v_sync & 15));
	d[11] = (uint8_t)((t->h_front >> 8) << 6 | (t->h_sync >> 8) << 4);
	d[12] = (uint8_t)width_mm;
	d[13] = (uint8_t)height_mm;
	d[14] = (uint8_t)((width_mm >> 8) << 4 | height_mm >> 8);
	d[17] = 0x1a; /* digital separate sync, horizontal positive, vertical negative: CVT-RB */
}

static void put_text(uint8_t d[18], uint8_t tag, const char *text)
{
	size_t length = MIN(strlen(text), 13);
	d[3] = tag;
	memset(d + 5, ' ', 13);
	memcpy(d + 5, text, length);
	if (length < 13)
		d[5 + length] = '\n';
}

/*
 * E-EDID 1.4, 3.10.3.3.1 lays out these bytes, with rates in Hz and kHz and the clock in steps of
 * 10 MHz.
 */
static void put_range_limits(uint8_t d[18], const struct timing *t, uint32_t refresh_mhz)
{
	uint32_t refresh_hz = (refresh_mhz + 999) / 1000;
	uint64_t row_khz = t->clock_10khz * 10 / (t->width + t->h_blank) + 1;
	if (row_khz > 510 || t->clock_10khz > 255000) {
		d[3] = 0x10; /* more than can be said: no descriptor */
		return;
	}
	d[3] = 0xfd;
	d[4] = (refresh_hz > 255 ? 0x02 : 0) | (row_khz > 255 ? 0x08 : 0);
	d[5] = (uint8_t)MIN(refresh_hz, 50);
	d[6] = (uint8_t)(refresh_hz > 255 ? MIN(refresh_hz - 255, 255) : MAX(refresh_hz, 75));
	d[7] = 15;
	d[8] = (uint8_t)(row_khz > 255 ? MIN(row_khz - 255, 255) : MAX(row_khz, 160));
	d[9] = (uint8_t)MIN(MAX((t->clock_10khz + 999) / 1000, 30), 255);
	d[10] = 0x01; /* range limits only */
	d[11] = '\n';
	memset(d + 12, ' ', 6);
}

/*
 * People expect to find these sizes in a list. They are those that standard timings can say,
 * largest first.
 */
static const struct {
	uint16_t width, height;
	uint8_t aspect; /* E-EDID 1.4, 3.9: 0 16:10, 1 4:3, 2 5:4, 3 16:9 */
} usual[] = {
	{ 2048, 1152, 3 },
	{ 1920, 1200, 0 },
	{ 1920, 1080, 3 },
	{ 1680, 1050, 0 },
	{ 1600, 1200, 1 },
	{ 1600, 900, 3 },
	{ 1440, 900, 0 },
	{ 1280, 1024, 2 },
	{ 1280, 800, 0 },
	{ 1280, 720, 3 },
};

static void put_standard_timings(uint8_t *edid, const struct frame_head_mode *mode)
{
	unsigned used = 0;
	memset(edid + 38, 0x01, 16);
	for (unsigned i = 0; i < G_N_ELEMENTS(usual) && used < 8; i++) {
		if (usual[i].width > mode->width || usual[i].height > mode->height ||
			(usual[i].width == mode->width && usual[i].height == mode->height))
			continue;
		edid[38 + 2 * used] = (uint8_t)(usual[i].width / 8 - 31);
		edid[39 + 2 * used] = (uint8_t)(usual[i].aspect << 6); /* + 60 Hz */
		used++;
	}
	/* The bits stand for 640x480, 800x600 and 1024x768, all at 60 Hz. */
	if (mode->width >= 640 && mode->height >= 480)
		edid[35] |= 0x20;
	if (mode->width >= 800 && mode->height >= 600)
		edid[35] |= 0x01;
	if (mode->width >= 1024 && mode->height >= 768)
		edid[36] |= 0x08;
}

static void put_identity(uint8_t *edid, unsigned head)
{
	static const uint8_t magic[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	/* The maker is "VTR", in five bits a letter. */
	uint16_t vendor = ('V' - '@') << 10 | ('T' - '@') << 5 | ('R' - '@');
	memcpy(edid, magic, sizeof(magic));
	edid[8] = (uint8_t)(vendor >> 8);
	edid[9] = (uint8_t)vendor;
	put16(edid + 10, 1);
	edid[12] = (uint8_t)(head + 1);
	edid[16] = 1;  /* week */
	edid[17] = 35; /* 2025 */
	edid[18] = 1;  /* 1.4 */
	edid[19] = 4;
	edid[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
	edid[23] = 120;  /* gamma 2.2 */
	edid[24] = 0x06; /* RGB 4:4:4, sRGB, first detailed timing is native */
	/* These are sRGB's primaries (E-EDID 1.4, 3.7). */
	static const uint8_t srgb[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50,
		0x54 };
	memcpy(edid + 25, srgb, sizeof(srgb));
}

/*
 * DisplayID 1.3, 4.2 lays out these bytes: tag, revision, length, then the size in tenths of a
 * millimetre and in pixels.
 */
static void put_parameters(
	uint8_t d[15], const struct timing *t, uint32_t width_mm, uint32_t height_mm)
{
	d[0] = 0x01;
	d[2] = 12;
	put16(d + 3, width_mm * 10);
	put16(d + 5, height_mm * 10);
	put16(d + 7, t->width);
	put16(d + 9, t->height);
	d[12] = 120; /* gamma 2.2 */
	d[13] = (uint8_t)MIN(MAX(t->width * 100 / t->height, 100) - 100, 255);
	d[14] = 0x77; /* 8 bits a colour */
}

/* DisplayID 1.3, 4.4.1 lays out this Type I detailed timing, every number one less than it is. */
static void put_type_1(uint8_t d[23], const struct timing *t)
{
	uint64_t clock = t->clock_10khz - 1;
	d[0] = 0x03;
	d[2] = 20;
	put16(d + 3, clock);
	d[5] = (uint8_t)(clock >> 16);
	d[6] = 0x88; /* preferred, aspect undefined */
	put16(d + 7, t->width - 1);
	put16(d + 9, t->h_blank - 1);
	put16(d + 11, (t->h_front - 1) | 0x8000); /* sync positive */
	put16(d + 13, t->h_sync - 1);
	put16(d + 15, t->height - 1);
	put16(d + 17, t->v_blank - 1);
	put16(d + 19, t->v_front - 1);
	put16(d + 21, t->v_sync - 1);
}

static void put_displayid(
	uint8_t *block, const struct timing *t, uint32_t width_mm, uint32_t height_mm)
{
	/*
	 * DisplayID 1.3, 4.1 lays out the product: maker, product, serial, week, year, no name.
	 * 4.11 lays out the interface: DisplayPort, 8 bits a colour.
	 */
	static const uint8_t product[15] = { 0x00, 0, 12, 'V', 'T', 'R', 1, 0, 0, 0, 0, 0, 1, 25,
		0 };
	static const uint8_t interface[13] = { 0x0f, 0, 10, 0xa1, 0x12, 0x02 };
	uint8_t *section = block + 1;
	uint8_t *d = section + 4;
	block[0] = 0x70;
	section[0] = 0x13;
	section[1] = 121;  /* bytes of data blocks, padded with zero */
	section[2] = 0x03; /* standalone display */
	memcpy(d, product, sizeof(product));
	put_parameters(d + 15, t, width_mm, height_mm);
	memcpy(d + 30, interface, sizeof(interface));
	put_type_1(d + 43, t);
	put_checksum(section, 5 + 121 - 1);
	put_checksum(block, EDID_BLOCK_BYTES - 1);
}

size_t edid_fill(uint8_t edid[EDID_BYTES_MAX], const struct frame_head_mode *mode, unsigned head)
{
	uint32_t refresh_mhz = mode->refresh_mhz ? mode->refresh_mhz : MODES_DEFAULT_REFRESH_MHZ;
	struct timing wanted = compute_timing(mode->width, mode->height, refresh_mhz);
	struct timing base = wanted;
	uint32_t width_mm = size_mm(mode->width_mm, mode->width);
	uint32_t height_mm = size_mm(mode->height_mm, mode->height);
	bool extended = !fits_dtd(&wanted);
	if (extended)
		base = compute_timing(MIN(mode->width, MODES_DEFAULT_WIDTH),
			MIN(mode->height, MODES_DEFAULT_HEIGHT), MODES_DEFAULT_REFRESH_MHZ);

	memset(edid, 0, EDID_BYTES_MAX);
	put_identity(edid, head);
	edid[21] = (uint8_t)MIN((width_mm + 5) / 10, 255);
	edid[22] = (uint8_t)MIN((height_mm + 5) / 10, 255);
	put_standard_timings(edid, mode);
	put_dtd(edid + 54, &base, width_mm, height_mm);
	put_text(edid + 72, 0xfc, EDID_NAME);
	put_range_limits(edid + 90, &wanted, refresh_mhz);
	g_autofree char *serial = g_strdup_printf("head %u", head);
	put_text(edid + 108, 0xff, serial);
	edid[126] = extended;
	put_checksum(edid, EDID_BLOCK_BYTES - 1);
	if (extended)
		put_displayid(edid + EDID_BLOCK_BYTES, &wanted, width_mm, height_mm);
	return extended ? EDID_BYTES_MAX : EDID_BLOCK_BYTES;
}
