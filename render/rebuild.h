/* SPDX-License-Identifier: MIT */
/*
 * rebuild: makes a new renderer stand where a dead one stood, from the guest ledger.
 *
 * Resources, contexts, backings and scanouts come back, and the contents of 2D resources, which the
 * guest's own pages still hold. What lived in textures and contexts is lost; the guest's programs
 * are told by virgl's errors. commands_answer_orphans() answers what the dead renderer had taken.
 * Only the gpu thread calls it.
 */
#pragma once

#include <stdbool.h>

struct ledger;
struct objects;
struct scanouts;

/*
 * What heads show comes first, and its picture goes to display before the rest is made. This is a
 * state of the gpu thread's loop. Nothing is taken from the control queue while a rebuild
 * is wanted. It may stop at a backing in memory that is not in the table, and goes on later.
 */
struct rebuild {
	struct objects *objects;
	struct scanouts *scanouts;
	bool virgl;
	bool wanted;
	struct ledger *old; /* a copy of what is rebuilt from; NULL: not begun */
	bool shows;         /* what heads show is there, and the rest comes */
	unsigned next;      /* slot in old->resources */
	bool made;          /* that resource is there already, only its backing is not */
	unsigned n_resources, n_contexts, n_lost;
};

/* Begins without anything to rebuild. Without `virgl` nothing of 3D will come back. */
void rebuild_init(
	struct rebuild *rebuild, struct objects *objects, struct scanouts *scanouts, bool virgl);
/* Notes that a ledger has come: what it lists is to be rebuilt, once there is a memory table. */
void rebuild_want(struct rebuild *rebuild);
bool rebuild_is_wanted(const struct rebuild *rebuild);
/*
 * Begins or goes on. Returns false when it waits for memory, which it does if it may; else a
 * backing that is not there is lost. Returns true when all is done.
 */
bool rebuild_work(struct rebuild *rebuild, bool may_wait);
/* Forgets what was to be rebuilt, since the guest is new. */
void rebuild_drop(struct rebuild *rebuild);
