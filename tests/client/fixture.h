/* SPDX-License-Identifier: MIT */
/*
 * fixture: what the client tests share. It makes a desktop with one head and a client in front of
 * it, and checks whether the one shows what the other drew.
 */
#pragma once

#include "tests/client/client.h"
#include "tests/client/fake_desktop.h"

/*
 * Bounds how long a picture may take to be exact at the client; machines are slow under a
 * sanitizer.
 */
#define SETTLE_MS 20000

struct fixture {
	struct fake_desktop *desktop;
	struct fake_render *render;
	struct fake_qemu *qemu;
	struct client *client; /* NULL until fixture_connect */
};

/* Starts a desktop with head 0 on, which shows noise. NULL options mean TCP and no password. */
void fixture_start(struct fixture *fixture, uint32_t width, uint32_t height,
	const struct fake_desktop_options *options);
/* Connects a client and waits until display wants frames. */
void fixture_connect(struct fixture *fixture);
/* Stops the desktop; the client, if there is one, leaves first. */
void fixture_stop(struct fixture *fixture);

struct canvas *fixture_canvas(struct fixture *fixture);

/*
 * Asserts that the client's picture becomes the canvas, every pixel, within SETTLE_MS; returns how
 * many ms that took.
 */
gint64 fixture_expect_canvas(struct fixture *fixture);
/*
 * Bound how long a guest may wait for a buffer, once and in the mean. Two busy cores and a
 * sanitizer in each process are included; a display that waits for its client is slower by far.
 */
#define WAIT_LIMIT_MS 1500
#define WAIT_MEAN_LIMIT_MS 40

/* Asserts that no flush so far waited longer than these limits. Prints the figures. */
void fixture_expect_short_waits(struct fixture *fixture);

/* Sets the environment's defaults and calls g_test_init(). */
void fixture_init(int *argc, char ***argv);
