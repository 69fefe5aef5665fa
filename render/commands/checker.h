/* SPDX-License-Identifier: MIT */
/*
 * checker: stands between what a guest's programs send in SUBMIT_3D and virglrenderer.
 *
 * render/stream/ knows what to check (streams.h) and calls nobody. This file listens to objects and
 * tells it who exists, gives virglrenderer what it passes, and writes the log. A context of which a
 * command was refused is lost: its program gets an error for all that it sends from then on, and
 * other contexts go on. Only the gpu thread calls it.
 */
#pragma once

#include <stdint.h>

struct checker;
struct objects;

/* Is called before there are objects. `objects` must live longer. */
struct checker *checker_create(struct objects *objects);
void checker_destroy(struct checker *checker);
/* Learns which formats virglrenderer knows, once that has started. */
void checker_learn_formats(struct checker *checker);
/* Has this called when a context is lost, once or twice for each; NULL: nothing. */
void checker_tell_lost(struct checker *checker, void (*lost)(uint32_t context));
/*
 * Has virglrenderer execute what passes of a stream. The context must exist; the words must be out
 * of the guest's reach, and may be changed. Returns a VIRTIO_GPU_RESP_* for the answer.
 */
uint32_t checker_submit(
	struct checker *checker, uint32_t context, uint32_t *words, uint32_t n_words);
