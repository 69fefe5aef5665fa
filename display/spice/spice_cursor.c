/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_cursor.h"

#include <glib.h>
#include <spice.h>
#include <string.h>

#include "display/spice/spice_resource.h"
#include "protocol/frame_link.h"

#define PIXELS (FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE)

struct spice_cursor {
	GMutex lock; /* of all that follows */
	uint32_t pixels[PIXELS];
	uint32_t hot_x, hot_y;
	int16_t x, y;
	bool defined; /* there is an image */
	bool visible;
	bool image_due, visible_due, move_due; /* spice-server was not told yet */
};

struct cursor_command {
	struct spice_resource resource;
	QXLCursorCmd command;
	QXLCursor shape; /* it ends with the pixels, which are allocated behind it */
};

struct spice_cursor *spice_cursor_create(void)
{
	struct spice_cursor *cursor = g_new0(struct spice_cursor, 1);
	g_mutex_init(&cursor->lock);
	return cursor;
}

void spice_cursor_destroy(struct spice_cursor *cursor)
{
	if (!cursor)
		return;
	g_mutex_clear(&cursor->lock);
	g_free(cursor);
}

bool spice_cursor_set_image(
	struct spice_cursor *cursor, const uint32_t *pixels, uint32_t hot_x, uint32_t hot_y)
{
	hot_x = MIN(hot_x, FRAME_CURSOR_SIZE - 1);
	hot_y = MIN(hot_y, FRAME_CURSOR_SIZE - 1);
	g_mutex_lock(&cursor->lock);
	bool changed = !cursor->defined || !cursor->visible || hot_x != cursor->hot_x ||
		       hot_y != cursor->hot_y ||
		       memcmp(cursor->pixels, pixels, sizeof(cursor->pixels)) != 0;
	cursor->move_due |= hot_x != cursor->hot_x || hot_y != cursor->hot_y;
	memcpy(cursor->pixels, pixels, sizeof(cursor->pixels));
	cursor->hot_x = hot_x;
	cursor->hot_y = hot_y;
	cursor->defined = cursor->visible = true;
	cursor->image_due |= changed;
	g_mutex_unlock(&cursor->lock);
	return changed;
}

bool spice_cursor_set_hot_spot(struct spice_cursor *cursor, uint32_t hot_x, uint32_t hot_y)
{
	hot_x = MIN(hot_x, FRAME_CURSOR_SIZE - 1);
	hot_y = MIN(hot_y, FRAME_CURSOR_SIZE - 1);
	g_mutex_lock(&cursor->lock);
	bool changed = hot_x != cursor->hot_x || hot_y != cursor->hot_y;
	cursor->move_due |= changed;
	cursor->hot_x = hot_x;
	cursor->hot_y = hot_y;
	changed = changed && cursor->defined && cursor->visible;
	cursor->image_due |= changed;
	g_mutex_unlock(&cursor->lock);
	return changed;
}

bool spice_cursor_move(struct spice_cursor *cursor, int32_t x, int32_t y)
{
	x = CLAMP(x, INT16_MIN, INT16_MAX);
	y = CLAMP(y, INT16_MIN, INT16_MAX);
	g_mutex_lock(&cursor->lock);
	bool shows = !cursor->visible;
	bool moves = x != cursor->x || y != cursor->y;
	cursor->x = (int16_t)x;
	cursor->y = (int16_t)y;
	cursor->visible = true;
	cursor->image_due |= shows;
	cursor->move_due |= moves;
	g_mutex_unlock(&cursor->lock);
	return shows || moves;
}

bool spice_cursor_hide(struct spice_cursor *cursor)
{
	g_mutex_lock(&cursor->lock);
	bool hides = cursor->visible;
	cursor->visible_due |= hides;
	cursor->visible = false;
	g_mutex_unlock(&cursor->lock);
	return hides;
}

void spice_cursor_refresh(struct spice_cursor *cursor)
{
	g_mutex_lock(&cursor->lock);
	cursor->image_due = cursor->move_due = cursor->defined && cursor->visible;
	g_mutex_unlock(&cursor->lock);
}

static void release_command(struct spice_resource *resource)
{
	g_free(resource);
}

static struct cursor_command *command_create(uint8_t type, size_t pixel_bytes)
{
	struct cursor_command *command = g_malloc0(sizeof(*command) + pixel_bytes);
	command->resource.release = release_command;
	command->command.release_info.id = (uintptr_t)&command->resource;
	command->command.type = type;
	return command;
}

/* SPICE's position is the hot spot's. Clients that send positions themselves take no notice. */
static QXLPoint16 position(const struct spice_cursor *cursor)
{
	return (QXLPoint16){
		.x = (int16_t)MIN(cursor->x + (int32_t)cursor->hot_x, INT16_MAX),
		.y = (int16_t)MIN(cursor->y + (int32_t)cursor->hot_y, INT16_MAX),
	};
}

/* The position travels along, but spice-gtk reads it only from a MOVE: so one stays due. */
static struct cursor_command *image_command(struct spice_cursor *cursor)
{
	static uint64_t unique;
	struct cursor_command *command = command_create(QXL_CURSOR_SET, sizeof(cursor->pixels));
	command->command.u.set.position = position(cursor);
	command->command.u.set.visible = 1;
	command->command.u.set.shape = (uintptr_t)&command->shape;
	QXLCursor *shape = &command->shape;
	shape->header.unique = __atomic_add_fetch(&unique, 1, __ATOMIC_RELAXED);
	shape->header.type = SPICE_CURSOR_TYPE_ALPHA;
	shape->header.width = shape->header.height = FRAME_CURSOR_SIZE;
	shape->header.hot_spot_x = (uint16_t)cursor->hot_x;
	shape->header.hot_spot_y = (uint16_t)cursor->hot_y;
	shape->data_size = shape->chunk.data_size = sizeof(cursor->pixels);
	memcpy(shape->chunk.data, cursor->pixels, sizeof(cursor->pixels));
	cursor->image_due = false;
	return command;
}

static struct cursor_command *next_command(struct spice_cursor *cursor)
{
	if (cursor->image_due && cursor->visible && cursor->defined)
		return image_command(cursor);
	if (cursor->visible_due && !cursor->visible) {
		cursor->visible_due = false;
		return command_create(QXL_CURSOR_HIDE, 0);
	}
	if (cursor->move_due && cursor->visible && cursor->defined) {
		struct cursor_command *command = command_create(QXL_CURSOR_MOVE, 0);
		command->command.u.position = position(cursor);
		cursor->move_due = false;
		return command;
	}
	return NULL;
}

bool spice_cursor_take(struct spice_cursor *cursor, QXLCommandExt *ext)
{
	g_mutex_lock(&cursor->lock);
	struct cursor_command *command = next_command(cursor);
	g_mutex_unlock(&cursor->lock);
	if (!command)
		return false;
	*ext = (QXLCommandExt){
		.cmd.type = QXL_CMD_CURSOR,
		.cmd.data = (uintptr_t)&command->command,
	};
	return true;
}
