/* SPDX-License-Identifier: MIT */
/*
 * stranger: is a SPICE client by hand, for what no real client would do. Its sockets block, and are
 * patient for ten seconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/client/fake_desktop.h"

/* They return false when the other side has gone. Messages have short headers. */
bool stranger_say(int fd, const void *data, size_t size_bytes);
bool stranger_hear(int fd, void *data, size_t size_bytes);
bool stranger_say_message(int fd, uint16_t type, const void *body, uint32_t body_bytes);
/* Reads a message, of whose body no more than room_bytes are kept. */
bool stranger_hear_message(int fd, uint16_t *type, uint8_t *body, size_t room_bytes);

/* Says how far a client gets before it goes. */
enum stranger_step {
	STRANGER_CONNECTED,
	STRANGER_LINK,
	STRANGER_REPLY,
	STRANGER_TICKET,
	STRANGER_RESULT,
	STRANGER_INIT,
	STRANGER_MESSAGE,
	STRANGER_STEPS,
};

/* Says the link message of a channel, number 0 of its type. */
void stranger_say_link(int fd, uint8_t channel, uint32_t session);
/* Connects a channel and goes as far as the step. Returns its socket, which is the caller's. */
int stranger_go_until(const struct fake_desktop *desktop, uint8_t channel, uint32_t session,
	enum stranger_step step);
/* Goes until it is let in. */
int stranger_open(const struct fake_desktop *desktop, uint8_t channel, uint32_t session);

struct stranger {
	int main, display;
	uint32_t session;
};

/*
 * Connects a main channel. The first thing that it hears is INIT, with the session's name and the
 * time.
 */
void stranger_connect_main(struct stranger *stranger, const struct fake_desktop *desktop);
/* Connects a main and a display channel, which has said INIT. */
void stranger_connect(struct stranger *stranger, const struct fake_desktop *desktop);
void stranger_close(struct stranger *stranger);
