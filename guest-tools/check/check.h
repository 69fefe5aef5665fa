/* SPDX-License-Identifier: MIT */
/*
 * A check is one question asked of the guest.
 *
 * Every group file exports a table of checks. checks.c lists the tables in the order of dependence,
 * hardware first, so that the first failure names the root of those after it. A run function judges
 * the facts in struct guest (guest.h), or tries something out, and writes what it found into its
 * finding.
 *
 * A check runs in a room. Checks that load Mesa share a child process, since a broken driver may
 * end the process or hang; the finding that was being worked on then says so. Findings live in
 * memory that parent and child share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest-tools/check/finding.h"
#include "guest-tools/check/guest.h"

#define CHECKS_MAX 96

/* A check needs these. One whose need is not met is skipped, with the reason. */
enum check_need {
	CHECK_NEEDS_GPU = 1 << 0,    /* There is a virtio-gpu device on a bus. */
	CHECK_NEEDS_CARD = 1 << 1,   /* Its driver made a card node. */
	CHECK_NEEDS_RENDER = 1 << 2, /* The render node opens. */
	CHECK_NEEDS_3D = 1 << 3,     /* The kernel says that 3D is there. */
	CHECK_NEEDS_GL = 1 << 4,     /* There is a GL context, and no software driver behind it. */
	CHECK_NEEDS_OPEN_CARD = 1 << 5, /* This user may open the card node. */
	CHECK_NEEDS_SCREEN = 1 << 6,    /* The check may take the display for a moment. */
	CHECK_NEEDS_ROOT = 1 << 7,
};

enum check_room {
	CHECK_ROOM_SELF,
	CHECK_ROOM_GL,     /* A child process loads Mesa and draws the scenes. */
	CHECK_ROOM_SCREEN, /* A child process takes the display. */
};

struct check {
	const char *id; /* An id reads group.name. */
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
	const struct check *checks; /* The table ends with a row of zeros. */
};

extern const struct check_group check_groups[];
extern const size_t check_groups_length;

/* Gives the check of this running number through all groups, or NULL past the last one. */
const struct check *check_at(size_t index);
const struct check *check_find(const char *id);
/*
 * Does `id` match a comma-separated list of ids and groups? An empty or NULL list matches all ids.
 */
bool check_selected(const char *id, const char *list);

/*
 * A run gives all of this. check_run makes it in shared memory, and it stays for the life of the
 * process.
 */
struct check_results {
	struct guest guest;
	struct finding findings[CHECKS_MAX];
	bool selected[CHECKS_MAX];
	/* This check is being worked on: it is to blame when the child process dies. */
	size_t current;
	double duration_ms;
};

struct check_results *check_run(const char *only, bool hands_off);
