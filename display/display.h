/* SPDX-License-Identifier: MIT */
/*
 * display: one desktop's person side: what connects both links, the heads, spice-server and QEMU.
 *
 * States of a head: off (black; heads but the first are unplugged); on with a mode that is not shown
 * yet (`resize_due`: the new surface waits for its first frame, so that a client sees no blank one);
 * on and shown. A renderer that leaves changes none of this: its last picture stays.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

/* Shown before the guest has a mode. */
#define DISPLAY_FIRST_WIDTH 1024
#define DISPLAY_FIRST_HEIGHT 768

struct display;

/* `done` is called once, when the keeper has left or said something wrong (fault). NULL: no start. */
struct display *display_create(int keeper_fd, const char *name,
		void (*done)(void *user, bool fault), void *user);
void display_destroy(struct display *display);
