/* SPDX-License-Identifier: MIT */
/*
 * scene: a desktop on a faked GPU (shim.h) that is reset under it, with a picture on its head
 * and two programs that draw. Its guest does not mind what is lost: it says it again.
 */
#pragma once

#include "tests/shim/shim.h"
#include "tests/wire/wire.h"

/* In the log for each renderer that ended since the GPU was reset. */
#define SCENE_ENDED "the GPU was reset; starting another"
#define SCENE_SIDE 64u

/* Contexts and resources; those of EVIL are made by the test. */
enum { PICTURE = 1, PROGRAM = 10, TARGET = 11, INNOCENT = 20, EVIL = 30, EVIL_TARGET = 31 };

struct scene_gpu {
	const char *chip, *mesa; /* NULL: this machine's */
};

struct scene {
	struct desktop *desktop;
	struct guest *guest;
	struct guest_backing *picture_backing, *target_backing;
	uint32_t *pixels;
	bool reset_before_guest;
	unsigned n_own_submissions; /* of the renderer, before there was a guest */
};

/* How long a command took at most: without a renderer nothing is answered. */
extern gint64 scene_longest_us;

/* As shim_stage_init(). */
bool scene_init(int *argc, char ***argv);
/* What is started from now on has this GPU, with these failures. */
void scene_use(const struct scene_gpu *gpu, const char *faults);
/* Of the GPU, by whomever. */
unsigned scene_count_resets(void);

struct scene *scene_create(void);
/* `submit_limit_s` is --submit-limit; 0: the default. */
struct scene *scene_create_limited(unsigned submit_limit_s);
void scene_destroy(struct scene *scene);
unsigned scene_count_log(const struct scene *scene, const char *text);
/* Checks that all is there that the guest has, and that nobody's context was taken away. */
void scene_check_all(struct scene *scene);

void scene_insist_on_context(struct guest *guest, uint32_t id, const char *name);
void scene_make_target(struct guest *guest, uint32_t id);
/* Sends what draws once, with a fence. guest_gpu_finish_fenced() waits for it. */
struct guest_request *scene_send(struct guest *guest, uint32_t context, uint32_t target);
/*
 * Draws once. What a dead renderer had is answered with an error, and what it knew of contexts is
 * said anew.
 */
uint32_t scene_draw(struct guest *guest, uint32_t context, uint32_t target);
