/* SPDX-License-Identifier: MIT */
/*
 * spice cursor: the hardware cursor of one head, as state that becomes QXL cursor commands when
 * spice-server asks for them. Only the latest image and position are kept: a slow client skips.
 *
 * Threads: set on the main loop, taken and released on the worker; own lock inside.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct QXLCommandExt;
struct spice_cursor;

struct spice_cursor *spice_cursor_create(void);
void spice_cursor_destroy(struct spice_cursor *cursor);

/* Premultiplied ARGB8888 of FRAME_CURSOR_SIZE squared, no padding. */
void spice_cursor_set_image(
		struct spice_cursor *cursor, const uint32_t *pixels, uint32_t hot_x, uint32_t hot_y);
void spice_cursor_move(struct spice_cursor *cursor, int32_t x, int32_t y);
void spice_cursor_hide(struct spice_cursor *cursor);

/* spice-server has forgotten (a new primary surface): say all of it again. */
void spice_cursor_refresh(struct spice_cursor *cursor);

/*
 * Fills in the next command; false when there is none. Its release_info.id points to a struct
 * spice_resource (spice_head.h).
 */
bool spice_cursor_take(struct spice_cursor *cursor, struct QXLCommandExt *command);
