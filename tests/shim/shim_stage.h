/* SPDX-License-Identifier: MIT */
/*
 * shim_stage: a desktop on a faked GPU (shim.h), a picture drawn by 3D commands on its head 0, and
 * the control file. VITRINE_SHIM_GPU and the rest are set by who runs the test; failures are set
 * here, for renderers that start afterwards.
 */
#pragma once

#include "tests/shim/shim.h"
#include "tests/wire/wire.h"

/*
 * Returns false, and prints why all is skipped, when no GPU is faked. Otherwise all later desktops
 * have a control file, empty now.
 */
bool shim_stage_init(int *argc, char ***argv);
/* Sets VITRINE_SHIM_FAULTS; NULL: none. Empties the control file. */
void shim_stage_set_faults(const char *faults);
/* All renderers' figures, added. */
volatile struct shim_control *shim_stage_control(void);

struct desktop *shim_stage_create(void);
/* Makes a texture, to be drawn to. */
void shim_stage_add_picture(struct desktop *desktop, uint32_t id, uint32_t width, uint32_t height);
/* Makes the context anew, which may be lost, and lets it draw to the texture. */
void shim_stage_begin_anew(struct desktop *desktop, uint32_t id);
/* Draws to it and flushes it, and waits until the head has shown it. Returns false when it does
 * not. */
bool shim_stage_draw(struct desktop *desktop, uint32_t id, uint32_t width, uint32_t height);
/* Which buffers are accepted from now on. */
void shim_stage_take(struct desktop *desktop, enum consumer_dmabufs dmabufs);
