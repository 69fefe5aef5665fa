/* SPDX-License-Identifier: MIT */
/*
 * frame_sender: render's end of the frame link (protocol/frame_link.h is the contract).
 *
 * Nothing here waits, and nothing queues without bound. We keep each head's latest state and send
 * it when the socket accepts it. A frame that the socket does not accept is refused with -EAGAIN:
 * the caller keeps its damage and tries again. A buffer is announced with the first frame that
 * needs it. gpu thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"
#include "render/buffers/buffer.h"

/*
 * Frames of one head that display has not released. One more than it may hold locked: a newer frame
 * must reach it even then, or it would never let go of an older one.
 */
#define FRAME_SENDER_OUTSTANDING_MAX (FRAME_LOCKED_MAX + 1)

struct frame_sender;

/*
 * Called for each message that is read. They take note of what changed and do no more: a command
 * may be under way (scanouts_hear_display()).
 */
struct frame_sender_listener {
	void (*heads_wanted)(void *user, const struct frame_heads_wanted *wanted);
	/* The rate of a head changed from was_mhz; frame_sender_get_rate() has the new one. */
	void (*rate_changed)(void *user, unsigned head, uint32_t was_mhz);
	void (*released)(void *user, unsigned head);
	/* What the head can use besides memfds changed; frame_sender_get_formats() has it. */
	void (*formats_changed)(void *user, unsigned head);
};

struct frame_sender *frame_sender_create(const struct frame_sender_listener *listener, void *user);
void frame_sender_destroy(struct frame_sender *link);

/* A new link (fd is taken over): the old one closes, all locks on it end, HELLO goes out. */
void frame_sender_attach(struct frame_sender *link, int fd);
int frame_sender_get_fd(const struct frame_sender *link); /* -1: none */

/* Reads what display says, at most `max` messages. */
void frame_sender_receive(struct frame_sender *link, unsigned max);
/* Sends the state that display has not been told yet. */
void frame_sender_send_waiting(struct frame_sender *link);
/*
 * True when something waits for room in the socket: poll for POLLOUT, then call
 * frame_sender_send_waiting() and try frames again.
 */
bool frame_sender_wants_room(const struct frame_sender *link);
/* Somebody else (the cursor) found the socket full and waits for room. */
void frame_sender_ask_room(struct frame_sender *link);

/* What display is to be told of a head. NULL: the head is off. */
void frame_sender_set_head(
	struct frame_sender *link, unsigned head, const struct frame_head_on *on);

/* The dma-bufs that the head can use, *n of them; none without a link. */
const struct frame_format *frame_sender_get_formats(
	const struct frame_sender *link, unsigned head, unsigned *n);
uint32_t frame_sender_get_rate(const struct frame_sender *link, unsigned head);
/* True when a frame of this head would be welcome: attached, watched, not too many outstanding. */
bool frame_sender_wants_frame(const struct frame_sender *link, unsigned head);
/* True while display has not released a frame of this head in this buffer. */
bool frame_sender_has_lent(
	const struct frame_sender *link, unsigned head, const struct buffer *buffer);
/*
 * Sends a frame whose head, source and damage are filled in, with `buffer` and its fence, and locks
 * the buffer until display releases it. Returns 0; -EAGAIN when there is no room, which
 * frame_sender_wants_room() says from then on; or -ENOTCONN.
 */
int frame_sender_send_frame(
	struct frame_sender *link, struct frame_present *frame, struct buffer *buffer);
