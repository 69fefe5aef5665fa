/* SPDX-License-Identifier: MIT */
/*
 * spice agent: serves as the agent for guests that have none. SPICE clients ask for other monitor
 * sizes, and say on which of several heads the pointer is, only when there is an agent. Neither
 * needs help from inside the guest here, so this agent lives in display. It announces that it takes
 * sizes and pointers and no files, and it announces no clipboard.
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
	/*
	 * Says that the pointer is at this pixel of a head. A client makes up all three numbers, so
	 * they may be any.
	 */
	void (*pointer)(void *user, unsigned head, int32_t x, int32_t y);
	/* Says which buttons are down, as inputs_set_buttons() takes them. */
	void (*buttons)(void *user, uint32_t buttons);
	/* Says that the wheel has turned by so many steps; below 0 is up. */
	void (*wheel)(void *user, int steps);
};

/* Returns NULL when spice-server refuses (logged). */
struct spice_agent *spice_agent_create(
	struct RedsState *server, const struct spice_agent_ops *ops, void *user);
/* Must be called after the server was destroyed. NULL is fine. */
void spice_agent_destroy(struct spice_agent *agent);

/*
 * Says whether clients send pointers this way from now on: with several heads a tablet cannot say
 * on which one it is.
 */
void spice_agent_set_pointer(struct spice_agent *agent, bool on);
