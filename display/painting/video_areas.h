/* SPDX-License-Identifier: MIT */
/*
 * regions: which parts of a head are moving pictures, to be sent as video, and when they end.
 *
 * Everything is sent without loss until it has moved for a while: every cell of VIDEO_AREAS_CELL
 * pixels remembers in which of the last VIDEO_AREAS_SLOTS slots of time it changed. Cells that
 * changed in half of them and together are large enough become a candidate; the next frames find
 * its edges to the pixel, so that the text around a film is not part of the film; then it is a
 * region. A region's rectangle stays as it is, and all of it is sent whenever something in it
 * changes. It ends after a short quiet, or when it grew. Typing, a cursor, a spinner are too small;
 * what is drawn rather than filmed, such as scrolling text, stays lossless as long as that is not
 * too much (send_budget_lossless_bps).
 *
 * Threads: none of its own; the worker thread of the head. Time is the caller's, in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"

struct strips;

#define VIDEO_AREAS_MAX 4
#define VIDEO_AREAS_CELL 32u
#define VIDEO_AREAS_SLOT_US 50000
#define VIDEO_AREAS_SLOTS 8
#define VIDEO_AREAS_SLOTS_ACTIVE 4
/* Smaller ones are cheaper as they are. */
#define VIDEO_AREAS_SIDE_MIN 64u
#define VIDEO_AREAS_PIXELS_MIN (128u * 96u)
/* Frames that find a candidate's edges. */
#define VIDEO_AREAS_LOOKS 5
/* A region ends after three of its usual intervals, within these. */
#define VIDEO_AREAS_QUIET_MIN_US 100000
#define VIDEO_AREAS_QUIET_MAX_US 200000
/* What is drawn and not filmed is not looked at again for so long. */
#define VIDEO_AREAS_LOSSLESS_US 500000
#define VIDEO_AREAS_SAMPLES 16
/*
 * What moves about leaves its region. When so much of the head, in percent, has moved within so
 * long, all of that is one region: a picture whose parts go different ways to the client arrives in
 * parts.
 */
#define VIDEO_AREAS_RECENT_PERCENT 50u
#define VIDEO_AREAS_RECENT_US 2000000
/*
 * spice-server sends what a stream showed once more without loss when a larger one takes its place:
 * seconds of a line below this. There a region begins with all that moved of late, if that is so
 * much of it in percent; and if it is most of the head, with all of the head, so that it need not
 * grow again.
 */
#define VIDEO_AREAS_GROWTH_DEAR_BPS 10000000u
#define VIDEO_AREAS_DEAR_PERCENT 20u
/* What moves beside a region becomes part of it if that makes it so much larger at most, in
 * percent. */
#define VIDEO_AREAS_GROWTH_PERCENT 30u

/*
 * Small things that move so near a film become part of it, if that makes it no more than so many
 * times as large and so much of what is added, in percent, is plain: of text 95 at most.
 */
#define VIDEO_AREAS_NEAR 96u
#define VIDEO_AREAS_COMPANY_TIMES 3u
#define VIDEO_AREAS_PLAIN_PERCENT 98u

struct video_area {
	struct rect rect;
	int64_t last_change_us;
	int64_t interval_us;                   /* between changes, smoothed */
	bool begun;                            /* its first frame was sent with this rectangle */
	bool due;                              /* changed and not sent; the owner's */
	uint64_t samples[VIDEO_AREAS_SAMPLES]; /* rows of the last frame */
	uint64_t whole;                        /* all of its rows, if `known` */
	bool known;
};

struct prospect;

struct video_areas {
	struct video_area live[VIDEO_AREAS_MAX];
	unsigned n_live;
	/* private */
	uint32_t width, height;
	uint32_t columns, rows; /* of cells */
	uint8_t *slots;         /* one bit a slot, the present one lowest */
	int64_t *active_us;     /* last time that a cell was active */
	uint8_t *seen;
	uint32_t *stack;
	int64_t slot;
	struct prospect *candidates; /* VIDEO_AREAS_MAX */
	unsigned n_candidates;
	bool growth_is_dear;
};

struct video_areas *video_areas_create(uint32_t width, uint32_t height);
void video_areas_destroy(struct video_areas *areas);

/* What has changed outside the live regions, before strips_take. */
void video_areas_note(struct video_areas *areas, int64_t now_us, const struct strips *tiles);

/*
 * Makes regions of what has moved long enough; true when one began or grew (its `begun` is false).
 * `pixels` is the head's upper left corner. Of content that is drawn, region is made only past
 * lossless_bps_max bits a second.
 */
bool video_areas_form(struct video_areas *areas, int64_t now_us, const struct strips *tiles,
	const uint8_t *pixels, uint32_t stride_bytes, uint64_t lossless_bps_max);

/*
 * Is this frame's part different from the last one's? Some rows mostly tell. If they do not, all of
 * it is compared, for which the frame before must have been looked at as a whole, too: until then
 * true.
 */
bool video_area_look(
	struct video_area *area, int64_t now_us, const uint8_t *pixels, uint32_t stride_bytes);

/* Takes one region that has been quiet off the list. False when there is none. */
bool video_areas_end(struct video_areas *areas, int64_t now_us, struct rect *rect);
