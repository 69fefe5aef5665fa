/* SPDX-License-Identifier: MIT */
/*
 * check: one question asked of the guest, and what was found.
 *
 * Every group file exports a table of checks; checks.c lists the tables in the order of dependence,
 * hardware first, so that the first failure names the root of what fails after it. A run function
 * judges the facts in struct guest (guest.h) or tries something out, and ends with exactly one of
 * finding_pass, _warn, _fail or _skip.
 *
 * Rooms. Checks that load Mesa run in a child process of their own (`room`), since a broken driver
 * may end the process or hang; the finding it was working on then says so. Findings live in memory
 * that both share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest-tools/check/finding.h"
#include "guest-tools/check/guest.h"

#define CHECKS_MAX 96

/* What a check cannot do without; a check whose need is not met is skipped with the reason. */
enum check_need {
	CHECK_NEEDS_GPU = 1 << 0,       /* a virtio-gpu device on a bus */
	CHECK_NEEDS_CARD = 1 << 1,      /* its driver made a card node */
	CHECK_NEEDS_RENDER = 1 << 2,    /* the render node opens */
	CHECK_NEEDS_3D = 1 << 3,        /* the kernel says 3D is there */
	CHECK_NEEDS_GL = 1 << 4,        /* a GL context was made, and not by a software driver */
	CHECK_NEEDS_OPEN_CARD = 1 << 5, /* this user may open the card node */
	CHECK_NEEDS_SCREEN = 1 << 6,    /* allowed to take the display for a moment */
	CHECK_NEEDS_ROOT = 1 << 7,
};

enum check_room {
	CHECK_ROOM_SELF,
	CHECK_ROOM_GL,     /* Mesa and the scenes */
	CHECK_ROOM_SCREEN, /* takes the display */
};

struct check {
	const char *id; /* group.name */
	const char *title;
	unsigned needs;
	enum check_room room;
	const char *expected;
	const char *why;
	void (*run)(struct guest *guest, struct finding *finding);
};

struct check_group {
	const char *name;
	const char *title;
	const struct check *checks; /* ends with a row of zeros */
};

extern const struct check_group check_groups[];
extern const size_t check_groups_length;

/* The checks of all groups by running number; NULL past the end. */
const struct check *check_at(size_t index);
const struct check *check_find(const char *id);
/* Does `id` match a comma-separated list of ids and groups? An empty or NULL list matches all. */
bool check_selected(const char *id, const char *list);

/* Everything a run gives; from check_run, in shared memory, for the life of the process. */
struct check_results {
	struct guest guest;
	struct finding findings[CHECKS_MAX];
	bool selected[CHECKS_MAX];
	size_t current; /* being worked on: who is to blame when a room's process dies */
	double duration_ms;
};

struct check_results *check_run(const char *only, bool hands_off);
