/* SPDX-License-Identifier: MIT */
/*
 * ledger_book: the renderer's entries in the guest ledger (protocol/ledger.h).
 *
 * What is written here is what a successor rebuilds from. The ring part is written by virtqueue.c;
 * everything else by the gpu thread alone. Without a ledger (unit tests) every call does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"

struct ledger_book;

/*
 * Maps the ledger behind fd (stays the caller's). A fresh one is filled in; one of another version
 * is emptied, as nothing in it can be understood. NULL with a log line when it cannot be mapped.
 */
struct ledger_book *ledger_book_open(int fd);
void ledger_book_close(struct ledger_book *book);

/* The ring's entries, for virtqueue_set_ledger(). */
struct ledger_ring *ledger_book_get_ring(struct ledger_book *book, unsigned ring);
/* What a successor reads: everything in it is untrusted. NULL when book is NULL. */
const struct ledger *ledger_book_peek(const struct ledger_book *book);

/* Empties everything but the rings. */
void ledger_book_clear_objects(struct ledger_book *book);

void ledger_book_add_resource(struct ledger_book *book, const struct ledger_resource *resource);
void ledger_book_remove_resource(struct ledger_book *book, uint32_t id);
/* Records backing pages; replaces what was recorded. n_entries 0: detached. */
void ledger_book_set_backing(struct ledger_book *book, uint32_t id,
	const struct ledger_backing *entries, uint32_t n_entries);
void ledger_book_add_context(struct ledger_book *book, uint32_t id, const char name[64]);
/* A head shows what the context has attached. That is remembered for as long as it exists. */
void ledger_book_note_painted(struct ledger_book *book, uint32_t id);
void ledger_book_remove_context(struct ledger_book *book, uint32_t id);
/* True when the keeper has said that no context of this name is to be made now. */
bool ledger_book_is_refused(
	const struct ledger_book *book, const char name[LEDGER_NAME_BYTES], uint64_t now_ns);
/* The guest is new: nothing is refused any more. */
void ledger_book_clear_refusals(struct ledger_book *book);
/* scanout->resource is 0 for a head that is off. */
void ledger_book_set_scanout(
	struct ledger_book *book, unsigned head, const struct ledger_scanout *scanout);
