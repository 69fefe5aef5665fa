/* SPDX-License-Identifier: MIT */
/*
 * upgrade exchanges the renderer under a running guest for one of the build that lies on disk now
 * (protocol/upgrade_request.h).
 *
 *   idle ──asked──► starting ──a spare of the new build is ready──► border ──► taking ──► idle
 *                      │ it does not come to that                     │ it ends, or takes too long
 *                      └──────────► refused             undone ◄──────┘
 *
 * The old renderer works until the new one is ready. The border is a moment at which its gpu thread
 * sleeps and the GPU has nothing of it to do, so that no command is cut off; where none comes for
 * UPGRADE_BORDER_MS there is none. What OpenGL had drawn is lost as by any renderer's end. When the
 * new one cannot take over, the starter's program is the old one again.
 *
 * Display stays: its clients would be cut off. Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "protocol/upgrade_request.h"
#include "server/keeper/renderer.h"

enum upgrade_state { UPGRADE_IDLE, UPGRADE_STARTING, UPGRADE_BORDER, UPGRADE_TAKING };

struct upgrade {
	struct renderer *renderer;
	enum upgrade_state state;
	int asker; /* who waits for the answer; -1: nobody */
	unsigned timer;
	int64_t state_us; /* when the state was entered */
	int64_t pause_us; /* when the old renderer was ended */
	uint32_t starts;  /* of renderers, when it began, and when it crossed */
};

#define UPGRADE_NONE ((struct upgrade){ .asker = -1 })

void upgrade_init(struct upgrade *upgrade, struct renderer *renderer);
void upgrade_finish(struct upgrade *upgrade);
/* Begins, or refuses. `asker` becomes the upgrade's. */
void upgrade_ask(struct upgrade *upgrade, const struct upgrade_request *request, int asker);
