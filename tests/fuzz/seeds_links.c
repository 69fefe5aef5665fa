/* SPDX-License-Identifier: MIT */
/* Makes what our processes say to each other, and QEMU to them, for the targets of links. */
#include <stdint.h>

#include "protocol/keeper_link.h"
#include "tests/fuzz/seeds.h"

static void save(const char *directory, const char *name, const void *data, size_t size_bytes)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_byte_array_append(bytes, data, (guint)size_bytes);
	seeds_save(directory, name, bytes);
}

/* The numbers are those of fuzz_heads.c: an act, and what it reads. */
void seeds_heads(const char *directory)
{
	static const uint8_t plain[] = {
		0,                               /* hello */
		1, 0, 1, 64, 32, 1,              /* buffer 1 of 64x32 in the large memfd */
		2, 0, 64, 32,                    /* head 0 on */
		10, 0, 60, 1,                    /* a wish */
		0, 0, 1, 0, 0, 1, 0x33, 3, 4, 0, /* a frame */
		0, 0, 1, 0, 0, 1, 0x22, 9, 9, 6, /* a frame that waits */
		9,                               /* its fence */
		6, 0,                            /* a cursor */
		8,                               /* what display says */
		3, 1,                            /* buffer 1 goes */
		4, 0,                            /* head 0 off */
	};
	static const uint8_t dmabuf[] = { 0, 1, 1, 2, 16, 16, 4, 2, 1, 16, 16, 0, 1, 2, 0, 0, 0, 0,
		2, 1, 32, 32, 0, 1, 2, 0, 0, 0, 0 };
	save(directory, "plain", plain, sizeof(plain));
	save(directory, "dmabuf", dmabuf, sizeof(dmabuf));
}

/* The numbers are those of fuzz_vhost.c. */
void seeds_vhost(const char *directory)
{
	/* QEMU 10 begins, a renderer comes, both rings run, stop, and go on with another one. */
	static const uint8_t plain[] = {
		4, 0,                                           /* a renderer */
		1, 0,                                           /* features, owner */
		0, 3, 5, 10,                                    /* SET_MEM_TABLE with one region */
		1, 0, 0, 0, 0, 0, 0, 0,                         /* number of them */
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, /* where it is, and its size */
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* QEMU's address, offset */
		2, 0, 2, 1,                                     /* both rings run */
		3, 0, 5,                                        /* one stops, where it was at 5 */
		6, 4, 0,                                        /* another renderer */
		2, 0, 3, 0, 5, 3, 1, 5,                         /* and again */
		9,                                              /* QEMU ends */
	};
	/* ADD_MEM_REG, REM_MEM_REG, GET_CONFIG, RESET_DEVICE. */
	static const uint8_t slots[] = { 4, 0, 1, 0, 0, 2, 37, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 24, 7, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 34, 0 };
	save(directory, "plain", plain, sizeof(plain));
	save(directory, "slots", slots, sizeof(slots));
}

/* At the keeper's end READY comes first: the version, and zeros for the other numbers. */
static void save_behind_ready(
	const char *directory, const char *name, const uint8_t *data, size_t size_bytes)
{
	static const uint8_t zeros[sizeof(struct keeper_ready) / sizeof(uint32_t)];
	const uint8_t ready[] = { 1, 0, 1, KEEPER_LINK_VERSION };
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_byte_array_append(bytes, ready, sizeof(ready));
	g_byte_array_append(
		bytes, zeros, sizeof(zeros) - sizeof(struct link_header) / sizeof(uint32_t) - 1);
	g_byte_array_append(bytes, data, (guint)size_bytes);
	seeds_save(directory, name, bytes);
}

/* The numbers are those of fuzz_keeper.c: at which end, then kinds of messages. */
void seeds_keeper(const char *directory)
{
	/* Figures, one password and the words of its ticket, certificate, listener, frame link. */
	static const uint8_t display[] = { 0, 2, 0, 21, 1, 1, 0, 13, 1, 1, 0, 0, 0, 'x', 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15,
		0, 12, 1, 1, 0, 1, 0, 14, 0 };
	/* A desktop's size, and a visitor on the loopback. */
	static const uint8_t viewer[] = { 16, 1, 200, 100, 18, 2, 1, 0, 0, 0, 2, 0, 0, 0, 0x30,
		0x39, 0x17, 0x0c, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	/* Figures, ledger, features, a region of 64 KiB at 0, ring 0 of 16 entries, its stop. */
	static const uint8_t render[] = { 2, 2, 0, 3, 0, 4, 1, 0, 0, 5, 1, 1, 0, 6, 2, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		7, 0, 1, 0, 8, 1, 0, 16, 0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 10, 1, 0, 7, 11, 0 };
	save(directory, "display", display, sizeof(display));
	save_behind_ready(directory, "viewer", viewer, sizeof(viewer));
	save(directory, "render", render, sizeof(render));
}
