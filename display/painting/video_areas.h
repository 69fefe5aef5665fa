/* SPDX-License-Identifier: MIT */
/*
 * video areas: knows which parts of a head move as films do, where their edges are, and when they
 * end.
 *
 * What moves is found by cells that change often (activity.h); a group of them that is large enough
 * is watched until its edges are known to the pixel (prospects.h), and then it is an area. Which
 * content becomes one is said by struct video_wish. An area's rectangle stays as it is. It ends
 * after a short quiet, or when a larger one takes its place. Typing, a cursor or a spinner are too
 * small to become one.
 *
 * Threads: none of its own; the worker thread of the head. Time is the caller's, in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/painting/activity.h"
#include "display/painting/changes.h"
#include "display/painting/prospects.h"

struct strips;

#define VIDEO_AREAS_MAX CHANGES_AREAS_MAX
/* Parts with shorter sides or fewer pixels are cheaper when they are sent as they are. */
#define VIDEO_AREAS_SIDE_MIN 64u
#define VIDEO_AREAS_PIXELS_MIN (128u * 96u)
/*
 * An area ends after a quiet of three of its usual intervals, but of no fewer and no more
 * microseconds than these.
 */
#define VIDEO_AREAS_QUIET_MIN_US 100000
#define VIDEO_AREAS_QUIET_MAX_US 200000
/* What is drawn and not filmed is looked at again after this many microseconds. */
#define VIDEO_AREAS_LOSSLESS_US 500000
#define VIDEO_AREAS_SAMPLES 16

struct video_area {
	struct rect rect;
	unsigned serial; /* counts up from 1, over all areas of the head */
	int64_t last_change_us;
	int64_t interval_us;                   /* between changes, smoothed */
	bool changed;                          /* in the present frame; the owner's */
	uint64_t samples[VIDEO_AREAS_SAMPLES]; /* hashes of some rows of the last frame */
	uint64_t whole;                        /* hash of all its rows, if `known` */
	bool known;
};

struct video_areas {
	struct video_area live[VIDEO_AREAS_MAX];
	unsigned n_live;
	unsigned last_serial;
	/* Only the files of video areas use these. */
	struct activity activity;
	struct prospects prospects;
};

struct video_areas *video_areas_create(uint32_t width, uint32_t height);
void video_areas_destroy(struct video_areas *areas);

/*
 * Notes what has changed outside the live areas. It must be called after strips_look and before
 * strips_take.
 */
void video_areas_note(struct video_areas *areas, int64_t now_us, const struct strips *strips);

/*
 * Makes areas of what has moved long enough, after video_areas_note and before strips_take. Returns
 * true when one began or grew: it has a new serial. `pixels` is the head's upper left corner.
 */
bool video_areas_form(struct video_areas *areas, int64_t now_us, const struct strips *strips,
	const uint8_t *pixels, uint32_t stride_bytes, const struct video_wish *wish);

/*
 * Says whether the frame's part differs from the last one's. Some rows mostly tell. If they are
 * equal all rows are compared, and for that the frame before must have been looked at as a whole,
 * too: the first time that some rows are equal the answer is true.
 */
bool video_area_look(
	struct video_area *area, int64_t now_us, const uint8_t *pixels, uint32_t stride_bytes);

/* Takes one area that has been quiet off the list. Returns false when there is none. */
bool video_areas_end(struct video_areas *areas, int64_t now_us, struct rect *rect);
