/* SPDX-License-Identifier: MIT */
/*
 * painters: knows whose drawing ends up on which head.
 *
 * A context paints a head when the resource that the head shows is attached to it. So does a
 * context that shares a resource with a painter: the window of a compositor's client is attached to
 * both. A context that shares nothing (a job that computes, an off-screen renderer) is no painter.
 *
 * Who paints is recomputed at a flush, at most every 250 ms (UPDATE_INTERVAL_NS); sooner if the
 * flushed resource has a context that is not known to paint its heads. Only the gpu thread calls
 * it.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

struct objects;
struct resource;
struct scanouts;

struct painters {
	GHashTable *heads; /* context -> heads, bit n: head n */
	uint64_t updated_ns;
};

void painters_init(struct painters *painters);
void painters_finish(struct painters *painters);
void painters_clear(struct painters *painters);

/*
 * Forgets a context that is destroyed. Another one may get its number, and paints nothing at first.
 */
void painters_forget_context(struct painters *painters, uint32_t context);

/*
 * Recomputes who paints, if it is time, when the guest has flushed `shown`, which heads show. The
 * ledger is told of the contexts that have a head's own resource attached, which a program gets to
 * only as the guest's compositor, or if the compositor shows its picture alone.
 */
void painters_update(struct painters *painters, struct objects *objects,
	const struct scanouts *scanouts, const struct resource *shown, uint64_t now_ns);
/* Returns which heads the context paints; bit n is head n. */
uint32_t painters_get_heads(const struct painters *painters, uint32_t context);
