/* SPDX-License-Identifier: MIT */
/*
 * fake_render: vitrine-render's end of the frame link, played by a test.
 *
 * It keeps the contract of protocol/frame_link.h to the letter: a buffer is written only when it is
 * not locked, no PRESENT is sent while nobody looks, and going from rate 0 to more brings the
 * current picture with full damage. It measures what display owes in return: how long the test had
 * to wait for a buffer it may write.
 *
 * Threads: the test calls everything but fake_render_dispatch, which belongs to the link's thread
 * (fake_desktop.h); a mutex inside orders the two.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/frame_link.h"
#include "tests/client/canvas.h"

#define FAKE_BUFFERS (FRAME_LOCKED_MAX + 1)

/*
 * Says how a head's picture lies in its buffers; the rest of a buffer is filled with a loud colour.
 */
struct fake_layout {
	uint32_t width, height; /* of the head */
	uint32_t source_x, source_y;
	uint32_t pad_columns, pad_rows; /* right of and below the picture */
	uint32_t pad_stride_bytes;      /* behind each row; a multiple of 4 */
	uint32_t offset_bytes;          /* of the first row in the memfd; a multiple of 4 */
};

struct fake_buffer {
	uint32_t id; /* 0: none */
	unsigned n_locks;
	uint32_t stride_bytes;
	size_t size_bytes;
	uint8_t *memory;
	int fd;
};

struct fake_head {
	bool on;
	bool stale; /* display has not been sent the newest picture: nobody looked */
	uint32_t rate_mhz;
	uint32_t n_formats; /* of dma-bufs that display would take; it gets memfds all the same */
	uint64_t serial;
	struct fake_layout layout;
	struct canvas canvas; /* the test draws here, then flushes */
	struct fake_buffer buffers[FAKE_BUFFERS];
};

struct fake_render {
	GMutex lock;
	GCond changed;
	int link;     /* -1: none; readable from the link's thread */
	bool hello;   /* display's HELLO came on this link */
	bool dropped; /* display closed this link */
	uint32_t next_buffer;
	bool hostile; /* the test itself breaks the contract: releases are not checked */
	struct fake_head heads[FRAME_HEADS_MAX];
	struct frame_heads_wanted wanted; /* last one */
	unsigned n_wanted;
	bool cursor_shown;
	struct frame_cursor_image cursor_image; /* header.type 0: none yet */
	/* These are figures that tests look at. */
	uint64_t n_frames, n_releases;
	unsigned max_locked; /* buffers of one head held by display at once, the one just sent
				included */
	gint64 max_wait_us;  /* longest wait for a buffer */
	gint64 total_wait_us;
	const char *broken; /* a fault of display against the contract; NULL: none */
};

void fake_render_init(struct fake_render *render);
void fake_render_finish(struct fake_render *render);

/*
 * Makes a new link and sends HELLO, buffers, heads and the cursor on it. Returns display's end,
 * which the caller closes.
 */
int fake_render_connect(struct fake_render *render);
/* Handles all that waits on the link. Returns false when display has closed it. */
bool fake_render_dispatch(struct fake_render *render);

/* Turns a head on or gives it another mode; both bring new buffers and a black canvas. */
void fake_render_head_on(
	struct fake_render *render, unsigned head, const struct fake_layout *layout);
void fake_render_head_off(struct fake_render *render, unsigned head);

/*
 * Shows the canvas: takes a free buffer, waiting up to 5 s for one (`broken` is set past that),
 * copies, and sends PRESENT with the rectangles. With rate 0 it only remembers that something
 * changed.
 */
void fake_render_flush(
	struct fake_render *render, unsigned head, const struct rect *rects, unsigned n_rects);
void fake_render_flush_all(struct fake_render *render, unsigned head);
/* Returns how many frames have been sent. A head that is looked at again gets one unasked. */
uint64_t fake_render_count_frames(struct fake_render *render);

void fake_render_cursor_image(struct fake_render *render, unsigned head, uint32_t hot_x,
	uint32_t hot_y, const uint32_t *pixels);
void fake_render_cursor_move(struct fake_render *render, unsigned head, int x, int y);
void fake_render_cursor_hide(struct fake_render *render, unsigned head);

/* Waits until display wants frames of a head, or none if `wanted` is false. */
bool fake_render_wait_rate(struct fake_render *render, unsigned head, bool wanted, int timeout_ms);
/* Waits until HEADS_WANTED has come n times in all. */
bool fake_render_wait_wanted(struct fake_render *render, unsigned n, int timeout_ms);
bool fake_render_wait_dropped(struct fake_render *render, int timeout_ms);
/* Waits until display holds at most n buffers of a head. */
bool fake_render_wait_locked(struct fake_render *render, unsigned head, unsigned n, int timeout_ms);
/* Sends any message, for tests that break the contract. */
int fake_render_send(struct fake_render *render, void *message, size_t size_bytes, int fd);
