/* SPDX-License-Identifier: MIT */
/*
 * rebuild: makes a new renderer stand where a dead one stood, from the guest ledger.
 *
 * Resources, contexts, backings and scanouts come back, and the contents of 2D resources, which the
 * guest's own pages still hold. What lived in textures and contexts is lost; the guest's programs
 * are told by virgl's errors. Descriptors that the dead renderer had taken are answered with an
 * error that carries their fence, so that nobody waits for ever. gpu thread only.
 */
#pragma once

struct gpu;

/* Once, after the ledger and a memory table have arrived and before anything else is taken. */
void rebuild_objects(struct gpu *gpu);
/* Answers what was taken and not returned. */
void rebuild_answer_orphans(struct gpu *gpu);
