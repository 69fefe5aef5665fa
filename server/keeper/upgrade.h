/* SPDX-License-Identifier: MIT */
/*
 * upgrade exchanges both workers under a running guest for those of the build that lies on disk now
 * (protocol/upgrade_request.h). One whose program is still the same file stays.
 *
 *   idle ──asked──► starting ──spares of the new build are ready──► border ──► taking ──► trying
 *                      │ they do not come to that                     they end, │ or take   │
 *                      └──────────► refused             undone ◄─────── too long┴───────────┤
 *                                                       done ◄────── both have worked a while
 *
 * What the new programs keep to is read from their files before anything is touched
 * (protocol/contracts.h). The old workers work until the new ones are ready. The border is a moment
 * at which the renderer's gpu thread sleeps and the GPU has nothing of it to do, so that no command
 * is cut off; where none comes for UPGRADE_BORDER_MS there is none. There both are exchanged at
 * once. What OpenGL had drawn is lost as by any renderer's end; display sends its clients to the
 * new one (viewer_switch()).
 *
 * Both workers are of one build: when one cannot take over the starter's programs are the old ones
 * again, and both go back. Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "protocol/upgrade_request.h"
#include "server/keeper/renderer.h"
#include "server/keeper/viewer.h"

enum upgrade_state {
	UPGRADE_IDLE,
	UPGRADE_STARTING,
	UPGRADE_BORDER,
	UPGRADE_TAKING,
	UPGRADE_TRYING,
};

enum { UPGRADE_RENDERER, UPGRADE_DISPLAY, UPGRADE_PARTS };

/* One of the workers, in this upgrade. */
struct upgrade_part {
	struct worker *worker;
	const char *name; /* for people */
	bool changes;     /* its program is another one now */
	uint32_t starts;  /* of processes, when it began, and when it crossed */
	uint32_t away_us; /* from the crossing until it was there again; 0: it is not yet */
};

struct upgrade {
	struct renderer *renderer;
	struct viewer *viewer;
	struct upgrade_part parts[UPGRADE_PARTS];
	enum upgrade_state state;
	int asker; /* who waits for the answer; -1: nobody */
	unsigned timer;
	int64_t state_us; /* when the state was entered */
	int64_t cross_us; /* when the old workers were ended */
	uint32_t n_lost;  /* of the renderer's, at that time */
};

#define UPGRADE_NONE ((struct upgrade){ .asker = -1 })

void upgrade_init(struct upgrade *upgrade, struct renderer *renderer, struct viewer *viewer);
void upgrade_finish(struct upgrade *upgrade);
/* Begins, or refuses. `asker` becomes the upgrade's. */
void upgrade_ask(struct upgrade *upgrade, const struct upgrade_request *request, int asker);
