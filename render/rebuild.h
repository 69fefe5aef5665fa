/* SPDX-License-Identifier: MIT */
/*
 * rebuild: makes a new renderer stand where a dead one stood, from the guest ledger.
 *
 * Resources, contexts, backings and scanouts come back, and the contents of 2D resources, which the
 * guest's own pages still hold. What lived in textures and contexts is lost; the guest's programs
 * are told by virgl's errors. (What the dead renderer had taken is answered by
 * commands_answer_orphans().) gpu thread only.
 */
#pragma once

#include <stdbool.h>

struct ledger;
struct objects;
struct scanouts;

/*
 * A state of the gpu thread's loop. Nothing is taken from the control queue while a rebuild is
 * wanted; it may stop at a backing in memory that is not in the table, and goes on later.
 */
struct rebuild {
	struct objects *objects;
	struct scanouts *scanouts;
	bool virgl;
	bool wanted;
	struct ledger *old; /* a copy of what is rebuilt from; NULL: not begun */
	unsigned next;      /* slot in old->resources */
	bool made;          /* that resource is there already, only its backing is not */
	unsigned n_resources, n_contexts, n_lost;
};

/* Without `virgl` nothing of 3D comes back. */
void rebuild_init(
	struct rebuild *rebuild, struct objects *objects, struct scanouts *scanouts, bool virgl);
/* A ledger has come: rebuild what it lists, once there is a memory table. */
void rebuild_want(struct rebuild *rebuild);
bool rebuild_is_wanted(const struct rebuild *rebuild);
/*
 * Begins or goes on. False when it waits for memory, which it does if it may; else a backing that
 * is not there is lost. True: all is done.
 */
bool rebuild_work(struct rebuild *rebuild, bool may_wait);
/* The guest is new: there is nothing left to rebuild. */
void rebuild_drop(struct rebuild *rebuild);
