/* SPDX-License-Identifier: MIT */
/*
 * clock: how far behind the server's clock a client is told to be: the margin that a video frame
 * has to be made and brought in. spice-server before 0.16 says 400 ms and never less. This one
 * starts wide, since an encoder's first frames are late and spice-server would take the line for
 * bad, closes in step by step, and widens when the client says that frames come late.
 *
 * Pure: time is passed in. Threads: any one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Measured with stock server and client at 1080p60, H.264: starting at 40 ms or less makes
 * spice-server halve its rate; steps of 4 ms every 100 ms are not seen. What is far too wide closes
 * in by a part of that. */
#define CLOCK_START_MS 80
#define CLOCK_STEP_MS 4
#define CLOCK_STEP_PARTS 16
#define CLOCK_STEP_EVERY_MS 100
/* On a line without jitter and with an encoder that takes no longer. */
#define CLOCK_MARGIN_MIN_MS 15
/* As spice-server itself. */
#define CLOCK_MARGIN_MAX_MS 400
/* Jitter of the round trip is believed up to this more than the least round trip: clients that hold
 * acknowledgements back make it look larger than it is. */
#define CLOCK_JITTER_MAX_MS 10
/* One report widens by no more than this: a frame that a queue held up once is shown at once
 * anyway, and a wide clock would hold up all those after it. */
#define CLOCK_WIDEN_MAX_MS 40
/* What a frame should have left when it arrives. */
#define CLOCK_SLACK_MS 4
/* What frames need is the most of so many spans of time: clients report some frames each, ten times
 * a second while pictures come at 60. A line that stops once a minute costs its viewer three
 * seconds of a wide clock. */
#define CLOCK_SPANS 6
#define CLOCK_SPAN_MS 500

/*
 * While sound plays, the client's clock is what it was told of the sound that arrived last, less
 * the latency of its sound device (spice-gtk: asked of GStreamer each second). But it plays a
 * stream's first sound only when the device runs and keeps that distance; and QEMU has had it for
 * some 40 ms when it gives it away: its HDA codec keeps 21, its mixer 10, and it writes 10 at a
 * time. Measured with a Linux guest in QEMU 10, spice-gtk 0.42 and PulseAudio (bench_sound.py),
 * what is heard is 90 to 110 ms behind the picture, more when the client's device is slow to start.
 * So sound is said to be this much older, which holds pictures back.
 */
#define CLOCK_SOUND_MS 100
/* What spice-gtk says of PulseAudio. A client says nothing of its device in a stream's first one to
 * two seconds. */
#define CLOCK_DEVICE_MS 130

struct clock {
	uint32_t margin_ms;
	uint32_t line_ms;                /* the least margin that the line's jitter allows */
	uint32_t needed_ms[CLOCK_SPANS]; /* by frames; of span n at n modulo CLOCK_SPANS */
	int64_t span;                    /* the present one */
	int64_t step_us;                 /* when to look again; 0: all done */
};

/* What a client says of some frames of a stream. */
struct clock_report {
	uint32_t n_frames, n_late;
	int32_t left_ms; /* until the last frame's time to be shown, when it arrived; below 0: late
			  */
};

/* A client is told the time for the first time, or a stream begins: wide again. */
void clock_start(struct clock *clock, int64_t now_us);

/* The line's round trip, as the kernel measures it. */
void clock_set_line(struct clock *clock, uint32_t rtt_min_us, uint32_t rtt_var_us);

/* These say whether the margin has changed: the client is to be told. */
bool clock_report(struct clock *clock, const struct clock_report *report, int64_t now_us);
bool clock_tick(struct clock *clock, int64_t now_us);

/* As CLOCK_SOUND_MS, for a stream that begins: less the latency that the device will have. */
uint32_t clock_sound_start_ms(const struct clock *clock);

/* When to call clock_tick next; -1: not before something happens. */
int64_t clock_next_us(const struct clock *clock);
