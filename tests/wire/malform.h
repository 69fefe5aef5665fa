/* SPDX-License-Identifier: MIT */
/*
 * malform: a seeded generator of commands that are wrong in some way.
 *
 * Most have the right size for their type and so reach its handler; their fields come from pools of
 * small numbers (which may hit objects that exist), boundaries and absurdities. The others are cut
 * short, have an unknown type or lie in a descriptor chain that makes no sense.
 */
#pragma once

#include <stdint.h>

#include "tests/wire/guest.h"
#include "tests/wire/virgl_encode.h"

#define MALFORM_COMMAND_MAX 65536
/* The generator gives the objects that it creates ids from 1 to this. */
#define MALFORM_ID_MAX 12

enum malform_kind {
	MALFORM_SIZED,   /* right size for its type */
	MALFORM_SHORT,   /* shorter than its type or than a header */
	MALFORM_UNKNOWN, /* no such type */
	MALFORM_CHAIN,   /* the descriptors are wrong */
};

struct malform {
	uint64_t state;
	struct guest *guest;
	uint64_t scratch_addr; /* guest memory for chains */
};

void malform_init(struct malform *m, struct guest *guest, uint64_t seed);
uint32_t malform_random(struct malform *m, uint32_t below);
/* Writes a command to `command` and returns its size. */
size_t malform_command(struct malform *m, enum malform_kind kind, uint8_t *command);
/*
 * Publishes a nonsensical chain; returns NULL when the ring is full. The caller must wait for the
 * request.
 */
struct guest_request *malform_send_chain(struct malform *m);
/* Writes a virgl stream: commands of plausible form with random contents, or noise. */
void malform_stream(struct malform *m, struct virgl_stream *stream);
