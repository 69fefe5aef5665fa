/* SPDX-License-Identifier: MIT */
/*
 * gpu_candidates are what a desktop may be drawn with, in the order in which they are tried: the
 * render nodes of the machine or the one that was named, and the CPU behind them. They are found
 * once, before anything of the desktop runs, since all command lines of its workers are made then.
 */
#pragma once

#include <stdbool.h>

#include "server/desktop/desktop.h"

/* So many nodes are tried at most, which no machine of one user has; more are left out. */
#define GPU_NODES_MAX 16
#define GPU_CANDIDATES_MAX (GPU_NODES_MAX + 1)

struct gpu_candidates {
	char *nodes[GPU_CANDIDATES_MAX]; /* NULL: the CPU, or for a plain 2D GPU nothing */
	unsigned n;
	bool named; /* the first one must work at the desktop's start */
};

/* Looks for nodes in `nodes_dir`, which is /dev/dri but in tests. */
void gpu_candidates_find(
	struct gpu_candidates *candidates, const struct desktop *desktop, const char *nodes_dir);
void gpu_candidates_finish(struct gpu_candidates *candidates);

/* Gives /dev/dri, or what VITRINE_NODES_DIR names: tests have nodes of their own. */
const char *gpu_candidates_dir(void);

/* Gives what lines say of a candidate: its node, or "the CPU". */
const char *gpu_candidates_name(const struct gpu_candidates *candidates, unsigned i);
