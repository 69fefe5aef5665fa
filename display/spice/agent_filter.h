/* SPDX-License-Identifier: MIT */
/*
 * agent filter: stands between a SPICE client (spice-server, which speaks for all of them) and the
 * agent in the guest, and is itself the agent for guests that have none. It knows neither
 * spice-server nor QEMU: bytes of both sides are fed to it, and bytes for both are taken out.
 *
 * Chunks (port, size) carry messages (protocol, type, opaque, size) that may span chunks; see
 * spice-protocol's vd_agent.h. Each message is judged by its first bytes (agent_rules.h) when they
 * are there. What passes goes on in chunks of ours as it comes, however long it is; what does not
 * is skipped to its end. So a message that its sender never ends holds up nothing but its sender,
 * and nobody's memory grows. What we say ourselves goes to the guest on the server's port, whose
 * messages are apart from the client's, and to a client between two messages of the guest.
 *
 * Sizes and pointers are ours whether there is an agent in the guest or not; the client is told
 * so, and never anything else that the policy forbids.
 *
 * Threads: one at a time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/spice/limits.h"

struct agent_filter;

/* A side is who says something, or to whom it goes. */
enum agent_side { AGENT_CLIENT, AGENT_GUEST, AGENT_SIDES };

/* What may pass between the two. "In" is from the client to the guest. */
struct agent_policy {
	bool clipboard_in, clipboard_out;
	uint32_t clipboard_max_bytes; /* of one copy */
	unsigned clipboard_kinds;     /* WORKER_CLIPBOARD_... of protocol/worker_options.h */
	bool files;                   /* that are dropped into the client's window */
};

struct agent_filter_ops {
	/* Gives a VDAgentMouseState of the client, which is at least as long as one. */
	void (*pointer)(void *user, const uint8_t *body);
	/* Says that the guest's agent has said what it can do. */
	void (*announced)(void *user);
};

/* It begins without an agent in the guest. The policy is copied; ops stay the caller's. */
struct agent_filter *agent_filter_create(
	const struct agent_policy *policy, const struct agent_filter_ops *ops, void *user);
/* NULL is fine. */
void agent_filter_destroy(struct agent_filter *filter);

/*
 * Says whether the guest's agent answers clients from now on. Until then what it says goes no
 * further. What either is in the middle of saying stays behind; files that were on their way are
 * cancelled.
 */
void agent_filter_set_guest(struct agent_filter *filter, bool has_agent);
/* Forgets what this side has said in part, and what waits for it: its connection is a new one. */
void agent_filter_forget(struct agent_filter *filter, enum agent_side side);

/* Says how many bytes of this side may be fed; 0: the other side is to take some before. */
size_t agent_filter_room(const struct agent_filter *filter, enum agent_side side);
/*
 * Takes the next bytes that this side says. Returns false when they cannot be an agent's: then the
 * side is to begin anew (agent_filter_forget).
 */
bool agent_filter_feed(
	struct agent_filter *filter, enum agent_side side, const uint8_t *bytes, size_t n_bytes);
/* Says whether this side is in the middle of a message, and how many bytes it has said so far. */
bool agent_filter_is_inside(const struct agent_filter *filter, enum agent_side side);
uint64_t agent_filter_said(const struct agent_filter *filter, enum agent_side side);

/* Gives the bytes that are for this side, until the next call of any other function here. */
const uint8_t *agent_filter_peek(
	const struct agent_filter *filter, enum agent_side side, size_t *n_bytes);
/* Says that so many of these bytes were taken. */
void agent_filter_take(struct agent_filter *filter, enum agent_side side, size_t n_bytes);

/* Asks the guest's agent, if there is one at the port, what it can do. */
void agent_filter_ask(struct agent_filter *filter);
/* Tells the guest's agent something on the server's port. At most AGENT_FILTER_BODY_MAX bytes. */
void agent_filter_tell_guest(
	struct agent_filter *filter, uint32_t type, const void *body, size_t size_bytes);
