/* SPDX-License-Identifier: MIT */
/*
 * ledger_book: writes the renderer's entries in the guest ledger (protocol/ledger.h).
 *
 * A successor rebuilds its objects from what is written here. The ring part is written by
 * virtqueue.c, and everything else by the gpu thread alone. Without a ledger (unit tests) every
 * call does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"

struct ledger_book;

/*
 * Maps the ledger behind fd, which stays the caller's. A fresh ledger is filled in; one of another
 * version is emptied, since nothing in it can be understood. Returns NULL, which is logged, when it
 * cannot be mapped.
 */
struct ledger_book *ledger_book_open(int fd);
void ledger_book_close(struct ledger_book *book);

/* Returns the ring's entries, for virtqueue_set_ledger(). They stay the book's. */
struct ledger_ring *ledger_book_get_ring(struct ledger_book *book, unsigned ring);
/*
 * Returns the ledger itself, which stays the book's; NULL when book is NULL. A rebuild reads it and
 * trusts nothing in it.
 */
const struct ledger *ledger_book_peek(const struct ledger_book *book);

/* Empties everything but the rings and the refusals. */
void ledger_book_clear_objects(struct ledger_book *book);

void ledger_book_add_resource(struct ledger_book *book, const struct ledger_resource *resource);
void ledger_book_remove_resource(struct ledger_book *book, uint32_t id);
/* Records backing pages in place of what was recorded. With n_entries 0 the backing is detached. */
void ledger_book_set_backing(struct ledger_book *book, uint32_t id,
	const struct ledger_backing *entries, uint32_t n_entries);
void ledger_book_add_context(struct ledger_book *book, uint32_t id, const char name[64]);
/*
 * Notes that a head shows what the context has attached. That is remembered for as long as the
 * context exists.
 */
void ledger_book_note_painted(struct ledger_book *book, uint32_t id);
void ledger_book_remove_context(struct ledger_book *book, uint32_t id);
/* Returns true when the keeper has said that no context of this name is to be made now. */
bool ledger_book_is_refused(
	const struct ledger_book *book, const char name[LEDGER_NAME_BYTES], uint64_t now_ns);
/* Forgets all refusals, since the guest is new. */
void ledger_book_clear_refusals(struct ledger_book *book);
/* Records what a head shows. scanout->resource is 0 for a head that is off. */
void ledger_book_set_scanout(
	struct ledger_book *book, unsigned head, const struct ledger_scanout *scanout);
