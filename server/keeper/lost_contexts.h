/* SPDX-License-Identifier: MIT */
/*
 * lost_contexts remembers which of the guest's contexts went with a renderer, and writes it down as
 * the guest is told it (protocol/guest_lost.h).
 *
 * The keeper makes a new renderer's contexts from the ledger, but empty, so each one that there was
 * is lost. What is read of the ledger a renderer has written, and it is not trusted: a name may be
 * any bytes.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/keeper/ledger_memory.h"
#include "server/keeper/worker_end.h"

struct lost_context {
	uint32_t id;
	bool has_painted; /* a head has shown a resource that was attached to it */
	bool is_blamed;   /* the renderer ended in its work */
	bool is_refused;  /* it is not made again, not even empty */
	char name[LEDGER_NAME_BYTES];
};

struct lost_contexts {
	unsigned n;
	const char *cause; /* one of GUEST_LOST_CAUSES; NULL while nothing is lost */
	struct lost_context contexts[LEDGER_CONTEXTS_MAX];
};

/*
 * Adds all contexts of the ledger, when no renderer process exists and nobody has been judged yet.
 * One that is there already stays as it is, and so does the cause.
 */
void lost_contexts_add(
	struct lost_contexts *lost, const struct ledger_memory *ledger, enum worker_end end);
/* Adds this one context, because its work was refused, if the ledger has it. */
void lost_contexts_add_refused(
	struct lost_contexts *lost, const struct ledger_memory *ledger, uint32_t context);
/* Marks this context as the one whose work it was, and those that the ledger has no more. */
void lost_contexts_judge(
	struct lost_contexts *lost, const struct ledger_memory *ledger, uint32_t blamed);
/* Forgets all, because the guest has been told, or is new. */
void lost_contexts_clear(struct lost_contexts *lost);

/* Gives the line with its newline. The caller frees it. */
char *lost_contexts_write(const struct lost_contexts *lost, uint64_t serial, uint64_t n_untold);
