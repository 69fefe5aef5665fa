/* SPDX-License-Identifier: MIT */
/*
 * ledger_memory is the keeper's side of protocol/ledger.h. The keeper makes the memory, gives it to
 * each renderer in turn, and reads ring positions from it when a renderer can no longer be asked.
 *
 * The keeper writes only where no renderer does: to a ring that is stopped, or to the whole ledger
 * when no renderer process exists.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"

struct ledger_memory {
	int fd;
	struct ledger *map;
	/* As it was when the process that runs got it, but for rings and refusals. */
	struct ledger *saved;
	bool is_saved;
	unsigned n_restored; /* in a row */
};

bool ledger_memory_init(struct ledger_memory *memory, GError **error);
void ledger_memory_finish(struct ledger_memory *memory);

/* Forgets everything, because the guest's driver is new. */
void ledger_memory_clear(struct ledger_memory *memory);

/*
 * A renderer clears the ledger and writes it anew while it rebuilds, so one that ends meanwhile
 * leaves half of it. It is saved before each gets it; when one has ended before it had rebuilt it
 * is as it was again. That is so LEDGER_RESTORES_MAX times in a row, since what it lists may be
 * what ends them. ledger_memory_forget_saved(): the guest is new, or all is rebuilt.
 */
void ledger_memory_save(struct ledger_memory *memory);
void ledger_memory_restore(struct ledger_memory *memory);
void ledger_memory_forget_saved(struct ledger_memory *memory);

/* Gives what the ledger says of a context, by its slot, and false past the last slot. */
bool ledger_memory_read_context(
	const struct ledger_memory *memory, unsigned slot, struct ledger_context *context);

/* Gives false when there is no such context. */
bool ledger_memory_find_name(
	const struct ledger_memory *memory, uint32_t context, char name[LEDGER_NAME_BYTES]);
/*
 * These three are called when no renderer process exists: the next one does not make the context,
 * or none of this name, or none whose picture no head has shown. The last says how many that were.
 */
void ledger_memory_lose_context(struct ledger_memory *memory, uint32_t context);
void ledger_memory_lose_name(struct ledger_memory *memory, const char name[LEDGER_NAME_BYTES]);
unsigned ledger_memory_lose_unseen(struct ledger_memory *memory);
/*
 * Gives the LEDGER_REFUSALS_MAX slots of refusals, which the keeper writes while no renderer
 * process exists.
 */
struct ledger_refusal *ledger_memory_get_refusals(struct ledger_memory *memory);
/*
 * Gives a context's name as text that can be printed, which the caller frees, or NULL when there is
 * no such context.
 */
char *ledger_memory_name_context(const struct ledger_memory *memory, uint32_t context);

uint16_t ledger_memory_read_next_avail(const struct ledger_memory *memory, unsigned ring);
uint16_t ledger_memory_read_next_used(const struct ledger_memory *memory, unsigned ring);
void ledger_memory_write_next_avail(
	struct ledger_memory *memory, unsigned ring, uint16_t next_avail);
