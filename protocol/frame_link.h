/* SPDX-License-Identifier: MIT */
/*
 * frame link: what vitrine-render and vitrine-display say to each other. See link.h for transport.
 *
 * Picture path. Render owns the scanout buffers. It announces each with BUFFER_ADD, then
 * names one in every PRESENT. From PRESENT until RELEASE the buffer is *locked*: display may read
 * it, render does not write it. Display keeps at most FRAME_LOCKED_MAX buffers per head locked;
 * render owns more than that, so it always has one to write. A frame that display has not used yet
 * is replaced by a newer one: display releases the old, keeps the union of the damage.
 *
 * Nobody waits. Render never blocks on this link: what does not fit is kept as state (latest frame,
 * damage since the last one sent, cursor) and sent when the link drains.
 *
 * Restart. Either end may be replaced at any time; the keeper then gives both sides a new link.
 * On a new link nothing is locked and nothing is known: each side begins with HELLO and render
 * sends its buffers, heads, the current frame with full damage, and the cursor again.
 */
#pragma once

#include <stdint.h>

#include "common/link.h"
#include "common/rect.h"

#define FRAME_LINK_VERSION 1
/* virtio-gpu allows 16 scanouts (virtio 1.2, 5.7.4: VIRTIO_GPU_MAX_SCANOUTS). */
#define FRAME_HEADS_MAX 16
#define FRAME_RECTS_MAX 32
/* Most buffers of one head that display may hold locked at once. */
#define FRAME_LOCKED_MAX 3
#define FRAME_BUFFERS_MAX 256
/* virtio-gpu cursors are always 64x64 (virtio 1.2, 5.7.6.10). */
#define FRAME_CURSOR_SIZE 64
/* Largest width or height of a head in pixels: what GL renderers take, and EDID can say. */
#define FRAME_SIZE_MAX 16384
/* (format, modifier) pairs that display may name for one head. */
#define FRAME_FORMATS_MAX 128

enum frame_message {
	/* render -> display */
	FRAME_MESSAGE_HELLO = 1, /* both ways, first */
	FRAME_MESSAGE_BUFFER_ADD,
	FRAME_MESSAGE_BUFFER_REMOVE,
	FRAME_MESSAGE_HEAD_ON,
	FRAME_MESSAGE_HEAD_OFF,
	FRAME_MESSAGE_PRESENT,
	FRAME_MESSAGE_CURSOR_IMAGE,
	FRAME_MESSAGE_CURSOR_MOVE,
	FRAME_MESSAGE_CURSOR_HIDE,
	/* display -> render */
	FRAME_MESSAGE_RELEASE,
	FRAME_MESSAGE_HEADS_WANTED,
	FRAME_MESSAGE_RATE_WANTED,
	FRAME_MESSAGE_FORMATS_WANTED,
};

struct frame_hello {
	struct link_header header;
	uint32_t version; /* FRAME_LINK_VERSION */
	uint32_t reserved;
};

enum frame_buffer_kind {
	FRAME_BUFFER_MEMFD = 1, /* CPU memory, sealed with F_SEAL_SHRINK (see shm.h) */
	FRAME_BUFFER_DMABUF = 2,
};

/*
 * One descriptor. It stays valid until BUFFER_REMOVE, which display honours after it has released
 * its locks. A buffer id is never reused on one link while it is added.
 */
struct frame_buffer_add {
	struct link_header header;
	uint32_t buffer; /* id, 1 .. UINT32_MAX */
	uint32_t kind;   /* enum frame_buffer_kind */
	uint32_t width, height;
	uint32_t stride_bytes;
	uint32_t fourcc;       /* DRM_FORMAT_*; memfd: XRGB8888 or ARGB8888, row 0 on top */
	uint64_t modifier;     /* DRM_FORMAT_MOD_*; memfd: LINEAR */
	uint64_t offset_bytes; /* of the first pixel */
	uint64_t size_bytes;   /* of the object behind the descriptor */
};

struct frame_buffer_remove {
	struct link_header header;
	uint32_t buffer;
	uint32_t reserved;
};

/* A head shows a picture of this size, at this place on the desktop, from the next PRESENT on. */
struct frame_head_on {
	struct link_header header;
	uint32_t head; /* 0 .. FRAME_HEADS_MAX - 1, the guest's scanout number */
	uint32_t x, y; /* on the desktop, as told to the guest in GET_DISPLAY_INFO */
	uint32_t width, height;
	uint32_t refresh_mhz; /* millihertz */
};

struct frame_head_off {
	struct link_header header;
	uint32_t head;
	uint32_t reserved;
};

/* At most one descriptor: a sync file that signals when the buffer may be read. */
struct frame_present {
	struct link_header header;
	uint32_t head;
	uint32_t buffer;
	uint64_t serial;        /* of this head, rises by at least one with every PRESENT */
	uint64_t flush_time_ns; /* CLOCK_MONOTONIC: the guest's flush was taken, or later became
				   wanted */
	/* Where in the buffer the head's picture lies; its size is the head's. */
	uint32_t source_x, source_y;
	uint32_t n_rects; /* damage since the last PRESENT of this head, in head coordinates */
	uint32_t reserved;
	struct rect rects[FRAME_RECTS_MAX];
};

/* Premultiplied ARGB8888, row 0 on top, no padding. Shown at once at the last known position. */
struct frame_cursor_image {
	struct link_header header;
	uint32_t head;
	uint32_t hot_x, hot_y;
	uint32_t reserved;
	uint32_t pixels[FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE];
};

/* Position of the hot spot in head coordinates; may lie outside. Shows the cursor on this head. */
struct frame_cursor_move {
	struct link_header header;
	uint32_t head;
	int32_t x, y;
	uint32_t reserved;
};

struct frame_cursor_hide {
	struct link_header header;
	uint32_t head;
	uint32_t reserved;
};

/* Unlocks one PRESENT's hold on a buffer: exactly one RELEASE for each PRESENT received. */
struct frame_release {
	struct link_header header;
	uint32_t buffer;
	uint32_t head;
	uint64_t serial; /* of the PRESENT */
};

struct frame_head_mode {
	uint32_t enabled;
	uint32_t x, y, width, height;
	uint32_t width_mm, height_mm; /* 0: unknown */
	uint32_t refresh_mhz;         /* 0: render's default */
};

/* What GET_DISPLAY_INFO and GET_EDID shall answer from now on. Absurd sizes are clamped by render.
 */
struct frame_heads_wanted {
	struct link_header header;
	uint32_t n_heads;
	uint32_t reserved;
	struct frame_head_mode heads[FRAME_HEADS_MAX];
};

/*
 * Pictures per second that this head can use; 0: nobody looks, render reads nothing back and sends
 * no PRESENT. Going from 0 to more brings the current picture at once, with full damage.
 */
struct frame_rate_wanted {
	struct link_header header;
	uint32_t head;
	uint32_t rate_mhz;
};

struct frame_format {
	uint32_t fourcc; /* DRM_FORMAT_* */
	uint32_t reserved;
	uint64_t modifier; /* DRM_FORMAT_MOD_*; INVALID: a layout that the driver alone knows */
};

/*
 * The dma-bufs that this head can use instead of memfds, in no order. None, as on a new link:
 * memfds only. A wish: render still sends memfds when it has nothing that fits, or no GPU. What
 * changes goes with the next PRESENT, which then has full damage.
 */
struct frame_formats_wanted {
	struct link_header header;
	uint32_t head;
	uint32_t n_formats;
	struct frame_format formats[FRAME_FORMATS_MAX];
};
