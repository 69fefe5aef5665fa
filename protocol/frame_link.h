/* SPDX-License-Identifier: MIT */
/*
 * The frame link carries what vitrine-render and vitrine-display say to each other. common/link.h
 * transports it.
 *
 * Frames. Render owns the buffers. It announces each with BUFFER_ADD, then names one in every
 * PRESENT. From PRESENT until RELEASE the buffer is *locked*: display may read it, render does not
 * write it. Display keeps at most FRAME_LOCKED_MAX buffers of a head locked, and render owns more
 * than that, so it always has one to write. A newer frame replaces one that display has not used
 * yet: display releases the old one and keeps the union of the damage.
 *
 * Nobody waits. Render never blocks on this link. What does not fit is kept as state (the newest
 * frame, the damage since the last one that was sent, the cursor) and sent when the socket accepts
 * more.
 *
 * Restart. Either end may be replaced at any time; the keeper then gives both sides a new link. On
 * a new link nothing is locked and nothing is known. Each side begins with HELLO, and render sends
 * its buffers, its heads, each head's newest frame with full damage, and the cursor.
 *
 * Trust. Display believes nothing of this: it checks every field against the buffer, the head and
 * the bounds below, and drops the link at the first fault. So does render with what display says.
 */
#pragma once

#include <stdint.h>

#include "common/link.h"
#include "common/rect.h"

#define FRAME_LINK_VERSION 1
/* virtio-gpu allows 16 scanouts (virtio 1.2, 5.7.4: VIRTIO_GPU_MAX_SCANOUTS). */
#define FRAME_HEADS_MAX 16
/* A PRESENT has at most this many rectangles of damage; more are merged. */
#define FRAME_RECTS_MAX 32
/* Display holds at most this many buffers of one head locked at once. */
#define FRAME_LOCKED_MAX 3
/* A link has at most this many buffers at once. One more drops the link. */
#define FRAME_BUFFERS_MAX 256
/* virtio-gpu cursors are always 64x64 (virtio 1.2, 5.7.6.10). */
#define FRAME_CURSOR_SIZE 64
/* No head is wider or higher, in pixels: GL renderers take this much, and EDID can say it. */
#define FRAME_SIZE_MAX 16384
/*
 * The desktop is no wider or higher, so that two of the largest heads lie beside each other. Render
 * has a head end here that would lie further away, and display drops a link that says it does.
 */
#define FRAME_DESKTOP_MAX (2 * FRAME_SIZE_MAX)
/* Display names at most this many pairs of format and modifier for one head. */
#define FRAME_FORMATS_MAX 128

enum frame_message {
	/* Render sends these to display. */
	FRAME_MESSAGE_HELLO = 1, /* both ways, first */
	FRAME_MESSAGE_BUFFER_ADD,
	FRAME_MESSAGE_BUFFER_REMOVE,
	FRAME_MESSAGE_HEAD_ON,
	FRAME_MESSAGE_HEAD_OFF,
	FRAME_MESSAGE_PRESENT,
	FRAME_MESSAGE_CURSOR_IMAGE,
	FRAME_MESSAGE_CURSOR_MOVE,
	FRAME_MESSAGE_CURSOR_HIDE,
	/* Display sends these to render. */
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
	FRAME_BUFFER_MEMFD = 1,  /* CPU memory, sealed with F_SEAL_SHRINK (common/shm.h) */
	FRAME_BUFFER_DMABUF = 2, /* GPU memory, which display hands on and does not map */
};

/*
 * One descriptor comes with it. The buffer is there until BUFFER_REMOVE; frames that are locked
 * then stay readable until they are released. While a buffer is added no other has its id on the
 * link.
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

/* From the next PRESENT on the head has this size and lies at this place on the desktop. */
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

/*
 * Shows a new frame of the head. At most one descriptor comes with it: a sync file that signals
 * when the buffer may be read.
 */
struct frame_present {
	struct link_header header;
	uint32_t head;
	uint32_t buffer;
	uint64_t serial; /* of the head's frames: rises by at least one with every PRESENT */
	/*
	 * This is the time of CLOCK_MONOTONIC when the guest's flush was taken, or when it became
	 * wanted if that was later.
	 */
	uint64_t flush_time_ns;
	/* The head's picture begins here in the buffer; its size is the head's. */
	uint32_t source_x, source_y;
	uint32_t n_rects; /* damage since the last PRESENT of this head, in head coordinates */
	uint32_t reserved;
	struct rect rects[FRAME_RECTS_MAX];
};

/*
 * The pixels are premultiplied ARGB8888, row 0 on top, without padding. The image is shown at once,
 * where the cursor was last.
 */
struct frame_cursor_image {
	struct link_header header;
	uint32_t head;
	uint32_t hot_x, hot_y;
	uint32_t reserved;
	uint32_t pixels[FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE];
};

/*
 * Shows the cursor on this head. The position is that of the picture's corner, as guests give it,
 * in head coordinates; it may lie outside.
 */
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

/*
 * Unlocks one PRESENT's hold on a buffer. Display sends exactly one for each PRESENT that it
 * received.
 */
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

/* GET_DISPLAY_INFO and GET_EDID shall answer this from now on. Render bounds absurd sizes. */
struct frame_heads_wanted {
	struct link_header header;
	uint32_t n_heads;
	uint32_t reserved;
	struct frame_head_mode heads[FRAME_HEADS_MAX];
};

/*
 * Says how many frames per 1000 seconds this head can use. At 0 nobody looks: render reads nothing
 * back and sends no PRESENT. A change from 0 to more brings the newest frame at once, with full
 * damage.
 */
struct frame_rate_wanted {
	struct link_header header;
	uint32_t head;
	uint32_t rate_mhz;
};

struct frame_format {
	uint32_t fourcc; /* DRM_FORMAT_* */
	uint32_t reserved;
	uint64_t modifier; /* DRM_FORMAT_MOD_*; INVALID: a layout that only the driver knows */
};

/*
 * Says which dma-bufs this head can use instead of memfds, in no order; none, as on a new link,
 * means only memfds. This is a wish: render still sends memfds when it has no GPU or nothing that
 * fits. A change shows with the next PRESENT, which then has full damage.
 */
struct frame_formats_wanted {
	struct link_header header;
	uint32_t head;
	uint32_t n_formats;
	struct frame_format formats[FRAME_FORMATS_MAX];
};
