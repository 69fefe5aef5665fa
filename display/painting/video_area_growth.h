/* SPDX-License-Identifier: MIT */
/*
 * video area growth: says how far a new area reaches beyond what was seen to move as a film.
 *
 * A picture whose parts go different ways to the client arrives in parts. So an area takes in what
 * moves beside it where that does no harm, and the areas that it overlaps.
 *
 * Threads: none of its own; the worker thread of the head. It is for video_areas.c alone.
 */
#pragma once

#include "display/painting/video_areas.h"

/* When this share of the head, in percent, was active of late, all of that is one area. */
#define GROWTH_RECENT_PERCENT 50u
/* An area that begins large takes in what moved of late if that fills this share of it, in percent.
 */
#define GROWTH_LARGE_PERCENT 20u
/*
 * What moves beside an area becomes part of it if the area gets larger by no more than this, in
 * percent.
 */
#define GROWTH_BESIDE_PERCENT 30u
/*
 * A small thing that moves within GROWTH_NEAR pixels of a film joins it if the area grows to at
 * most GROWTH_COMPANY_TIMES its size and at least GROWTH_PLAIN_PERCENT of the pixels that are added
 * and do not move equal their neighbour. Of text at most 95 percent do.
 */
#define GROWTH_NEAR 96u
#define GROWTH_COMPANY_TIMES 3u
#define GROWTH_PLAIN_PERCENT 98u

/* Says whether the rectangle is large enough to be an area. */
bool growth_is_large(const struct rect *rect);

/* Says whether an area that lives would have all of the rectangle once its sides were even. */
bool growth_is_live(const struct video_areas *areas, struct rect rect);

/* Says whether less than a cell lies between the rectangle and an area that lives. */
bool growth_touches_live(const struct video_areas *areas, const struct rect *rect);

/* Says whether an area beside the rectangle would get only a little larger with it. */
bool growth_belongs_to_live(const struct video_areas *areas, const struct rect *rect);

/*
 * Returns the rectangle with small things that move beside it, such as a game's figures, where that
 * blurs nothing. They are not video, and would else be seen sooner than the film.
 */
struct rect growth_with_companions(
	const struct video_areas *areas, const struct pixel_rows *pixels, const struct rect *rect);

/*
 * Returns the rectangle with all that moved of late. If that is most of the head, it is all of the
 * head.
 */
struct rect growth_with_recent(
	const struct video_areas *areas, const struct rect *rect, int64_t now_us);

/*
 * Returns the rectangle with the areas that it overlaps, or touches without much waste; they leave
 * the list. Its sides are even then.
 */
struct rect growth_absorb(struct video_areas *areas, struct rect rect);

/*
 * Fills in the rectangle around all that moved of late, areas included. Returns false if it is not
 * most of the head, or if hardly any of it lies outside the areas.
 */
bool growth_find_recent(const struct video_areas *areas, int64_t now_us, struct rect *box);
