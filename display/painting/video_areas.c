/* SPDX-License-Identifier: MIT */
#include "display/painting/video_areas.h"

#include <glib.h>

#include "common/rect.h"
#include "display/painting/strips.h"
#include "display/painting/video_area_growth.h"

#define US_PER_SECOND 1000000

struct video_areas *video_areas_create(uint32_t width, uint32_t height)
{
	struct video_areas *areas = g_new0(struct video_areas, 1);
	activity_init(&areas->activity, width, height);
	return areas;
}

void video_areas_destroy(struct video_areas *areas)
{
	if (!areas)
		return;
	activity_finish(&areas->activity);
	g_free(areas);
}

void video_areas_note(struct video_areas *areas, int64_t now_us, const struct strips *strips)
{
	activity_note(&areas->activity, now_us, strips);
}

/* ---- areas that begin ---- */

static void find_prospects(struct video_areas *areas, int64_t now_us)
{
	struct rect box;
	prospects_begin_round(&areas->prospects);
	activity_search(&areas->activity);
	while (activity_next_group(&areas->activity, now_us, &box)) {
		if (growth_is_large(&box) || growth_touches_live(areas, &box))
			prospects_propose(&areas->prospects, &areas->activity, &box, now_us);
	}
	prospects_end_round(&areas->prospects);
}

/* It holds what a frame is looked at with. */
struct look {
	int64_t now_us;
	const struct strips *strips;
	struct pixel_rows pixels;
	const struct video_wish *wish;
};

static bool begin(
	struct video_areas *areas, const struct look *look, struct rect rect, int64_t interval_us)
{
	rect = growth_with_companions(areas, &look->pixels, &rect);
	if (look->wish->begin_large)
		rect = growth_with_recent(areas, &rect, look->now_us);
	rect = growth_absorb(areas, rect);
	if (areas->n_live == VIDEO_AREAS_MAX || !growth_is_large(&rect))
		return false;
	areas->live[areas->n_live++] = (struct video_area){
		.rect = rect,
		.serial = ++areas->last_serial,
		.last_change_us = look->now_us,
		.interval_us = interval_us,
	};
	activity_forget(&areas->activity, &rect);
	return true;
}

static bool is_wanted(const struct prospect *prospect, const struct look *look)
{
	struct content content =
		content_look(look->pixels.bytes, look->pixels.stride_bytes, &prospect->change);
	if (content_is_smooth(&content))
		return true;
	int64_t interval_us = MAX(prospect_interval_us(prospect, look->now_us), 1);
	return content.lossless_bytes * 8 * US_PER_SECOND / (uint64_t)interval_us >
	       look->wish->drawn_bps_max;
}

/* Returns true when the prospect has become an area. */
static bool look_at(struct video_areas *areas, struct prospect *prospect, const struct look *look)
{
	int64_t now_us = look->now_us;
	if (!prospect_look(prospect, now_us, look->strips, &look->pixels))
		return false;
	bool moves = growth_belongs_to_live(areas, &prospect->change) || is_wanted(prospect, look);
	if (moves && !growth_is_live(areas, prospect->change))
		return begin(areas, look, prospect_rect(prospect),
			prospect_interval_us(prospect, now_us));
	prospect_rest(prospect, now_us, now_us + VIDEO_AREAS_LOSSLESS_US);
	return false;
}

/*
 * What moves about leaves its area. So when most of the head has moved of late all of it becomes
 * one.
 */
static bool join_recent(struct video_areas *areas, const struct look *look)
{
	struct rect box;
	if (areas->n_live == 0 || !growth_find_recent(areas, look->now_us, &box))
		return false;
	if (growth_is_live(areas, box))
		return false;
	for (unsigned i = 0; i < areas->n_live; i++)
		box = rect_join(&box, &areas->live[i].rect);
	return begin(areas, look, box, areas->live[0].interval_us);
}

bool video_areas_form(struct video_areas *areas, int64_t now_us, const struct strips *strips,
	const uint8_t *pixels, uint32_t stride_bytes, const struct video_wish *wish)
{
	const struct look look = { now_us, strips, { pixels, stride_bytes }, wish };
	struct prospects *prospects = &areas->prospects;
	bool begun = false;
	find_prospects(areas, now_us);
	for (unsigned i = 0; i < prospects->n;) {
		if (!look_at(areas, &prospects->list[i], &look)) {
			i++;
			continue;
		}
		prospects_remove(prospects, i);
		begun = true;
	}
	if (join_recent(areas, &look)) {
		prospects->n = 0;
		begun = true;
	}
	return begun;
}

/* ---- areas that live ---- */

static uint64_t row_hash(
	const struct video_area *area, const uint8_t *pixels, uint32_t stride_bytes, uint32_t row)
{
	const uint8_t *at = pixels + (size_t)(area->rect.y + row) * stride_bytes +
			    (size_t)area->rect.x * RECT_PIXEL_BYTES;
	return strips_hash(at, (size_t)area->rect.width * RECT_PIXEL_BYTES);
}

static bool sample(struct video_area *area, const uint8_t *pixels, uint32_t stride_bytes)
{
	bool differs = false;
	for (unsigned i = 0; i < VIDEO_AREAS_SAMPLES; i++) {
		uint32_t row = (2 * i + 1) * area->rect.height / (2 * VIDEO_AREAS_SAMPLES);
		uint64_t value = row_hash(area, pixels, stride_bytes, row);
		differs |= value != area->samples[i];
		area->samples[i] = value;
	}
	return differs;
}

static bool compare_all(struct video_area *area, const uint8_t *pixels, uint32_t stride_bytes)
{
	uint64_t whole = 0;
	for (uint32_t row = 0; row < area->rect.height; row++)
		whole = (whole ^ row_hash(area, pixels, stride_bytes, row)) * STRIPS_MIX;
	bool differs = !area->known || whole != area->whole;
	area->whole = whole;
	area->known = true;
	return differs;
}

bool video_area_look(
	struct video_area *area, int64_t now_us, const uint8_t *pixels, uint32_t stride_bytes)
{
	if (sample(area, pixels, stride_bytes))
		area->known = false;
	else if (!compare_all(area, pixels, stride_bytes))
		return false;
	area->interval_us = (3 * area->interval_us + now_us - area->last_change_us) / 4;
	area->last_change_us = now_us;
	return true;
}

bool video_areas_end(struct video_areas *areas, int64_t now_us, struct rect *rect)
{
	for (unsigned i = 0; i < areas->n_live; i++) {
		const struct video_area *area = &areas->live[i];
		int64_t quiet_us = CLAMP(
			3 * area->interval_us, VIDEO_AREAS_QUIET_MIN_US, VIDEO_AREAS_QUIET_MAX_US);
		if (now_us - area->last_change_us < quiet_us)
			continue;
		*rect = area->rect;
		areas->live[i] = areas->live[--areas->n_live];
		return true;
	}
	return false;
}
