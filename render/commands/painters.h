/* SPDX-License-Identifier: MIT */
/*
 * painters: whose drawing ends up on which head.
 *
 * A context paints a head when the resource that the head shows is attached to it; and so do
 * contexts that share a resource with one that paints: the windows of a compositor's clients are
 * attached to both. What has nothing in common with the picture (a job that computes, an off-screen
 * renderer) is no painter. Who is one is looked up again at a flush, now and then. gpu thread only.
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

/* The context has gone; its number may come again. */
void painters_forget_context(struct painters *painters, uint32_t context);

/* The heads show what they show now. */
void painters_update(struct painters *painters, const struct objects *objects,
	const struct scanouts *scanouts, const struct resource *shown, uint64_t now_ns);
/* The heads that the context paints. */
uint32_t painters_get_heads(const struct painters *painters, uint32_t context);
