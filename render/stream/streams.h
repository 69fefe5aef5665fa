/* SPDX-License-Identifier: MIT */
/*
 * streams: checks what guests' programs send in SUBMIT_3D before virglrenderer sees it.
 *
 * virglrenderer trusts much of a stream: slots, offsets, formats, and that what is bound stays
 * alive. So this room keeps, for each virgl context, what it needs to judge the next command: the
 * objects of each sub-context and their kinds, what is bound, and which resources the context has,
 * with their sizes. It is told of resources and contexts by whoever makes them.
 *
 * Each command has one of three fates:
 *
 * - it is passed on;
 * - it is mended: GL allows a program to say it and leaves open what comes of it (a draw whose
 *   indices lie past their buffer, a buffer bound past its end). It becomes what has no effect
 *   beyond the program's own things: a smaller range, an empty slot, a NOP;
 * - it is refused. No driver sends it. What stands before it in the stream is passed on, it and
 *   what follows are not, and the context is lost, as its driver no longer knows its state: all
 *   that it sends from then on is refused, too. Other contexts go on.
 *
 * A command is also refused when it makes more than the guest's quotas allow
 * (render/quota/quota.h).
 *
 * The room is pure state: it has no GL, no I/O, and no log but of a quota that is reached. Only the
 * gpu thread calls it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/stream/fault.h"
#include "render/stream/limits.h"

struct quota_account;
struct streams;

/*
 * The checker needs to know this of a 3D resource. All of it is as it was created, but for the
 * backing.
 */
struct stream_resource {
	uint32_t id;
	uint32_t target, format, bind;
	uint32_t width, height, depth, array_size, last_level;
	uint32_t samples;           /* 0 and 1 are two values for virglrenderer */
	uint32_t pixel_bytes;       /* at least what a pixel takes */
	uint64_t backing_bytes;     /* 0: none */
	uint64_t first_piece_bytes; /* of the backing that lie together */
	bool was_bound;             /* the checker's own: a slot has named it */
};

/*
 * Is called with words for virglrenderer, which are the caller's and valid until the call returns.
 */
typedef void (*stream_submit)(void *user, uint32_t context, uint32_t *words, uint32_t n_words);

struct streams *streams_create(void);
void streams_destroy(struct streams *streams);
/*
 * Allows the formats that a capset announces, a bit for each, besides those that every
 * virglrenderer knows.
 */
void streams_add_formats(struct streams *streams, const uint32_t formats[STREAM_FORMAT_WORDS]);

/* Enters a new resource. The facts are copied. */
void streams_resource_made(struct streams *streams, const struct stream_resource *facts);
void streams_backing_changed(struct streams *streams, uint32_t resource, uint64_t backing_bytes,
	uint64_t first_piece_bytes);
/*
 * The resource is about to be destroyed. virglrenderer 0.10.4 holds no reference to what is bound
 * as a uniform, shader or atomic buffer or as an image, and takes a later resource of the same id
 * for the one that a vertex or index slot has. So each slot that names it, in any sub-context, is
 * emptied by a few words that `submit` is called with, once for each context that has such a slot.
 * Views, surfaces, queries and streamout targets hold references of their own.
 */
void streams_resource_going(
	struct streams *streams, uint32_t resource, stream_submit submit, void *user);

/*
 * A context begins with sub-context 0. What else it makes is taken of its account, which is used
 * until streams_context_gone() begins. That gives nothing back: the account goes, too.
 */
void streams_context_made(struct streams *streams, uint32_t context, struct quota_account *account);
void streams_context_gone(struct streams *streams, uint32_t context);
/* Notes that the context may name the resource, if there is one with that id. */
void streams_attach(struct streams *streams, uint32_t context, uint32_t resource);
void streams_detach(struct streams *streams, uint32_t context, uint32_t resource);

/* Notes that the context is lost, since virglrenderer has refused what the checker passed. */
void streams_lose(struct streams *streams, uint32_t context);
bool streams_is_lost(const struct streams *streams, uint32_t context);

struct stream_passed {
	uint32_t *words; /* the stream's own, changed in places, or a copy with more in it */
	uint32_t n_words;
};

/*
 * Checks a stream of a context that is there. The words must be out of the guest's reach, and may
 * be changed. *passed is what to give to virglrenderer, valid until the next call; it is filled in
 * either way. Returns false when a command is refused: *fault says why, and the context is lost.
 */
bool streams_check(struct streams *streams, uint32_t context, uint32_t *words, uint32_t n_words,
	struct stream_passed *passed, struct stream_fault *fault);
