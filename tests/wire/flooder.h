/* SPDX-License-Identifier: MIT */
/*
 * flooder: a guest's program that asks for one thing without end, as fast as it is answered.
 *
 * All programs of a Linux guest share one ring, and few of their ioctls wait for an answer: a
 * program's commands lie in the ring until it is full, and then each program waits for a place in
 * turn. So what a flooder is, beside what it asks for, is how many of its commands lie in the ring
 * before another program's next one: from 1, of a program that waits for each answer, to nearly all
 * of the ring. The places that are left are the others'.
 *
 * In one way of flooding, what was granted is kept, and more is asked for; in the other all of it
 * is given back at the first refusal, and asked for anew, so that the renderer makes things for
 * ever.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/wire/guest_gpu.h"
#include "tests/wire/virgl_encode.h"

/*
 * These are the flooder's own context and the first id of its resources and of its other contexts.
 */
#define FLOODER_CONTEXT 900
#define FLOODER_BASE 1000

struct flooder;

struct flood {
	const char *name;
	const char *quotas; /* as --quota takes them: where the initial limit is far; or NULL */
	/* Is called once before the first ask() and makes what that needs. May be NULL. */
	void (*prepare)(struct flooder *flooder);
	/*
	 * Puts the commands that ask for one more. The answer to the last of them is the one that
	 * counts.
	 */
	void (*ask)(struct flooder *flooder, uint32_t id);
	/* Puts the commands that give one back. If NULL, all goes when the context is destroyed. */
	void (*give)(struct flooder *flooder, uint32_t id);
	bool is_rate;   /* nothing is kept */
	bool is_work;   /* never refused: what costs is each one */
	bool on_cursor; /* asked for on the cursor queue */
	bool uncached;  /* the driver finds nothing on disk of what it compiles */
	bool leaves;    /* one that is refused leaves something to give back */
};

struct flooder {
	struct guest *guest;
	const struct flood *flood;
	bool anew;        /* gives back at a refusal, and begins anew */
	unsigned window;  /* commands that lie in the ring */
	uint32_t context; /* that its streams are of */
	uint32_t next_id;
	unsigned epoch;  /* of beginning anew */
	GQueue unsent;   /* struct flood_command */
	GQueue sent;     /* the same, oldest first */
	GArray *granted; /* uint32_t: what can be given back */
	uint64_t n_granted, n_refused, n_sent;
	struct guest_backing *memory; /* of prepare() */
};

/* Makes the desktop that is created next one for this flood, as far as its environment goes. */
void flood_set_environment(const struct flood *flood);
/* Begins a flood in a desktop where the neighbour runs already. */
void flooder_init(struct flooder *flooder, struct guest *guest, const struct flood *flood,
	bool anew, unsigned window);
/* Takes answers and fills its part of the ring. Returns true when it put something into it. */
bool flooder_step(struct flooder *flooder);
/* Waits for the answers to all that was sent, and frees what the flooder holds. */
void flooder_finish(struct flooder *flooder);

/* ---- for a flood's functions ---- */

void flooder_put(struct flooder *flooder, const void *command, size_t command_bytes);
/* Puts a SUBMIT_3D of flooder->context with the stream's words; frees these. */
void flooder_put_stream(struct flooder *flooder, struct virgl_stream *stream);
/* Make and destroy FLOODER_CONTEXT. */
void flooder_put_context(struct flooder *flooder);
void flooder_put_no_context(struct flooder *flooder);

/* ---- the table ---- */

extern const struct flood floods[];
extern const unsigned n_floods;
