/* SPDX-License-Identifier: MIT */
/*
 * keeper end: is display's end of the keeper link (protocol/keeper_link.h). It makes each message
 * one call, and passwords, which come in several, one as well.
 *
 * Threads: main loop, but for functions that say otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/keeper_link.h"

struct keeper_end;

/*
 * The callee takes descriptors over, except those of `certificate`. Texts of tickets have a NUL. A
 * false answer ends the link as a fault.
 */
struct keeper_end_ops {
	/* These take the place of all passwords before; none: nobody is asked for one. */
	bool (*passwords)(void *user, const struct keeper_ticket *all, unsigned n);
	/* This one lets one session in. */
	bool (*ticket)(void *user, const struct keeper_ticket *ticket);
	bool (*listener)(void *user, enum keeper_listener_kind kind, int fd);
	bool (*frame_link)(void *user, int fd);
	bool (*dbus)(void *user, int fd);
	/* Both descriptors stay the link's and are closed after the call. */
	bool (*certificate)(void *user, int certificate_fd, int key_fd);
	/* Answers keeper_end_ask_visitor(). */
	bool (*visitor_judged)(void *user, const struct keeper_visitor_judged *judged);
	/* Another display is to take this one's place. */
	void (*switched)(void *user);
	/* The picture of this head is wanted: keeper_end_say_screenshot() gives it. */
	void (*screenshot)(void *user, uint32_t head);
	/* The keeper ends at once, for the reason in this text. */
	void (*ends)(void *user, const char *text);
	/* Clients are shown this text while the guest shows nothing; "": nothing. */
	void (*says)(void *user, const char *text);
	/* This client is to drive (keeper_link.h). */
	void (*hand_over)(void *user, const char *client);
	/*
	 * Says that the link is over. `fault`: the keeper said something wrong, as opposed to
	 * having left.
	 */
	void (*gone)(void *user, bool fault);
};

/* Takes the descriptor over. `ops` and `user` stay the caller's and must outlive the link. */
struct keeper_end *keeper_end_create(int fd, const struct keeper_end_ops *ops, void *user);
void keeper_end_destroy(struct keeper_end *keeper);

/*
 * Says that display is ready to work, behind which walls it and its child are. Returns false when
 * that could not be sent: the keeper is gone.
 */
bool keeper_end_say_ready(struct keeper_end *keeper, const struct confine_state *walls,
	const struct confine_state *inner_walls);

/*
 * Tells the keeper the desktop's size in pixels, if it has changed. While the socket is full only
 * the last size waits.
 */
void keeper_end_say_pointer_area(struct keeper_end *keeper, uint32_t width, uint32_t height);

/*
 * Says what has become of a ticket. Returns false when that could not be sent: the keeper is gone
 * or does not read. Any thread may call it.
 */
bool keeper_end_say_ticket(struct keeper_end *keeper, uint32_t name, enum keeper_ticket_use use);

/* Says who has come, or gone. It is lost where the keeper does not read. Any thread may call it. */
void keeper_end_say_client(struct keeper_end *keeper, const struct keeper_client *client);

/* Answers a wish for a picture; `fd` is -1 or stays the caller's. */
void keeper_end_say_screenshot(
	struct keeper_end *keeper, struct keeper_screenshot_taken *taken, int fd);

/*
 * Asks whether a visitor may come in. `fd` is -1 or stays the caller's. Returns false when that
 * could not be sent, since too many questions wait or the keeper is gone. Any thread may call it.
 */
bool keeper_end_ask_visitor(struct keeper_end *keeper, struct keeper_visitor *visitor, int fd);
