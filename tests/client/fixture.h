/* SPDX-License-Identifier: MIT */
/*
 * fixture: what the client tests share: a desktop with one head, a client in front of it, and the
 * question whether the one shows what the other drew.
 */
#pragma once

#include "tests/client/client.h"
#include "tests/client/fake_desktop.h"

/* How long a picture may take to be exact at the client; machines are slow under a sanitizer. */
#define SETTLE_MS 20000

struct fixture {
	struct fake_desktop *desktop;
	struct fake_render *render;
	struct fake_qemu *qemu;
	struct client *client; /* NULL until fixture_connect */
};

/* A desktop with head 0 on, showing noise. NULL options: TCP, no password. */
void fixture_start(struct fixture *fixture, uint32_t width, uint32_t height,
	const struct fake_desktop_options *options);
/* Connects a client and waits until display wants frames. */
void fixture_connect(struct fixture *fixture);
/* The client, if there is one, leaves first. */
void fixture_stop(struct fixture *fixture);

struct canvas *fixture_canvas(struct fixture *fixture);

/* Asserts that the client's picture becomes the canvas, every pixel, within SETTLE_MS; returns ms.
 */
gint64 fixture_expect_canvas(struct fixture *fixture);
/* What a guest may be kept waiting for a buffer, once and in the mean. Two busy cores and a
 * sanitizer in each process are included: a display that waits for its client is slower by far. */
#define WAIT_LIMIT_MS 1500
#define WAIT_MEAN_LIMIT_MS 40

/* Asserts that flushes so far waited no longer. Prints the figures. */
void fixture_expect_short_waits(struct fixture *fixture);

/* Sets the environment's defaults and g_test_init. */
void fixture_init(int *argc, char ***argv);
