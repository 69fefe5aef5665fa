/* SPDX-License-Identifier: MIT */
/*
 * wire speaks Wayland's wire protocol: messages of an object, an opcode and arguments, with
 * descriptors beside them. It knows two interfaces by their numbers, and needs no library, as all
 * of the guest tools. One request is sent at a time and waits for room: a compositor reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-tools/common/limits.h"

/* The first object, and opcodes that every client needs (wayland.xml): requests and events. */
#define DISPLAY_ID 1
enum { DISPLAY_SYNC = 0, DISPLAY_GET_REGISTRY = 1, DISPLAY_ERROR = 0 };
enum { REGISTRY_BIND = 0, REGISTRY_GLOBAL = 0 };

struct wire {
	int fd;
	uint32_t last_id; /* of an object of ours */
	uint8_t in[WIRE_MESSAGE_MAX_BYTES];
	size_t in_filled;
	int fds[WIRE_FDS_MAX]; /* that came, in their order */
	unsigned n_fds;
};

/* Reads arguments of an event; past its end they are 0 and "". */
struct wire_event {
	uint32_t object;
	unsigned opcode;
	const uint8_t *at;
	size_t left_bytes;
};

/*
 * Connects to a compositor: `display` is a name in $XDG_RUNTIME_DIR, or a path; NULL: that of the
 * environment. Gives false with errno set.
 */
bool wire_connect(struct wire *wire, const char *display);
uint32_t wire_new_id(struct wire *wire);

/*
 * Sends a request whose arguments are spelt out: "u" a number or an object, "s" a string. A
 * descriptor, which stays the caller's, goes along unless it is below 0. Gives false when the
 * compositor has left.
 */
bool wire_send(
	struct wire *wire, uint32_t object, unsigned opcode, int fd, const char *format, ...);

/* Reads what there is. Gives false when the compositor has left, or makes no sense. */
bool wire_read(struct wire *wire);
/* Takes the next event that is there, until the next wire_read(). */
bool wire_next(struct wire *wire, size_t *at, struct wire_event *event);
/* Drops what was taken. */
void wire_done(struct wire *wire, size_t at);

uint32_t wire_number(struct wire_event *event);
const char *wire_text(struct wire_event *event);
/* The next descriptor that came, which is the caller's; -1: there is none. */
int wire_take_fd(struct wire *wire);
