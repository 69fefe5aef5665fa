/* SPDX-License-Identifier: MIT */
/*
 * scroll: finds a part of the picture that has moved up or down. If a terminal or a page has
 * scrolled, clients can be told to show here what they show there, in about 80 bytes, and only what
 * came into sight must be sent.
 *
 * The hashes of strips before and after are compared column by column. A strip that was in a column
 * once before, and is now in another row of it, votes for that distance. The distance with most
 * votes is tried on the columns and rows around.
 *
 * Threads: none of its own; the worker thread of the head.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/painting/changes.h"

struct strips;

/* What has fewer strips or rows than these is sent as it is. */
#define SCROLL_STRIPS_MIN 128u
#define SCROLL_ROWS_MIN 32u

/*
 * Must be called between strips_look and strips_take. When it answers true the strips take it that
 * the scroll was done, and strips_take names what differs after it.
 */
bool scroll_find(struct strips *strips, struct scroll *scroll);
