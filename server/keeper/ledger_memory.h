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

struct ledger;

struct ledger_memory {
	int fd;
	struct ledger *map;
};

bool ledger_memory_init(struct ledger_memory *memory, GError **error);
void ledger_memory_finish(struct ledger_memory *memory);

/* Forgets everything, because the guest's driver is new. */
void ledger_memory_clear(struct ledger_memory *memory);

/* The name of a context that exists, as text that can be printed; NULL: there is no such context.
 */
char *ledger_memory_name_context(const struct ledger_memory *memory, uint32_t context);

uint16_t ledger_memory_read_next_avail(const struct ledger_memory *memory, unsigned ring);
void ledger_memory_write_next_avail(
	struct ledger_memory *memory, unsigned ring, uint16_t next_avail);
