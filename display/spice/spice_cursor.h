/* SPDX-License-Identifier: MIT */
/*
 * spice cursor: keeps the hardware cursor of one head, as state that becomes QXL cursor commands
 * when spice-server asks for them. Only the latest image and position are kept: a slow client
 * skips.
 *
 * Threads: it is set on the main loop; commands are taken and released on the worker. It locks
 * itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct QXLCommandExt;
struct spice_cursor;

struct spice_cursor *spice_cursor_create(void);
void spice_cursor_destroy(struct spice_cursor *cursor);

/*
 * Each returns true when there is something new to take, since guests repeat position and image
 * with every frame. The image is premultiplied ARGB8888 of FRAME_CURSOR_SIZE squared, no padding;
 * the hot spot is moved into it. Positions are those of its corner, pixels of the head, and may lie
 * outside.
 */
bool spice_cursor_set_image(
	struct spice_cursor *cursor, const uint32_t *pixels, uint32_t hot_x, uint32_t hot_y);
bool spice_cursor_set_hot_spot(struct spice_cursor *cursor, uint32_t hot_x, uint32_t hot_y);
bool spice_cursor_move(struct spice_cursor *cursor, int32_t x, int32_t y);
bool spice_cursor_hide(struct spice_cursor *cursor);

/*
 * Makes all of it new: after a new primary surface, which makes spice-server forget the cursor, and
 * for a client that was not told.
 */
void spice_cursor_refresh(struct spice_cursor *cursor);

/*
 * Fills in the next command, or returns false when there is none. Its release_info.id points to a
 * struct spice_resource (spice_resource.h).
 */
bool spice_cursor_take(struct spice_cursor *cursor, struct QXLCommandExt *command);
