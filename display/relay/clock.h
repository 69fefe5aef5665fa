/* SPDX-License-Identifier: MIT */
/*
 * clock: decides the margin, in milliseconds, by which a client is told to be behind the server's
 * clock. A video frame must be encoded and sent within it. spice-server before 0.16 tells 400 ms
 * and never less.
 *
 * The margin starts wide, since an encoder's first frames are late and spice-server would take the
 * line for bad. It shrinks step by step, and widens when the client reports that frames come late.
 *
 * The caller passes the time in, so that tests need not wait. Threads: any, one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * These were measured with stock server and client at 1080p60, H.264: a start at 40 ms or less
 * makes spice-server halve its rate, and nobody sees steps of 4 ms every 100 ms. A margin that is
 * far too wide shrinks in larger steps: by 1/CLOCK_STEP_PARTS of what it is too wide.
 */
#define CLOCK_START_MS 80
#define CLOCK_STEP_MS 4
#define CLOCK_STEP_PARTS 16
#define CLOCK_STEP_EVERY_MS 100
/* The margin is this on a line without jitter, with an encoder that takes less than this. */
#define CLOCK_MARGIN_MIN_MS 15
/* It is spice-server's own margin; ours is never wider. */
#define CLOCK_MARGIN_MAX_MS 400
/* Jitter counts up to the least round trip and this much more: clients that hold acknowledgements
 * back make it look larger than it is. */
#define CLOCK_JITTER_MAX_MS 10
/* One report widens by no more than this: a frame that a queue held up once is shown at once
 * anyway, and a wide clock would hold up all those after it. */
#define CLOCK_WIDEN_MAX_MS 40
/* A frame should arrive this long before it is due. */
#define CLOCK_SLACK_MS 4
/* The margin that frames need is the largest that was needed in the last CLOCK_SPANS spans of
 * CLOCK_SPAN_MS. Clients report ten times a second while 60 frames come. So a line that stops once
 * a minute costs its viewer three seconds of a wide margin. */
#define CLOCK_SPANS 6
#define CLOCK_SPAN_MS 500

/*
 * While sound plays, a client's clock is the time of the sound that arrived last, less the latency
 * of its sound device (spice-gtk asks GStreamer for it each second). That clock runs ahead of what
 * is heard, for two reasons. The client plays a stream's first sound only when its device runs, and
 * keeps that distance. And QEMU has held the sound for some 40 ms: 21 ms in its HDA codec, 10 in
 * its mixer, and 10 because it writes 10 ms at a time. Measured with a Linux guest in QEMU 10,
 * spice-gtk 0.42 and PulseAudio (bench_sound.py), sound is heard 90 to 110 ms after its picture is
 * seen, and later when the client's device is slow to start. So we tell the client that sound is
 * this much older than it is, and the client shows pictures later.
 */
#define CLOCK_SOUND_MS 100
/*
 * PulseAudio has this latency, as spice-gtk finds it. In a stream's first one to two seconds a
 * client does not know it yet.
 */
#define CLOCK_DEVICE_MS 130

struct clock {
	uint32_t margin_ms;
	uint32_t line_ms;                /* the least margin that the line's jitter allows */
	uint32_t needed_ms[CLOCK_SPANS]; /* by frames; span n has the place n % CLOCK_SPANS */
	int64_t span;                    /* number of the present span */
	int64_t step_us;                 /* when clock_tick has work; 0: it has none */
};

/* It is a client's report of some frames of a video stream. */
struct clock_report {
	uint32_t n_frames, n_late;
	/*
	 * The last frame arrived this long before it was due; a negative number says that it was
	 * late.
	 */
	int32_t left_ms;
};

/*
 * Makes the margin wide. It is called when a client is told the time for the first time, when a
 * stream begins, and when sound has ended.
 */
void clock_start(struct clock *clock, int64_t now_us);

/* Says what round trip the kernel measures on the line: the least one, and how much they vary. */
void clock_set_line(struct clock *clock, uint32_t rtt_min_us, uint32_t rtt_var_us);

/*
 * The first takes a report, the second does the step that is due. Both return true when the margin
 * has changed, so that the client must be told.
 */
bool clock_report(struct clock *clock, const struct clock_report *report, int64_t now_us);
bool clock_tick(struct clock *clock, int64_t now_us);

/* Returns how much older a client is told that a stream's first sound is: CLOCK_SOUND_MS and, since
 * it does not know its device's latency yet, CLOCK_DEVICE_MS; and at least the margin. */
uint32_t clock_sound_start_ms(const struct clock *clock);

/* Returns when to call clock_tick; -1 says not before one of the functions above was called. */
int64_t clock_next_us(const struct clock *clock);
