/* SPDX-License-Identifier: MIT */
#include "display/painting/image_ids.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"
#include "display/painting/strips.h"

#define TABLE (2 * PICTURE_IDS_MAX)
#define NONE 0u

static uint64_t hash(const struct picture *picture)
{
	uint64_t parts[] = { tiles_hash(picture->copy, picture->copy_bytes), picture->rect.width,
		picture->rect.height };
	return tiles_hash((const uint8_t *)parts, sizeof(parts));
}

static struct picture_id *place_of(struct picture_ids *ids, uint64_t value)
{
	uint32_t i = (uint32_t)value % TABLE;
	while (ids->given[i].hash != NONE && ids->given[i].hash != value)
		i = (i + 1) % TABLE;
	return &ids->given[i];
}

static bool seen_before(struct picture_ids *ids, uint64_t value)
{
	uint64_t *seen = &ids->seen[value % PICTURE_IDS_SEEN];
	bool before = *seen == value;
	*seen = value;
	return before;
}

static bool admit(struct picture_ids *ids, uint64_t value)
{
	if (ids->n == PICTURE_IDS_MAX)
		return false;
	return ids->n < PICTURE_IDS_MAX / 2 || seen_before(ids, value);
}

bool picture_ids_find(struct picture_ids *ids, const struct picture *picture, uint64_t *id)
{
	if (ids->head >= PICTURE_IDS_HEADS || picture->moving || !picture->copy ||
		rect_area(&picture->rect) > PICTURE_IDS_PIXELS_MAX)
		return false;
	if (!ids->given)
		ids->given = g_new0(struct picture_id, TABLE);
	uint64_t value = hash(picture);
	struct picture_id *place = place_of(ids, value);
	if (place->hash == NONE) {
		if (!admit(ids, value))
			return false;
		*place = (struct picture_id){ value, ++ids->last };
		ids->n++;
	}
	*id = place->number * PICTURE_IDS_HEADS + ids->head;
	return true;
}

void picture_ids_clear(struct picture_ids *ids)
{
	g_clear_pointer(&ids->given, g_free);
	memset(ids->seen, 0, sizeof(ids->seen));
	ids->n = 0;
}
