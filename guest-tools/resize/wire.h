/* SPDX-License-Identifier: MIT */
/*
 * wire speaks the Wayland protocol by itself, so that the guest tools go on linking libc only. What
 * is spoken here passes no descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-tools/resize/limits.h"

struct wire {
	int fd;
	uint32_t next_id;
	size_t n_in, n_out;
	bool broken;
	uint8_t in[2 * WIRE_BYTES_MAX], out[WIRE_BYTES_MAX];
};

/* One message that came. Readers below give 0 or "" behind its end. */
struct wire_event {
	uint32_t object;
	uint16_t opcode;
	const uint8_t *at, *end;
};

/* `display` is a name in $XDG_RUNTIME_DIR, or a path. Gives false with errno. */
bool wire_connect(struct wire *wire, const char *display);
uint32_t wire_new_id(struct wire *wire);
/* Begins a request; arguments follow, and wire_end says that they are all. */
size_t wire_begin(struct wire *wire, uint32_t object, uint16_t opcode);
void wire_put(struct wire *wire, uint32_t value);
void wire_put_text(struct wire *wire, const char *text);
void wire_end(struct wire *wire, size_t begun);
/* Sends what was put. Gives false when the other end is gone. */
bool wire_flush(struct wire *wire);
/* Reads what is there, and calls `each` for each event. Gives false when the other end is gone. */
bool wire_read(struct wire *wire, void (*each)(void *user, struct wire_event *event), void *user);
uint32_t wire_get(struct wire_event *event);
const char *wire_get_text(struct wire_event *event);
