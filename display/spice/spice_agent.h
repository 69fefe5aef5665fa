/* SPDX-License-Identifier: MIT */
/*
 * spice agent: an agent for guests that have none. SPICE clients ask for other monitor sizes, and
 * say on which of several heads the pointer is, only when there is an agent. What they ask needs no
 * help from inside the guest here, so this one lives in display: it says that it takes sizes and
 * pointers, that it takes no files, and nothing about clipboards.
 *
 * Sizes never get here: spice-server hands them to the heads (spice_head_wanted).
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct RedsState;
struct spice_agent;

struct spice_agent_ops {
	/* Pixel of a head. */
	void (*pointer)(void *user, unsigned head, int32_t x, int32_t y);
	/* All that are down, as in inputs_set_buttons. */
	void (*buttons)(void *user, uint32_t buttons);
	/* Steps, negative: up. */
	void (*wheel)(void *user, int steps);
};

/* NULL when spice-server refuses. */
struct spice_agent *spice_agent_create(
	struct RedsState *server, const struct spice_agent_ops *ops, void *user);
/* After the server was destroyed. */
void spice_agent_destroy(struct spice_agent *agent);

/* Whether pointers come this way: with several heads, where a tablet cannot tell which. */
void spice_agent_set_pointer(struct spice_agent *agent, bool on);
