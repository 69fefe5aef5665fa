/* SPDX-License-Identifier: MIT */
/*
 * turn: counts one command in what programs make each other wait for (render/quota/making.h).
 *
 * It measures how long each command takes that makes something, finds out whose that is, and lets
 * those that draw or show come to their turn. Linux makes contexts and resources without saying for
 * whom; a resource's program is the first that attaches it. It is for the files of this room only.
 */
#pragma once

#include <stdint.h>

struct objects;
struct virtio_gpu_ctrl_hdr;

/* Says what a command makes or does, and for whom. */
enum turn_kind {
	TURN_IS_NOTHING,
	TURN_MAKES_FOR_GUEST,   /* a context, or it takes away */
	TURN_MAKES_RESOURCE,    /* somebody's, who attaches it */
	TURN_MAKES_FOR_CONTEXT, /* of its header */
	TURN_ATTACHES,          /* a resource to that context */
	TURN_DRAWS,             /* for that context, and may make something */
	TURN_SHOWS,             /* a resource */
};

struct turn {
	enum turn_kind kind;
	uint32_t context, resource;
	uint64_t began_ns;
	uint64_t n_made, n_refused; /* before */
	uint64_t compiled_ns;       /* the same */
};

/*
 * Is called before the command is handled. `header` begins its fixed part, which is as long as the
 * table says.
 */
void turn_begin(struct turn *turn, enum turn_kind kind, struct objects *objects,
	const struct virtio_gpu_ctrl_hdr *header);
void turn_end(const struct turn *turn, struct objects *objects);
/* Lets a context come to its turn without a command: it has waited for an answer. */
void turn_take(struct objects *objects, uint32_t context);
