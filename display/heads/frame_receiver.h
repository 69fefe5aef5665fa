/* SPDX-License-Identifier: MIT */
/*
 * frame receiver: is display's end of the frame link (protocol/frame_link.h). It receives buffers,
 * heads, frames and cursors from vitrine-render, keeps the buffers, and sends releases and wishes
 * back.
 *
 * There is one object for each descriptor that the keeper hands over. It is reference counted:
 * frames that spice-server still holds outlive a renderer, and their releases then go nowhere.
 *
 * What does not fit into the socket is sent when the socket drains. Wishes are state: of a head
 * only the last rate is sent, and only the last list of heads.
 *
 * Threads: main loop. Frames may be released on any thread, which hands that to the main loop.
 */
#pragma once

#include "display/heads/frame.h"

struct frame_receiver;

/* All are called on the main loop. A false answer drops the link (the callee has logged why). */
struct frame_receiver_ops {
	bool (*head_on)(void *user, const struct frame_head_on *message);
	void (*head_off)(void *user, unsigned head);
	/* Fills in the size of a head in pixels. Returns false when the head is off. */
	bool (*head_size)(void *user, unsigned head, uint32_t *width, uint32_t *height);
	/* `frame` is the callee's. */
	bool (*frame)(void *user, struct frame *frame, const struct frame_present *message);
	void (*cursor_image)(void *user, const struct frame_cursor_image *message);
	void (*cursor_move)(void *user, unsigned head, int32_t x, int32_t y);
	void (*cursor_hide)(void *user, unsigned head);
	/* Says that the peer has left or was dropped. The callee closes the link. */
	void (*gone)(void *user);
	/* Says the same, but that it is we who have no memory or descriptors for what it showed. */
	void (*starved)(void *user);
};

/* Takes the descriptor over and says HELLO. */
struct frame_receiver *frame_receiver_create(
	int fd, const struct frame_receiver_ops *ops, void *user);

/* Stops calling back, closes the descriptor, drops the caller's reference. NULL is fine. */
void frame_receiver_close(struct frame_receiver *link);

void frame_receiver_want_rate(struct frame_receiver *link, unsigned head, uint32_t rate_mhz);
/* Asks for the current picture once more, with full damage. The head's rate must not be 0. */
void frame_receiver_want_again(struct frame_receiver *link, unsigned head);
/*
 * Says which dma-bufs every head can use, at most FRAME_FORMATS_MAX; if there are none, render
 * sends memfds.
 */
void frame_receiver_want_formats(
	struct frame_receiver *link, const struct frame_format *formats, unsigned n_formats);
void frame_receiver_want_heads(
	struct frame_receiver *link, const struct frame_head_mode *heads, unsigned n_heads);
