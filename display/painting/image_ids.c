/* SPDX-License-Identifier: MIT */
#include "display/painting/image_ids.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"
#include "display/painting/strips.h"

#define TABLE (2 * IMAGE_IDS_MAX)
#define NONE 0u

static uint64_t hash(const struct bitmap *bitmap)
{
	uint64_t parts[] = { strips_hash(bitmap->copy, bitmap->copy_bytes), bitmap->rect.width,
		bitmap->rect.height };
	return strips_hash((const uint8_t *)parts, sizeof(parts));
}

static struct image_id *place_of(struct image_ids *ids, uint64_t value)
{
	uint32_t i = (uint32_t)value % TABLE;
	g_assert(ids->n < TABLE); /* else the search has no end */
	while (ids->given[i].hash != NONE && ids->given[i].hash != value)
		i = (i + 1) % TABLE;
	return &ids->given[i];
}

static bool seen_before(struct image_ids *ids, uint64_t value)
{
	uint64_t *seen = &ids->seen[value % IMAGE_IDS_SEEN];
	bool before = *seen == value;
	*seen = value;
	return before;
}

static bool admit(struct image_ids *ids, uint64_t value)
{
	if (ids->n == IMAGE_IDS_MAX)
		return false;
	return ids->n < IMAGE_IDS_MAX / 2 || seen_before(ids, value);
}

bool image_ids_find(struct image_ids *ids, const struct bitmap *bitmap, uint64_t *id)
{
	if (ids->head >= IMAGE_IDS_HEADS || bitmap->moving || !bitmap->copy ||
		rect_area(&bitmap->rect) > IMAGE_IDS_PIXELS_MAX)
		return false;
	if (!ids->given)
		ids->given = g_new0(struct image_id, TABLE);
	uint64_t value = hash(bitmap);
	struct image_id *place = place_of(ids, value);
	if (place->hash == NONE) {
		if (!admit(ids, value))
			return false;
		*place = (struct image_id){ value, ++ids->last };
		ids->n++;
	}
	*id = place->number * IMAGE_IDS_HEADS + ids->head;
	return true;
}

void image_ids_clear(struct image_ids *ids)
{
	g_clear_pointer(&ids->given, g_free);
	memset(ids->seen, 0, sizeof(ids->seen));
	ids->n = 0;
}
