/* SPDX-License-Identifier: MIT */
/* notice is one line in which the host says which contexts were lost (protocol/guest_lost.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/guest_lost.h"

struct notice_context {
	uint32_t id;
	bool has_painted, is_blamed;
	char name[GUEST_LOST_NAME_BYTES + 1];
};

struct notice {
	uint64_t serial, n_untold;
	char cause[16];
	unsigned n_lost;     /* contexts in all */
	unsigned n_contexts; /* that are named here */
	struct notice_context contexts[GUEST_LOST_CONTEXTS_MAX];
};

/* Reads a line without its newline. Gives false when it is no notice of our version. */
bool notice_parse(struct notice *notice, const char *line, size_t length);
/* Says whether this line has sessions locked, and is no notice. */
bool notice_is_lock(const char *line, size_t length);
/* Gives the cause for people, such as "the renderer crashed". */
const char *notice_describe_cause(const struct notice *notice);
/* Says whether the renderer goes on, and has refused what was drawn in the context. */
bool notice_is_refused(const struct notice *notice);
/* Is this the name of a lost context? The kernel cuts a thread's name at 15 bytes. */
const struct notice_context *notice_find_name(const struct notice *notice, const char *name);
