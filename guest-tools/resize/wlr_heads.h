/* SPDX-License-Identifier: MIT */
/* wlr_heads is what a compositor has said of its heads and their modes. */
#pragma once

#include "guest-tools/resize/wish.h"
#include "guest-tools/resize/limits.h"
#include "guest-tools/common/wire.h"

struct wlr_mode {
	uint32_t id, head;
	struct resize_mode mode;
};

struct wlr_head {
	uint32_t id;
	char name[64];
	bool enabled;
	uint32_t current; /* its mode's id, or 0 */
	int32_t x, y, transform;
	uint32_t scale; /* in parts of 256 */
	/* What was acted upon last: what a person sets by hand after that is left alone. */
	struct resize_mode told;
	struct resize_mode want; /* the same, as far as the compositor can */
	/* It was asked for, and no current mode said since then: wlroots tells of none that was
	 * made. */
	bool made;
};

struct wlr_heads {
	unsigned n_heads, n_modes;
	struct wlr_head heads[HEADS_MAX];
	struct wlr_mode modes[MODES_MAX];
};

/* The manager has named a new head. */
void wlr_heads_add(struct wlr_heads *heads, uint32_t id);
/* An event of a head or a mode. Gives false when it is of neither. */
bool wlr_heads_take(struct wlr_heads *heads, struct wire_event *event);
/* NULL: there is none. */
const struct wlr_mode *wlr_heads_current(
	const struct wlr_heads *heads, const struct wlr_head *head);
/* The head's own mode that is what is wished; NULL: it must be made. */
const struct wlr_mode *wlr_heads_find(
	const struct wlr_heads *heads, const struct wlr_head *head, const struct resize_mode *wish);
