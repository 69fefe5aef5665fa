/* SPDX-License-Identifier: MIT */
/*
 * agent rules: knows what each message between a client and an agent is, from which side it may
 * come, how long it may be, and what the policy says of it. Only what stands in its table passes.
 *
 * It is the agent filter's other half; agent_filter.c cuts, joins and keeps bytes.
 *
 * Threads: one at a time.
 */
#pragma once

#include <spice/vd_agent.h>

#include "display/spice/agent_filter.h"

/* Who may send a message of a kind: VDP_CLIENT_PORT but for the last, which is spice-server. */
#define AGENT_BY_CLIENT (1u << 0)
#define AGENT_BY_GUEST (1u << 1)
#define AGENT_BY_SERVER (1u << 2)

/* What filter and rules share of a conversation. */
struct agent_talk {
	struct agent_policy policy;
	const struct agent_filter_ops *ops;
	void *user;
	bool has_guest;
	/* What each side was told that the other can do, by which it speaks and reads. */
	uint32_t told[AGENT_SIDES][VD_AGENT_CAPS_SIZE];
	/* Files that are on their way to the guest. */
	uint32_t files[AGENT_FILES_MAX];
	unsigned n_files;
};

/* A message whose first bytes are there. Rules may change these and, of a whole one, its size. */
struct agent_message {
	uint32_t type;
	uint32_t size_bytes; /* of the whole body */
	uint8_t *body;
	uint32_t n_bytes; /* of it that are at `body` */
};

struct agent_rule {
	uint32_t type;
	unsigned by;
	uint32_t min_bytes;
	/* So many bytes of a body are needed to judge; 0: all, and it may be as long as `body`. */
	uint32_t head_bytes;
	bool (*judge)(struct agent_filter *filter, struct agent_talk *talk, enum agent_side from,
		struct agent_message *message);
};

/* Gives NULL for what may not come from there. */
const struct agent_rule *agent_rule_find(uint32_t type, unsigned by);

/* Tells the client that its files do not arrive. */
void agent_rules_cancel_files(struct agent_filter *filter, struct agent_talk *talk);

/* Says that this side is to be told something, as agent_filter_tell_guest() does. */
void agent_filter_tell(struct agent_filter *filter, enum agent_side side, uint32_t type,
	const void *body, size_t size_bytes);
/* Says that what the client was saying ends in the middle, because it has left. */
void agent_filter_client_left(struct agent_filter *filter);
