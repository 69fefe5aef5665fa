/* SPDX-License-Identifier: MIT */
/*
 * display: one desktop's person side: what connects both links, the heads and spice-server.
 *
 * States of a head: off; on with a mode not yet shown (`resize_due`: the new surface waits for the
 * first frame, so that a client sees a picture and not a blank one); on and shown. Nobody looks:
 * render is told rate 0. A client that arrives then is held back until a picture is there, at most
 * DISPLAY_HOLD_MS.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

/* What is asked of render while somebody looks, in millihertz. */
#define DISPLAY_RATE_MHZ 60000
#define DISPLAY_HOLD_MS 300
/* How long pictures are asked for on behalf of a client that has connected but shows no display. */
#define DISPLAY_LINGER_MS 10000
/* Clients held back at once; more are handed over at once. */
#define DISPLAY_HELD_MAX 16
/* Shown before the guest has a mode. */
#define DISPLAY_FIRST_WIDTH 1024
#define DISPLAY_FIRST_HEIGHT 768

struct display;

/* `done` is called once, when the keeper has left or said something wrong (fault). NULL: no start. */
struct display *display_create(int keeper_fd, const char *name,
		void (*done)(void *user, bool fault), void *user);
void display_destroy(struct display *display);
