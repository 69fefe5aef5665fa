/* SPDX-License-Identifier: MIT */
/*
 * spice agent: is the agent that clients speak to, and leads to the one in the guest.
 *
 * SPICE clients ask for other monitor sizes, and say on which of several heads the pointer is, only
 * when there is an agent. Neither needs help from inside the guest here, so clients always find
 * one, which takes sizes and pointers. When the guest's own agent has its port open and says what
 * it can do, clients get that as well: what they and it say passes through the agent filter, which
 * knows the policy. When it goes, or says what makes no sense, or stands still in the middle,
 * clients find the first one again. Each change is an agent's end and another one's beginning for
 * clients and spice-server, so that neither keeps half a message.
 *
 * Sizes never get here: spice-server hands them to the heads (spice_head_wanted). The guest's agent
 * is told them by spice_agent_send_monitors().
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/spice/agent_filter.h"
#include "protocol/frame_link.h"

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
	/* These three do what dbus_chardev_send(), _resume() and _renew() do. */
	size_t (*send_guest)(void *user, const uint8_t *bytes, size_t n_bytes);
	void (*resume_guest)(void *user);
	void (*renew_guest)(void *user);
};

/* The policy is copied. Returns NULL when spice-server refuses (logged). */
struct spice_agent *spice_agent_create(struct RedsState *server, const struct agent_policy *policy,
	const struct spice_agent_ops *ops, void *user);
/* Must be called after the server was destroyed. NULL is fine. */
void spice_agent_destroy(struct spice_agent *agent);

/*
 * Says whether clients send pointers this way from now on: with several heads a tablet cannot say
 * on which one it is.
 */
void spice_agent_set_pointer(struct spice_agent *agent, bool on);

/*
 * These are for the guest's port, and do what dbus_chardev_ops says. None of them may be called
 * while spice-server calls something here.
 */
void spice_agent_guest_opened(struct spice_agent *agent, bool is_open);
size_t spice_agent_guest_room(struct spice_agent *agent);
void spice_agent_guest_said(struct spice_agent *agent, const uint8_t *bytes, size_t n_bytes);
void spice_agent_guest_writable(struct spice_agent *agent);

/*
 * Tells the guest's agent, now and whenever one comes, which monitors the client wishes for: on
 * Xorg the guest's kernel offers them, and nobody else takes them.
 */
void spice_agent_send_monitors(
	struct spice_agent *agent, const struct frame_head_mode *heads, unsigned n_heads);
