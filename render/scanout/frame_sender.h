/* SPDX-License-Identifier: MIT */
/*
 * frame_sender: serves render's end of the frame link (protocol/frame_link.h is the contract).
 *
 * Nothing here waits, and nothing queues without bound. We keep each head's latest state and send
 * it when the socket accepts it. A frame that the socket does not accept is refused with -EAGAIN:
 * the caller keeps its damage and tries again. A buffer is announced with the first frame that
 * needs it. Only the gpu thread calls it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"
#include "render/buffers/buffer.h"

/*
 * Display may have this many frames of one head and not have released them. That is one more than
 * it may hold locked: a newer frame must reach it even then, or it would never let go of an older
 * one.
 */
#define FRAME_SENDER_OUTSTANDING_MAX (FRAME_LOCKED_MAX + 1)

struct frame_sender;

/*
 * Is called for each message that is read. The functions take note of what changed and do no more,
 * since a command may be under way (scanouts_hear_display()).
 */
struct frame_sender_listener {
	void (*heads_wanted)(void *user, const struct frame_heads_wanted *wanted);
	/*
	 * Display has changed the rate of a head from was_mhz; frame_sender_get_rate() has the new
	 * one.
	 */
	void (*rate_changed)(void *user, unsigned head, uint32_t was_mhz);
	void (*released)(void *user, unsigned head);
	/*
	 * Display has changed which buffers besides memfds it takes for the head;
	 * frame_sender_get_formats() has them.
	 */
	void (*formats_changed)(void *user, unsigned head);
};

struct frame_sender *frame_sender_create(const struct frame_sender_listener *listener, void *user);
void frame_sender_destroy(struct frame_sender *link);

/* Takes a new link over. The old one closes, all locks on it end, and HELLO goes out. */
void frame_sender_attach(struct frame_sender *link, int fd);
int frame_sender_get_fd(const struct frame_sender *link); /* -1: none */

/* Reads at most `max` messages of display. */
void frame_sender_receive(struct frame_sender *link, unsigned max);
/* Sends the state that display has not been told yet. */
void frame_sender_send_waiting(struct frame_sender *link);
/*
 * Returns true when something waits for room in the socket. The caller then polls for POLLOUT,
 * calls frame_sender_send_waiting() and tries frames again.
 */
bool frame_sender_wants_room(const struct frame_sender *link);
/* Notes that somebody else (the cursor) found the socket full and waits for room. */
void frame_sender_ask_room(struct frame_sender *link);

/* Sets what display is to be told of a head. NULL means that the head is off. */
void frame_sender_set_head(
	struct frame_sender *link, unsigned head, const struct frame_head_on *on);

/*
 * Returns which dma-bufs the head can use, *n of them; none without a link. They stay valid until
 * the link is read again.
 */
const struct frame_format *frame_sender_get_formats(
	const struct frame_sender *link, unsigned head, unsigned *n);
uint32_t frame_sender_get_rate(const struct frame_sender *link, unsigned head);
/*
 * Returns true when a frame of this head would be welcome: display is attached and watches it, and
 * does not have too many outstanding.
 */
bool frame_sender_wants_frame(const struct frame_sender *link, unsigned head);
/* Returns true while display has not released a frame of this head in this buffer. */
bool frame_sender_has_lent(
	const struct frame_sender *link, unsigned head, const struct buffer *buffer);
/*
 * Sends a frame whose head, source and damage are filled in, with `buffer` and its fence, and locks
 * the buffer until display releases it. Returns 0; -EAGAIN when there is no room, which
 * frame_sender_wants_room() says from then on, or when display has too many frames or buffers; or
 * -ENOTCONN when there is no link.
 */
int frame_sender_send_frame(
	struct frame_sender *link, struct frame_present *frame, struct buffer *buffer);
