/* SPDX-License-Identifier: MIT */
/* places says where the heads of a desktop lie when some of them change their sizes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct places_head {
	bool on;
	int32_t x, y;
	uint32_t width, height;
};

/* The head gets this size. Those that lay right of it or below it stay beside it. */
void places_resize(
	struct places_head *heads, unsigned n, unsigned which, uint32_t width, uint32_t height);
/* Those right of it come nearer. */
void places_turn_off(struct places_head *heads, unsigned n, unsigned which);
/* Right of all others. */
void places_turn_on(
	struct places_head *heads, unsigned n, unsigned which, uint32_t width, uint32_t height);
/* Moves the desktop so that it begins at 0, 0, and gives its size. */
void places_settle(struct places_head *heads, unsigned n, uint32_t *width, uint32_t *height);
