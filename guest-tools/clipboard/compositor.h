/* SPDX-License-Identifier: MIT */
/*
 * compositor is a client of the Wayland compositor that reads and sets the clipboards: it has no
 * window and no focus, which ext-data-control-v1, or wlroots' protocol of before, does without.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest-tools/clipboard/limits.h"
#include "guest-tools/common/wire.h"

/* As spice-vdagentd counts them. */
enum selection { SELECTION_CLIPBOARD, SELECTION_PRIMARY, SELECTIONS };

/* Kinds of content are VD_AGENT_CLIPBOARD_... of SPICE's vd_agent.h. */
#define KIND_NONE 0
#define KIND_TEXT 1
#define KINDS 6 /* the last is JPEG */

struct compositor_ops {
	/* Says that a program of the guest has copied these kinds (bits), or, with 0, nothing. */
	void (*copied)(void *user, enum selection selection, unsigned kinds);
	/* Says that one pastes what the client has; the descriptor is the callee's. */
	void (*pastes)(void *user, enum selection selection, unsigned kind, int fd);
	/* Says how large the desktop is. */
	void (*resized)(void *user, uint32_t width, uint32_t height);
};

struct program_offer {
	uint32_t id; /* 0: a free place */
	unsigned kinds;
	bool is_ours; /* it comes back from the compositor */
	char mimes[KINDS][64];
};

struct compositor {
	struct wire wire;
	const struct compositor_ops *ops;
	void *user;
	uint32_t registry, seat, manager, device, output;
	bool is_ext; /* the manager is of ext-data-control-v1 */
	unsigned manager_version;
	uint32_t barrier; /* a callback; 0: the globals are known */
	struct program_offer offers[OFFERS_MAX];
	unsigned next_offer;
	uint32_t current[SELECTIONS]; /* the guest's offer; 0: none */
	uint32_t sources[SELECTIONS]; /* the client's; 0: none */
};

/* Gives NULL, or what is missing. */
const char *compositor_open(
	struct compositor *compositor, const struct compositor_ops *ops, void *user);
/* Does what has come. Gives false when the compositor has left. */
bool compositor_handle(struct compositor *compositor);

/* Has programs paste what the client has, of these kinds; 0: nothing. */
bool compositor_offer(struct compositor *compositor, enum selection selection, unsigned kinds);
/* Gives a descriptor to read what was copied, or -1. */
int compositor_paste(struct compositor *compositor, enum selection selection, unsigned kind);
